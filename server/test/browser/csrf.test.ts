// What pages of others can do to somebody who is signed in, in a real browser over https: nothing, and they learn nothing; be
// it a foreign site, a sibling, to which Strict cookies go all the same, or the app's own host without TLS.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { isSafe } from '@rusk/verify/floor'
import type { BrowserContext, Page } from 'playwright-core'
import { bundle, pageWith } from '../../../client/test/browser/bundle.ts'
import { defaultPolicy } from '../../src/core/policy.ts'
import { native } from '../../src/dialects/native.ts'
import { pagesOf } from '../../src/pages/hosted.ts'
import { openStore } from '../../src/store/open.ts'
import type { Store } from '../../src/store/port.ts'
import { bridgeOptions, bring, earlierToken } from '../earlier.ts'
import { databaseAt, folderFor } from '../store/stores.ts'
import { openChromium } from './chromium.ts'
import {
  elementWays,
  fewWays,
  formWays,
  hostilePage,
  hostileScript,
  jsonWays,
  readingWays,
  send,
  type Target,
  type Way,
} from './hostile.ts'
import { leadHere, openSites, type Sites, takeAnyCertificate } from './sites.ts'

/** What the tests use of `@rusk/client` in the page. */
type Client = {
  signUp(fields: object): Promise<{ readonly email: string }>
  signIn(fields: object): Promise<{ readonly email: string }>
  signOut(): Promise<void>
  session(): Promise<{ readonly email: string } | null>
  readonly fetch: typeof fetch
}
declare const createClient: (options: { readonly baseUrl: string }) => Client
declare const client: Client

const script = await bundle(new URL('../../../client/test/browser/client-page.ts', import.meta.url))

const auth = 'auth.example.test'
const app = 'app.example.test'
const foreign = 'evil.other.test'
const sibling = 'evil.example.test'

const ada = { email: 'ada@example.com', password: 'twelve blue herons', name: 'Ada' }
const mallory = { email: 'mallory@example.com', username: 'mallory', password: 'eleven red kites' }

/** Every address of a set of routes by method; a new route is among them by itself. */
const linesOf = (routes: object) =>
  Object.keys(routes).map(line => {
    const [method = '', path = ''] = line.split(' ')
    return { line, method, path }
  })

const hosted = pagesOf({
  dialect: native,
  policy: defaultPolicy,
  prefix: '',
  brand: { name: 'Rusk', logo: undefined, style: undefined },
}).dialect

const calls = linesOf(native.routes)
const pages = linesOf(hosted.routes)

type Lines = typeof calls
const unsafe = (lines: Lines): Lines => lines.filter(({ method }) => !isSafe(method))
const safe = (lines: Lines): Lines => lines.filter(({ method }) => isSafe(method))

type Room = {
  readonly sites: Sites
  readonly baseUrl: string
  readonly context: BrowserContext
  /** The app's, with a `client`. */
  readonly page: Page
  readonly store: Store
}

/** Nobody is signed in; the app is open. */
async function open(t: TestContext): Promise<Room> {
  const database = `sqlite:${join(await folderFor(t), 'rusk.db')}`
  const sites = await openSites(t, {
    host: auth,
    pages: {
      [`${app}/`]: pageWith(''),
      [`${app}/page.js`]: script,
      [`${foreign}/`]: hostilePage,
      [`${sibling}/`]: hostilePage,
    },
    options: at => ({ database, origins: [at(app)], pages: true, bridge: bridgeOptions }),
  })
  const store = await openStore(databaseAt(database))
  t.after(() => store.close())
  const browser = await openChromium(t, [], leadHere)
  const context = await browser.newContext(takeAnyCertificate)
  const page = await context.newPage()
  await page.goto(sites.at(app))
  const baseUrl = sites.at(auth)
  await page.evaluate(url => {
    Object.assign(globalThis, { client: createClient({ baseUrl: url }) })
  }, baseUrl)
  return { sites, baseUrl, context, page, store }
}

const signUp = ({ page }: Room, person: object) => page.evaluate(fields => client.signUp(fields), person)

/** From no browser; resolves with the status. */
async function signIn({ sites, baseUrl }: Room, { email, password }: typeof ada): Promise<number> {
  const answer = await sites.rusk.fetch(
    new Request(`${baseUrl}/auth/sign-in`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ login: email, password }),
    }),
  )
  return answer.status
}

