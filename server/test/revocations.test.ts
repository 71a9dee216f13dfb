// A service follows which sessions have ended: it is told at once, also of what another process has ended, and never told
// that nothing has when nobody knows.
import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { connect, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Change } from '../src/core/change.ts'
import { type Options, rusk } from '../src/index.ts'
import { openFollowing, telling } from '../src/operations/follow.ts'
import { openStore } from '../src/store/open.ts'
import { emptyFolder, run, serve } from './cli/binary.ts'
import { askNews, askRaw, bearing, newKey, signIn, signOut, signUp, timed } from './following.ts'
import { happened, nextAccepted } from './http/sockets.ts'
import { newSession, newUser } from './store/people.ts'
import { startPostgres } from './store/stores.ts'

const key = newKey()

async function open(t: TestContext, options: Options = {}) {
  const auth = await rusk({
    database: 'sqlite::memory:',
    port: 0,
    log: { level: 'silent' },
    secret: 'known to this test and to nobody else',
    service: { keys: [key] },
    ...options,
  })
  t.after(() => auth.close())
  return { auth, ...(await auth.listen()) }
}

test('without a service key nothing is there to be asked', async t => {
  const { url } = await open(t, { service: {} })
  assert.equal((await askRaw(url, key)).status, 404)
  const introspected = await fetch(`${url}/auth/introspect`, { method: 'POST', headers: bearing(key) })
  assert.equal(introspected.status, 404)
  assert.equal((await fetch(`${url}/auth/forward`)).status, 401)
})

const refused: readonly [sentence: string, headers: Record<string, string>, path?: string][] = [
  ['no key', {}],
  ['another key', bearing(newKey())],
  ['the key cut short', bearing(key.slice(0, -1))],
  ['the key with more behind it', bearing(`${key}=`)],
  ['the key in another case', bearing(key.toUpperCase())],
  ['the key after another word', { authorization: `Basic ${key}` }],
  ['the key without a word before it', { authorization: key }],
  ['an empty key', { authorization: 'Bearer ' }],
  ['the key twice', { authorization: `Bearer ${key}, Bearer ${key}` }],
  ['the key in a cookie', { cookie: `authorization=Bearer ${key}` }],
  ['the key in the query', {}, `?access_token=${encodeURIComponent(key)}`],
]
for (const dialect of ['native', 'fastapi'] as const) {
  test(`${dialect}: who does not show the key is told nothing, and no page may read that`, async t => {
    const { url } = await open(t, { dialect, prefix: '/x', origins: ['https://app.example'] })
    for (const [sentence, headers, query = ''] of refused) {
      for (const method of ['GET', 'POST']) {
        const path = method === 'GET' ? `/auth/revocations${query}` : `/auth/introspect${query}`
        const origin = { origin: 'https://app.example' }
        const answer = await fetch(url + path, { method, headers: { ...headers, ...origin } })
        const { code, detail } = (await answer.json()) as Record<string, unknown>
        assert.deepEqual([answer.status, code], [401, 'service_refused'], sentence)
        assert.equal(detail, 'This needs one of the service keys as a bearer token')
        assert.equal(answer.headers.get('content-type'), 'application/problem+json')
        assert.equal(answer.headers.get('www-authenticate'), 'Bearer')
        assert.equal(answer.headers.get('cache-control'), 'no-store')
        assert.equal(answer.headers.get('access-control-allow-origin'), null)
      }
    }
    assert.equal((await askRaw(url, key)).status, 200)
    const bearer = { authorization: `bearer ${key}` }
    assert.equal((await fetch(`${url}/auth/revocations`, { headers: bearer })).status, 200)
    const preflight = { origin: 'https://app.example', 'access-control-request-method': 'GET' }
    const asked = await fetch(`${url}/auth/revocations`, { method: 'OPTIONS', headers: preflight })
    assert.equal(asked.headers.get('access-control-allow-origin'), null)
    const deleted = await fetch(`${url}/auth/revocations`, { method: 'DELETE' })
    assert.deepEqual([deleted.status, deleted.headers.get('allow')], [405, 'GET, HEAD'])
    assert.equal(((await deleted.json()) as { code: string }).code, 'method_not_allowed')
  })
}

