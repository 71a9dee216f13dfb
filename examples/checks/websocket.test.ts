// WebSockets beside a real Rusk: who may open one, how long it lasts, and what no stranger can do to the others.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type ClientOptions, WebSocket } from 'ws'
import { bySignature } from './forged.ts'
import { inNode } from './in-node.ts'
import { type Program, start } from './program.ts'
import { claimsOf, keyOf, openRusk, type Person } from './rusk.ts'

const service = inNode(`(await import('./websocket.ts')).server`)

/** Milliseconds: how late the end of a session may be heard of, and how late a test is told on a busy machine. */
const bound = 5000
const slack = 5000

async function openBoth(t: Parameters<typeof openRusk>[0]) {
  const rusk = await openRusk(t)
  const env = { ...service.env, RUSK_URL: rusk.url, RUSK_SERVICE_KEY: rusk.serviceKey }
  return { rusk, program: await start(t, { ...service, env }), person: await rusk.signIn() }
}

const bearer = ({ accessToken }: Pick<Person, 'accessToken'>): ClientOptions => ({
  headers: { authorization: `Bearer ${accessToken}` },
})

const cookie = ({ accessToken }: Pick<Person, 'accessToken'>, origin?: string): ClientOptions => ({
  headers: { cookie: `rusk_access=${accessToken}` },
  ...(origin === undefined ? {} : { origin }),
})

/** What is heard of a `hello`, or the status line and code of the refusal. */
async function talk({ url }: Program, options: ClientOptions): Promise<string> {
  const socket = new WebSocket(url.replace('http', 'ws'), options)
  const answer = Promise.withResolvers<string>()
  socket.on('unexpected-response', (request, response) => {
    response.setEncoding('utf8').on('data', (body: string) => {
      request.destroy()
      answer.resolve(`${response.statusCode} ${response.statusMessage} ${JSON.parse(body).code}`)
    })
  })
  socket.on('error', answer.reject)
  socket.on('open', () => socket.send('hello'))
  socket.on('message', data => answer.resolve(String(data)))
  try {
    return await answer.promise
  } finally {
    socket.terminate()
  }
}

