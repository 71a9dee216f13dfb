// Tabs of one Chromium in bad weather: networks that are cut, servers that ask for patience, answers that come too late,
// pages that are put aside or stand still. Nobody is signed out by it, nobody is signed in again, nothing is left lying about.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Page } from 'playwright-core'
import { readSetCookie } from '../../../server/test/dialects/jar.ts'
import type { Answer } from '../../../server/test/late/proxy.ts'
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

// What stands in a tab once `keepRecord` has run there.
declare const record: string[]

const hour = 3_600_000
const refresh = 'POST /auth/refresh'
const session = 'GET /auth/session'

/** Of a row that is settled after a second a refresh brings a refresh cookie. */
const shortGrace = { session: { grace: '1s' } } as const

type Pair = readonly [Page, Page]

/** Two tabs, `hash` as `openTabs` has it; Ada has signed in in the first, and both know how long her token lives. */
async function openAdas(t: TestContext, options?: TabsOptions, hash = ''): Promise<[Tabs, Pair]> {
  const tabs = await openTabs(t, options)
  await tabs.context.addInitScript(keepRecord)
  const pages: Pair = [await tabs.open(hash), await tabs.open(hash)]
  await signIn(pages[0], ada)
  // Without a channel it would have heard nothing.
  await turn(pages[1], 'visible')
  await become(pages, ada.email)
  await tabs.quiet()
  await Promise.all(pages.map(statesOf))
  return [tabs, pages]
}

/** Writes down what the page shows whenever that changes, at every frame, and when it is left and comes back. */
function keepRecord(): void {
  const record: string[] = []
  const look = (when: string) => record.push(`${when}: ${document.getElementById('root')?.textContent ?? ''}`)
  for (const type of ['pageshow', 'pagehide'] as const) {
    // Captured: before the client has heard.
    addEventListener(type, ({ persisted }) => look(`${type} ${persisted}`), true)
  }
  const frame = () => {
    look('frame')
    requestAnimationFrame(frame)
  }
  requestAnimationFrame(frame)
  const all = { childList: true, subtree: true, characterData: true }
  new MutationObserver(() => look('change')).observe(document, all)
  Object.assign(globalThis, { record })
}

const recordOf = (page: Page): Promise<readonly string[]> => page.evaluate(() => record)

const withoutChannel = () => Reflect.deleteProperty(globalThis, 'BroadcastChannel')

/** Every answer is lost, also to what a browser asks by itself once more, until the call is over. */
async function loseAnswers({ proxy }: Tabs, call: Promise<unknown>): Promise<void> {
  let over = false
  const end = call.then(() => {
    over = true
  })
  while (!over) {
    const held = proxy.hold(refresh)
    held.drop()
    await Promise.race([held.answered, end])
  }
  // The last one is still waiting: for this.
  await fetch(`${proxy.url}/auth/refresh`, { method: 'POST' }).catch(() => {})
}

const goOnline = (page: Page): Promise<unknown> => page.evaluate(() => dispatchEvent(new Event('online')))

type Weather = (tabs: Tabs, call: Promise<unknown>, pages: Pair) => Promise<unknown>

// [sentence, what becomes of the network while Ada's call waits for a renewal, how it comes back]
const cuts: [string, Weather, Weather][] = [
  [
    'breaks before the server has heard',
    async ({ app }) => app.answer(refresh, 'breaks'),
    async ({ app }, _, pages) => {
      app.answer(refresh, undefined)
      await Promise.all(pages.map(goOnline))
    },
  ],
  ['breaks when the server has renewed', loseAnswers, (_, __, pages) => Promise.all(pages.map(goOnline))],
  [
    'is gone, as the browser knows',
    async (tabs, call) => {
      await tabs.context.setOffline(true)
      await loseAnswers(tabs, call)
    },
    ({ context }) => context.setOffline(false),
  ],
]

