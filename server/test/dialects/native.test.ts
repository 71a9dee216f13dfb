// The native wire, walked over a socket: both deliveries, the list of sessions, problem documents.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Delivery } from '../../src/core/model.ts'
import type { RefusalCode } from '../../src/core/refusal.ts'
import type { Browser, Line } from './browser.ts'
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

type Session = {
  id: string
  current: boolean
  device: object
  userAgent: string
  address: string
  openedAt: string
  lastUsedAt: string
  idleEndsAt: string
  endsAt: string
}
type Signed = {
  user: { id: string }
  session: Session
  accessToken?: string
  expiresIn?: number
  /** Of the answer to who asks who is signed in. */
  accessEndsAt?: string
}

const iso = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

test('sign-up signs in and answers with user and session, no token among them', async t => {
  const { browser } = await open(t, wire)
  const got = await signUp(browser, wire)
  const { user, session, ...rest } = got.body as Signed
  assert.deepEqual([got.status, Object.keys(rest)], [201, ['expiresIn']])
  assert.ok((rest.expiresIn ?? 0) > 540 && (rest.expiresIn ?? 0) <= 600, 'it tells when to come again')
  assert.partialDeepStrictEqual(user, { email: 'ada@example.com', username: 'ada', name: 'Ada Lovelace' })
  assert.match(user.id, /^[\w-]{22}$/)
  const { openedAt, lastUsedAt, idleEndsAt, endsAt } = session
  for (const time of [openedAt, lastUsedAt, idleEndsAt, endsAt]) assert.match(time, iso)
  const days = (until: string) => (Date.parse(until) - Date.parse(openedAt)) / 86_400_000
  assert.deepEqual([lastUsedAt, days(idleEndsAt), days(endsAt)], [openedAt, 14, 90])
  assert.equal(session.current, true)
  const asked = await browser.call('GET /auth/session')
  const { accessEndsAt, ...holder } = asked.body as Signed
  assert.deepEqual([asked.status, holder], [200, { user, session }])
  assert.match(accessEndsAt ?? '', iso)
  const left = (Date.parse(accessEndsAt ?? '') - Date.parse(openedAt)) / 1000
  assert.ok(Math.abs(left - (rest.expiresIn ?? 0)) < 1, 'as long as the sign-in said')
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

const agent =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1'
const iphone = { browser: 'Safari', system: 'iOS', kind: 'mobile', label: 'Safari on iPhone' }
const unknown = { browser: null, system: null, kind: null, label: 'Unknown device' }

type Seat = { readonly browser: Browser; readonly id: string; readonly headers: Record<string, string> }

/** Another browser of the same person. `headers`: what its signed-in calls carry beside cookies. */
async function seat(from: Browser, delivery: Delivery, json: object = {}, userAgent = ''): Promise<Seat> {
  const browser = from.stolen()
  browser.jar.drop('rusk_access', 'rusk_refresh', 'rusk_signin')
  const line = 'email' in json ? wire.signUp.line : wire.signIn.line
  const own = 'email' in json ? json : wire.signIn.json
  const headers = userAgent === '' ? {} : { 'user-agent': userAgent }
  const got = await browser.call(line, { json: { ...own, delivery }, headers })
  assert.ok(got.status < 300, got.text)
  const { session, accessToken } = got.body as Signed
  return { browser, id: session.id, headers: accessToken === undefined ? {} : bearer(accessToken) }
}

const ask = ({ browser, headers }: Seat, line: Line) => browser.call(line, { headers })
const eve = { email: 'eve@example.com', password: 'apple no. 12' }
const gone = [404, problem(404, 'Not Found', 'session_not_found', 'There is no such session')] as const

for (const delivery of ['cookies', 'memory'] as const) {
  test(`the sessions of a user are listed, one of them as this one, with delivery in ${delivery}`, async t => {
    const { browser } = await open(t, wire)
    await signUp(browser, wire)
    await browser.call(wire.signOut)
    const desk = await seat(browser, delivery)
    const phone = await seat(browser, delivery, {}, agent)
    await seat(browser, delivery, eve)
    for (const here of [desk, phone]) {
      const got = await ask(here, 'GET /auth/sessions')
      assert.equal(got.status, 200)
      const { sessions } = got.body as { sessions: Session[] }
      const told = new Map(
        sessions.map(({ id, current, device, userAgent, address }) => [
          id,
          { current, device, userAgent, address },
        ]),
      )
      const of = (each: Seat, device: object, userAgent: string) =>
        [each.id, { current: each === here, device, userAgent, address: '127.0.0.1' }] as const
      assert.deepEqual(told, new Map([of(desk, unknown, ''), of(phone, iphone, agent)]))
    }
    const { session } = (await ask(phone, wire.me)).body as Signed
    assert.deepEqual([session.device, session.userAgent], [iphone, agent])
  })

  test(`one session can be ended from another, at once, with delivery in ${delivery}`, async t => {
    const { browser } = await open(t, wire)
    await signUp(browser, wire)
    const here = await seat(browser, delivery)
    const phone = await seat(browser, delivery)
    const desk = await seat(browser, delivery)
    assert.equal((await ask(phone, wire.me)).status, 200)
    const got = await ask(here, `DELETE /auth/sessions/${phone.id}`)
    assert.deepEqual([got.status, got.text, got.set], [204, '', {}])
    says(await ask(phone, wire.me), wire.noes.revoked)
    says(await ask(phone, wire.refresh), wire.noes.refreshBad)
    for (const each of [here, desk]) assert.equal((await ask(each, wire.me)).status, 200)
  })

  test(`somebody else's session is as absent as one that never was, with delivery in ${delivery}`, async t => {
    const { browser } = await open(t, wire)
    await signUp(browser, wire)
    const here = await seat(browser, delivery)
    const ended = await seat(browser, delivery)
    assert.equal((await ask(ended, wire.signOut)).status, 204)
    const foreign = await seat(browser, delivery, eve)
    const ids = [foreign.id, ended.id, 'A'.repeat(22), 'x', '__proto__', '%27%20OR%201=1']
    const { date: _, ...same } = (await ask(here, `DELETE /auth/sessions/${foreign.id}`)).headers
    for (const id of ids) {
      const got = await ask(here, `DELETE /auth/sessions/${id}`)
      says(got, gone)
      const { date: _, ...headers } = got.headers
      assert.deepEqual(headers, same, id)
    }
    assert.equal((await ask(foreign, wire.me)).status, 200)
  })

  test(`to end this session is to sign out, with delivery in ${delivery}`, async t => {
    const { browser } = await open(t, wire)
    await signUp(browser, wire)
    const here = await seat(browser, delivery)
    const got = await ask(here, `DELETE /auth/sessions/${here.id}`)
    assert.equal(got.status, 204)
    isCleared(got.set.rusk_access, wire.cookies.access ?? wire.cookies.refresh)
    isCleared(got.set.rusk_refresh, wire.cookies.refresh)
    assert.deepEqual(here.browser.jar.names(), ['rusk_signin'])
    assert.equal((await ask(here, wire.me)).status, 401)
    assert.equal((await browser.call(wire.me)).status, 200, 'no other one has ended')
  })

  test(`all other sessions can be ended; this one stays, with delivery in ${delivery}`, async t => {
    const { browser } = await open(t, wire)
    await signUp(browser, wire)
    const here = await seat(browser, delivery)
    const others = [await seat(browser, 'cookies'), await seat(browser, 'memory')]
    const foreign = await seat(browser, delivery, eve)
    const got = await ask(here, 'DELETE /auth/sessions')
    assert.deepEqual([got.status, got.text, got.set], [204, '', {}])
    for (const each of others) {
      says(await ask(each, wire.me), wire.noes.revoked)
      says(await ask(each, wire.refresh), wire.noes.refreshBad)
    }
    says(await browser.call(wire.me), wire.noes.revoked)
    for (const each of [here, foreign]) assert.equal((await ask(each, wire.me)).status, 200)
    assert.equal((await ask(here, wire.refresh)).status, 200)
  })
}

test('the calls about sessions want somebody signed in', async t => {
  const { browser } = await open(t, wire)
  for (const line of ['GET /auth/sessions', 'DELETE /auth/sessions', 'DELETE /auth/sessions/x'] as const) {
    says(await browser.call(line), wire.noes.notSignedIn)
  }
  const json = { current: wire.signIn.json.password, new: 'engine no. 10 is better' }
  says(await browser.call('POST /auth/password', { json }), wire.noes.notSignedIn)
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

const better = 'engine no. 10 is better'

for (const delivery of ['cookies', 'memory'] as const) {
  test(`a new password: this browser goes on, every other one is out at once, with delivery in ${delivery}`, async t => {
    const { browser } = await open(t, wire)
    await signUp(browser, wire)
    const here = await seat(browser, delivery)
    const others = [await seat(browser, 'cookies'), await seat(browser, 'memory')]
    for (const each of [here, ...others]) assert.equal((await ask(each, wire.me)).status, 200)
    const thief: Seat = { ...here, browser: here.browser.stolen() }
    const change = (json: object) => here.browser.call('POST /auth/password', { json, headers: here.headers })
    const { password } = wire.signIn.json

    const wrong = await change({ current: 'not this', new: better })
    assert.deepEqual([wrong.status, wrong.set], [403, {}])
    const issues = [{ field: 'current', type: 'value_error', message: 'Current password is wrong' }]
    assert.partialDeepStrictEqual(wrong.body, { code: 'password_wrong', issues })
    const weak = await change({ current: password, new: 'ada1' })
    assert.deepEqual([weak.status, weak.set], [422, {}])
    assert.match(weak.text, /"code":"password_weak".*"field":"new"/)
    assert.match((await change({ current: password })).text, /"field":"new","type":"missing"/)

    const got = await change({ current: password, new: better })
    assert.equal(got.status, 200, got.text)
    const { user, session, accessToken } = got.body as Signed
    assert.equal(typeof accessToken, delivery === 'memory' ? 'string' : 'undefined')
    assert.notEqual(session.id, here.id)
    isSet(got.set.rusk_refresh, wire.cookies.refresh)
    isSet(got.set.rusk_signin, wire.cookies.refresh)
    const now: Seat = {
      browser: here.browser,
      id: session.id,
      headers: accessToken === undefined ? {} : bearer(accessToken),
    }
    const { accessEndsAt: _, ...holder } = (await ask(now, wire.me)).body as Signed
    assert.deepEqual(holder, { user, session })
    assert.equal((await ask(now, wire.refresh)).status, 200)
    for (const each of [thief, ...others]) {
      says(await ask(each, wire.me), wire.noes.revoked)
      says(await ask(each, wire.refresh), wire.noes.refreshBad)
    }
    says(await browser.call(wire.me), wire.noes.revoked)
    says(await browser.call(wire.signIn.line, { json: wire.signIn.json }), wire.noes.credentials)
    const again = { ...wire.signIn.json, password: better }
    assert.equal((await browser.call(wire.signIn.line, { json: again })).status, 200)
  })
}

test('a page of another origin changes no password', async t => {
  const { browser } = await open(t, wire)
  await enter(browser, wire)
  const json = { current: wire.signIn.json.password, new: better }
  const evil = await browser.tab('https://evil.example').call('POST /auth/password', { json })
  assert.ok(evil.blocked || evil.status === 403)
  assert.equal((await browser.call(wire.me)).status, 200)
  assert.equal((await browser.call(wire.signIn.line, { json: wire.signIn.json })).status, 200)
})
