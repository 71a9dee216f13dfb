// The React example as people use it, in a real browser: built by Vite, served by its own program.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { getRequestListener } from '@hono/node-server'
import type { Page, Request } from 'playwright-core'
import type { Options } from 'rusk'
import { build } from 'vite'
import { openChromium, openPage } from '../../../server/test/browser/chromium.ts'
import { findBarriers, readStores } from '../../barriers.ts'
import { openApp } from '../server.ts'

let pages: string
before(async () => {
  pages = await mkdtemp(join(tmpdir(), 'rusk-spa-react-'))
  const root = fileURLToPath(new URL('..', import.meta.url))
  await build({ root, logLevel: 'error', build: { outDir: pages, emptyOutDir: true } })
})
after(() => rm(pages, { recursive: true }))

/** Ends with the test. Resolves with where it listens. */
async function serveApp(t: TestContext, options: Options = {}): Promise<string> {
  const server = createServer()
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  server.listen(0, 'localhost')
  await once(server, 'listening')
  const address = server.address()
  assert.ok(typeof address === 'object' && address)
  const url = `http://localhost:${address.port}`
  const { app, auth } = await openApp(
    // Vite, building, has said NODE_ENV=production to this whole process.
    { url, environment: 'development', database: 'sqlite::memory:', log: { level: 'silent' }, ...options },
    pages,
  )
  t.after(() => auth.close())
  server.on('request', getRequestListener(app.fetch))
  return url
}

const ada = { email: 'ada@example.com', password: 'twelve blue herons' }

async function fill(page: Page, { email, password }: typeof ada): Promise<void> {
  await page.getByLabel('E-mail address').fill(email)
  await page.getByLabel('Password').fill(password)
}

async function signUp(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'I am new here' }).click()
  await fill(page, ada)
  await page.getByRole('button', { name: 'Make my account' }).click()
  await atNotes(page)
}

async function signIn(page: Page): Promise<void> {
  await fill(page, ada)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await atNotes(page)
}

const atNotes = (page: Page) => page.getByRole('heading', { name: 'My notes' }).waitFor()
const atEntry = (page: Page) => page.getByRole('heading', { name: 'Sign in' }).waitFor()
const isLive = (page: Page) => page.getByText('Live: the server’s clock says').waitFor()

async function write(page: Page, text: string): Promise<void> {
  await page.getByLabel('A new note').fill(text)
  await page.getByRole('button', { name: 'Keep it' }).click()
  await page.getByRole('listitem').filter({ hasText: text }).waitFor()
}

/** Chromium itself notes every refusal in the console: these were to be. */
const unexpected = (complaints: readonly string[], ...statuses: readonly number[]): readonly string[] =>
  complaints.filter(text => !statuses.some(status => text.includes(`status of ${status}`)))

test('the app’s own API hears nobody who is not signed in', async t => {
  const url = await serveApp(t)
  for (const line of ['GET /api/notes', 'POST /api/notes', 'GET /api/stream']) {
    const [method = '', path] = line.split(' ')
    assert.equal((await fetch(url + path, { method })).status, 401, line)
  }
})

test('who wants to see a guarded page signs up, sees it, and is known after a reload', async t => {
  const url = await serveApp(t)
  const { page, complaints, strangers } = await openPage(await openChromium(t))
  await page.goto(url)
  await page.getByRole('link', { name: 'Your notes' }).click()
  assert.equal(page.url(), `${url}/notes`)
  await atEntry(page)
  assert.equal(await page.getByLabel('A new note').count(), 0)

  await signUp(page)
  assert.equal(await page.evaluate('document.activeElement.tagName'), 'MAIN', 'the focus is not lost')
  await isLive(page)
  await write(page, 'buy beans')
  await page.reload()
  await atNotes(page)
  await page.getByRole('listitem').filter({ hasText: 'buy beans' }).waitFor()

  await page.goBack()
  await page.getByRole('heading', { name: 'A place for notes' }).waitFor()
  await page.getByText('ada@example.com').waitFor()
  assert.deepEqual(await readStores(page), { local: [], session: [], cookies: [] })
  assert.deepEqual(unexpected(complaints(), 401), [])
  assert.deepEqual(strangers(url), [])
})

