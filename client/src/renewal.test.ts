// When the client renews, what is sent once more, and what it makes of a server that cannot say: in Node, against a real app
// with Rusk in it. Time is moved for page and server alike.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type App, gates } from '../test/app.ts'
import { hurry } from '../test/clock.ts'
import { codeOf, openRoom } from '../test/room.ts'

const second = 1000

/** Somebody sets the clock: what only goes forwards goes on as before. */
const setClock = (t: TestContext, by: number): void => t.mock.timers.setTime(Date.now() + by)

/** Page and server live so much later. */
function sleepFor(t: TestContext, span: number): void {
  setClock(t, span)
  const at = performance.now() + span
  t.mock.method(performance, 'now', () => at)
}

function stopClocks(t: TestContext): void {
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() })
  sleepFor(t, 0)
}

/** Everything that is under way between tasks has happened. */
const settled = () => new Promise(resolve => setTimeout(resolve, 20))

// [sentence, life of an access token, asleep for, refreshes]
const early: [string, `${number}${'m' | 's'}`, number, number][] = [
  ['with more than a minute left nothing is renewed', '10m', 500, 0],
  ['with less than a minute left it is renewed', '10m', 565, 1],
  ['one that lives a minute is renewed after half of it', '60s', 35, 1],
  ['and not before', '60s', 25, 0],
]

for (const [sentence, access, span, want] of early) {
  test(`renewal ahead of time: ${sentence}`, async t => {
    stopClocks(t)
    const { refreshes, notes } = await openRoom(t, { rusk: { session: { access } } })
    sleepFor(t, span * second)
    assert.equal(await notes(), 200)
    await settled()
    assert.deepEqual(refreshes(), Array(want).fill(200))
    assert.equal(await notes(), 200)
    await settled()
    assert.equal(refreshes().length, want)
  })
}

// [sentence, token’s age at the load in seconds, then asleep for, refreshes]
const loads: [string, number, number, number][] = [
  ['with more than a minute left nothing is renewed', 300, 200, 0],
  ['with less than a minute left it is renewed', 300, 265, 1],
  ['what has less than two minutes left, at half of that', 500, 55, 1],
]

for (const [sentence, age, span, want] of loads) {
  test(`renewal ahead of time after a page load: ${sentence}`, async t => {
    stopClocks(t)
    const { proxy, browsing, refreshes, tab } = await openRoom(t)
    sleepFor(t, age * second)
    const client = tab()
    await client.session()
    sleepFor(t, span * second)
    assert.equal((await client.fetch(`${proxy.url}/api/notes`)).status, 200)
    await settled()
    assert.deepEqual(refreshes(), Array(want).fill(200))
    assert.ok(!browsing.calls().some(call => call.endsWith('401')))
  })
}

test('with tokens in memory the first call after a page load carries one', async t => {
  const { browsing, app, proxy, tab } = await openRoom(t, { client: { delivery: 'memory' } })
  const page = tab()
  assert.equal((await page.fetch(`${proxy.url}/api/notes`)).status, 200)
  assert.deepEqual(
    app.seen.map(({ headers }) => 'authorization' in headers),
    [true],
  )
  await page.session()
  assert.ok(!browsing.calls().some(call => call.endsWith('401')), browsing.calls().join())
})

test('a body that cannot be sent twice gets through after a page load, however old the token is', async t => {
  stopClocks(t)
  const { proxy, tab } = await openRoom(t)
  const client = tab()
  await client.session()
  sleepFor(t, 601 * second)
  const body = new Blob(['by Ada']).stream()
  const init = { method: 'POST', body, duplex: 'half' } as const
  assert.equal((await client.fetch(`${proxy.url}/api/things`, init)).status, 200)
})

test('an answer that came before a renewal says nothing about the life of the next token', async t => {
  stopClocks(t)
  const { proxy, refreshes, tab } = await openRoom(t)
  sleepFor(t, 500 * second)
  const client = tab()
  const held = proxy.hold('GET /auth/session')
  const asked = client.session()
  await held.answered
  const mark = (await client.prepare(proxy.url, 'GET'))?.mark ?? assert.fail()
  assert.equal(await client.recover(mark), true)
  held.release()
  await asked
  sleepFor(t, 200 * second)
  await client.prepare(proxy.url, 'GET')
  await settled()
  assert.deepEqual(refreshes(), [200])
})

