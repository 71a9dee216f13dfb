// The playground, Swagger UI and ReDoc in a real browser: every dialect can be walked by its buttons and by the keyboard,
// everybody can read it, and nothing is asked of another host.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { type TestContext, test } from 'node:test'
import type { Page } from 'playwright-core'
import type { OperationName } from '../../src/core/input.ts'
import { type DialectName, dialects } from '../../src/dialects/index.ts'
import { rusk } from '../../src/index.ts'
import { openChromium, openPage } from './chromium.ts'

async function serve(t: TestContext, dialect: readonly DialectName[]): Promise<string> {
  const auth = await rusk({ dialect: [...dialect], database: 'sqlite::memory:', port: 0 })
  t.after(auth.close)
  const { url } = await auth.listen()
  return url
}

const formOf = (page: Page, does: OperationName) => page.locator(`form[data-does="${does}"]`).first()

/** Presses the button of the first route that does this; the status that the page then shows. */
async function press(page: Page, does: OperationName): Promise<number> {
  const form = formOf(page, does)
  const outcome = form.locator('.outcome')
  await outcome.evaluate(node => {
    node.textContent = ''
  })
  await form.getByRole('button').click()
  await outcome.filter({ hasText: /^\d{3}/ }).waitFor()
  return Number.parseInt(await outcome.innerText(), 10)
}

const statesOf = (page: Page): Promise<Record<string, string>> =>
  page
    .locator('[data-cookie]')
    .evaluateAll(items =>
      Object.fromEntries(
        items.map(item => [item.getAttribute('data-cookie'), item.getAttribute('data-state') ?? '']),
      ),
    )

const names = Object.keys(dialects) as DialectName[]

for (const name of names) {
  test(`${name}: sign up, sign in, me, refresh and sign out by the page's buttons`, async t => {
    const url = await serve(t, [name])
    const { page, complaints, strangers } = await openPage(await openChromium(t))
    await page.goto(`${url}/`)
    const { cookies, routes } = dialects[name]
    const has = (does: OperationName) => Object.values(routes).some(route => route.does === does)
    const status = (does: OperationName) => Object.values(routes).find(route => route.does === does)?.status

    assert.equal(await press(page, 'whoAmI'), 401)
    assert.match(await formOf(page, 'whoAmI').innerText(), /Came back\s+401/)
    const steps: OperationName[] = ['csrf', 'register', 'signUp', 'signIn', 'whoAmI', 'refresh', 'whoAmI']
    for (const does of steps.filter(has)) assert.equal(await press(page, does), status(does), does)

    const tokens = [cookies.access?.name, cookies.refresh.name].filter(cookie => cookie !== undefined)
    const held = await statesOf(page)
    for (const cookie of tokens) assert.equal(held[cookie], 'set', cookie)
    assert.match(
      await formOf(page, 'signIn').innerText(),
      new RegExp(`${cookies.refresh.name}=…; Max-Age=\\d+; Path=\\S+; HttpOnly; SameSite=`),
    )
    const seen = await page.evaluate<string>('document.cookie')
    assert.equal(await page.locator('.readable').innerText(), seen === '' ? 'nothing' : seen)
    const readable = seen.split('; ').map(pair => pair.split('=')[0])
    for (const cookie of [...tokens, cookies.signIn]) assert.ok(!readable.includes(cookie), cookie)

    assert.equal(await press(page, 'signOut'), status('signOut'))
    const left = await statesOf(page)
    for (const cookie of tokens) assert.equal(left[cookie], 'cleared', cookie)
    assert.equal(left[cookies.signIn], 'set', 'the sign-in cookie stays')
    assert.equal(await press(page, 'whoAmI'), 401)

    assert.deepEqual(
      complaints().filter(text => !text.includes('401')),
      [],
    )
    assert.deepEqual(strangers(url), [])
  })
}

test('an access token is kept in memory, sent as Bearer, and gone after sign-out', async t => {
  const url = await serve(t, ['native'])
  const { page } = await openPage(await openChromium(t))
  await page.goto(`${url}/`)
  await formOf(page, 'signUp').getByLabel('delivery').selectOption('memory')
  assert.equal(await press(page, 'signUp'), 201)
  assert.equal(await press(page, 'whoAmI'), 200)
  assert.match(await formOf(page, 'whoAmI').innerText(), /authorization: Bearer \S{12}…/)
  assert.match(await page.locator('.token').innerText(), /…/)
  await formOf(page, 'changePassword').getByLabel('new').fill('Thrice-baked-2027')
  assert.equal(await press(page, 'changePassword'), 200)
  assert.equal(await press(page, 'whoAmI'), 200)
  assert.equal(await press(page, 'signOut'), 204)
  assert.equal(await page.locator('.token').innerText(), 'none')
})

