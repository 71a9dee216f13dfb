// Several tabs of one Chromium: one renews for all, what one does the others learn at once, and what helps them to it may be
// absent, held for ever or forged.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Page } from 'playwright-core'
import type { Answer, Held } from '../../../server/test/late/proxy.ts'
import type { Client } from '../../src/index.ts'
import { ada, bob } from '../app.ts'
import {
  become,
  notes,
  openTabs,
  signIn,
  signOut,
  statesOf,
  type Tabs,
  type TabsOptions,
  turn,
  who,
} from './open-tabs.ts'

// What stands in a tab.
declare const client: Client

const hour = 3_600_000

const withoutChannel = () => Reflect.deleteProperty(globalThis, 'BroadcastChannel')
const withoutLocks = () => Reflect.deleteProperty(Navigator.prototype, 'locks')

/** Ada is signed in, in so many tabs. */
async function openAdas(t: TestContext, count: number, options?: TabsOptions): Promise<[Tabs, Page[]]> {
  const tabs = await openTabs(t, options)
  const first = await tabs.open()
  await signIn(first, ada)
  const others = await Promise.all(Array.from({ length: count - 1 }, () => tabs.open()))
  const pages = [first, ...others]
  await become(pages, ada.email)
  await tabs.quiet()
  await Promise.all(pages.map(statesOf))
  return [tabs, pages]
}

const pause = (span: number) => new Promise(resolve => setTimeout(resolve, span))

test('two tabs that renew at once make one refresh', async t => {
  const [tabs, pages] = await openAdas(t, 2)
  await tabs.sleep(hour)
  const held = tabs.proxy.hold('POST /auth/refresh')
  const calls = Promise.all(pages.map(notes))
  await held.answered
  // The other one has all the time to make its own.
  await pause(500)
  held.release()
  assert.deepEqual(await calls, [200, 200])
  assert.deepEqual(tabs.refreshes(), ['POST /auth/refresh 200'])
  // The second has not heard how long its token lives: it may have found out by a 401.
  assert.deepEqual(
    tabs.app.seen.flatMap(({ email }) => email ?? []),
    [ada.email, ada.email],
  )
})

// [sentence, what happens to a tab]
const wakings: [string, (page: Page) => Promise<unknown>][] = [
  ['come to the front', page => turn(page, 'visible')],
  ['hear of the network', page => page.evaluate(() => dispatchEvent(new Event('online')))],
  ['simply go on', async () => {}],
]

for (const [sentence, wake] of wakings) {
  test(`five tabs that wake from a long sleep and ${sentence} make one refresh, and all go on`, async t => {
    const [tabs, pages] = await openAdas(t, 5)
    await tabs.sleep(hour)
    await Promise.all(pages.map(wake))
    assert.deepEqual(
      new Set(await Promise.all(pages.flatMap(page => [notes(page), notes(page)]))),
      new Set([200]),
    )
    await become(pages, ada.email)
    assert.deepEqual(tabs.refreshes(), ['POST /auth/refresh 200'])
    assert.deepEqual(
      await Promise.all(pages.map(statesOf)),
      pages.map(() => []),
    )
  })
}

test('five tabs that a browser opens again after a long sleep all find who is signed in', async t => {
  const [tabs, pages] = await openAdas(t, 5)
  await tabs.sleep(hour)
  await Promise.all(pages.map(page => page.reload()))
  await become(pages, ada.email)
  assert.deepEqual(new Set(tabs.refreshes()), new Set(['POST /auth/refresh 200']))
})

test('sign-in and sign-out in one tab are seen in the others at once', async t => {
  const tabs = await openTabs(t)
  const [first, ...others] = await Promise.all([tabs.open(), tabs.open(), tabs.open()])
  assert.ok(first)
  await signIn(first, ada)
  await become(others, ada.email)
  await signIn(first, bob)
  await become(others, bob.email)
  await tabs.quiet()
  await signOut(first)
  await become([first, ...others], 'signed-out')
  assert.equal(tabs.app.asked[0], 'POST /auth/sign-out 204')
  assert.deepEqual(await Promise.all(others.map(page => page.evaluate(() => client.state))), [
    { status: 'signed-out', reason: 'signed-out' },
    { status: 'signed-out', reason: 'signed-out' },
  ])
})

test('without BroadcastChannel they are seen by whoever comes to the front', async t => {
  const tabs = await openTabs(t, { before: withoutChannel })
  const first = await tabs.open()
  const second = await tabs.open()
  assert.equal(await second.evaluate(() => typeof BroadcastChannel), 'undefined')
  await turn(second, 'hidden')

  for (const [act, want] of [
    [() => signIn(first, ada), ada.email],
    [() => signIn(first, bob), bob.email],
    [() => signOut(first), 'signed-out'],
  ] as const) {
    const before = await who(second)
    await act()
    await pause(100)
    assert.equal(await who(second), before)
    await turn(second, 'visible')
    await become([second], want)
    await turn(second, 'hidden')
  }
})

