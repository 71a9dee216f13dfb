// The axios example as people use it, in a real browser: page, Rusk and the chat service on an origin each.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { serveStatic } from '@hono/node-server/serve-static'
import { Hono } from 'hono'
import type { Page, Request } from 'playwright-core'
import type { Options } from 'rusk'
import { build } from 'vite'
import { openChromium, openPage } from '../../../server/test/browser/chromium.ts'
import { findBarriers, readStores } from '../../barriers.ts'
import { openPlace, runChat, runRusk } from '../../chat-service/running.ts'

const key = 'known to this test and to nobody else'

type Origins = { readonly page: string; readonly rusk: string; readonly chat: string }

async function serveApp(t: TestContext, options: Options = {}): Promise<Origins> {
  const outDir = await mkdtemp(join(tmpdir(), 'rusk-spa-axios-'))
  t.after(() => rm(outDir, { recursive: true }))
  const { url: page, put } = await openPlace(t)
  put(new Hono().use(serveStatic({ root: outDir })).fetch)
  const { url: rusk } = await runRusk(t, { dialect: ['django'], origins: [page], jwt: { key }, ...options })
  const chat = await runChat(t, {
    RUSK_URL: rusk,
    JWT_SECRET_KEY: key,
    CSRF_COOKIE: 'csrftoken',
    ALLOWED_ORIGINS: page,
  })
  await build({
    root: fileURLToPath(new URL('..', import.meta.url)),
    logLevel: 'error',
    define: {
      'import.meta.env.VITE_RUSK': JSON.stringify(rusk),
      'import.meta.env.VITE_CHAT': JSON.stringify(chat),
    },
    build: { outDir, emptyOutDir: true },
  })
  return { page, rusk, chat }
}

const ada = { username: 'ada', email: 'ada@example.com', password: 'twelve blue herons' }

async function signUp(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'I am new here' }).click()
  await page.getByLabel('Username').fill(ada.username)
  await page.getByLabel('E-mail address').fill(ada.email)
  await page.getByLabel('Password').fill(ada.password)
  await page.getByRole('button', { name: 'Make an account' }).click()
  await atChat(page)
}

async function signIn(page: Page, password = ada.password): Promise<void> {
  await page.getByLabel('Username').fill(ada.username)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
}

const atChat = (page: Page) => page.getByRole('heading', { name: 'Chat' }).waitFor()
const atEntry = (page: Page) => page.getByRole('heading', { name: 'Sign in' }).waitFor()
const notice = (page: Page, sentence: string) => page.getByRole('status').getByText(sentence).waitFor()

const answerTo = (message: string) => `You said “${message}”, and I heard every word of it.`

async function say(page: Page, message: string): Promise<void> {
  await page.getByLabel('Your message').fill(message)
  await page.getByRole('button', { name: 'Send' }).click()
  await page.getByText(answerTo(message)).waitFor()
}

/** Chromium itself notes every refusal in the console: these were to be. */
const unexpected = (complaints: readonly string[]): readonly string[] =>
  complaints.filter(text => !text.includes('status of 401'))

/** What went to an origin, preflights aside. */
function watchCalls(page: Page, origin: string): readonly Request[] {
  const calls: Request[] = []
  page.on('request', request => {
    if (new URL(request.url()).origin === origin) calls.push(request)
  })
  return calls
}

test('a chat across origins: the token is in memory, the CSRF token goes with unsafe calls, nothing is stored', async t => {
  const origins = await serveApp(t)
  const { page, complaints, strangers } = await openPage(await openChromium(t))
  const calls = watchCalls(page, origins.chat)
  await page.goto(origins.page)
  await signUp(page)
  await page.getByLabel('Your message').fill('twice baked')
  await page.getByRole('button', { name: 'Send' }).click()
  const answer = page.getByRole('listitem').last()
  await answer.filter({ hasText: 'You said' }).waitFor()
  assert.notEqual(await answer.innerText(), answerTo('twice baked'), 'words are shown as they come')
  await page.getByText(answerTo('twice baked')).waitFor()

  await page.reload()
  await page.getByText(answerTo('twice baked')).waitFor()
  await page.getByRole('button', { name: 'Forget everything' }).click()
  await answer.waitFor({ state: 'detached' })

  const [csrf] = (await page.context().cookies()).filter(({ name }) => name === 'csrftoken')
  const carried = await Promise.all(calls.map(async call => ({ call, headers: await call.allHeaders() })))
  assert.deepEqual(
    carried.map(({ call, headers }) => [
      `${call.method()} ${new URL(call.url()).pathname}`,
      /^Bearer [\w-]+\.[\w-]+\.[\w-]+$/.test(headers.authorization ?? ''),
      headers['x-csrftoken'] === undefined ? 'none' : headers['x-csrftoken'] === csrf?.value,
    ]),
    [
      ['GET /chat/history', true, 'none'],
      ['POST /chat/stream', true, true],
      ['GET /chat/history', true, 'none'],
      ['DELETE /chat/history', true, true],
    ],
  )
  assert.deepEqual(await readStores(page), { local: [], session: [], cookies: ['csrftoken'] })
  assert.deepEqual(unexpected(complaints()), [])
  assert.deepEqual(strangers(...Object.values(origins)), [])
})

test('an answer that is whole holds no connection: the seventh message is answered like the first', async t => {
  const origins = await serveApp(t)
  const { page } = await openPage(await openChromium(t))
  await page.goto(origins.page)
  await signUp(page)
  for (const message of ['1', '2', '3', '4', '5', '6', '7']) await say(page, message)
})

