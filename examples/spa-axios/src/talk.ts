// The chat: what was said before by axios, the answer as it comes by a stream.
import { stream } from '@rusk/client'
import { chat, chatUrl, client } from './client.ts'
import { elementOf, sentenceOf, tell } from './page.ts'

type Line = { readonly by: 'you' | 'chat'; readonly text: string }
type Talk = { show(user: { readonly id: number; readonly username: string | null } | null): void }

export function openTalk(): Talk {
  const list = elementOf('talk')
  const form = elementOf<HTMLFormElement>('say')
  let shown: number | undefined

  const add = ({ by, text }: Line): HTMLElement => {
    const item = document.createElement('li')
    item.className = by
    item.textContent = text
    list.append(item)
    return item
  }

  const say = async (message: string): Promise<void> => {
    tell()
    const said = [add({ by: 'you', text: message }), add({ by: 'chat', text: '' })] as const
    const [, answer] = said
    const asked = {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ message, stay: false }),
    }
    try {
      for await (const { event, data } of stream(client, `${chatUrl}/chat/stream`, asked))
        if (event === 'message') answer.textContent += data
    } catch (error) {
      // What never arrived does not look as if it had.
      if (answer.textContent === '') for (const line of said) line.remove()
      throw error
    }
  }

  const load = async (): Promise<void> => {
    const asked = shown
    const { data } = await chat.get<readonly Line[]>('/chat/history')
    // Whoever asked may have gone while this was on its way.
    if (asked !== shown) return
    list.replaceChildren()
    for (const line of data) add(line)
  }

  const forget = async (): Promise<void> => {
    await chat.delete('/chat/history')
    list.replaceChildren()
  }

  const told = (error: unknown) => tell(sentenceOf(error))
  elementOf('forget').addEventListener('click', () => forget().catch(told))
  form.addEventListener('submit', event => {
    event.preventDefault()
    const message = String(new FormData(form).get('message'))
    form.reset()
    say(message).catch(error => {
      const field = form.elements.namedItem('message')
      if (field instanceof HTMLInputElement && field.value === '') field.value = message
      told(error)
    })
  })

  return {
    show(user) {
      elementOf('chat').hidden = !user
      elementOf('who').textContent = user?.username ?? ''
      const before = shown
      shown = user?.id
      // What one person said is not for the next.
      if (shown !== before) list.replaceChildren()
      if (user && shown !== before) load().catch(told)
    },
  }
}
