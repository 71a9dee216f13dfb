// Server-sent events as the HTML Standard has them (§9.2.6), in any pieces; and streams that end with the session.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { rusk } from '../../server/src/index.ts'
import { serveAnswers } from '../../server/test/answering.ts'
import { ada, bob } from '../test/app.ts'
import { type Browsing, withJar } from '../test/jar.ts'
import { codeOf } from '../test/room.ts'
import { createClient } from './client.ts'
import type { Client } from './contract.ts'
import { readEvents, type ServerEvent, stream } from './events.ts'

const bodyOf = (pieces: readonly Uint8Array[]): ReadableStream<Uint8Array> =>
  new ReadableStream({
    start(controller) {
      for (const piece of pieces) controller.enqueue(piece)
      controller.close()
    },
  })

async function eventsOf(pieces: readonly Uint8Array[]): Promise<readonly string[]> {
  const events: string[] = []
  for await (const { event, data, id } of readEvents(bodyOf(pieces))) events.push(`${event}|${data}|${id}`)
  return events
}

// [sentence, text, `event|data|id` of each]
const table: [string, string, string[]][] = [
  ['one line of data', 'data: a\n\n', ['message|a|']],
  ['lines of data become lines', 'data: a\ndata: b\ndata\ndata: c\n\n', ['message|a\nb\n\nc|']],
  [
    'at most one space goes',
    'data:a\n\ndata:  b\n\ndata:\tc\n\n',
    ['message|a|', 'message| b|', 'message|\tc|'],
  ],
  ['CRLF ends lines', 'event: x\r\ndata: a\r\n\r\ndata: b\r\n\r\n', ['x|a|', 'message|b|']],
  ['CR ends lines', 'event: x\rdata: a\r\rdata: b\r\r', ['x|a|', 'message|b|']],
  [
    'all three in one stream',
    'data: a\rdata: b\ndata: c\r\n\r\ndata: d\n\r',
    ['message|a\nb\nc|', 'message|d|'],
  ],
  [
    'comments and unknown fields are nothing',
    ': hi\n\ndata: a\n:\nretry: 7\nfoo: b\n\n:\n\n',
    ['message|a|'],
  ],
  ['a name counts for one event', 'event: x\ndata: a\n\ndata: b\n\n', ['x|a|', 'message|b|']],
  ['without data there is no event, and its name is forgotten', 'event: x\n\ndata: a\n\n', ['message|a|']],
  ['empty data is data', 'data\n\ndata:\n\n', ['message||', 'message||']],
  [
    'an id stays until the next',
    'id: 1\ndata: a\n\ndata: b\n\nid\ndata: c\n\n',
    ['message|a|1', 'message|b|1', 'message|c|'],
  ],
  ['an id without data counts', 'id: 1\n\ndata: a\n\n', ['message|a|1']],
  ['an id with a NUL is none', 'id: 1\nid: 2\u0000\ndata: a\n\n', ['message|a|1']],
  ['colons in data are data', 'data: a: b:c\n\n', ['message|a: b:c|']],
  ['spaces before a name are another name', ' data: a\n\n', []],
  ['a mark of the byte order is nothing', '\uFEFFdata: a\n\n', ['message|a|']],
  ['one within the text is text', 'data: a\n\n\uFEFFdata: b\n\n', ['message|a|']],
  ['what no empty line ends is no event', 'data: a\n\ndata: b\n', ['message|a|']],
  ['other separators are text', 'data: a\u2028b\u0085c\vd\n\n', ['message|a\u2028b\u0085c\vd|']],
  ['any language', 'data: żółw 🐢 亀\n\n', ['message|żółw 🐢 亀|']],
]

for (const [sentence, text, want] of table) {
  test(`${sentence}, in whatever pieces it comes`, async () => {
    const bytes = new TextEncoder().encode(text)
    assert.deepEqual(await eventsOf([bytes]), want)
    assert.deepEqual(await eventsOf([...bytes].map(byte => Uint8Array.of(byte))), want, 'byte by byte')
    for (let cut = 0; cut <= bytes.length; cut++) {
      assert.deepEqual(await eventsOf([bytes.slice(0, cut), bytes.slice(cut)]), want, `cut at ${cut}`)
    }
  })
}

