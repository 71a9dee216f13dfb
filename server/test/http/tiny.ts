// Two dialects as small as they can be, a site, and an `http` whose operations are a script: what the http room is tried
// with by itself.
import { z } from 'zod'
import type { Session, User } from '../../src/core/model.ts'
import { defaultPolicy, type Policy } from '../../src/core/policy.ts'
import { refusals } from '../../src/core/refusal.ts'
import { type Dialect, type RenderRefusal, route } from '../../src/http/dialect.ts'
import { createHttp, type Http, type HttpParts, type Mounted } from '../../src/http/handle.ts'
import type { Site } from '../../src/http/site.ts'
import type { Request as Ask, OperationName, Result } from '../../src/operations/contract.ts'

export const user: User = {
  id: 'u1',
  number: 1,
  email: 'ada@example.com',
  username: 'ada',
  name: null,
  profile: {},
  active: true,
  superuser: false,
  epoch: 0,
  createdAt: 0,
  lastSignInAt: null,
}

export const session: Session = {
  id: 's1',
  userId: 'u1',
  delivery: 'cookies',
  previous: 0,
  current: 0,
  successor: 1,
  changedAt: 0,
  openedAt: 0,
  endsAt: 1,
  idleEndsAt: 1,
  endedAt: null,
  endedBecause: null,
  lastUsedAt: 0,
  userAgent: '',
  address: '',
}

const otherwise: RenderRefusal = ({ refused, issues, callId }) => ({
  status: refusals[refused].status,
  body: { no: refused, ...(issues ? { issues } : {}), ...(refused === 'fault' ? { callId } : {}) },
})

const who = z.object({ email: z.string() })

/** Both tokens in cookies, natively named; bearer tokens too. */
export const tiny: Dialect = {
  name: 'tiny',
  summary: 'As small as it can be.',
  routes: {
    'POST /in': route('signIn', {
      summary: 'Sign in.',
      takes: { mail: 'login', nick: 'login', word: 'password', how: 'delivery' },
      requires: ['mail'],
      status: 200,
      answer: who,
      write: done => ({ email: done.user.email }),
    }),
    'POST /again': route('refresh', { summary: 'Refresh.', status: 204, answer: null }),
    'POST /out': route('signOut', { summary: 'Sign out.', status: 204, answer: null }),
    'GET /me': route('whoAmI', {
      summary: 'Who am I?',
      status: 200,
      answer: who,
      write: done => ({ email: done.user.email }),
    }),
    'GET /all': route('listSessions', {
      summary: 'My sessions.',
      status: 200,
      answer: z.object({ count: z.int() }),
      write: done => ({ count: done.sessions.length }),
    }),
    'DELETE /all/:id': route('endSession', {
      summary: 'End one.',
      takes: { ':id': 'id' },
      status: 204,
      answer: null,
      refusals: {
        session_not_found: () => ({ status: 410, body: { gone: true }, type: 'application/x-gone' }),
      },
    }),
  },
  slash: 'exact',
  cookies: {
    access: { name: 'at', path: '/', sameSite: 'Lax', host: true },
    refresh: { name: 'rt', path: '/', sameSite: 'Strict', host: true },
    signIn: 'st',
  },
  bearer: true,
  delivery: 'cookies',
  subject: 'id',
  policy: {},
  origins: ['https://app.example'],
  refusals: { otherwise },
  error: z.object({ no: z.string() }),
}

