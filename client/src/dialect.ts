// What the client must know of a server's wire, as data. Rusk's own stands here; the others are a module of their own
// (dialects.ts), so that nobody carries what nobody uses.
import type { Explained } from './error.ts'

/** The members of a JSON body; none where there was no such body. */
export type Body = Readonly<Record<string, unknown>>

/** One call. Fields are sent by the names the client has for them (`login`, `email`, …) unless `names` has another. */
export type Call = {
  readonly line: `${'GET' | 'POST'} /${string}`
  readonly names?: Readonly<Record<string, string>>
  /** It makes an account and opens no session: sign-in follows, with this field as login. */
  readonly login?: string
}

/** The double submit of one client: a readable token that goes into a header of every unsafe call. */
export type Csrf = {
  /** None for a method that changes nothing. `anew`: the token in hand was refused. */
  headers(method: string, anew: boolean): Promise<Readonly<Record<string, string>>>
  /**
   * Whatever Rusk has answered, which may carry a token for pages that cannot read the cookie. True: it was refused for want
   * of a good one, and nothing was done.
   */
  hear(method: string, answer: Response, body: Body): boolean
}

/** `User`: what the session call tells of a person. */
export type Dialect<User = unknown> = {
  readonly signUp: Call
  readonly signIn: Call
  readonly signOut: Call
  readonly refresh: Call
  readonly session: Call
  /** A token of the old system for a session. */
  readonly exchange: Call
  readonly changePassword?: Call
  /** What of an answer is the user; where that has no id, the answer does not say. */
  user(body: Body): unknown
  /** The member of a user that tells one from another. Default: `id`. */
  readonly id?: string
  /** The member of an answer that is an access token; it then goes into the Authorization header. */
  readonly token?: string
  /** Access tokens travel in answers always: without one in hand there is no use in asking who is signed in. */
  readonly memoryOnly?: true
  /** Seconds from now that the access token of this answer lives; anything else: nobody knows. */
  life(body: Body, answer: Response): unknown
  /** The member of an answer to the session call that says when the token that asked ends, ISO 8601. Absent: nothing does. */
  readonly ends?: string
  /** What a refusal's body says. Absent: what RFC 9457 and Rusk's own bodies say. */
  explain?(status: number, body: Body): Explained
  /** Absent: the server guards by origin alone. `ask` makes a call, with no token. */
  readonly csrf?: (ask: (call: Call) => Promise<unknown>) => Csrf
  /** Never there; carries the type. */
  readonly '~user'?: User
}

/** Times are ISO 8601. */
export type NativeUser = {
  readonly id: string
  readonly email: string
  readonly username: string | null
  readonly name: string | null
  readonly createdAt: string
}

export const native: Dialect<NativeUser> = {
  signUp: { line: 'POST /auth/sign-up' },
  signIn: { line: 'POST /auth/sign-in' },
  signOut: { line: 'POST /auth/sign-out' },
  refresh: { line: 'POST /auth/refresh' },
  session: { line: 'GET /auth/session' },
  exchange: { line: 'POST /auth/exchange' },
  changePassword: { line: 'POST /auth/password' },
  user: ({ user }) => user,
  token: 'accessToken',
  life: ({ expiresIn }) => expiresIn,
  ends: 'accessEndsAt',
}
