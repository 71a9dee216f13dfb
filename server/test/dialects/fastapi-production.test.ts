// The wire of `fastapi-production`, walked over a socket: its account, its password rules, its throttle, its pages.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { floor } from './floor.ts'
import { rotation } from './rotation.ts'
import { ask, enter, open, says, signUp, type Wire } from './wire.ts'

const detail = (text: string) => ({ detail: text })

const wire: Wire = {
  dialect: 'fastapi-production',
  page: 'http://localhost:5173',
  signUp: {
    line: 'POST /api/auth/register',
    json: { email: 'ada@example.com', password: 'Password1', full_name: 'Ada Lovelace' },
  },
  signIn: { line: 'POST /api/auth/login', json: { email: 'ada@example.com', password: 'Password1' } },
  refresh: 'POST /api/auth/refresh',
  signOut: 'POST /api/auth/logout',
  me: 'GET /api/auth/me',
  names: { access: 'access_token', refresh: 'refresh_token', signIn: 'rusk_signin' },
  cookies: {
    access: { maxAge: 3600, path: '/', sameSite: 'strict' },
    refresh: { maxAge: 604_800, path: '/', sameSite: 'strict' },
  },
  yes: {
    refresh: { message: 'Token refreshed successfully' },
    signOut: [200, { message: 'Successfully logged out' }],
  },
  noes: {
    foreign: detail('Calls from this origin are refused'),
    malformed: [422, { detail: [{ type: 'json_invalid', loc: ['body'], msg: 'JSON decode error' }] }],
    missing: [422, { detail: [{ type: 'missing', loc: ['body', 'password'], msg: 'Field required' }] }],
    wrongType: 422,
    notFound: detail('Not Found'),
    method: detail('Method Not Allowed'),
    credentials: [401, detail('Incorrect email or password')],
    notSignedIn: [401, detail('Not authenticated')],
    badAccess: [401, detail('Not authenticated')],
    revoked: [401, detail('Not authenticated')],
    refreshMissing: [401, detail('Refresh token missing')],
    refreshBad: [401, detail('Invalid refresh token')],
  },
}

floor(wire)
rotation(wire)

type Account = { created_at: string; last_login: string | null }
const naive = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?$/

test('register answers with the whole account; nobody has signed in yet', async t => {
  const { browser } = await open(t, wire)
  const got = await signUp(browser, wire)
  const { created_at } = got.body as Account
  says(got, [
    201,
    {
      id: 1,
      email: 'ada@example.com',
      full_name: 'Ada Lovelace',
      is_active: true,
      is_superuser: false,
      created_at,
      last_login: null,
    },
  ])
  assert.match(created_at, naive)
  assert.ok(Math.abs(Date.parse(`${created_at}Z`) - Date.now()) < 60_000, 'in UTC')
  assert.deepEqual(got.set, {})
})

test('who am I answers as register does, with the time of the sign-in', async t => {
  const { browser } = await open(t, wire)
  const up = await signUp(browser, wire)
  says(await browser.call(wire.signIn.line, { json: wire.signIn.json }), [
    200,
    { message: 'Login successful' },
  ])
  const me = await browser.call(wire.me)
  const { last_login } = me.body as Account
  says(me, [200, { ...(up.body as Account), last_login }])
  assert.match(String(last_login), naive)
})

test('a taken address is told in general words', async t => {
  const { browser } = await open(t, wire)
  await signUp(browser, wire)
  says(await ask(browser, wire, wire.signUp.line, { json: wire.signUp.json }), [
    400,
    detail('Registration failed'),
  ])
})

const weak: readonly [string, string][] = [
  ['Passw0r', 'at least 8'],
  ['password1', 'upper-case'],
  ['PASSWORD1', 'lower-case'],
  ['Password', 'digit'],
]

for (const [password, why] of weak) {
  test(`the password ${password} is refused: ${why}`, async t => {
    const { browser } = await open(t, wire)
    const got = await browser.call(wire.signUp.line, { json: { ...wire.signUp.json, password } })
    assert.equal(got.status, 422)
    const [entry] = (got.body as { detail: { loc: unknown; msg: string }[] }).detail
    assert.deepEqual(entry?.loc, ['body', 'password'])
    assert.match(String(entry?.msg), new RegExp(why))
  })
}

test('the sixth attempt within a minute from one address waits, right or wrong', async t => {
  const { browser } = await open(t, wire)
  await enter(browser, wire)
  const wrong = { ...wire.signIn.json, password: 'Wrong0ne' }
  for (const _ of [2, 3, 4, 5]) {
    says(await browser.call(wire.signIn.line, { json: wrong }), wire.noes.credentials)
  }
  const sixth = await browser.call(wire.signIn.line, { json: wire.signIn.json })
  says(sixth, [429, detail('Too many requests. Please try again later.')])
  assert.equal(sixth.blocked, false, 'the page shows it')
  const wait = Number(sixth.headers['retry-after'])
  assert.ok(Number.isInteger(wait) && wait >= 1 && wait <= 60)
  assert.equal((await browser.call(wire.me)).status, 200, 'who is signed in stays so')
})

test('both default origins are listed', async t => {
  const { browser } = await open(t, wire)
  await enter(browser, wire)
  for (const page of ['http://localhost:3000', 'http://localhost:5173']) {
    const got = await browser.tab(page).call(wire.me)
    assert.deepEqual([got.status, got.blocked], [200, false])
  }
})

test('health answers under the API too', async t => {
  const { browser } = await open(t, wire)
  says(await browser.call('GET /api/auth/health'), [200, { status: 'healthy' }])
})

test('Swagger UI and ReDoc stand at /docs and /redoc', async t => {
  const { browser } = await open(t, wire)
  for (const path of ['/docs', '/redoc'] as const) {
    const got = await browser.call(`GET ${path}`)
    assert.equal(got.status, 200)
    assert.match(String(got.headers['content-type']), /^text\/html; *charset=utf-8$/i)
  }
})