/** Everything that could have changed: what the store knows of people, and the browser's jar. */
async function look({ context, store }: Room): Promise<object> {
  const users = await store.users({ after: 0, limit: 100 })
  return {
    users,
    passwords: await Promise.all(users.map(async ({ id }) => (await store.account({ id }))?.password)),
    sessions: await store.sessions({ now: Date.now(), limit: 100 }),
    jar: await context.cookies(),
  }
}

/** Every field that any route takes, such that it would do what it is for. */
const fieldsFor = async (victim: typeof ada): Promise<Record<string, string>> => ({
  email: 'newcomer@example.com',
  username: 'newcomer',
  name: 'Newcomer',
  login: mallory.email,
  password: mallory.password,
  token: await earlierToken(mallory.email),
  current: victim.password,
  new: 'ten green finches',
  return_to: '/account',
})

/** Of the sessions of whoever is signed in here: this one's, or another's. */
async function idOf({ page, baseUrl }: Room, current: boolean): Promise<string> {
  const text = await page.evaluate(async url => (await client.fetch(url)).text(), `${baseUrl}/auth/sessions`)
  const { sessions }: { sessions: { id: string; current: boolean }[] } = JSON.parse(text)
  const found = sessions.find(each => each.current === current)
  assert.ok(found)
  return found.id
}

test('an app on a listed sibling host works whole', async t => {
  const room = await open(t)
  const { page, sites, baseUrl, context } = room
  const emailNow = () => page.evaluate(async () => (await client.session())?.email)
  const sessions = () =>
    page.evaluate(async url => (await client.fetch(url)).status, `${baseUrl}/auth/sessions`)
  assert.equal(await emailNow(), undefined)
  assert.equal((await signUp(room, ada)).email, ada.email)
  assert.equal(await emailNow(), ada.email)
  assert.equal(await sessions(), 200)

  await context.clearCookies({ name: '__Host-rusk_access' })
  sites.asked.length = 0
  assert.equal(await sessions(), 200)
  assert.deepEqual(
    sites.asked.filter(line => !line.startsWith('OPTIONS')),
    ['GET /auth/sessions 401', 'POST /auth/refresh 200', 'GET /auth/session 200', 'GET /auth/sessions 200'],
  )

  await page.evaluate(() => client.signOut())
  assert.equal(await emailNow(), undefined)
  assert.equal(await sessions(), 401)
  await page.evaluate(fields => client.signIn(fields), { login: ada.email, password: ada.password })
  assert.equal(await emailNow(), ada.email)
})

