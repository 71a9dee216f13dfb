// Which sessions have ended, followed from Rusk: one long poll after another, so that an end is known here within moments
// and never later than the stated bound without it being known that nothing is known. Reads no token.
import { randomUUID } from 'node:crypto'
import { type Ask, asUnreachable, Unreachable } from './ask.ts'
import type { Held, Listeners } from './listeners.ts'
import { clockSkew, isTime, longestAccess } from './token.ts'

export type Ended = {
  /** Whether the token's session is known to have ended, or the token to be too old to tell. */
  has(held: Pick<Held, 'sid' | 'iat'>): boolean
  /** Whether what is known is no older than the bound. */
  isHeard(): boolean
  /** The same, after waiting a moment for Rusk: always where the bound is strict, else only for the first answer there is. */
  hear(): Promise<boolean>
  /** Resolves with the first answer. Rejects with `Unreachable` when asking fails instead. */
  ready(): Promise<void>
  /** Begins to ask, where nobody has asked yet. */
  follow(): void
  close(): void
}

export type Clock = {
  /** Epoch milliseconds; may be set forwards and back. */
  readonly now: () => number
  /** Milliseconds since some moment; only ever goes forwards. */
  readonly passed: () => number
}

export type EndedOptions = {
  readonly ask: Ask
  readonly clock: Clock
  /** Milliseconds: the bound. */
  readonly within: number
  readonly listeners: Listeners
  /** Whoever listens is told too when Rusk has not been heard for longer than the bound. */
  readonly strict: boolean
  /** Signing keys that are accepted now, and what Rusk says of itself. Throws `Unreachable` where that is not who is meant. */
  readonly onNews: (news: Pick<News, 'keys' | 'issuer' | 'audience' | 'now'>) => void
  readonly onTrouble: (error: Unreachable) => void
  /** It works again, or for the first time. */
  readonly onHeard: () => void
}

export type News = {
  readonly cursor: string
  readonly ended: readonly string[]
  readonly notBefore: number
  readonly keys: readonly string[]
  readonly remember: number
  readonly issuer: unknown
  readonly audience: unknown
  readonly now: unknown
}

const isTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every(each => typeof each === 'string')

/** A moment as tokens write it. */
const seconds = (milliseconds: number): number => Math.floor(milliseconds / 1000)

function readNews(document: Readonly<Record<string, unknown>>): News {
  const { cursor, ended, not_before: notBefore, keys, remember, issuer, audience, now } = document
  if (typeof cursor === 'string' && isTexts(ended) && isTime(notBefore) && isTexts(keys) && isTime(remember))
    return { cursor, ended, notBefore, keys, remember: remember * 1000, issuer, audience, now }
  throw new Unreachable('What Rusk tells of ended sessions is in a form that this version does not know')
}

/** Beyond so many the oldest go, and with them every token that is as old. */
const most = 100_000

/** Two answers that come at once do not come faster than this, in milliseconds. */
const pace = 250

const longestBackOff = 2000

/** Whoever calls while Rusk has not been heard waits for it this long, in milliseconds: at start, after a break. */
const patience = 2000

/** Nobody may be waiting for it when it fails. */
function openAnswer(): PromiseWithResolvers<void> {
  const answer = Promise.withResolvers<void>()
  answer.promise.catch(() => undefined)
  return answer
}