/** Double submit, access token in memory, with or without the trailing slash. */
export const double: Dialect = {
  name: 'double',
  summary: 'With a CSRF token.',
  routes: {
    'GET /api/csrf/': route('csrf', { summary: 'Token.', status: 204, answer: null }),
    'POST /api/in/': route('signIn', {
      summary: 'Sign in.',
      takes: { mail: 'login', word: 'password' },
      status: 200,
      answer: null,
      csrf: 'any',
    }),
    'POST /api/again/': route('refresh', { summary: 'Refresh.', status: 204, answer: null, csrf: 'session' }),
    'POST /api/out/': route('signOut', { summary: 'Sign out.', status: 204, answer: null, csrf: 'any' }),
    'GET /api/me/': route('whoAmI', {
      summary: 'Who am I?',
      status: 200,
      answer: who,
      write: done => ({ email: done.user.email }),
    }),
  },
  slash: 'any',
  cookies: {
    refresh: { name: 'refresh_token', path: '/api/', sameSite: 'Lax' },
    signIn: 'signin',
    csrf: { cookie: { name: 'csrftoken', path: '/', sameSite: 'Lax' }, header: 'x-csrf', maxAge: 1000 },
  },
  bearer: true,
  delivery: 'memory',
  subject: 'number',
  policy: {},
  origins: ['https://app.example'],
  refusals: { otherwise },
  error: z.object({ no: z.string() }),
}

export const site: Site = {
  url: 'http://127.0.0.1:8000',
  https: false,
  secureCookies: false,
  environment: 'development',
  prefix: '',
  origins: undefined,
  proxies: [],
  csrfDomain: undefined,
  crossSite: false,
  hsts: 31_536_000,
}

export const securely: Site = { ...site, url: 'https://auth.example', https: true, secureCookies: true }

export const mounted = (dialect: Dialect, policy: Policy = defaultPolicy): Mounted => ({ dialect, policy })

export type Script = (asked: Ask) => Result

const done: Script = () => ({ done: { user, session, sessions: [], current: session }, tokens: {} })

export type Tried = {
  readonly http: Http
  /** What the operations were asked, in order. */
  readonly asked: Ask[]
  /** What was counted: name, key. */
  readonly counted: (readonly [string, string])[]
  readonly logged: (readonly [string, object])[]
}

export type Tries = Partial<Omit<HttpParts, 'run' | 'throttle' | 'log'>> & {
  readonly script?: Script
  /** Seconds to wait, by name of the count. */
  readonly full?: Readonly<Record<string, number>>
}

/** An `http` over a script. CSRF tokens that begin with `ok` are authentic. */
export function tryHttp({ script = done, full = {}, ...parts }: Tries = {}): Tried {
  const asked: Ask[] = []
  const counted: [string, string][] = []
  const logged: [string, object][] = []
  const log = (fields: object, text: string) => {
    logged.push([text, fields])
  }
  const http = createHttp({
    site,
    dialects: [mounted(tiny)],
    recall: () => undefined,
    csrfAuthentic: text => text.startsWith('ok'),
    ...parts,
    run: async <O extends OperationName>(request: Ask<O>) => {
      asked.push(request as unknown as Ask)
      return script(request as unknown as Ask) as Result<O>
    },
    throttle: {
      take: async (name, key) => {
        counted.push([name, key])
        const retryAfter = full[name]
        return retryAfter === undefined ? undefined : { retryAfter }
      },
      forget: async () => undefined,
    },
    log: { info: log, warn: log, error: log },
  })
  return { http, asked, counted, logged }
}

type Sent = string | Uint8Array<ArrayBuffer>

export type Sending = {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Sent
  readonly address?: string
}

export const json = { 'content-type': 'application/json' }

/** The same, asked through `fetch`. `post` sends JSON from 192.0.2.1. */
export function openHttp(tries: Tries = {}) {
  const tried = tryHttp(tries)
  const ask = (path: string, { address, ...init }: Sending = {}) =>
    tried.http.fetch(new Request(`http://127.0.0.1:8000${path}`, { method: 'GET', ...init }), { address })
  const post = (
    path: string,
    body: unknown = undefined,
    headers: Readonly<Record<string, string>> = {},
    address = '192.0.2.1',
  ) =>
    ask(path, {
      method: 'POST',
      headers: { ...(body === undefined ? {} : json), ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      address,
    })
  return { ...tried, ask, post }
}
