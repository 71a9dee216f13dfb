// The hosted pages in a real browser: with scripts and without, by keyboard alone, from other sites, forwards and back;
// everybody can read and use them, on any screen, and the browser has nothing to complain of.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import type { BrowserContextOptions, Page } from 'playwright-core'
import { type Options, rusk } from '../../src/index.ts'
import { openChromium, openPage, type Watched } from './chromium.ts'

const password = 'twelve blue herons'
const ada = { name: 'Ada Lovelace', email: 'ada@example.com', username: 'ada', password }

async function serve(t: TestContext, options: Options = {}): Promise<string> {
  const auth = await rusk({ database: 'sqlite::memory:', port: 0, log: { level: 'error' }, ...options })
  t.after(auth.close)
  const { url } = await auth.listen()
  return url
}

/** Another program on another port, whose every page holds this. Reached as localhost, it is another site than 127.0.0.1. */
async function serveElsewhere(t: TestContext, html: string): Promise<number> {
  const server = createServer((_, response) => {
    response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' })
    response.end(`<!doctype html><title>Elsewhere</title><link rel="icon" href="data:,">${html}`)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  return (server.address() as AddressInfo).port
}

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true })

async function signUp(page: Page, url: string): Promise<void> {
  await page.goto(`${url}/sign-up`)
  await page.getByLabel('Full name').fill(ada.name)
  await page.getByLabel('E-mail address').fill(ada.email)
  await page.getByLabel('Username').fill(ada.username)
  await page.getByLabel('Password', { exact: true }).fill(ada.password)
  await button(page, 'Make my account').click()
  await page.getByRole('heading', { name: 'Your account' }).waitFor()
}

async function signIn(page: Page, word = password): Promise<void> {
  await page.getByLabel('E-mail address or username').fill(ada.username)
  await page.getByLabel('Password', { exact: true }).fill(word)
  await button(page, 'Sign in').click()
}

const heading = (page: Page): Promise<string> => page.getByRole('heading', { level: 1 }).innerText()

/** Whatever a browser says of an answer that is no 2xx is no complaint about the page. */
const real = ({ complaints }: Watched) =>
  complaints().filter(text => !/the server responded with a status of (4|5)\d\d/.test(text))

async function open(t: TestContext, options: BrowserContextOptions = {}): Promise<Watched> {
  return openPage(await openChromium(t), options)
}

for (const javaScriptEnabled of [false, true]) {
  const how = javaScriptEnabled ? 'with scripts' : 'without scripts'

  test(`${how}: sign up, change the password, sign out and in again`, async t => {
    const url = await serve(t)
    const watched = await open(t, { javaScriptEnabled })
    const { page } = watched
    await signUp(page, url)
    assert.equal(new URL(page.url()).pathname, '/account')
    await page.getByText('This browser').waitFor()

    await page.getByRole('link', { name: 'Change password' }).click()
    const next = 'thirteen red robins'
    await page.getByLabel('Current password', { exact: true }).fill('wrong')
    await page.getByLabel('New password', { exact: true }).fill(next)
    await button(page, 'Change password').click()
    await page.getByRole('alert').getByText('Current password is wrong').waitFor()
    assert.equal(await page.getByLabel('New password', { exact: true }).inputValue(), '')
    await page.getByLabel('Current password', { exact: true }).fill(password)
    await page.getByLabel('New password', { exact: true }).fill(next)
    await button(page, 'Change password').click()
    await page.getByRole('status').getByText('Your password is changed').waitFor()

    await button(page, 'Sign out').click()
    assert.equal(await heading(page), 'You are signed out')
    await page.getByRole('link', { name: 'Sign in' }).click()
    await signIn(page)
    await page.getByRole('alert').getByText('do not belong together').waitFor()
    assert.equal(await page.getByLabel('E-mail address or username').inputValue(), 'ada')
    await signIn(page, next)
    assert.equal(await heading(page), 'Your account')
    assert.deepEqual(real(watched), [])
    assert.deepEqual(watched.strangers(url), [])
  })

  test(`${how}: an access token that has expired is renewed on the way`, async t => {
    const url = await serve(t, { session: { access: '3s' } })
    const watched = await open(t, { javaScriptEnabled })
    const { page } = watched
    await signUp(page, url)
    await page.waitForTimeout(3100)
    await page.goto(`${url}/account/password`)
    if (!javaScriptEnabled) await button(page, 'Continue').click()
    await page.getByRole('heading', { name: 'Change your password' }).waitFor()
    assert.equal(new URL(page.url()).pathname, '/account/password')
    assert.deepEqual(real(watched), [])
  })

  test(`${how}: a link on another site leads to the account, past Strict cookies`, async t => {
    const url = await serve(t)
    const port = await serveElsewhere(t, `<a href="${url}/account">My account</a>`)
    const watched = await open(t, { javaScriptEnabled })
    const { page } = watched
    await signUp(page, url)
    await page.goto(`http://localhost:${port}/`)
    const asked: string[] = []
    page.on('request', request => {
      if (request.isNavigationRequest()) asked.push(new URL(request.url()).search)
    })
    await page.getByRole('link').click()
    await page.getByRole('heading', { name: 'Your account' }).waitFor()
    assert.deepEqual(asked, ['', '?rusk_again=1'])
    assert.deepEqual(real(watched), [])
  })

  test(`${how}: after a sign-in one is back at the front end that is listed`, async t => {
    const port = await serveElsewhere(t, '<h1>Home</h1>')
    const home = `http://localhost:${port}/home?a=b`
    const url = await serve(t, { origins: [new URL(home).origin] })
    const watched = await open(t, { javaScriptEnabled })
    const { page } = watched
    await signUp(page, url)
    await button(page, 'Sign out').click()
    await page.goto(`${url}/sign-in?return_to=${encodeURIComponent(home)}`)
    await signIn(page, 'wrong')
    await page.getByRole('alert').waitFor()
    await signIn(page)
    await page.getByRole('heading', { name: 'Home' }).waitFor()
    assert.equal(page.url(), home)
    assert.deepEqual(real(watched), [])
  })

  test(`${how}: going back after a sign-out shows nothing of anybody`, async t => {
    const url = await serve(t)
    const { page } = await open(t, { javaScriptEnabled })
    await signUp(page, url)
    await page.goto(`${url}/account/password`)
    await page.goto(`${url}/account`)
    await button(page, 'Sign out').click()
    assert.equal(await heading(page), 'You are signed out')
    for (let steps = 0; steps < 2; steps++) {
      await page.goBack()
      await page.waitForLoadState()
      assert.doesNotMatch(await page.locator('body').innerText(), /ada|This browser/i)
    }
  })
}

