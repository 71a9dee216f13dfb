// What people are told, as tables: a sentence for every refusal and for every wrong field. Knows no page and no markup.
import type { PasswordPolicy } from '../core/policy.ts'
import type { Issue, Refusal, RefusalCode } from '../core/refusal.ts'

const count = (amount: number, unit: string): string => (amount === 1 ? `one ${unit}` : `${amount} ${unit}s`)

/** A wait in words, never shorter than it is. Seconds. */
export function sayWait(seconds: number): string {
  if (seconds < 60) return count(Math.max(1, Math.ceil(seconds)), 'second')
  return seconds < 3600 ? count(Math.ceil(seconds / 60), 'minute') : count(Math.ceil(seconds / 3600), 'hour')
}

const signInAnew = 'You are not signed in any more. Please sign in again.'
const notRead = 'What your browser sent could not be read. Please go back and try again.'

const sentences: Readonly<Record<RefusalCode, string>> = {
  body_malformed: notRead,
  body_too_large: 'That was too much text. Please go back and shorten it.',
  not_json: notRead,
  not_form: notRead,
  input_invalid: 'Please look at the fields below.',
  not_found: 'There is nothing at this address.',
  method_not_allowed: 'This address only takes what its own page sends. Please start again.',
  origin_refused: 'This was sent from a page of another site, so nothing was done. Please use the form here.',
  csrf_refused: 'Nothing was done, because this did not come from the page it should have come from.',
  throttled: 'There were too many attempts.',
  not_signed_in: signInAnew,
  access_malformed: signInAnew,
  access_invalid: signInAnew,
  access_expired: signInAnew,
  access_revoked: signInAnew,
  user_gone: 'This account is not there any more.',
  cookie_conflict:
    'Your browser sent cookies that contradict each other. Please delete the cookies of this site, then sign in again.',
  service_refused: 'This address is for other programs.',
  refresh_missing: signInAnew,
  refresh_invalid: signInAnew,
  credentials_wrong: 'That login and that password do not belong together. Please check both.',
  token_refused: signInAnew,
  email_taken: 'There is an account with this e-mail address already.',
  username_taken: 'This username is taken.',
  password_wrong: 'That is not your current password.',
  password_weak: 'That password is too easy to guess.',
  session_not_found: 'That sign-in has already ended.',
  busy: 'We are busy right now.',
  unavailable: 'This cannot be done just now.',
  fault: 'Something went wrong here. It is not your fault, and nothing of yours is lost.',
}

/** A refusal in a sentence or two; how long to wait, where waiting helps. */
export function sayRefusal({ refused, retryAfter }: Refusal): string {
  const sentence = sentences[refused]
  return retryAfter === undefined
    ? sentence
    : `${sentence} Please try again in ${sayWait(Math.max(1, retryAfter))}.`
}

/** What is missing, by the operation's name for the field. */
const missing: Readonly<Record<string, string>> = {
  email: 'Please enter your e-mail address.',
  login: 'Please enter your login.',
  password: 'Please enter your password.',
  username: 'Please enter a username.',
  name: 'Please enter your name.',
  current: 'Please enter your current password.',
  new: 'Please enter a new password.',
}

const malformed: Readonly<Record<string, string>> = {
  email: 'Please enter an e-mail address like ada@example.com.',
}

/** One finding in a sentence; `field`: the operation's name for it. */
export function sayIssue({ type, message }: Issue, field: string): string {
  if (type === 'missing') return missing[field] ?? 'Please fill this in.'
  const known = type === 'value_error' ? malformed[field] : undefined
  // The findings of core/ are sentences for people, but for how they begin and end.
  return known ?? `${message.replace(/^String should/, 'This should').replace(/\.$/, '')}.`
}

const classNames = {
  upper: 'an upper-case letter',
  lower: 'a lower-case letter',
  digit: 'a digit',
} as const

const listed = (parts: readonly string[]): string =>
  parts.length < 2 ? parts.join('') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`

/** The rules of new passwords, before anybody breaks one. */
export function sayPasswordRules({
  minLength,
  classes,
  refuseCommon,
  refusePersonal,
}: PasswordPolicy): string {
  const needed = listed(classes.map(name => classNames[name]))
  const refused = [
    ...(refuseCommon ? ['one of the most common passwords'] : []),
    ...(refusePersonal ? ['one with your e-mail address or name in it'] : []),
  ]
  return [
    `At least ${count(minLength, 'character')}${needed === '' ? '' : `, with ${needed} among them`}.`,
    ...(refused.length === 0 ? [] : [`Not ${refused.join(', nor ')}.`]),
  ].join(' ')
}

/** What a page says of what was just done, by the word for it in its address: a closed list. */
export const doneSentences = {
  'session-ended': 'That sign-in has ended.',
  'others-ended': 'You are signed out everywhere else.',
  'password-changed': 'Your password is changed, and you are signed out everywhere else.',
  again: 'This page had been open for a while, so nothing was done. Please try once more.',
} as const

export type DoneWord = keyof typeof doneSentences

/** Undefined: no such word, nothing to say. */
export const sayDone = (word: string | undefined): string | undefined =>
  Object.entries(doneSentences).find(([each]) => each === word)?.[1]
