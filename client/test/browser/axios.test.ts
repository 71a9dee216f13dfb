// axios through the client in a real browser, by both of its adapters there: cookies, forms, addresses and cancellations as
// only a page has them.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { AxiosInstance, AxiosStatic } from 'axios'
import type { Page } from 'playwright-core'
import { openChromium, openPage } from '../../../server/test/browser/chromium.ts'
import type { Client } from '../../src/contract.ts'
import { type App, ada, openApp, type Seen } from '../app.ts'
import { bundle, pageWith } from './bundle.ts'

// What stands in the page.
declare const axios: AxiosStatic
declare const api: AxiosInstance
declare const client: Client

const script = await bundle(new URL('./axios-page.ts', import.meta.url))

type Room = { readonly app: App; readonly page: Page }

/** Ada is signed in, in a page of the app whose axios sends by that adapter. */
async function open(t: TestContext, adapter: string, hash = ''): Promise<Room> {
  const app = await openApp(t, { '/': pageWith(''), '/page.js': script })
  const { page } = await openPage(await openChromium(t))
  await page.goto(`${app.url}/${hash}`)
  await page.evaluate(
    async ([fields, name]) => {
      api.defaults.adapter = name
      await client.signUp(fields)
    },
    [ada, adapter] as const,
  )
  return { app, page }
}

/** The access cookie is gone; the client does not know. */
const expire = ({ page }: Room) => page.context().clearCookies({ name: 'rusk_access' })

const last = ({ app }: Room): Seen => {
  const seen = app.seen.at(-1)
  assert.ok(seen)
  return seen
}

/** Runs in the page. */
type Send = () => Promise<unknown>

const bodies: [string, Send, unknown][] = [
  ['none', () => api.get('/api/notes', { params: { q: 'a b' } }), ''],
  ['an object', () => api.post('/api/notes', { title: 'a note' }), '{"title":"a note"}'],
  [
    'a form with a file',
    () => {
      const form = new FormData()
      form.set('title', 'a note')
      form.set('file', new File(['its content'], 'note.txt'))
      return api.post('/api/notes', form)
    },
    { title: 'a note', file: 'its content' },
  ],
  ['an object as a form', () => api.postForm('/api/notes', { title: 'a note' }), { title: 'a note' }],
  ['parameters', () => api.put('/api/notes', new URLSearchParams({ a: 'b' })), 'a=b'],
  ['a file', () => api.post('/api/notes', new File(['a file'], 'note.txt')), 'a file'],
]

for (const adapter of ['xhr', 'fetch']) {
  test(`${adapter}: after a 401 a call is sent once more, the same`, async t => {
    const room = await open(t, adapter)
    for (const [sentence, send, body] of bodies) {
      await t.test(sentence, async () => {
        await expire(room)
        room.app.seen.length = 0
        room.app.asked.length = 0
        await room.page.evaluate(send)
        const { seen, asked } = room.app
        assert.deepEqual(
          seen.map(each => [each.email, each.body]),
          [
            [null, body],
            [ada.email, body],
          ],
        )
        const [first, second] = seen.map(({ headers }) => headers['content-type']?.replace(/boundary=.*/, ''))
        assert.equal(first, second)
        assert.deepEqual(
          asked.filter(line => line.startsWith('POST')),
          ['POST /auth/refresh 200'],
        )
      })
    }
  })

  test(`${adapter}: no other origin gets anything, whatever the call or the page says`, async t => {
    const room = await open(t, adapter, '#memory')
    const { app, page } = room
    await page.evaluate(() => api.get('/api/notes'))
    assert.match(String(last(room).headers.authorization), /^Bearer ey/)
    // Cookies know no ports: with credentials they would go there.
    await page.evaluate(url => api.get(url, { withCredentials: true }), `${app.elsewhere}/x`)
    assert.equal(last(room).line, 'GET /x')
    await page.evaluate(url => {
      const base = document.createElement('base')
      base.href = url
      document.head.append(base)
      return api.post('/based', 'x', { withCredentials: true })
    }, app.elsewhere)
    assert.equal(last(room).line, 'POST /based')
    for (const { headers } of app.seen.slice(-2)) {
      assert.equal(headers.authorization, undefined)
      assert.equal(headers.cookie, undefined)
    }
  })

  test(`${adapter}: whoever cancels waits for no renewal`, async t => {
    const room = await open(t, adapter)
    await expire(room)
    room.app.answer('POST /auth/refresh', 'hangs')
    const askedAt = performance.now()
    const outcomes = await room.page.evaluate(async () => {
      const controller = new AbortController()
      const source = axios.CancelToken.source()
      setTimeout(() => {
        controller.abort()
        source.cancel('no more')
      }, 500)
      const calls = await Promise.allSettled([
        api.get('/api/notes', { signal: controller.signal }),
        api.get('/api/notes', { cancelToken: source.token }),
      ])
      return calls.map(
        each => each.status === 'rejected' && axios.isCancel(each.reason) && each.reason.message,
      )
    })
    assert.ok(performance.now() - askedAt < 5000)
    assert.deepEqual(outcomes, ['canceled', 'no more'])
    assert.equal(room.app.seen.length, 2)
  })

  test(`${adapter}: an undecided renewal is told as such`, async t => {
    const room = await open(t, adapter)
    await expire(room)
    room.app.answer('POST /auth/refresh', 'breaks')
    const outcome = await room.page.evaluate(() =>
      api.get('/api/notes').then(String, error => [error.name, error.code, client.state.status].join(' ')),
    )
    assert.equal(outcome, 'RuskError offline signed-in')
  })
}