test('an event is there as soon as its empty line is, whatever ends that', async () => {
  for (const end of ['\n', '\r\n', '\r']) {
    const body = new ReadableStream<Uint8Array>({
      start: controller => controller.enqueue(new TextEncoder().encode(`data: a${end}${end}`)),
    })
    const { value } = await readEvents(body).next()
    assert.equal(value?.data, 'a')
  }
})

/** So much of one line, in pieces as they come from a network. */
const longLine = (size: number): ReadableStream<Uint8Array> => {
  const piece = new TextEncoder().encode('x'.repeat(16_384))
  let left = size
  return new ReadableStream({
    pull(controller) {
      if (left > 0) controller.enqueue(piece)
      else controller.close()
      left -= piece.length
    },
  })
}

test('a line that never ends is searched once, however long it is', async t => {
  const size = 8 * 1024 * 1024
  let searched = 0
  const { split } = String.prototype
  t.mock.method(String.prototype, 'split', function (this: string, by: RegExp) {
    searched += this.length
    return split.call(this, by)
  })
  const events = await Array.fromAsync(readEvents(longLine(size)))
  t.mock.restoreAll()
  assert.deepEqual(events, [])
  assert.ok(searched >= size && searched < size + 100_000, `${searched} characters of ${size}`)
})

test('a line of many pieces comes whole', async () => {
  const size = 1024 * 1024
  const body = new Response(longLine(size)).body ?? assert.fail()
  const text = new TextEncoder()
  const whole = body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      start: controller => controller.enqueue(text.encode('data: ')),
      flush: controller => controller.enqueue(text.encode('\n\n')),
    }),
  )
  const { value } = await readEvents(whole).next()
  assert.equal(value?.data, 'x'.repeat(size))
})

test('leaving the loop closes the stream, and so does a stream that breaks off', async () => {
  const closed: unknown[] = []
  const open = (fails: boolean) =>
    new ReadableStream<Uint8Array>({
      pull(controller) {
        if (fails) controller.error(new Error('broken'))
        else controller.enqueue(new TextEncoder().encode('data: a\n\n'))
      },
      cancel: reason => void closed.push(reason),
    })
  for await (const { data } of readEvents(open(false))) {
    assert.equal(data, 'a')
    break
  }
  assert.deepEqual(closed, [undefined])
  await assert.rejects(readEvents(open(true)).next(), /broken/)
})

type Chat = {
  readonly url: string
  readonly client: Client
  /** One for each call that was let in. */
  readonly answers: ServerResponse[]
  /** Accept headers of every call, and whether it was let in. */
  readonly asked: [accept: string | undefined, status: number][]
  expire(): void
  readonly fire: Browsing['fire']
  /** Rusk says who is signed in, and not before. */
  untilSession: Promise<void>
}