// [sentence, button, what is typed, the field it stands beside, what it says]
const refusals: readonly (readonly [string, string, typeof ada, string | undefined, RegExp])[] = [
  ['a wrong password is told', 'Sign in', { ...ada, password: 'wrong' }, undefined, /do not belong together/],
  ['an empty field', 'Sign in', { ...ada, password: '' }, 'Password', /\S/],
  ['an address that is none', 'Make my account', { ...ada, email: 'ada' }, 'E-mail address', /\S/],
  ['an address that is taken', 'Make my account', ada, 'E-mail address', /an account with this address/],
  [
    'a weak password',
    'Make my account',
    { email: 'b@example.com', password: 'abc' },
    'Password',
    /at least 8/,
  ],
]

test('what is refused is told beside the field it is about, and nothing typed is lost', async t => {
  const url = await serveApp(t)
  const { page, complaints } = await openPage(await openChromium(t))
  await page.goto(`${url}/notes`)
  await signUp(page)
  await page.getByRole('button', { name: 'Sign out' }).click()
  for (const [sentence, button, typed, field, says] of refusals) {
    await page.reload()
    await atEntry(page)
    if (button !== 'Sign in') await page.getByRole('button', { name: 'I am new here' }).click()
    await fill(page, typed)
    await page.getByRole('button', { name: button }).click()
    if (field === undefined) assert.match(await page.getByRole('alert').innerText(), says, sentence)
    else {
      const input = page.locator('input[aria-invalid=true]')
      await input.waitFor()
      const [described, label, focused] = await input.evaluate((node: HTMLInputElement) => [
        document.querySelector(`#${CSS.escape(node.getAttribute('aria-describedby') ?? '')}`)?.textContent,
        node.labels?.[0]?.textContent,
        String(document.activeElement === node),
      ])
      assert.match(described ?? '', says, sentence)
      assert.equal(label, field, sentence)
      assert.equal(focused, 'true', sentence)
    }
    assert.equal(await page.getByLabel('E-mail address').inputValue(), typed.email, sentence)
    assert.equal(await page.getByLabel('Password').inputValue(), typed.password, sentence)
  }
  assert.deepEqual(unexpected(complaints(), 401, 409, 422), [])
})

test('what happens in one tab is seen in the other: a note, the sign-out, the next sign-in', async t => {
  const url = await serveApp(t)
  const { page, complaints } = await openPage(await openChromium(t))
  await page.goto(`${url}/notes`)
  await signUp(page)
  const other = await page.context().newPage()
  await other.goto(`${url}/notes`)
  await atNotes(other)
  await isLive(other)
  await write(page, 'seen at once')
  await other.getByRole('listitem').filter({ hasText: 'seen at once' }).waitFor()

  await other.getByRole('button', { name: 'Sign out' }).click()
  for (const tab of [page, other]) {
    await atEntry(tab)
    await tab.getByText('You are signed out.').waitFor()
    assert.equal(await tab.getByText('seen at once').count(), 0)
  }
  await signIn(page)
  await atNotes(other)
  await other.getByRole('listitem').filter({ hasText: 'seen at once' }).waitFor()
  assert.deepEqual(unexpected(complaints(), 401), [])
})

/** The streams that have begun here and how many of them have ended. */
function watchStreams(page: Page): () => { readonly begun: number; readonly ended: number } {
  let [begun, ended] = [0, 0]
  const isStream = (request: Request) => request.url().endsWith('/api/stream')
  page.on('request', request => {
    if (isStream(request)) begun++
  })
  const end = (request: Request) => {
    if (isStream(request)) ended++
  }
  page.on('requestfinished', end).on('requestfailed', end)
  return () => ({ begun, ended })
}

