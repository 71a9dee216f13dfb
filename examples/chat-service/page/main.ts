// The chat's page: who is signed in decides what is shown, in every tab alike. The access token is in the client's memory,
// and goes to Rusk and to the chat alone.
import { createClient, RuskError, stream } from '@rusk/client'

const { rusk = '', chat = '' } = document.documentElement.dataset
const client = createClient({ baseUrl: rusk, delivery: 'memory', origins: [chat] })

type Line = { readonly by: string; readonly text: string }

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

function add({ by, text }: Line): HTMLElement {
  const item = document.createElement('li')
  item.className = by
  item.textContent = text
  elementOf('talk').append(item)
  return item
}

async function load(signal: AbortSignal): Promise<void> {
  const answer = await client.fetch(`${chat}/chat/history`, { signal })
  if (!answer.ok) throw new RuskError('stream_refused', { status: answer.status })
  const lines: readonly Line[] = await answer.json()
  elementOf('talk').replaceChildren()
  for (const line of lines) add(line)
}

async function say(message: string): Promise<void> {
  const said = [add({ by: 'you', text: message }), add({ by: 'chat', text: '' })] as const
  const asked = {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ message, stay: false }),
  }
  try {
    for await (const { event, data } of stream(client, `${chat}/chat/stream`, asked))
      if (event === 'message') said[1].textContent += data
  } catch (error) {
    // What never arrived does not look as if it had.
    if (said[1].textContent === '') for (const line of said) line.remove()
    throw error
  }
}

/** The long stream: opened again whenever it ends, until `signal` says that its person has gone. */
async function follow(signal: AbortSignal): Promise<void> {
  const live = elementOf('live')
  while (!signal.aborted) {
    try {
      await load(signal)
      tell()
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
  elementOf('talk').replaceChildren()
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
  entered.then(() => form.reset(), told)
})

elementOf<HTMLFormElement>('say').addEventListener('submit', event => {
  event.preventDefault()
  const form = elementOf<HTMLFormElement>('say')
  const message = String(new FormData(form).get('message'))
  form.reset()
  say(message).catch(missed)
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
