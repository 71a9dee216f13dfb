// axios through the client, in Node by its fetch adapter: what a call carries, when it is sent once more, and what it never
// does. Against a real app with Rusk in it. What only a page can show is in client/test/browser/axios.test.ts.
import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { type TestContext, test } from 'node:test'
import axios, {
  AxiosHeaders,
  type AxiosInstance,
  type AxiosRequestConfig,
  isAxiosError,
  isCancel,
} from 'axios'
import { type App, ada, bob, openApp, type Seen } from '../test/app.ts'
import { type Browsing, withJar } from '../test/jar.ts'
import { attach } from './axios.ts'
import { createClient } from './client.ts'
import type { Client, ClientOptions } from './contract.ts'
import { RuskError } from './error.ts'

type Room = {
  readonly app: App
  readonly browsing: Browsing
  readonly client: Client
  /** Attached; relative to the app. */
  readonly api: AxiosInstance
}

/** Ada is signed in, in a page of the app. */
async function open(t: TestContext, options: ClientOptions = {}): Promise<Room> {
  const app = await openApp(t)
  const browsing = withJar(t, app.url)
  const client = createClient(options)
  t.after(client.close)
  await client.signUp(ada)
  const api = axios.create({ baseURL: app.url, adapter: 'fetch' })
  attach(api, client)
  return { app, browsing, client, api }
}

/** Its access token is worth nothing any more; the client does not know. */
const expire = ({ browsing }: Room): void => browsing.jar.drop('rusk_access')

const last = ({ app }: Room): Seen => {
  const seen = app.seen.at(-1)
  assert.ok(seen)
  return seen
}

const renewals = ({ asked }: App): readonly string[] =>
  asked.filter(line => line.startsWith('POST /auth/refresh'))

const statusOf = (error: unknown): unknown => isAxiosError(error) && error.response?.status

test('a call carries what its origin may see', async t => {
  const room = await open(t, { delivery: 'memory' })
  const { app, api } = room
  const bearer = /^Bearer ey/
  const none = /^undefined$/

  // [sentence, call, Authorization that arrives, whether cookies do]
  const table: [string, AxiosRequestConfig, RegExp, boolean][] = [
    ["the page's own origin sees the access token", { url: '/api/x' }, bearer, true],
    ['an address in full is judged as it is', { url: `${app.elsewhere}/x` }, none, false],
    ['so is another base', { baseURL: app.elsewhere, url: '/x' }, none, false],
    [
      'a foreign origin gets no cookies, whatever the call says',
      { url: `${app.elsewhere}/x`, withCredentials: true },
      none,
      false,
    ],
    [
      "a header that is the app's stays",
      { url: '/api/x', headers: { authorization: 'Bearer mine' } },
      /^Bearer mine$/,
      true,
    ],
    ['also where there is to be none', { url: '/api/x', headers: { Authorization: false } }, none, true],
    [
      'one that is not set is none of the app',
      { url: '/api/x', headers: new AxiosHeaders().set({ Authorization: undefined as never }) },
      bearer,
      true,
    ],
    ['parameters change no origin', { url: '/api/x', params: { to: app.elsewhere } }, bearer, true],
  ]
  for (const [sentence, call, authorization, cookies] of table) {
    await t.test(sentence, async () => {
      await api.request({ validateStatus: null, ...call })
      assert.match(String(last(room).headers.authorization), authorization)
      assert.equal('cookie' in last(room).headers, cookies)
    })
  }

  await t.test('an origin that is listed sees it too', async t => {
    const listing = createClient({ delivery: 'memory', origins: [app.elsewhere] })
    t.after(listing.close)
    await listing.signIn({ login: ada.email, password: ada.password })
    const other = axios.create({ baseURL: app.elsewhere, adapter: 'fetch' })
    attach(other, listing)
    await other.post('/x')
    assert.match(String(last(room).headers.authorization), bearer)
  })
})

