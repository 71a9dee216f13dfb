// The chat's page as people use it, in a real browser: page, Rusk and the chat on an origin each; streams that live as long
// as their session, and no longer.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Page, Request } from 'playwright-core'
import type { Options } from 'rusk'
import { openChromium, openPage } from '../../../server/test/browser/chromium.ts'
import { cookieHeader, post, serve } from '../../../server/test/serving.ts'
import { findBarriers, readStores } from '../../barriers.ts'
import type { Environment } from '../app.ts'
import { openPages } from '../page.ts'
import { openPlace, readStream, runChat, runRusk, serviceKey, until } from '../running.ts'

const key = 'a shared key known to these tests and to nobody else'

/** The stated bound, in milliseconds. */
const bound = 5000

type Places = { readonly page: string; readonly rusk: string; readonly chat: string }

async function servePage(t: TestContext, options: Options = {}, env: Environment = {}): Promise<Places> {
  const place = await openPlace(t)
  const { url: rusk } = await runRusk(t, { origins: [place.url], ...options })
  const chat = await runChat(t, { RUSK_URL: rusk, ALLOWED_ORIGINS: place.url, ...env })
  place.put((await openPages({ rusk, chat })).fetch)
  return { page: place.url, rusk, chat }
}

const ada = { email: 'ada@example.com', password: 'twelve blue herons' }

async function enter(page: Page, how: 'Sign in' | 'I am new here'): Promise<void> {
  await page.getByLabel('E-mail address').fill(ada.email)
  await page.getByLabel('Password').fill(ada.password)
  await page.getByRole('button', { name: how }).click()
  await isLive(page)
}

const isLive = (page: Page) => page.getByText('Live at ').waitFor()
const atEntry = (page: Page) => page.getByRole('button', { name: 'Sign in' }).waitFor()
const notice = (page: Page, sentence: string) => page.getByRole('status').getByText(sentence).waitFor()
const lastLine = (page: Page) => page.getByRole('listitem').last()
const answerTo = (message: string) => `You said “${message}”, and I heard every word of it.`
/** Where everybody sees it: what is read out is not meant. */
const inTalk = (page: Page, text: string) => page.getByRole('list').getByText(text)
const field = (page: Page) => page.getByLabel('Your message')

async function send(page: Page, message: string): Promise<void> {
  await field(page).fill(message)
  await page.getByRole('button', { name: 'Send' }).click()
}

/** What went to an origin, preflights aside. */
function watchCalls(page: Page, origin: string): readonly Request[] {
  const calls: Request[] = []
  page.on('request', request => {
    if (new URL(request.url()).origin === origin) calls.push(request)
  })
  return calls
}

const count = (calls: readonly Request[], path: string) =>
  calls.filter(call => new URL(call.url()).pathname === path).length

/** Chromium itself notes every refusal in the console: these were to be. */
const unexpected = (complaints: readonly string[], ...noted: readonly string[]): readonly string[] =>
  complaints.filter(text => !noted.some(each => text.includes(each)))

// [which keys, Rusk's options, the chat's settings]
const keys: readonly [string, Options, Environment][] = [
  ['the key set', {}, {}],
  ['the shared key', { jwt: { key } }, { JWT_SECRET_KEY: key }],
]

for (const [which, options, env] of keys) {
  test(`by ${which} whoever has signed in chats: answers stream in, and no script finds a token in the page's stores`, async t => {
    const places = await servePage(t, options, env)
    const { page, complaints, strangers } = await openPage(await openChromium(t))
    const calls = watchCalls(page, places.chat)
    await page.goto(places.page)
    await enter(page, 'I am new here')
    await send(page, 'twice baked')
    await lastLine(page).filter({ hasText: 'You said' }).waitFor()
    assert.notEqual(
      await lastLine(page).innerText(),
      `Chat: ${answerTo('twice baked')}`,
      'words are shown as they come',
    )
    await inTalk(page, answerTo('twice baked')).waitFor()
    await page.reload()
    await inTalk(page, answerTo('twice baked')).waitFor()
    assert.deepEqual(
      await page.getByRole('listitem').allInnerTexts(),
      ['You: twice baked', `Chat: ${answerTo('twice baked')}`],
      'and who said what',
    )
    await page.getByRole('button', { name: 'Forget everything' }).click()
    await lastLine(page).waitFor({ state: 'detached' })
    for (const call of calls) {
      const { authorization = '' } = await call.allHeaders()
      assert.match(authorization, /^Bearer [\w-]+\.[\w-]+\.[\w-]+$/, call.url())
    }
    assert.deepEqual(await readStores(page), { local: [], session: [], cookies: [] })
    assert.deepEqual(unexpected(complaints(), 'status of 401'), [])
    assert.deepEqual(strangers(...Object.values(places)), [])
  })
}

