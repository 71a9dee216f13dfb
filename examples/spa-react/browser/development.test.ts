// The React example in development, and the app that the README has newcomers paste: Vite serves the sources as they are and
// hands calls on to `rusk serve`. And the client without a framework, in the same page.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'
import { createServer, type LogLevel } from 'vite'
import { openChromium, openPage } from '../../../server/test/browser/chromium.ts'
import { serve } from '../../../server/test/serving.ts'
import { findBarriers, readStores } from '../../barriers.ts'

const example = fileURLToPath(new URL('..', import.meta.url))
const fiveMinutes = fileURLToPath(new URL('../five-minutes', import.meta.url))

type Development = {
  /** Where Vite listens. */
  readonly url: string
  /** Ends `rusk serve`. */
  leave(): Promise<void>
  /** Starts it anew, where it was. */
  comeBack(): Promise<void>
}

/** The configuration in `root` stands, but for ports. `logLevel`: of Vite, who also tells of calls that find no server. */
async function develop(t: TestContext, root: string, logLevel: LogLevel = 'error'): Promise<Development> {
  const folder = await mkdtemp(join(tmpdir(), 'rusk-development-'))
  t.after(() => rm(folder, { recursive: true }))
  let serving = await serve({ args: [], cwd: folder })
  const rusk = serving.url
  t.after(() => serving.end('SIGTERM'))
  const vite = await createServer({
    root,
    logLevel,
    cacheDir: join(folder, 'vite'),
    server: { port: 0, strictPort: false, proxy: { '/auth': rusk, '/api': rusk }, ws: false },
  })
  t.after(() => vite.close())
  await vite.listen()
  const [url] = vite.resolvedUrls?.local ?? []
  assert.ok(url)
  return {
    url: url.replace(/\/$/, ''),
    async leave() {
      await serving.end('SIGTERM')
    },
    async comeBack() {
      serving = await serve({ args: ['--port', new URL(rusk).port], cwd: folder })
    },
  }
}

/** Chromium itself notes every refusal in the console: these were to be. */
const unexpected = (complaints: readonly string[], ...statuses: readonly number[]): readonly string[] =>
  complaints.filter(text => !statuses.some(status => text.includes(`status of ${status}`)))

const ada = { email: 'ada@example.com', password: 'twelve blue herons' }

async function fill(page: Page, { email, password }: typeof ada): Promise<void> {
  await page.getByLabel('E-mail address').fill(email)
  await page.getByLabel('Password').fill(password)
}

test('through Vite’s proxy people sign up, stay signed in and sign out, with cookies of the page’s own origin', async t => {
  const { url } = await develop(t, example)
  const { page, complaints, strangers } = await openPage(await openChromium(t))
  await page.goto(`${url}/notes`)
  await page.getByRole('button', { name: 'I am new here' }).click()
  await fill(page, ada)
  await page.getByRole('button', { name: 'Make my account' }).click()
  await page.getByRole('heading', { name: 'My notes' }).waitFor()
  await page.reload()
  await page.getByRole('heading', { name: 'My notes' }).waitFor()
  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByText('You are signed out.').waitFor()
  // Rusk alone has no notes: the rest of the app is not there.
  assert.deepEqual(unexpected(complaints(), 401, 404), [])
  assert.deepEqual(strangers(url), [])
})

const isIn = (page: Page) => page.getByRole('heading', { name: `Hello ${ada.email}` }).waitFor()
const isOut = (page: Page) => page.getByRole('heading', { name: 'Sign in' }).waitFor()
const isTold = (page: Page, sentence: string) =>
  page.getByRole('alert').filter({ hasText: sentence }).waitFor()

async function signUp(page: Page, password = ada.password): Promise<void> {
  await page.getByRole('button', { name: 'I am new here' }).click()
  await fill(page, { ...ada, password })
  await page.getByRole('button', { name: 'Sign up' }).click()
}

