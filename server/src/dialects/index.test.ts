// What every dialect writes, as tables: each route's answer, each refusal, and that both keep to what is published.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Session, User } from '../core/model.ts'
import { type RefusalCode, refusals } from '../core/refusal.ts'
import type { Dialect } from '../http/dialect.ts'
import type { Tokens } from '../operations/contract.ts'
import { type DialectName, dialects } from './index.ts'

const user: User = {
  id: 'qLm3-opaque',
  number: 7,
  email: 'Ada@example.com',
  username: 'ada',
  name: 'Ada Lovelace',
  profile: {},
  active: true,
  superuser: false,
  epoch: 0,
  createdAt: Date.UTC(2026, 0, 2, 3, 4, 5, 678),
  lastSignInAt: null,
}

const session: Session = {
  id: 's1',
  userId: user.id,
  delivery: 'cookies',
  previous: 0,
  current: 0,
  successor: 1,
  changedAt: 0,
  openedAt: Date.UTC(2026, 0, 2),
  endsAt: Date.UTC(2026, 3, 2),
  idleEndsAt: Date.UTC(2026, 0, 16),
  endedAt: null,
  endedBecause: null,
  lastUsedAt: Date.UTC(2026, 0, 3),
  userAgent: 'curl/8',
  address: '192.0.2.7',
}

const cookies: Tokens = { delivery: 'cookies', access: { token: 'A', expiresIn: 600 } }
const memory: Tokens = { delivery: 'memory', access: { token: 'A', expiresIn: 600 } }
const done = {
  user,
  session,
  accessEndsAt: Date.UTC(2026, 0, 3, 0, 10),
  sessions: [session, { ...session, id: 's2' }],
  current: session,
}

const ada = {
  id: user.id,
  email: 'Ada@example.com',
  username: 'ada',
  name: 'Ada Lovelace',
  createdAt: '2026-01-02T03:04:05.678Z',
}
const here = {
  id: 's1',
  current: true,
  device: { label: 'curl', browser: 'curl', system: null, kind: 'program' },
  userAgent: 'curl/8',
  address: '192.0.2.7',
  openedAt: '2026-01-02T00:00:00.000Z',
  lastUsedAt: '2026-01-03T00:00:00.000Z',
  idleEndsAt: '2026-01-16T00:00:00.000Z',
  endsAt: '2026-04-02T00:00:00.000Z',
}
const numbered = { id: 7, username: 'ada', email: 'Ada@example.com' }
const full = {
  id: 7,
  email: 'Ada@example.com',
  full_name: 'Ada Lovelace',
  is_active: true,
  is_superuser: false,
  created_at: '2026-01-02T03:04:05.678000',
  last_login: null,
}
const opaque = { uid: user.id, email: 'Ada@example.com', username: 'ada' }

type Row = [DialectName, string, Tokens, number, unknown]