test('a key is replaced: both open while both are configured, then the new one alone', async t => {
  const next = newKey()
  const statuses = async (keys: string[]) => {
    const { url } = await open(t, { service: { keys } })
    return Promise.all([key, next].map(async each => (await askRaw(url, each)).status))
  }
  assert.deepEqual(await statuses([key]), [200, 401])
  assert.deepEqual(await statuses([next, key]), [200, 200])
  assert.deepEqual(await statuses([next]), [401, 200])
})

const asks: readonly [query: string, status: number][] = [
  ['', 200],
  ['wait=0', 200],
  ['after=', 200],
  ['after=nonsense', 200],
  ['after=%00', 200],
  [`after=${'x'.repeat(8000)}`, 200],
  ['unknown=1', 200],
  ['wait=21', 422],
  ['wait=-1', 422],
  ['wait=1.5', 422],
  ['wait=1e1', 422],
  ['wait=x', 422],
  ['wait=0&wait=0', 400],
  ['after=%', 400],
]
test('what cannot be meant is refused, and a cursor that is none counts as none', async t => {
  const { url } = await open(t)
  for (const [query, status] of asks) {
    const answer = await fetch(`${url}/auth/revocations?${query}`, { headers: bearing(key) })
    assert.equal(answer.status, status, query.slice(0, 40))
  }
})

test('an own sign-out is told at once to whoever waits, and not before', async t => {
  const { url } = await open(t)
  const jack = await signUp(url, 'jack')
  const first = await askNews(url, key)
  assert.deepEqual([first.ended, first.not_before, first.remember], [[], 0, 86_400])
  const jwks = (await (await fetch(`${url}/.well-known/jwks.json`)).json()) as { keys: { kid: string }[] }
  assert.deepEqual(
    first.keys,
    jwks.keys.map(({ kid }) => kid),
  )
  const took: number[] = []
  let { cursor } = first
  for (const session of [jack, await signIn(url, 'jack'), await signIn(url, 'jack')]) {
    let told = false
    const waiting = askNews(url, key, { after: cursor, wait: 10 }).finally(() => {
      told = true
    })
    await sleep(300)
    assert.equal(told, false, 'a sign-in is no end')
    const ended = timed(waiting)
    await signOut(url, session)
    const { value, took: span } = await ended
    took.push(span)
    assert.ok(value.ended.includes(session.id))
    cursor = value.cursor
  }
  t.diagnostic(`sign-out and its telling took ${took.map(each => `${each.toFixed(0)} ms`).join(', ')}`)
  assert.ok(Math.max(...took) < 3000, String(took))
  assert.deepEqual((await askNews(url, key, { after: cursor })).ended, [], 'once')
})

test('without news the answer comes when the wait is over, with the next cursor', async t => {
  const { url } = await open(t)
  const { cursor } = await askNews(url, key)
  const { value, took } = await timed(askNews(url, key, { after: cursor, wait: 1 }))
  assert.deepEqual([value.ended, value.not_before], [[], 0])
  assert.ok(took >= 990 && took < 5000, String(took))
})

test('twenty seconds are within what a socket here is kept open for', async t => {
  const { url } = await open(t)
  const patience: (number | undefined)[] = []
  const take = (message: unknown) => patience.push((message as { socket: Socket }).socket.timeout)
  subscribe('http.server.request.start', take)
  t.after(() => unsubscribe('http.server.request.start', take))
  await askNews(url, key)
  const [milliseconds = 0] = patience
  // As many again as a slow machine and a slow answer may need.
  assert.ok(milliseconds >= 30_000, String(milliseconds))
})

test('a server that is stopped answers whoever waits, and ends in time', async t => {
  const where = { folder: emptyFolder(t), env: { RUSK_SERVICE_KEYS: key } }
  const server = await serve(t, where)
  const { cursor } = await askNews(server.url, key)
  const waiting = Array.from({ length: 5 }, () => askNews(server.url, key, { after: cursor, wait: 20 }))
  // Asked after them on a connection of its own, and answered: then they wait.
  await askNews(server.url, key)
  await sleep(200)
  const { code, took } = await server.stop()
  assert.equal(code, 0, server.texts().stderr)
  for (const { ended } of await Promise.all(waiting)) assert.deepEqual(ended, [])
  t.diagnostic(`ended after ${took.toFixed(0)} ms`)
  assert.ok(took < 6000, String(took))
})

/** Milliseconds. It takes a second and a half where nothing else runs; whoever were told only when the wait is over, twenty. */
const soon = 5000

