// The client and the hosted pages in Firefox, whose cookies, channels, locks and forms are its own: what is promised of
// Chromium elsewhere holds here too.
import assert from 'node:assert/strict'
import diagnostics from 'node:diagnostics_channel'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Options, rusk } from '../../../server/src/index.ts'
import { type HoldingProxy, startProxy } from '../../../server/test/late/proxy.ts'
import type { Client, ServerEvent, State, stream as Stream } from '../../src/index.ts'
import { type App, ada, bob, openApp } from '../app.ts'
import { bundle, pageWith } from './bundle.ts'
import { type FirefoxPage, openFirefox, type Profile } from './firefox.ts'

// What stands in the page.
declare const client: Client
declare const stream: typeof Stream
declare const notes: (init?: RequestInit) => Promise<number>
declare const reached: (status: State['status']) => Promise<void>
declare const codeOf: (promise: Promise<unknown>) => Promise<string>

const script = await bundle(new URL('./firefox-page.ts', import.meta.url))
const firefox = await openFirefox()
after(firefox.close)

async function openProfile(t: TestContext): Promise<Profile> {
  const profile = await firefox.openProfile()
  t.after(profile.close)
  return profile
}

type Room = {
  readonly app: App
  /** The page's own origin: what goes there reaches the app. */
  readonly proxy: HoldingProxy
  readonly profile: Profile
  /** Ada is signed in here. */
  readonly page: FirefoxPage
  /** Another page of the same browser, whose client knows who is signed in, or that nobody is. */
  tab(status: State['status']): Promise<FirefoxPage>
  /** The access cookie has gone; no client knows. */
  expire(): Promise<void>
  /** How Rusk has answered this line. */
  answers(line: string): readonly string[]
}

async function openRoom(t: TestContext, options: Options = {}, hash = ''): Promise<Room> {
  const app = await openApp(t, { '/': pageWith(''), '/page.js': script }, options)
  const proxy = await startProxy(app.url)
  t.after(proxy.close)
  const profile = await openProfile(t)
  const page = await profile.openPage(`${proxy.url}/#${hash}`)
  await page.evaluate(async fields => {
    await client.signUp(fields)
  }, ada)
  return {
    app,
    proxy,
    profile,
    page,
    async tab(status) {
      const other = await profile.openPage(`${proxy.url}/`)
      await other.evaluate(wanted => reached(wanted), status)
      return other
    },
    expire: () => profile.dropCookie('rusk_access'),
    answers: line =>
      app.asked.filter(call => call.startsWith(`${line} `)).map(call => call.split(' ')[2] ?? ''),
  }
}

const stateOf = (page: FirefoxPage): Promise<State> => page.evaluate(() => client.state)

const refresh = 'POST /auth/refresh'

test('people sign up, out and in again, and are told why not', async t => {
  const { page, tab } = await openRoom(t)
  const { status } = await stateOf(page)
  assert.equal(status, 'signed-in')
  const wrong = await page.evaluate(async fields => {
    await client.signOut()
    return [client.state.status, await codeOf(client.signIn({ login: fields.email, password: 'wrong' }))]
  }, ada)
  assert.deepEqual(wrong, ['signed-out', 'credentials_wrong'])
  await page.evaluate(fields => client.signIn({ login: fields.email, password: fields.password }), ada)
  const other = await tab('signed-in')
  assert.equal(await other.evaluate(async () => (await client.session())?.email), ada.email)
})

test('no script sees any cookie', async t => {
  const { page, profile } = await openRoom(t)
  const kept = await profile.cookies()
  const hidden = kept.filter(({ httpOnly }) => httpOnly).map(({ name }) => name)
  assert.deepEqual(hidden.sort(), ['rusk_access', 'rusk_refresh', 'rusk_signin'])
  assert.equal(await page.evaluate(() => document.cookie), '')
  assert.deepEqual(await page.evaluate(() => [localStorage.length, sessionStorage.length]), [0, 0])
})

test('ten calls whose access token has gone make one refresh, and each is sent once more', async t => {
  const { app, page, expire, answers } = await openRoom(t)
  await expire()
  const statuses = await page.evaluate(() => Promise.all(Array.from({ length: 10 }, () => notes())))
  assert.deepEqual(statuses, Array(10).fill(200))
  assert.deepEqual(answers(refresh), ['200'])
  assert.deepEqual(
    [null, ada.email].map(who => app.seen.filter(({ email }) => email === who).length),
    [10, 10],
  )
})

test('a token that has run out is renewed before anything is refused', async t => {
  const { app, page, answers } = await openRoom(t, { session: { access: '2s' } })
  await sleep(2100)
  assert.deepEqual(await page.evaluate(() => Promise.all([notes(), notes()])), [200, 200])
  assert.deepEqual(answers(refresh), ['200'])
  assert.deepEqual(new Set(app.seen.map(({ email }) => email)), new Set([ada.email]))
})

