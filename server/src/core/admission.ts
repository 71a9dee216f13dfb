// Who may be let in under which name and with which password: canonical keys and the password policy. Knows no store
// and no hash; whether a password is common is told to it.
import type { User } from './model.ts'
import type { PasswordPolicy } from './policy.ts'
import type { Issue } from './refusal.ts'

/** One account to an address, however it is typed. Input checking has made it ASCII with one @. */
export const emailKey = (email: string): string => email.toLowerCase()

/** Upper case first, so that ß and ss, ı and i, K (U+212A) and k are one name: look-alikes are one account, never two. */
export const usernameKey = (username: string): string =>
  username.normalize('NFKC').toUpperCase().toLowerCase().normalize('NFKC')

/** A username never contains an @, so a login is never ambiguous. */
export const loginKey = (login: string): { emailKey: string } | { usernameKey: string } => {
  const text = login.trim()
  return text.includes('@') ? { emailKey: emailKey(text) } : { usernameKey: usernameKey(text) }
}

/** How a claim of another system's tokens may name a user. */
export const claimFields = ['email', 'username', 'number', 'id'] as const
export type ClaimField = (typeof claimFields)[number]

type ClaimKey = ReturnType<typeof loginKey> | { number: number } | { id: string }

/** Digits alone, without a zero in front: `7`, not `07`, `+7` or `7.0`. */
const countGrammar = /^[1-9]\d{0,15}$/

const textKey =
  (keyOf: (text: string) => ClaimKey) =>
  (claim: unknown): ClaimKey | undefined =>
    typeof claim === 'string' && claim !== '' ? keyOf(claim) : undefined

const claimKeys: Readonly<Record<ClaimField, (claim: unknown) => ClaimKey | undefined>> = {
  email: textKey(text => ({ emailKey: emailKey(text) })),
  username: textKey(text => ({ usernameKey: usernameKey(text) })),
  number(claim) {
    const number = typeof claim === 'string' && countGrammar.test(claim) ? Number(claim) : claim
    return Number.isSafeInteger(number) && Number(number) > 0 ? { number: Number(number) } : undefined
  },
  id: textKey(id => ({ id })),
}

/** Whom the claim of another system's token names; undefined: nobody, because that is no value of this field. */
export const claimKey = (field: ClaimField, claim: unknown): ClaimKey | undefined => claimKeys[field](claim)

const asciiLower = (text: string): string => text.replace(/[A-Z]/g, letter => letter.toLowerCase())

/**
 * Whether the claim spells what was found by its key. What looks alike is one account here and may have been two where the
 * token was made: but for ASCII case a name must be the same.
 */
export const isSpelt = (field: ClaimField, claim: unknown, user: Pick<User, 'email' | 'username'>): boolean =>
  field === 'number' || field === 'id' || asciiLower(String(claim)) === asciiLower(user[field] ?? '')

export type Person = {
  readonly email: string
  readonly username: string | null
  readonly name: string | null
}

const classes = {
  upper: { holds: /\p{Lu}/u, message: 'Password must contain an upper-case letter' },
  lower: { holds: /\p{Ll}/u, message: 'Password must contain a lower-case letter' },
  digit: { holds: /\p{Nd}/u, message: 'Password must contain a digit' },
} as const

/** Shorter words occur in passwords by chance: a person called Al may have a `pal` in theirs. */
const shortestPersonalWord = 4

function personalWords({ email, username, name }: Person): string[] {
  const local = email.slice(0, email.lastIndexOf('@'))
  return [email, local, username ?? '', ...(name ?? '').split(/\s+/u)]
    .map(word => word.toLowerCase())
    .filter(word => word.length >= shortestPersonalWord)
}

/** Every reason at once; an empty list means that the password will do. Length is counted in code points. */
export function passwordIssues(
  password: string,
  person: Person,
  policy: PasswordPolicy,
  common: boolean,
): readonly Issue[] {
  const lower = password.toLowerCase()
  const issues: Omit<Issue, 'field'>[] = []
  if ([...password].length < policy.minLength) {
    issues.push({
      type: 'string_too_short',
      message: `Password must be at least ${policy.minLength} characters long`,
    })
  }
  for (const name of policy.classes) {
    if (!classes[name].holds.test(password))
      issues.push({ type: 'value_error', message: classes[name].message })
  }
  if (policy.refuseCommon && common) {
    issues.push({ type: 'value_error', message: 'Password is one of the most common ones' })
  }
  if (policy.refusePersonal && personalWords(person).some(word => lower.includes(word))) {
    issues.push({ type: 'value_error', message: 'Password must not contain your e-mail address or name' })
  }
  return issues.map(issue => ({ field: 'password', ...issue }))
}