/** Its host is the app's, its scheme is not. */
async function serveInsecurely(t: TestContext): Promise<string> {
  const server = createServer((_call, answer) => {
    answer.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(hostilePage)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  t.after(() => server.closeAllConnections())
  return `http://${app}:${(server.address() as AddressInfo).port}`
}

type Place = (t: TestContext, sites: Sites) => string | Promise<string>

const places = {
  foreign: (_, { at }) => at(foreign),
  sibling: (_, { at }) => at(sibling),
  insecure: serveInsecurely,
} as const satisfies Record<string, Place>

/** Ada is signed in here and in another browser; Mallory has an account, and a page of hers is open beside Ada's. */
async function openVictim(t: TestContext, place: Place) {
  const room = await open(t)
  const { sites, baseUrl, context, page } = room
  await bring(room.store, [mallory])
  await signUp(room, ada)
  assert.equal(await signIn(room, ada), 200)
  const id = await idOf(room, false)
  const fields = await fieldsFor(ada)
  const evil = await context.newPage()
  await evil.goto(await place(t, sites))
  const before = await look(room)

  return {
    /** Nothing has changed and nothing was seen. Resolves with what reached Rusk of it. */
    async attack(go: Way, { method, path }: Lines[number], told: string) {
      const target: Target = { url: baseUrl + path.replace(':id', id), method, fields }
      sites.asked.length = sites.cookies.length = 0
      assert.equal(await go(evil, target), '', told)
      assert.deepEqual(await look(room), before, told)
      const { pathname } = new URL(target.url)
      const all = sites.asked.map((line, n) => ({ line, cookies: sites.cookies[n] ?? '' }))
      const reached = all.filter(({ line }) => line.includes(` ${pathname} `))
      assert.notEqual(reached.length, 0, `${told} reached nobody`)
      return reached
    },
    /** As the people themselves see it: the same person, in two places, by the same password. */
    async unharmed() {
      assert.equal(await page.evaluate(async () => (await client.session())?.email), ada.email)
      assert.equal(await idOf(room, false), id)
      assert.equal(await signIn(room, { ...ada, password: fields.new ?? '' }), 401)
      assert.equal(await signIn(room, ada), 200)
    },
  }
}

// [sentence, where the page is, whether Strict cookies go along, what is called, and by which ways]
const attacks: readonly [string, Place, boolean, Lines, typeof fewWays][] = [
  ['what a foreign page sends to calls', places.foreign, false, calls, jsonWays],
  ['what a foreign page sends to pages', places.foreign, false, pages, formWays],
  ['what a page of a sibling host sends to calls', places.sibling, true, calls, jsonWays],
  ['what a page of a sibling host sends to pages', places.sibling, true, pages, formWays],
  [
    'what a page of the app’s own host without TLS sends',
    places.insecure,
    false,
    [...calls, ...pages],
    fewWays,
  ],
]

for (const [sentence, place, travels, lines, ways] of attacks) {
  test(`${sentence} changes nothing; Strict cookies ${travels ? 'go along' : 'stay behind'}`, async t => {
    const { attack, unharmed } = await openVictim(t, place)
    for (const each of unsafe(lines)) {
      for (const [way, go] of ways) {
        const told = `${each.line} by ${way}`
        for (const { line, cookies } of await attack(go, each, told)) {
          // A preflight, which carries no cookies and was granted nothing: what was asked for has not come.
          if (line.startsWith('OPTIONS')) continue
          assert.match(line, line.startsWith(each.method) ? / 403$/ : / 405$/, told)
          assert.equal(cookies.includes('__Host-rusk_refresh='), travels, told)
        }
      }
    }
    await unharmed()
  })
}

// [sentence, where the page is, whether Strict cookies go along]
const readers: readonly [string, Place, boolean][] = [
  ['a foreign page', places.foreign, false],
  ['a page of a sibling host', places.sibling, true],
]

for (const [sentence, place, travels] of readers) {
  test(`${sentence} reads nothing and frames nothing, and no address changes anything`, async t => {
    const { attack, unharmed } = await openVictim(t, place)
    for (const [lines, ways] of [
      [safe([...calls, ...pages]), readingWays],
      [unsafe([...calls, ...pages]), elementWays],
    ] as const) {
      for (const each of lines) {
        for (const [way, go] of ways) {
          const told = `${each.path} by ${way}`
          // A page that was opened goes on by itself, and is no foreign page any more.
          const [first] = await attack(go, each, told)
          assert.equal(first?.cookies.includes('__Host-rusk_refresh='), travels, told)
        }
      }
    }
    await unharmed()
  })
}

// What is sent above would do something, and would be seen.
test('the same calls by the app, and the same forms by Rusk’s own pages, each change something', async t => {
  const room = await open(t)
  const { sites, baseUrl, page, context } = room
  await bring(room.store, [mallory])
  const own = await context.newPage()
  await own.addInitScript({ content: hostileScript })
  for (const [n, { line, method, path }] of [...unsafe(calls), ...unsafe(pages)].entries()) {
    const person = { ...ada, email: `ada${n}@example.com` }
    await signUp(room, person)
    assert.equal(await signIn(room, person), 200)
    const url = baseUrl + path.replace(':id', await idOf(room, false))
    const told = { ...(await fieldsFor(person)), email: `newcomer${n}@example.com`, username: `newcomer${n}` }
    const before = await look(room)
    if (calls.some(each => each.line === line)) {
      const status = await page.evaluate(
        async ([at, how, body]) => {
          const headers = { 'content-type': 'application/json' }
          const answer = await fetch(at, { method: how, credentials: 'include', headers, body })
          return answer.status
        },
        [url, method, JSON.stringify(told)] as const,
      )
      assert.match(String(status), /^20[0-4]$/, line)
    } else {
      await own.goto(`${baseUrl}/account/password`)
      sites.asked.length = 0
      await send(own, { url, method, fields: told })
      assert.ok(
        sites.asked.some(each => each.startsWith('POST') && each.endsWith(' 303')),
        `${line}: ${sites.asked}`,
      )
    }
    assert.notDeepEqual(await look(room), before, line)
  }
})
