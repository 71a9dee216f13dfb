// What services are told of sessions that have ended: since when, which of them, and whether that is news to whoever
// asks. Pure; the store is read, and waited for, by follow.ts.
import { createHash } from 'node:crypto'
import type { Ended } from '../core/model.ts'
import { longestAccess } from '../core/policy.ts'
import type { News } from './contract.ts'

/** What the store says, and the keys with it. */
export type Facts = {
  /** The newest end first, at most one more than is told; everything later than the earliest start that is asked about. */
  readonly ended: readonly Ended[]
  /** Ids of the signing keys that are accepted now. */
  readonly keys: readonly string[]
}

/** Where an answer begins. `digest`: what whoever asks has seen from there on; undefined: nothing. */
export type Start = { readonly since: number; readonly digest: string | undefined }

/** From where, and at what, a digest is looked at; worked out once for all who begin at the same moment. */
export type View = (since: number) => { readonly ended: readonly Ended[]; readonly digest: string }

/**
 * Milliseconds that every answer begins before the one before it was made: ends become visible in another order than they
 * happened, each by as much as its commit took, and two machines' clocks differ.
 */
const overlap = 60_000

/** Beyond this a cursor is from a clock that has been set back since. */
const ahead = overlap / 2

/** Starts are rounded down to this, so that many who ask share one. */
const step = 10_000

/** Ids in one answer. */
export const mostTold = 10_000

/** Tokens may be made for this long after the moment of an end: until its commit, whose statements are given up by then. */
const slowestCommit = 10_000

const grammar = /^([\w-]{1,64})\.(\d{1,16})\.([\w-]{22})$/

const roundDown = (moment: number): number => Math.max(0, Math.floor(moment / step) * step)

const earliest = (now: number): number => roundDown(now - longestAccess - overlap)

/**
 * `databases`: names of this one. A text that is no cursor, is of another database, too old or from the future, is as good as
 * none: then the answer begins as far back as an access token can live.
 */
export function startOf(after: string | undefined, databases: readonly string[], now: number): Start {
  const [, database = '', since = '', digest] = grammar.exec(after ?? '') ?? []
  const from = Number(since)
  const ours = databases.includes(database) && from >= earliest(now) && from <= now - overlap + ahead
  return ours ? { since: from, digest } : { since: earliest(now), digest: undefined }
}

/** 132 bits of SHA-256, base64url. */
const digestOf = (keys: readonly string[], ended: readonly Ended[]): string =>
  createHash('sha256')
    .update(`${[...keys].sort().join()};${ended.map(({ id }) => id).join()}`)
    .digest('base64url')
    .slice(0, 22)

export function viewOf({ ended, keys }: Facts): View {
  const seen = new Map<number, ReturnType<View>>()
  return since => {
    const known = seen.get(since)
    if (known) return known
    const later = ended.filter(({ endedAt }) => endedAt > since)
    const made = { ended: later, digest: digestOf(keys, later) }
    seen.set(since, made)
    return made
  }
}

/** Whether something has ended, or the keys have changed, since that start was given. */
export const isNews = (view: View, { since, digest }: Start): boolean => view(since).digest !== digest

/**
 * In place of the ids that there is no room for: tokens from before here are refused, whoever's they are. Never later than
 * now, so that whoever renews is let in again at once. Seconds.
 */
const notBefore = (omitted: Ended | undefined, now: number): number =>
  omitted
    ? Math.floor(Math.min(omitted.endedAt + slowestCommit, Math.max(omitted.endedAt, now)) / 1000) + 1
    : 0

/** The answer to whoever began there. The cursor in it is where the next one begins. */
export function tellNews(
  facts: Facts & { readonly view: View },
  start: Start,
  at: { readonly now: number; readonly database: string },
): News {
  const { view, keys } = facts
  const { ended } = isNews(view, start) ? view(start.since) : { ended: [] }
  const next = Math.max(start.since, roundDown(at.now - overlap))
  return {
    cursor: `${at.database}.${next}.${view(next).digest}`,
    ended: ended.slice(0, mostTold).map(({ id }) => id),
    notBefore: notBefore(ended[mostTold], at.now),
    keys,
    remember: longestAccess / 1000,
  }
}