test('what newcomers paste lets people sign up, knows them after a reload, and says what is wrong', async t => {
  const { url } = await develop(t, fiveMinutes)
  const { page, complaints, strangers } = await openPage(await openChromium(t))
  await page.goto(url)
  await signUp(page, 'abc')
  await isTold(page, 'The password is too weak. Password must be at least 8 characters long')
  assert.deepEqual(await findBarriers(page), [])
  await fill(page, ada)
  await page.getByRole('button', { name: 'Sign up' }).click()
  await isIn(page)
  await page.reload()
  await isIn(page)
  assert.deepEqual(await readStores(page), { local: [], session: [], cookies: [] })

  await page.getByRole('button', { name: 'Sign out' }).click()
  await isOut(page)
  await fill(page, { ...ada, password: 'wrong' })
  await page.getByRole('button', { name: 'Sign in' }).click()
  await isTold(page, 'The login or the password is wrong')
  assert.equal(await page.getByLabel('E-mail address').inputValue(), ada.email, 'what was typed is not lost')
  await page.getByRole('button', { name: 'I am new here' }).click()
  assert.equal(await page.getByRole('alert').count(), 0, 'a refused sign-in says nothing about signing up')
  await page.getByRole('button', { name: 'I have an account' }).click()
  await fill(page, ada)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await isIn(page)
  assert.deepEqual(unexpected(complaints(), 401, 422), [])
  assert.deepEqual(strangers(url), [])
})

test('in what newcomers paste, sign-in and sign-out in one tab show in the other', async t => {
  const { url } = await develop(t, fiveMinutes)
  const { page, complaints } = await openPage(await openChromium(t))
  const other = await page.context().newPage()
  for (const tab of [page, other]) {
    await tab.goto(url)
    await isOut(tab)
  }
  await signUp(page)
  for (const tab of [page, other]) await isIn(tab)
  await other.getByRole('button', { name: 'Sign out' }).click()
  for (const tab of [page, other]) await isOut(tab)
  assert.deepEqual(unexpected(complaints(), 401), [])
})

test('in what newcomers paste, a sign-out that did not happen is told', async t => {
  const { url, leave } = await develop(t, fiveMinutes, 'silent')
  const { page } = await openPage(await openChromium(t))
  await page.goto(url)
  await signUp(page)
  await isIn(page)
  await leave()
  await page.getByRole('button', { name: 'Sign out' }).click()
  await isTold(page, 'Could not sign out: The server cannot answer just now')
})

// [which app, its folder, the page, what it says while the server is away]
const apps = [
  ['the example', example, '/notes', 'The server cannot answer just now'],
  ['what newcomers paste', fiveMinutes, '/', 'The server cannot answer just now. Asking again …'],
] as const

for (const [app, root, path, says] of apps) {
  test(`${app} says that the server is away, and goes on by itself when it is back`, async t => {
    const { url, leave, comeBack } = await develop(t, root, 'silent')
    const { page, complaints } = await openPage(await openChromium(t))
    await leave()
    await page.goto(url + path)
    await page.getByRole('status').filter({ hasText: says }).waitFor()
    assert.equal(await page.getByLabel('Password').count(), 0, 'nobody knows yet that somebody must sign in')
    await comeBack()
    await isOut(page)
    assert.deepEqual(unexpected(complaints(), 401, 502), [])
  })
}

test('six lines without a framework know who is there, let in, call and let go', async t => {
  const { url } = await develop(t, example)
  const { page } = await openPage(await openChromium(t))
  await page.goto(url)
  const answers = await page.evaluate(`(async () => {
    const { client, enter, leave, readNotes } = await import('/src/plain.ts')
    const status = () => document.body.dataset.status
    const seen = [await client.session().then(status)]
    await client.signUp({ email: 'ada@example.com', password: 'twelve blue herons' })
    seen.push(status())
    await leave()
    seen.push(status())
    await enter('ada@example.com', 'twelve blue herons')
    seen.push(status(), (await readNotes()).status)
    return seen
  })()`)
  assert.deepEqual(answers, ['signed-out', 'signed-in', 'signed-out', 'signed-in', 404])
})
