import assert from 'node:assert/strict'
import { test } from 'node:test'
import { docsPages } from './docs-pages.ts'
import { readOnce } from './page.ts'

const pages = docsPages('1.2.3')
const textOf = async ({ body }: (typeof pages)[number]) => Buffer.from(await body()).toString()
const bodies = new Map(await Promise.all(pages.map(async page => [page.path, await textOf(page)] as const)))

test('every file that a page loads is served', () => {
  const loaded = [...bodies.values()].flatMap(body =>
    body.startsWith('<!doctype') ? [...body.matchAll(/(?:src|href)="([^"]+)"/g)].map(match => match[1]) : [],
  )
  const files = loaded.filter(path => path !== 'data:,')
  assert.ok(files.length >= 5)
  for (const file of files) assert.ok(bodies.has(`/${file}`), `${file} is served by nobody`)
})

test('every type names its charset', () => {
  for (const { path, type } of pages) assert.match(type, /; charset=utf-8$/, path)
})

test('no page and no bundle asks a CDN', () => {
  for (const [path, body] of bodies) assert.doesNotMatch(body, /https?:\/\/cdn\.|unpkg\.com|fonts\.g/, path)
})

test('Swagger UI is told to ask no validator, which would be another host', () => {
  assert.match(bodies.get('/docs/start.js') ?? '', /validatorUrl: null/)
})

test('scripts come from here alone, and none is inline', () => {
  const html = pages.filter(({ csp }) => csp !== undefined)
  assert.equal(html.length, 2)
  for (const { path, csp } of html) {
    assert.match(csp ?? '', /script-src 'self';/, path)
    assert.doesNotMatch(bodies.get(path) ?? '', /<script(?![^>]*\ssrc=)/)
  }
})

test('bundles are kept for a day and known by their version', () => {
  for (const path of ['/docs/swagger-ui.js', '/docs/swagger-ui.css', '/redoc/redoc.js']) {
    const headers = pages.find(page => page.path === path)?.headers ?? {}
    assert.equal(headers['Cache-Control'], 'public, max-age=86400')
    assert.match(headers.ETag ?? '', /^"(swagger-ui-dist|redoc)-\d+\.\d+\.\d+"$/)
  }
})

test('a bundle is read once, and all answers share its bytes', async () => {
  for (const page of pages.filter(({ path }) => /swagger-ui|redoc\.js/.test(path))) {
    const [one, other] = await Promise.all([page.body(), page.body()])
    assert.ok(one instanceof Uint8Array, page.path)
    assert.equal(one, other, page.path)
    assert.equal(one, await page.body(), page.path)
  }
})

test('a page that could not be read is read again', async () => {
  let tries = 0
  const body = readOnce(async () => {
    tries += 1
    if (tries === 1) throw new Error('not yet')
    return 'ä'
  })
  await assert.rejects(body())
  assert.deepEqual([...(await body())], [0xc3, 0xa4])
  await body()
  assert.equal(tries, 2)
})