test('while a token is good nobody waits for the next', async t => {
  stopClocks(t)
  const { proxy, refreshes, notes } = await openRoom(t)
  sleepFor(t, 565 * second)
  const held = proxy.hold('POST /auth/refresh')
  assert.equal(await notes(), 200)
  await held.answered
  assert.deepEqual(refreshes(), [0], 'it is still under way')
  held.release()
})

const deliveries = ['cookies', 'memory'] as const

for (const delivery of deliveries) {
  test(`${delivery}: a hundred calls after a long sleep make one refresh, and none is refused`, async t => {
    stopClocks(t)
    const { app, refreshes, notes } = await openRoom(t, { client: { delivery } })
    sleepFor(t, 3600 * second)
    const statuses = await Promise.all(Array.from({ length: 100 }, notes))
    assert.deepEqual(new Set(statuses), new Set([200]))
    assert.deepEqual(refreshes(), [200])
    assert.equal(app.seen.length, 100)
  })

  test(`${delivery}: whatever the delivery of the session was, calls do not renew again and again`, async t => {
    const other = delivery === 'cookies' ? 'memory' : 'cookies'
    const { client, proxy, refreshes, tab } = await openRoom(t, { client: { delivery: other } })
    assert.equal(client.state.status, 'signed-in')
    const page = tab({ delivery })
    for (let n = 0; n < 3; n++) {
      assert.equal((await page.fetch(`${proxy.url}/api/notes`)).status, 200)
      await page.session()
    }
    assert.equal(refreshes().length, 1)
  })

  test(`${delivery}: an API that refuses whatever comes is asked twice by each call, after one refresh`, async t => {
    const { app, client, refreshes, notes } = await openRoom(t, { client: { delivery } })
    app.answer('GET /api/notes', 401)
    const statuses = await Promise.all(Array.from({ length: 100 }, notes))
    assert.deepEqual(new Set(statuses), new Set([401]))
    assert.equal(app.seen.length, 200)
    assert.deepEqual(refreshes(), [200])
    assert.equal(client.state.status, 'signed-in')
  })
}

test('a hundred calls whose cookie has gone make one refresh, and each is sent once more', async t => {
  const { app, expire, refreshes, notes } = await openRoom(t)
  expire()
  const statuses = await Promise.all(Array.from({ length: 100 }, notes))
  assert.deepEqual(new Set(statuses), new Set([200]))
  assert.deepEqual(refreshes(), [200])
  assert.equal(app.seen.filter(({ email }) => email === null).length, 100)
  assert.equal(app.seen.length, 200)
})

test('a refresh that is refused is the end: nothing is sent once more and nobody asks again', async t => {
  const { app, browsing, client, refreshes, notes } = await openRoom(t)
  browsing.jar.drop(...browsing.jar.names())
  assert.deepEqual(await Promise.all([notes(), notes(), notes()]), [401, 401, 401])
  assert.deepEqual(client.state, { status: 'signed-out', reason: 'ended' })
  const asked = refreshes().length
  assert.deepEqual(await Promise.all([notes(), notes()]), [401, 401])
  assert.equal(refreshes().length, asked)
  assert.equal(app.seen.length, 5)
})

// [sentence, what refresh gets, the code that calls reject with]
const undecided: [string, 'breaks' | number, string][] = [
  ['a connection that breaks', 'breaks', 'offline'],
  ['a server that is overloaded', 503, 'unavailable'],
  ['a server that is broken', 500, 'unavailable'],
  ['a gateway without a server', 502, 'unavailable'],
  ['a throttle', 429, 'unavailable'],
  ['a path that has moved', 404, 'unavailable'],
]

for (const [sentence, answer, code] of undecided) {
  test(`${sentence} signs nobody out: calls reject, it is left alone, and all goes on when it is back`, async t => {
    const { app, browsing, client, expire, refreshes, notes } = await openRoom(t)
    const before = client.state
    expire()
    app.answer('POST /auth/refresh', answer)
    assert.equal(await codeOf(notes()), code)
    assert.equal(client.state, before)
    assert.equal(await codeOf(notes()), code)
    assert.equal(refreshes().length, 1, 'not asked again at once')
    app.answer('POST /auth/refresh', undefined)
    browsing.fire('online')
    assert.equal(await notes(), 200)
    assert.equal(refreshes().length, 2)
    assert.equal(client.state, before)
  })
}

