// What the rest of the house may ask of a store. Two drivers keep it honest (sqlite.ts, postgres.ts); the same contract
// suite and the same race tests run over both.
import type { Change } from '../core/change.ts'
import type { Ended, Event, Holder, KeyRow, Letter, Session, User } from '../core/model.ts'
import type { Rate } from '../core/policy.ts'

/** How a user is looked up; keys are canonical (core/admission.ts). */
export type UserKey =
  | { readonly id: string }
  | { readonly number: number }
  | { readonly emailKey: string }
  | { readonly usernameKey: string }

export type Account = { readonly user: User; readonly password: string | null }

export type Committed =
  /** Durable. `numbers`: the number each created user got, by user id. */
  | { readonly committed: true; readonly numbers: ReadonlyMap<string, number> }
  /** Nothing was written: this change's guard touched no row. */
  | { readonly committed: false; readonly guard: Change['change'] }

/** Every method rejects with a `Fault` when the store cannot be reached or does not answer in time. */
export interface Store {
  /** The store's clock: all servers on one store agree on it to within the round trip to it. */
  now(): number
  account(key: UserKey): Promise<Account | undefined>
  holder(sessionId: string): Promise<Holder | undefined>
  /** Live ones only, the most recently used first. */
  sessionsOf(userId: string, page: { now: number; limit: number }): Promise<readonly Session[]>
  /** Those that a token of the old system has opened, by its digest; in that order. */
  sessionsOpenedBy(digest: string, page: { limit: number }): Promise<readonly Session[]>
  /** The password record of the first user whose id is not before `from`, in the order of ids, around the end: somebody's. */
  anyRecord(from: string): Promise<string | undefined>
  /** By number, ascending, those after `after`. */
  users(page: { after: number; limit: number }): Promise<readonly User[]>
  /** Live ones of everybody with whose they are, the most recently opened first. */
  sessions(page: { now: number; limit: number }): Promise<readonly Holder[]>
  /** How many live ones of everybody were opened before then. */
  sessionsOpenedBefore(when: { now: number; openedBefore: number }): Promise<number>
  /** Those that have ended later than `after`, the newest end first; of one moment in the order of ids, backwards. */
  endedSince(page: { after: number; limit: number }): Promise<readonly Ended[]>
  /** The newest first. */
  events(page: { limit: number }): Promise<readonly Event[]>
  /** Those that wait in the outbox, the newest first. */
  letters(page: { limit: number }): Promise<readonly Letter[]>
  keys(): Promise<readonly KeyRow[]>
  /** All of it or nothing; resolves only when it is durable. Concurrent calls may share one transaction, never a fate. */
  commit(changes: readonly Change[]): Promise<Committed>
  /** Calls `changed` within a second after another process has committed something, perhaps more often. Returns the stop. */
  watch(changed: () => void): () => void
  /** Resolves if the store answers and its schema is the one this code knows. */
  ready(): Promise<void>
  /** Names of migrations not yet applied, in order. */
  pending(): Promise<readonly string[]>
  /** Applies them; returns their names. */
  migrate(): Promise<readonly string[]>
  close(): Promise<void>
}

export type Throttled = { readonly retryAfter: number } | undefined

/** Counts attempts; counting and judging are one atomic step. */
export interface Throttle {
  /** Counts one attempt under `key`. Undefined: go on. `retryAfter` is in seconds, at least 1. */
  take(name: string, key: string, rate: Rate): Promise<Throttled>
  forget(name: string, key: string): Promise<void>
}