test('a tab that goes out of sight asks nobody', async t => {
  const [tabs, [page]] = await openAdas(t, 1)
  assert.ok(page)
  await turn(page, 'hidden')
  await page.evaluate(() => dispatchEvent(new Event('online')))
  await pause(100)
  assert.deepEqual(tabs.app.asked, [])
})

test('without Web Locks tabs may renew twice, all go on, and one cookie moves', async t => {
  const options = { before: withoutLocks, rusk: { session: { grace: '1s' } } }
  const [tabs, pages] = await openAdas(t, 2, options)
  // The first token of a session changes hands once the row is quiet.
  await pause(1_100)
  await tabs.sleep(hour)
  const held = pages.map(() => tabs.proxy.hold('POST /auth/refresh'))
  const calls = Promise.all(pages.map(notes))
  const answers = await Promise.all(held.map(each => each.answered))
  for (const each of held.toReversed()) each.release()
  assert.deepEqual(await calls, [200, 200])
  assert.equal(answers.filter(carriesRefresh).length, 1)
  await become(pages, ada.email)
  await signOut(pages[0] as Page)
  await become(pages, 'signed-out')
})

const carriesRefresh = ({ set }: Answer): boolean => set.some(({ name }) => name.endsWith('refresh'))

test('a tab that holds the lock for ever holds up nobody for longer than the patience', async t => {
  const [tabs, pages] = await openAdas(t, 2)
  const holder = await tabs.context.newPage()
  await holder.goto(`${tabs.proxy.url}/else`)
  await holder.evaluate(
    () =>
      new Promise<void>(resolve => {
        navigator.locks.request(`rusk ${location.origin}/`, () => {
          resolve()
          return new Promise(() => {})
        })
      }),
  )
  await tabs.sleep(hour)
  const began = performance.now()
  assert.deepEqual(await Promise.all(pages.map(notes)), [200, 200])
  const took = performance.now() - began
  assert.ok(took > 2_500 && took < 6_000, `${took} ms`)
  assert.ok(tabs.refreshes().length <= 2)
  await become(pages, ada.email)
  // None of these needs the lock.
  const [first, second] = pages as [Page, Page]
  await signOut(first)
  await become([second], 'signed-out')
  await signIn(second, bob)
  await become([first], bob.email, 6_000)
  assert.equal(await holder.evaluate(async () => (await navigator.locks.query()).held?.length), 1)
})

test('a tab whose renewal hangs holds up the others no longer than the patience', async t => {
  const [tabs, pages] = await openAdas(t, 2)
  const [first, second] = pages as [Page, Page]
  await tabs.sleep(hour)
  const held = tabs.proxy.hold('POST /auth/refresh')
  const late = notes(first)
  await held.answered
  const began = performance.now()
  assert.equal(await notes(second), 200)
  assert.ok(performance.now() - began < 6_000)
  held.release()
  assert.equal(await late, 200)
  await become(pages, ada.email)
})

// [sentence, what Ada's call is waiting for when Bob signs in; held by the proxy]
const waits: [string, string, { readonly request: boolean }][] = [
  ['for a renewal that the server has made', 'POST /auth/refresh', { request: false }],
  ['for a renewal that has not reached the server', 'POST /auth/refresh', { request: true }],
]

for (const [channel, options] of [
  ['with BroadcastChannel', {}],
  ['without', { before: withoutChannel }],
] as const) {
  for (const [sentence, line, how] of waits) {
    test(`${channel}: a call that waits ${sentence} is not made as whoever signs in meanwhile`, async t => {
      const [tabs, pages] = await openAdas(t, 2, options)
      const [first, second] = pages as [Page, Page]
      await tabs.sleep(hour)
      const held = tabs.proxy.hold(line, how)
      const call = notes(first)
      await held.came
      if (!how.request) await held.answered
      await signIn(second, bob)
      letGo(held)
      assert.equal(await call, 'signed_in_anew')
      assert.equal(tabs.app.seen.length, 0)
      await become(pages, bob.email)
      assert.equal(await notes(first), 200)
      assert.equal(tabs.app.seen.at(-1)?.email, bob.email)
    })
  }

  test(`${channel}: a call that was refused is not repeated as whoever signs in meanwhile`, async t => {
    const [tabs, pages] = await openAdas(t, 2, options)
    const [first, second] = pages as [Page, Page]
    await tabs.context.clearCookies({ name: 'rusk_access' })
    const held = tabs.proxy.hold('GET /api/notes')
    const call = notes(first)
    await held.answered
    await signIn(second, bob)
    letGo(held)
    assert.equal(await call, 401)
    assert.deepEqual(
      tabs.app.seen.map(({ email }) => email),
      [null],
    )
    await become(pages, bob.email)
  })
}