const answers: readonly Row[] = [
  ['native', 'POST /auth/sign-up', cookies, 201, { user: ada, session: here, expiresIn: 600 }],
  [
    'native',
    'POST /auth/sign-up',
    memory,
    201,
    { user: ada, session: here, accessToken: 'A', expiresIn: 600 },
  ],
  ['native', 'POST /auth/sign-in', cookies, 200, { user: ada, session: here, expiresIn: 600 }],
  [
    'native',
    'POST /auth/sign-in',
    memory,
    200,
    { user: ada, session: here, accessToken: 'A', expiresIn: 600 },
  ],
  ['native', 'POST /auth/exchange', cookies, 200, { user: ada, session: here, expiresIn: 600 }],
  [
    'native',
    'POST /auth/exchange',
    memory,
    200,
    { user: ada, session: here, accessToken: 'A', expiresIn: 600 },
  ],
  ['native', 'POST /auth/refresh', cookies, 200, { expiresIn: 600 }],
  ['native', 'POST /auth/refresh', memory, 200, { accessToken: 'A', expiresIn: 600 }],
  ['native', 'POST /auth/sign-out', {}, 204, undefined],
  [
    'native',
    'GET /auth/session',
    {},
    200,
    { user: ada, session: here, accessEndsAt: '2026-01-03T00:10:00.000Z' },
  ],
  ['native', 'POST /auth/password', cookies, 200, { user: ada, session: here, expiresIn: 600 }],
  [
    'native',
    'POST /auth/password',
    memory,
    200,
    { user: ada, session: here, accessToken: 'A', expiresIn: 600 },
  ],
  ['native', 'GET /auth/sessions', {}, 200, { sessions: [here, { ...here, id: 's2', current: false }] }],
  ['native', 'DELETE /auth/sessions/:id', {}, 204, undefined],
  ['native', 'DELETE /auth/sessions', {}, 204, undefined],
  ['fastapi', 'POST /auth/register', {}, 201, numbered],
  ['fastapi', 'POST /auth/login', cookies, 200, { message: 'Login successful' }],
  ['fastapi', 'POST /auth/exchange', cookies, 200, { message: 'Login successful' }],
  ['fastapi', 'POST /auth/logout', {}, 200, { message: 'Logout successful' }],
  ['fastapi', 'POST /auth/refresh', cookies, 200, { message: 'Token refreshed' }],
  ['fastapi', 'GET /auth/me', {}, 200, numbered],
  ['fastapi', 'GET /users/me', {}, 200, numbered],
  ['flask', 'POST /register', memory, 201, { access_token: 'A', user: numbered }],
  ['flask', 'POST /login', memory, 200, { access_token: 'A', user: numbered }],
  ['flask', 'POST /exchange', memory, 200, { access_token: 'A', user: numbered }],
  ['flask', 'POST /refresh', memory, 200, { access_token: 'A' }],
  ['flask', 'POST /logout', {}, 200, { message: 'Logged out successfully' }],
  ['flask', 'GET /me', {}, 200, numbered],
  ['django', 'GET /api/csrf/', {}, 204, undefined],
  ['django', 'POST /api/register/', {}, 201, numbered],
  ['django', 'POST /api/token/pair', memory, 200, { access: 'A' }],
  ['django', 'POST /api/token/', memory, 200, { access: 'A' }],
  ['django', 'POST /api/token/exchange/', memory, 200, { access: 'A' }],
  ['django', 'POST /api/token/refresh/', memory, 200, { access: 'A' }],
  ['django', 'POST /api/logout/', {}, 204, undefined],
  ['django', 'GET /api/me/', {}, 200, numbered],
  ['fastapi-minimal', 'POST /auth/signup', {}, 200, { status: 'ok', user: opaque }],
  ['fastapi-minimal', 'POST /auth/signin', cookies, 200, { status: 'ok' }],
  ['fastapi-minimal', 'POST /auth/exchange', cookies, 200, { status: 'ok' }],
  ['fastapi-minimal', 'GET /auth/me', {}, 200, { ...opaque, is_active: true }],
  ['fastapi-minimal', 'POST /auth/signout', {}, 200, { status: 'ok' }],
  ['fastapi-minimal', 'POST /auth/refresh', cookies, 200, { status: 'ok' }],
  ['fastapi-production', 'POST /api/auth/register', {}, 201, full],
  ['fastapi-production', 'POST /api/auth/login', cookies, 200, { message: 'Login successful' }],
  ['fastapi-production', 'POST /api/auth/exchange', cookies, 200, { message: 'Login successful' }],
  ['fastapi-production', 'POST /api/auth/logout', {}, 200, { message: 'Successfully logged out' }],
  ['fastapi-production', 'GET /api/auth/me', {}, 200, full],
  ['fastapi-production', 'POST /api/auth/refresh', cookies, 200, { message: 'Token refreshed successfully' }],
  ['fastapi-production', 'GET /api/auth/health', {}, 200, { status: 'healthy' }],
]

const routeOf = (name: DialectName, line: string) => {
  const found = Object.entries(dialects[name].routes).find(([key]) => key === line)
  assert.ok(found, `${name} has no ${line}`)
  return found[1]
}

for (const [name, line, tokens, status, body] of answers) {
  test(`${name} answers ${line} ${tokens.delivery ?? ''} with ${status} and the body of its contract`, () => {
    const route = routeOf(name, line)
    const written = route.write(done, tokens)
    assert.deepEqual([route.status, written], [status, body])
    if (route.answer === null) assert.equal(written, undefined)
    else route.answer.parse(written)
  })
}

test('every route of every dialect is in the table above', () => {
  const told = new Set(answers.map(([name, line]) => `${name} ${line}`))
  const there = Object.values(dialects).flatMap(({ name, routes }) =>
    Object.keys(routes).map(line => `${name} ${line}`),
  )
  assert.deepEqual(
    there.filter(line => !told.has(line)),
    [],
  )
})

const detail = (text: string) => ({ detail: text })
const error = (text: string) => ({ error: text })
const problem = (title: string, status: number, code: RefusalCode, text: string) => ({
  type: 'about:blank',
  title,
  status,
  code,
  detail: text,
})
const expiredPair = { detail: 'Token is invalid or expired', code: 'token_not_valid' }

