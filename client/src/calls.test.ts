// One call through the client: what it carries and where to, what of it is sent once more, and what an abort ends. In Node,
// against a real app with Rusk in it and a stranger beside it.
import assert from 'node:assert/strict'
import { getEventListeners, once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { ada } from '../test/app.ts'
import { withJar } from '../test/jar.ts'
import { codeOf, openRoom, type RoomOptions } from '../test/room.ts'
import { createClient } from './client.ts'
import { django } from './dialects.ts'

const form = (): FormData => {
  const fields = new FormData()
  fields.set('a', 'b c')
  fields.set('file', new Blob(['bytes'], { type: 'text/plain' }), 'a.txt')
  return fields
}

const pieces = (): ReadableStream =>
  new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode('bytes'))
      controller.close()
    },
  })

const json = { 'content-type': 'application/json' }

// [what, a call with it, what reaches the app]
const bodies: [string, (url: string) => [RequestInfo | URL, RequestInit?], unknown][] = [
  ['nothing', url => [url], ''],
  ['a string', url => [url, { method: 'POST', body: '{"a":1}', headers: json }], '{"a":1}'],
  ['fields', url => [url, { method: 'PUT', body: new URLSearchParams({ a: 'b c' }) }], 'a=b+c'],
  ['a form with a file', url => [url, { method: 'POST', body: form() }], { a: 'b c', file: 'bytes' }],
  ['a blob', url => [new URL(url), { method: 'PATCH', body: new Blob(['bytes']) }], 'bytes'],
  ['bytes', url => [url, { method: 'POST', body: new TextEncoder().encode('bytes') }], 'bytes'],
  ['a Request', url => [new Request(url, { method: 'POST', body: 'text' })], 'text'],
  ['a Request with another body', url => [new Request(url), { method: 'POST', body: 'text' }], 'text'],
  ['a deletion', url => [url, { method: 'DELETE' }], ''],
]

for (const [what, call, want] of bodies) {
  test(`${what} is sent once more after a 401, as it was`, async t => {
    const { app, proxy, client, expire } = await openRoom(t)
    const headers = () => app.seen.map(({ headers: { 'content-type': type = '' } }) => type.split(';')[0])
    expire()
    const answer = await client.fetch(...call(`${proxy.url}/api/things?x=1`))
    assert.equal(answer.status, 200)
    assert.deepEqual(
      app.seen.map(({ email, body }) => [email, body]),
      [
        [null, want],
        [ada.email, want],
      ],
    )
    const [first, second] = headers()
    assert.equal(first, second)
    assert.equal(app.seen[0]?.line, app.seen[1]?.line)
  })
}

test('a stream is not sent once more: its 401 comes back, and the next call is good', async t => {
  const { app, proxy, client, expire, notes } = await openRoom(t)
  expire()
  const init = { method: 'POST', body: pieces(), duplex: 'half' } as const
  assert.equal((await client.fetch(`${proxy.url}/api/things`, init)).status, 401)
  assert.equal(app.seen.length, 1)
  assert.equal(await notes(), 200)
  assert.equal(app.seen.length, 2)
})

test('a header that the app has set stays, also the second time', async t => {
  const { app, proxy, client } = await openRoom(t, { client: { delivery: 'memory' } })
  app.answer('GET /api/notes', 401)
  await client.fetch(`${proxy.url}/api/notes`, { headers: { authorization: 'Basic mine', 'x-mine': '1' } })
  assert.deepEqual(
    app.seen.map(({ headers }) => [headers.authorization, headers['x-mine']]),
    [
      ['Basic mine', '1'],
      ['Basic mine', '1'],
    ],
  )
})

// [sentence, options, what proves the person there and nowhere else]
const carried: [string, RoomOptions, readonly string[]][] = [
  ['cookies', {}, ['cookie']],
  ['memory', { client: { delivery: 'memory' } }, ['cookie', 'authorization']],
  [
    'double submit',
    { client: { dialect: django }, rusk: { dialect: ['django'] }, empty: true },
    ['cookie', 'authorization', 'x-csrftoken'],
  ],
]
const proofs = ['cookie', 'authorization', 'x-csrftoken', 'x-csrf-token']

