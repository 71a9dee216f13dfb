// The native wire, walked over a socket: both deliveries, the list of sessions, problem documents.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RefusalCode } from '../../src/core/refusal.ts'
import { floor } from './floor.ts'
import { rotation } from './rotation.ts'
import { serve } from './serve.ts'
import { bearer, enter, isCleared, isSet, open, says, signUp, type Wire } from './wire.ts'

const problem = (status: number, title: string, code: RefusalCode, detail: string) => ({
  type: 'about:blank',
  title,
  status,
  code,
  detail,
})
const unauthorized = (code: RefusalCode, detail: string) =>
  [401, problem(401, 'Unauthorized', code, detail)] as const

const wire: Wire = {
  dialect: 'native',
  options: { origins: ['http://localhost:4000'] },
  page: 'http://localhost:4000',
  signUp: {
    line: 'POST /auth/sign-up',
    json: { email: 'ada@example.com', password: 'engine no. 9', username: 'ada', name: 'Ada Lovelace' },
  },
  signIn: { line: 'POST /auth/sign-in', json: { login: 'ada', password: 'engine no. 9' } },
  refresh: 'POST /auth/refresh',
  signOut: 'POST /auth/sign-out',
  me: 'GET /auth/session',
  names: { access: 'rusk_access', refresh: 'rusk_refresh', signIn: 'rusk_signin' },
  host: true,
  cookies: {
    access: { maxAge: 600, path: '/', sameSite: 'strict' },
    refresh: { maxAge: 1_209_600, path: '/', sameSite: 'strict' },
  },
  yes: { signOut: [204, undefined] },
  noes: {
    foreign: problem(403, 'Forbidden', 'origin_refused', 'Calls from this origin are refused'),
    malformed: [400, problem(400, 'Bad Request', 'body_malformed', 'The body is not valid JSON')],
    missing: [
      422,
      {
        ...problem(422, 'Unprocessable Content', 'input_invalid', 'Some fields are missing or wrong'),
        issues: [{ field: 'password', type: 'missing', message: 'Field required' }],
      },
    ],
    wrongType: 422,
    notFound: problem(404, 'Not Found', 'not_found', 'There is nothing here'),
    method: problem(405, 'Method Not Allowed', 'method_not_allowed', 'This path does not take that method'),
    credentials: unauthorized('credentials_wrong', 'The login or the password is wrong'),
    notSignedIn: unauthorized('not_signed_in', 'Not signed in'),
    badAccess: unauthorized('access_invalid', 'The access token is not valid'),
    revoked: unauthorized('access_revoked', 'The session has ended'),
    refreshMissing: unauthorized('refresh_missing', 'There is no refresh token'),
    refreshBad: unauthorized('refresh_invalid', 'The refresh token is not valid'),
  },
}

floor(wire)
rotation(wire)

type Session = { id: string; current: boolean; openedAt: string; endsAt: string; lastUsedAt: string }
type Signed = {
  user: { id: string }
  session: Session
  accessToken?: string
  expiresIn?: number
}

const iso = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

test('sign-up signs in and answers with user and session, no token among them', async t => {
  const { browser } = await open(t, wire)
  const got = await signUp(browser, wire)
  const { user, session, ...rest } = got.body as Signed
  assert.deepEqual([got.status, rest], [201, {}])
  assert.partialDeepStrictEqual(user, { email: 'ada@example.com', username: 'ada', name: 'Ada Lovelace' })
  assert.match(user.id, /^[\w-]{22}$/)
  for (const time of [session.openedAt, session.endsAt, session.lastUsedAt]) assert.match(time, iso)
  assert.equal(Date.parse(session.endsAt) - Date.parse(session.openedAt), 90 * 86_400_000)
  assert.equal(session.current, true)
  says(await browser.call('GET /auth/session'), [200, { user, session }])
  assert.deepEqual([...browser.documentCookie()], [])
})

test('an e-mail address and a password are enough to sign up', async t => {
  const { browser } = await open(t, wire)
  const json = { email: 'bob@example.com', password: 'engine no. 9' }
  const got = await browser.call(wire.signUp.line, { json })
  assert.equal(got.status, 201)
  assert.partialDeepStrictEqual(got.body, { user: { username: null, name: null } })
})

test('with delivery in memory the access token is in the answer and in no cookie', async t => {
  const { browser } = await open(t, wire)
  await signUp(browser, wire)
  await browser.call(wire.signOut)
  const json = { ...wire.signIn.json, delivery: 'memory' }
  const got = await browser.call(wire.signIn.line, { json })
  const { accessToken = '', expiresIn = 0 } = got.body as Signed
  assert.ok(expiresIn > 540 && expiresIn <= 600)
  isCleared(got.set.rusk_access, { maxAge: 0, path: '/', sameSite: 'strict' })
  isSet(got.set.rusk_refresh, wire.cookies.refresh)
  assert.equal((await browser.call(wire.me, { headers: bearer(accessToken) })).status, 200)
  says(await browser.call(wire.me), wire.noes.notSignedIn)
  const again = await browser.call(wire.refresh)
  assert.equal(again.set.rusk_access, undefined)
  assert.equal(typeof (again.body as Signed).accessToken, 'string', 'a refresh keeps to what sign-in chose')
})

test('a refresh in cookies tells when to come again and no token', async t => {
  const { browser } = await open(t, wire)
  await enter(browser, wire)
  const got = await browser.call(wire.refresh)
  assert.deepEqual(Object.keys(got.body as object), ['expiresIn'])
})

test('another delivery than these two is a wrong field', async t => {
  const { browser } = await open(t, wire)
  const got = await browser.call(wire.signUp.line, { json: { ...wire.signUp.json, delivery: 'url' } })
  assert.equal(got.status, 422)
  assert.match(got.text, /"field":"delivery"/)
})

