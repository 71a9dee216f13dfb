import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openHttp } from '../../test/http/tiny.ts'

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
