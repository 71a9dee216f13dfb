// What people are told when something was refused or did not arrive, and beside which field. Knows no page.
import { RuskError } from '@rusk/client'

/** Where Rusk's own sentence is for developers, or says too little. */
const sentences: Readonly<Record<string, string>> = {
  offline: 'The server cannot be reached. Try again in a moment.',
  timeout: 'The server takes too long. Try again in a moment.',
  unavailable: 'The server cannot answer just now',
  credentials_wrong: 'This address and this password do not belong together.',
  stream_refused: 'The live connection was refused. It is tried again.',
  email_taken: 'There is an account with this address already.',
}

export function sentenceOf(error: unknown): string {
  // What fetch rejects with: a call of the app's own has no other error.
  if (error instanceof TypeError) return sentences.offline ?? ''
  if (!(error instanceof RuskError)) return 'Something went wrong here. Try again in a moment.'
  const { code, message, retryAfter } = error
  return (sentences[code] ?? message) + (retryAfter ? `. Try again in ${retryAfter} seconds.` : '')
}

/** What is wrong with each field, by its name on the wire; '' is the form as a whole. */
export function wrongsOf(error: RuskError | null): Readonly<Record<string, string>> {
  if (!error) return {}
  if (error.code === 'email_taken') return { email: sentenceOf(error) }
  if (error.issues.length === 0) return { '': sentenceOf(error) }
  const said = Map.groupBy(error.issues, ({ field }) => field)
  return Object.fromEntries(
    [...said].map(([field, issues]) => [field, issues.map(({ message }) => message).join('. ')]),
  )
}