/** Rusk and an API that answers an open stream, on one origin; Ada is signed in. */
async function openChat(t: TestContext): Promise<Chat> {
  const answers: ServerResponse[] = []
  const asked: Chat['asked'] = []
  const server = createServer(async (call, reply) => {
    const chunks: Buffer[] = []
    for await (const chunk of call) chunks.push(chunk)
    const { method = 'GET', url = '/', headers } = call
    const body = method === 'GET' ? null : Buffer.concat(chunks)
    const request = new Request(`http://localhost${url}`, {
      method,
      headers: Object.entries(headers).map(([name, value]): [string, string] => [name, String(value)]),
      body,
    })
    if (url !== '/chat') {
      if (url === '/auth/session') await chat.untilSession
      const answer = await auth.fetch(request)
      reply.writeHead(answer.status, [...answer.headers].flat()).end(await answer.text())
      return
    }
    const status = (await auth.session(request)) ? 200 : 401
    asked.push([headers.accept, status])
    reply.writeHead(status, { 'content-type': 'text/event-stream' })
    if (status !== 200) {
      reply.end('data: no\n\n')
      return
    }
    reply.write('data: hello\n\n')
    answers.push(reply)
  })
  server.listen(0, 'localhost')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const url = `http://localhost:${(server.address() as AddressInfo).port}`
  const auth = await rusk({
    url,
    database: 'sqlite::memory:',
    log: { level: 'silent' },
    secret: 'known to this test and to nobody else',
  })
  t.after(auth.close)
  const { jar, fire } = withJar(t, url)
  const client = createClient()
  t.after(client.close)
  const chat: Chat = {
    url: `${url}/chat`,
    client,
    answers,
    asked,
    fire,
    expire: () => jar.drop('rusk_access'),
    untilSession: Promise.resolve(),
  }
  await client.signUp(ada)
  return chat
}

/** The first event has come; what is left of the loop. */
async function begin(chat: Chat, init?: RequestInit, input: RequestInfo = chat.url) {
  const events = stream(chat.client, input, init)
  const first: IteratorResult<ServerEvent, void> = await events.next()
  assert.equal(first.value?.data, 'hello')
  return events
}

test('a stream goes on until the server ends it', async t => {
  const chat = await openChat(t)
  const events = await begin(chat, { method: 'POST', body: '{}' })
  chat.answers[0]?.end('event: bye\ndata: later\n\n')
  assert.deepEqual((await events.next()).value, { event: 'bye', data: 'later', id: '' })
  assert.equal((await events.next()).done, true)
  assert.deepEqual(chat.asked, [['text/event-stream', 200]])
})

test('a stream that is refused is renewed and asked for once more', async t => {
  const chat = await openChat(t)
  chat.expire()
  const events = await begin(chat, { method: 'POST', body: '{}' })
  assert.deepEqual(chat.asked, [
    ['text/event-stream', 401],
    ['text/event-stream', 200],
  ])
  await events.return()
})

test('a stream that nobody is let into rejects', async t => {
  const chat = await openChat(t)
  await chat.client.signOut()
  assert.equal(await codeOf(stream(chat.client, chat.url).next()), 'stream_refused')
})

// [sentence, what the service answers, what the error says]
const refused: [string, [number, Record<string, string>, string], object][] = [
  [
    'a problem',
    [429, { 'retry-after': '7' }, '{"code":"quota","detail":"Your quota is used up"}'],
    {
      status: 429,
      retryAfter: 7,
      message: 'Your quota is used up',
      cause: { code: 'quota', detail: 'Your quota is used up' },
    },
  ],
  [
    'JSON of its own kind',
    [422, {}, '{"detail":[{"msg":"too long"}]}'],
    { status: 422, retryAfter: 0, message: 'stream_refused', cause: { detail: [{ msg: 'too long' }] } },
  ],
  [
    'a page',
    [503, { 'retry-after': '30' }, '<h1>Away</h1>'],
    { status: 503, retryAfter: 30, message: 'stream_refused', cause: undefined },
  ],
]

for (const [sentence, [status, headers, body], says] of refused) {
  test(`who is refused a stream is told what the service said: ${sentence}`, async t => {
    const url = `http://localhost:${await serveAnswers(t, async () => new Response(body, { status, headers }))}`
    withJar(t, url)
    const client = createClient()
    t.after(client.close)
    await assert.rejects(stream(client, `${url}/chat`).next(), { code: 'stream_refused', ...says })
  })
}

test('a stream ends when somebody signs out, here or in another tab, and its connection is closed', async t => {
  const chat = await openChat(t)
  const events = await begin(chat)
  const { client } = chat
  const other = createClient()
  t.after(other.close)
  const closed = once(chat.answers[0] ?? assert.fail(), 'close')
  const next = events.next()
  await other.signOut()
  assert.deepEqual(await next, { value: undefined, done: true })
  await closed
  assert.equal(client.state.status, 'signed-out')
})

