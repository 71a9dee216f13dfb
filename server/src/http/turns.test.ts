import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { get, happened, lines, nextAccepted, open, statuses } from '../../test/http/sockets.ts'
import { openTurns } from './turns.ts'

const at = (path: string, ...more: readonly string[]) => lines(`GET ${path} HTTP/1.1`, 'Host: x', ...more)
const post = (path: string, body: string) =>
  lines(
    `POST ${path} HTTP/1.1`,
    'Host: x',
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
  ) + body

/** Everything that comes from now on. */
function hear(socket: Socket): () => string {
  let got = ''
  socket.setEncoding('latin1').on('data', chunk => {
    got += chunk
  })
  return () => got
}

/** A page that takes 30 ms, and how many of it were made at once at most, and in all. */
function slowPage() {
  const seen = { now: 0, most: 0, all: 0 }
  const answer = async () => {
    seen.now += 1
    seen.all += 1
    seen.most = Math.max(seen.most, seen.now)
    await sleep(30)
    seen.now -= 1
    return { status: 200, body: 'slow' }
  }
  return { seen, slow: { path: '/slow', answer } }
}

const large = new Uint8Array(16 * 1024 * 1024)

/** A page that no kernel takes whole, and how often it was asked for. */
function largePage() {
  const seen = { all: 0 }
  const body = () => {
    seen.all += 1
    return large
  }
  return { seen, page: { path: '/large', type: 'text/plain; charset=utf-8', body } }
}

/** Resolves when the server has really gone, although this side never closed: then it answers what is sent by a reset. */
async function isLetGo(socket: Socket): Promise<void> {
  if (!socket.readableEnded) await happened(socket, 'end')
  const gone = happened(socket, 'error')
  const sending = setInterval(() => socket.write('x'), 20)
  await gone.finally(() => clearInterval(sending))
}

test('of several calls in one packet one is worked on at a time, and all are answered in their order', async t => {
  const { seen, slow } = slowPage()
  const { raw } = await open(t, { served: [slow] })
  const answer = await raw(at('/slow').repeat(2) + get('Cookie: at=good') + at('/slow') + at('/nowhere'), 5)
  assert.deepEqual(statuses(answer), [200, 200, 200, 200, 404])
  assert.deepEqual([seen.most, seen.all], [1, 3])
})

test('sixteen calls may wait, with the first in work; with one more the connection is dropped', async t => {
  const few = slowPage()
  const { raw } = await open(t, { served: [few.slow] })
  assert.equal(statuses(await raw(at('/slow').repeat(17), 17)).length, 17)
  const many = slowPage()
  const other = await open(t, { served: [many.slow] })
  assert.equal(await other.raw(at('/slow').repeat(18)), '')
  assert.equal(many.seen.all, 1)
})

test('a client that asks a thousand times for what it does not read is dropped, and one answer was made', async t => {
  const { seen, page } = largePage()
  const { dial, listening } = await open(t, { served: [page] })
  const accepted = nextAccepted()
  const socket = dial().pause()
  socket.write(at('/large').repeat(1400))
  await happened(await accepted, 'close')
  assert.equal(seen.all, 1)
  assert.equal((await fetch(`${listening.url}/me`, { headers: { cookie: 'at=good' } })).status, 200)
})

test('a call with a body does not wait for another: the connection is dropped', async t => {
  const { slow } = slowPage()
  const { raw, asked } = await open(t, { served: [slow] })
  assert.equal(await raw(at('/slow') + post('/out', '{}')), '')
  assert.equal(asked.length, 0)
})

test('what comes after the last answer is not begun', async t => {
  const { raw, asked } = await open(t)
  const out = lines('POST /out HTTP/1.1', 'Host: x', 'Content-Length: 0')
  assert.deepEqual(statuses(await raw(lines('GET /me HTTP/1.1', 'Host: a@evil') + out)), [400])
  assert.deepEqual(statuses(await raw(lines('POST /in HTTP/1.1', 'Host: x', 'Expect: x') + out)), [417])
  assert.equal(asked.length, 0)
})