test('who has signed in may write at once', async t => {
  const places = await servePage(t)
  const { page } = await openPage(await openChromium(t))
  await page.goto(places.page)
  for (const how of ['I am new here', 'Sign in'] as const) {
    await enter(page, how)
    await page.keyboard.type('hello')
    assert.equal(await field(page).inputValue(), 'hello')
    await page.getByRole('button', { name: 'Sign out' }).click()
    await atEntry(page)
    assert.equal(await field(page).inputValue(), '', 'what was not sent is not for the next')
  }
})

test('an answer is read out once, when all of it has come', async t => {
  const places = await servePage(t)
  const { page } = await openPage(await openChromium(t))
  await page.goto(places.page)
  await enter(page, 'I am new here')
  await page.evaluate(`
    read = []
    for (const place of document.querySelectorAll('[aria-live], [role=status], [role=log], [role=alert]'))
      new MutationObserver(() => read.push(place.textContent))
        .observe(place, { childList: true, characterData: true, subtree: true })`)
  await send(page, 'hello')
  await inTalk(page, answerTo('hello')).waitFor()
  await page.waitForFunction('read.length > 0')
  assert.deepEqual(await page.evaluate('read'), [`Chat: ${answerTo('hello')}`])
})

test('a tab that is looked at again shows what was said in another, and breaks nothing off', async t => {
  const places = await servePage(t)
  const { page } = await openPage(await openChromium(t))
  await page.goto(places.page)
  await enter(page, 'I am new here')
  const other = await page.context().newPage()
  await other.goto(places.page)
  await isLive(other)
  // Playwright has every page believe that it is the one looked at.
  for (const tab of [page, other]) {
    const session = await page.context().newCDPSession(tab)
    await session.send('Emulation.setFocusEmulationEnabled', { enabled: false })
  }
  await other.bringToFront()
  await send(other, 'elsewhere')
  await inTalk(other, answerTo('elsewhere')).waitFor()
  assert.equal(await page.getByRole('listitem').count(), 0)
  await page.bringToFront()
  await inTalk(page, answerTo('elsewhere')).waitFor()

  // In the middle of an answer.
  await send(page, 'here')
  await inTalk(page, 'You said “here”').waitFor()
  await page.evaluate(`
    taken = undefined
    const coming = document.querySelector('#talk').lastElementChild
    new MutationObserver(() => { if (!coming.isConnected) taken ??= coming.textContent })
      .observe(document.querySelector('#talk'), { childList: true })`)
  await send(other, 'there')
  await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
  await inTalk(page, answerTo('there')).waitFor()
  assert.equal(await page.evaluate('taken'), `Chat: ${answerTo('here')}`, 'drawn anew when it was whole')
  const lines = await page.getByRole('listitem').allInnerTexts()
  assert.deepEqual(
    lines.filter(line => line.startsWith('You: ')),
    ['You: elsewhere', 'You: here', 'You: there'],
  )
})

test('an answer that is whole holds no connection: the seventh message is answered like the first', async t => {
  const places = await servePage(t)
  const { page } = await openPage(await openChromium(t))
  await page.goto(places.page)
  await enter(page, 'I am new here')
  for (const message of ['1', '2', '3', '4', '5', '6', '7']) {
    await send(page, message)
    await inTalk(page, answerTo(message)).waitFor()
  }
})