// [sentence, how Bob comes to be there, as seen from Ada's page]
const comings: [string, (chat: Chat, t: TestContext) => unknown][] = [
  ['in this tab', ({ client }) => client.signIn({ login: bob.email, password: bob.password })],
  [
    'in another',
    (_chat, t) => {
      const other = createClient()
      t.after(other.close)
      return other.signIn({ login: bob.email, password: bob.password })
    },
  ],
  [
    'without a word',
    async ({ fire, url }) => {
      await fetch(new URL('/auth/sign-in', url), {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ login: bob.email, password: bob.password }),
      })
      fire('visibilitychange')
    },
  ],
]

for (const [sentence, come] of comings) {
  test(`a stream ends when another person is signed in, and its connection is closed: ${sentence}`, async t => {
    const chat = await openChat(t)
    await chat.client.signUp(bob)
    await chat.client.signIn({ login: ada.email, password: ada.password })
    const states: string[] = []
    chat.client.subscribe(({ status }) => states.push(status))
    const events = await begin(chat)
    const closed = once(chat.answers[0] ?? assert.fail(), 'close')
    const next = events.next()
    await come(chat, t)
    assert.deepEqual(await next, { value: undefined, done: true })
    await closed
    assert.ok(!states.includes('signed-out'))
  })
}

test('a stream goes on when the same person is seen again', async t => {
  const chat = await openChat(t)
  const events = await begin(chat)
  const next = events.next()
  await chat.client.signIn({ login: ada.email, password: ada.password })
  chat.fire('visibilitychange')
  await chat.client.session()
  chat.answers[0]?.write('data: still here\n\n')
  assert.equal((await next).value?.data, 'still here')
  await events.return()
})

test('a stream that began before anybody knew whose it is ends all the same', async t => {
  const chat = await openChat(t)
  await chat.client.signUp(bob)
  await chat.client.signIn({ login: ada.email, password: ada.password })
  const client = createClient()
  t.after(client.close)
  const told = Promise.withResolvers<void>()
  chat.untilSession = told.promise
  const events = await begin({ ...chat, client })
  assert.equal(client.userId, undefined)
  told.resolve()
  assert.equal((await client.session())?.email, ada.email)
  chat.answers[0]?.write('data: of Ada\n\n')
  assert.equal((await events.next()).value?.data, 'of Ada')
  const next = events.next()
  await chat.client.signIn({ login: bob.email, password: bob.password })
  assert.deepEqual(await next, { value: undefined, done: true })
})

const reason = new Error('Not any more')

// [sentence, the call with a signal of its own]
const aborts: [string, (url: string, signal: AbortSignal) => [RequestInfo, RequestInit?]][] = [
  ['in its options', (url, signal) => [url, { signal }]],
  ['in a Request', (url, signal) => [new Request(url, { signal })]],
]

for (const [sentence, call] of aborts) {
  test(`a stream ends with its signal’s reason, and closes its connection: the signal is ${sentence}`, async t => {
    const chat = await openChat(t)
    const leaving = new AbortController()
    const [input, init] = call(chat.url, leaving.signal)
    const events = await begin(chat, init, input)
    const closed = once(chat.answers[0] ?? assert.fail(), 'close')
    const next = events.next()
    leaving.abort(reason)
    await assert.rejects(next, reason)
    await closed
  })

  test(`a stream whose signal was aborted before is never asked for: the signal is ${sentence}`, async t => {
    const chat = await openChat(t)
    const [input, init] = call(chat.url, AbortSignal.abort(reason))
    await assert.rejects(stream(chat.client, input, init).next(), reason)
    assert.deepEqual(chat.asked, [])
  })
}

test('leaving the loop closes the connection', async t => {
  const chat = await openChat(t)
  const events = await begin(chat)
  const closed = once(chat.answers[0] ?? assert.fail(), 'close')
  await events.return()
  await closed
})
