// Everything a decision can ask the store to do, as data: a closed union. The changes of one decision commit together
// or not at all. Those marked "guard" touch no row when the world has moved on since load; the whole commit is then
// undone, and the operation loads and decides again.
import type { EndReason, Event, Exchange, KeyRow, Letter, Line, NewUser, Session } from './model.ts'

export type Change =
  /** Guard: e-mail and username are free. `password` is a record, never a password. */
  | { readonly change: 'createUser'; readonly user: NewUser; readonly password: string | null }
  /** Guard: the user is active and of that epoch. Written by every sign-in, so that disabling and signing in meet on one row. */
  | { readonly change: 'recordSignIn'; readonly userId: string; readonly epoch: number; readonly at: number }
  /** Guard: the record is still `was`. */
  | {
      readonly change: 'replacePasswordRecord'
      readonly userId: string
      readonly was: string
      readonly record: string
    }
  /** Guard: the user is active and of that epoch, and the record is still `was`. Moves the epoch; ends no session by itself. */
  | {
      readonly change: 'changePassword'
      readonly userId: string
      readonly epoch: number
      readonly was: string
      readonly record: string
    }
  /** Ends no session by itself. Moves the epoch. */
  | { readonly change: 'setActive'; readonly userId: string; readonly active: boolean }
  | { readonly change: 'openSession'; readonly session: Session }
  /** Guard: the session has not ended and its line is still `was`. */
  | {
      readonly change: 'moveSession'
      readonly sessionId: string
      readonly was: Line
      readonly line: Line
      readonly idleEndsAt: number
      readonly lastUsedAt: number
      readonly userAgent: string
      readonly address: string
    }
  /** Guard: the session has not ended, so that its end is told once; and if `was` is given, its line is still that. */
  | {
      readonly change: 'endSession'
      readonly sessionId: string
      readonly because: EndReason
      readonly at: number
      readonly was?: Line
    }
  /**
   * Guard: the session has not ended, and if `was` is given, its line is still that. Changes nothing: what is asked in a
   * session is not done once that has ended. Goes before all else, and by its user's row, so that what one session does to
   * the others comes one after another.
   */
  | {
      readonly change: 'requireLive'
      readonly userId: string
      readonly sessionId: string
      readonly was?: Line
    }
  /** Guard: this token has opened no session of that number. Also forgets a few of those that are over. */
  | { readonly change: 'addExchange'; readonly exchange: Exchange }
  /** Every live session of the user, but one; also those that are being opened at this moment. */
  | {
      readonly change: 'endSessionsOf'
      readonly userId: string
      readonly except: string | null
      readonly because: EndReason
      readonly at: number
    }
  /** Every live session of everybody that was opened before then: after a restore, what the copy may have brought back. */
  | {
      readonly change: 'endSessionsOpenedBefore'
      readonly openedBefore: number
      readonly because: EndReason
      readonly at: number
    }
  /** Into the outbox. */
  | { readonly change: 'queueLetter'; readonly letter: Letter }
  /** Guard: no key of this use is newer than `after` (null: there is none). */
  | { readonly change: 'addKey'; readonly key: KeyRow; readonly after: string | null }
  /** Guard: each still ends when it did, so that nobody undoes an end that has come in between. */
  | {
      readonly change: 'retireKeys'
      readonly keys: readonly { readonly id: string; readonly was: number | null }[]
      readonly retiresAt: number
    }
  /** Guard: each is there and had ended by then. */
  | { readonly change: 'eraseKeys'; readonly ids: readonly string[]; readonly retiredBy: number }
  /** Guard: the key is sealed as it was. Goes before `addKey`, so that what is sealed anew meanwhile and what is added meet on one row. */
  | { readonly change: 'requireSealed'; readonly id: string; readonly sealed: string }
  /** Guard: each is sealed as it was. */
  | {
      readonly change: 'resealKeys'
      readonly keys: readonly { readonly id: string; readonly was: string; readonly sealed: string }[]
    }
  | { readonly change: 'record'; readonly event: Event }

export type ChangeName = Change['change']

/** Whether services that check tokens by themselves must hear of it, because sessions or keys end: of each kind it must be said. */
export const concernsServices: Readonly<Record<ChangeName, boolean>> = {
  createUser: false,
  recordSignIn: false,
  replacePasswordRecord: false,
  changePassword: false,
  setActive: false,
  openSession: false,
  moveSession: false,
  endSession: true,
  requireLive: false,
  addExchange: false,
  endSessionsOf: true,
  endSessionsOpenedBefore: true,
  queueLetter: false,
  addKey: true,
  retireKeys: true,
  eraseKeys: false,
  requireSealed: false,
  resealKeys: false,
  record: false,
}
export type ChangeOf<N extends ChangeName> = Extract<Change, { change: N }>
