// What each operation takes, by its own names, checked once for all dialects. Dialects only rename (http/dialect.ts).
import { z } from 'zod'
import { controls } from './controls.ts'
import { type Issue, type Refusal, refuse } from './refusal.ts'

const wellFormed = (text: string) => text.isWellFormed()

/** 1024 bytes is far beyond any passphrase; beyond it hashing would be work for an attacker. Never trimmed, never normalised. */
const password = z
  .string()
  .min(1)
  .refine(text => new TextEncoder().encode(text).length <= 1024, 'Password must be at most 1024 bytes')
  .refine(wellFormed, 'Password must be well-formed Unicode')

/** Shown to people: no control characters and no bidirectional overrides. */
const shown = (most: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(most)
    .refine(wellFormed, 'Must be well-formed Unicode')
    .refine(text => !controls.test(text), 'Must not contain control characters')
    .refine(text => /[^\p{Default_Ignorable_Code_Point}\s]/u.test(text), 'Must not be blank')

/** ASCII before the @, 64 octets; 254 in all (RFC 5321 §4.5.3.1). */
const email = z
  .string()
  .trim()
  .max(254)
  .pipe(z.email())
  .refine(text => text.lastIndexOf('@') <= 64, 'The part before the @ must be at most 64 characters')

/** No @, so that a login is never ambiguous; nothing invisible, so that two names that look alike are one. */
const username = z
  .string()
  .trim()
  .min(1)
  .max(64)
  .refine(
    text =>
      /^[\p{L}\p{N}][\p{L}\p{N}\p{M}._+-]*$/u.test(text) && !/\p{Default_Ignorable_Code_Point}/u.test(text),
    'Username may contain letters, digits and . _ + -',
  )

const delivery = z.enum(['cookies', 'memory'])

const admission = z.object({
  email,
  password,
  username: username.nullish(),
  name: shown(200).nullish(),
})

const nothing = z.object({})

export const inputs = {
  /** Makes the account and opens no session. */
  register: admission,
  /** Makes the account and signs in. */
  signUp: admission.extend({ delivery: delivery.nullish() }),
  signIn: z.object({
    /** E-mail address or username. Not held to their grammars: a wrong login is an ordinary "no". */
    login: z.string().min(1).max(320),
    password,
    delivery: delivery.nullish(),
  }),
  /** A token of the old system, for a session here. */
  exchange: z.object({
    token: z.string().min(1).max(8192),
    delivery: delivery.nullish(),
  }),
  refresh: nothing,
  signOut: nothing,
  whoAmI: nothing,
  listSessions: nothing,
  endSession: z.object({ id: z.string().min(1).max(64) }),
  endOtherSessions: nothing,
  changePassword: z.object({ current: password, new: password }),
  csrf: nothing,
  health: nothing,
} as const satisfies Record<string, z.ZodObject>

export type OperationName = keyof typeof inputs
export type Input<O extends OperationName> = z.output<(typeof inputs)[O]>
export type InputField<O extends OperationName> = keyof (typeof inputs)[O]['shape'] & string

type Shape = z.core.$ZodIssue

const nouns: Record<string, string> = {
  string: 'string',
  number: 'number',
  boolean: 'boolean',
  object: 'dictionary',
}

/** Types and sentences in the manner of the frameworks whose front ends read them. */
function describeIssue(issue: Shape, raw: Readonly<Record<string, unknown>>): Issue {
  const field = String(issue.path[0] ?? '')
  if (raw[field] === undefined) return { field, type: 'missing', message: 'Field required' }
  switch (issue.code) {
    case 'invalid_type': {
      const noun = nouns[issue.expected] ?? issue.expected
      return { field, type: `${issue.expected}_type`, message: `Input should be a valid ${noun}` }
    }
    case 'too_small':
      return {
        field,
        type: 'string_too_short',
        message: `String should have at least ${issue.minimum} character${Number(issue.minimum) === 1 ? '' : 's'}`,
      }
    case 'too_big':
      return {
        field,
        type: 'string_too_long',
        message: `String should have at most ${issue.maximum} characters`,
      }
    case 'invalid_format':
      return {
        field,
        type: 'value_error',
        message: `value is not a valid ${issue.format === 'email' ? 'email address' : issue.format}`,
      }
    case 'invalid_value':
      return { field, type: 'enum', message: `Input should be one of: ${issue.values.join(', ')}` }
    default:
      return { field, type: 'value_error', message: issue.message }
  }
}

/** Checked values, or every finding at once. Unknown fields are dropped, never assigned. */
export function readInput<O extends OperationName>(
  does: O,
  raw: Readonly<Record<string, unknown>>,
): { readonly input: Input<O> } | { readonly refusal: Refusal } {
  const read = inputs[does].safeParse(raw)
  if (read.success) return { input: read.data as Input<O> }
  return {
    refusal: refuse('input_invalid', { issues: read.error.issues.map(issue => describeIssue(issue, raw)) }),
  }
}
