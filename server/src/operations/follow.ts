// Who waits for the ends of sessions, and when they are told: the store is read again whenever something may have ended,
// and once more when somebody has waited long enough. What the answers hold is decided in ended.ts.
import { concernsServices } from '../core/change.ts'
import type { Store } from '../store/port.ts'
import type { News, TellNews } from './contract.ts'
import { isNews, mostTold, type Start, startOf, tellNews, viewOf } from './ended.ts'

export type Following = {
  readonly news: TellNews
  /** Something may have ended, or another process has written: whoever waits is told if it is so. */
  look(): void
  /** Whoever waits is answered, and from now on nobody waits. */
  close(): void
}

export type FollowOptions = {
  readonly store: Pick<Store, 'now' | 'endedSince'>
  /** Names of this database, the one that cursors get first. At least one. */
  readonly databases: () => readonly string[]
  /** Ids of the signing keys that are accepted now, as the store has them. Rejects with a `Fault`. */
  readonly keys: () => Promise<readonly string[]>
  /** How many may wait; whoever comes beyond is answered at once. */
  readonly most?: number
}

/** Each is a socket and a timer, and all of them share the reads. */
const usually = 1000

type Waiter = {
  readonly start: Start
  readonly timer: NodeJS.Timeout
  readonly resolve: (news: News) => void
  readonly reject: (fault: unknown) => void
}

/** The store, which has looked at when a commit is durable that may have ended sessions; also when nobody knows whether it is. */
export const telling = (store: Store, look: () => void): Store => ({
  ...store,
  async commit(changes) {
    try {
      return await store.commit(changes)
    } finally {
      if (changes.some(({ change }) => concernsServices[change])) look()
    }
  },
})

export function openFollowing({ store, databases, keys, most = usually }: FollowOptions): Following {
  const waiting = new Set<Waiter>()
  let looks = 0
  let looking = false
  let closed = false

  const read = async (since: number) => {
    const [ended, accepted] = await Promise.all([
      store.endedSince({ after: since, limit: mostTold + 1 }),
      keys(),
    ])
    const facts = { ended, keys: accepted }
    return { ...facts, view: viewOf(facts) }
  }
  type Seen = Awaited<ReturnType<typeof read>>

  const tell = (seen: Seen, start: Start): News =>
    tellNews(seen, start, { now: store.now(), database: databases()[0] ?? '' })

  /** False: it has been answered already. */
  const release = (waiter: Waiter): boolean => {
    clearTimeout(waiter.timer)
    return waiting.delete(waiter)
  }

  /** Answers these if there is news for them, or in any case. One read for all. */
  const answer = async (waiters: readonly Waiter[], inAnyCase: boolean): Promise<void> => {
    if (waiters.length === 0) return
    try {
      const seen = await read(Math.min(...waiters.map(({ start }) => start.since)))
      for (const waiter of waiters) {
        if (!inAnyCase && !isNews(seen.view, waiter.start)) continue
        if (release(waiter)) waiter.resolve(tell(seen, waiter.start))
      }
    } catch (error) {
      for (const waiter of waiters) if (release(waiter)) waiter.reject(error)
    }
  }

  /** Looks that are asked for during one are one more, after it. */
  const lookAll = async (): Promise<void> => {
    if (looking) return
    looking = true
    for (let last = -1; last !== looks; ) {
      last = looks
      await answer([...waiting], closed)
    }
    looking = false
  }

  const wait = (start: Start, span: number): Promise<News> =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => void answer([waiter], true), span)
      const waiter: Waiter = { start, timer, resolve, reject }
      waiting.add(waiter)
    })

  return {
    async news(after, span) {
      const start = startOf(after, databases(), store.now())
      for (;;) {
        const last = looks
        const seen = await read(start.since)
        const stays = span > 0 && !closed && waiting.size < most && !isNews(seen.view, start)
        if (!stays) return tell(seen, start)
        // What has been looked for since would otherwise be seen at the next look only.
        if (last === looks) return wait(start, span)
      }
    },
    look() {
      looks++
      void lookAll()
    },
    close() {
      closed = true
      looks++
      void lookAll()
    },
  }
}
