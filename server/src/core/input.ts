// What each operation takes, by its own names, checked once for all dialects. Dialects only rename (http/dialect.ts).
import { z } from 'zod'

const wellFormed = (text: string) => text.isWellFormed()

/** 1024 bytes is far beyond any passphrase; beyond it hashing would be work for an attacker. Never trimmed, never normalised. */
const password = z
  .string()
  .min(1)
  .refine(text => Buffer.byteLength(text) <= 1024, 'Password must be at most 1024 bytes')
  .refine(wellFormed, 'Password must be well-formed Unicode')

/** Shown to people: no control characters and no bidirectional overrides. */
const shown = (most: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(most)
    .refine(wellFormed, 'Must be well-formed Unicode')
    .refine(
      text => !/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u.test(text),
      'Must not contain control characters',
    )

/** ASCII before the @, 64 octets; 254 in all (RFC 5321 §4.5.3.1). */
const email = z
  .string()
  .trim()
  .max(254)
  .pipe(z.email())
  .refine(text => text.lastIndexOf('@') <= 64, 'The part before the @ must be at most 64 characters')

/** No @, so that a login is never ambiguous. */
const username = z
  .string()
  .trim()
  .min(1)
  .max(64)
  .refine(
    text => /^[\p{L}\p{N}][\p{L}\p{N}\p{M}._+-]*$/u.test(text),
    'Username may contain letters, digits and . _ + -',
  )

const delivery = z.enum(['cookies', 'memory'])

const admission = z.object({
  email,
  password,
  username: username.optional(),
  name: shown(200).optional(),
})

const nothing = z.object({})

export const inputs = {
  /** Makes the account and opens no session. */
  register: admission,
  /** Makes the account and signs in. */
  signUp: admission.extend({ delivery: delivery.optional() }),
  signIn: z.object({
    /** E-mail address or username. Not held to their grammars: a wrong login is an ordinary "no". */
    login: z.string().min(1).max(320),
    password,
    delivery: delivery.optional(),
  }),
  refresh: nothing,
  signOut: nothing,
  whoAmI: nothing,
  listSessions: nothing,
  endSession: z.object({ id: z.string().min(1).max(64) }),
  endOtherSessions: nothing,
  csrf: nothing,
  health: nothing,
} as const satisfies Record<string, z.ZodObject>

export type OperationName = keyof typeof inputs
export type Input<O extends OperationName> = z.output<(typeof inputs)[O]>
export type InputField<O extends OperationName> = keyof (typeof inputs)[O]['shape'] & string
