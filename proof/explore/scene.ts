// What a world is made of: which promises there are, what can happen in it and how far. Times are ticks.
import type { Ask, State } from './state.ts'

/** The moment at which every step of a world happens: what was before lies before it. */
export const now = 1000

export const promises = {
  H1: 'nobody honest is refused, and no session ends as reused without a thief',
  H2: 'after a sign-out that was answered nothing of it is accepted, and the browser is signed out',
  H3: 'after a sign-in that was answered the browser is in that session, now and after any sleep',
  H4: 'the moment a sign-in is answered the browser is in that session, however late other answers are',
  T1: 'of owner and thief the one who has fallen behind is never answered again; presented as a refresh cookie, what he holds ends the session for both',
  T2: 'a number that another one has replaced never changes the row again',
  G1: 'once the grace is over every refresh that is answered changes the row',
  L1: 'after a failed guard the second round changes nothing',
  X1: 'a session that has ended is never answered again',
} as const
export type PromiseName = keyof typeof promises

/** One world: what can happen in it and how far. Times are ticks. */
export type Scene = {
  readonly name: string
  /** Calls and answers of the browser under way at once, at most. */
  readonly atOnce: number
  readonly grace: number
  /** The longest leg of a call; null: as long as it likes, but for the time a server takes from its clock to its commit. */
  readonly leg: number | null
  /** How far one server's clock may run ahead of another's. */
  readonly skew: number
  readonly does: readonly Ask[]
  /** Whether there are access cookies, which expire and whose key may be withdrawn at any moment. */
  readonly access: boolean
  /** Whether answers get lost, be it by the network or by a crash after the commit. */
  readonly losses: boolean
  /** Whether sessions end elsewhere: idle, absolute end, revoked, user disabled, password changed on another device. */
  readonly ends: boolean
  /** Cookies made since the copy after which it is worth nothing; 3 where legs have a bound, else `atOnce` + 2. */
  readonly enough?: number
  /** How often a thief copies the jar; he presents what he holds in any cookie. */
  readonly thief: 'never' | 'once' | 'often'
  /** How often the store may go back to a copy, and how many numbers a copy may be behind. */
  readonly restores: number
  readonly behind: number
  readonly promises: readonly PromiseName[]
}

export type Broken = { readonly promise: PromiseName; readonly how: string }

/** What happened, for a story; words and numbers. */
export type Telling = readonly (string | number)[]

export type Emit = (next: State, telling: Telling, broken?: Broken) => void