for (const [sentence, cut, mend] of cuts) {
  test(`the network ${sentence}: calls reject, nobody is signed out, and all go on`, async t => {
    const [tabs, pages] = await openAdas(t, { rusk: shortGrace })
    await sleep(1_100)
    await tabs.sleep(hour)
    const held = tabs.proxy.hold(refresh, { request: true })
    held.drop()
    const call = notes(pages[0])
    await held.came
    const cutting = cut(tabs, call, pages)
    await sleep(100)
    held.forward()
    held.answered.catch(() => {})
    assert.equal(await call, 'offline')
    await cutting
    assert.equal(await notes(pages[0]), 'offline')
    assert.equal(await who(pages[1]), ada.email)
    await mend(tabs, call, pages)
    assert.deepEqual(await Promise.all(pages.map(notes)), [200, 200])
    await become([...pages, await tabs.open()], ada.email)
    assert.deepEqual(await Promise.all(pages.map(statesOf)), [[], []])
  })
}

/** A server that says no more than this, and asks to be left alone for a second. */
async function serveBusy(t: TestContext, status: number, code: string) {
  const asked: string[] = []
  const server = createServer(({ method, url }, reply) => {
    asked.push(`${method} ${url}`)
    reply.writeHead(status, { 'content-type': 'application/problem+json', 'retry-after': '1' })
    reply.end(JSON.stringify({ code }))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked }
}

for (const [status, code] of [
  [503, 'unavailable'],
  [429, 'throttled'],
] as const) {
  test(`a refresh that is answered ${status} is left alone for as long as it says, and then all go on`, async t => {
    const [tabs, pages] = await openAdas(t)
    await tabs.sleep(hour)
    const busy = await serveBusy(t, status, code)
    tabs.proxy.to(busy.url)
    assert.deepEqual(await Promise.all(pages.map(notes)), [code, code])
    const since = performance.now()
    assert.deepEqual(await Promise.all(pages.map(notes)), [code, code])
    assert.deepEqual(busy.asked, [refresh, refresh])
    tabs.proxy.to(tabs.app.url)
    assert.deepEqual(await Promise.all(pages.map(notes)), [code, code])
    assert.deepEqual(tabs.app.asked, [])
    for (const page of pages) {
      while ((await notes(page)) === code && performance.now() < since + 5_000) await sleep(20)
      assert.ok(performance.now() > since + 1_000)
      assert.equal(await notes(page), 200)
    }
    await become(pages, ada.email)
    assert.deepEqual(await Promise.all(pages.map(statesOf)), [[], []])
  })
}

const refreshIn = ({ set }: Answer): string =>
  set.find(({ name }) => name.endsWith('refresh'))?.value ?? assert.fail('it brings no refresh cookie')

/** Who that is to the server who sends what the browser's jar holds now, renewed if need be; or the status of the refusal. */
async function whoByJar({ app, proxy, context }: Tabs): Promise<unknown> {
  const jar = new Map((await context.cookies(proxy.url)).map(({ name, value }) => [name, value]))
  const ask = (line: string, more: object = {}): Promise<Response> => {
    const [method = '', path] = line.split(' ')
    const cookie = [...jar].map(pair => pair.join('=')).join('; ')
    const headers = { cookie, origin: app.url, ...more }
    return app.rusk.fetch(new Request(app.url + path, { method, headers }))
  }
  const emailIn = async (answer: Response): Promise<unknown> => (await answer.json()).user?.email
  const asItIs = await ask(session)
  if (asItIs.ok) return emailIn(asItIs)
  const renewed = await ask(refresh)
  if (!renewed.ok) return renewed.status
  for (const { name, value } of renewed.headers.getSetCookie().map(readSetCookie)) jar.set(name, value)
  const { accessToken } = await renewed.json()
  return emailIn(await ask(session, accessToken && { authorization: `Bearer ${accessToken}` }))
}

type Act = (pages: Pair) => Promise<unknown>
const out: Act = ([, second]) => signOut(second)
const outHere: Act = ([first]) => signOut(first)
const anew: Act = ([, second]) => signIn(second, bob)

// [sentence, hash, what is done meanwhile, what becomes of the call that waits, who is there, and by the jar]
const lates: [string, string, Act, unknown, string, unknown][] = [
  ['a sign-out in another tab', '', out, 401, 'signed-out', 401],
  ['a sign-out in the same tab, token in memory', '#memory', outHere, 401, 'signed-out', 401],
  ["another person's sign-in", '', anew, 'signed_in_anew', bob.email, bob.email],
  ["another person's sign-in, token in memory", '#memory', anew, 'signed_in_anew', bob.email, bob.email],
]

for (const [sentence, hash, act, outcome, want, byJar] of lates) {
  test(`an answer to refresh that comes after ${sentence} undoes nothing`, async t => {
    const [tabs, pages] = await openAdas(t, { rusk: shortGrace }, hash)
    await sleep(1_100)
    await tabs.sleep(hour)
    const held = tabs.proxy.hold(refresh)
    const call = notes(pages[0])
    const late = refreshIn(await held.answered)
    await act(pages)
    await become([pages[1]], want)
    const since = await Promise.all(pages.map(async page => (await recordOf(page)).length))
    held.release()
    assert.equal(await call, outcome)
    await become(pages, want)
    await sleep(200)
    if (want === 'signed-out') {
      // The browser has taken what came late: it is worth nothing.
      const jar = await tabs.context.cookies(tabs.proxy.url)
      assert.ok(jar.some(({ value }) => value === late))
    }
    assert.equal(await whoByJar(tabs), byJar)
    await become([...pages, await tabs.open(hash)], want)
    const shown = (await Promise.all(pages.map(recordOf))).flatMap((each, i) => each.slice(since[i]))
    assert.ok(shown.length > 0)
    assert.deepEqual(shown.filter(isPrivate), [])
    for (const { email, headers } of tabs.app.seen)
      assert.deepEqual([email, headers.authorization], [null, undefined])
    assert.equal(await notes(pages[0]), want === 'signed-out' ? 401 : 200)
  })
}

const isPrivate = (line: string): boolean => line.includes(ada.email)

// [sentence, options, whether the page that comes back is the very one that was left; undefined: as the browser sees fit]
const ways: [string, TabsOptions, boolean | undefined][] = [
  ['is loaded anew', {}, false],
  // A message throws it out of the cache, soon or at once.
  ['was told of it in the back/forward cache', { backForwardCache: true }, undefined],
  ['lay there untold', { backForwardCache: true, before: withoutChannel }, true],
]

for (const [sentence, options, persisted] of ways) {
  test(`back after a sign-out elsewhere, a page that ${sentence} never shows what was private`, async t => {
    const [tabs, [page, other]] = await openAdas(t, options)
    const left = await recordOf(page)
    assert.ok(left.some(isPrivate))
    await page.goto(`${tabs.proxy.url}/else`)
    await signOut(other)
    const held = tabs.proxy.hold(session)
    // The page that asks may be gone before it could say that it has.
    await page.evaluate(() => void setTimeout(() => history.back(), 50))
    await page.waitForURL(`${tabs.proxy.url}/`, { waitUntil: 'commit' })
    // Nobody has told it yet.
    await held.came
    await sleep(200)
    held.release()
    await become([page], 'signed-out')
    await page.evaluate(() => new Promise(requestAnimationFrame))
    const whole = await recordOf(page)
    const hidden = whole.findIndex(line => line.startsWith('pagehide'))
    if (persisted !== undefined) assert.equal(hidden >= 0, persisted)
    const back = whole.slice(hidden + 1)
    assert.ok(back.some(line => line.startsWith(`pageshow ${hidden >= 0}: `)))
    assert.ok(back.includes('frame: signed-out'))
    assert.deepEqual(back.filter(isPrivate), [])
  })
}

/** Every text that a script of the page can come by without calling anything, with where it stands. */
async function textsOf(page: Page): Promise<readonly string[]> {
  return page.evaluate(async () => {
    const texts = [
      `cookie ${document.cookie}`,
      `document ${document.documentElement.outerHTML}`,
      `address ${location.href} ${JSON.stringify(history.state)} ${window.name} ${document.referrer}`,
      `requests ${performance.getEntries().map(({ name }) => name)}`,
      `databases ${JSON.stringify(await indexedDB.databases())}`,
      `caches ${JSON.stringify(await caches.keys())}`,
    ]
    for (const [name, storage] of Object.entries({ localStorage, sessionStorage })) {
      texts.push(`${name} ${JSON.stringify({ ...storage })}`)
    }
    const seen = new Set<unknown>()
    const queue: [string, unknown][] = [['globalThis', globalThis]]
    for (const [path, value] of queue) {
      if (typeof value === 'string') texts.push(`${path} ${value}`)
      if (Object(value) !== value || seen.has(value) || seen.size > 200_000) continue
      seen.add(value)
      if (value instanceof Map || value instanceof Set) queue.push([`${path} entries`, [...value]])
      queue.push([`${path} prototype`, Reflect.getPrototypeOf(Object(value))])
      for (const key of Reflect.ownKeys(Object(value))) {
        const name = String(key)
        queue.push([path, name])
        try {
          queue.push([`${path}.${name}`, Reflect.get(Object(value), key)])
        } catch {
          // A getter that wants another `this`.
        }
      }
    }
    return [...texts, `walked ${seen.size}`]
  })
}

/** Puts the text wherever a client might have put it. */
const plant = (page: Page, text: string): Promise<void> =>
  page.evaluate(async secret => {
    localStorage.setItem('planted', secret)
    sessionStorage.setItem('planted', secret)
    // biome-ignore lint/suspicious/noDocumentCookie: what everybody uses
    document.cookie = `planted=${secret}`
    document.body.dataset.planted = secret
    history.replaceState({ planted: secret }, '')
    await caches.open(secret)
    await new Promise((resolve, reject) => {
      Object.assign(indexedDB.open(secret), { onsuccess: resolve, onerror: reject })
    })
    const deep = { [Symbol('planted')]: new Map([['planted', [() => {}, { secret }]]]) }
    Object.defineProperty(globalThis, 'hidden', { enumerable: false, get: () => deep })
    Object.assign(Reflect.get(globalThis, 'client'), { planted: secret })
  }, text)

for (const delivery of ['memory', 'cookies']) {
  test(`${delivery}: what a page holds a token in no script can find`, async t => {
    const tabs = await openTabs(t, { rusk: shortGrace })
    const page = await tabs.open(`#${delivery}`)
    const secrets: string[] = []
    const watch = async (line: string, act: () => Promise<unknown>) => {
      const held = tabs.proxy.hold(line)
      const acting = act()
      const { set, body } = await held.answered
      held.release()
      await acting
      const { accessToken } = JSON.parse(String(body))
      assert.equal(accessToken !== undefined, delivery === 'memory')
      const values = [accessToken ?? '', ...set.map(({ value }) => value)].filter(value => value !== '')
      // Whole, and by what only it has: its signature.
      secrets.push(...values, ...values.map(value => value.replace(/^.*[.]/, '')))
    }
    await watch('POST /auth/sign-in', () => signIn(page, ada))
    assert.equal(await notes(page), 200)
    await sleep(1_100)
    await tabs.sleep(hour)
    await watch(refresh, () => notes(page))
    assert.ok(secrets.length >= 8 && secrets.every(secret => secret.length > 20), secrets.join('\n'))

    const texts = await textsOf(page)
    assert.ok(texts.length > 1_000)
    assert.deepEqual(
      texts.filter(text => secrets.some(secret => text.includes(secret))),
      [],
    )
    for (const nothing of ['databases []', 'caches []', 'localStorage {}', 'sessionStorage {}']) {
      assert.ok(texts.includes(nothing), nothing)
    }

    await plant(page, 'planted-for-the-walk')
    const places = (await textsOf(page)).filter(text => text.includes('planted-for-the-walk'))
    for (const place of [
      ...['cookie', 'document', 'address', 'databases', 'caches', 'localStorage', 'sessionStorage'],
      'globalThis.hidden.Symbol(planted) entries.0.1.1.secret',
      'globalThis.client.planted',
    ]) {
      assert.ok(
        places.some(found => found.startsWith(`${place} `)),
        place,
      )
    }
  })
}

test('a service worker fetches, renews, tells who is signed in and learns who has signed out', async t => {
  const tabs = await openTabs(t)
  const page = await tabs.open()
  const browser = await tabs.context.newCDPSession(page)
  await page.evaluate(() => navigator.serviceWorker.register('/worker.js'))
  const ask = (what = '/api/notes') =>
    page.evaluate(async what => {
      const { active } = await navigator.serviceWorker.ready
      const { port1, port2 } = new MessageChannel()
      const answer = new Promise(resolve => {
        port1.onmessage = ({ data }) => resolve(data)
      })
      active?.postMessage(what, [port2])
      return answer
    }, what)
  const { asked } = tabs.app
  assert.equal(await ask(), '401 nobody')
  await signIn(page, ada)
  assert.equal(await ask(), `200 ${ada.email}`)

  await tabs.quiet()
  await tabs.context.clearCookies({ name: 'rusk_access' })
  assert.equal(await ask(), `200 ${ada.email}`)
  assert.equal(asked[0], `${refresh} 200`)
  assert.equal(tabs.refreshes().length, 1)

  // Nobody listens to the worker's client: told of the sign-out, it asks when it is asked, for its call and for `session()`.
  await tabs.quiet()
  await signOut(page)
  while ((await ask('')) !== 'unknown') await sleep(20)
  assert.deepEqual(asked, ['POST /auth/sign-out 204'])
  assert.equal(await ask(), '401 nobody')
  assert.deepEqual(asked.slice(1), [`${refresh} 401`, `${refresh} 401`])

  await browser.send('ServiceWorker.enable')
  await browser.send('ServiceWorker.stopAllWorkers')
  await signIn(page, bob)
  assert.equal(await ask(), `200 ${bob.email}`)
})

/** An hour later as that tab has it; one that stands still learns of it when it goes on. */
const passHour = (page: Page): Promise<void> =>
  page.evaluate(span => {
    const { now } = Date
    Date.now = () => now() + span
  }, hour)

// [sentence, what the other tab does, what becomes of the call that waits, who is there]
const stills: [string, Act, unknown, string][] = [
  ['goes on', async ([, other]) => assert.equal(await notes(other), 200), 200, ada.email],
  ['signs out', out, 401, 'signed-out'],
  ['signs somebody else in', anew, 401, bob.email],
]

for (const [sentence, act, outcome, want] of stills) {
  test(`while a tab stands still for an hour with the lock in its hand, another one ${sentence}`, async t => {
    const [tabs, pages] = await openAdas(t)
    const [still, other] = pages
    await tabs.context.clearCookies({ name: 'rusk_access' })
    const held = tabs.proxy.hold(refresh)
    const call = notes(still)
    await held.answered
    const browser = await tabs.context.newCDPSession(still)
    await browser.send('Debugger.enable')
    await browser.send('Debugger.pause')
    const woken = passHour(still)
    held.release()
    await passHour(other)
    await tabs.context.clearCookies({ name: 'rusk_access' })

    const began = performance.now()
    await act(pages)
    await become([other], want)
    assert.ok(performance.now() - began < 6_000)
    assert.equal(await other.evaluate(async () => (await navigator.locks.query()).held?.length), 1)
    assert.equal(await Promise.race([call, woken, sleep(0, 'nothing moves')]), 'nothing moves')
    const since = tabs.app.seen.length

    await browser.send('Debugger.resume')
    assert.equal(await call, outcome)
    await become(pages, want)
    assert.ok(tabs.app.seen.slice(since).every(({ email }) => email === null || email === want))
    assert.equal(await notes(other), want === 'signed-out' ? 401 : 200)
    assert.equal(await other.evaluate(async () => (await navigator.locks.query()).held?.length), 0)
  })
}
