// A front end written for a FastAPI back end, with nothing of ours in it, in a real browser: its page on one port of localhost,
// Rusk on another, speaking that back end's dialect.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import type { BrowserContext, Cookie, Page } from 'playwright-core'
import { type Options, rusk } from '../../../server/src/index.ts'
import { openChromium, openPage, type Watched } from '../../../server/test/browser/chromium.ts'
import { bundle, pageWith } from './bundle.ts'

const script = await bundle(new URL('./use-auth-app.tsx', import.meta.url))

const ada = { email: 'ada@example.com', password: 'Twelve blue herons 12', full_name: 'Ada Lovelace' }

const welcome = 'Welcome, Ada Lovelace (ada@example.com)'
const nobody = 'Please log in'

/** Any static server would do. Its origin: by name, as developers type it, so that both ports are one site. */
async function servePage(t: TestContext): Promise<string> {
  const server = createServer(({ url }, answer) => {
    const [type, text] = url === '/page.js' ? ['javascript', script] : ['html', pageWith('')]
    answer.writeHead(200, { 'content-type': `text/${type}; charset=utf-8` }).end(text)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  t.after(() => server.closeAllConnections())
  return `http://localhost:${(server.address() as AddressInfo).port}`
}

type Room = {
  readonly page: Page
  readonly watched: Watched
  /** Every answer of Rusk's, in order: `POST /api/auth/login 200`. */
  readonly asked: string[]
  /** Rusk's. */
  readonly jar: BrowserContext
}

/** The page is open, and Ada has an account. */
async function open(t: TestContext, options: Options = {}): Promise<Room> {
  const origin = await servePage(t)
  const auth = await rusk({
    dialect: ['fastapi-production'],
    database: 'sqlite::memory:',
    port: 0,
    log: { level: 'silent' },
    origins: [origin],
    ...options,
  })
  t.after(auth.close)
  const { url } = await auth.listen()
  const made = await auth.fetch(
    new Request(`${url}/api/auth/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(ada),
    }),
  )
  assert.equal(made.status, 201)

  const api = url.replace('127.0.0.1', 'localhost')
  const watched = await openPage(await openChromium(t))
  const { page } = watched
  const asked: string[] = []
  page.on('response', answer => {
    const { origin: from, pathname } = new URL(answer.url())
    if (from === api) asked.push(`${answer.request().method()} ${pathname} ${answer.status()}`)
  })
  await page.goto(`${origin}/?api=${encodeURIComponent(api)}`)
  return { page, watched, asked, jar: page.context() }
}

async function shows(page: Page, line: string): Promise<void> {
  await page.locator('output', { hasText: line }).waitFor({ timeout: 10_000 })
}

async function logIn(page: Page, password = ada.password): Promise<void> {
  await page.getByLabel('Email').fill(ada.email)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Log in' }).click()
}

async function comeIn(t: TestContext, options: Options = {}): Promise<Room> {
  const room = await open(t, options)
  await shows(room.page, nobody)
  await logIn(room.page)
  await shows(room.page, welcome)
  return room
}

const namesIn = async (jar: BrowserContext): Promise<readonly string[]> =>
  (await jar.cookies()).map(({ name }) => name).sort()

/** Chromium itself notes every answer that is no 2xx. */
const uncalledFor = ({ watched }: Room): readonly string[] =>
  watched.complaints().filter(text => !text.includes('Failed to load resource'))

test('it mounts with nobody, says why a login is refused, and shows who is in, also after a reload', async t => {
  const room = await open(t)
  const { page, asked, jar } = room
  await shows(page, nobody)
  // Twice: Strict Mode.
  assert.deepEqual(asked.splice(0), ['GET /api/auth/me 401', 'GET /api/auth/me 401'])
  assert.deepEqual(await namesIn(jar), [])

  await logIn(page, 'Not the right one 1')
  assert.equal(await page.getByRole('alert').innerText(), 'Incorrect email or password')
  await shows(page, nobody)
  assert.deepEqual(asked.splice(0), ['POST /api/auth/login 401'])

  await logIn(page)
  await shows(page, welcome)
  assert.deepEqual(asked.splice(0), ['POST /api/auth/login 200', 'GET /api/auth/me 200'])
  assert.deepEqual(await namesIn(jar), ['access_token', 'refresh_token', 'rusk_signin'])
  assert.equal(await page.evaluate(() => document.cookie), '')

  await page.reload()
  await shows(page, welcome)
  assert.deepEqual(asked, ['GET /api/auth/me 200', 'GET /api/auth/me 200'])
  assert.deepEqual(uncalledFor(room), [])
})

test('who logs out is nobody at once and after a reload, and the tokens are gone', async t => {
  const room = await comeIn(t)
  const { page, jar } = room
  const kept = await jar.cookies()
  await page.getByRole('button', { name: 'Log out' }).click()
  await shows(page, nobody)
  // Remembers which sign-in was the last, and lets nobody in.
  assert.deepEqual(await namesIn(jar), ['rusk_signin'])
  await page.reload()
  await shows(page, nobody)

  // Not in the page alone: a copy of them is of no use either.
  await jar.addCookies(kept)
  await page.reload()
  await shows(page, nobody)
  assert.deepEqual(uncalledFor(room), [])
})

const accessIn = async (jar: BrowserContext): Promise<Cookie> => {
  const found = (await jar.cookies()).find(({ name }) => name === 'access_token')
  assert.ok(found)
  return found
}

// [sentence, options, what becomes of the access cookie]
const ends: readonly [string, Options, (jar: BrowserContext) => Promise<void>][] = [
  ['is gone', {}, jar => jar.clearCookies({ name: 'access_token' })],
  [
    'has expired but is sent all the same',
    { session: { access: '4s', skew: '0s' } },
    async jar => {
      const { expires, ...cookie } = await accessIn(jar)
      await new Promise(resolve => setTimeout(resolve, expires * 1000 - Date.now() + 500))
      await jar.addCookies([cookie])
    },
  ],
]

for (const [sentence, options, end] of ends) {
  // The hook asks `me` and nothing else: it never renews.
  test(`an access cookie that ${sentence} is nobody’s, until a call of refresh brings a new one`, async t => {
    const room = await comeIn(t, options)
    const { page, asked, jar } = room
    await end(jar)
    asked.length = 0
    await page.reload()
    await shows(page, nobody)
    assert.deepEqual(asked.splice(0), ['GET /api/auth/me 401', 'GET /api/auth/me 401'])
    assert.ok((await namesIn(jar)).includes('refresh_token'))

    const said = await page.evaluate(async () => {
      const api = new URLSearchParams(location.search).get('api')
      const answer = await fetch(`${api}/api/auth/refresh`, { method: 'POST', credentials: 'include' })
      return answer.text()
    })
    assert.equal(said, '{"message":"Token refreshed successfully"}')
    await page.reload()
    await shows(page, welcome)
    assert.deepEqual(uncalledFor(room), [])
  })
}

test('the sixth login within a minute is told to wait, also with the right password', async t => {
  const room = await open(t)
  const { page, asked } = room
  const alert = page.getByRole('alert')
  for (let attempt = 1; attempt <= 5; attempt++) {
    await logIn(page, `Not the right one ${attempt}`)
    await alert.getByText('Incorrect email or password').waitFor()
  }
  await logIn(page)
  await alert.getByText('Too many requests. Please try again later.').waitFor()
  await shows(page, nobody)
  assert.equal(asked.at(-1), 'POST /api/auth/login 429')
  assert.deepEqual(uncalledFor(room), [])
})