test('a clock that is put back while the server is left alone makes nobody wait any longer', async t => {
  stopClocks(t)
  const { app, expire, notes } = await openRoom(t)
  // Back to where the server has been.
  sleepFor(t, 60 * second)
  expire()
  app.answer('POST /auth/refresh', 503)
  assert.equal(await codeOf(notes()), 'unavailable')
  app.answer('POST /auth/refresh', undefined)
  setClock(t, -30 * second)
  sleepFor(t, 2 * second)
  assert.equal(await notes(), 200)
})

test('coming back to the page ends the waiting too', async t => {
  const { app, browsing, expire, notes } = await openRoom(t)
  expire()
  app.answer('POST /auth/refresh', 503)
  assert.equal(await codeOf(notes()), 'unavailable')
  app.answer('POST /auth/refresh', undefined)
  browsing.fire('visibilitychange')
  assert.equal(await notes(), 200)
})

test('while a token is good, a refresh that fails is nobody’s business', async t => {
  stopClocks(t)
  const { app, refreshes, notes } = await openRoom(t)
  app.answer('POST /auth/refresh', 503)
  sleepFor(t, 565 * second)
  assert.equal(await notes(), 200)
  await settled()
  assert.equal(await notes(), 200)
  assert.equal(refreshes().length, 1)
})

test('no answer within 15 seconds is a time-out: nobody is signed out', async t => {
  const { proxy, client, expire, notes } = await openRoom(t)
  expire()
  const waits = hurry(t, 100)
  const held = proxy.hold('POST /auth/refresh')
  assert.equal(await codeOf(notes()), 'timeout')
  assert.deepEqual(waits, [15 * second])
  assert.equal(client.state.status, 'signed-in')
  await held.answered
  held.release()
})

// [sentence, what comes instead of an answer]
const silences: (readonly [string, Parameters<App['answer']>[1]])[] = [
  ['a server that is overloaded', 503],
  ...gates,
]

for (const [sentence, gate] of silences) {
  test(`as long as nobody can say, it is asked again by itself, later each time and never in step: ${sentence}`, async t => {
    const { app, browsing, tab } = await openRoom(t)
    app.answer('GET /auth/session', gate)
    // An answer takes as long as it takes.
    const waits = hurry(t, 500, 15 * second)
    const client = tab()
    const states: string[] = []
    client.subscribe(({ status }) => states.push(status))
    while (waits.length < 9) await settled()
    const longest = waits.map((_, n) => Math.min(60, 2 ** n) * second)
    assert.deepEqual(
      waits.map((wait, n) => wait >= (longest[n] ?? 0) / 2 && wait <= (longest[n] ?? 0)),
      longest.map(() => true),
      waits.join(),
    )
    assert.equal(new Set(waits).size, waits.length)
    assert.ok(states.every(status => status === 'unknown'))
    app.answer('GET /auth/session', undefined)
    browsing.fire('online')
    await new Promise<void>(resolve => {
      client.subscribe(({ status }) => status === 'signed-in' && resolve())
    })
  })

  test(`a renewal that nobody decides is left alone longer each time: ${sentence}`, async t => {
    stopClocks(t)
    const { app, client, expire, refreshes, notes } = await openRoom(t)
    const before = client.state
    expire()
    app.answer('POST /auth/refresh', gate)
    // Where a 200 is taken for a renewal, it is asked whose.
    app.answer('GET /auth/session', 503)
    for (let asked = 1; asked <= 9; asked++) {
      assert.notEqual(await codeOf(notes()), 'resolved')
      assert.equal(refreshes().length, asked)
      const longest = Math.min(60, 2 ** (asked - 1)) * second
      sleepFor(t, longest / 2 - 1)
      assert.notEqual(await codeOf(notes()), 'resolved')
      assert.equal(refreshes().length, asked, 'not yet')
      sleepFor(t, longest / 2 + 2)
    }
    assert.equal(client.state, before)
    for (const line of ['POST /auth/refresh', 'GET /auth/session']) app.answer(line, undefined)
    assert.equal(await notes(), 200)
  })
}