test('the chat service hears nobody without a good token, and no unsafe call without the CSRF token', async t => {
  const origins = await serveApp(t)
  const { page } = await openPage(await openChromium(t))
  const calls = watchCalls(page, origins.chat)
  await page.goto(origins.page)
  await signUp(page)
  await say(page, 'hello')
  const headers = (await calls.at(-1)?.allHeaders()) ?? {}
  const { authorization = '', cookie = '' } = headers
  const token = headers['x-csrftoken'] ?? ''
  const ask = (given: Record<string, string>) =>
    fetch(`${origins.chat}/chat/stream`, {
      method: 'POST',
      headers: { cookie, 'content-type': 'application/json', ...given },
      body: JSON.stringify({ message: 'hello' }),
    }).then(({ status }) => status)
  const cases: readonly (readonly [string, Record<string, string>, number])[] = [
    ['both', { authorization, 'x-csrftoken': token }, 200],
    ['no access token', { 'x-csrftoken': token }, 401],
    [
      'one whose signature is another',
      { authorization: `${authorization.slice(0, -9)}123456789`, 'x-csrftoken': token },
      401,
    ],
    ['no CSRF token', { authorization }, 403],
    ['an empty CSRF token and no cookie', { authorization, 'x-csrftoken': '', cookie: '' }, 403],
    ['another CSRF token', { authorization, 'x-csrftoken': 'x' }, 403],
  ]
  for (const [sentence, given, status] of cases) assert.equal(await ask(given), status, sentence)
})

test('access tokens expire again and again, and nobody notices', async t => {
  const origins = await serveApp(t, { session: { access: '2s' } })
  const { page, complaints } = await openPage(await openChromium(t))
  await page.goto(origins.page)
  await signUp(page)
  for (const message of ['one', 'two']) {
    await new Promise(resolve => setTimeout(resolve, 2200))
    await say(page, message)
  }
  await new Promise(resolve => setTimeout(resolve, 2200))
  await page.getByRole('button', { name: 'Forget everything' }).click()
  await page.getByRole('listitem').first().waitFor({ state: 'detached' })
  assert.equal(await page.getByRole('status').count(), 0)
  assert.deepEqual(unexpected(complaints()), [])
})

test('when renewal is refused the page says so, and sign-in goes on', async t => {
  const origins = await serveApp(t, { session: { access: '2s' } })
  const { page, complaints } = await openPage(await openChromium(t))
  await page.goto(origins.page)
  await signUp(page)
  await say(page, 'before')
  const cookies = await page.context().cookies(`${origins.rusk}/api/`)
  const csrf = cookies.find(({ name }) => name === 'csrftoken')?.value ?? ''
  const { status } = await fetch(`${origins.rusk}/api/logout/`, {
    method: 'POST',
    headers: {
      cookie: cookies.map(({ name, value }) => `${name}=${value}`).join('; '),
      'x-csrftoken': csrf,
      origin: origins.page,
    },
  })
  assert.equal(status, 204)
  await new Promise(resolve => setTimeout(resolve, 2200))
  await page.getByLabel('Your message').fill('after')
  await page.getByRole('button', { name: 'Send' }).click()
  await notice(page, 'Your session has ended. Sign in to go on.')
  await atEntry(page)
  assert.equal(await page.getByText('before').count(), 0)
  await signIn(page)
  await page.getByText(answerTo('before')).waitFor()
  assert.deepEqual(unexpected(complaints()), [])
})

test('a wrong password is told', async t => {
  const origins = await serveApp(t)
  const { page, complaints } = await openPage(await openChromium(t))
  await page.goto(origins.page)
  await signUp(page)
  await page.getByRole('button', { name: 'Sign out' }).click()
  await signIn(page, 'wrong')
  await notice(page, 'No active account found with the given credentials')
  await signIn(page)
  await atChat(page)
  assert.equal(await page.getByRole('status').count(), 0)
  assert.deepEqual(unexpected(complaints()), [])
})

test('what happens in one tab is seen in the other: sign-in, sign-out, the next sign-in', async t => {
  const origins = await serveApp(t)
  const { page, complaints } = await openPage(await openChromium(t))
  const other = await page.context().newPage()
  for (const tab of [page, other]) {
    await tab.goto(origins.page)
    await atEntry(tab)
  }
  await signUp(page)
  await atChat(other)
  await say(other, 'from the other tab')
  await other.getByRole('button', { name: 'Sign out' }).click()
  for (const tab of [page, other]) {
    await atEntry(tab)
    await notice(tab, 'You are signed out.')
    assert.equal(await tab.getByText('from the other tab').count(), 0)
  }
  await signIn(other)
  for (const tab of [page, other]) await tab.getByText(answerTo('from the other tab')).waitFor()
  assert.deepEqual(unexpected(complaints()), [])
})

for (const colorScheme of ['light', 'dark'] as const) {
  test(`nobody is kept out at 320 pixels in ${colorScheme}`, async t => {
    const origins = await serveApp(t)
    const viewport = { width: 320, height: 800 }
    const { page } = await openPage(await openChromium(t), { colorScheme, viewport })
    await page.goto(origins.page)
    await atEntry(page)
    assert.deepEqual(await findBarriers(page), [], 'the form')
    await signIn(page, '')
    await page.locator('[aria-invalid=true]').first().waitFor()
    assert.deepEqual(await findBarriers(page), [], 'the form, with a wrong field')
    await signUp(page)
    await say(page, `hello ${'w'.repeat(60)}`)
    assert.deepEqual(await findBarriers(page), [], 'the chat')
  })
}
