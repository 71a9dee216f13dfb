// The way out of localStorage, in Node against a real app: what is asked, what is wiped, and what is kept because nobody
// could decide.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { DialectName } from '../../server/src/dialects/index.ts'
import { rusk } from '../../server/src/index.ts'
import { bridgeOptions, databaseWith, earlierKey, earlierToken, signedBy } from '../../server/test/earlier.ts'
import { type App, ada, gates, openApp } from '../test/app.ts'
import { withJar } from '../test/jar.ts'
import { codeOf } from '../test/room.ts'
import { leaveLocalStorage } from './bridge.ts'
import { createClient } from './client.ts'
import type { Client } from './contract.ts'
import type { Dialect } from './dialect.ts'
import { django, fastapi, fastapiMinimal, fastapiProduction, flask, native } from './dialects.ts'
import { RuskError } from './error.ts'

const keys = ['access_token', 'refresh_token', 'user']
const how = { token: 'access_token', wipe: keys, storage: sessionStorage }

/** What the app before left behind, and something of the page's own. */
function store(t: TestContext, token: string): void {
  sessionStorage.clear()
  for (const key of keys) sessionStorage.setItem(key, `some ${key}`)
  sessionStorage.setItem('access_token', token)
  sessionStorage.setItem('theme', 'dark')
  t.after(() => sessionStorage.clear())
}

const left = (): readonly string[] => Object.keys(sessionStorage).toSorted()
const everything = [...keys, 'theme'].toSorted()

/** Ada, as an operator brings her here from the system before. */
const brought = { ...ada, username: 'ada' }

const exchanges = ({ asked }: App): readonly string[] =>
  asked.filter(line => line.startsWith('POST /auth/exchange'))

type Room = { readonly app: App; readonly client: Client }

/** Ada has an account, and nobody is signed in. */
async function open(
  t: TestContext,
  options: Parameters<typeof openApp>[2] = { bridge: bridgeOptions },
): Promise<Room> {
  const database = await databaseWith(t, [brought])
  const app = await openApp(t, {}, { database, ...options })
  withJar(t, app.url)
  const client = createClient()
  t.after(client.close)
  return { app, client }
}

const hour = 3600
const now = () => Math.floor(Date.now() / 1000)

test('where nothing is stored nobody is asked or waited for, and nothing is touched', async t => {
  const { app, client } = await open(t)
  const held = Promise.withResolvers<void>()
  void navigator.locks.request('rusk bridge', () => held.promise)
  t.after(() => held.resolve())
  store(t, '')
  assert.equal(await leaveLocalStorage(client, how), 'nothing-stored')
  assert.equal(await leaveLocalStorage(client, { ...how, token: 'another_key' }), 'nothing-stored')
  assert.deepEqual(app.asked, [])
  assert.deepEqual(left(), everything)
})

test('a token of the system before becomes a session, and goes', async t => {
  const { app, client } = await open(t)
  store(t, await earlierToken(ada.email))
  assert.equal(await leaveLocalStorage(client, how), 'exchanged')
  assert.deepEqual(exchanges(app), ['POST /auth/exchange 200'])
  assert.ok(client.state.status === 'signed-in')
  assert.equal(client.state.user.email, ada.email)
  assert.deepEqual(left(), ['theme'])
  assert.equal(await leaveLocalStorage(client, how), 'nothing-stored')
})

test('a token inside of something larger is found by the app', async t => {
  const { client } = await open(t)
  store(t, '')
  sessionStorage.setItem('user', JSON.stringify({ name: 'Ada', token: await earlierToken(ada.email) }))
  const token = (storage: { getItem(key: string): string | null }) =>
    JSON.parse(storage.getItem('user') ?? '{}').token
  assert.equal(await leaveLocalStorage(client, { ...how, token }), 'exchanged')
  assert.deepEqual(left(), ['theme'])
})

test('its own key goes with it, also when nobody thought of that', async t => {
  const { client } = await open(t)
  store(t, await earlierToken(ada.email))
  await leaveLocalStorage(client, { ...how, wipe: ['user'] })
  assert.deepEqual(left(), ['refresh_token', 'theme'])
})

test('who is signed in already needs no token: it only goes', async t => {
  const { app, client } = await open(t)
  await client.signIn({ login: ada.email, password: ada.password })
  // The next page.
  const later = createClient()
  t.after(later.close)
  store(t, await earlierToken(ada.email))
  assert.equal(await leaveLocalStorage(later, how), 'already-signed-in')
  assert.deepEqual(exchanges(app), [])
  assert.deepEqual(left(), ['theme'])
})

