import assert from 'node:assert/strict'
import { test } from 'node:test'
import { double, mounted, openHttp, site, tiny } from '../../test/http/tiny.ts'

const signIn = { mail: 'ada@example.com', word: 'pass' }
const doubly = () => openHttp({ dialects: [mounted(double)] })

test('an unknown path is refused by the first dialect', async () => {
  const { ask } = openHttp({ dialects: [mounted(tiny), mounted(double)] })
  for (const path of [
    '/',
    '/ME',
    '/me/',
    '/me.css',
    '/me;.png',
    '/me/x.js',
    '//me',
    '/.env',
    '/api/me//',
    '/%6de',
    '/all/a/b',
    '/all/',
  ]) {
    const answer = await ask(path)
    assert.deepEqual([answer.status, await answer.json()], [404, { no: 'not_found' }], path)
  }
})

test('a dialect says whether the trailing slash counts', async () => {
  const { ask } = doubly()
  for (const path of ['/api/me', '/api/me/', '/api/me?x=/']) assert.equal((await ask(path)).status, 200, path)
})

test('the prefix moves every route', async () => {
  const { ask } = openHttp({ site: { ...site, prefix: '/x' } })
  assert.deepEqual([(await ask('/x/me')).status, (await ask('/me')).status], [200, 404])
})

for (const method of ['GET', 'HEAD', 'OPTIONS', 'PUT', 'PATCH', 'DELETE']) {
  test(`${method} on a path that takes POST is 405, says so, and changes nothing`, async () => {
    const { ask, asked } = openHttp()
    const answer = await ask('/out', { method, headers: { 'x-http-method-override': 'POST' } })
    assert.deepEqual([answer.status, answer.headers.get('allow'), asked.length], [405, 'POST', 0])
  })
}

test('POST in disguise is not another method', async () => {
  const { post, asked } = openHttp()
  await post('/in?_method=DELETE', { ...signIn, _method: 'DELETE' }, { 'x-http-method-override': 'DELETE' })
  assert.equal(asked[0]?.does, 'signIn')
})

test('HEAD is GET without a body for "who am I" and pages, and nothing else', async () => {
  const { ask } = openHttp({ served: [{ path: '/page', type: 'text/html; charset=utf-8', body: () => 'x' }] })
  for (const path of ['/me', '/page']) {
    const head = await ask(path, { method: 'HEAD' })
    const get = await ask(path)
    assert.deepEqual([head.status, await head.text()], [200, ''])
    assert.deepEqual([...head.headers], [...get.headers])
  }
  const list = await ask('/all', { method: 'HEAD' })
  assert.deepEqual([list.status, list.headers.get('allow')], [405, 'GET'])
})
