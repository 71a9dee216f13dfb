// Who is signed in on this page, and a fetch that carries what proves it. Decides when to renew, when to repeat, and what
// counts as signed out: only a definite refusal. Knows a server's wire from a dialect (dialect.ts) alone.
import type { Abortable, Client, ClientOptions, Mark, Pass, Reason, State } from './contract.ts'
import { type Body, type Call, type Dialect, native } from './dialect.ts'
import { type Explained, RuskError } from './error.ts'
import { openTabs, type Tabs } from './tabs.ts'

const second = 1000

/** Tokens are renewed this long before they expire, or at half their life if that is shorter. */
const margin = 60 * second

/** For an answer of Rusk's. */
const longestCall = 15 * second

/** For a lock that another tab holds. */
const longestLock = 3 * second

/** However long a server asks to be left alone. */
const longestRest = 3600 * second

const never = Number.POSITIVE_INFINITY

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
    const abort = () => stop(signal?.reason)
    if (signal?.aborted) return abort()
    signal?.addEventListener('abort', abort, patient)
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
  options: ClientOptions<User> & { readonly dialect: Dialect<User> },
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
  let tabs: Tabs | undefined
  let closing: AbortController | undefined

  /** The id of whoever was signed in when that was last known. */
  let whose: unknown
  /** Goes up when somebody signs in or out: what was asked before says nothing about now. */
  let era = 0
  /** Goes up with every new access token. */
  let renewals = 0
  /** The access token, where it is not in a cookie. It is nowhere else. */
  let token: string | undefined
  /** Local times: when to renew, and when it is too late. */
  let due = never
  let expires = never

  let failures = 0
  let failure: unknown
  let retryAt = 0
  let renewing: Promise<boolean> | undefined
  let checking: Promise<unknown> | undefined
  let timer: ReturnType<typeof setTimeout> | undefined

  const page = globalThis.location
  const base = () => new URL(baseUrl, page?.href)
  const csrf = dialect.csrf?.(call => send(call))

  const settle = (next: Now): void => {
    if (JSON.stringify(next) === JSON.stringify(state)) return
    state = next
    // One of them may have changed it again.
    for (const listener of [...listeners]) listener()
  }

  const isOut = () => state.status === 'signed-out'

  /** Nobody knows any more who is signed in. */
  const doubt = (): void => {
    era++
    settle({ status: 'unknown' })
  }

  const leave = (reason: Reason): void => {
    era++
    token = whose = undefined
    due = expires = never
    if (!isOut()) settle({ status: 'signed-out', reason })
  }

  /** Without an access token in hand there is no use in asking. */
  const isBare = () => dialect.memoryOnly && !token

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
      const answer = await fetch(base().href.replace(/\/$/, '') + path, {
        method,
        credentials: 'include',
        redirect: 'error',
        headers,
        // Of no fields this makes no body.
        body: JSON.stringify(fields),
        signal: patient,
      })
      const told = answer.json().catch(error => {
        // A gate's page, or an answer that broke off.
        if (answer.status === 200) throw error
      })
      return [answer, Object(await told)]
    }
    const came = await within(exchange, signal, longestCall).catch((error: unknown) => {
      throw signal?.aborted || error instanceof RuskError ? error : new RuskError('offline', {}, error)
    })
    return csrf?.hear(method, ...came) && !anew ? send(call, signal, fields, true) : came
  }

  /** Why an answer is a "no". */
  const refusal = ([{ status, headers }, body]: Came): RuskError => {
    const explained: Explained = dialect.explain?.(status, body) ?? body
    // Where it is a date, a wrong clock would make any wait of it.
    const retryAfter = Math.max(0, Number(headers.get('retry-after')) || 0)
    return new RuskError(explained.code ?? 'unavailable', { ...explained, status, retryAfter })
  }

  /** Rusk says that nobody is known. What has no code came from something on the way, and decides nothing. */
  const isNo = (came: Came): boolean => came[0].status === 401 && refusal(came).code !== 'unavailable'

  /** Until when the access token is good that this browser has now. */
  const mind = (end: number): void => {
    renewals++
    expires = end || never
    due = expires - Math.min(margin, (expires - Date.now()) / 2)
  }

  /** The access token that an answer brings, in hand or in its cookie. */
  const take = ([answer, body]: Came): void => {
    const held = body[dialect.token ?? '']
    token = typeof held === 'string' ? held : undefined
    mind(Date.now() + Number(dialect.life(body, answer)) * second)
    if (!token) tabs?.tell({ until: expires, who: whose })
  }

  async function refresh(again = true): Promise<boolean> {
    const asked = era
    const came = await send(dialect.refresh)
    if (asked !== era) return !isOut()
    if (isNo(came)) {
      // It may have been composed just before another tab signed in.
      if (again && whose) return refresh(false)
      leave(whose ? 'ended' : 'nobody')
      return false
    }
    if (!came[0].ok) throw refusal(came)
    take(came)
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
    if (Date.now() < retryAt) throw failure
    const seen = renewals
    const work = async () => seen !== renewals || refresh()
    renewing ??= start()
      .alone(longestLock, work)
      .catch(error => {
        failure = error
        retryAt = Date.now() + pause(error)
        throw error
      })
      .finally(() => {
        renewing = undefined
      })
    const shared = renewing
    return within(() => shared, signal)
  }

  /** An access token for a call that needs one. While the old one is good, nobody waits for the next. */
  async function freshen(signal?: AbortSignal): Promise<Mark> {
    if (!isOut() && (isLate() || Date.now() > due)) {
      const renewed = renew(signal)
      if (isLate()) await renewed
      else renewed.catch(() => {})
    }
    return { era, renewals }
  }

  const recover = async (mark: Mark, signal?: AbortSignal): Promise<boolean> =>
    !isOut() && ((mark.renewals !== renewals && !isLate()) || (await renew(signal))) && mark.era === era

  async function sendSignedIn(call: Call, signal?: AbortSignal, fields?: object): Promise<Came> {
    const mark = await freshen(signal)
    const came = await send(call, signal, fields)
    return came[0].status === 401 && (await recover(mark, signal)) ? send(call, signal, fields) : came
  }

  /** The user whom an answer to the session call names; undefined: it is a refusal of everybody. */
  const told = (came: Came): unknown => {
    const [{ ok }, body] = came
    if (isNo(came)) return undefined
    const user = ok && dialect.user(body)
    // A "yes" that names nobody is none of Rusk's.
    if (!idOf(user)) throw refusal(came)
    return user
  }

  /** Asks who is signed in; what was asked before somebody signed in or out is asked again. */
  async function ask(signal?: AbortSignal): Promise<unknown> {
    const asked = era
    const user = told(await sendSignedIn(dialect.session, signal))
    if (asked !== era) return isOut() ? null : ask(signal)
    if (user) return enter(user)
    leave('ended')
    return null
  }

  async function session({ signal }: Abortable = {}): Promise<unknown> {
    start()
    // Whoever asks wants to know now, also after the last answer was that nobody is there.
    return (isOut() || isBare()) && !(await renew(signal)) ? null : ask(signal)
  }

  /** Asks who is signed in, and asks again later as long as nobody can say: then it resolves to the reason. */
  function check(): Promise<unknown> {
    clearTimeout(timer)
    checking ??= session()
      .then(
        () => {},
        error => {
          if (state.status !== 'unknown') return
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

  /** Any script of this origin may say anything: only what has the shape counts. */
  const hear = (said: unknown): void => {
    const { signedIn, until, who }: { signedIn?: unknown; until?: unknown; who?: unknown } = Object(said)
    if (typeof until === 'number') {
      if (who === whose) mind(until)
      else if (who) check()
    }
    if (typeof signedIn !== 'boolean') return
    token = undefined
    if (signedIn) doubt()
    else leave('signed-out')
    // What is being asked may have been asked too early.
    checking?.then(check)
    check()
  }

  const wake = ({ type, persisted }: Event & { readonly persisted?: boolean }): void => {
    // A page that is put aside whole must not come back showing what was private then.
    if (type === 'pagehide') {
      if (persisted) doubt()
      return
    }
    retryAt = 0
    const seen = !globalThis.document?.hidden
    if (seen && (state.status === 'unknown' || type === 'visibilitychange')) check()
  }

  function start(): Tabs {
    if (!tabs) {
      tabs = openTabs(`rusk ${base().href}`, hear)
      closing = new AbortController()
      for (const type of ['online', 'visibilitychange', 'pagehide', 'pageshow']) {
        globalThis.addEventListener?.(type, wake, closing)
      }
    }
    return tabs
  }

  /** A call after whose answer somebody is signed in, in a new session. */
  async function open(call: Call | undefined, fields: Body, { signal }: Abortable = {}): Promise<unknown> {
    start()
    if (!call) throw new RuskError('not_found')
    const named = Object.entries({ ...fields, delivery })
    const sent = Object.fromEntries(named.map(([name, value]) => [call.names?.[name] ?? name, value]))
    const came = await (call === dialect.changePassword ? sendSignedIn : send)(call, signal, sent)
    if (!came[0].ok) throw refusal(came)
    if (call.login) {
      return open(dialect.signIn, { login: fields[call.login], password: fields.password }, { signal })
    }
    era++
    retryAt = 0
    take(came)
    tabs?.tell({ signedIn: true })
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
      detail: `No cookies of ${base().origin} come back: page and Rusk belong on one site`,
    })
  }

  async function prepare(url: string, method: string, signal?: AbortSignal): Promise<Pass | undefined> {
    start()
    const { origin } = new URL(url, page?.href)
    if (origin === 'null' || ![page?.origin, base().origin, ...origins].includes(origin)) return undefined
    const before = whose
    const mark = await freshen(signal)
    // Somebody else may be there by now, or nobody knows.
    const undecided = before && (checking || state.status === 'unknown') && (await within(check, signal))
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

  return {
    get state() {
      return state
    },
    get userId() {
      return whose
    },
    subscribe(listener) {
      start()
      if (!listeners.size && state.status === 'unknown') check()
      // Async: its bug is nobody else's, and comes out as an unhandled rejection.
      const own = async () => listener(state)
      listeners.add(own)
      return () => listeners.delete(own)
    },
    session,
    signUp: (fields, options) => open(dialect.signUp, fields, options),
    signIn: (fields, options) => open(dialect.signIn, fields, options),
    exchange: (fields, options) => open(dialect.exchange, fields, options),
    changePassword: (fields, options) => open(dialect.changePassword, fields, options),
    async signOut({ signal } = {}) {
      start()
      const came = await send(dialect.signOut, signal)
      if (!came[0].ok) throw refusal(came)
      leave('signed-out')
      tabs?.tell({ signedIn: false })
    },
    fetch: carry,
    prepare,
    recover,
    close() {
      clearTimeout(timer)
      listeners.clear()
      tabs?.close()
      closing?.abort()
    },
  }
}