test('a token that is worth nothing goes, and its person signs in again', async t => {
  const { app, client } = await open(t)
  const table: [string, string][] = [
    ['run out', await earlierToken(ada.email, { exp: now() - hour })],
    ['of another key', await signedBy(earlierKey.toLowerCase(), { sub: ada.email, exp: now() + hour })],
    ['of somebody unknown', await earlierToken('nobody@example.com')],
    ['no token at all', 'a.b.c'],
    ['longer than any', `${'x'.repeat(9000)}.x.x`],
  ]
  for (const [sentence, token] of table) {
    await t.test(sentence, async t => {
      app.asked.length = 0
      store(t, token)
      assert.equal(await leaveLocalStorage(client, how), 'refused')
      assert.equal(exchanges(app).length, 1)
      assert.deepEqual(left(), ['theme'])
      assert.equal(client.state.status, 'signed-out')
    })
  }
})

for (const [sentence, wrap] of [
  ['in quotes', JSON.stringify],
  ['with Bearer before it', token => `Bearer ${token}`],
  ['with both', token => JSON.stringify(`bearer ${token}`)],
] as [string, (token: string) => string][]) {
  test(`a token that is stored ${sentence} is as good as any`, async t => {
    const { client } = await open(t)
    store(t, wrap(await earlierToken(ada.email)))
    assert.equal(await leaveLocalStorage(client, how), 'exchanged')
    assert.deepEqual(left(), ['theme'])
  })
}

test('what is no JWT is neither sent nor wiped: it was found in the wrong place', async t => {
  const { app, client } = await open(t)
  for (const found of ['undefined', '{"token":"a.b.c"}', 'x'.repeat(9000), 'a.b', 'a.b.c.d', 'a.b.c d']) {
    store(t, found)
    await assert.rejects(leaveLocalStorage(client, how), { code: 'input_invalid', message: /JWT/ })
    assert.deepEqual(left(), everything)
  }
  assert.deepEqual(exchanges(app), [])
})

test('where Rusk exchanges nothing yet, the token stays until it does', async t => {
  const { client } = await open(t, {})
  store(t, await earlierToken(ada.email))
  await assert.rejects(leaveLocalStorage(client, how), { code: 'not_found' })
  assert.deepEqual(left(), everything)
})

test('what is undecided stays, and the next start tries again', async t => {
  // [sentence, call, what it gets]
  const table: [string, string, Parameters<App['answer']>[1]][] = [
    ['no network', 'POST /auth/exchange', 'breaks'],
    ['a server that is away', 'POST /auth/exchange', 503],
    ['a fault', 'POST /auth/exchange', 500],
    ['too many attempts', 'POST /auth/exchange', 429],
    ['an origin that is not listed', 'POST /auth/exchange', { status: 403, code: 'origin_refused' }],
    ['a 404 that is not of Rusk', 'POST /auth/exchange', 404],
    ['a 401 that is not of Rusk', 'POST /auth/exchange', 401],
    ['nobody can say who is signed in', 'POST /auth/refresh', 503],
  ]
  for (const [sentence, line, instead] of table) {
    await t.test(sentence, async t => {
      const { app, client } = await open(t)
      store(t, await earlierToken(ada.email))
      app.answer(line, instead)
      await assert.rejects(leaveLocalStorage(client, how), RuskError)
      assert.deepEqual(left(), everything)
      app.answer(line, undefined)
      const next = createClient()
      t.after(next.close)
      assert.equal(await leaveLocalStorage(next, how), 'exchanged')
      assert.deepEqual(left(), ['theme'])
    })
  }
})

test('of two tabs one exchanges the token, and the other finds it gone', async t => {
  const { app, client } = await open(t)
  const other = createClient()
  t.after(other.close)
  store(t, await earlierToken(ada.email))
  const both = await Promise.all([leaveLocalStorage(client, how), leaveLocalStorage(other, how)])
  assert.deepEqual(both, ['exchanged', 'nothing-stored'])
  assert.deepEqual(exchanges(app), ['POST /auth/exchange 200'])
  // It was told by the first.
  assert.equal((await other.session())?.email, ada.email)
})

test('a lock that is taken away asks nobody twice', async t => {
  const { app, client } = await open(t)
  store(t, await earlierToken(ada.email))
  const leaving = leaveLocalStorage(client, how)
  while (!(await navigator.locks.query()).held?.length);
  await navigator.locks.request('rusk bridge', { steal: true }, () => {})
  assert.equal(await leaving, 'exchanged')
  assert.deepEqual(exchanges(app), ['POST /auth/exchange 200'])
})

