// The wire of `django`, walked over a socket as its front end does: csrftoken on every unsafe call, cookies under /api/.
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import type { Browser, Got } from './browser.ts'
import { floor } from './floor.ts'
import { rotation } from './rotation.ts'
import { serve } from './serve.ts'
import { ask, bearer, enter, isCleared, isSet, open, says, signUp, type Wire } from './wire.ts'

const detail = (text: string) => ({ detail: text })
const csrfRefused = [403, detail('CSRF Failed: CSRF token missing or incorrect.')] as const
const badRefresh = [401, { detail: 'Token is invalid or expired', code: 'token_not_valid' }] as const
const badAccess = [
  401,
  {
    detail: 'Given token not valid for any token type',
    code: 'token_not_valid',
    messages: [{ token_class: 'AccessToken', token_type: 'access', message: 'Token is invalid or expired' }],
  },
] as const

const csrfCookie = { maxAge: 31_449_600, path: '/', sameSite: 'lax' } as const

/** As its front end does: once per page load, then from the cookie. */
const csrfOf = async (browser: Browser): Promise<Record<string, string>> => {
  if (!browser.documentCookie().has('csrftoken')) await browser.call('GET /api/csrf/')
  return { 'X-CSRFToken': browser.documentCookie().get('csrftoken') ?? '' }
}

const tokenOf = (got: Got) => (got.body as { access: string }).access

const wire: Wire = {
  dialect: 'django',
  options: { origins: ['http://localhost:5173'] },
  page: 'http://localhost:5173',
  signUp: {
    line: 'POST /api/register/',
    json: { username: 'ada', email: 'ada@example.com', password: 'engine no. 9' },
  },
  signIn: { line: 'POST /api/token/pair', json: { username: 'ada', password: 'engine no. 9' } },
  refresh: 'POST /api/token/refresh/',
  signOut: 'POST /api/logout/',
  me: 'GET /api/me/',
  names: { refresh: 'refresh_token', signIn: 'rusk_signin' },
  cookies: { refresh: { maxAge: 1_209_600, path: '/api/', sameSite: 'lax' } },
  headers: csrfOf,
  tokenOf,
  yes: { signOut: [204, undefined] },
  noes: {
    foreign: detail('CSRF Failed: Origin checking failed.'),
    malformed: [422, { detail: [{ type: 'json_invalid', loc: ['body'], msg: 'JSON decode error' }] }],
    missing: [422, { detail: [{ type: 'missing', loc: ['body', 'password'], msg: 'Field required' }] }],
    wrongType: 422,
    notFound: detail('Not Found'),
    method: detail('Method not allowed'),
    credentials: [
      401,
      { detail: 'No active account found with the given credentials', code: 'no_active_account' },
    ],
    notSignedIn: [401, detail('Unauthorized')],
    badAccess,
    revoked: badAccess,
    refreshMissing: badRefresh,
    refreshBad: badRefresh,
  },
}

floor(wire)
rotation(wire)

const ada = { id: 1, username: 'ada', email: 'ada@example.com' }

test('the CSRF call sets a readable cookie and says nothing', async t => {
  const { browser } = await open(t, wire)
  const got = await browser.call('GET /api/csrf/')
  says(got, [204, undefined])
  assert.equal(got.text, '')
  isSet(got.set.csrftoken, csrfCookie, { readable: true })
  assert.deepEqual([...browser.documentCookie().keys()], ['csrftoken'])
})

test('register answers with the account and signs nobody in', async t => {
  const { browser } = await open(t, wire)
  const got = await signUp(browser, wire)
  says(got, [201, ada])
  assert.equal(got.set.refresh_token, undefined)
})

test('an account that is taken is told in general words', async t => {
  const { browser } = await open(t, wire)
  await signUp(browser, wire)
  for (const other of [{ username: 'eve' }, { email: 'eve@example.com' }]) {
    const got = await ask(browser, wire, wire.signUp.line, { json: { ...wire.signUp.json, ...other } })
    says(got, [400, detail('Registration failed.')])
  }
})

for (const line of [
  'POST /api/token/pair',
  'POST /api/token/',
  'POST /api/token/pair/',
  'POST /api/token',
] as const) {
  test(`${line} gives the access token and never the refresh token`, async t => {
    const { browser } = await open(t, wire)
    await signUp(browser, wire)
    const got = await ask(browser, wire, line, { json: wire.signIn.json })
    says(got, [200, { access: tokenOf(got) }])
    isSet(got.set.refresh_token, wire.cookies.refresh)
    isSet(got.set.csrftoken, csrfCookie, { readable: true })
    assert.equal(got.text.includes(got.set.refresh_token?.value ?? '?'), false)
    says(await browser.call('GET /api/me', { headers: bearer(tokenOf(got)) }), [200, ada])
  })
}

test('the claims are those of django-ninja-jwt', async t => {
  const { browser } = await open(t, wire)
  const { signedIn } = await enter(browser, wire)
  const claims = JSON.parse(Buffer.from(tokenOf(signedIn).split('.')[1] ?? '', 'base64url').toString())
  assert.deepEqual([claims.token_type, claims.user_id, claims.sub], ['access', 1, '1'])
  const life = claims.exp - claims.iat
  assert.ok(life <= 300 && life >= 285, `${life} s`)
  assert.equal('aud' in claims, false)
})

test('the second service checks the access token with nothing but the shared key', async t => {
  const key = 'a shared key of more than thirty-two bytes'
  const { browser } = await serve(t, wire.dialect, wire.page, { ...wire.options, jwt: { key } })
  const { signedIn } = await enter(browser, wire)
  const [header = '', payload = '', signature] = tokenOf(signedIn).split('.')
  assert.equal(JSON.parse(Buffer.from(header, 'base64url').toString()).alg, 'HS256')
  assert.equal(createHmac('sha256', key).update(`${header}.${payload}`).digest('base64url'), signature)
})

