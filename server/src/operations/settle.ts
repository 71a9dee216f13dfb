// load → decide → commit, again while guards fail. A guard that touches no row means that the world has moved on since
// load. This loop is all the concurrency control there is.
import type { Change } from '../core/change.ts'
import { Fault } from '../core/fault.ts'
import type { User } from '../core/model.ts'
import type { Committed } from '../store/port.ts'
import type { Decision, Engine } from './engine.ts'

/** After a failed guard the next round meets a settled row; more rounds than these mean that something is wrong. */
const rounds = 4

export type Settled<D> = {
  readonly decision: Decision<D>
  /** The moment of the decision that was committed. */
  readonly now: number
  /** What the store numbered the users that were created. */
  readonly numbers: ReadonlyMap<string, number>
}

/** Resolves when the decision's changes are durable. Rejects with a `Fault` that asks to try again when it is overtaken too often. */
export async function settle<D>(
  engine: Engine,
  load: () => Promise<(now: number) => Decision<D>>,
): Promise<Settled<D>> {
  const failed: string[] = []
  while (failed.length < rounds) {
    const decide = await load()
    const now = engine.store.now()
    const decision = decide(now)
    if (decision.changes.length === 0) return { decision, now, numbers: new Map() }
    const committed = await commit(engine, decision.changes)
    if (committed.committed) {
      for (const change of decision.changes) if (change.change === 'record') engine.onEvent(change.event)
      return { decision, now, numbers: committed.numbers }
    }
    failed.push(committed.guard)
  }
  throw new Fault(`overtaken ${rounds} times (guards: ${failed.join(', ')})`, { retryAfter: 1 })
}

/** Whatever becomes of a commit, what it touches is read again: a store that broke off may have committed. */
async function commit({ store, memory }: Engine, changes: readonly Change[]): Promise<Committed> {
  try {
    return await store.commit(changes)
  } finally {
    memory.forget(changes)
  }
}

/** The store gives a new user its number; nobody has seen the user before. */
export const numbered = <T extends { readonly user: User }>(
  holder: T,
  numbers: ReadonlyMap<string, number>,
): T => {
  const number = numbers.get(holder.user.id)
  return number === undefined ? holder : { ...holder, user: { ...holder.user, number } }
}