test('a stream outlives the access token it began with: renewals do not break it', async t => {
  const places = await servePage(t, { session: { access: '2s' } })
  const { page, complaints } = await openPage(await openChromium(t))
  await page.goto(places.page)
  await enter(page, 'I am new here')
  const [toRusk, toChat] = [watchCalls(page, places.rusk), watchCalls(page, places.chat)]
  const opened = Date.now()
  for (const message of ['one', 'two', 'three']) {
    await page.waitForTimeout(2200)
    await send(page, message)
    await inTalk(page, answerTo(message)).waitFor()
  }
  assert.ok(count(toRusk, '/auth/refresh') >= 3, 'renewed each time')
  assert.equal(count(toChat, '/chat/live'), 0, 'the stream has not been opened again')
  const before = await page.locator('#live').innerText()
  await page.getByText(before).waitFor({ state: 'detached' })
  await isLive(page)
  assert.ok(Date.now() - opened > 6000)
  assert.deepEqual(unexpected(complaints(), 'status of 401'), [])
})

test('sign-out in another tab ends the stream within five seconds, and both tabs show it', async t => {
  const places = await servePage(t)
  const { page, complaints } = await openPage(await openChromium(t))
  await page.goto(places.page)
  await enter(page, 'I am new here')
  const other = await page.context().newPage()
  const calls = watchCalls(other, places.chat)
  await other.goto(places.page)
  await isLive(other)
  const { authorization = '' } = (await calls.at(-1)?.allHeaders()) ?? {}
  // The page hangs up by itself as soon as the other tab tells it; who has copied the token does not.
  const thief = await readStream(`${places.chat}/chat/live`, { headers: { authorization } })
  await until('a sign of life', () => thief.events.length > 0)

  const since = performance.now()
  await page.getByRole('button', { name: 'Sign out' }).click()
  await until('the end', () => thief.events.at(-1)?.startsWith('end: ') === true, bound)
  t.diagnostic(`the stream ended ${Math.round(performance.now() - since)} ms after the click`)
  await thief.over
  for (const tab of [page, other]) {
    await atEntry(tab)
    await notice(tab, 'You are signed out.')
  }
  const { status } = await fetch(`${places.chat}/chat/history`, { headers: { authorization } })
  assert.equal(status, 401)
  assert.deepEqual(unexpected(complaints(), 'status of 401'), [])
})

test('a session that ends where no tab can tell of it ends the page’s stream, and the page says so', async t => {
  const places = await servePage(t)
  const { page, complaints } = await openPage(await openChromium(t))
  await page.goto(places.page)
  await enter(page, 'I am new here')
  await send(page, 'before')
  await inTalk(page, answerTo('before')).waitFor()
  const jar = await page.context().cookies(places.rusk)
  const cookies = new Map(jar.map(({ name, value }) => [name, value]))
  const { status } = await post(`${places.rusk}/auth/sign-out`, { cookies, headers: { origin: places.page } })
  assert.equal(status, 204, cookieHeader(cookies))
  const since = performance.now()
  await page.getByRole('status').getByText('Your session has ended.').waitFor({ timeout: bound })
  t.diagnostic(`the page said so ${Math.round(performance.now() - since)} ms after the answer to sign-out`)
  await atEntry(page)
  assert.equal(await inTalk(page, 'before').count(), 0)
  await enter(page, 'Sign in')
  await inTalk(page, answerTo('before')).waitFor()
  assert.deepEqual(unexpected(complaints(), 'status of 401'), [])
})

test('a page from an origin that the chat does not list gets nothing out of it, also with a good token', async t => {
  const places = await servePage(t)
  const stranger = await openPlace(t)
  const { url: rusk } = await runRusk(t, { origins: [stranger.url] })
  const chat = await runChat(t, { RUSK_URL: rusk, ALLOWED_ORIGINS: places.page })
  stranger.put((await openPages({ rusk, chat })).fetch)
  const { page, complaints } = await openPage(await openChromium(t))
  await page.goto(stranger.url)
  await page.getByLabel('E-mail address').fill(ada.email)
  await page.getByLabel('Password').fill(ada.password)
  await page.getByRole('button', { name: 'I am new here' }).click()
  await notice(page, 'The chat cannot be reached. It goes on by itself.')
  await send(page, 'hello')
  await lastLine(page).waitFor({ state: 'detached' })
  assert.ok(complaints().some(text => text.includes('blocked by CORS policy')))
})

