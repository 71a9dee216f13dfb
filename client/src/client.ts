// Who is signed in on this page, and a fetch that carries what proves it. Decides when to renew, when to repeat, and what
// counts as signed out: only a definite refusal. Knows a server's wire from a dialect (dialect.ts) alone.
import { type Body, type Call, type Dialect, type NativeUser, native } from './dialect.ts'
import { type Explained, RuskError } from './error.ts'
import { openTabs, type Tabs } from './tabs.ts'

/** Why nobody is signed in: nobody was; somebody asked for it; the session has ended elsewhere or run out. */
export type Reason = 'nobody' | 'signed-out' | 'ended'

/** The same object until something changes. */
export type State<User = NativeUser> =
  /** Not asked yet, or asked and undecided: `error` says why. It is asked again by itself. */
  | { readonly status: 'unknown'; readonly error?: RuskError }
  | { readonly status: 'signed-in'; readonly user: User }
  | { readonly status: 'signed-out'; readonly reason: Reason }

export type ClientOptions<User = NativeUser> = {
  /** Where Rusk is, `prefix` included. Default: the page's own origin. */
  readonly baseUrl?: string
  /** Default: `native`. */
  readonly dialect?: Dialect<User>
  /** Natively: where access tokens travel. `cookies` (default), or `memory` for services on other hosts. */
  readonly delivery?: 'cookies' | 'memory'
  /** Origins of your services that may be shown the access token, besides Rusk's and the page's own. */
  readonly origins?: readonly string[]
}

export type Abortable = { readonly signal?: AbortSignal | undefined }

/** By the client's names, whatever the dialect calls them; further fields go as they are. */
export type SignUp = {
  readonly email: string
  readonly password: string
  readonly username?: string
  readonly name?: string
}
/** `login`: e-mail address or username, as the dialect takes it. */
export type SignIn = { readonly login: string; readonly password: string }

/** What a call went out with; `recover` asks for it. */
export type Pass = { readonly headers: Readonly<Record<string, string>>; readonly mark: Mark }
type Mark = { readonly era: number; readonly renewals: number }

/** Everything that talks to the server rejects with a `RuskError`, or with the signal's reason when it was aborted. */
export type Client<User = NativeUser> = {
  readonly state: State<User>
  /** Called at every change; the first subscriber makes the client ask who is signed in. Returns the way out. */
  subscribe(listener: (state: State<User>) => void): () => void
  /** Asks the server. Null: nobody is signed in. */
  session(options?: Abortable): Promise<User | null>
  signUp(fields: SignUp, options?: Abortable): Promise<User>
  signIn(fields: SignIn, options?: Abortable): Promise<User>
  /** Signs in with a token of the system before. */
  exchange(fields: { readonly token: string }, options?: Abortable): Promise<User>
  /** Natively only. Every session ends, and a new one opens here. */
  changePassword(
    fields: { readonly current: string; readonly new: string },
    options?: Abortable,
  ): Promise<User>
  /** Resolves when the server has ended the session, and not before. */
  signOut(options?: Abortable): Promise<void>
  /**
   * As the platform's, with cookies, CSRF token and access token for Rusk's, the page's and the listed origins; without
   * credentials for any other. Renews ahead of time; on a 401 renews once and repeats once what can be repeated.
   */
  readonly fetch: typeof fetch
  /** For adapters of other HTTP libraries: the headers of a call, once they are fresh. Undefined: a foreign origin. */
  prepare(url: string, method: string, signal?: AbortSignal): Promise<Pass | undefined>
  /** After a 401: whether the call is to be repeated, by the same person. */
  recover(mark: Mark, signal?: AbortSignal): Promise<boolean>
  /** Stops listening to the page and to other tabs. */
  close(): void
}

const second = 1000

/** Tokens are renewed this long before they expire, or at half their life if that is shorter. */
const margin = 60 * second

/** For an answer of Rusk's. */
const longestCall = 15 * second

