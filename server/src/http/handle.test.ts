import assert from 'node:assert/strict'
import { test } from 'node:test'
import { double, mounted, openHttp, session, tiny, user } from '../../test/http/tiny.ts'
import { refuse } from '../core/refusal.ts'

const app = 'https://app.example'
const evil = 'https://evil.example'

const asking = (headers: Record<string, string>, method = 'GET') => ({
  id: 'c',
  method,
  header: (name: string) => headers[name],
  address: '192.0.2.1',
})

test('another program learns who calls, and the first dialect that knows somebody counts', async () => {
  const { http, asked } = openHttp({
    dialects: [mounted(tiny), mounted(double)],
    script: ({ carried }) =>
      carried.bearer === 'b' && carried.access.length === 0
        ? { done: { user, session }, tokens: {} }
        : { refusal: refuse('access_expired') },
  })
  assert.deepEqual(await http.whoCalls(asking({ cookie: 'at=x' })), {
    refusal: { refused: 'access_expired' },
  })
  assert.equal(asked.length, 2)
  const known = await http.whoCalls(asking({ authorization: 'Bearer b' }))
  assert.ok('done' in known)
})

test('for another program too, a cookie authenticates no unsafe call from a foreign page', async () => {
  const { http, asked } = openHttp()
  const foreign = { origin: evil, cookie: 'at=x' }
  assert.deepEqual(await http.whoCalls(asking(foreign, 'POST')), { refusal: { refused: 'origin_refused' } })
  assert.equal(asked.length, 0)
  for (const [headers, method] of [
    [foreign, 'GET'],
    [{ origin: app, cookie: 'at=x' }, 'POST'],
    [{ ...foreign, authorization: 'Bearer b' }, 'POST'],
  ] as const) {
    assert.ok('done' in (await http.whoCalls(asking(headers, method))))
  }
})

test('no other identity stands in for one whose cookies contradict each other', async () => {
  const { http, asked } = openHttp({
    dialects: [mounted(tiny), mounted(double)],
    script: ({ carried }) =>
      carried.access.length > 1
        ? { refusal: refuse('cookie_conflict') }
        : { done: { user, session }, tokens: {} },
  })
  assert.deepEqual(await http.whoCalls(asking({ cookie: 'at=x; at=y; refresh_token=z' })), {
    refusal: { refused: 'cookie_conflict' },
  })
  assert.equal(asked.length, 1)
})

test('no other identity stands in for one that a foreign page sent; a dialect without cookies has no say', async () => {
  const dialects = [mounted(tiny), mounted({ ...double, origins: ['https://other.example'] })]
  const from = (cookie: string) => asking({ cookie, origin: 'https://other.example' }, 'POST')
  const { http, asked } = openHttp({ dialects })
  assert.deepEqual(await http.whoCalls(from('at=x; refresh_token=z')), {
    refusal: { refused: 'origin_refused' },
  })
  assert.equal(asked.length, 0)
  assert.ok('done' in (await http.whoCalls(from('refresh_token=z'))))
})