test('what a command has done is told by the server that serves, before the wait is over', async t => {
  const where = { folder: emptyFolder(t), env: { RUSK_SERVICE_KEYS: key } }
  const { url } = await serve(t, where)
  const sessions = [await signUp(url, 'jack'), await signIn(url, 'jack'), await signIn(url, 'jack')]
  const [one, , three] = sessions
  assert.ok(one && three)
  let { cursor } = await askNews(url, key)
  const told = async (args: readonly string[], ids: readonly string[]) => {
    const waiting = askNews(url, key, { after: cursor, wait: 20 })
    const ended = await run(where, args)
    assert.equal(ended.code, 0, ended.stderr)
    const { value, took } = await timed(waiting)
    for (const id of ids) assert.ok(value.ended.includes(id), args.join(' '))
    cursor = value.cursor
    t.diagnostic(`rusk ${args.slice(0, 2).join(' ')}: told ${took.toFixed(0)} ms after the command was over`)
    assert.ok(took < soon, String(took))
    return value
  }
  await told(['sessions', 'revoke', one.id], [one.id])
  await told(
    ['users', 'disable', 'jack'],
    sessions.slice(1).map(({ id }) => id),
  )
  const before = await askNews(url, key)
  const after = await told(['keys', 'rotate', '--compromised'], [])
  assert.ok(!after.keys.includes(before.keys[0] ?? ''), 'the key that is known to others is gone at once')
})

test('a cursor outlives the server: what was ended while none served is told by the next', async t => {
  const where = { folder: emptyFolder(t), env: { RUSK_SERVICE_KEYS: key } }
  const first = await serve(t, where)
  const jack = await signUp(first.url, 'jack')
  const { cursor } = await askNews(first.url, key)
  await first.stop()
  assert.equal((await run(where, ['sessions', 'revoke', jack.id])).code, 0)
  const second = await serve(t, where)
  assert.deepEqual((await askNews(second.url, key, { after: cursor, wait: 20 })).ended, [jack.id])
})

test('of two servers on one Postgres each tells what the other has ended, and neither says "nothing" without it', async t => {
  const postgres = await startPostgres()
  t.after(() => postgres.stop())
  const database = await postgres.url('following')
  const [here, there] = [
    await open(t, { database, url: 'http://localhost:8000' }),
    await open(t, { database, url: 'http://localhost:8000' }),
  ]
  const sessions = [
    await signUp(here.url, 'jack'),
    await signIn(here.url, 'jack'),
    await signIn(here.url, 'jack'),
  ]
  let { cursor } = await askNews(there.url, key)
  const took: number[] = []
  for (const session of sessions) {
    const waiting = askNews(there.url, key, { after: cursor, wait: 20 })
    await sleep(Math.random() * 500)
    await signOut(here.url, session)
    const told = await timed(waiting)
    assert.ok(told.value.ended.includes(session.id))
    took.push(told.took)
    // The next question goes to the other one.
    const next = await askNews(here.url, key, { after: told.value.cursor })
    assert.deepEqual(next.ended, [], 'both know the same')
    cursor = next.cursor
  }
  t.diagnostic(`told by the sibling after ${took.map(each => `${each.toFixed(0)} ms`).join(', ')}`)
  assert.ok(Math.max(...took) < soon, String(took))

  const waiting = timed(askRaw(there.url, key, { after: cursor, wait: 20 }))
  await sleep(100)
  await postgres.stop()
  const { value, took: until } = await waiting
  assert.equal(value.status, 503, 'whoever waits is told that nobody knows')
  assert.ok(Number(value.headers.get('retry-after')) >= 1)
  assert.equal(((await value.json()) as { code: string }).code, 'unavailable')
  t.diagnostic(`without the database: 503 after ${until.toFixed(0)} ms`)
  assert.ok(until < 10_000, String(until))
  assert.equal((await askRaw(there.url, key)).status, 503)
})

/** What has looked at the store by itself, in memory: with as many rows as it takes. */
async function withSessions(count: number) {
  const store = await openStore({ kind: 'sqlite', path: null, label: 'memory' }, {})
  await store.migrate()
  await store.commit([{ change: 'createUser', user: newUser('ada'), password: null }])
  const ids = Array.from({ length: count }, (_, i) => `s${i}`)
  const now = store.now()
  const opened = (id: string): Change => ({
    change: 'openSession',
    session: newSession(id, 'ada', { openedAt: now - 1000, endsAt: now + 1e9, idleEndsAt: now + 1e9 }),
  })
  for (let i = 0; i < count; i += 1000) await store.commit(ids.slice(i, i + 1000).map(opened))
  return { store, ids }
}

