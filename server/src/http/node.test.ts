import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import {
  get,
  happened,
  lines,
  nextAccepted,
  open,
  raw,
  recall,
  silent,
  statuses,
} from '../../test/http/sockets.ts'
import { mounted, session, site, tiny, tryHttp, user } from '../../test/http/tiny.ts'
import { Misuse } from '../core/fault.ts'
import { listen } from './node.ts'

/** A call after which the server closes: whatever it made of the bytes before has been answered by then. */
const last = get('Cookie: at=good', 'Connection: close')

const withoutDate = (text: string) => text.replace(/^Date: .*\r\n/gm, '')

test('the hot lane and the long way give the same bytes', async t => {
  const hot = await open(t)
  const cold = await open(t, { recall: () => undefined })
  for (const head of [
    [],
    ['Origin: https://app.example'],
    ['Origin: https://evil.example'],
    ['Connection: close'],
  ]) {
    const asked = get('Cookie: at=good', ...head)
    const [short, long] = [await hot.raw(asked), await cold.raw(asked)]
    assert.match(short, /^HTTP\/1\.1 200 OK\r\n/)
    assert.equal(withoutDate(short), withoutDate(long))
  }
  assert.deepEqual([hot.asked.length, cold.asked.length], [0, 4])
})

test('cookies get a line each', async t => {
  const tokens = { refresh: 'R', signIn: 'S', refreshMaxAge: 9 }
  const { raw } = await open(t, { script: () => ({ done: { user, session }, tokens }) })
  const answer = await raw(lines('POST /again HTTP/1.1', 'Host: x', 'Content-Length: 0'))
  assert.deepEqual(answer.match(/^Set-Cookie: .*$/gm), [
    'Set-Cookie: rt=R; Max-Age=9; Path=/; HttpOnly; SameSite=Strict',
    'Set-Cookie: st=S; Max-Age=9; Path=/; HttpOnly; SameSite=Strict',
  ])
})

const targets: readonly [sentence: string, head: readonly string[], want: number][] = [
  ['a path', ['GET /me HTTP/1.1', 'Host: x'], 200],
  ['an absolute target of the same host', ['GET http://x:8000/me?a=b HTTP/1.1', 'Host: x:8000'], 200],
  ['an absolute target of another host', ['GET http://evil/me HTTP/1.1', 'Host: x'], 400],
  ['an absolute target with a person in it', ['GET http://x@evil/me HTTP/1.1', 'Host: x'], 400],
  ['two hosts', ['GET /me HTTP/1.1', 'Host: x', 'Host: evil'], 400],
  ['the same host twice', ['GET /me HTTP/1.1', 'Host: x', 'Host: x'], 400],
  ['a host with a person in it', ['GET /me HTTP/1.1', 'Host: a@evil'], 400],
  ['an empty host', ['GET /me HTTP/1.1', 'Host:'], 400],
  ['no host', ['GET /me HTTP/1.1', 'X: y'], 400],
  ['a port that cannot be', ['GET /me HTTP/1.1', 'Host: x:99999'], 400],
  ['an IPv6 host', ['GET /me HTTP/1.1', 'Host: [::1]:8000'], 200],
  ['HTTP/1.0 without a host', ['GET /me HTTP/1.0'], 200],
  ['OPTIONS for everything', ['OPTIONS * HTTP/1.1', 'Host: x'], 400],
  ['a path that begins with another host', ['GET //evil/me HTTP/1.1', 'Host: x'], 404],
  ['dots in the path', ['GET /x/../me HTTP/1.1', 'Host: x'], 404],
]

for (const [sentence, head, want] of targets) {
  test(`${sentence}: ${want}`, async t => {
    const { raw, asked } = await open(t)
    const answer = await raw(lines(...head))
    assert.deepEqual(statuses(answer), [want], answer)
    assert.equal(asked.length, want === 200 ? 1 : 0)
    assert.match(answer, /X-Content-Type-Options: nosniff/)
  })
}

const hostile: readonly [sentence: string, text: string][] = [
  [
    'Transfer-Encoding and Content-Length',
    lines('POST /out HTTP/1.1', 'Host: x', 'Content-Length: 5', 'Transfer-Encoding: chunked'),
  ],
  ['two Content-Lengths', lines('POST /out HTTP/1.1', 'Host: x', 'Content-Length: 0', 'Content-Length: 5')],
  ['an unknown coding', lines('POST /out HTTP/1.1', 'Host: x', 'Transfer-Encoding: xchunked')],
  ['bare line feeds', 'POST /out HTTP/1.1\nHost: x\nContent-Length: 0\n\n'],
  ['a folded line', lines('GET /me HTTP/1.1', 'Host: x', 'X: a', ' b')],
  ['a space before the colon', lines('GET /me HTTP/1.1', 'Host : x')],
  ['NUL in a header', lines('GET /me HTTP/1.1', 'Host: x', 'X: a\0b')],
  ['no HTTP at all', 'hello\r\n\r\n'],
]

