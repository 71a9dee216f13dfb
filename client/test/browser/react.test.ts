// The app in React in a real browser: what people see when they sign in and out, here and in other tabs, and come back to a
// page; and what React itself complains about, which is nothing.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { BrowserContext, Page } from 'playwright-core'
import { createElement as h } from 'react'
import { renderToString } from 'react-dom/server'
import { openChromium, openPage, type Watched } from '../../../server/test/browser/chromium.ts'
import { createClient } from '../../src/client.ts'
import type { Client } from '../../src/contract.ts'
import { type App, ada, bob, openApp } from '../app.ts'
import { bundle, pageWith } from './bundle.ts'
import { App as ReactApp } from './react-app.ts'

declare const client: Client

type Room = {
  readonly app: App
  readonly page: Page
  readonly context: BrowserContext
  readonly watched: Watched
}

const script = await bundle(new URL('./react-page.ts', import.meta.url))

/** Ada and Bob have accounts; nobody is signed in, and no page is open yet. */
async function open(t: TestContext, body = ''): Promise<Room> {
  const app = await openApp(t, { '/': pageWith(body), '/page.js': script, '/else': pageWith('') })
  for (const person of [ada, bob]) {
    const made = await app.rusk.fetch(
      new Request(`${app.url}/auth/sign-up`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', origin: app.url },
        body: JSON.stringify(person),
      }),
    )
    assert.equal(made.status, 201)
  }
  const watched = await openPage(await openChromium(t, ['--disable-back-forward-cache']))
  return { app, watched, page: watched.page, context: watched.page.context() }
}

const statusOf = (page: Page) => page.locator('#status')

async function shows(page: Page, line: string): Promise<void> {
  await statusOf(page).filter({ hasText: line }).waitFor({ timeout: 10_000 })
}

async function signIn(
  page: Page,
  person: { readonly email: string; readonly password: string },
): Promise<void> {
  await page.getByLabel('Login').fill(person.email)
  await page.getByLabel('Password').fill(person.password)
  await page.getByRole('button', { name: 'Sign in' }).click()
}

async function comeIn({ app, page }: Room): Promise<void> {
  await page.goto(app.url)
  await signIn(page, ada)
  await shows(page, `signed-in ${ada.email} settled fine`)
}

/** Chromium itself notes every answer that is no 2xx. */
const uncalledFor = ({ watched }: Room): readonly string[] =>
  watched.complaints().filter(text => !text.includes('Failed to load resource'))

const note = (page: Page) => page.getByLabel('Note')

test('in Strict Mode a page asks once who is signed in, and a form signs in once', async t => {
  const room = await open(t)
  const { app, page } = room
  await page.goto(app.url)
  await shows(page, 'signed-out nobody settled fine')
  assert.equal(await page.locator('#entry').getAttribute('data-reason'), 'nobody')
  assert.deepEqual(app.asked, ['GET /auth/session 401', 'POST /auth/refresh 401'])
  app.asked.length = 0
  await signIn(page, ada)
  await shows(page, `signed-in ${ada.email} settled fine`)
  assert.ok(await page.locator('#notes').getByText(ada.email).isVisible())
  assert.deepEqual(app.asked, ['POST /auth/sign-in 200'])
  app.asked.length = 0
  await page.reload()
  await shows(page, `signed-in ${ada.email} settled fine`)
  assert.deepEqual(app.asked, ['GET /auth/session 200'])
  assert.deepEqual(uncalledFor(room), [])
})

test('a refusal is shown beside the form, which keeps what was typed; nothing is thrown', async t => {
  const room = await open(t)
  const { app, page } = room
  await page.goto(app.url)
  await signIn(page, { ...ada, password: 'not the right one' })
  const alert = page.getByRole('alert')
  assert.match(await alert.innerText(), /^credentials_wrong: The login or the password is wrong/)
  const form = page.locator('#entry')
  await page.locator('#entry[data-outcome=nobody]').waitFor()
  assert.equal(await form.getAttribute('data-steady'), 'true')
  assert.equal(await page.getByLabel('Login').inputValue(), ada.email)
  // An error of this hook's action is nobody else's.
  await shows(page, 'signed-out nobody settled fine')

  app.answer('POST /auth/sign-in', 'hangs')
  const button = page.getByRole('button', { name: 'Sign in' })
  await button.click()
  await alert.waitFor({ state: 'detached' })
  assert.ok(await button.isDisabled())
  assert.deepEqual(uncalledFor(room), [])
})

test('a sign-out that the server has not made is none', async t => {
  const room = await open(t)
  const { app, page } = room
  await comeIn(room)
  app.answer('POST /auth/sign-out', 503)
  await page.getByRole('button', { name: 'Sign out' }).click()
  assert.equal(await page.getByRole('alert').innerText(), 'unavailable')
  assert.equal(await page.locator('#notes').getAttribute('data-outcome'), 'false')
  await shows(page, `signed-in ${ada.email}`)
  app.answer('POST /auth/sign-out', undefined)
  await page.getByRole('button', { name: 'Sign out' }).click()
  await shows(page, 'signed-out nobody settled fine')
  assert.equal(await page.locator('#entry').getAttribute('data-reason'), 'signed-out')
  assert.equal(await note(page).count(), 0)
  assert.deepEqual(uncalledFor(room), [])
})

