// How much hashing runs at once, how much may wait, and who is next. Knows nothing of passwords.

/** Too much is waiting already. */
export class HashQueueFull extends Error {
  override name = 'HashQueueFull'
  /** Seconds, at least 1: how long what waits now will take. */
  readonly retryAfter: number

  constructor(retryAfter: number) {
    super(`Too many passwords wait to be hashed; try again in ${retryAfter} s`)
    this.retryAfter = retryAfter
  }
}

export type HashQueueOptions = {
  /** Jobs that run at once. */
  readonly concurrency: number
  /** Jobs that may wait. Those of one kind, `write`, take half of the places at most. */
  readonly places: number
}

/** `check`: somebody signs in. `write`: a new record. They take turns, so that neither flood starves the other. */
export type HashJob = 'check' | 'write'

/** Runs jobs in their turn; rejects with `HashQueueFull` when there is no place, and as the job does. */
export type HashQueue = <T>(kind: HashJob, job: () => Promise<T>) => Promise<T>

export function createHashQueue({ concurrency, places }: HashQueueOptions): HashQueue {
  const waiting: Readonly<Record<HashJob, (() => void)[]>> = { check: [], write: [] }
  let running = 0
  let last: HashJob = 'write'
  // Before anything was measured: about what one hash takes. Milliseconds.
  let usual = 50

  const waitingNow = () => waiting.check.length + waiting.write.length
  const hasPlace = (kind: HashJob) =>
    waitingNow() < places && (kind === 'check' || waiting.write.length < Math.floor(places / 2))

  const next = () => {
    const first: HashJob = last === 'write' ? 'check' : 'write'
    last = waiting[first].length > 0 ? first : last
    const start = waiting[last].shift()
    if (start) start()
    else running--
  }
  const turn = (kind: HashJob): Promise<void> => {
    if (running < concurrency) {
      running++
      last = kind
      return Promise.resolve()
    }
    if (hasPlace(kind)) return new Promise(resolve => waiting[kind].push(resolve))
    const milliseconds = (usual * (waitingNow() + running)) / concurrency
    return Promise.reject(new HashQueueFull(Math.max(1, Math.ceil(milliseconds / 1000))))
  }

  return async (kind, job) => {
    await turn(kind)
    const startedAt = performance.now()
    try {
      return await job()
    } finally {
      usual += (performance.now() - startedAt - usual) / 8
      next()
    }
  }
}