test('what an address means is judged once, and the call goes there and nowhere else', async t => {
  const room = await open(t, { delivery: 'memory' })
  const { app, api } = room
  const here = app.url
  const there = app.elsewhere
  const elsewhere = encodeURIComponent(there)

  // [sentence, call, the origin that it reaches, its line]
  const table: [string, AxiosRequestConfig, string, string][] = [
    [
      'an address in full that is to be none',
      { baseURL: `${here}/api`, url: `${there}/steal`, allowAbsoluteUrls: false },
      here,
      `GET /api/${there}/steal`,
    ],
    [
      'one without a scheme',
      { baseURL: `${here}/api`, url: there.replace('http:', ''), allowAbsoluteUrls: false },
      here,
      `GET /api/${there.replace('http://', '')}`,
    ],
    [
      'a foreign base before an address of the own origin',
      { baseURL: `${there}/x`, url: `${here}/api/x`, allowAbsoluteUrls: false },
      there,
      `GET /x/${here}/api/x`,
    ],
    [
      'parameters, and a base, and both only once',
      { baseURL: `${here}/api`, url: '/x?a=1', params: { b: 2, to: there } },
      here,
      `GET /api/x?a=1&b=2&to=${elsewhere.replaceAll('%3A', ':')}`,
    ],
    [
      'parameters and an address in full, past the base',
      { baseURL: `${here}/api`, url: `${there}/x`, params: { b: 2 } },
      there,
      'GET /x?b=2',
    ],
    [
      'a way of writing parameters of the app, which runs once',
      {
        baseURL: here,
        url: '/api/x',
        params: { b: 2 },
        paramsSerializer: { serialize: () => `n=${++written}` },
      },
      here,
      'GET /api/x?n=1',
    ],
  ]
  let written = 0
  for (const [sentence, call, origin, line] of table) {
    await t.test(sentence, async () => {
      app.seen.length = 0
      await api.request({ validateStatus: null, ...call }).catch(() => {})
      const [seen, ...more] = app.seen
      assert.deepEqual(more, [])
      assert.equal(seen?.line, line)
      assert.equal(`http://${seen.headers.host}`, origin)
      assert.equal('authorization' in seen.headers, origin === here)
      assert.equal('cookie' in seen.headers, origin === here)
    })
  }
})

test("an adapter of the app's gets the call as it is: it knows best where that goes", async t => {
  const { app, client } = await open(t, { delivery: 'memory' })
  const api = axios.create({ baseURL: app.url })
  attach(api, client)
  const got: AxiosRequestConfig[] = []
  const answer = { data: '', status: 200, statusText: '', headers: {} }
  const call = { url: '/api/x', params: { b: 2 }, allowAbsoluteUrls: false }
  await api.request({
    ...call,
    adapter: async config => {
      got.push(config)
      return { ...answer, config }
    },
  })
  assert.equal(got.length, 1)
  assert.deepEqual({ ...got[0], ...call, baseURL: app.url }, got[0])
})

test('an interceptor that sends a call elsewhere takes nothing along', async t => {
  const room = await open(t, { delivery: 'memory' })
  const { app, client } = room
  const api = axios.create({ baseURL: app.url, adapter: 'fetch' })
  // The last one that is put in runs first: this one runs after ours.
  api.interceptors.request.use(config => Object.assign(config, { baseURL: app.elsewhere }))
  attach(api, client)
  await api.get('/api/x')
  assert.equal(last(room).line, 'GET /api/x')
  assert.equal(last(room).headers.authorization, undefined)
  assert.equal(last(room).headers.cookie, undefined)
})

test('after a 401 a call is sent once more, the same', async t => {
  const room = await open(t)
  const { app, api } = room
  const form = new FormData()
  form.set('title', 'a note')
  form.set('file', new Blob(['its content']), 'note.txt')

  // [sentence, call, body that arrives]
  const table: [string, AxiosRequestConfig, unknown][] = [
    ['without a body, with parameters', { method: 'get', params: { q: 'a b', n: [1, 2] } }, ''],
    ['an object', { method: 'post', data: { title: 'a note' } }, '{"title":"a note"}'],
    ['text', { method: 'put', data: 'just text', headers: { 'content-type': 'text/plain' } }, 'just text'],
    [
      'text that is sent as JSON',
      { method: 'post', data: 'just text', headers: { 'content-type': 'application/json' } },
      '"just text"',
    ],
    [
      'a form',
      { method: 'post', data: form, headers: { 'content-type': 'multipart/form-data' } },
      { title: 'a note', file: 'its content' },
    ],
    [
      'an object, urlencoded',
      { method: 'post', data: { a: 1 }, headers: { 'content-type': 'application/x-www-form-urlencoded' } },
      'a=1',
    ],
    ['parameters as a body', { method: 'patch', data: new URLSearchParams({ a: 'b' }) }, 'a=b'],
    ['bytes', { method: 'post', data: new TextEncoder().encode('bytes') }, 'bytes'],
    ['a blob', { method: 'post', data: new Blob(['a blob']) }, 'a blob'],
  ]
  for (const [sentence, call, body] of table) {
    await t.test(sentence, async () => {
      expire(room)
      app.seen.length = 0
      app.asked.length = 0
      const answer = await api.request<Seen>({ url: '/api/notes', ...call })
      assert.equal(answer.status, 200)
      assert.deepEqual(
        app.seen.map(({ email }) => email),
        [null, ada.email],
      )
      assert.deepEqual(
        app.seen.map(seen => seen.body),
        [body, body],
      )
      const [first, second] = app.seen
      assert.equal(first?.line, second?.line)
      const typeOf = (seen?: Seen) => seen?.headers['content-type']?.replace(/boundary=.*/, '')
      assert.equal(typeOf(first), typeOf(second))
      assert.deepEqual(answer.data, JSON.parse(JSON.stringify(second)))
      assert.deepEqual(renewals(app), ['POST /auth/refresh 200'])
    })
  }
})