test('while nobody can say who is signed in, that is said, and it is found out later', async t => {
  const room = await open(t)
  const { app, page } = room
  app.answer('GET /auth/session', 503)
  await page.goto(app.url)
  await shows(page, 'unknown nobody loading unavailable')
  assert.ok(await page.locator('#loading').isVisible())
  app.answer('GET /auth/session', undefined)
  await shows(page, 'signed-out nobody settled fine')
})

test('sign-out in one tab shows in the other', async t => {
  const room = await open(t)
  const { app, page, context } = room
  await comeIn(room)
  const second = await context.newPage()
  await second.goto(app.url)
  await shows(second, `signed-in ${ada.email}`)
  await second.getByRole('button', { name: 'Sign out' }).click()
  await shows(page, 'signed-out nobody')
  assert.equal(await page.locator('#entry').getAttribute('data-reason'), 'signed-out')
  await signIn(second, bob)
  await shows(page, `signed-in ${bob.email}`)
  assert.deepEqual(uncalledFor(room), [])
})

test('what is half written stays for the same person, and is gone for another', async t => {
  const room = await open(t)
  const { app, page, context } = room
  await comeIn(room)
  await note(page).fill('half a thought')
  const birth = await page.locator('#notes').getAttribute('data-birth')
  const second = await context.newPage()
  await second.goto(app.url)
  const signInAs = (fields: { readonly login: string; readonly password: string }) =>
    second.evaluate(each => client.signIn(each), fields)
  app.asked.length = 0

  await signInAs({ login: ada.email, password: ada.password })
  // The first tab was told, and has asked.
  await page.waitForFunction(() => client.state.status === 'signed-in')
  await assertSoon(() => app.asked.includes('GET /auth/session 200'))
  await shows(page, `signed-in ${ada.email}`)
  assert.equal(await note(page).inputValue(), 'half a thought')
  assert.equal(await page.locator('#notes').getAttribute('data-birth'), birth)

  await signInAs({ login: bob.email, password: bob.password })
  await shows(page, `signed-in ${bob.email}`)
  assert.equal(await note(page).inputValue(), '')
  assert.notEqual(await page.locator('#notes').getAttribute('data-birth'), birth)
  assert.deepEqual(uncalledFor(room), [])
})

async function assertSoon(holds: () => boolean): Promise<void> {
  for (let n = 0; n < 200 && !holds(); n++) await new Promise(resolve => setTimeout(resolve, 25))
  assert.ok(holds())
}

/** To another page and back: the very page that was left. */
async function goAndComeBack({ app, page }: Room, meanwhile: () => Promise<void> | void): Promise<void> {
  await page.evaluate(() => {
    addEventListener('pageshow', ({ persisted }) => Object.assign(globalThis, { persisted }))
    // What was on the screen at the moment it came back, before anybody could have been asked.
    addEventListener('pageshow', () => Object.assign(globalThis, { shown: document.body.innerText }))
  })
  await page.goto(`${app.url}/else`)
  await meanwhile()
  await page.goBack({ waitUntil: 'commit' })
  assert.ok(await page.evaluate(() => Reflect.get(globalThis, 'persisted')))
}

const shownFirst = (page: Page) => page.evaluate(() => String(Reflect.get(globalThis, 'shown')))

test('a page that comes back from the cache shows nothing until it knows, and has lost nothing', async t => {
  const room = await open(t)
  const { app, page } = room
  await comeIn(room)
  await note(page).fill('half a thought')
  const notes = page.locator('#notes')
  const birth = await notes.getAttribute('data-birth')
  await goAndComeBack(room, () => app.answer('GET /auth/session', 503))
  assert.match(await shownFirst(page), /^unknown nobody loading .*One moment$/s)
  await shows(page, 'unknown nobody loading unavailable')
  assert.ok(await notes.isHidden())
  assert.ok(await page.locator('#loading').isVisible())
  app.answer('GET /auth/session', undefined)
  await shows(page, `signed-in ${ada.email} settled fine`)
  assert.ok(await notes.isVisible())
  assert.equal(await note(page).inputValue(), 'half a thought')
  assert.equal(await notes.getAttribute('data-birth'), birth)
  assert.deepEqual(uncalledFor(room), [])
})

test('after a sign-out that nobody told of the way back leads to the form, and shows nothing on the way', async t => {
  const room = await open(t)
  const { app, page, context } = room
  await comeIn(room)
  // A tab that were told would throw the page away instead: nobody is told.
  await goAndComeBack(room, async () => {
    await context.request.post(`${app.url}/auth/sign-out`, { headers: { origin: app.url } })
  })
  assert.doesNotMatch(await shownFirst(page), /ada/)
  await shows(page, 'signed-out nobody settled fine')
  assert.equal(await page.locator('#notes').count(), 0)
})

test('a sign-in form that was half filled is so afterwards', async t => {
  const room = await open(t)
  const { app, page } = room
  await page.goto(app.url)
  await page.getByLabel('Login').fill('ada@')
  await goAndComeBack(room, () => {})
  await shows(page, 'signed-out nobody settled fine')
  assert.equal(await page.getByLabel('Login').inputValue(), 'ada@')
})

test('a page that a server has rendered is taken over without a complaint', async t => {
  const body = renderToString(h(ReactApp, { client: createClient({ baseUrl: 'http://localhost:1' }) }))
  const room = await open(t, body)
  const { app, page } = room
  app.answer('GET /auth/session', 'hangs')
  await page.goto(app.url)
  assert.ok(await page.locator('#loading').isVisible())
  app.answer('GET /auth/session', undefined)
  await page.reload()
  await shows(page, 'signed-out nobody settled fine')
  assert.deepEqual(uncalledFor(room), [])
})
