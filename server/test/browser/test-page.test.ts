// The test page as people use it: a static server on the origin that fastapi-minimal lists, the API on another port, four
// buttons in a real browser.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { type TestContext, test } from 'node:test'
import { rusk } from '../../src/index.ts'
import { openChromium, openPage } from './chromium.ts'

/** Any static server would do; the port is the contract's. */
async function servePage(t: TestContext): Promise<string> {
  const html = await readFile(new URL('../../../examples/test-page/test.html', import.meta.url))
  const server = createServer((_call, answer) => {
    answer.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(html)
  })
  server.listen(5500, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  t.after(() => server.closeAllConnections())
  return 'http://127.0.0.1:5500/test.html'
}

test('four buttons from another origin: signed up, in, seen, out, and no script ever saw a token', async t => {
  const auth = await rusk({ dialect: ['fastapi-minimal'], database: 'sqlite::memory:', port: 0 })
  t.after(auth.close)
  const { url } = await auth.listen()
  const place = await servePage(t)
  const { page, complaints, strangers } = await openPage(await openChromium(t))
  await page.goto(`${place}?api=${encodeURIComponent(url)}`)

  const press = async (button: string): Promise<{ head: string; body: unknown }> => {
    await page.getByRole('button', { name: button, exact: true }).click()
    const answer = page.locator('#answer', { hasText: /: (\d{3}|no answer)/ })
    const [head = '', ...body] = (await answer.innerText()).split('\n')
    assert.equal(await page.evaluate<string>('document.cookie'), '')
    return { head, body: JSON.parse(body.join('\n')) }
  }

  const jack = { email: 'jack@example.com', username: 'jack' }
  const noOne = { head: 'GET /auth/me: 401', body: { detail: 'Not authenticated' } }
  assert.deepEqual(await press('Get Me'), noOne)
  const signUp = await press('Sign Up')
  assert.equal(signUp.head, 'POST /auth/signup: 200')
  const { uid } = (signUp.body as { user: { uid: string } }).user
  assert.deepEqual(signUp.body, { status: 'ok', user: { uid, ...jack } })
  assert.deepEqual(await press('Sign In'), { head: 'POST /auth/signin: 200', body: { status: 'ok' } })
  assert.deepEqual(await press('Get Me'), {
    head: 'GET /auth/me: 200',
    body: { uid, ...jack, is_active: true },
  })
  // The browser has the tokens, although no script has.
  const jar = await page.context().cookies(url)
  assert.deepEqual(
    jar.map(({ name, httpOnly, sameSite, path }) => ({ name, httpOnly, sameSite, path })),
    ['access_token', 'refresh_token', 'rusk_signin'].map(name => ({
      name,
      httpOnly: true,
      sameSite: 'Lax',
      path: '/',
    })),
  )
  assert.deepEqual(await press('Sign Out'), { head: 'POST /auth/signout: 200', body: { status: 'ok' } })
  assert.deepEqual(await press('Get Me'), noOne)
  const left = await page.context().cookies(url)
  assert.deepEqual(
    left.map(({ name }) => name),
    ['rusk_signin'],
  )

  // Chromium itself notes every 401 in the console.
  assert.deepEqual(
    complaints().filter(text => !text.includes('401')),
    [],
  )
  assert.deepEqual(strangers(new URL(place).origin, url), [])
})