test('where tabs cannot lock it goes without', async t => {
  const refusing = { request: () => Promise.reject(new DOMException('Not here', 'SecurityError')) }
  for (const [sentence, navigator] of [
    ['no locks', {}],
    ['locks that are refused', { locks: refusing }],
  ] as const) {
    await t.test(sentence, async t => {
      const { client } = await open(t)
      const before = Object.getOwnPropertyDescriptor(globalThis, 'navigator')
      Object.defineProperty(globalThis, 'navigator', { value: navigator, configurable: true })
      t.after(() => before && Object.defineProperty(globalThis, 'navigator', before))
      store(t, await earlierToken(ada.email))
      assert.equal(await leaveLocalStorage(client, how), 'exchanged')
      store(t, 'a.b.c')
      await client.signOut()
      assert.equal(await leaveLocalStorage(client, how), 'refused')
    })
  }
})

const wires: [DialectName, Dialect<{ readonly email: string }>][] = [
  ['native', native],
  ['fastapi', fastapi],
  ['fastapi-minimal', fastapiMinimal],
  ['fastapi-production', fastapiProduction],
  ['flask', flask],
  ['django', django],
]
for (const [name, dialect] of wires) {
  test(`${name} takes a good token and refuses the others`, async t => {
    const auth = await rusk({
      dialect: [name],
      bridge: bridgeOptions,
      database: await databaseWith(t, [brought]),
      port: 0,
      log: { level: 'silent' },
      secret: 'known to this test and to nobody else',
    })
    t.after(auth.close)
    const { url: baseUrl } = await auth.listen()
    withJar(t, baseUrl)
    const client = createClient({ baseUrl, dialect })
    t.after(client.close)
    for (const [token, want] of [
      [await earlierToken(ada.email, { exp: now() - hour }), 'refused'],
      [`${'x'.repeat(9000)}.x.x`, 'refused'],
      [await earlierToken(ada.email), 'exchanged'],
    ] as const) {
      store(t, token)
      assert.equal(await leaveLocalStorage(client, how), want)
      assert.deepEqual(left(), ['theme'])
    }
    assert.equal((await client.session())?.email, ada.email)
  })
}

for (const [name, dialect] of wires) {
  test(`${name}: what something on the way says for Rusk wipes nothing`, async t => {
    const { app } = await open(t, { dialect: [name], bridge: bridgeOptions })
    store(t, await earlierToken(ada.email))
    for (const [sentence, gate] of gates) {
      for (const { line } of [dialect.exchange, dialect.refresh]) {
        // Where a 200 is taken for a renewal, it is asked whose.
        if (line !== dialect.exchange.line) app.answer(dialect.session.line, 503)
        const client = createClient({ dialect })
        app.answer(line, gate)
        const code = await codeOf(leaveLocalStorage(client, how))
        await codeOf(client.session())
        client.close()
        assert.match(String(code), /^(unavailable|offline|cookies_blocked)$/, `${line}: ${sentence}`)
        assert.deepEqual(left(), everything, `${line}: ${sentence}`)
        assert.notEqual(client.state.status, 'signed-in')
        for (const each of [line, dialect.session.line]) app.answer(each, undefined)
      }
    }
    const client = createClient({ dialect })
    t.after(client.close)
    assert.equal(await leaveLocalStorage(client, how), 'exchanged')
    assert.deepEqual(left(), ['theme'])
  })
}

// [sentence, who signs in by password: this page or another one]
const entrances: [string, (client: Client, t: TestContext) => Client][] = [
  ['here', client => client],
  [
    'in another tab',
    (_client, t) => {
      const other = createClient()
      t.after(other.close)
      return other
    },
  ],
]

for (const [sentence, entrance] of entrances) {
  test(`whoever got in by password while it was undecided does not come back by the token after leaving: signs in ${sentence}`, async t => {
    const { app, client } = await open(t)
    store(t, await earlierToken(ada.email))
    app.answer('POST /auth/exchange', 503)
    assert.equal(await codeOf(leaveLocalStorage(client, how)), 'unavailable')
    assert.deepEqual(left(), everything)
    app.answer('POST /auth/exchange', undefined)

    await entrance(client, t).signIn({ login: ada.email, password: ada.password })
    while (client.state.status !== 'signed-in') await new Promise(resolve => setTimeout(resolve, 10))
    assert.deepEqual(left(), ['theme'])
    await client.signOut()
    const next = createClient()
    t.after(next.close)
    assert.equal(await leaveLocalStorage(next, how), 'nothing-stored')
    assert.equal(await next.session(), null)
  })
}
