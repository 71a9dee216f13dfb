// The assembly: who makes a call, told offline from its access token, the keys that Rusk has published and the sessions it
// has told have ended. A verdict is a value; nothing here throws because of what a call carries.
import { openAsk, Unreachable } from './ask.ts'
import { type Call, headerOf } from './call.ts'
import { callBack } from './callback.ts'
import { readBearer, readCookies } from './carried.ts'
import { type Clock, type Ended, type EndedOptions, openEnded } from './ended.ts'
import { isDoublySubmitted, isHandshake, isSafe, mayChange } from './guard.ts'
import { freshFor, type KeySet, openKeySet } from './key-set.ts'
import { type Held, openListeners, type Why } from './listeners.ts'
import { type Options, readOptions, type Settings } from './options.ts'
import { type AccessClaims, clockSkew, longestAccess, readAccessToken } from './token.ts'
import { type Reason, reject, type Verdict } from './verdict.ts'

export type Verifier = {
  /** Whether this text is a good access token of a session that is not known to have ended. What is no text is no token. */
  verify(token: string): Promise<Verdict>
  /**
   * Who makes this call: by bearer token or access cookie, under the CSRF rule when it may change something. A WebSocket's
   * handshake counts as such a call: what comes over it may.
   */
  check(call: Call): Promise<Verdict>
  /**
   * Calls `ended` once with what a call would be told from then on: `access_revoked` when the session has ended; `unavailable`
   * when nothing can be known of it (Rusk has not been heard, and `whenUnreachable` is `refuse`); `access_expired` a day after
   * the token was made, without `serviceKey` when it expires: whoever opens the stream again with a new one goes on. Never
   * before it has returned the stop, which streams and sockets call when they close by themselves. What `ended` throws is said
   * on stderr, and others are told all the same. Throws `TypeError` where `ended` is no function.
   */
  whenEnded(claims: AccessClaims, ended: (why: Why) => void): () => void
  /**
   * Resolves when keys and ended sessions have been had once. Rejects with `Unreachable`, which says what to do; the verifier goes
   * on asking all the same.
   */
  ready(): Promise<void>
  /**
   * Ends all asking; the process may end. Whoever waits for a session's end is told `unavailable`, and nothing is verified
   * afterwards.
   */
  close(): void
}

/** Tokens that are remembered; the oldest go first. */
const most = 50_000

/** A browser may hold a few cookies of one name (paths, a sibling's). Whoever sends more is let in by none: one might be somebody else's. */
const mostCookies = 8

/** Milliseconds. A copy of claims does not say by which key they are good: right after one has gone none is believed. */
const justNow = 10_000

/** As deep as it goes: what is remembered is handed out to everybody. */
function freeze<T extends object>(value: T): T {
  for (const member of Object.values(value)) if (typeof member === 'object' && member !== null) freeze(member)
  return Object.freeze(value)
}

const wallClock: Clock = { now: () => Date.now(), passed: () => performance.now() }

/** Each told once, until it is over; and once, that none is left. */
function openTroubles({ onTrouble, onRecovery }: Settings, closing: AbortSignal) {
  const present = new Map<string, string>()
  const tell = (name: string, run: () => void) =>
    queueMicrotask(() => {
      if (!closing.aborted) callBack(name, run)
    })
  return (what: string) => ({
    /** `about`: what it is called, where the sentence may change from time to time. */
    tell(error: Unreachable, about = error.message) {
      if (present.get(what) === about) return
      present.set(what, about)
      tell('onTrouble', () => onTrouble(error))
    },
    over() {
      if (present.delete(what) && present.size === 0) tell('onRecovery', onRecovery)
    },
  })
}

/** Asking again does not help: one of the two has to be told something else. */
class Contradiction extends Unreachable {}

