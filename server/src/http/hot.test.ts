import assert from 'node:assert/strict'
import { test } from 'node:test'
import { double, mounted, securely, session, type Tries, tiny, tryHttp, user } from '../../test/http/tiny.ts'
import type { HotHeaders } from './hot.ts'

const holder = { user, session, accessEndsAt: 600_000 }

/** Remembers the token `good`, of a sign-in whose cookie is `s1` or absent. */
const recall = (access: string, signIn: string | undefined) =>
  access === 'good' && (signIn === undefined || signIn === 's1') ? holder : undefined

const open = (tries: Tries = {}) =>
  tryHttp({ recall, script: () => ({ done: holder, tokens: {} }), ...tries })

const long = ({ http }: ReturnType<typeof open>, path: string, headers: HotHeaders) =>
  http.call({
    id: 'c',
    method: 'GET',
    path,
    query: '',
    header: name => Reflect.get(headers, name),
    address: '192.0.2.1',
    body: () => assert.fail('a GET has no body'),
  })

const short: readonly [sentence: string, path: string, headers: HotHeaders][] = [
  ['an access cookie alone', '/me', { cookie: 'at=good' }],
  ['an access cookie among others', '/me', { cookie: 'x=y; at=good; rt=r; st=s1; at2=z' }],
  ['a bearer token alone', '/me', { authorization: 'Bearer good' }],
  ['a bearer token beside a sign-in cookie', '/me', { authorization: 'Bearer good', cookie: 'st=other' }],
  ['a listed origin', '/me', { cookie: 'at=good', origin: 'https://app.example' }],
  ['an unlisted origin', '/me', { cookie: 'at=good', origin: 'https://evil.example' }],
  ['a second dialect', '/api/me/', { authorization: 'Bearer good' }],
  ['its other spelling', '/api/me', { authorization: 'Bearer good', origin: 'https://app.example' }],
]

for (const [sentence, path, headers] of short) {
  test(`hot with ${sentence}: the same answer as the long way, and no operation is asked`, async () => {
    const tried = open({ dialects: [mounted(tiny), mounted(double)] })
    const answer = tried.http.hot(path, headers)
    assert.ok(answer)
    assert.equal(tried.asked.length, 0)
    const other = await long(tried, path, headers)
    assert.deepEqual(answer, other)
    assert.deepEqual(Object.keys(answer.headers), Object.keys(other.headers))
    assert.equal(tried.http.hot(path, headers), answer)
  })
}

const unusual: readonly [sentence: string, path: string, headers: HotHeaders][] = [
  ['nothing', '/me', {}],
  ['a token that is not remembered', '/me', { cookie: 'at=bad' }],
  ['a sign-in cookie of another session', '/me', { cookie: 'at=good; st=other' }],
  ['bearer and cookie', '/me', { cookie: 'at=good', authorization: 'Bearer good' }],
  ['a malformed header beside a good cookie', '/me', { cookie: 'at=good', authorization: 'Basic x' }],
  ['the access cookie twice', '/me', { cookie: 'at=good; at=good' }],
  ['the refresh cookie twice', '/me', { cookie: 'at=good; rt=1; rt=2' }],
  ['the sign-in cookie twice', '/me', { cookie: 'at=good; st=s1; st=s1' }],
  ['a query', '/me?x', { cookie: 'at=good' }],
  ['another path', '/all', { cookie: 'at=good' }],
  ['a cookie where only bearer tokens are read', '/api/me', { cookie: 'at=good' }],
  ['a name of the prototype as path', '__proto__', { cookie: 'at=good' }],
]

for (const [sentence, path, headers] of unusual) {
  test(`the long way with ${sentence}`, () => {
    assert.equal(open({ dialects: [mounted(tiny), mounted(double)] }).http.hot(path, headers), undefined)
  })
}

test('bearer tokens are not looked at where the dialect reads none', () => {
  const { http } = open({ dialects: [mounted({ ...tiny, bearer: false })] })
  assert.equal(http.hot('/me', { authorization: 'Bearer good' }), undefined)
  assert.ok(http.hot('/me', { cookie: 'at=good', authorization: 'Basic x' }))
})

test('all origins that are not listed share one answer', () => {
  const { http } = open()
  const from = (origin: string | undefined) => http.hot('/me', { cookie: 'at=good', origin })
  assert.ok(from(undefined))
  for (const origin of ['https://evil.example', 'null', '']) assert.equal(from(origin), from(undefined))
})

test('a new state of the session is a new answer', () => {
  let now = holder
  const { http } = open({ recall: () => now })
  const before = http.hot('/me', { cookie: 'at=good' })
  now = { ...holder, user: { ...user, email: 'new@example.com' } }
  const after = http.hot('/me', { cookie: 'at=good' })
  assert.equal(before?.body, '{"email":"ada@example.com"}')
  assert.equal(after?.body, '{"email":"new@example.com"}')
})

test('two dialects write the same person each in its own way', () => {
  const loud = { ...double, routes: { ...double.routes } }
  const { http } = open({
    site: securely,
    dialects: [mounted(tiny), mounted({ ...loud, origins: ['https://b.example'] })],
  })
  const headers = { authorization: 'Bearer good', origin: 'https://b.example' }
  assert.equal(http.hot('/me', headers)?.headers['Access-Control-Allow-Origin'], undefined)
  assert.equal(http.hot('/api/me', headers)?.headers['Access-Control-Allow-Origin'], 'https://b.example')
})