/** The head of a handshake, as a program sends it by hand. */
const handshake = (token?: string): string =>
  [
    'GET / HTTP/1.1',
    'Host: service.example',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${Buffer.alloc(16).toString('base64')}`,
    ...(token === undefined ? [] : [`Authorization: Bearer ${token}`]),
    '\r\n',
  ].join('\r\n')

/** Keeps its own half open until it is told otherwise. */
const reach = async ({ url }: Program): Promise<Socket> => {
  const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1', allowHalfOpen: true })
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  return socket
}

/** However it comes to be closed. */
const closed = (socket: Socket): Promise<void> =>
  new Promise(resolve => {
    socket.on('error', () => undefined).once('close', () => resolve())
  })

/** A client of few scruples: sends what it is told to, and answers nothing. `close`: the code and reason it was told. */
async function openRaw(program: Program, token: string) {
  const socket = await reach(program)
  let got = ''
  socket.setEncoding('latin1').on('data', (text: string) => {
    got += text
  })
  /** All of them are short, and none is under a mask. */
  const frames = () => {
    const bytes = Buffer.from(got.slice(got.indexOf('\r\n\r\n') + 4), 'latin1')
    const read: { opcode: number; payload: Buffer }[] = []
    for (let at = 0; at + 2 <= bytes.length; ) {
      const over = at + 2 + (bytes[at + 1] ?? 0)
      if (over <= bytes.length)
        read.push({ opcode: (bytes[at] ?? 0) & 15, payload: bytes.subarray(at + 2, over) })
      at = over
    }
    return read
  }
  socket.write(handshake(token))
  await until('the handshake', () => got.includes('\r\n\r\n'))
  assert.match(got, /^HTTP\/1\.1 101 /)
  return {
    socket,
    /** Under a mask of zeros (RFC 6455 §5.3). */
    say: (text: string) =>
      socket.write(Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), Buffer.from(text)])),
    heard: () => frames().flatMap(({ opcode, payload }) => (opcode === 1 ? [String(payload)] : [])),
    close: () => {
      const closing = frames().find(({ opcode }) => opcode === 8)?.payload
      return closing && `${closing.readUInt16BE(0)} ${closing.subarray(2)}`
    },
  }
}

async function until(what: string, holds: () => boolean, most = bound + slack): Promise<void> {
  for (const started = performance.now(); !holds(); await sleep(10))
    assert.ok(performance.now() - started < most, `not within ${most} ms: ${what}`)
}

const page = 'https://app.example.com'

test('a socket is opened for whoever is signed in, by token or cookie, and for no page that is not listed', async t => {
  const { rusk, program, person } = await openBoth(t)
  const hello = `${claimsOf(person.accessToken).sub} says hello`
  // [sentence, what is sent along, what is answered]
  const rows: readonly (readonly [string, ClientOptions, string])[] = [
    ['nobody', {}, '401 Unauthorized not_signed_in'],
    ['a token', bearer(person), hello],
    ['the cookie, from a page that is listed', cookie(person, page), hello],
    ['the cookie, from Rusk’s own page', cookie(person, rusk.url), hello],
    [
      'the cookie, from a page elsewhere',
      cookie(person, 'https://evil.example'),
      '403 Forbidden origin_refused',
    ],
    ['the cookie, from a page in a sandbox', cookie(person, 'null'), '403 Forbidden origin_refused'],
  ]
  for (const [sentence, options, want] of rows) assert.equal(await talk(program, options), want, sentence)
  const refresh = person.cookies.get('rusk_refresh') ?? ''
  for (const [sentence, accessToken] of bySignature(person.accessToken, await keyOf(rusk), refresh))
    assert.match(await talk(program, bearer({ accessToken })), /^401 Unauthorized access_/, sentence)
  assert.equal((await fetch(program.url)).status, 426)
})

/** Frames that are none (RFC 6455 §5): not masked, of a kind that nobody knows, larger than anything. */
const broken: readonly (readonly [string, readonly number[]])[] = [
  ['not masked', [0x81, 1, 65]],
  ['of a kind that nobody knows', [0x83, 0x80, 0, 0, 0, 0]],
  ['larger than is taken', [0x82, 0xff, 0, 0, 0, 0, 0, 2, 0, 0]],
]

test('two hundred strangers who hang up at once, and frames that are none, end nobody else’s connection', async t => {
  const { program, person } = await openBoth(t)
  const other = await openRaw(program, person.accessToken)
  const hanging = Array.from({ length: 200 }, async () => {
    const socket = await reach(program)
    socket.write(handshake(), () => socket.resetAndDestroy())
    await closed(socket)
  })
  await Promise.all(hanging)
  for (const [sentence, bytes] of broken) {
    const raw = await openRaw(program, person.accessToken)
    raw.socket.write(Buffer.from(bytes))
    await until(`the end of who sent a frame ${sentence}`, () => raw.close() !== undefined)
    assert.match(raw.close() ?? '', /^(1002|1009) /, sentence)
  }
  other.say('hello')
  await until('an answer', () => other.heard().length > 0)
  other.socket.destroy()
})

test('a refused caller is hung up on, also when it keeps its own half open', async t => {
  const { program } = await openBoth(t)
  const socket = await reach(program)
  let got = ''
  socket.setEncoding('latin1').on('data', (text: string) => {
    got += text
  })
  socket.write(handshake())
  await once(socket, 'end')
  assert.match(
    got,
    /^HTTP\/1\.1 401 Unauthorized\r\n(.+\r\n)*WWW-Authenticate: Bearer\r\n(.+\r\n)*\r\n\{.*\}$/,
  )
  // Whoever has hung up answers the next byte with a reset.
  const ticking = setInterval(() => socket.write('x'), 50)
  t.after(() => clearInterval(ticking))
  await Promise.race([closed(socket), sleep(slack).then(() => assert.fail('it still listens'))])
})

test('who hangs up while it is not known yet who calls ends nobody else’s connection', async t => {
  const { rusk, program, person } = await openBoth(t)
  // Asked for the first time, a service waits for Rusk, which takes its time.
  rusk.serving.child.kill('SIGSTOP')
  const waiting = await Promise.all(Array.from({ length: 20 }, () => reach(program)))
  for (const socket of waiting) socket.write(handshake(person.accessToken))
  await sleep(300)
  for (const socket of waiting) socket.resetAndDestroy()
  assert.equal(await talk(program, bearer(person)), '503 Service Unavailable unavailable')
  rusk.serving.child.kill('SIGCONT')
  const asked = performance.now()
  for (let said = ''; !said.endsWith('hello'); said = await talk(program, bearer(person)))
    assert.ok(performance.now() - asked < 2 * bound, said)
})

test('with its session a connection ends, whatever its client does, and no other', async t => {
  const { rusk, program, person } = await openBoth(t)
  const deaf = await openRaw(program, person.accessToken)
  const other = await openRaw(program, (await rusk.signIn()).accessToken)
  const polite = new WebSocket(program.url.replace('http', 'ws'), cookie(person, page))
  const goodbye = once(polite, 'close')
  await once(polite, 'open')
  const { sub } = claimsOf(person.accessToken)
  deaf.say('before')
  await until('that it is heard', () => other.heard().length === 1)

  const gone = closed(deaf.socket)
  await person.signOut()
  await until('that it is told', () => deaf.close() !== undefined)
  const told = performance.now()
  assert.equal(deaf.close(), '4401 access_revoked')
  const talking = setInterval(() => deaf.say('after'), 50)
  t.after(() => clearInterval(talking))
  await gone
  const passed = performance.now() - told
  t.diagnostic(`it was hung up on ${Math.round(passed)} ms after it was told`)
  assert.ok(passed < 2000 + slack, `${passed} ms`)
  const [code, reason] = await goodbye
  assert.deepEqual([code, String(reason)], [4401, 'access_revoked'])

  assert.equal(await talk(program, bearer(person)), '401 Unauthorized access_revoked')
  other.say('hello')
  await until('that the other goes on', () => other.heard().at(-1)?.endsWith('hello') === true)
  assert.deepEqual(other.heard(), [`${sub} says before`, `${sub} says hello`], 'nothing that was said after')
  assert.equal(other.close(), undefined)
  other.socket.destroy()
})

test('when Rusk has not been heard for five seconds a connection ends too, and may be opened again later', async t => {
  const { rusk, program, person } = await openBoth(t)
  const raw = await openRaw(program, person.accessToken)
  await rusk.serving.end('SIGKILL')
  await until('that it is told', () => raw.close() !== undefined)
  assert.equal(raw.close(), '1013 unavailable')
  assert.equal(await talk(program, bearer(person)), '503 Service Unavailable unavailable')
  raw.socket.destroy()
})