const unsafe = [
  ['POST /api/register/', wire.signUp.json],
  ['POST /api/token/pair', wire.signIn.json],
  ['POST /api/token/', wire.signIn.json],
  ['POST /api/token/refresh/', undefined],
  ['POST /api/logout/', undefined],
] as const

const wrong: readonly [string, (token: string) => Record<string, string>][] = [
  ['without the header', () => ({})],
  ['with an invented header', () => ({ 'X-CSRFToken': 'invented' })],
  ['with a truncated header', token => ({ 'X-CSRFToken': token.slice(0, -1) })],
]

for (const [line, json] of unsafe) {
  for (const [sentence, headers] of wrong) {
    test(`${line} ${sentence} is refused`, async t => {
      const { browser } = await open(t, wire)
      await enter(browser, wire)
      const token = browser.jar.get('csrftoken')?.value ?? ''
      const got = await browser.call(line, { ...(json ? { json } : {}), headers: headers(token) })
      says(got, csrfRefused)
      assert.deepEqual(got.set, {})
    })
  }
}

test('an invented token in cookie and header alike is refused', async t => {
  const { browser } = await open(t, wire)
  browser.jar.plant(browser.at, 'csrftoken', 'invented', { path: '/', samesite: 'Lax' })
  says(await ask(browser, wire, wire.signIn.line, { json: wire.signIn.json }), csrfRefused)
})

test('the CSRF token from before sign-in is not good for a call that the session authenticates', async t => {
  const { browser } = await open(t, wire)
  await browser.call('GET /api/csrf/')
  const anonymous = browser.jar.get('csrftoken')
  assert.ok(anonymous)
  await enter(browser, wire)
  assert.notEqual(browser.jar.get('csrftoken')?.value, anonymous.value)
  browser.jar.plant(browser.at, 'csrftoken', anonymous.value, { path: '/', samesite: 'Lax' })
  says(await ask(browser, wire, wire.refresh), csrfRefused)
})

test("sign-out leaves the CSRF token alone, and an ended session's is good for leaving and coming again", async t => {
  const { browser } = await open(t, wire)
  await enter(browser, wire)
  const bound = browser.jar.get('csrftoken')?.value ?? ''
  const out = await ask(browser, wire, wire.signOut)
  assert.equal(out.set.csrftoken, undefined)
  assert.equal(browser.jar.get('csrftoken')?.value, bound)
  says(await ask(browser, wire, wire.signOut), [204, undefined])
  assert.equal((await ask(browser, wire, wire.signIn.line, { json: wire.signIn.json })).status, 200)
})

test('a refresh leaves the CSRF cookie alone', async t => {
  const { browser } = await open(t, wire)
  await enter(browser, wire)
  const got = await ask(browser, wire, wire.refresh)
  assert.deepEqual([got.status, Object.keys(got.set)], [200, []])
})

test('the refresh cookie is not sent outside /api/', async t => {
  const { browser } = await open(t, wire)
  await enter(browser, wire)
  const url = new URL('/elsewhere', browser.at)
  const sent = browser.jar.header({ url, crossSite: false, topLevelGet: false }, Date.now())
  assert.equal(sent?.includes('refresh_token'), false)
})

test('across sites the token cookies are SameSite=None and Secure, set and cleared', async t => {
  const at = 'https://api.example.test'
  const options = { origins: ['https://app.other.test'], url: at, cookies: { crossSite: true } }
  const { browser } = await serve(t, wire.dialect, undefined, options, at)
  const across = { ...wire.cookies.refresh, sameSite: 'none' } as const
  const { signedIn } = await enter(browser, wire)
  isSet(signedIn.set.refresh_token, across, { secure: true })
  isSet(signedIn.set.rusk_signin, across, { secure: true })
  const out = await ask(browser, wire, wire.signOut)
  isCleared(out.set.refresh_token, across, { secure: true })
})

test('on sibling hosts the front end reads the CSRF cookie of a common domain, and no token gets that domain', async t => {
  const at = 'https://api.example.test'
  const page = 'https://app.example.test'
  const options = { origins: [page], url: at, csrf: { domain: 'example.test' } }
  const { browser } = await serve(t, wire.dialect, page, options, at)
  const { signedIn } = await enter(browser, wire)
  assert.equal(signedIn.set.csrftoken?.attributes.domain, 'example.test')
  isSet(signedIn.set.refresh_token, wire.cookies.refresh, { secure: true })
  isSet(signedIn.set.rusk_signin, wire.cookies.refresh, { secure: true })
  const again = await ask(browser, wire, wire.refresh)
  assert.deepEqual([again.status, again.blocked], [200, false])
})

test('a prefix moves the calls and the refresh cookie with them', async t => {
  const { browser } = await serve(t, wire.dialect, wire.page, { ...wire.options, prefix: '/site' })
  assert.equal((await browser.call('GET /api/csrf/')).status, 404)
  assert.equal((await browser.call('GET /site/api/csrf/')).status, 204)
  const headers = await csrfOf(browser)
  const ask = { json: wire.signUp.json, headers }
  assert.equal((await browser.call('POST /site/api/register/', ask)).status, 201)
  const got = await browser.call('POST /site/api/token/pair', { json: wire.signIn.json, headers })
  isSet(got.set.refresh_token, { ...wire.cookies.refresh, path: '/site/api/' })
  const renewed = await browser.call('POST /site/api/token/refresh/', { headers: await csrfOf(browser) })
  assert.equal(renewed.status, 200)
})
