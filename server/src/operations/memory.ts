// What is remembered between calls so that "who am I" costs no signature check and no read: verified tokens and the
// state of their sessions. A commit that ends or changes a session takes it out before its own answer leaves; what other
// processes commit arrives by the store's `watch`. Decides nothing: `mayAct` is asked at every recall.
import type { AccessClaims } from '@rusk/verify/floor'
import type { Change } from '../core/change.ts'
import type { Holder } from '../core/model.ts'

/** About 30 MB when full; the oldest go first. */
const most = 50_000

export type Memory = {
  claims(text: string): AccessClaims | undefined
  keepClaims(text: string, claims: AccessClaims): void
  holder(sessionId: string): Holder | undefined
  /** Reads through: what `read` finds is kept unless the session was forgotten while it was being read. */
  load(sessionId: string, read: () => Promise<Holder | undefined>): Promise<Holder | undefined>
  /** What these changes touch is read again. */
  forget(changes: readonly Change[]): void
  /** Somebody else has written: all sessions are read again. */
  forgetSessions(): void
  /** Keys have changed: all tokens are checked again too. */
  forgetAll(): void
}

export function createMemory(): Memory {
  const tokens = new Map<string, AccessClaims>()
  const holders = new Map<string, Holder>()
  const sessionsOf = new Map<string, Set<string>>()
  // Reads under way: a read that began before a change must not put the old state back.
  let reading = new Map<string, symbol>()

  const drop = (sessionId: string) => {
    reading.delete(sessionId)
    const userId = holders.get(sessionId)?.user.id
    holders.delete(sessionId)
    if (userId === undefined) return
    const ids = sessionsOf.get(userId)
    ids?.delete(sessionId)
    if (ids?.size === 0) sessionsOf.delete(userId)
  }
  const dropUser = (userId: string) => {
    reading = new Map()
    for (const id of [...(sessionsOf.get(userId) ?? [])]) drop(id)
  }
  const oldest = (map: ReadonlyMap<string, unknown>): string => map.keys().next().value ?? ''
  const keep = (holder: Holder) => {
    const { id, userId } = holder.session
    if (holders.size >= most) drop(oldest(holders))
    holders.set(id, holder)
    const ids = sessionsOf.get(userId)
    if (ids) ids.add(id)
    else sessionsOf.set(userId, new Set([id]))
  }

  const memory: Memory = {
    claims: text => tokens.get(text),
    keepClaims(text, claims) {
      if (tokens.size >= most) tokens.delete(oldest(tokens))
      tokens.set(text, claims)
    },
    holder: sessionId => holders.get(sessionId),
    async load(sessionId, read) {
      const mine = Symbol(sessionId)
      reading.set(sessionId, mine)
      try {
        const holder = await read()
        if (holder && reading.get(sessionId) === mine) keep(holder)
        return holder
      } finally {
        if (reading.get(sessionId) === mine) reading.delete(sessionId)
      }
    },
    forget(changes) {
      for (const change of changes) {
        if (change.change === 'moveSession' || change.change === 'endSession') drop(change.sessionId)
        else if (change.change === 'endSessionsOpenedBefore') memory.forgetSessions()
        else if ('userId' in change) dropUser(change.userId)
      }
    },
    forgetSessions() {
      reading = new Map()
      holders.clear()
      sessionsOf.clear()
    },
    forgetAll() {
      memory.forgetSessions()
      tokens.clear()
    },
  }
  return memory
}
