// One table of calls over every framework that @rusk/verify is for: what each answers, byte for byte as it was asked.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { type ClientOptions, WebSocket } from 'ws'
import type { Options } from '../src/index.ts'
import { bearer, cookie, host, openPeople, type People, tables, type Want } from './calls.ts'
import { type Issuer, openIssuer, until } from './issuer.ts'
import { lived } from './lived.ts'
import { type Answer, app, onSockets, openStream, send, services, withCors } from './services.ts'

const challenges: Readonly<Record<string, string>> = {
  not_signed_in: 'Bearer',
  access_malformed:
    'Bearer error="invalid_request", error_description="The Authorization header is malformed"',
  access_invalid: 'Bearer error="invalid_token", error_description="The access token is not valid"',
  access_expired: 'Bearer error="invalid_token", error_description="The access token has expired"',
  access_revoked: 'Bearer error="invalid_token", error_description="The session has ended"',
  cookie_conflict: 'Bearer error="invalid_token", error_description="The call names two sessions"',
}

/** Asked so, Rusk may hold its answer back for 20 seconds: whoever is told at once is told because there is news. */
const patient = { cookie: host, within: 60_000 }

function assertAnswer(answer: Answer, want: Want, method: string): void {
  const [status = '', name = ''] = want.split(' ')
  const { headers, body } = answer
  assert.equal(`${answer.status}`, status, body)
  if (status === '200') {
    if (method !== 'HEAD') assert.deepEqual(JSON.parse(body), { sub: name, sid: `sid-of-${name}` })
    return
  }
  const document = JSON.parse(body)
  assert.equal(document.code, name)
  assert.equal(typeof document.detail, 'string')
  assert.deepEqual(Object.keys(document), ['type', 'title', 'status', 'code', 'detail'])
  assert.equal(document.status, Number(status))
  assert.match(headers.get('content-type') ?? '', /^application\/problem\+json(; ?charset=utf-8)?$/i)
  assert.equal(headers.get('cache-control'), 'no-store')
  assert.equal(headers.get('x-content-type-options'), 'nosniff')
  assert.equal(headers.get('www-authenticate'), status === '401' ? challenges[name] : undefined)
  assert.equal(headers.get('retry-after'), status === '503' ? '1' : undefined)
}

for (const [framework, open] of Object.entries(services)) {
  for (const [about, options, rows] of tables) {
    test(`${framework}: ${about}`, async t => {
      const issuer = await openIssuer(t)
      const verifier = issuer.verifier({ ...options, origins: [app] })
      const people = await openPeople(issuer, verifier)
      const port = await open(t, verifier)
      for (const [sentence, method, lines, want] of rows) {
        await t.test(sentence, async () => {
          const answer = await send(port, method, ...lines(people))
          assertAnswer(answer, want, method)
          if (!withCors.includes(framework)) return
          const allowed = answer.headers.get('access-control-allow-origin')
          assert.equal(allowed, app, 'the page may read refusals too')
        })
      }
    })
  }

  test(`${framework}: while nothing can be told it says when to come again, with a HEAD without a body`, async t => {
    const issuer = await openIssuer(t)
    issuer.down()
    const port = await open(t, issuer.verifier({ cookie: host }))
    const token = issuer.token()
    for (const lines of [bearer(token), cookie(token)]) {
      assertAnswer(await send(port, 'GET', lines), '503 unavailable', 'GET')
    }
    const head = await send(port, 'HEAD', bearer(token))
    assert.deepEqual([head.status, head.body], [503, ''])
    assert.equal((await send(port, 'GET')).status, 401, 'nobody has to be asked')
  })

  test(`${framework}: a stream ends with its session, at once, and no other does`, async t => {
    const issuer = await openIssuer(t)
    const verifier = issuer.verifier(patient)
    const { jack, jackAgain, jill } = await openPeople(issuer, verifier)
    const port = await open(t, verifier)
    const streams = [await openStream(port, bearer(jack)), await openStream(port, cookie(jackAgain))]
    const other = await openStream(port, bearer(jill))
    let isOver = false
    void other.over.then(() => {
      isOver = true
    })
    await until(() => issuer.waiting() === 1, 'it waits at Rusk')
    const began = lived()
    issuer.end('sid-of-jack')
    assert.deepEqual(await Promise.all(streams.map(({ over }) => over)), ['ended', 'ended'])
    assert.ok(lived() - began < 1000, `${lived() - began} ms`)
    assert.equal(isOver, false)
    other.leave()
  })

  test(`${framework}: a stream ends within the bound when nothing is heard any more`, async t => {
    const issuer = await openIssuer(t)
    const port = await open(t, issuer.verifier({ cookie: host, within: 1000 }))
    const { over } = await openStream(port, bearer(issuer.token()))
    const began = lived()
    issuer.down()
    assert.equal(await over, 'ended')
    assert.ok(lived() - began < 2000, `${lived() - began} ms`)
  })
}