test('problems are problem documents', async t => {
  const { browser } = await open(t, wire)
  const got = await browser.call(wire.me)
  assert.match(String(got.headers['content-type']), /^application\/problem\+json/)
})

test('what is taken is told by its code', async t => {
  const { browser } = await open(t, wire)
  await signUp(browser, wire)
  const again = (json: object) => browser.call(wire.signUp.line, { json: { ...wire.signUp.json, ...json } })
  const conflict = (code: RefusalCode, detail: string) =>
    [409, problem(409, 'Conflict', code, detail)] as const
  says(await again({ username: 'eve' }), conflict('email_taken', 'This e-mail address is already registered'))
  says(
    await again({ email: 'eve@example.com' }),
    conflict('username_taken', 'This username is already registered'),
  )
})

test('a weak password is refused with every reason', async t => {
  const { browser } = await open(t, wire)
  const got = await browser.call(wire.signUp.line, { json: { ...wire.signUp.json, password: 'ada12' } })
  assert.equal(got.status, 422)
  assert.partialDeepStrictEqual(got.body, { code: 'password_weak' })
  assert.match(got.text, /"field":"password"/)
})

test('the sessions of a user are listed, one of them as the current one', async t => {
  const { browser } = await open(t, wire)
  await enter(browser, wire)
  const phone = browser.stolen()
  phone.jar.drop('rusk_access', 'rusk_refresh', 'rusk_signin')
  await phone.call(wire.signIn.line, { json: wire.signIn.json, headers: { 'user-agent': 'Phone/1' } })
  const got = await browser.call('GET /auth/sessions')
  const { sessions } = got.body as { sessions: (Session & { userAgent: string; address: string })[] }
  assert.equal(got.status, 200)
  assert.deepEqual(
    sessions.map(({ current, userAgent, address }) => [current, userAgent, address]).toSorted(),
    [
      [false, 'Phone/1', '127.0.0.1'],
      [true, '', '127.0.0.1'],
    ],
  )
})

test('one session can be ended from another, at once', async t => {
  const { browser } = await open(t, wire)
  await enter(browser, wire)
  const phone = browser.stolen()
  phone.jar.drop('rusk_access', 'rusk_refresh', 'rusk_signin')
  const there = await phone.call(wire.signIn.line, { json: wire.signIn.json })
  const { id } = (there.body as Signed).session
  const got = await browser.call(`DELETE /auth/sessions/${id}`)
  assert.deepEqual([got.status, got.text, got.set], [204, '', {}])
  says(await phone.call(wire.me), wire.noes.revoked)
  says(await phone.call(wire.refresh), wire.noes.refreshBad)
  assert.equal((await browser.call(wire.me)).status, 200)
  const gone = [404, problem(404, 'Not Found', 'session_not_found', 'There is no such session')] as const
  says(await browser.call(`DELETE /auth/sessions/${id}`), gone)
})

test("somebody else's session is as absent as one that never was", async t => {
  const { browser } = await open(t, wire)
  await enter(browser, wire)
  const eve = browser.stolen()
  eve.jar.drop('rusk_access', 'rusk_refresh', 'rusk_signin')
  const json = { email: 'eve@example.com', password: 'apple no. 12' }
  const { id } = ((await eve.call(wire.signUp.line, { json })).body as Signed).session
  assert.equal((await browser.call(`DELETE /auth/sessions/${id}`)).status, 404)
  assert.equal((await eve.call(wire.me)).status, 200)
})

test('to end the current session is to sign out', async t => {
  const { browser } = await open(t, wire)
  const { signedIn } = await enter(browser, wire)
  const { id } = (signedIn.body as Signed).session
  const got = await browser.call(`DELETE /auth/sessions/${id}`)
  assert.equal(got.status, 204)
  isCleared(got.set.rusk_refresh, wire.cookies.refresh)
  assert.equal((await browser.call(wire.me)).status, 401)
})

test('all other sessions can be ended; this one stays', async t => {
  const { browser } = await open(t, wire)
  await enter(browser, wire)
  const phone = browser.stolen()
  phone.jar.drop('rusk_access', 'rusk_refresh', 'rusk_signin')
  await phone.call(wire.signIn.line, { json: wire.signIn.json })
  assert.equal((await browser.call('DELETE /auth/sessions')).status, 204)
  says(await phone.call(wire.me), wire.noes.revoked)
  assert.equal((await browser.call(wire.me)).status, 200)
})

test('the calls about sessions want somebody signed in', async t => {
  const { browser } = await open(t, wire)
  for (const line of ['GET /auth/sessions', 'DELETE /auth/sessions', 'DELETE /auth/sessions/x'] as const) {
    says(await browser.call(line), wire.noes.notSignedIn)
  }
})

test('behind https all three cookies are __Host- ones, and one that comes twice is hostile', async t => {
  const at = 'https://auth.example.test'
  const { browser } = await serve(t, 'native', 'api', { url: at }, at)
  await enter(browser, wire)
  const names = ['__Host-rusk_access', '__Host-rusk_refresh', '__Host-rusk_signin']
  assert.deepEqual(browser.jar.names().toSorted(), names)
  const access = browser.jar.get('__Host-rusk_access')?.value ?? ''
  const cookie = `__Host-rusk_access=${access}; __Host-rusk_access=evil`
  const hostile = browser.stolen()
  hostile.jar.drop(...names)
  const got = await hostile.call(wire.me, { headers: { cookie } })
  says(got, unauthorized('cookie_conflict', 'The cookies contradict each other'))
})