test('a stream is sent once, and the next call goes through', async t => {
  const room = await open(t)
  expire(room)
  const stream = () => new Blob(['a stream']).stream()
  const sent = room.api.post('/api/notes', stream())
  await assert.rejects(sent, error => statusOf(error) === 401)
  assert.deepEqual(
    room.app.seen.map(({ body }) => body),
    ['a stream'],
  )
  await room.api.post('/api/notes', stream())
  assert.equal(last(room).email, ada.email)
})

test('who takes a 401 for an answer gets the second one', async t => {
  const room = await open(t)
  expire(room)
  const answer = await room.api.get('/api/notes', { validateStatus: () => true })
  assert.equal(answer.status, 200)
})

test('an API that goes on refusing is asked twice, and tokens are renewed once', async t => {
  const room = await open(t)
  room.app.answer('GET /api/notes', 401)
  room.app.asked.length = 0
  await assert.rejects(room.api.get('/api/notes'), error => statusOf(error) === 401)
  assert.equal(room.app.seen.length, 2)
  assert.deepEqual(renewals(room.app), ['POST /auth/refresh 200'])
})

test('other refusals are left alone', async t => {
  const room = await open(t)
  for (const status of [400, 403, 404, 429, 500, 503]) {
    room.app.answer('GET /api/notes', status)
    await assert.rejects(room.api.get('/api/notes'), error => statusOf(error) === status)
  }
  assert.equal(room.app.seen.length, 6)
})

test('while a renewal is undecided the call says so, and nobody is signed out', async t => {
  // [sentence, what the renewal gets, code]
  const table: [string, number | 'breaks', string][] = [
    ['a server that breaks off', 'breaks', 'offline'],
    ['one that is away', 503, 'unavailable'],
    ['one that has had too many', 429, 'unavailable'],
  ]
  for (const [sentence, instead, code] of table) {
    await t.test(sentence, async t => {
      const room = await open(t)
      expire(room)
      room.app.answer('POST /auth/refresh', instead)
      const undecided = (error: unknown) => error instanceof RuskError && error.code === code
      await assert.rejects(room.api.get('/api/notes'), undecided)
      assert.equal(room.client.state.status, 'signed-in')
    })
  }
})

test('when the session has ended the 401 comes through', async t => {
  const room = await open(t)
  expire(room)
  await fetch(`${room.app.url}/auth/sign-out`, { method: 'POST' })
  await assert.rejects(room.api.get('/api/notes'), error => statusOf(error) === 401)
  assert.deepEqual(room.client.state, { status: 'signed-out', reason: 'ended' })
  assert.equal(room.app.seen.length, 1)
})

test('whoever cancels waits for no renewal', async t => {
  const room = await open(t)
  const { api, app } = room
  expire(room)
  app.answer('POST /auth/refresh', 'hangs')
  const arrived = async (count: number) => {
    while (app.seen.length < count) await new Promise(resolve => setTimeout(resolve, 5))
  }
  const controller = new AbortController()
  const source = axios.CancelToken.source()
  const calls = [
    api.get('/api/notes', { signal: controller.signal }),
    api.get('/api/notes', { cancelToken: source.token }),
  ]
  const outcomes = Promise.allSettled(calls)
  await arrived(2)
  await new Promise(resolve => setTimeout(resolve, 50))
  const cancelledAt = performance.now()
  controller.abort()
  source.cancel('no more')
  const [bySignal, byToken] = (await outcomes).map(each => each.status === 'rejected' && each.reason)
  assert.ok(performance.now() - cancelledAt < 5000)
  assert.ok(isCancel(bySignal))
  assert.ok(isCancel(byToken))
  assert.equal(byToken.message, 'no more')
  assert.deepEqual(getEventListeners(controller.signal, 'abort'), [])
  assert.equal(app.seen.length, 2)
})

test('a signal that outlives its calls keeps none of them', async t => {
  const room = await open(t)
  const { signal } = new AbortController()
  const { token } = axios.CancelToken.source()
  for (let n = 0; n < 3; n++) {
    expire(room)
    await room.api.get('/api/notes', { signal, cancelToken: token })
  }
  assert.deepEqual(getEventListeners(signal, 'abort'), [])
  assert.deepEqual(Object(token)._listeners ?? [], [])
})

