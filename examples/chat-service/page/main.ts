// The chat's page: who is signed in decides what is shown, in every tab alike. The access token is in the client's memory,
// and goes to Rusk and to the chat alone.
import { createClient, RuskError, stream } from '@rusk/client'

const { rusk = '', chat = '' } = document.documentElement.dataset
const client = createClient({ baseUrl: rusk, delivery: 'memory', origins: [chat] })

type Line = { readonly by: 'you' | 'chat'; readonly text: string }

const speakers: Readonly<Record<Line['by'], string>> = { you: 'You', chat: 'Chat' }

function elementOf<E extends HTMLElement = HTMLElement>(id: string): E {
  const element = document.querySelector<E>(`#${id}`)
  if (!element) throw new Error(`index.html has no #${id}`)
  return element
}

const tell = (sentence = '') => {
  elementOf('notice').textContent = sentence
}

const away = 'The chat cannot be reached. It goes on by itself.'
const unsure = 'Who you are cannot be told just now. It goes on by itself.'

function sentenceOf(error: unknown): string {
  if (!(error instanceof RuskError)) return away
  const { code, status, message, issues } = error
  if (status === 503 || code === 'offline' || code === 'timeout') return unsure
  if (code === 'stream_refused') return `The chat refused that (${status}).`
  return [message, ...issues.map(issue => issue.message)].join('. ')
}

const told = (error: unknown) => tell(sentenceOf(error))

/** Of a call to the chat; why nobody is signed in any more is said already. */
const missed = (error: unknown) => {
  if (client.state.status === 'signed-in') told(error)
}

function make(name: string, text = ''): HTMLElement {
  const element = document.createElement(name)
  element.textContent = text
  return element
}

function add({ by, text }: Line) {
  const line = make('li')
  const words = make('span', text)
  line.append(make('b', `${speakers[by]}: `), words)
  elementOf('talk').append(line)
  return { line, words }
}

/** Answers that are coming in, and whether something was said elsewhere meanwhile. */
let coming = 0
let isBehind = false

async function load(signal: AbortSignal): Promise<void> {
  const answer = await client.fetch(`${chat}/chat/history`, { signal })
  if (!answer.ok) throw new RuskError('stream_refused', { status: answer.status })
  const lines: readonly Line[] = await answer.json()
  signal.throwIfAborted()
  tell()
  // What is coming in is not taken away from under its reader: it is loaded when all of that has come.
  isBehind = coming > 0
  if (isBehind) return
  elementOf('talk').replaceChildren()
  for (const line of lines) add(line)
}

let looking: Promise<void> | undefined

/** Who looks at the page again finds what was said in other tabs. */
function lookAgain(): void {
  const { signal } = gone
  if (document.hidden || shown === undefined || looking) return
  looking = load(signal)
    .catch((error: unknown) => {
      if (!signal.aborted) missed(error)
    })
    .finally(() => {
      looking = undefined
    })
}

async function say(message: string): Promise<void> {
  const [asking, answer] = [add({ by: 'you', text: message }), add({ by: 'chat', text: '' })]
  const asked = {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ message, stay: false }),
  }
  coming++
  try {
    for await (const { event, data } of stream(client, `${chat}/chat/stream`, asked))
      if (event === 'message') answer.words.textContent += data
    // A sentence, not a word at a time, is what a screen reader can say.
    elementOf('heard').textContent = answer.line.textContent
  } catch (error) {
    // What never arrived does not look as if it had, and can be sent again.
    if (answer.words.textContent === '') {
      for (const { line } of [asking, answer]) line.remove()
      giveBack(message)
    }
    throw error
  } finally {
    coming--
    if (isBehind && coming === 0) lookAgain()
  }
}

const field = () => elementOf<HTMLInputElement>('message')

/** Before whatever has been written since. */
function giveBack(message: string): void {
  if (client.state.status === 'signed-in') field().value = `${message} ${field().value}`.trim()
}

/** The long stream: opened again whenever it ends, until `signal` says that its person has gone. */
async function follow(signal: AbortSignal): Promise<void> {
  const live = elementOf('live')
  while (!signal.aborted) {
    try {
      await load(signal)
      for await (const { event } of stream(client, `${chat}/chat/live`, { signal }))
        if (event === 'tick') live.textContent = `Live at ${new Date().toLocaleTimeString()}`
    } catch (error) {
      if (!signal.aborted) missed(error)
    }
    live.textContent = ''
    await new Promise(resolve => setTimeout(resolve, 1000))
  }
}

let shown: string | undefined
let gone = new AbortController()

client.subscribe(state => {
  const user = state.status === 'signed-in' ? state.user : undefined
  elementOf('entry').hidden = state.status !== 'signed-out'
  elementOf('chat').hidden = !user
  elementOf('who').textContent = user?.email ?? ''
  if (state.status === 'unknown') return tell(state.error && unsure)
  if (state.status === 'signed-out') {
    tell({ nobody: '', 'signed-out': 'You are signed out.', ended: 'Your session has ended.' }[state.reason])
  }
  if (user?.id === shown) return
  shown = user?.id
  gone.abort()
  gone = new AbortController()
  // What one person said is not for the next.
  for (const id of ['talk', 'heard']) elementOf(id).replaceChildren()
  field().value = ''
  if (user) follow(gone.signal).catch(told)
})

elementOf<HTMLFormElement>('entry').addEventListener('submit', event => {
  event.preventDefault()
  const form = elementOf<HTMLFormElement>('entry')
  const fields = new FormData(form, event.submitter)
  const [email, password] = [String(fields.get('email')), String(fields.get('password'))]
  const entered =
    fields.get('how') === 'signUp'
      ? client.signUp({ email, password })
      : client.signIn({ login: email, password })
  entered.then(() => {
    form.reset()
    field().focus()
  }, told)
})

elementOf<HTMLFormElement>('say').addEventListener('submit', event => {
  event.preventDefault()
  const { value } = field()
  field().value = ''
  say(value).catch(missed)
})

elementOf('forget').addEventListener('click', () => {
  client
    .fetch(`${chat}/chat/history`, { method: 'DELETE' })
    .then(({ ok }) => ok && elementOf('talk').replaceChildren())
    .catch(missed)
})

elementOf('leave').addEventListener('click', () => {
  client.signOut().catch(told)
})

document.addEventListener('visibilitychange', lookAgain)
addEventListener('focus', lookAgain)
