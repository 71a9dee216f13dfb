import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mounted, openHttp, securely, tiny } from '../../test/http/tiny.ts'

const signIn = { mail: 'ada@example.com', word: 'pass' }

test('a call becomes an operation with the operation’s own names, and what it carries', async () => {
  const { post, asked } = openHttp()
  const answer = await post(
    '/in',
    { ...signIn, superuser: true },
    { 'user-agent': 'x'.repeat(300), cookie: 'at=a; rt=r; st=s' },
  )
  assert.equal(answer.status, 200)
  assert.deepEqual(await answer.json(), { email: 'ada@example.com' })
  const [call] = asked
  assert.ok(call)
  assert.deepEqual(call.input, { login: 'ada@example.com', password: 'pass' })
  assert.deepEqual(call.carried, {
    access: ['a'],
    bearer: undefined,
    refresh: ['r'],
    signIn: ['s'],
    csrf: undefined,
    conflict: false,
  })
  assert.equal(call.caller.address, '192.0.2.1')
  assert.equal(call.caller.userAgent.length, 256)
  assert.equal(call.manner.mintsCsrf, false)
})

const bearers: readonly [sentence: string, header: string | undefined, want: string | null | undefined][] = [
  ['there is none', undefined, undefined],
  ['a bearer token', 'Bearer abc.def-_~+/=', 'abc.def-_~+/='],
  ['the scheme in any case', 'bEARER abc', 'abc'],
  ['two spaces', 'Bearer  abc', null],
  ['a tab', 'Bearer\tabc', null],
  ['no token', 'Bearer', null],
  ['two tokens', 'Bearer abc, Bearer def', null],
  ['another scheme', 'Basic abc', null],
  ['something behind it', 'Bearer abc def', null],
]

for (const [sentence, header, want] of bearers) {
  test(`Authorization: ${sentence}`, async () => {
    const { ask, asked } = openHttp()
    await ask('/me', { headers: header === undefined ? {} : { authorization: header } })
    assert.equal(asked[0]?.carried.bearer, want)
  })
}

test('a dialect that reads no bearer tokens sees none', async () => {
  const { ask, asked } = openHttp({ dialects: [mounted({ ...tiny, bearer: false })] })
  await ask('/me', { headers: { authorization: 'Bearer abc' } })
  assert.equal(asked[0]?.carried.bearer, undefined)
})

test('a __Host- name that comes twice is a conflict, a fixed name is not', async () => {
  const { ask, asked } = openHttp({ site: securely })
  for (const cookie of [
    '__Host-at=1; __Host-at=2',
    '__Host-st=1; __Host-st=1',
    '__Host-rt=1; x=y; __Host-rt=2',
  ]) {
    await ask('/me', { headers: { cookie } })
    assert.equal(asked.at(-1)?.carried.conflict, true, cookie)
  }
  await ask('/me', { headers: { cookie: 'at=1; at=2; __host-at=3; __Host-at=4' } })
  assert.deepEqual([asked.at(-1)?.carried.conflict, asked.at(-1)?.carried.access], [false, ['4']])
  const plain = openHttp()
  await plain.ask('/me', { headers: { cookie: 'at=1; at=2' } })
  assert.deepEqual([plain.asked[0]?.carried.conflict, plain.asked[0]?.carried.access], [false, ['1', '2']])
})

test('a parameter of the path is decoded once, or left as it is', async () => {
  const { ask, asked } = openHttp()
  for (const [path, id] of [
    ['/all/abc', 'abc'],
    ['/all/a%2Fb', 'a/b'],
    ['/all/%252e', '%2e'],
    ['/all/%ff', '%ff'],
    ['/all/abc?x=y', 'abc'],
  ] as const) {
    await ask(path, { method: 'DELETE' })
    assert.deepEqual(asked.at(-1)?.input, { id }, path)
  }
})