/** Why no token of this Rusk would ever be good here, as a sentence; undefined: nothing speaks against it. */
function contradiction(
  { issuer, audience, shared }: Settings,
  told: Parameters<EndedOptions['onNews']>[0],
): string | undefined {
  if (typeof told.issuer === 'string' && told.issuer !== issuer)
    return `Rusk signs as ${told.issuer} (its url), and issuer is ${issuer} here: none of its tokens is valid`
  const theirs = told.audience === null ? undefined : told.audience
  if (told.audience !== undefined && theirs !== audience)
    return `Rusk’s audience is ${theirs ?? 'none'}, and audience is ${audience ?? 'none'} here: none of its tokens is valid`
  return shared && told.keys.length > 0
    ? 'Rusk signs with keys of its own and not with a shared one: leave `key` out, or set JWT_SECRET_KEY there too'
    : undefined
}

/** `createVerifier`, with time as tests have it. */
export function openVerifier(options: Options, clock: Clock): Verifier {
  const settings = readOptions(options)
  const { shared } = settings
  const closing = new AbortController()
  const ask = openAsk(settings.base, settings.serviceKey, closing.signal)
  const troubles = openTroubles(settings, closing.signal)
  const [keyTrouble, feedTrouble, clockTrouble] = [troubles('keys'), troubles('feed'), troubles('clock')]
  const verdicts = new Map<string, { readonly verified: AccessClaims }>()
  /** By which key the claims that were handed out are good. */
  const kids = new WeakMap<AccessClaims, string>()
  /** When a key was given up, by what has passed. */
  let lostAt = Number.NEGATIVE_INFINITY
  const listeners = openListeners()

  const tellClock = (now: unknown) => {
    const apart = typeof now === 'number' ? clock.now() - now * 1000 : 0
    const way = apart > 0 ? 'ahead of' : 'behind'
    // What is measured moves by a second from answer to answer: only half as far off is right again.
    if (Math.abs(apart) <= clockSkew / 2) clockTrouble.over()
    if (Math.abs(apart) <= clockSkew) return
    const where = `about ${Math.ceil(Math.abs(apart) / 60_000)} min ${way} Rusk’s`
    const says = `The clock here is ${where}: good tokens are refused. Set it right`
    clockTrouble.tell(new Unreachable(says), way)
  }
  const consequence = settings.strict
    ? `; after ${settings.within / 1000} s without an answer callers get 503`
    : ''
  const tellUnheard = (error: Unreachable) => {
    if (error instanceof Contradiction) return feedTrouble.tell(error)
    const stop = error.message.endsWith('?') ? '' : '.'
    const says = `${error.message}${stop} It is asked again by itself${consequence}`
    feedTrouble.tell(new Unreachable(says, { cause: error }))
  }

  const keys: KeySet | undefined = shared
    ? undefined
    : openKeySet({
        ask,
        passed: clock.passed,
        onLost(ids) {
          verdicts.clear()
          lostAt = clock.passed()
          listeners.tellWhere(({ kid }) =>
            kid === undefined || ids.includes(kid) ? 'access_revoked' : undefined,
          )
        },
        isTold: () => ended?.isHeard() ?? false,
        onTrouble: keyTrouble.tell,
        onRead: keyTrouble.over,
      })
  const ended: Ended | undefined =
    settings.serviceKey === undefined
      ? undefined
      : openEnded({
          ask,
          clock,
          within: settings.within,
          strict: settings.strict,
          listeners,
          onNews(news) {
            const trouble = contradiction(settings, news)
            if (trouble !== undefined) throw new Contradiction(trouble)
            keys?.accept(news.keys)
            tellClock(news.now)
          },
          onTrouble: tellUnheard,
          onHeard: feedTrouble.over,
        })

  const keep = (text: string, claims: AccessClaims) => {
    const verdict = freeze({ verified: claims })
    const oldest = verdicts.size >= most ? verdicts.keys().next().value : undefined
    if (oldest !== undefined) verdicts.delete(oldest)
    verdicts.set(text, verdict)
    return verdict
  }

  /** By the keys there are. `missed`: the one that it names and that is not among them. */
  const read = (text: string): { readonly verdict: Verdict; readonly missed: string | undefined } => {
    let [named, missed]: (string | undefined)[] = []
    const key = (id: string | undefined) => {
      if (shared) return id === undefined ? shared : undefined
      if (id === undefined) return undefined
      const found = keys?.key(id)
      if (found) named = id
      else missed = id
      return found
    }
    const { issuer, audience } = settings
    const found = readAccessToken(text, {
      key,
      issuer,
      audience,
      now: clock.now(),
      skew: clockSkew,
      longest: longestAccess,
    })
    if (!found) return { verdict: reject('access_invalid'), missed }
    if ('expired' in found) return { verdict: reject('access_expired'), missed }
    const verdict = keep(text, found.claims)
    if (named !== undefined) kids.set(verdict.verified, named)
    return { verdict, missed }
  }

  /** With keys as fresh as they can be had, and none that is too old. */
  const look = async (text: string): Promise<Verdict> => {
    try {
      await keys?.ready()
      const kept = verdicts.get(text)
      if (kept) return kept
      const { verdict, missed } = read(text)
      return missed !== undefined && (await keys?.miss(missed)) ? read(text).verdict : verdict
    } catch (error) {
      if (!(error instanceof Unreachable)) throw error
      keyTrouble.tell(error)
      return reject('unavailable')
    }
  }

  /** A good signature is not enough: the token must not be over, and its session not have ended. */
  const judge = (text: string, verdict: { readonly verified: AccessClaims }): Verdict => {
    if (clock.now() >= verdict.verified.exp * 1000) {
      verdicts.delete(text)
      return reject('access_expired')
    }
    return ended?.has(verdict.verified) ? reject('access_revoked') : verdict
  }

  const verify = async (text: string): Promise<Verdict> => {
    if (closing.signal.aborted) return reject('unavailable')
    // JavaScript hands over whatever `request.query.token` is.
    if (typeof text !== 'string') return reject('not_signed_in')
    if (ended && !ended.isHeard() && !(await ended.hear()) && settings.strict) return reject('unavailable')
    const kept = (keys?.isFresh() ?? true) ? verdicts.get(text) : undefined
    const verdict = kept ?? (await look(text))
    return verdict.verified ? judge(text, verdict) : verdict
  }

  const overNow = ({ kid, ...held }: Held): Why | undefined => {
    if (closing.signal.aborted) return 'unavailable'
    const isGone = kid === undefined ? clock.passed() - lostAt < justNow : keys?.isGone(kid)
    return ended?.has(held) || isGone ? 'access_revoked' : undefined
  }

  /** Without a feed nobody says that a key has gone, and a stream brings no call that would ask. */
  const looking = setInterval(() => {
    if (!ended && !listeners.isEmpty()) keys?.ready().catch(keyTrouble.tell)
  }, freshFor).unref()

  return {
    verify,
    check: call =>
      checkCall({ settings, verify, isOver: sid => ended?.has({ sid, iat: Infinity }) === true }, call),
    whenEnded(claims, tell) {
      if (typeof tell !== 'function')
        throw new TypeError('whenEnded(claims, ended): ended is the function to call, and it is missing')
      const { sid, iat, exp } = claims
      const held = { sid, iat, exp, kid: kids.get(claims) }
      const stop = listeners.add(held, tell)
      ended?.follow()
      // It may have been over before anybody listened.
      listeners.tellWhere(each => (each === held ? overNow(held) : undefined))
      if (ended) return stop
      const expired = () => listeners.tellWhere(each => (each === held ? 'access_expired' : undefined))
      const timer = setTimeout(expired, Math.max(0, exp * 1000 - clock.now())).unref()
      return () => {
        clearTimeout(timer)
        stop()
      }
    },
    async ready() {
      await Promise.all([keys?.ready(), ended?.ready()])
    },
    close() {
      closing.abort()
      clearInterval(looking)
      ended?.close()
      listeners.tellWhere(() => 'unavailable')
    },
  }
}

