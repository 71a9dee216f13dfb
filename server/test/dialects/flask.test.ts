// The wire of `flask`, walked over a socket as its front end does: bearer token in memory, double submit on refresh.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Browser, Got } from './browser.ts'
import { floor } from './floor.ts'
import { rotation } from './rotation.ts'
import { serve } from './serve.ts'
import { bearer, enter, isSet, open, says, signUp, type Wire } from './wire.ts'

const error = (text: string) => ({ error: text })
const unauthorized = [401, error('Invalid or missing authorization')] as const
const undecodable = [401, error('Token could not be decoded')] as const
const expired = [401, error('Token has expired')] as const
const csrfRefused = [401, error('CSRF token missing or incorrect')] as const

const csrfOf = async (browser: Browser): Promise<Record<string, string>> => {
  const text = browser.documentCookie().get('csrf_refresh_token')
  return text === undefined ? {} : { 'X-CSRF-TOKEN': text }
}

const tokenOf = (got: Got) => (got.body as { access_token: string }).access_token

const wire: Wire = {
  dialect: 'flask',
  page: 'http://localhost:3000',
  signUp: {
    line: 'POST /register',
    json: { email: 'ada@example.com', username: 'ada', password: 'engine no. 9' },
  },
  signIn: { line: 'POST /login', json: { email: 'ada@example.com', password: 'engine no. 9' } },
  refresh: 'POST /refresh',
  signOut: 'POST /logout',
  me: 'GET /me',
  names: { refresh: 'refresh_token', signIn: 'rusk_signin' },
  cookies: { refresh: { maxAge: 2_592_000, path: '/', sameSite: 'strict' } },
  headers: csrfOf,
  tokenOf,
  yes: { signOut: [200, { message: 'Logged out successfully' }] },
  noes: {
    foreign: error('Calls from this origin are refused'),
    malformed: [400, error('The body is not valid JSON')],
    missing: [400, error('password: Field required')],
    wrongType: 400,
    notFound: error('Not Found'),
    method: error('Method Not Allowed'),
    credentials: [401, error('Invalid credentials')],
    notSignedIn: unauthorized,
    badAccess: undecodable,
    revoked: expired,
    refreshMissing: unauthorized,
    refreshBad: undecodable,
  },
}

floor(wire)
rotation(wire)

const ada = { id: 1, email: 'ada@example.com', username: 'ada' }

test('register signs in: access token in the answer, refresh token in the cookie', async t => {
  const { browser } = await open(t, wire)
  const got = await signUp(browser, wire)
  says(got, [201, { access_token: tokenOf(got), user: ada }])
  isSet(got.set.refresh_token, wire.cookies.refresh)
  isSet(got.set.csrf_refresh_token, wire.cookies.refresh, { readable: true })
  says(await browser.call('GET /me', { headers: bearer(tokenOf(got)) }), [200, ada])
})

test('a username is not asked for', async t => {
  const { browser } = await open(t, wire)
  const { username: _, ...json } = wire.signUp.json
  const got = await browser.call('POST /register', { json })
  says(got, [201, { access_token: tokenOf(got), user: { ...ada, username: null } }])
})

test('sign-in takes the address or the username', async t => {
  const { browser } = await open(t, wire)
  await signUp(browser, wire)
  for (const login of [{ email: 'ada@example.com' }, { username: 'ada' }]) {
    const got = await browser.call('POST /login', { json: { ...login, password: 'engine no. 9' } })
    says(got, [200, { access_token: tokenOf(got), user: ada }])
  }
})

test('an account that is taken is told in general words', async t => {
  const { browser } = await open(t, wire)
  await signUp(browser, wire)
  says(await browser.call('POST /register', { json: wire.signUp.json }), [400, error('Registration failed')])
})

test('a script reads the CSRF cookie and no other', async t => {
  const { browser } = await open(t, wire)
  await enter(browser, wire)
  assert.deepEqual([...browser.documentCookie().keys()], ['csrf_refresh_token'])
})

test('the claims are those of Flask-JWT-Extended, and the subject is the number', async t => {
  const { browser } = await open(t, wire)
  const token = tokenOf(await signUp(browser, wire))
  const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
  assert.deepEqual([claims.type, claims.fresh, claims.sub], ['access', false, '1'])
  const life = claims.exp - claims.iat
  assert.ok(life <= 900 && life >= 855, `${life} s`)
})

test('the access token travels in the header only', async t => {
  const { browser } = await open(t, wire)
  const { signedIn } = await enter(browser, wire)
  assert.deepEqual(Object.keys(signedIn.set).toSorted(), [
    'csrf_refresh_token',
    'refresh_token',
    'rusk_signin',
  ])
  says(await browser.call('GET /me'), unauthorized)
})

test('a malformed Authorization header is none', async t => {
  const { browser } = await open(t, wire)
  for (const authorization of ['Basic YTpi', 'Bearer', 'Bearer  x', 'token']) {
    says(await browser.call('GET /me', { headers: { authorization } }), unauthorized)
  }
})

test('a token past its end has expired', async t => {
  const options = { session: { access: '1m', skew: '0s' } }
  const { browser, pass } = await serve(t, wire.dialect, wire.page, options)
  const { me } = await enter(browser, wire)
  pass(61_000)
  says(await me(), expired)
})

const wrong: readonly [string, (token: string) => Record<string, string>][] = [
  ['without the header', () => ({})],
  ['with an invented header', () => ({ 'X-CSRF-TOKEN': 'invented' })],
  ['with a truncated header', token => ({ 'X-CSRF-TOKEN': token.slice(0, -1) })],
  ['with the header twice', token => ({ 'X-CSRF-TOKEN': `${token}, ${token}` })],
  ['with the token under another name', token => ({ 'X-XSRF-TOKEN': token })],
]

for (const [sentence, headers] of wrong) {
  test(`refresh ${sentence} is refused`, async t => {
    const { browser } = await open(t, wire)
    await enter(browser, wire)
    const token = browser.jar.get('csrf_refresh_token')?.value ?? ''
    const got = await browser.call('POST /refresh', { headers: headers(token) })
    says(got, csrfRefused)
    assert.deepEqual(got.set, {})
  })
}

test('a form field is never a CSRF token', async t => {
  const { browser } = await open(t, wire)
  await enter(browser, wire)
  const csrf_token = browser.jar.get('csrf_refresh_token')?.value
  says(await browser.call('POST /refresh', { json: { csrf_token } }), csrfRefused)
})

test("another session's CSRF token is not good for this one", async t => {
  const { browser } = await open(t, wire)
  await enter(browser, wire)
  const other = browser.stolen()
  other.jar.drop('refresh_token', 'rusk_signin', 'csrf_refresh_token')
  await other.call('POST /login', { json: wire.signIn.json })
  const foreign = other.jar.get('csrf_refresh_token')
  assert.ok(foreign)
  browser.jar.plant(browser.at, foreign.name, foreign.value, { path: '/', samesite: 'Strict' })
  says(await browser.call('POST /refresh', { headers: await csrfOf(browser) }), csrfRefused)
})

test('sign-out by the Authorization header alone ends the session', async t => {
  const { browser } = await open(t, wire)
  const { signedIn, me } = await enter(browser, wire)
  const bare = browser.stolen()
  bare.jar.drop('refresh_token', 'rusk_signin', 'csrf_refresh_token')
  says(await bare.call('POST /logout', { headers: bearer(tokenOf(signedIn)) }), wire.yes.signOut)
  says(await me(), expired)
})