for (const [sentence, text] of hostile) {
  test(`${sentence}: 400, the floor's headers, and the connection is closed`, async t => {
    const { raw, asked } = await open(t)
    const answer = await raw(`${text}${get()}`)
    assert.deepEqual(statuses(answer), [400], answer)
    assert.match(answer, /Connection: close/)
    assert.match(answer, /Cache-Control: no-store/)
    assert.equal(asked.length, 0)
  })
}

test('headers beyond 16 KiB are 431', async t => {
  const { raw } = await open(t)
  assert.deepEqual(statuses(await raw(get(`Cookie: ${'a=b; '.repeat(4000)}`))), [431])
  const most = `Cookie: ${'a=b; '.repeat(3000)}at=good`
  assert.deepEqual(statuses(await raw(get(most))), [200])
})

const twice: readonly [sentence: string, head: readonly string[], want: number][] = [
  ['Origin', ['Origin: https://app.example', 'Origin: https://app.example'], 403],
  ['Sec-Fetch-Site', ['Sec-Fetch-Site: same-origin', 'Sec-Fetch-Site: same-origin'], 403],
  ['Content-Type', ['Content-Type: application/json', 'Content-Type: text/plain'], 415],
]

for (const [name, head, want] of twice) {
  test(`${name} that comes twice is refused: ${want}`, async t => {
    const { raw, asked } = await open(t)
    const answer = await raw(`${lines('POST /out HTTP/1.1', 'Host: x', 'Content-Length: 2', ...head)}{}`)
    assert.deepEqual([statuses(answer), asked.length], [[want], 0])
  })
}

test('Authorization that comes twice is malformed, never the first of them', async t => {
  const { raw, asked } = await open(t)
  await raw(get('Authorization: Bearer good', 'Authorization: Bearer bad'))
  assert.equal(asked[0]?.carried.bearer, null)
})

test('cookies over two lines are one header', async t => {
  const { raw, asked } = await open(t)
  await raw(get('Cookie: at=one', 'Cookie: rt=r; at=two'))
  assert.deepEqual([asked[0]?.carried.access, asked[0]?.carried.refresh], [['one', 'two'], ['r']])
})

test('a body on GET is not read as one, nor as the next request', async t => {
  const { raw, asked } = await open(t)
  const answer = await raw(`${get('Cookie: at=good', 'Content-Length: 4')}{"a"${last}`, 2)
  assert.deepEqual([statuses(answer), asked.length], [[200], 1])
})

test('a smuggled request inside a body is a body', async t => {
  const { raw, asked } = await open(t)
  const inner = lines('POST /out HTTP/1.1', 'Host: x', 'Content-Length: 0')
  const outer = lines(
    'POST /in HTTP/1.1',
    'Host: x',
    'Content-Type: application/json',
    `Content-Length: ${inner.length}`,
  )
  assert.deepEqual([statuses(await raw(outer + inner + last, 2)), asked.length], [[400, 200], 0])
})

test('two calls in one packet get two answers, in their order', async t => {
  const { raw } = await open(t)
  const answer = await raw(get('Cookie: at=good') + lines('GET /nowhere HTTP/1.1', 'Host: x'), 2)
  assert.deepEqual(statuses(answer), [200, 404])
})

for (const [sentence, head, body] of [
  ['announced', ['Content-Length: 70000'], 'x'.repeat(70_000)],
  ['announced and never sent', ['Content-Length: 7000000'], 'x'],
  [
    'in chunks',
    ['Transfer-Encoding: chunked'],
    `${'1000\r\n'.concat('x'.repeat(4096), '\r\n').repeat(20)}0\r\n\r\n`,
  ],
  ['in too many chunks', ['Transfer-Encoding: chunked'], '1\r\n \r\n'.repeat(1025)],
] as const) {
  test(`a body that is too large, ${sentence}: 413, and the connection is closed`, async t => {
    const { raw, asked } = await open(t)
    const answer = await raw(
      lines('POST /in HTTP/1.1', 'Host: x', 'Content-Type: application/json', ...head) + body,
    )
    assert.deepEqual([statuses(answer), asked.length], [[413], 0])
    assert.match(answer, /\r\nConnection: close\r\n/)
  })
}

