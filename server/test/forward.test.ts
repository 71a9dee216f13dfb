// A proxy asks about each call before it passes it on: who makes it, and whether another site's page could have.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Options, type Rusk, rusk } from '../src/index.ts'
import { bearing, password } from './following.ts'
import { cookieHeader, setCookies } from './serving.ts'

const url = 'https://app.example'
const listed = 'https://front.example'
const evil = 'https://evil.example'

const jack = { email: 'jack@example.com', username: 'jack', password }

async function open(t: TestContext, options: Options = {}): Promise<Rusk> {
  const auth = await rusk({
    database: 'sqlite::memory:',
    url,
    origins: [listed],
    log: { level: 'silent' },
    secret: 'known to this test and to nobody else',
    ...options,
  })
  t.after(() => auth.close())
  return auth
}

type Headers = Readonly<Record<string, string>>

const send = (auth: Rusk, path: string, body: object, headers: Headers = {}): Promise<Response> =>
  auth.fetch(
    new Request(url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    }),
  )

/** As a proxy asks. */
const forward = (auth: Rusk, headers: Headers = {}): Promise<Response> =>
  auth.fetch(new Request(`${url}/auth/forward`, { headers }))

const told = ({ headers }: Response) =>
  ['remote-user', 'remote-session', 'remote-email'].map(name => headers.get(name))

type Entered = {
  readonly cookie: string
  readonly access: string
  readonly user: string
  readonly session: string
}

async function enter(auth: Rusk, delivery: 'cookies' | 'memory', who: object = jack): Promise<Entered> {
  const answer = await send(auth, '/auth/sign-up', { ...who, delivery })
  assert.equal(answer.status, 201, await answer.clone().text())
  const {
    user,
    session,
    accessToken = '',
  } = (await answer.json()) as {
    user: { id: string }
    session: { id: string }
    accessToken?: string
  }
  const cookie = cookieHeader(setCookies(answer))
  return { cookie, access: accessToken, user: user.id, session: session.id }
}