/** Of several that are all wrong the one that a renewal helps is said. */
const worst: readonly Reason[] = ['unavailable', 'access_revoked', 'access_expired', 'access_invalid']

/** One session, or none: the verdict on the access cookie's values. */
function judgeCookies(verdicts: readonly Verdict[]): Verdict {
  const verified = verdicts.flatMap(each => (each.verified ? [each] : []))
  const [first] = verified.sort((a, b) => b.verified.exp - a.verified.exp)
  if (!first) {
    const reasons = new Set(verdicts.map(each => ('rejected' in each ? each.rejected : undefined)))
    return reject(worst.find(reason => reasons.has(reason)) ?? 'not_signed_in')
  }
  return verified.some(each => each.verified.sid !== first.verified.sid) ? reject('cookie_conflict') : first
}

type Judge = {
  readonly settings: Settings
  readonly verify: Verifier['verify']
  /** Whether this session is known to have ended. */
  readonly isOver: (sid: string) => boolean
}

/** What a sign-in cookie looks like: a session's id, a number, a MAC that Rusk alone can check. */
const signInForm = /^([\w-]{1,64})\.\d+\.[\w-]{43}$/

async function checkCall({ settings, verify, isOver }: Judge, call: Call): Promise<Verdict> {
  const { cookie, signIn, listed, csrf } = settings
  if (!call?.headers) throw new TypeError('check(call): a Request, or one of Node, Express or Fastify')
  const header = headerOf(call)
  const bearer = readBearer(header('authorization'))
  if (bearer === null) return reject('access_malformed')
  const valuesOf = (name: string | undefined) =>
    name === undefined ? [] : (readCookies(header('cookie'), [name])[0] ?? [])
  const access = valuesOf(cookie)
  const texts = [...new Set(access)]
  if (cookie?.startsWith('__Host-') && access.length > 1) return reject('cookie_conflict')
  if (bearer === undefined && texts.length > mostCookies) return reject('cookie_conflict')
  if (bearer === undefined && access.length === 0) return reject('not_signed_in')

  const writes = !isSafe(call.method?.toUpperCase() ?? '')
  // A bearer token no browser sends by itself.
  if ((writes || isHandshake(header)) && bearer === undefined && !mayChange(header, listed))
    return reject('origin_refused')

  const byCookie = judgeCookies(await Promise.all(texts.slice(0, mostCookies).map(verify)))
  if ('rejected' in byCookie && byCookie.rejected === 'cookie_conflict') return byCookie
  const verdict = bearer === undefined ? byCookie : await verify(bearer)
  if ('rejected' in verdict) return verdict
  const { sid } = verdict.verified
  if (byCookie.verified && byCookie.verified.sid !== sid) return reject('cookie_conflict')
  // A late answer, or a sibling host, may have put back the access cookie of another sign-in than the browser's last.
  const meant = valuesOf(signIn).map(text => signInForm.exec(text)?.[1] ?? sid)
  if (bearer === undefined && meant.some(id => id !== sid && !isOver(id))) return reject('access_expired')
  // Only Rusk can check the token's MAC; that it is of this session, whose id no other site knows, shows that it read the cookie.
  const isOwn = (text: string) => text.startsWith(`${sid}.`)
  // No page can add a header to a handshake; that its Origin is a listed one has been seen to.
  const submits = !csrf || !writes || isDoublySubmitted(header(csrf.header), valuesOf(csrf.cookie), isOwn)
  return submits ? verdict : reject('csrf_refused')
}

/**
 * Throws `Misuse` with every finding when the options cannot be meant so. Asks Rusk nothing before the first call, or
 * `ready()`. One for a process: it remembers tokens, keys and ended sessions.
 */
export const createVerifier = (options: Options): Verifier => openVerifier(options, wallClock)
