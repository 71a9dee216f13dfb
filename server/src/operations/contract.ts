// What goes into an operation and what comes out of it: the only words that http/ and operations/ share.
import type { AccessClaims } from '@rusk/verify/floor'
import type { Input, OperationName } from '../core/input.ts'
import type { Delivery, Session, User } from '../core/model.ts'
import type { Policy } from '../core/policy.ts'
import type { Refusal } from '../core/refusal.ts'

/**
 * These take a `__Host-` name that came twice, which no honest browser sends, as it comes: leaving is still possible, and health
 * is nobody's.
 */
export const unconcerned: ReadonlySet<OperationName> = new Set(['signOut', 'health'])

/** The texts a call carries, as they came: nothing here is authentic yet. */
export type Carried = {
  /** Values of the access cookie; more than one when a browser or an attacker sent the name twice. */
  readonly access: readonly string[]
  /** What stands after `Bearer `. Null: there is an Authorization header, and it is malformed. Undefined: there is none, or the dialect does not read it. */
  readonly bearer: string | null | undefined
  readonly refresh: readonly string[]
  readonly signIn: readonly string[]
  /** The CSRF token, in a dialect that has one: header and cookie. */
  readonly csrf: { readonly header: string | undefined; readonly cookie: string | undefined } | undefined
  /** A `__Host-` name came twice: hostile. */
  readonly conflict: boolean
}

export type Caller = {
  readonly callId: string
  readonly address: string
  readonly userAgent: string
}

/** The parts of a dialect that an operation must know; a dialect is otherwise unknown to it. */
export type Manner = {
  readonly policy: Policy
  /** Used when the call does not choose. */
  readonly delivery: Delivery
  /** Which of the user's two ids is `sub`. */
  readonly subject: 'id' | 'number'
  /** Extra access-token claims. */
  readonly claims: ((user: User) => Readonly<Record<string, unknown>>) | undefined
  /** Whether this call needs a CSRF token: any authentic one, or one of the session it acts in. */
  readonly csrf: 'any' | 'session' | undefined
  /** Whether sign-in and the CSRF call mint CSRF tokens. */
  readonly mintsCsrf: boolean
}

export type Request<O extends OperationName = OperationName> = {
  readonly does: O
  /** By the operation's own names; unknown fields are dropped. */
  readonly input: Readonly<Record<string, unknown>>
  readonly carried: Carried
  readonly caller: Caller
  readonly manner: Manner
}

/** What was minted for this answer; an absent one must not be written. */
export type Tokens = {
  readonly access?: { readonly token: string; readonly expiresIn: number }
  readonly refresh?: string
  /** The sign-in cookie's value: written only where a session is opened. */
  readonly signIn?: string
  readonly csrf?: string
  /** Seconds that the CSRF cookie may live, where that is less than it says: its key ends then. */
  readonly csrfMaxAge?: number
  /** Seconds that the refresh and sign-in cookies may live. */
  readonly refreshMaxAge?: number
  readonly delivery?: Delivery
  /** Access and refresh cookies are to be cleared. */
  readonly clear?: true
}

export type Done = {
  register: { readonly user: User }
  signUp: { readonly user: User; readonly session: Session }
  signIn: { readonly user: User; readonly session: Session }
  exchange: { readonly user: User; readonly session: Session }
  refresh: { readonly user: User; readonly session: Session }
  signOut: Record<never, never>
  /** `accessEndsAt`: when the access token of the call expires. */
  whoAmI: { readonly user: User; readonly session: Session; readonly accessEndsAt: number }
  listSessions: { readonly user: User; readonly sessions: readonly Session[]; readonly current: Session }
  endSession: Record<never, never>
  endOtherSessions: Record<never, never>
  /** The session that was opened in place of the one it was asked in. */
  changePassword: { readonly user: User; readonly session: Session }
  csrf: Record<never, never>
  health: Record<never, never>
}

export type Result<O extends OperationName = OperationName> =
  | { readonly done: Done[O]; readonly tokens: Tokens }
  | { readonly refusal: Refusal }

/** What a service that checks tokens by itself is told of sessions that have ended. */
export type News = {
  /** Where the next answer begins. Opaque. */
  readonly cursor: string
  /** Ids of sessions; some may have been told before. */
  readonly ended: readonly string[]
  /** A NumericDate: tokens made before it are refused, whatever their session. */
  readonly notBefore: number
  /** Ids of the signing keys that are accepted now; with a shared key none. */
  readonly keys: readonly string[]
  /** For how many seconds an ended session must be remembered. */
  readonly remember: number
}

/** Resolves with what is new since `after`, a cursor or none, at the latest after `wait` milliseconds. Rejects with a `Fault`. */
export type TellNews = (after: string | undefined, wait: number) => Promise<News>

/** What is known of an access token that is good at this moment, its session included. */
export type Introspected = { readonly claims: AccessClaims; readonly username: string | null }

export type { Input, OperationName }