/** `open`, or the status and the code of the refusal. */
async function connectTo(port: number, options: ClientOptions): Promise<{ socket: WebSocket; said: string }> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`, options)
  const refused = Promise.withResolvers<string>()
  socket.on('unexpected-response', (request, response) => {
    response.setEncoding('utf8').on('data', (body: string) => {
      request.destroy()
      refused.resolve(`${response.statusCode} ${JSON.parse(body).code}`)
    })
  })
  socket.on('error', () => undefined)
  const opened = once(socket, 'message').then(([data]) => `200 ${JSON.parse(String(data)).sub}`)
  return { socket, said: await Promise.race([refused.promise, opened]) }
}

const sockets: readonly (readonly [
  sentence: string,
  options: (people: People) => ClientOptions,
  want: Want,
])[] = [
  [
    'a page that is listed',
    ({ jack }) => ({ origin: app, headers: { cookie: `${host}=${jack}` } }),
    '200 jack',
  ],
  [
    'Rusk’s own page',
    ({ jack, url }) => ({ origin: url, headers: { cookie: `${host}=${jack}` } }),
    '200 jack',
  ],
  [
    'a page elsewhere',
    ({ jack }) => ({ origin: 'https://evil.example', headers: { cookie: `${host}=${jack}` } }),
    '403 origin_refused',
  ],
  [
    'a page in a sandbox',
    ({ jack }) => ({ origin: 'null', headers: { cookie: `${host}=${jack}` } }),
    '403 origin_refused',
  ],
  [
    'a page that hides where it is',
    ({ jack }) => ({ headers: { cookie: `${host}=${jack}`, 'sec-fetch-site': 'cross-site' } }),
    '403 origin_refused',
  ],
  ['a program with the cookie', ({ jack }) => ({ headers: { cookie: `${host}=${jack}` } }), '200 jack'],
  [
    'a program with a bearer token',
    ({ jill }) => ({ headers: { authorization: `Bearer ${jill}` } }),
    '200 jill',
  ],
  [
    'a program with another’s cookie as well',
    ({ jack, jill }) => ({ headers: { authorization: `Bearer ${jill}`, cookie: `${host}=${jack}` } }),
    '401 cookie_conflict',
  ],
  [
    'whoever has signed out',
    ({ ended }) => ({ origin: app, headers: { cookie: `${host}=${ended}` } }),
    '401 access_revoked',
  ],
  ['nobody', () => ({ origin: app }), '401 not_signed_in'],
]

test('a socket is opened by', async t => {
  const issuer = await openIssuer(t)
  const verifier = issuer.verifier({ cookie: host, origins: [app] })
  const people = await openPeople(issuer, verifier)
  const port = await onSockets(t, verifier)
  for (const [sentence, options, want] of sockets) {
    await t.test(`${sentence}: ${want}`, async () => {
      const { socket, said } = await connectTo(port, options(people))
      assert.equal(said, want)
      socket.terminate()
    })
  }
})

/** Of one session. Whoever waits for its close is told the code, and how many milliseconds that took. */
async function openSocket(t: TestContext, issuer: Issuer, options: Partial<Options>) {
  const port = await onSockets(t, issuer.verifier(options))
  const token = issuer.token({ sid: 'sid-of-jack' })
  const { socket } = await connectTo(port, { headers: { authorization: `Bearer ${token}` } })
  return async () => {
    const began = lived()
    const [code] = await once(socket, 'close')
    return { code, took: lived() - began }
  }
}

test('a socket is closed with its session, at once', async t => {
  const issuer = await openIssuer(t)
  const closing = await openSocket(t, issuer, patient)
  await until(() => issuer.waiting() === 1, 'it waits at Rusk')
  issuer.end('sid-of-jack')
  const { code, took } = await closing()
  assert.equal(code, 4401)
  assert.ok(took < 1000, `${took} ms`)
})

test('a socket is closed within the bound when nothing is heard any more', async t => {
  const issuer = await openIssuer(t)
  const closing = await openSocket(t, issuer, { cookie: host, within: 1000 })
  issuer.down()
  const { code, took } = await closing()
  assert.equal(code, 1013, 'come again')
  assert.ok(took < 2000, `${took} ms`)
})

test('a socket is closed when its token expires, where ended sessions are not followed', async t => {
  const issuer = await openIssuer(t)
  const port = await onSockets(t, issuer.verifier({ revocation: 'none' }))
  const token = issuer.token({ exp: Math.floor(issuer.clock.now() / 1000) + 3 })
  const { socket } = await connectTo(port, { headers: { authorization: `Bearer ${token}` } })
  const [code, reason] = await once(socket, 'close')
  assert.deepEqual([code, String(reason)], [4401, 'access_expired'])
})