test('interceptors and transformations of others run once for a call that is sent twice', async t => {
  const room = await open(t)
  const ran: string[] = []
  const api = axios.create({ baseURL: room.app.url, adapter: 'fetch' })
  const spy = (name: string) => {
    api.interceptors.request.use(config => {
      ran.push(`${name} request`)
      assert.equal(config.headers.has('authorization'), false)
      return config
    })
    // The usual sin: from here on an answer is only its data.
    api.interceptors.response.use(answer => {
      ran.push(`${name} response`)
      return Object.assign(answer, { data: [name, answer.data] })
    })
  }
  spy('before')
  attach(api, room.client)
  spy('after')
  expire(room)
  const { data } = await api.post<[string, [string, Seen]]>(
    '/api/notes',
    { n: 1 },
    { transformRequest: body => JSON.stringify([body]) },
  )
  assert.deepEqual(ran, ['after request', 'before request', 'before response', 'after response'])
  assert.equal(data[0], 'after')
  assert.equal(data[1][0], 'before')
  assert.deepEqual(
    room.app.seen.map(({ body }) => body),
    ['[{"n":1}]', '[{"n":1}]'],
  )
})

test('no answer and no error shows a token, and sent again they carry the one of the day', async t => {
  const room = await open(t, { delivery: 'memory' })
  const { api, app } = room
  const answer = await api.get('/api/notes')
  const first = last(room).headers.authorization
  app.answer('GET /api/broken', 500)
  const error: unknown = await api.get('/api/broken').catch(failure => failure)
  assert.ok(isAxiosError(error) && error.config && error.response)
  for (const config of [answer.config, error.config, error.response.config]) {
    assert.equal(JSON.stringify(config).includes('Bearer'), false)
    assert.equal(config.headers.has('authorization'), false)
    assert.equal(config.adapter, 'fetch')
  }
  app.answer('GET /api/gone', 'breaks')
  const broken: unknown = await api.get('/api/gone').catch(failure => failure)
  assert.ok(isAxiosError(broken) && broken.config)
  // A Request shows its headers to whoever logs it.
  const shown = [answer, error, error.response, broken].map(({ request }) =>
    request?.headers?.get('authorization'),
  )
  assert.deepEqual(shown, [undefined, undefined, undefined, undefined])
  // Another session, another token.
  await room.client.signIn({ login: ada.email, password: ada.password })
  await api.request(answer.config)
  assert.match(String(last(room).headers.authorization), /^Bearer ey/)
  assert.notEqual(last(room).headers.authorization, first)
  assert.equal(last(room).email, ada.email)
})

test('nothing of ours but credentials is on the wire', async t => {
  const room = await open(t, { delivery: 'memory' })
  const bare = axios.create({ baseURL: room.app.url, adapter: 'fetch' })
  await bare.post('/api/notes', { a: 1 }, { validateStatus: null })
  const before = last(room).headers
  await room.api.post('/api/notes', { a: 1 })
  const { authorization, ...after } = last(room).headers
  assert.match(String(authorization), /^Bearer ey/)
  assert.deepEqual(after, before)
})

test('calls of several instances wait for one renewal', async t => {
  const room = await open(t)
  const { app, client } = room
  const second = axios.create({ baseURL: `${app.url}/api`, adapter: 'fetch' })
  attach(second, client)
  expire(room)
  app.asked.length = 0
  const calls = Array.from({ length: 20 }, (_, n) =>
    n % 2 ? second.get('/notes') : room.api.get('/api/notes'),
  )
  const answers = await Promise.all(calls)
  assert.ok(answers.every(({ status }) => status === 200))
  assert.deepEqual(renewals(app), ['POST /auth/refresh 200'])
  assert.equal(app.seen.length, 40)
})

test('a call of one person is not sent again as another', async t => {
  const room = await open(t)
  const { app, client } = room
  const api = axios.create({ baseURL: app.url, adapter: 'fetch' })
  attach(api, {
    ...client,
    // Bob signs in at the worst moment.
    recover: async (mark, signal) => {
      const recovered = await client.recover(mark, signal)
      await client.signUp(bob)
      return recovered
    },
  })
  expire(room)
  await assert.rejects(api.post('/api/notes', 'of Ada'), error => statusOf(error) === 401)
  assert.deepEqual(
    app.seen.map(({ email }) => email),
    [null],
  )
})

test('off again, an instance is as it was', async t => {
  const room = await open(t)
  const api = axios.create({ baseURL: room.app.url, adapter: 'fetch' })
  const off = attach(api, room.client)
  await api.get('/api/notes')
  off()
  expire(room)
  await assert.rejects(api.get('/api/notes'), error => statusOf(error) === 401)
  assert.equal(room.app.seen.length, 2)
})