test('after a try that failed and one that did not, the way back asks for the form, and sends nothing again', async t => {
  const url = await serve(t)
  const { page } = await open(t)
  await signUp(page, url)
  await button(page, 'Sign out').click()
  await page.goto(`${url}/sign-in`)
  await signIn(page, 'wrong')
  await page.getByRole('alert').waitFor()
  await signIn(page)
  await page.getByRole('heading', { name: 'Your account' }).waitFor()
  const posts: string[] = []
  page.on('request', request => request.method() === 'POST' && posts.push(request.url()))
  await page.goBack()
  // Who is signed in goes on from there.
  await page.getByRole('heading', { name: 'Your account' }).waitFor()
  assert.deepEqual(posts, [])
})

test('a form says where it comes from', async t => {
  const url = await serve(t)
  const { page } = await open(t)
  await page.goto(`${url}/sign-in`)
  const posted = page.waitForRequest(request => request.method() === 'POST')
  await button(page, 'Sign in').click()
  const headers = await (await posted).allHeaders()
  assert.deepEqual([headers.origin, headers['sec-fetch-site']], [url, 'same-origin'])
})

test('the keyboard goes through sign-in in its order, and to what is wrong', async t => {
  const url = await serve(t)
  const { page } = await open(t)
  await page.goto(`${url}/sign-in`)
  const focused = () =>
    page.evaluate<string>(
      "document.activeElement.getAttribute('aria-label') ?? document.activeElement.id ?? ''",
    )
  const where = async () => (await focused()) || (await page.locator(':focus').innerText())
  const order: string[] = []
  for (let tabs = 0; tabs < 5; tabs++) {
    await page.keyboard.press('Tab')
    order.push(await where())
  }
  assert.deepEqual(order, ['login', 'password', 'Show password', 'Sign in', 'Make an account'])

  await page.getByLabel('E-mail address or username').focus()
  await page.keyboard.type('ada')
  await page.keyboard.press('Enter')
  const alert = page.getByRole('alert')
  await alert.waitFor()
  assert.match(await page.title(), /^Error: Sign in/)
  assert.ok(await alert.evaluate(node => node.matches(':focus')), 'the focus begins at what is wrong')
  await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  await page.keyboard.press('Tab')
  assert.equal(await where(), 'Show password', 'the link leads to the field')
})