/** For a lock that another tab holds. */
const longestLock = 3 * second

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
    signal?.addEventListener('abort', abort, { signal: patient.signal })
    const timer = span && setTimeout(stop, span, new RuskError('timeout'))
    work(patient.signal)
      .then(resolve, reject)
      .finally(() => {
        clearTimeout(timer)
        patient.abort()
      })
  })
}

/** The body of an answer that is whole; what is no JSON has no members. */
const bodyOf = (answer: Response): Promise<Body> => answer.json().then(Object, () => ({}))

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
  const listeners = new Set<(state: Now) => void>()
  let tabs: Tabs | undefined

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
  let checking: Promise<void> | undefined
  let checkedAt = 0
  let timer: ReturnType<typeof setTimeout> | undefined

  const page = globalThis.location
  const base = () => new URL(baseUrl, page?.href)
  const submit = dialect.submits?.(call => send(call))

  const settle = (next: Now): void => {
    if (JSON.stringify(next) === JSON.stringify(state)) return
    state = next
    for (const listener of [...listeners]) listener(next)
  }

  const isOut = () => state.status === 'signed-out'
  const isIn = () => state.status === 'signed-in'

  const who = (): unknown => state.status === 'signed-in' && Object(state.user)[dialect.id ?? 'id']

  const leave = (reason: Reason): void => {
    token = undefined
    due = expires = never
    if (!isOut()) settle({ status: 'signed-out', reason })
  }

  const enter = (user: unknown): unknown => {
    settle({ status: 'signed-in', user })
    return user
  }

  /** What goes with a call: the access token in hand, and the CSRF token where something could change. */
  const carried = async (method: string, anew = false): Promise<Record<string, string>> => ({
    ...(token && { authorization: `Bearer ${token}` }),
    ...(!/^(GET|HEAD|OPTIONS)$/i.test(method) && (await submit?.headers(anew))),
  })

  /** One call of Rusk's, body and all. Rejects when there was no whole answer; whatever the answer says is one. */
  async function send(call: Call, signal?: AbortSignal, fields?: object, anew = false): Promise<Response> {
    const [method = '', path] = call.line.split(' ')
    const headers = await carried(method, anew)
    const ask = async (patient: AbortSignal) => {
      const answer = await fetch(base().href.replace(/\/$/, '') + path, {
        method,
        credentials: 'include',
        redirect: 'error',
        headers: fields ? { ...headers, 'content-type': 'application/json' } : headers,
        body: fields ? JSON.stringify(fields) : null,
        signal: patient,
      })
      return new Response((await answer.text()) || null, answer)
    }
    const answer = await within(ask, signal, longestCall).catch((error: unknown) => {
      throw signal?.aborted || error instanceof RuskError ? error : new RuskError('offline', {}, error)
    })
    submit?.hear(answer)
    const stale = submit && !anew && method !== 'GET' && answer.status === 403
    return stale ? send(call, signal, fields, true) : answer
  }

  /** Why an answer is a "no". */
  const refusal = async (answer: Response): Promise<RuskError> => {
    const { status, headers } = answer
    const body = await bodyOf(answer)
    const explained: Explained = dialect.explain?.(status, body) ?? body
    const retryAfter = Number(headers.get('retry-after'))
    return new RuskError(explained.code ?? 'unavailable', { ...explained, status, retryAfter })
  }

  /** Until when the access token is good that this browser has now. */
  const mind = (end: number): void => {
    renewals++
    expires = end || never
    due = expires - Math.min(margin, (expires - Date.now()) / 2)
  }

  /** The access token that an answer brings, in hand or in its cookie. */
  const take = (body: Body, answer: Response): void => {
    const held = body[dialect.token ?? '']
    token = typeof held === 'string' ? held : undefined
    mind(Date.now() + Number(dialect.life(body, answer)) * second)
    if (!token) start().tell({ until: expires })
  }

  async function refresh(again = true): Promise<boolean> {
    const asked = era
    const answer = await send(dialect.refresh)
    if (asked !== era) return isIn()
    if (answer.status === 401) {
      // It may have been composed just before another tab signed in.
      if (again && isIn()) return refresh(false)
      leave(isIn() ? 'ended' : 'nobody')
      return false
    }
    if (!answer.ok) throw await refusal(answer)
    take(await bodyOf(answer), answer)
    return true
  }

  /** One for all that ask meanwhile, here and in other tabs. False: nobody is signed in. Rejects while it is undecided. */
  const renew = async (signal?: AbortSignal): Promise<boolean> => {
    if (Date.now() < retryAt) throw failure
    const seen = renewals
    const work = async () => {
      try {
        const renewed = seen !== renewals || (await refresh())
        failures = 0
        return renewed
      } catch (error) {
        failure = error
        const wait = Math.min(margin, second * 2 ** failures++) * (0.5 + Math.random() / 2)
        retryAt = Date.now() + wait + (error instanceof RuskError ? error.retryAfter : 0) * second
        throw error
      }
    }
    renewing ??= start()
      .alone(longestLock, work)
      .finally(() => {
        renewing = undefined
      })
    const shared = renewing
    return within(() => shared, signal)
  }

  /** A fresh access token before a call that needs one, as far as that can be had. */
  async function freshen(signal?: AbortSignal): Promise<Mark> {
    const needs = dialect.bearer && !token
    if (!isOut() && (needs || Date.now() > due)) {
      await renew(signal).catch(error => {
        if (needs || signal?.aborted || Date.now() > expires) throw error
      })
    }
    return { era, renewals }
  }

  const recover = async (mark: Mark, signal?: AbortSignal): Promise<boolean> =>
    mark.era === era && !isOut() && (mark.renewals !== renewals || (await renew(signal))) && mark.era === era

  async function sendSignedIn(call: Call, signal?: AbortSignal, fields?: object): Promise<Response> {
    const mark = await freshen(signal)
    const answer = await send(call, signal, fields)
    return answer.status === 401 && (await recover(mark, signal)) ? send(call, signal, fields) : answer
  }

  /** The user whom an answer to the session call names; undefined: it is a refusal of everybody. */
  const told = async (answer: Response): Promise<unknown> => {
    if (answer.status === 401) return undefined
    if (!answer.ok) throw await refusal(answer)
    return dialect.session.user?.(await bodyOf(answer))
  }

  async function session({ signal }: Abortable = {}): Promise<unknown> {
    start()
    // Whoever asks wants to know now, also after the last answer was that nobody is there.
    if (isOut() && !(await renew(signal))) return null
    const asked = era
    const user = await told(await sendSignedIn(dialect.session, signal))
    if (asked === era) {
      if (user === undefined) leave('ended')
      else enter(user)
    }
    return state.status === 'signed-in' ? state.user : null
  }

  /** Asks who is signed in, and asks again later as long as nobody can say. */
  function check(): void {
    clearTimeout(timer)
    checkedAt = Date.now()
    checking ??= session()
      .then(
        () => {},
        error => {
          if (state.status !== 'unknown') return
          settle({ status: 'unknown', error })
          timer = setTimeout(check, Math.max(second, retryAt - Date.now()))
        },
      )
      .finally(() => {
        checking = undefined
      })
  }

  /** Any script of this origin may say anything: only what has the shape counts. */
  const hear = (said: unknown): void => {
    const { signedIn, until }: { signedIn?: unknown; until?: unknown } = Object(said)
    if (typeof until === 'number' && !token) mind(until)
    if (typeof signedIn !== 'boolean') return
    era++
    token = undefined
    if (!signedIn) leave('signed-out')
    else if (isOut()) settle({ status: 'unknown' })
    check()
  }

  const wake = ({ type, persisted }: Event & { readonly persisted?: boolean }): void => {
    // A page that is put aside whole must not come back showing what was private then.
    if (type === 'pagehide') {
      if (persisted) settle({ status: 'unknown' })
      return
    }
    retryAt = 0
    const seen = globalThis.document?.visibilityState !== 'hidden'
    if (seen && (state.status === 'unknown' || Date.now() - checkedAt > margin)) check()
  }

  const wakers = ['online', 'visibilitychange', 'pagehide', 'pageshow']

  function start(): Tabs {
    if (!tabs) {
      tabs = openTabs(`rusk ${base().href}`, hear)
      for (const type of wakers) globalThis.addEventListener?.(type, wake)
    }
    return tabs
  }

  /** A call after whose answer somebody is signed in, in a new session. */
  async function open(call: Call | undefined, fields: Body, { signal }: Abortable = {}): Promise<unknown> {
    start()
    if (!call) throw new RuskError('not_found')
    const named = Object.entries({ ...fields, ...(dialect.delivers && delivery && { delivery }) })
    const sent = Object.fromEntries(named.map(([name, value]) => [call.names?.[name] ?? name, value]))
    const answer = await (call === dialect.changePassword ? sendSignedIn : send)(call, signal, sent)
    if (!answer.ok) throw await refusal(answer)
    if (call.login) {
      return open(dialect.signIn, { login: fields[call.login], password: fields.password }, { signal })
    }
    era++
    retryAt = 0
    const body = await bodyOf(answer)
    take(body, answer)
    let user = call.user?.(body)
    // A browser that keeps no cookies of another origin says so by not sending them back.
    const away = base().origin !== page?.origin
    const kept = !away || !token || (await refresh(false))
    if (kept && (user === undefined || (away && !token))) {
      user = await told(await send(dialect.session, signal))
    }
    if (!kept || user === undefined) {
      leave('nobody')
      throw new RuskError('cookies_blocked', {
        detail: `This browser does not send the cookies of ${base().origin} back. Serve page and Rusk from one site, over https.`,
      })
    }
    start().tell({ signedIn: true })
    return enter(user)
  }

  async function prepare(url: string, method: string, signal?: AbortSignal): Promise<Pass | undefined> {
    start()
    const { origin } = new URL(url, page?.href)
    if (![page?.origin, base().origin, ...origins].includes(origin)) return undefined
    const before = who()
    // Another tab may just have signed somebody else in.
    if (checking && before) {
      const asked = checking
      await within(() => asked, signal)
      if (who() && who() !== before) throw new RuskError('signed_in_anew')
    }
    const mark = await freshen(signal)
    return { headers: await carried(method), mark }
  }

  async function carry(input: RequestInfo | URL, init: RequestInit = {}): Promise<Response> {
    const asked = new Request(input, init)
    const { url, method, signal } = asked
    const pass = await prepare(url, method, signal)
    const request = new Request(asked, { credentials: pass ? 'include' : 'omit' })
    if (!pass) return fetch(request)
    const go = (copy: Request, headers: Pass['headers']): Promise<Response> => {
      for (const name in headers) {
        if (!asked.headers.has(name)) copy.headers.set(name, headers[name] ?? '')
      }
      return fetch(copy)
    }
    const spare = init.body instanceof ReadableStream ? undefined : request.clone()
    const answer = await go(request, pass.headers)
    if (answer.status !== 401 || !(await recover(pass.mark, signal)) || !spare) return answer
    // Nobody reads it: the connection is free for the second.
    answer.body?.cancel().catch(() => {})
    return go(spare, await carried(method))
  }

  const opens =
    (name: 'signUp' | 'signIn' | 'exchange' | 'changePassword') => (fields: Body, options?: Abortable) =>
      open(dialect[name], fields, options)

  return {
    get state() {
      return state
    },
    subscribe(listener) {
      start()
      if (!listeners.size && state.status === 'unknown') check()
      const own: typeof listener = now => listener(now)
      listeners.add(own)
      return () => listeners.delete(own)
    },
    session,
    signUp: opens('signUp'),
    signIn: opens('signIn'),
    exchange: opens('exchange'),
    changePassword: opens('changePassword'),
    async signOut({ signal } = {}) {
      start()
      const answer = await send(dialect.signOut, signal)
      if (!answer.ok) throw await refusal(answer)
      era++
      leave('signed-out')
      start().tell({ signedIn: false })
    },
    fetch: carry,
    prepare,
    recover,
    close() {
      clearTimeout(timer)
      tabs?.close()
      tabs = undefined
      for (const type of wakers) globalThis.removeEventListener?.(type, wake)
    },
  }
}