const named = { databases: () => ['db'], keys: async () => ['k'] }

test('twelve thousand ends at one moment: ten thousand are named, the others are told by their age', async () => {
  const { store } = await withSessions(12_000)
  const following = openFollowing({ store, ...named })
  const { cursor } = await following.news(undefined, 0)
  const waiting = following.news(cursor, 20_000)
  const at = store.now()
  await telling(store, following.look).commit([
    { change: 'endSessionsOpenedBefore', openedBefore: at, because: 'revoked', at },
  ])
  const { value, took } = await timed(waiting)
  assert.equal(value.ended.length, 10_000)
  assert.ok(value.notBefore > at / 1000 && value.notBefore <= Math.floor(store.now() / 1000) + 1)
  assert.ok(took < 10_000, String(took))
  await store.close()
})

test('of many who wait one more is answered at once, and all of them share what is read', async () => {
  const { store, ids } = await withSessions(1)
  let reads = 0
  const counted = {
    ...store,
    endedSince: (page: Parameters<typeof store.endedSince>[0]) => {
      reads++
      return store.endedSince(page)
    },
  }
  const following = openFollowing({ store: counted, ...named, most: 50 })
  const { cursor } = await following.news(undefined, 0)
  const waiting = Array.from({ length: 50 }, () => following.news(cursor, 20_000))
  await sleep(10)
  const { value, took } = await timed(following.news(cursor, 20_000))
  assert.deepEqual(value.ended, [])
  assert.ok(took < 5000, String(took))
  reads = 0
  await telling(store, following.look).commit([
    { change: 'endSession', sessionId: ids[0] ?? '', because: 'revoked', at: store.now() },
  ])
  for (const { ended } of await Promise.all(waiting)) assert.deepEqual(ended, ids)
  assert.equal(reads, 1)
  await store.close()
})

test('whoever waits is told of an end only when its commit is durable', async () => {
  const { store, ids } = await withSessions(1)
  const following = openFollowing({ store, ...named })
  const { cursor } = await following.news(undefined, 0)
  const order: string[] = []
  const slow = telling(
    {
      ...store,
      async commit(changes) {
        await sleep(100)
        const committed = await store.commit(changes)
        order.push('durable')
        return committed
      },
    },
    following.look,
  )
  const waiting = following.news(cursor, 20_000).then(news => {
    order.push('told')
    return news
  })
  await slow.commit([{ change: 'endSession', sessionId: ids[0] ?? '', because: 'revoked', at: store.now() }])
  assert.deepEqual((await waiting).ended, ids)
  assert.deepEqual(order, ['durable', 'told'])
  await store.close()
})

test('an end that comes between the look and the waiting is told all the same', async () => {
  const { store, ids } = await withSessions(1)
  const following = openFollowing({
    ...named,
    store: {
      ...store,
      async endedSince(page) {
        const read = await store.endedSince(page)
        await sleep(100)
        return read
      },
    },
  })
  const { cursor } = await following.news(undefined, 0)
  const waiting = timed(following.news(cursor, 20_000))
  await sleep(20)
  await telling(store, following.look).commit([
    { change: 'endSession', sessionId: ids[0] ?? '', because: 'revoked', at: store.now() },
  ])
  const { value, took } = await waiting
  assert.deepEqual(value.ended, ids)
  assert.ok(took < 5000, String(took))
  await store.close()
})

test('a client that hangs up while it waits leaves the server as it was', async t => {
  const { url, port } = await open(t)
  const { cursor } = await askNews(url, key)
  const accepted = nextAccepted()
  const socket = connect(port, '127.0.0.1').on('error', () => undefined)
  socket.write(
    `GET /auth/revocations?wait=2&after=${cursor} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\nExpect: 100-continue\r\n\r\n`,
  )
  // The 100 tells that it is asked; what is asked next, that it waits.
  await happened(socket, 'data')
  await askNews(url, key)
  socket.destroy()
  await happened(await accepted, 'close')
  await sleep(2000)
  const jack = await signUp(url, 'jack')
  await signOut(url, jack)
  assert.deepEqual((await askNews(url, key, { after: cursor, wait: 1 })).ended, [jack.id])
})
