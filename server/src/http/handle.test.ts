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