const noes: readonly [DialectName, string, number, unknown][] = [
  ['fastapi', 'email_taken username_taken', 400, detail('Registration failed')],
  ['fastapi', 'credentials_wrong', 401, detail('Invalid credentials')],
  ['fastapi', 'not_signed_in', 401, detail('Not authenticated')],
  ['fastapi', 'access_invalid access_expired access_revoked cookie_conflict', 401, detail('Invalid token')],
  ['fastapi', 'user_gone', 401, detail('User not found')],
  ['fastapi', 'refresh_missing', 401, detail('Refresh token missing')],
  ['fastapi', 'refresh_invalid', 401, detail('Invalid refresh token')],
  ['fastapi', 'not_found', 404, detail('Not Found')],
  ['fastapi', 'method_not_allowed', 405, detail('Method Not Allowed')],
  ['flask', 'email_taken username_taken', 400, error('Registration failed')],
  ['flask', 'credentials_wrong', 401, error('Invalid credentials')],
  ['flask', 'access_expired access_revoked', 401, error('Token has expired')],
  ['flask', 'not_signed_in access_malformed refresh_missing', 401, error('Invalid or missing authorization')],
  ['flask', 'access_invalid refresh_invalid', 401, error('Token could not be decoded')],
  ['flask', 'csrf_refused', 401, error('CSRF token missing or incorrect')],
  ['flask', 'body_malformed', 400, error('The body is not valid JSON')],
  [
    'django',
    'credentials_wrong',
    401,
    { detail: 'No active account found with the given credentials', code: 'no_active_account' },
  ],
  ['django', 'refresh_missing refresh_invalid', 401, expiredPair],
  ['django', 'csrf_refused', 403, detail('CSRF Failed: CSRF token missing or incorrect.')],
  ['django', 'email_taken username_taken', 400, detail('Registration failed.')],
  ['django', 'not_signed_in access_malformed', 401, detail('Unauthorized')],
  ['fastapi-minimal', 'email_taken', 400, detail('Email already registered.')],
  ['fastapi-minimal', 'username_taken', 400, detail('Username already registered.')],
  ['fastapi-minimal', 'credentials_wrong', 401, detail('Invalid email or password')],
  [
    'fastapi-minimal',
    'not_signed_in access_invalid access_expired access_revoked user_gone cookie_conflict',
    401,
    detail('Not authenticated'),
  ],
  ['fastapi-production', 'email_taken username_taken', 400, detail('Registration failed')],
  ['fastapi-production', 'credentials_wrong', 401, detail('Incorrect email or password')],
  [
    'fastapi-production',
    'not_signed_in access_invalid access_expired access_revoked user_gone',
    401,
    detail('Not authenticated'),
  ],
  ['native', 'not_signed_in', 401, problem('Unauthorized', 401, 'not_signed_in', 'Not signed in')],
  [
    'native',
    'session_not_found',
    404,
    problem('Not Found', 404, 'session_not_found', 'There is no such session'),
  ],
]

const isCode = (text: string): text is RefusalCode => text in refusals
const codes = Object.keys(refusals).filter(isCode)

const renderOf = (dialect: Dialect, code: RefusalCode) => dialect.refusals[code] ?? dialect.refusals.otherwise

for (const [name, listed, status, body] of noes) {
  for (const code of listed.split(' ').filter(isCode)) {
    test(`${name} says no to ${code} as its contract does`, () => {
      const reply = renderOf(dialects[name], code)({ refused: code, callId: 'c1' })
      assert.deepEqual([reply.status, reply.body], [status, body])
    })
  }
}

for (const dialect of Object.values(dialects)) {
  test(`every refusal of ${dialect.name} has an error status and the shape it publishes`, () => {
    const strict = dialect.error
    for (const code of codes) {
      for (const issues of [undefined, [{ field: 'password', type: 'missing', message: 'Field required' }]]) {
        const reply = renderOf(dialect, code)({ refused: code, callId: 'c1', ...(issues ? { issues } : {}) })
        assert.ok(reply.status >= 400 && reply.status < 600, code)
        assert.deepEqual(strict.parse(reply.body), reply.body, `${code}: nothing beyond the published shape`)
      }
    }
  })

  test(`${dialect.name} names a fault by its call id and nothing else by it`, () => {
    const telling = codes.filter(code =>
      JSON.stringify(renderOf(dialect, code)({ refused: code, callId: 'c-1234' }).body).includes('c-1234'),
    )
    assert.deepEqual(telling, ['fault'])
  })

  test(`what ${dialect.name} throttles or cannot decide keeps its status`, () => {
    const statuses = (['throttled', 'busy', 'unavailable'] as const).map(
      refused => renderOf(dialect, refused)({ refused, callId: 'c' }).status,
    )
    assert.deepEqual(statuses, [429, 503, 503])
  })
}

test('an answer that must carry an access token and has none is a fault', () => {
  assert.throws(() => routeOf('flask', 'POST /login').write(done, {}), { name: 'Fault' })
})

test('extra claims are those of the contract', () => {
  assert.deepEqual(dialects.flask.claims?.(user), { type: 'access', fresh: false })
  assert.deepEqual(dialects.django.claims?.(user), { token_type: 'access', user_id: 7 })
})