export function openEnded(options: EndedOptions): Ended {
  const { ask, within, strict, listeners } = options
  const { now, passed } = options.clock
  const waitSeconds = Math.min(20, Math.floor(within / 3000))
  /** Milliseconds. One wait and this stay below the bound: a connection that dies in silence is given up in time to ask anew. */
  const longestWait = within / 2
  const closing = new AbortController()
  /** By session, when it was learned of (by what has passed); in that order. */
  const ended = new Map<string, number>()
  let notBefore = 0
  /** Something has come of asking, if only a failure. */
  let tried = false
  let remember = longestAccess
  let cursor: string | undefined
  /** When the last question that was answered was put, by both clocks: what came in answer is at least as new. */
  let heardAt = { passed: Number.NEGATIVE_INFINITY, now: Number.NEGATIVE_INFINITY }
  /** The answer that is waited for, or why it did not come. */
  let next = openAnswer()

  const has: Ended['has'] = ({ sid, iat }) => iat < notBefore || ended.has(sid)
  /** One clock may be set back; the other stands still while the machine sleeps. */
  const silence = (): number => Math.max(passed() - heardAt.passed, now() - heardAt.now)
  const isHeard = (): boolean => silence() <= within

  const forgetOld = () => {
    for (const [sid, learnedAt] of ended) {
      const age = passed() - learnedAt
      if (age < remember && ended.size <= most) break
      // What is forgotten too early is covered by refusing whatever is as old; whoever is refused renews once.
      if (age < remember)
        notBefore = Math.max(notBefore, Math.min(seconds(now()), seconds(now() - age + clockSkew) + 1))
      ended.delete(sid)
    }
  }

  const take = (news: News) => {
    options.onNews(news)
    const blindFor = silence()
    cursor = news.cursor
    remember = news.remember
    notBefore = Math.max(notBefore, news.notBefore)
    for (const sid of news.ended) {
      if (!ended.has(sid)) ended.set(sid, passed())
    }
    forgetOld()
    const missed = Number.isFinite(blindFor) && blindFor > remember
    // Beyond what is remembered nothing is known of a session: a stream that old is opened again with a new token.
    listeners.tellWhere(held => {
      if (has(held)) return 'access_revoked'
      if (missed) return 'unavailable'
      return held.iat * 1000 + remember <= now() ? 'access_expired' : undefined
    })
  }

  /** `mayWait`: an answer that holds no news may be held back. */
  const poll = async (mayWait: boolean): Promise<void> => {
    const asked = { passed: passed(), now: now() }
    const after = cursor === undefined ? '' : `&after=${encodeURIComponent(cursor)}`
    // Never asked before: what a cache on the way has kept is no answer to it.
    const path = `/auth/revocations?wait=${mayWait ? waitSeconds : 0}${after}&once=${randomUUID()}`
    take(readNews(await ask(path, mayWait ? longestWait : undefined)))
    heardAt = asked
    const told = next
    next = openAnswer()
    tried = true
    told.resolve()
    options.onHeard()
  }

  const follow = async (): Promise<void> => {
    for (let failures = 0; !closing.signal.aborted; ) {
      const started = passed()
      try {
        await poll(failures === 0 && isHeard())
        failures = 0
        await rest(Math.max(0, Math.min(pace, within / 4) - (passed() - started)))
      } catch (error) {
        if (closing.signal.aborted) return
        const trouble = asUnreachable(error)
        const told = next
        next = openAnswer()
        tried = true
        told.reject(trouble)
        options.onTrouble(trouble)
        failures++
        await rest(Math.min(longestBackOff, within / 4, 100 * 2 ** failures) * (0.5 + Math.random() / 2))
      }
    }
  }

  const rest = (milliseconds: number): Promise<void> =>
    new Promise(resolve => {
      const done = () => {
        clearTimeout(timer)
        closing.signal.removeEventListener('abort', done)
        resolve()
      }
      const timer = setTimeout(done, milliseconds)
      closing.signal.addEventListener('abort', done)
    })

  /** Streams end even when no answer comes that would tell of it. */
  const watch = setInterval(
    () => {
      if (strict && !listeners.isEmpty() && !isHeard()) listeners.tellWhere(() => 'unavailable')
    },
    Math.min(1000, within / 4),
  ).unref()

  let started = false
  const start = () => {
    if (!started) void follow()
    started = true
  }

  return {
    has,
    isHeard,
    async hear() {
      start()
      if (isHeard() || (tried && !strict)) return isHeard()
      const timer = Promise.withResolvers<void>()
      const late = setTimeout(timer.resolve, patience)
      // A question that fails is answered too: by nobody.
      await Promise.race([next.promise.catch(() => undefined), timer.promise])
      clearTimeout(late)
      return isHeard()
    },
    async ready() {
      start()
      if (!isHeard()) await next.promise
    },
    follow: start,
    close() {
      closing.abort()
      next.reject(new Unreachable('The verifier has been closed'))
      clearInterval(watch)
    },
  }
}