test('a body in chunks is read', async t => {
  const { raw, asked } = await open(t)
  const text = '{"mail":"m","word":"w"}'
  const chunks = [...text].map(char => `1\r\n${char}\r\n`).join('')
  const head = lines(
    'POST /in HTTP/1.1',
    'Host: x',
    'Content-Type: application/json',
    'Transfer-Encoding: chunked',
  )
  assert.deepEqual(statuses(await raw(`${head}${chunks}0\r\n\r\n`)), [200])
  assert.deepEqual(asked[0]?.input, { login: 'm', password: 'w' })
})

test('Expect: 100-continue is met', async t => {
  const { raw } = await open(t)
  const answer = await raw(
    `${lines('POST /in HTTP/1.1', 'Host: x', 'Content-Type: application/json', 'Content-Length: 23', 'Expect: 100-continue')}{"mail":"m","word":"w"}`,
  )
  assert.deepEqual(statuses(answer), [100, 200])
})

test('a browser that goes away in the middle of a body asks no operation', async t => {
  const { listening, dial, asked } = await open(t)
  const accepted = nextAccepted()
  const socket = dial()
  socket.write(
    `${lines('POST /in HTTP/1.1', 'Host: x', 'Content-Type: application/json', 'Content-Length: 99', 'Expect: 100-continue')}{"mail":"m","word":"w"}`,
  )
  // The 100 tells that the body is waited for.
  await happened(socket, 'data')
  socket.destroy()
  await happened(await accepted, 'close')
  // What the close ends is over when the next call is answered.
  assert.equal((await fetch(`${listening.url}/me`, { headers: { cookie: 'at=good' } })).status, 200)
  assert.equal(asked.length, 0)
})

test('any other expectation is 417', async t => {
  const { raw } = await open(t)
  const answer = await raw(get('Expect: a-miracle'))
  assert.deepEqual(statuses(answer), [417])
  assert.match(answer, /X-Content-Type-Options: nosniff/)
})

test('HEAD has the headers of GET and no body; an unknown method is 405', async t => {
  const { raw } = await open(t)
  const head = await raw(lines('HEAD /me HTTP/1.1', 'Host: x', 'Cookie: at=good'))
  assert.deepEqual([statuses(head), head.endsWith('\r\n\r\n')], [[200], true])
  assert.deepEqual(statuses(await raw(lines('PROPFIND /me HTTP/1.1', 'Host: x'))), [405])
})

test('a port that is taken is a misuse that names it', async t => {
  const { listening, http } = await open(t)
  const attempt = (host: string, port: number) => listen({ http, host, port, log: silent })
  await assert.rejects(attempt('127.0.0.1', listening.port), (error: unknown) => {
    assert.ok(error instanceof Misuse)
    assert.equal(error.findings[0]?.about, `127.0.0.1:${listening.port}`)
    return true
  })
  await assert.rejects(attempt('192.0.2.1', 0), Misuse)
  await assert.rejects(attempt('no-such-host.invalid', 0), Misuse)
})

test('closing lets what is in flight finish, takes nothing new, and does not wait for idle connections', async t => {
  const begun = Promise.withResolvers<void>()
  const made = Promise.withResolvers<{ status: number; body: string }>()
  const answer = () => {
    begun.resolve()
    return made.promise
  }
  const tried = tryHttp({ dialects: [mounted(tiny)], site, recall, served: [{ path: '/slow', answer }] })
  const listening = await listen({ http: tried.http, host: '127.0.0.1', port: 0, log: silent })
  const idle = connect(listening.port, '127.0.0.1')
  t.after(() => idle.destroy())
  idle.on('error', () => undefined).write(get('Cookie: at=good'))
  await happened(idle, 'data')
  const inFlight = raw(listening, lines('GET /slow HTTP/1.1', 'Host: x'))
  await begun.promise
  const started = performance.now()
  const closed = listening.close()
  await assert.rejects(fetch(`${listening.url}/me`))
  made.resolve({ status: 200, body: 'done' })
  const text = await inFlight
  assert.match(text, /^HTTP\/1\.1 200 OK\r\n/)
  assert.match(text, /\r\nConnection: close\r\n/)
  assert.match(text, /"done"$/)
  await closed
  // Otherwise it is nine seconds, or the minute that an idle connection is kept.
  assert.ok(performance.now() - started < 5000)
})