test('the keyboard alone signs up and asks who one is', async t => {
  const url = await serve(t, ['fastapi'])
  const { page } = await openPage(await openChromium(t))
  await page.goto(`${url}/`)
  /** Tab until the focus is on the button of this form. */
  const tabTo = async (does: OperationName) => {
    const button = formOf(page, does).getByRole('button')
    for (let tabs = 0; tabs < 60; tabs++) {
      await page.keyboard.press('Tab')
      if (await button.evaluate(node => node.matches(':focus'))) return
    }
    assert.fail(`the button of ${does} cannot be reached by Tab`)
  }
  for (const does of ['register', 'signIn', 'whoAmI'] as const) {
    await tabTo(does)
    await page.keyboard.press('Enter')
    const outcome = formOf(page, does).locator('.outcome', { hasText: /^20[01]/ })
    await outcome.waitFor()
    assert.equal(await outcome.getAttribute('role'), 'status')
    const focused = await formOf(page, does)
      .getByRole('button')
      .evaluate(node => node.matches(':focus'))
    assert.ok(focused, 'the focus stays on the button that was pressed')
  }
})

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

type Violation = { readonly id: string; readonly nodes: readonly { readonly html: string }[] }

/** What axe finds wrong, as `rule: element`. Run beside the page's CSP, not through it. */
async function findBarriers(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe)
  const violations: readonly Violation[] = await page.evaluate('axe.run().then(found => found.violations)')
  return violations.flatMap(({ id, nodes }) => nodes.map(node => `${id}: ${node.html}`))
}

for (const colorScheme of ['light', 'dark'] as const) {
  for (const width of [360, 1280]) {
    test(`nobody is kept out at ${width} pixels in ${colorScheme}`, async t => {
      const url = await serve(t, ['native', 'flask'])
      const browser = await openChromium(t)
      const { page, complaints } = await openPage(browser, { colorScheme, viewport: { width, height: 800 } })
      await page.goto(`${url}/`)
      assert.deepEqual(await findBarriers(page), [])
      assert.equal(await press(page, 'signUp'), 201)
      assert.equal(await press(page, 'signOut'), 204)
      assert.equal(await press(page, 'whoAmI'), 401)
      assert.deepEqual(await findBarriers(page), [])
      const overflow = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth')
      assert.ok(overflow <= 0, `the page is ${overflow} pixels too wide`)
      assert.deepEqual(
        complaints().filter(text => !text.includes('401')),
        [],
      )
    })
  }
}

const readers = [
  ['/docs', 'Swagger UI', '.opblock-summary-path'],
  ['/redoc', 'ReDoc', 'h2'],
] as const

for (const [path, reader, mark] of readers) {
  test(`${reader} shows every dialect without a complaint and asks no other host`, async t => {
    const url = await serve(t, ['native', 'flask'])
    const { page, complaints, strangers } = await openPage(await openChromium(t))
    await page.goto(`${url}${path}`)
    await page.locator(mark).first().waitFor()
    const text = await page.locator('body').innerText()
    for (const name of ['native', 'flask']) assert.ok(text.includes(name), name)
    assert.deepEqual(complaints(), [])
    assert.deepEqual(strangers(url), [])
  })
}

test('a call can be tried in Swagger UI', async t => {
  const url = await serve(t, ['fastapi'])
  const { page, complaints } = await openPage(await openChromium(t))
  await page.goto(`${url}/docs`)
  const register = page.locator('.opblock', { hasText: '/auth/register' })
  await register.locator('.opblock-summary-control').click()
  await register.getByRole('button', { name: 'Try it out' }).click()
  await register.getByRole('button', { name: 'Execute' }).click()
  const answer = register.locator('.live-responses-table .response-col_status', { hasText: '201' })
  await answer.waitFor({ timeout: 5000 })
  assert.deepEqual(complaints(), [])
})