async function until(condition: () => boolean, what: string): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    if (condition()) return
    await new Promise(resolve => setTimeout(resolve, 100))
  }
  assert.fail(what)
}

test('a stream ends with sign-out, and begins again with sign-in', async t => {
  const url = await serveApp(t)
  const { page } = await openPage(await openChromium(t))
  const streams = watchStreams(page)
  await page.goto(`${url}/notes`)
  await signUp(page)
  await isLive(page)
  assert.deepEqual(streams(), { begun: 1, ended: 0 })
  await page.getByRole('button', { name: 'Sign out' }).click()
  await atEntry(page)
  await until(() => streams().ended === 1, 'the stream goes on')
  await signIn(page)
  await isLive(page)
  assert.equal(streams().begun, 2)
})

test('a session that is ended elsewhere ends the stream, and the page says so', async t => {
  const url = await serveApp(t)
  const { page, complaints } = await openPage(await openChromium(t))
  const streams = watchStreams(page)
  await page.goto(`${url}/notes`)
  await signUp(page)
  await isLive(page)
  const cookies = await page.context().cookies()
  const cookie = cookies.map(({ name, value }) => `${name}=${value}`).join('; ')
  const { status } = await fetch(`${url}/auth/sign-out`, { method: 'POST', headers: { cookie, origin: url } })
  assert.equal(status, 204)
  await page.getByText('Your session has ended. Sign in to go on.').waitFor()
  assert.ok(streams().ended >= 1)
  assert.equal(await page.getByLabel('A new note').count(), 0)
  assert.deepEqual(unexpected(complaints(), 401), [])
})

test('access tokens expire again and again, and nobody notices', async t => {
  const url = await serveApp(t, { session: { access: '2s' } })
  const { page, complaints } = await openPage(await openChromium(t))
  const streams = watchStreams(page)
  await page.goto(`${url}/notes`)
  await signUp(page)
  for (const text of ['one', 'two', 'three']) {
    await new Promise(resolve => setTimeout(resolve, 2200))
    await write(page, text)
  }
  assert.equal(await page.getByRole('listitem').count(), 3)
  assert.ok(streams().ended >= 2, 'the server ends a stream whose token has expired')
  assert.equal(await page.getByRole('alert').count(), 0)
  assert.deepEqual(unexpected(complaints(), 401), [])
})

for (const colorScheme of ['light', 'dark'] as const) {
  for (const width of [320, 1280]) {
    test(`nobody is kept out at ${width} pixels in ${colorScheme}`, async t => {
      const url = await serveApp(t)
      const viewport = { width, height: 800 }
      const { page } = await openPage(await openChromium(t), { colorScheme, viewport })
      await page.goto(url)
      await page.getByRole('heading').waitFor()
      assert.deepEqual(await findBarriers(page), [], 'the first page')
      await page.getByRole('link', { name: 'My notes' }).click()
      await atEntry(page)
      assert.deepEqual(await findBarriers(page), [], 'the form')
      await fill(page, ada)
      await page.getByRole('button', { name: 'Sign in' }).click()
      await page.getByRole('alert').waitFor()
      assert.deepEqual(await findBarriers(page), [], 'the form, refused')
      await page.getByRole('button', { name: 'I am new here' }).click()
      await fill(page, { ...ada, password: 'abc' })
      await page.getByRole('button', { name: 'Make my account' }).click()
      await page.locator('input[aria-invalid=true]').waitFor()
      assert.deepEqual(await findBarriers(page), [], 'the form, with a wrong field')
      await page.reload()
      await signUp(page)
      await write(page, `a note ${'as long as the line is '.repeat(4)}${'w'.repeat(60)}`)
      await isLive(page)
      assert.deepEqual(await findBarriers(page), [], 'the notes')
    })
  }
}
