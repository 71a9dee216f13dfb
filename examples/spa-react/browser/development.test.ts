// The React example in development: Vite serves the sources as they are and hands calls on to `rusk serve`. And the client
// without a framework, in the same page.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createServer } from 'vite'
import { openChromium, openPage } from '../../../server/test/browser/chromium.ts'
import { serve } from '../../../server/test/serving.ts'

/** Resolves with where Vite listens; its own configuration stands, but for ports. */
async function develop(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'rusk-development-'))
  t.after(() => rm(folder, { recursive: true }))
  const serving = await serve({ args: [], cwd: folder })
  t.after(() => serving.end('SIGTERM'))
  const root = fileURLToPath(new URL('..', import.meta.url))
  const vite = await createServer({
    root,
    logLevel: 'error',
    cacheDir: join(folder, 'vite'),
    server: { port: 0, strictPort: false, proxy: { '/auth': serving.url, '/api': serving.url }, ws: false },
  })
  t.after(() => vite.close())
  await vite.listen()
  const [url] = vite.resolvedUrls?.local ?? []
  assert.ok(url)
  return url.replace(/\/$/, '')
}

test('through Vite’s proxy people sign up, stay signed in and sign out, with cookies of the page’s own origin', async t => {
  const url = await develop(t)
  const { page, complaints, strangers } = await openPage(await openChromium(t))
  await page.goto(`${url}/notes`)
  await page.getByRole('button', { name: 'I am new here' }).click()
  await page.getByLabel('E-mail address').fill('ada@example.com')
  await page.getByLabel('Password').fill('twelve blue herons')
  await page.getByRole('button', { name: 'Make my account' }).click()
  await page.getByRole('heading', { name: 'My notes' }).waitFor()
  await page.reload()
  await page.getByRole('heading', { name: 'My notes' }).waitFor()
  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByText('You are signed out.').waitFor()
  // Rusk alone has no notes: the rest of the app is not there.
  assert.deepEqual(
    complaints().filter(text => !/status of 40[14]/.test(text)),
    [],
  )
  assert.deepEqual(strangers(url), [])
})

test('six lines without a framework know who is there, let in, call and let go', async t => {
  const url = await develop(t)
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
