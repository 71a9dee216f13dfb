// The elements of index.html by their ids, and the one line that tells people what happened.
import { RuskError } from '@rusk/client'

export function elementOf<E extends HTMLElement = HTMLElement>(id: string): E {
  const element = document.querySelector<E>(`#${id}`)
  if (!element) throw new Error(`index.html has no #${id}`)
  return element
}

/** Nothing said: the line is gone. */
export function tell(sentence?: string): void {
  const notice = elementOf('notice')
  notice.hidden = !sentence
  notice.textContent = sentence ?? ''
}

const sentences: Readonly<Record<string, string>> = {
  offline: 'The server cannot be reached. Try again in a moment.',
  timeout: 'The server takes too long. Try again in a moment.',
  stream_refused: 'The chat did not take this message.',
}

export function sentenceOf(error: unknown): string {
  if (!(error instanceof RuskError)) return 'The chat cannot be reached. Try again in a moment.'
  const { code, message, retryAfter } = error
  return (sentences[code] ?? message) + (retryAfter ? ` Try again in ${retryAfter} seconds.` : '')
}