test('a service that the page does not list is not even asked', async t => {
  const places = await servePage(t)
  const elsewhere = await openPlace(t)
  let asked = 0
  elsewhere.put(() => {
    asked++
    return new Response('', { headers: { 'access-control-allow-origin': places.page } })
  })
  const { page } = await openPage(await openChromium(t))
  await page.goto(places.page)
  const call = (url: string) =>
    page.evaluate(
      url =>
        fetch(url).then(
          ({ status }) => status,
          () => 'refused',
        ),
      url,
    )
  assert.equal(await call(`${elsewhere.url}/chat/history`), 'refused')
  assert.equal(asked, 0)
  assert.equal(await call(`${places.chat}/chat/history`), 401)
})

test('while Rusk is gone the page says so in a sentence; when it is back all goes on without a reload', async t => {
  const place = await openPlace(t)
  const cwd = await mkdtemp(join(tmpdir(), 'rusk-chat-'))
  t.after(() => rm(cwd, { recursive: true }))
  const env = { HOST: 'localhost', ALLOWED_ORIGINS: place.url, RUSK_SERVICE_KEYS: serviceKey }
  const first = await serve({ args: [], cwd, env })
  t.after(() => first.end('SIGKILL'))
  const { port } = new URL(first.url)
  const rusk = `http://localhost:${port}`
  const chat = await runChat(t, { RUSK_URL: rusk, ALLOWED_ORIGINS: place.url })
  place.put((await openPages({ rusk, chat })).fetch)
  const { page, complaints } = await openPage(await openChromium(t))
  await page.goto(place.url)
  await enter(page, 'I am new here')
  await send(page, 'before')
  await inTalk(page, answerTo('before')).waitFor()
  const answered: number[] = []
  page.on('response', answer => {
    if (answer.url() === `${chat}/chat/history` && answer.request().method() === 'GET')
      answered.push(answer.status())
  })

  await first.end('SIGKILL')
  await notice(page, 'Who you are cannot be told just now. It goes on by itself.')
  assert.equal(answered.at(-1), 503)
  assert.equal(await page.getByText('Live at ').count(), 0)
  await send(page, 'lost')
  await inTalk(page, 'lost').waitFor({ state: 'detached' })
  assert.equal(await field(page).inputValue(), 'lost', 'what was not heard need not be written again')
  assert.ok(await page.getByText(ada.email).isVisible(), 'nobody is signed out by it')

  const again = await serve({ args: ['--port', port], cwd, env })
  t.after(() => again.end('SIGTERM'))
  await isLive(page)
  assert.equal(await page.getByRole('status').innerText(), '')
  await page.getByRole('button', { name: 'Send' }).click()
  await inTalk(page, answerTo('lost')).waitFor()
  assert.equal(await field(page).inputValue(), '')
  assert.ok(await inTalk(page, answerTo('before')).isVisible())
  assert.deepEqual(unexpected(complaints(), 'status of 401', 'status of 503', 'ERR_CONNECTION_REFUSED'), [])
})

for (const colorScheme of ['light', 'dark'] as const) {
  test(`nobody is kept out at 320 pixels in ${colorScheme}`, async t => {
    const places = await servePage(t)
    const viewport = { width: 320, height: 800 }
    const { page } = await openPage(await openChromium(t), { colorScheme, viewport })
    await page.goto(places.page)
    await atEntry(page)
    assert.deepEqual(await findBarriers(page), [], 'the form')
    await enter(page, 'I am new here')
    await send(page, `hello ${'w'.repeat(60)}`)
    await inTalk(page, answerTo(`hello ${'w'.repeat(60)}`)).waitFor()
    assert.deepEqual(await findBarriers(page), [], 'the chat')
    const lines: number = await page.locator('#live').evaluate(live => live.getClientRects().length)
    assert.equal(lines, 1, 'the time stands in one line')
    const marks: string = await page.evaluate(
      "getComputedStyle(document.querySelector('#talk li')).listStyleType",
    )
    assert.equal(marks, '""', 'no numbers')
  })
}
