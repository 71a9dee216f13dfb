// What the client makes of servers that are not well, and of answers that are none of Rusk's: in Node, against servers that
// misbehave on purpose.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { ada } from '../test/app.ts'
import { hurry } from '../test/clock.ts'
import { codeOf, openRoom } from '../test/room.ts'
import { createClient } from './client.ts'
import type { RuskError } from './error.ts'

const second = 1000

async function serve(t: TestContext, answer: RequestListener): Promise<string> {
  const server = createServer(answer)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const soon = new Date(Date.now() + 3600 * second).toUTCString()

// [sentence, Retry-After, what of it the error says, seconds until it is asked again: at least, at most]
const waits: [string, string, number, number, number][] = [
  ['seconds are waited out', '30', 30, 30, 31],
  ['a date is none of the page’s clock’s business', soon, 0, 0.5, 1],
  ['nonsense counts for nothing', 'soon', 0, 0.5, 1],
  ['what is long over counts for nothing', '-100', 0, 0.5, 1],
  ['nobody is kept waiting for days', '1000000000', 1_000_000_000, 3600, 3601],
]

for (const [sentence, retryAfter, told, least, most] of waits) {
  test(`Retry-After: ${sentence}`, async t => {
    const set = hurry(t, 1)
    const url = await serve(t, (_call, reply) => {
      reply.writeHead(503, { 'retry-after': retryAfter }).end()
    })
    const client = createClient({ baseUrl: url })
    const error = await new Promise<RuskError | undefined>(resolve => {
      client.subscribe(state => state.status === 'unknown' && state.error && resolve(state.error))
    })
    client.close()
    assert.equal(error?.retryAfter, told)
    const wait = (set.at(-1) ?? 0) / second
    assert.ok(wait >= least && wait <= most, `${wait} s`)
  })
}

// [sentence, status, headers, body]
const strange: [string, number, Record<string, string>, string][] = [
  [
    'a page of a gate in front of the network',
    200,
    { 'content-type': 'text/html' },
    '<title>Pay here</title>',
  ],
  ['JSON of somebody else', 200, { 'content-type': 'application/json' }, '{"ok":true}'],
  ['a list', 200, { 'content-type': 'application/json' }, '[]'],
  ['null', 200, { 'content-type': 'application/json' }, 'null'],
  ['nothing', 204, {}, ''],
  ['a way elsewhere', 302, { location: 'http://127.0.0.1:9/' }, ''],
  ['a page of a server that lacks Rusk', 404, { 'content-type': 'text/html' }, '<h1>Not found</h1>'],
  ['a refusal that is no problem document', 400, { 'content-type': 'application/json' }, '"no"'],
]

for (const [sentence, status, headers, body] of strange) {
  test(`${sentence} signs nobody in and nobody out`, async t => {
    const url = await serve(t, (_call, reply) => {
      reply.writeHead(status, headers).end(body)
    })
    for (const options of [{}, { delivery: 'memory' }] as const) {
      const client = createClient({ baseUrl: url, ...options })
      t.after(client.close)
      assert.match(String(await codeOf(client.session())), /^(unavailable|offline)$/)
      assert.equal(client.state.status, 'unknown')
      assert.match(
        String(await codeOf(client.signIn({ login: 'ada', password: 'x' }))),
        /^(unavailable|offline)$/,
      )
      assert.notEqual(client.state.status, 'signed-in')
    }
  })
}

test('an answer that breaks off in its middle is no sign-out', async t => {
  const { client, proxy } = await openRoom(t)
  const before = client.state
  const url = await serve(t, (_call, reply) => {
    reply.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' })
    reply.write('{"user":{"id"')
    setTimeout(() => reply.destroy(), 10)
  })
  proxy.to(url)
  assert.match(String(await codeOf(client.session())), /unavailable|offline/)
  assert.equal(client.state, before)
})

test('what is wrong with a form is told field by field', async t => {
  const { client } = await openRoom(t, { empty: true })
  const error: RuskError = await client.signUp({ email: 'nobody', password: 'x' }).then(
    () => assert.fail('it resolved'),
    error => error,
  )
  assert.deepEqual([error.name, error.code, error.status], ['RuskError', 'input_invalid', 422])
  assert.ok(error.issues.every(({ field, message }) => field !== '' && message !== ''))
  assert.ok(error.issues.map(({ field }) => field).includes('email'))
  assert.notEqual(error.message, '')
  assert.equal(await codeOf(client.signIn({ login: ada.email, password: ada.password })), 'credentials_wrong')
  assert.equal(await codeOf(client.exchange({ token: 'x' })), 'not_found')
})
