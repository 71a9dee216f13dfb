// Streams and sockets that last no longer than their sessions: who is to be told when one is over, and is told once. Knows
// neither when that is nor what is done then.
import { callBack } from './callback.ts'
import type { AccessClaims } from './token.ts'
import type { Reason } from './verdict.ts'

/** What decides whether a token is still good: whose session it is of, when it was made, and by which key. */
export type Held = Pick<AccessClaims, 'sid' | 'iat' | 'exp'> & {
  /** Undefined: a shared key, or nobody knows which. */
  readonly kid?: string | undefined
}

/** What a call with the token would be told now. */
export type Why = Extract<Reason, 'access_revoked' | 'access_expired' | 'unavailable'>

export type Listeners = {
  /** Returns the stop. */
  add(held: Held, tell: (why: Why) => void): () => void
  /** Tells each for whom there is a reason, after the present turn, and never again. */
  tellWhere(over: (held: Held) => Why | undefined): void
  isEmpty(): boolean
}

export function openListeners(): Listeners {
  const all = new Set<{ readonly held: Held; readonly tell: (why: Why) => void }>()
  return {
    add(held, tell) {
      const mine = { held, tell }
      all.add(mine)
      return () => void all.delete(mine)
    },
    tellWhere(over) {
      for (const each of [...all]) {
        const why = over(each.held)
        if (!why) continue
        // Whoever stops before it comes to that is not told.
        queueMicrotask(() => {
          if (all.delete(each)) callBack('what was given to whenEnded', () => each.tell(why))
        })
      }
    },
    isEmpty: () => all.size === 0,
  }
}