test('a password is shown on demand only, and never where there is no script', async t => {
  const url = await serve(t)
  const { page } = await open(t)
  await page.goto(`${url}/sign-in`)
  const input = page.getByLabel('Password', { exact: true })
  const show = button(page, 'Show password')
  const state = async () => [await input.getAttribute('type'), await show.getAttribute('aria-pressed')]
  assert.deepEqual(await state(), ['password', 'false'])
  await show.click()
  assert.deepEqual(await state(), ['text', 'true'])
  await show.click()
  assert.deepEqual(await state(), ['password', 'false'])
  const { page: plain } = await open(t, { javaScriptEnabled: false })
  await plain.goto(`${url}/sign-in`)
  assert.equal(await plain.getByRole('button').count(), 1)
})

test('times are told in the zone of the reader, and the address forgets what was done', async t => {
  const url = await serve(t)
  const { page } = await open(t, { locale: 'de-DE', timezoneId: 'Pacific/Kiritimati' })
  await signUp(page, url)
  const zone = { dateStyle: 'medium', timeZone: 'Pacific/Kiritimati' } as const
  for (const [which, style] of [
    ['time[data-day]', zone],
    ['time:not([data-day])', { ...zone, timeStyle: 'short' }],
  ] as const) {
    const time = page.locator(which).first()
    const stamp = new Date((await time.getAttribute('datetime')) ?? '')
    assert.equal(await time.innerText(), new Intl.DateTimeFormat('de-DE', style).format(stamp))
  }
  await page.evaluate("location.assign('/account?done=others-ended')")
  await page.getByRole('status').waitFor()
  assert.equal(page.url(), `${url}/account`)
})

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

type Violation = { readonly id: string; readonly nodes: readonly { readonly html: string }[] }

/** What axe finds wrong, as `rule: element`, and whether something must be scrolled sideways to be seen. */
async function findBarriers(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe)
  const violations: readonly Violation[] = await page.evaluate('axe.run().then(found => found.violations)')
  const overflow = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth')
  return [
    ...violations.flatMap(({ id, nodes }) => nodes.map(node => `${id}: ${node.html}`)),
    ...(overflow > 0 ? [`${overflow} pixels too wide`] : []),
  ]
}

for (const colorScheme of ['light', 'dark'] as const) {
  for (const width of [320, 1280]) {
    test(`nobody is kept out at ${width} pixels in ${colorScheme}`, async t => {
      const url = await serve(t)
      const browser = await openChromium(t)
      const watched = await openPage(browser, { colorScheme, viewport: { width, height: 800 } })
      const { page } = watched
      const look = async (what: string) => assert.deepEqual(await findBarriers(page), [], what)

      await page.goto(`${url}/sign-in`)
      await look('sign-in')
      await button(page, 'Sign in').click()
      await page.getByRole('alert').waitFor()
      await look('sign-in, refused')
      await page.goto(`${url}/sign-up`)
      await look('sign-up')
      await page.getByLabel('E-mail address').fill('ada')
      await button(page, 'Make my account').click()
      await page.getByRole('alert').waitFor()
      await look('sign-up, refused')
      await signUp(page, url)
      await look('account, alone')

      // Somebody else's browser, so that there is one to end.
      const other = await openPage(browser)
      await other.page.goto(`${url}/sign-in`)
      await signIn(other.page)
      await other.page.getByRole('heading', { name: 'Your account' }).waitFor()
      await page.goto(`${url}/account?done=session-ended`)
      await button(page, 'Sign out everywhere else').waitFor()
      await look('account, with another session')
      await page.goto(`${url}/account/password`)
      await look('password')
      await button(page, 'Change password').click()
      await page.getByRole('alert').waitFor()
      await look('password, refused')
      await page.goto(`${url}/continue`)
      await look('an error')
      await page.goto(`${url}/sign-in?return_to=https://evil.example/${'long'.repeat(40)}`)
      await look('an address that nobody is sent to')
      await page.goto(`${url}/account`)
      await button(page, 'Sign out').click()
      await page.getByRole('heading', { name: 'You are signed out' }).waitFor()
      await look('signed out')
      assert.deepEqual(real(watched), [])
    })
  }
}

test('the longest of names fit on the smallest of screens', async t => {
  const url = await serve(t, { brand: { name: 'W'.repeat(60) } })
  const { page } = await open(t, { viewport: { width: 320, height: 640 } })
  await page.goto(`${url}/sign-up`)
  await page.getByLabel('Full name').fill('W'.repeat(200))
  await page.getByLabel('E-mail address').fill(`${'w'.repeat(60)}@${'x'.repeat(60)}.example`)
  await page.getByLabel('Username').fill('w'.repeat(64))
  await page.getByLabel('Password', { exact: true }).fill(password)
  await button(page, 'Make my account').click()
  await page.getByRole('heading', { name: 'Your account' }).waitFor()
  assert.deepEqual(await findBarriers(page), [])
})