test('two tabs that renew at once make one refresh', async t => {
  const { app, proxy, page, tab, expire, answers } = await openRoom(t)
  const other = await tab('signed-in')
  await expire()
  const held = proxy.hold(refresh)
  const calls = [page, other].map(each => each.evaluate(() => notes()))
  await held.answered
  while (app.seen.length < 2) await sleep(20)
  // The other one wants to renew by now.
  await sleep(200)
  held.release()
  assert.deepEqual(await Promise.all(calls), [200, 200])
  assert.deepEqual(answers(refresh), ['200'])
})

test('who signs in or out in one tab does in the others', async t => {
  const { page, tab } = await openRoom(t)
  const other = await tab('signed-in')
  await page.evaluate(() => client.signOut())
  await other.evaluate(() => reached('signed-out'))
  assert.deepEqual(await stateOf(other), { status: 'signed-out', reason: 'signed-out' })
  await other.evaluate(fields => client.signUp(fields), bob)
  await page.evaluate(() => reached('signed-in'))
  assert.equal(await page.evaluate(async () => (await client.session())?.email), bob.email)
})

// [sentence, what refresh gets, the code that calls reject with]
const undecided: [string, 'breaks' | number, string][] = [
  ['a connection that breaks', 'breaks', 'offline'],
  ['a server that is overloaded', 503, 'unavailable'],
]

for (const [sentence, instead, code] of undecided) {
  test(`${sentence} while it renews signs nobody out, and all goes on afterwards`, async t => {
    const { app, page, expire } = await openRoom(t)
    await expire()
    app.answer(refresh, instead)
    assert.equal(await page.evaluate(() => codeOf(notes())), code)
    assert.equal((await stateOf(page)).status, 'signed-in')
    app.answer(refresh, undefined)
    const status = await page.evaluate(() => {
      dispatchEvent(new Event('online'))
      return notes()
    })
    assert.equal(status, 200)
    assert.equal((await stateOf(page)).status, 'signed-in')
  })
}

test('an answer to refresh that comes after the sign-out changes nothing, in any tab', async t => {
  const { proxy, profile, page, tab, expire, answers } = await openRoom(t)
  const other = await tab('signed-in')
  await expire()
  const held = proxy.hold(refresh)
  const call = page.evaluate(() => notes())
  const { set } = await held.answered
  assert.ok(set.some(({ name }) => name === 'rusk_access'))
  await page.evaluate(() => client.signOut())
  await other.evaluate(() => reached('signed-out'))
  held.release()
  assert.equal(await call, 401)
  for (const each of [page, other]) {
    assert.equal((await stateOf(each)).status, 'signed-out')
    assert.equal(await each.evaluate(() => client.session()), null)
  }
  const fresh = await profile.openPage(`${proxy.url}/`)
  assert.equal(await fresh.evaluate(() => client.session()), null)
  assert.deepEqual(answers('POST /auth/sign-out'), ['204'])
})

test('who gives up waits no longer; who waited for the same refresh goes on', async t => {
  const { proxy, page, expire, answers } = await openRoom(t)
  await expire()
  const held = proxy.hold(refresh)
  const calls = page.evaluate(() => {
    const giving = new AbortController()
    Object.assign(globalThis, { giving })
    return Promise.all([codeOf(notes({ signal: giving.signal })), notes()])
  })
  await held.answered
  await page.evaluate(() => (globalThis as unknown as { giving: AbortController }).giving.abort())
  held.release()
  assert.deepEqual(await calls, ['AbortError', 200])
  assert.deepEqual(answers(refresh), ['200'])
})

test('back after a sign-out elsewhere, a page shows nobody', async t => {
  const { proxy, page, tab } = await openRoom(t)
  const other = await tab('signed-in')
  await page.evaluate(() => reached('signed-in'))
  await page.goto(`${proxy.url}/?next`)
  await other.evaluate(() => client.signOut())
  await page.travel(-1)
  // Out of the back-forward cache the page is there at once; loaded anew, its script comes after its address.
  while (!(await page.evaluate(() => location.search === '' && typeof reached === 'function')))
    await sleep(20)
  await page.evaluate(() => reached('signed-out'))
  assert.equal(await page.evaluate(() => client.session()), null)
})

