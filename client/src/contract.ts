// What a page has of its client: who is signed in, what can be asked, what an adapter of another HTTP library needs. Types
// alone; how it is done is client.ts.
import type { Dialect, NativeUser } from './dialect.ts'
import type { RuskError } from './error.ts'

/** Why nobody is signed in: nobody was; somebody asked for it; the session has ended elsewhere or run out. */
export type Reason = 'nobody' | 'signed-out' | 'ended'

/** The same object until something changes. */
export type State<User = NativeUser> =
  /** Not asked yet, or asked and undecided: `error` says why. It is asked again by itself. */
  | { readonly status: 'unknown'; readonly error?: RuskError }
  | { readonly status: 'signed-in'; readonly user: User }
  | { readonly status: 'signed-out'; readonly reason: Reason }

export type ClientOptions<User = NativeUser> = {
  /** Where Rusk is, `prefix` included. Default: the page's own origin; in a program it must be given, and whole. */
  readonly baseUrl?: string | undefined
  /** Default: `native`. */
  readonly dialect?: Dialect<User>
  /** Natively: where access tokens travel. `cookies` (default), or `memory` for services on other hosts. */
  readonly delivery?: 'cookies' | 'memory' | undefined
  /** Origins of your services that may be shown the access token, besides Rusk's and the page's own. */
  readonly origins?: readonly string[] | undefined
}

export type Abortable = { readonly signal?: AbortSignal | undefined }

/** By the client's names, whatever the dialect calls them. */
export type SignUp = {
  readonly email: string
  readonly password: string
  readonly username?: string
  readonly name?: string
}
/** `login`: e-mail address or username, as the dialect takes it. */
export type SignIn = { readonly login: string; readonly password: string }

export type PasswordChange = { readonly current: string; readonly new: string }

/** What a call went out with; `recover` asks for it. */
export type Pass = { readonly headers: Readonly<Record<string, string>>; readonly mark: Mark }
/** Which person and which token a call went out with. */
export type Mark = { readonly era: number; readonly renewals: number }

/** Everything that talks to the server rejects with a `RuskError`, or with the signal's reason when it was aborted. */
export type Client<User = NativeUser> = {
  readonly state: State<User>
  /** What tells whoever is signed in, or was when that was last known, from anybody else; undefined: nobody. */
  readonly userId: unknown
  /**
   * Called at once with the present state, before this returns, and at every change. The first subscriber makes the client ask
   * who is signed in; while there is none it asks only for calls. Returns what ends it.
   */
  subscribe(listener: (state: State<User>) => void): () => void
  /** Asks the server. Null: nobody is signed in. */
  session(options?: Abortable): Promise<User | null>
  signUp(fields: SignUp, options?: Abortable): Promise<User>
  signIn(fields: SignIn, options?: Abortable): Promise<User>
  /** Signs in with a token of the old system. */
  exchange(fields: { readonly token: string }, options?: Abortable): Promise<User>
  /** Every session ends, and a new one opens here. Dialects that have no such call reject with `not_found`. */
  changePassword(fields: PasswordChange, options?: Abortable): Promise<User>
  /** Resolves when the server has ended the session, and not before. */
  signOut(options?: Abortable): Promise<void>
  /**
   * As the platform's, with cookies, CSRF token and access token for Rusk's, the page's and the listed origins; without
   * credentials for any other. Renews ahead of time; on a 401 renews once and repeats once what can be repeated.
   */
  readonly fetch: typeof fetch
  /** For adapters of other HTTP libraries: the headers of a call, once they are fresh. Undefined: a foreign origin. */
  prepare(url: string, method: string, signal?: AbortSignal): Promise<Pass | undefined>
  /** After a 401: whether the call is to be repeated, by the same person. */
  recover(mark: Mark, signal?: AbortSignal): Promise<boolean>
  /** Stops listening to the page and to other tabs. */
  close(): void
}