test('garbage behind a call in work is not answered before it: the connection is dropped', async t => {
  const { slow } = slowPage()
  const { raw } = await open(t, { served: [slow] })
  assert.equal(await raw(`${at('/slow')}GARBAGE\r\n\r\n`), '')
})

test('garbage behind a call that is answered: 400', async t => {
  const { dial } = await open(t)
  const socket = dial()
  const heard = hear(socket)
  socket.write(get('Cookie: at=good'))
  await happened(socket, 'data')
  socket.write('GARBAGE\r\n\r\n')
  await isLetGo(socket)
  assert.deepEqual(statuses(heard()), [200, 400])
})

/** For those whose time must run out. Who is answered sooner needs as long as a busy machine takes. */
const hasty = { head: 100, call: 150, check: 50 }

const dawdlers: readonly [sentence: string, text: string, patience: object, want: readonly number[]][] = [
  ['sends nothing', '', hasty, [408]],
  ['stops in a head', 'GET /me HTTP/1.1\r\nHost: x\r\nX: ', hasty, [408]],
  ['stops in a body', post('/in', '{}').replace('Content-Length: 2', 'Content-Length: 50'), hasty, [408]],
  ['sends garbage', 'X\r\n\r\n', {}, [400]],
  ['sends too large a head', get(`X: ${'a'.repeat(20_000)}`), {}, [431]],
]

for (const [sentence, text, patience, want] of dawdlers) {
  test(`a client that ${sentence} is told ${want}, and let go even if it never closes`, async t => {
    const { dial } = await open(t, {}, patience)
    const socket = dial()
    const heard = hear(socket)
    if (text !== '') socket.write(text)
    await isLetGo(socket)
    assert.deepEqual(statuses(heard()), want)
    assert.match(heard(), /X-Content-Type-Options: nosniff/)
  })
}

test('an answer that is not read is held for a while only', async t => {
  const { page } = largePage()
  const { dial } = await open(t, { served: [page] }, { unread: 200 })
  const accepted = nextAccepted()
  const socket = dial().pause()
  socket.write(at('/large'))
  await happened(await accepted, 'close')
  let got = 0
  socket.on('data', chunk => {
    got += chunk.length
  })
  socket.resume()
  await happened(socket, 'end')
  assert.ok(got < large.length, `${got} bytes came`)
})

test('an answer that is read slowly is written to its end, and a connection idle between calls is kept', async t => {
  const unread = 400
  const { page } = largePage()
  const { dial } = await open(t, { served: [page] }, { unread })
  const socket = dial()
  const began = performance.now()
  let got = 0
  const isWhole = new Promise<void>(resolve => {
    socket.on('data', chunk => {
      got += chunk.length
      if (got >= large.length) return resolve()
      // A piece at a time, so that the whole takes three times as long as one may stay unread.
      socket.pause()
      const due = began + (3 * unread * got) / large.length
      setTimeout(() => socket.resume(), due - performance.now())
    })
  })
  socket.write(at('/large'))
  await Promise.race([isWhole, happened(socket, 'end').then(() => assert.fail(`${got} bytes came`))])
  await sleep(2 * unread)
  const next = happened(socket, 'data')
  socket.write(get('Cookie: at=good'))
  await next
})

test('the answer to the last call of a connection says so', async t => {
  const turns = openTurns(3)
  const server = createServer((request, response) =>
    turns.take(request, response, false, () => response.end('x')),
  )
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo
  const socket = connect(port, '127.0.0.1')
  const heard = hear(socket)
  socket.write(get().repeat(5))
  await happened(socket, 'close')
  assert.deepEqual(statuses(heard()), [200, 200, 200])
  assert.match(heard(), /Connection: close\r\n(?:.+\r\n)*\r\nx$/)
})
