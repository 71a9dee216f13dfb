import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openHttp } from '../../test/http/tiny.ts'
import { Fault } from '../core/fault.ts'
import type { Call } from './call.ts'

test('a page has its type, its own policy and the floor', async () => {
  const served = [
    {
      path: '/docs',
      type: 'text/html; charset=utf-8',
      csp: "script-src 'self'",
      headers: { 'cache-control': 'public, max-age=86400', etag: '"1"' },
      body: async () => '<p>',
    },
  ]
  const { ask } = openHttp({ served })
  const answer = await ask('/docs')
  assert.deepEqual([answer.status, await answer.text()], [200, '<p>'])
  const { headers } = answer
  assert.equal(headers.get('content-type'), 'text/html; charset=utf-8')
  assert.equal(headers.get('content-security-policy'), "script-src 'self'")
  assert.equal(headers.get('cache-control'), 'public, max-age=86400')
  assert.equal(headers.get('cross-origin-opener-policy'), 'same-origin')
  assert.equal(headers.get('x-content-type-options'), 'nosniff')
  const again = await ask('/docs', { headers: { 'if-none-match': '"1"' } })
  assert.deepEqual([again.status, await again.text()], [304, ''])
  const posted = await ask('/docs', { method: 'POST' })
  assert.deepEqual([posted.status, posted.headers.get('allow')], [405, 'GET, HEAD'])
})

test('a page that fails is a fault like any other', async () => {
  const { ask, logged } = openHttp({
    served: [{ path: '/docs', type: 'text/html', body: () => Promise.reject(new Error('x')) }],
  })
  assert.deepEqual([(await ask('/docs')).status, logged.length], [500, 1])
})

test('plain JSON answers with its own status and type', async () => {
  const { ask } = openHttp({
    served: [
      {
        path: '/keys',
        answer: async () => ({
          status: 201,
          body: { keys: [] },
          type: 'application/jwk-set+json',
          headers: { 'cache-control': 'public' },
        }),
      },
    ],
  })
  const answer = await ask('/keys')
  assert.deepEqual(
    [answer.status, await answer.json(), answer.headers.get('content-type')],
    [201, { keys: [] }, 'application/jwk-set+json'],
  )
  assert.equal(answer.headers.get('cache-control'), 'public')
})

const echo = {
  path: '/echo',
  method: 'POST',
  readers: 'none',
  answer: async (call: Call) => {
    const body = await call.body(10)
    return body instanceof Uint8Array ? { status: 200, body: String(body.length) } : { status: 204 }
  },
} as const

test('plain JSON that takes POST is given the call, and takes nothing else', async () => {
  const { ask } = openHttp({ served: [echo] })
  const answer = await ask('/echo', { method: 'POST', body: 'four' })
  assert.deepEqual([answer.status, await answer.json()], [200, '4'])
  const empty = await ask('/echo', { method: 'POST', body: 'more than ten' })
  assert.deepEqual([empty.status, await empty.text(), empty.headers.get('content-type')], [204, '', null])
  for (const method of ['GET', 'HEAD', 'PUT', 'OPTIONS']) {
    const refused = await ask('/echo', { method })
    assert.deepEqual([refused.status, refused.headers.get('allow')], [405, 'POST'], method)
  }
})

test('what is for programs says no in problem documents whatever the dialect, and no page reads them', async () => {
  const broken = { ...echo, answer: () => Promise.reject(new Fault('x', { retryAfter: 2 })) }
  const { ask, logged } = openHttp({ served: [broken] })
  const headers = { origin: 'https://app.example' }
  const answer = await ask('/echo', { method: 'POST', headers })
  assert.equal(answer.headers.get('content-type'), 'application/problem+json')
  assert.equal(answer.headers.get('retry-after'), '2')
  assert.equal(answer.headers.get('access-control-allow-origin'), null)
  assert.deepEqual(await answer.json(), {
    type: 'about:blank',
    title: 'Service Unavailable',
    status: 503,
    code: 'unavailable',
    detail: 'The service cannot decide this just now',
  })
  assert.equal(logged.length, 1)
  const refused = await ask('/echo', { method: 'PUT', headers })
  assert.equal(refused.headers.get('access-control-allow-origin'), null)
  assert.equal(((await refused.json()) as { code: string }).code, 'method_not_allowed')
})
