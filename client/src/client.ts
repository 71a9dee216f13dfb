// Who is signed in on this page, and a fetch that carries what proves it. Decides when to renew, when to repeat, and what
// counts as signed out: only a definite refusal. Knows a server's wire from a dialect (dialect.ts) alone.
import type { Abortable, Client, ClientOptions, Mark, Pass, Reason, State } from './contract.ts'
import { type Body, type Call, type Dialect, native } from './dialect.ts'
import { RuskError, refusalOf } from './error.ts'
import { alone, openChannel } from './tabs.ts'

const second = 1000

/** Tokens are renewed this long before they expire, or at half their life if that is shorter. */
const margin = 60 * second

/** For an answer of Rusk's. */
const longestCall = 15 * second

/** However long a server asks to be left alone. */
const longestRest = 3600 * second

/** A time that nobody has told: nothing is before or after it. */
const untold = Number.NaN

/** Work that a signal or a time cuts short; no listener outlives it. */
function within<T>(
  work: (signal: AbortSignal) => Promise<T>,
  signal: AbortSignal | undefined,
  span?: number,
): Promise<T> {
  const patient = new AbortController()
  return new Promise<T>((resolve, reject) => {
    const stop = (reason: unknown) => {
      reject(reason)
      patient.abort(reason)
    }
    signal?.throwIfAborted()
    signal?.addEventListener('abort', () => stop(signal.reason), patient)
    const timer = span && setTimeout(stop, span, new RuskError('timeout'))
    work(patient.signal)
      .then(resolve, reject)
      .finally(() => {
        clearTimeout(timer)
        patient.abort()
      })
  })
}

/** An answer of Rusk's. What breaks off or is no JSON has no members. */
type Came = readonly [answer: Response, body: Body]