/** Signed in as Ada, whatever the dialect. */
async function enter(t: TestContext, options: RoomOptions) {
  const room = await openRoom(t, options)
  if (options.empty) await room.client.signUp({ ...ada, username: 'ada' })
  return room
}

for (const [sentence, options, want] of carried) {
  test(`${sentence}: a call to the page's origin carries what proves the person; one to another origin nothing`, async t => {
    const { app, proxy, browsing, client } = await enter(t, options)
    browsing.jar.plant(new URL(app.elsewhere), 'theirs', 'x', { path: '/' })
    const init = { method: 'POST', body: 'x' }
    await client.fetch(`${proxy.url}/api/things`, init)
    for (const more of [{}, { credentials: 'include' }] as const) {
      await client.fetch(`${app.elsewhere}/things`, { ...init, ...more })
      await client.fetch(new Request(`${app.elsewhere}/things`, { ...init, ...more }))
    }
    const shown = app.seen.map(({ headers }) => proofs.filter(name => name in headers))
    assert.deepEqual(shown, [want, [], [], [], []])
  })
}

// [sentence, where to, by the app's own origin; whether the person is shown]
const places: [string, (url: URL) => string, boolean][] = [
  ['its origin', url => `${url.origin}/api/a`, true],
  ['the same host, another port', url => `http://localhost:${Number(url.port) + 1}/`, false],
  ['another scheme', url => `https://${url.host}/`, false],
  ['a host that begins alike', url => `http://localhost.evil.example:${url.port}/`, false],
  ['a host that ends alike', url => `http://evil-localhost:${url.port}/`, false],
  ['its own host by number', url => `http://127.0.0.1:${url.port}/`, false],
  ['a path without a scheme', url => `//evil.example:${url.port}/`, false],
  ['no host at all', () => 'data:text/plain,x', false],
]

for (const [sentence, to, want] of places) {
  test(`who is shown the token: ${sentence}: ${want ? 'yes' : 'no'}`, async t => {
    const { proxy, client } = await openRoom(t, { client: { delivery: 'memory' } })
    const pass = await client.prepare(to(new URL(proxy.url)), 'POST')
    assert.deepEqual(pass && Object.keys(pass.headers), want ? ['authorization'] : undefined)
  })
}

// Each origin of theirs is "null" (HTML Standard §7.1.1), which is the origin of anything.
const opaque: [string, string][] = [
  ['a file', 'file:///app/index.html'],
  ['an app shell', 'capacitor://localhost/index.html'],
  ['a data: document', 'data:text/html,app'],
]
const nowhere = [
  'data:text/plain,x',
  'blob:null/1',
  'capacitor://localhost/x',
  'evil://x/y',
  'file:///x',
  'about:blank',
]

for (const [what, page] of opaque) {
  test(`a page whose origin is "null" shows nothing to what has no origin either: ${what}`, async t => {
    withJar(t, page)
    const cors = {
      'access-control-allow-origin': 'null',
      'access-control-allow-credentials': 'true',
    }
    const server = createServer((_call, reply) => {
      reply.writeHead(200, { 'content-type': 'application/json', ...cors })
      reply.end('{"user":{"id":"1"},"accessToken":"secret","expiresIn":600}')
    })
    server.listen(0, 'localhost')
    await once(server, 'listening')
    t.after(() => {
      server.closeAllConnections()
      server.close()
    })
    const baseUrl = `http://localhost:${(server.address() as AddressInfo).port}`
    for (const origins of [[], [`${new URL(page).protocol}//localhost`]]) {
      const client = createClient({ baseUrl, delivery: 'memory', origins })
      t.after(client.close)
      await client.signIn({ login: 'ada', password: 'x' })
      const shown = async (url: string) => (await client.prepare(url, 'GET'))?.headers
      assert.deepEqual(await shown(baseUrl), { authorization: 'Bearer secret' })
      for (const url of nowhere) assert.equal(await shown(url), undefined, url)
    }
  })
}