/** Another service of the app's, which tells one event and then says no more; resolves with its origin. */
async function serveEvents(t: TestContext): Promise<{ url: string; ended: Promise<unknown> }> {
  const ended = Promise.withResolvers<void>()
  const server = createServer(({ headers }: IncomingMessage, reply: ServerResponse) => {
    reply.on('close', ended.resolve)
    reply.writeHead(200, {
      'content-type': 'text/event-stream',
      'access-control-allow-origin': headers.origin ?? '',
      'access-control-allow-credentials': 'true',
    })
    reply.write(`data: ${/rusk_access=/.test(headers.cookie ?? '')}\n\n`)
  })
  server.listen(0, 'localhost')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://localhost:${(server.address() as AddressInfo).port}`, ended: ended.promise }
}

/** Reads on in the page; `heard` tells of the first event, `over` how it ended. */
const read = (page: FirefoxPage, url: string): Promise<void> =>
  page.evaluate(where => {
    const giving = new AbortController()
    const heard = Promise.withResolvers<ServerEvent>()
    const run = async () => {
      for await (const event of stream(client, where, { signal: giving.signal })) heard.resolve(event)
    }
    Object.assign(globalThis, { giving, heard: heard.promise, over: codeOf(run()) })
  }, url)

declare const giving: AbortController
declare const heard: Promise<ServerEvent>
declare const over: Promise<string>

// [sentence, what happens in the page, how its loop ends]
const ends: [string, () => unknown, string][] = [
  ['ends for everybody who signs out', () => client.signOut(), 'resolved'],
  ['ends when it is given up', () => giving.abort(), 'AbortError'],
]

for (const [sentence, happens, want] of ends) {
  test(`a stream of events ${sentence}, and so does its connection`, async t => {
    const { url, ended } = await serveEvents(t)
    const { page } = await openRoom(t, {}, url)
    await read(page, url)
    assert.equal((await page.evaluate(() => heard)).data, 'true')
    await page.evaluate(happens)
    assert.equal(await page.evaluate(() => over), want)
    await ended
  })
}

type Posted = { readonly origin: string | undefined; readonly site: unknown; readonly mode: unknown }

/** What browsers have said of where a form came from, since now. */
function watchForms(t: TestContext): readonly Posted[] {
  const posted: Posted[] = []
  const look = (message: unknown) => {
    const { request } = message as { readonly request: IncomingMessage }
    const { origin, 'sec-fetch-site': site, 'sec-fetch-mode': mode } = request.headers
    if (request.method === 'POST') posted.push({ origin, site, mode })
  }
  diagnostics.subscribe('http.server.request.start', look)
  t.after(() => diagnostics.unsubscribe('http.server.request.start', look))
  return posted
}

const submit = 'main form button:not([type=button])'

test('the hosted forms sign up, out and in, and lead back to a front end that is listed', async t => {
  const home = await startProxy(undefined, { '/home?a=b': '<!doctype html><title>Home</title>' })
  t.after(home.close)
  const auth = await rusk({
    database: 'sqlite::memory:',
    port: 0,
    log: { level: 'error' },
    origins: [home.url],
    pages: true,
  })
  t.after(auth.close)
  const { url } = await auth.listen()
  const posted = watchForms(t)
  const profile = await openProfile(t)

  const page = await profile.openPage(`${url}/sign-up`)
  await page.type('#email', ada.email)
  await page.type('#password', ada.password)
  await page.arrives(`${url}/account`, () => page.click(submit))
  assert.match(await page.evaluate(() => document.body.innerText), /This browser/)

  await page.arrives(`${url}/signed-out`, () => page.click('form[action$="/sign-out"] button'))
  await page.goto(`${url}/sign-in?return_to=${encodeURIComponent(`${home.url}/home?a=b`)}`)
  await page.type('#login', ada.email)
  await page.type('#password', ada.password)
  await page.arrives(home.url, () => page.click(submit))
  assert.equal(await page.evaluate(() => location.href), `${home.url}/home?a=b`)
  assert.deepEqual(posted, Array(3).fill({ origin: url, site: 'same-origin', mode: 'navigate' }))
  await page.goto(`${url}/account`)
  assert.match(await page.evaluate(() => document.body.innerText), /This browser/)
})

test('a form on another site signs nobody in', async t => {
  const auth = await rusk({ database: 'sqlite::memory:', port: 0, log: { level: 'error' }, pages: true })
  t.after(auth.close)
  const { url } = await auth.listen()
  const form = `<form method="post" action="${url}/sign-in"><input name="login" value="ada"><input name="password"><button>Go</button></form>`
  const evil = await startProxy(undefined, { '/': `<!doctype html><title>Evil</title>${form}` })
  t.after(evil.close)
  const posted = watchForms(t)
  const page = await (await openProfile(t)).openPage(`${evil.url}/`)
  await page.arrives(url, () => page.click('button'))
  assert.match(await page.evaluate(() => document.body.innerText), /sent from a page of another site/)
  assert.deepEqual(posted, [{ origin: evil.url, site: 'cross-site', mode: 'navigate' }])
})