const get = { 'x-original-method': 'GET' }
const post = { 'x-original-method': 'POST' }
const webSocket = { ...get, 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==', 'sec-websocket-version': '13' }

const asCookie: readonly [sentence: string, headers: Headers, status: 204 | 403][] = [
  ['a GET, as nginx tells it', get, 204],
  ['a GET, as Traefik and Caddy tell it', { 'x-forwarded-method': 'GET' }, 204],
  ['a HEAD', { 'x-original-method': 'HEAD' }, 204],
  ['a GET from a page of another site', { ...get, origin: evil, 'sec-fetch-site': 'cross-site' }, 204],
  ['a POST from a program', post, 204],
  ['a POST from a page of this origin', { ...post, origin: url, 'sec-fetch-site': 'same-origin' }, 204],
  ['a POST from a page of a listed origin', { ...post, origin: listed, 'sec-fetch-site': 'cross-site' }, 204],
  ['a POST from a page of another site', { ...post, origin: evil, 'sec-fetch-site': 'cross-site' }, 403],
  ['a POST from a sandboxed page', { ...post, origin: 'null' }, 403],
  ['a POST from another host of the site', { ...post, 'sec-fetch-site': 'same-site' }, 403],
  ['a POST that lost its Origin', { ...post, referer: `${evil}/page` }, 403],
  ['a DELETE from another site', { 'x-forwarded-method': 'DELETE', origin: evil }, 403],
  ['a method that nobody knows', { 'x-original-method': 'PURGE', origin: evil }, 403],
  ['a method in another case', { 'x-original-method': 'get', origin: evil }, 403],
  ['a method that came twice', { 'x-original-method': 'GET, GET', origin: evil }, 403],
  ['an empty method', { 'x-original-method': '', origin: evil }, 403],
  ['two headers that contradict each other', { ...get, 'x-forwarded-method': 'POST', origin: evil }, 403],
  ['the same the other way round', { ...post, 'x-forwarded-method': 'GET', origin: evil }, 403],
  ['two headers that agree', { ...get, 'x-forwarded-method': 'GET', origin: evil }, 204],
  ['no method, from another site', { origin: evil }, 403],
  ['no method, from a listed origin', { origin: listed }, 204],
  ['no method, from a program', {}, 204],
  ['a WebSocket from a page of another site', { ...webSocket, origin: evil }, 403],
  ['a WebSocket from a page of this origin', { ...webSocket, origin: url }, 204],
  ['a WebSocket by its Upgrade alone', { ...get, upgrade: 'websocket', origin: evil }, 403],
]
for (const [sentence, headers, status] of asCookie) {
  test(`by cookie: ${sentence}: ${status}`, async t => {
    const auth = await open(t)
    const { cookie, user, session } = await enter(auth, 'cookies')
    const answer = await forward(auth, { ...headers, cookie })
    const text = await answer.text()
    assert.equal(answer.status, status, text)
    assert.deepEqual(told(answer), status === 204 ? [user, session, null] : [null, null, null])
    assert.equal(answer.headers.get('access-control-allow-origin'), null)
    if (status === 204) return
    const { code, detail } = JSON.parse(text) as { code: string; detail: string }
    assert.equal(code, 'origin_refused')
    const unknown = !('x-original-method' in headers || 'x-forwarded-method' in headers)
    assert.equal(/X-Original-Method or X-Forwarded-Method/.test(detail), unknown, detail)
  })
}

test('a bearer token is sent by no page of another site: its calls are let through', async t => {
  const auth = await open(t)
  const { access, user, session } = await enter(auth, 'memory')
  for (const headers of [get, { ...post, origin: evil }, { ...webSocket, origin: evil }, {}]) {
    const answer = await forward(auth, { ...headers, ...bearing(access) })
    assert.deepEqual([answer.status, ...told(answer)], [204, user, session, null])
  }
})

test('HEAD is answered like GET', async t => {
  const auth = await open(t)
  const { cookie, user } = await enter(auth, 'cookies')
  const answer = await auth.fetch(
    new Request(`${url}/auth/forward`, { method: 'HEAD', headers: { ...get, cookie } }),
  )
  assert.deepEqual([answer.status, answer.headers.get('remote-user')], [204, user])
})

const nobody: readonly [sentence: string, headers: (entered: Entered) => Headers, code: string][] = [
  ['nothing', () => ({}), 'not_signed_in'],
  ['a name that somebody claims to have', () => ({ 'remote-user': 'admin' }), 'not_signed_in'],
  ['the refresh cookie alone', ({ cookie }) => ({ cookie: only(cookie, 'refresh') }), 'not_signed_in'],
  ['a cookie that is no token', () => ({ cookie: '__Host-rusk_access=x' }), 'access_invalid'],
  ['a bearer token that is none', () => bearing('x'), 'access_invalid'],
  ['another scheme', () => ({ authorization: 'Basic x' }), 'access_malformed'],
  ['the cookie twice', ({ cookie }) => ({ cookie: `${cookie}; __Host-rusk_access=x` }), 'cookie_conflict'],
]
const only = (cookie: string, part: string): string =>
  cookie.split('; ').find(pair => pair.includes(part)) ?? ''
for (const [sentence, headers, code] of nobody) {
  test(`${sentence} is nobody, and the proxy is told where to sign in`, async t => {
    const auth = await open(t)
    const answer = await forward(auth, { ...get, ...headers(await enter(auth, 'cookies')) })
    assert.deepEqual([answer.status, ((await answer.json()) as { code: string }).code], [401, code])
    assert.equal(answer.headers.get('www-authenticate'), 'Bearer')
    assert.equal(answer.headers.get('location'), '/sign-in')
    assert.deepEqual(told(answer), [null, null, null])
  })
}

const places: readonly [sentence: string, options: Options, headers: Headers, location: string | null][] = [
  [
    'nginx',
    {},
    { 'x-original-uri': '/notes?a=1&b=%20x' },
    '/sign-in?return_to=%2Fnotes%3Fa%3D1%26b%3D%2520x',
  ],
  ['Traefik and Caddy', {}, { 'x-forwarded-uri': '/notes' }, '/sign-in?return_to=%2Fnotes'],
  ['a prefix', { prefix: '/id' }, { 'x-original-uri': '/' }, '/id/sign-in?return_to=%2F'],
  ['what is no path', {}, { 'x-original-uri': `${evil}/` }, '/sign-in'],
  ['no pages', { pages: false }, { 'x-original-uri': '/' }, null],
]
for (const [sentence, options, headers, location] of places) {
  test(`where to sign in, and to come back to: ${sentence}`, async t => {
    const answer = await forward(await open(t, options), { ...get, ...headers })
    assert.deepEqual([answer.status, answer.headers.get('location')], [401, location])
  })
}

test('the page that is told leads back, to a path of this host alone', async t => {
  const auth = await open(t)
  const { cookie } = await enter(auth, 'cookies')
  const follow = async (target: string) => {
    const { headers } = await forward(auth, { ...get, 'x-original-uri': target })
    const page = new Request(url + headers.get('location'), { headers: { cookie, 'sec-fetch-site': 'none' } })
    const answer = await auth.fetch(page)
    return [answer.status, answer.headers.get('location')]
  }
  assert.deepEqual(await follow('/notes?a=1&b=%20x'), [303, '/notes?a=1&b=%20x'])
  assert.deepEqual((await follow('//evil.example/'))[0], 400)
})

test('who has signed out is nobody at once', async t => {
  const auth = await open(t)
  const { cookie } = await enter(auth, 'cookies')
  assert.equal((await forward(auth, { ...get, cookie })).status, 204)
  await send(auth, '/auth/sign-out', {}, { cookie })
  assert.equal((await forward(auth, { ...get, cookie })).status, 401)
})

test('whose access token has expired is nobody until it is renewed', async t => {
  const auth = await open(t, { session: { access: '1s' } })
  const { cookie } = await enter(auth, 'cookies')
  await sleep(1100)
  const answer = await forward(auth, { ...get, cookie })
  assert.deepEqual([answer.status, ((await answer.json()) as { code: string }).code], [401, 'access_expired'])
})

test('beside a dialect that names users by number, Remote-User is the number', async t => {
  const auth = await open(t, { dialect: 'django' })
  const csrf = setCookies(await auth.fetch(new Request(`${url}/api/csrf/`))).get('csrftoken') ?? ''
  const headers = { 'x-csrftoken': csrf, cookie: `csrftoken=${csrf}`, origin: url }
  assert.equal((await send(auth, '/api/register/', jack, headers)).status, 201)
  const { access } = (await (await send(auth, '/api/token/pair', jack, headers)).json()) as { access: string }
  const answer = await forward(auth, { ...get, ...bearing(access) })
  assert.deepEqual([answer.status, answer.headers.get('remote-user')], [204, '1'])
  const { sub, sid } = JSON.parse(Buffer.from(access.split('.')[1] ?? '', 'base64url').toString())
  assert.deepEqual(told(answer), [sub, sid, null])
})

test('of several dialects each is read', async t => {
  const auth = await open(t, { dialect: ['native', 'flask'] })
  const { cookie, user } = await enter(auth, 'cookies')
  assert.equal((await forward(auth, { ...get, cookie })).headers.get('remote-user'), user)
})

test('when nobody can tell, nobody is let through', async t => {
  const auth = await open(t)
  const { access } = await enter(auth, 'memory')
  await auth.close()
  const answer = await forward(auth, { ...get, ...bearing(access) })
  assert.ok(answer.status >= 500, String(answer.status))
  assert.deepEqual(told(answer), [null, null, null])
})

test('a handshake that a proxy passes on whole is answered like any other question', async t => {
  const auth = await open(t, { port: 0, url: 'http://localhost:8000' })
  const { access, user } = await enter(auth, 'memory')
  const { port } = await auth.listen()
  const headers = { ...webSocket, ...bearing(access), connection: 'Upgrade', upgrade: 'websocket' }
  const asking = request(`http://127.0.0.1:${port}/auth/forward`, { headers })
  const answered = once(asking, 'response')
  asking.end()
  const [answer] = (await answered) as [IncomingMessage]
  answer.resume()
  assert.deepEqual([answer.statusCode, answer.headers['remote-user']], [204, user])
})