function letGo(held: Held): void {
  held.forward()
  held.release()
}

/** What any script of the origin can do. Until that tab has heard it all. */
async function forge(tabs: Tabs, victim: Page, messages: () => unknown[]): Promise<void> {
  const forger = await tabs.context.newPage()
  await forger.goto(`${tabs.proxy.url}/else`)
  await victim.evaluate(() => {
    const { promise, resolve } = Promise.withResolvers<void>()
    // Made after the client's: it hears everything later.
    new BroadcastChannel(`rusk ${location.origin}/`).addEventListener('message', ({ data }) => {
      if (data === 'the last') resolve()
    })
    Object.assign(globalThis, { heard: promise })
  })
  const list = await forger.evaluateHandle(messages)
  await forger.evaluate(all => {
    const channel = new BroadcastChannel(`rusk ${location.origin}/`)
    for (const message of [...all, 'the last']) channel.postMessage(message)
  }, list)
  await victim.evaluate(() => Reflect.get(globalThis, 'heard'))
  await forger.close()
}

test('forged messages of bad shape change nothing', async t => {
  const [tabs, [page]] = await openAdas(t, 1)
  assert.ok(page)
  const uncaught: unknown[] = []
  page.on('pageerror', error => uncaught.push(error))
  await forge(tabs, page, () => {
    const circle: Record<string, unknown> = { until: '1' }
    circle.signedIn = circle
    const nobody = { status: 'signed-out', reason: 'ended', user: { id: 'x', email: 'mallory@example.com' } }
    return [
      ...[undefined, null, 0, 1, true, false, '', 'signedIn', 10n, [], {}, [false], [{ signedIn: false }]],
      ...[0, 1, '', 'false', 'true', null, [], {}, new Boolean(false), new Date()].map(signedIn => ({
        signedIn,
      })),
      ...['1', null, [1], {}, true, 1n, new Number(1), new Date(0)].map(until => ({ until })),
      ...[
        nobody,
        { state: nobody },
        { signedOut: true },
        { token: 'x', accessToken: 'x' },
        { era: 9, renewals: 9 },
      ],
      ...[circle, new Map([['signedIn', false]]), new Error('no'), new Blob(['x']), 'x'.repeat(1_000_000)],
      JSON.parse('{"__proto__":{"signedIn":false,"until":1}}'),
    ]
  })
  assert.equal(await notes(page), 200)
  await pause(100)
  assert.deepEqual(await statesOf(page), [])
  assert.deepEqual(tabs.app.asked, [])
  assert.deepEqual(uncaught, [])
  assert.equal(await who(page), ada.email)
})

// [sentence, messages]
const forgeries: [string, () => unknown[]][] = [
  ['somebody has signed in', () => [{ signedIn: true }]],
  ['somebody has signed out', () => [{ signedIn: false }]],
  ['both, over and over', () => Array.from({ length: 500 }, (_, n) => ({ signedIn: n % 2 === 0 }))],
  ['a token that has expired', () => [{ until: 1 }]],
  ['one that expires now, over and over', () => Array.from({ length: 500 }, () => ({ until: Date.now() }))],
  ['a token that never expires', () => [{ until: Number.POSITIVE_INFINITY }]],
  [
    'times that are none',
    () => [Number.NaN, Number.NEGATIVE_INFINITY, 0, -1, 1e300].map(until => ({ until })),
  ],
  ['all of it at once', () => [{ signedIn: false, until: Number.NaN, token: 'x', user: { id: 'x' } }]],
]

for (const delivery of ['cookies', 'memory']) {
  test(`${delivery}: forged messages of good shape make a tab ask, and it believes the server`, async t => {
    const tabs = await openTabs(t)
    const page = await tabs.open(`#${delivery}`)
    for (const [sentence, messages] of forgeries) {
      await t.test(`nobody is signed in: ${sentence}`, async () => {
        await forge(tabs, page, messages)
        await become([page], 'signed-out')
        assert.equal(await notes(page), 401)
      })
    }
    await signIn(page, ada)
    for (const [sentence, messages] of forgeries) {
      await t.test(`Ada is: ${sentence}`, async () => {
        tabs.app.asked.length = 0
        await forge(tabs, page, messages)
        await become([page], ada.email)
        assert.equal(await notes(page), 200)
        const others = tabs.app.asked.filter(line => !/^(GET .auth.session|POST .auth.refresh) /.test(line))
        assert.deepEqual(others, [])
        assert.ok(tabs.app.asked.length < 20, `asked ${tabs.app.asked.length} times`)
      })
    }
  })
}