test('a listed service is shown the token', async t => {
  const { app, tab } = await openRoom(t, { client: { delivery: 'memory' } })
  for (const origins of [[], [app.elsewhere], [`${app.elsewhere}/`], [`${app.elsewhere}/v1?x`]]) {
    const client = tab({ origins })
    await client.session()
    await client.fetch(`${app.elsewhere}/things`)
  }
  assert.deepEqual(
    app.seen.map(({ headers }) => 'authorization' in headers),
    [false, true, true, true],
  )
})

test('a baseUrl that is no address is told where the client is made', t => {
  withJar(t, 'http://localhost:3000')
  for (const baseUrl of ['auth.example.com', 'auth', '', 'http://', '//']) {
    assert.throws(() => createClient({ baseUrl }).close(), TypeError, baseUrl)
  }
  for (const baseUrl of ['/', '/in/front', 'https://auth.example.com/in/front'])
    createClient({ baseUrl }).close()
})

test('what is no list of origins is told where the client is made', t => {
  withJar(t, 'http://localhost:3000')
  for (const origins of [['api.example.com'], ['null'], [''], 'https://api.example.com']) {
    assert.throws(() => createClient(Object({ origins })).close(), TypeError, String(origins))
  }
})

const reason = new Error('Not any more')

test('a call that was aborted before is never made', async t => {
  const { app, proxy, client, refreshes, expire } = await openRoom(t)
  expire()
  const signal = AbortSignal.abort(reason)
  await assert.rejects(client.fetch(`${proxy.url}/api/notes`, { signal }), reason)
  for (const call of [client.session, client.signOut]) await assert.rejects(call({ signal }), reason)
  await assert.rejects(client.signIn({ login: '', password: '' }, { signal }), reason)
  assert.deepEqual([app.seen.length, refreshes().length], [0, 0])
})

test('a call that is aborted while it waits for a refresh ends; the refresh goes on for the others', async t => {
  const { app, proxy, client, expire, refreshes, notes } = await openRoom(t)
  expire()
  const held = proxy.hold('POST /auth/refresh')
  const leaving = new AbortController()
  const left = client.fetch(`${proxy.url}/api/notes`, { signal: leaving.signal })
  const stayed = notes()
  await held.answered
  leaving.abort(reason)
  await assert.rejects(left, reason)
  held.release()
  assert.equal(await stayed, 200)
  assert.deepEqual(refreshes(), [200])
  assert.equal(app.seen.length, 3, 'the one that left was not sent once more')
})

test('a call that is aborted on its way ends', async t => {
  const { proxy, client } = await openRoom(t)
  const calls: [
    'GET /api/notes' | 'GET /auth/session' | 'POST /auth/sign-out',
    (signal: AbortSignal) => Promise<unknown>,
  ][] = [
    ['GET /api/notes', signal => client.fetch(`${proxy.url}/api/notes`, { signal })],
    ['GET /auth/session', signal => client.session({ signal })],
    ['POST /auth/sign-out', signal => client.signOut({ signal })],
  ]
  for (const [line, call] of calls) {
    const held = proxy.hold(line, { request: true })
    const leaving = new AbortController()
    const made = call(leaving.signal)
    await held.came
    leaving.abort(reason)
    await assert.rejects(made, reason, line)
    assert.equal(client.state.status, 'signed-in', line)
    held.forward()
    await held.answered
    held.release()
  }
})

test('a signal that lives long gathers no listeners', async t => {
  const { client } = await openRoom(t)
  const { signal } = new AbortController()
  for (let call = 0; call < 20; call++) await client.session({ signal })
  assert.equal(getEventListeners(signal, 'abort').length, 0)
})

test('no network at all is a RuskError for Rusk’s calls and the platform’s own error for the app’s', async t => {
  const { app, proxy, client } = await openRoom(t)
  app.answer('GET /api/notes', 'breaks')
  app.answer('GET /auth/session', 'breaks')
  assert.equal(await codeOf(client.session()), 'offline')
  await assert.rejects(client.fetch(`${proxy.url}/api/notes`), TypeError)
  assert.equal(client.state.status, 'signed-in')
})
