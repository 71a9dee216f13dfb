// Counts attempts in memory, in fixed windows. Decides what happens when it cannot count as asked: it gets stricter,
// never looser. Knows no operation and no address.
import { createHmac, randomBytes } from 'node:crypto'
import { RateLimiterMemory } from 'rate-limiter-flexible'
import { Fault } from '../core/fault.ts'
import type { Rate } from '../core/policy.ts'
import type { Throttle, Throttled } from './port.ts'

export type ThrottleOptions = {
  /** Keys counted by themselves, per name and window; about 500 bytes each. Default 50 000. */
  readonly most?: number
}

/** Counters that further keys share. Far fewer than keys, so that spreading over many keys gains nothing. */
const shared = 1024

/** Timers hold 31 bits: a longer window would end at once. */
const longest = 2 ** 31 - 1

type Window = {
  readonly limiter: RateLimiterMemory
  /** When each key's window ends. Windows of one limiter are equally long, so the first in is the first to end. */
  readonly ends: Map<string, number>
}

/** A throttle for this process. Rejects with a `Fault` when it cannot count, so that a call is never let through uncounted. */
export function createThrottle({ most = 50_000 }: ThrottleOptions = {}): Throttle {
  /** By name, then by length of window. */
  const names = new Map<string, Map<number, Window>>()
  // Nobody outside knows which keys share a counter.
  const secret = randomBytes(32)

  function windowOf(name: string, per: number): Window {
    const windows = names.get(name) ?? new Map<number, Window>()
    names.set(name, windows)
    const found = windows.get(per)
    if (found) return found
    // The limiter only counts; `take` compares, because two rates may count in one window.
    const limiter = new RateLimiterMemory({
      keyPrefix: '',
      points: Number.MAX_SAFE_INTEGER,
      duration: per / 1000,
    })
    const made = { limiter, ends: new Map<string, number>() }
    windows.set(per, made)
    return made
  }

  const sharedKey = (key: string): string =>
    `shared ${createHmac('sha256', secret).update(key).digest().readUInt32BE() % shared}`

  function counterOf({ ends }: Window, key: string, per: number): string {
    const now = Date.now()
    for (const [oldest, end] of ends) {
      if (end > now) break
      ends.delete(oldest)
    }
    if (ends.has(key)) return `own ${key}`
    if (ends.size >= most) return sharedKey(key)
    ends.set(key, now + per)
    return `own ${key}`
  }

  return {
    async take(name, key, rate) {
      const per = spanOf(rate)
      const window = windowOf(name, per)
      const counted = await counting(window.limiter.consume(counterOf(window, key, per)))
      return counted.consumedPoints <= rate.points ? undefined : throttled(counted.msBeforeNext)
    },
    async forget(name, key) {
      for (const { limiter, ends } of names.get(name)?.values() ?? []) {
        ends.delete(key)
        await counting(limiter.delete(`own ${key}`))
      }
    },
  }
}

/** Seconds, at least 1. */
const throttled = (milliseconds: number): Throttled => ({
  retryAfter: Math.max(1, Math.ceil(milliseconds / 1000)),
})

/** A rate that is no rate would count nothing, or for ever. */
function spanOf({ points, per }: Rate): number {
  if (points >= 0 && per >= 1 && per <= longest) return per
  throw new Fault(`${points} attempts in ${per} ms is not a rate that can be counted`)
}

async function counting<T>(count: Promise<T>): Promise<T> {
  try {
    return await count
  } catch (error) {
    throw new Fault('An attempt could not be counted', { cause: error, retryAfter: 1 })
  }
}