export function createClient(options?: ClientOptions): Client
export function createClient<User>(
  // Natively tokens travel as the client chooses; elsewhere as the dialect does.
  options: ClientOptions<User> & { readonly dialect: Dialect<User>; readonly delivery?: undefined },
): Client<User>
export function createClient({
  baseUrl = '/',
  dialect = native,
  delivery,
  origins = [],
}: ClientOptions<unknown> = {}): Client<unknown> {
  type Now = State<unknown>

  let state: Now = { status: 'unknown' }
  const listeners = new Set<() => void>()

  /** The id of whoever was signed in when that was last known. */
  let whose: unknown
  /** Goes up when somebody signs in or out: what was asked before says nothing about now. */
  let era = 0
  /** Goes up with every new access token. */
  let renewals = 0
  /** The access token, where it is not in a cookie. It is nowhere else. */
  let token: string | undefined
  /** Answers bring it; a session that was opened by other means may have it in a cookie all the same. */
  let inHand = dialect.memoryOnly || delivery === 'memory'
  /** Local times: when to renew, and when it is too late. */
  let due = untold
  let expires = untold

  let failures = 0
  let failure: unknown
  let retryAt = 0
  let renewing: Promise<boolean> | undefined
  let checking: Promise<unknown> | undefined
  let timer: ReturnType<typeof setTimeout> | undefined

  const page = globalThis.location
  const known = origins.map(each => new URL(each).origin)
  // What has neither scheme nor leading slash is a mistake, and would become a path of the page’s own.
  const base = () => new URL(baseUrl, baseUrl[0] === '/' ? page?.href : undefined)
  const place = () => `rusk ${base()}`
  const csrf = dialect.csrf?.(send)

  const settle = (next: Now): void => {
    if (JSON.stringify(next) === JSON.stringify(state)) return
    state = next
    // One of them may have changed it again.
    for (const listener of listeners) listener()
  }

  const isUnknown = () => state.status === 'unknown'
  const isOut = () => state.status === 'signed-out'

  /** Nobody knows any more who is signed in. */
  const doubt = (): void => {
    era++
    settle({ status: 'unknown' })
  }

  const leave = (reason: Reason): void => {
    era++
    token = whose = undefined
    due = expires = untold
    if (!isOut()) settle({ status: 'signed-out', reason })
  }

  /** Without an access token in hand there is no use in asking. */
  const isBare = () => inHand && !token

  const isLate = () => isBare() || Date.now() > expires

  const idOf = (user: unknown): unknown => Object(user)[dialect.id ?? 'id']

  const enter = (user: unknown): unknown => {
    const id = idOf(user)
    // What was asked for whoever was here before is not the next one's.
    if (whose && whose !== id) era++
    whose = id
    failures = 0
    settle({ status: 'signed-in', user })
    return user
  }

  /** What goes with a call: the access token in hand, and the CSRF token where something could change. */
  const carried = async (method: string, anew = false): Promise<Record<string, string>> => ({
    ...(token && { authorization: `Bearer ${token}` }),
    ...(await csrf?.headers(method, anew)),
  })

  /** One call of Rusk's. Rejects when there was no answer; whatever the answer says is one. */
  async function send(call: Call, signal?: AbortSignal, fields?: object, anew = false): Promise<Came> {
    const [method = '', path] = call.line.split(' ')
    const headers = await carried(method, anew)
    if (fields) headers['content-type'] = 'application/json'
    const exchange = async (patient: AbortSignal): Promise<Came> => {
      const answer = await fetch(`${base()}`.replace(/\/$/, '') + path, {
        method,
        credentials: 'include',
        redirect: 'error',
        headers,
        // Of no fields this makes no body.
        body: JSON.stringify(fields),
        signal: patient,
      })
      const told = await answer.json().catch(error => {
        // A gate's page, or an answer that broke off.
        if (answer.status === 200) throw error
      })
      return [answer, Object(told)]
    }
    const came = await within(exchange, signal, longestCall).catch((error: unknown) => {
      throw signal?.aborted || error instanceof RuskError ? error : new RuskError('offline', {}, error)
    })
    return csrf?.hear(method, ...came) && !anew ? send(call, signal, fields, true) : came
  }

  /** Why an answer is a "no". */
  const refusal = ([answer, body]: Came): RuskError =>
    refusalOf(answer, dialect.explain?.(answer.status, body) ?? body)

  /** A "yes", or it throws. */
  const good = (came: Came): Came => {
    if (!came[0].ok) throw refusal(came)
    return came
  }

  /** Rusk says that nobody is known. What has no code came from something on the way, and decides nothing. */
  const isNo = (came: Came): boolean => came[0].status === 401 && refusal(came).code !== 'unavailable'

  /** Until when the access token is good that this browser has now. */
  const mind = (end: number): void => {
    expires = end
    due = expires - Math.min(margin, (expires - Date.now()) / 2)
  }

  /** The access token that an answer brings, in hand or in its cookie. */
  const take = (came: Came): void => {
    token = `${came[1][dialect.token ?? ''] ?? ''}`
    inHand = !!token
    renewals++
    mind(Date.now() + Number(dialect.life(came[1], came[0])) * second)
    if (!token) tabs?.postMessage({ until: expires, who: whose })
  }

  const refresh = async (again = true): Promise<boolean> => {
    const asked = era
    const came = await send(dialect.refresh)
    if (asked !== era) return !isOut()
    if (isNo(came)) {
      // It may have been composed just before another tab signed in.
      if (again && whose) return refresh(false)
      leave(whose ? 'ended' : 'nobody')
      return false
    }
    take(good(came))
    if (whose) {
      // Another tab may have signed somebody else in, and could not say so: nobody calls by it before that is known.
      const end = expires
      expires = 0
      const user = told(await send(dialect.session))
      // What this answer brought was worth nothing beside that sign-in.
      if (again && !user) return refresh(false)
      if (asked === era && user) {
        expires = end
        enter(user)
      }
    }
    return true
  }

  /** How long to leave the server alone after this. */
  const pause = (error: unknown): number =>
    Math.min(margin, second * 2 ** failures++) * (0.5 + Math.random() / 2) +
    Math.min(longestRest, (Object(error).retryAfter || 0) * second)

  /** One for all that ask meanwhile, here and in other tabs. False: nobody is signed in. Rejects while it is undecided. */
  const renew = async (signal?: AbortSignal): Promise<boolean> => {
    if (performance.now() < retryAt) throw failure
    const seen = renewals
    const work = async () => seen !== renewals || refresh()
    renewing ??= alone(place(), work)
      .catch(error => {
        failure = error
        retryAt = performance.now() + pause(error)
        throw error
      })
      .finally(() => {
        renewing = undefined
      })
    const shared = renewing
    return within(() => shared, signal)
  }

  /** An access token for a call that needs one. While the old one is good, nobody waits for the next. */
  const freshen = async (signal?: AbortSignal): Promise<Mark> => {
    if (!isOut() && (isLate() || Date.now() > due)) {
      const renewed = renew(signal)
      if (isLate()) await renewed
      else renewed.catch(() => {})
    }
    return { era, renewals }
  }

  const recover = async (mark: Mark, signal?: AbortSignal): Promise<boolean> =>
    !isOut() && ((mark.renewals !== renewals && !isLate()) || (await renew(signal))) && mark.era === era

  const sendSignedIn = async (call: Call, signal?: AbortSignal, fields?: object): Promise<Came> => {
    const mark = await freshen(signal)
    const came = await send(call, signal, fields)
    return came[0].status === 401 && (await recover(mark, signal)) ? send(call, signal, fields) : came
  }

  /** The user whom an answer to the session call names; undefined: it is a refusal of everybody. */
  const told = (came: Came): unknown => {
    if (isNo(came)) return undefined
    const user = dialect.user(good(came)[1])
    // A "yes" that names nobody is none of Rusk's.
    if (!idOf(user)) throw refusal(came)
    return user
  }

  /** Asks who is signed in; what was asked before somebody signed in or out is asked again. */
  const ask = async (signal?: AbortSignal): Promise<unknown> => {
    const asked = era
    const came = await sendSignedIn(dialect.session, signal)
    const user = told(came)
    if (asked !== era) return isOut() ? null : ask(signal)
    if (user) {
      // After a page load it is the first that tells; by the page's clock, which costs one renewal where it is wrong.
      if (Number.isNaN(expires)) mind(Date.parse(`${came[1][dialect.ends ?? '']}`))
      return enter(user)
    }
    leave('ended')
    return null
  }

  const session = async (options?: Abortable): Promise<unknown> => {
    const signal = options?.signal
    // Whoever asks wants to know now, also after the last answer was that nobody is there.
    return (isOut() || isBare()) && !(await renew(signal)) ? null : ask(signal)
  }

  /** Asks who is signed in, and asks again later as long as nobody can say: then it resolves to the reason. */
  const check = (): Promise<unknown> => {
    clearTimeout(timer)
    checking ??= session()
      .then(
        () => {},
        error => {
          if (!isUnknown()) return
          settle({ status: 'unknown', error })
          if (listeners.size) timer = setTimeout(check, pause(error))
          return error
        },
      )
      .finally(() => {
        checking = undefined
      })
    return checking
  }

  /** Who is signed in is to be asked: now, or by whoever next wants to know. */
  const look = () => {
    if (listeners.size) check()
    else settle({ status: 'unknown' })
  }

  /** Any script of this origin may say anything: only what has the shape counts. */
  const hear = (said: unknown): void => {
    const { signedIn, until, who }: { signedIn?: unknown; until?: unknown; who?: unknown } = Object(said)
    if (typeof until === 'number') {
      if (who === whose) {
        renewals++
        mind(until)
      } else if (who) look()
    }
    if (typeof signedIn !== 'boolean') return
    token = undefined
    if (signedIn) doubt()
    else leave('signed-out')
    // What is being asked may have been asked too early.
    checking?.then(look)
    look()
  }

  const wake = ({ type, persisted }: Event & { readonly persisted?: boolean }): void => {
    // A page that is put aside whole must not come back showing what was private then.
    if (type === 'pagehide') {
      if (persisted) doubt()
      return
    }
    retryAt = 0
    if (globalThis.document?.hidden) return
    if (isUnknown() || type === 'visibilitychange') look()
  }

  /** A call after whose answer somebody is signed in, in a new session. */
  async function open(call: Call | undefined, fields: Body, options?: Abortable): Promise<unknown> {
    const signal = options?.signal
    if (!call) throw new RuskError('not_found')
    const sent: Record<string, unknown> = { delivery }
    for (const name in fields) sent[call.names?.[name] ?? name] = fields[name]
    const came = good(await (call === dialect.changePassword ? sendSignedIn : send)(call, signal, sent))
    if (call.login) {
      return open(dialect.signIn, { login: fields[call.login], password: fields.password }, options)
    }
    era++
    retryAt = 0
    take(came)
    tabs?.postMessage({ signedIn: true })
    const user = dialect.user(came[1])
    // A browser that keeps no cookies of another origin says so by not sending them back.
    const away = base().origin !== page?.origin
    if (!away && idOf(user)) return enter(user)
    try {
      if (whose) doubt()
      const kept = !away || !token || (await refresh(false))
      const found = kept && (await ask(signal))
      if (found) return found
    } catch (error) {
      // Somebody is signed in now, and nobody knows yet who.
      doubt()
      check()
      throw error
    }
    leave('nobody')
    throw new RuskError('cookies_blocked', {
      detail: `Cookies are blocked: put page and ${base().origin} on one site`,
    })
  }

  async function prepare(url: string, method: string, signal?: AbortSignal): Promise<Pass | undefined> {
    const { origin } = new URL(url, page?.href)
    if (origin === 'null' || ![page?.origin, base().origin, ...known].includes(origin)) return undefined
    const before = whose
    const mark = await freshen(signal)
    // Somebody else may be there by now, or nobody knows.
    const undecided = before && (checking || isUnknown()) && (await within(check, signal))
    if (undecided) throw undecided
    if (before && whose && whose !== before) throw new RuskError('signed_in_anew')
    return { headers: await carried(method), mark }
  }

  async function carry(input: RequestInfo | URL, init: RequestInit = {}): Promise<Response> {
    const asked = new Request(input, init)
    const { url, method, signal, headers } = asked
    const pass = await prepare(url, method, signal)
    if (!pass) return fetch(asked, { credentials: 'omit' })
    // What the app itself has set stays.
    const go = (call: Request, ours: Pass['headers']): Promise<Response> =>
      fetch(call, { credentials: 'include', headers: { ...ours, ...Object.fromEntries(headers) } })
    const spare = init.body instanceof ReadableStream ? undefined : asked.clone()
    const answer = await go(asked, pass.headers)
    if (answer.status !== 401 || !(await recover(pass.mark, signal)) || !spare) return answer
    return go(spare, await carried(method))
  }

  const closing = new AbortController()
  // A program has no tabs: what runs on a server for one person is nothing to the next.
  let tabs = page && openChannel(place(), hear)
  for (const type of ['online', 'visibilitychange', 'pagehide', 'pageshow']) {
    globalThis.addEventListener?.(type, wake, closing)
  }

  return {
    get state() {
      return state
    },
    get userId() {
      return whose
    },
    subscribe(listener) {
      if (!listeners.size && isUnknown()) check()
      // Async: its bug is nobody else's, and comes out as an unhandled rejection.
      const own = async () => listener(state)
      listeners.add(own)
      own()
      return () => listeners.delete(own)
    },
    session,
    signUp: (fields, options) => open(dialect.signUp, fields, options),
    signIn: (fields, options) => open(dialect.signIn, fields, options),
    exchange: (fields, options) => open(dialect.exchange, fields, options),
    changePassword: (fields, options) => open(dialect.changePassword, fields, options),
    async signOut(options) {
      good(await send(dialect.signOut, options?.signal))
      leave('signed-out')
      tabs?.postMessage({ signedIn: false })
    },
    fetch: carry,
    prepare,
    recover,
    close() {
      clearTimeout(timer)
      listeners.clear()
      tabs?.close()
      tabs = undefined
      closing.abort()
    },
  }
}
