import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Call, headerOf } from './call.ts'

const twice = new Headers()
twice.append('authorization', 'Bearer a')
twice.append('authorization', 'Bearer b')
const raw = [
  'Authorization',
  'Bearer a',
  'AUTHORIZATION',
  'Bearer b',
  'Cookie',
  'a=1',
  'x',
  'Authorization',
  'cookie',
  'b=2',
]
const headers = { authorization: 'Bearer a', cookie: 'a=1' }

// [sentence, call, Authorization, Cookie]
const rows: readonly (readonly [string, Call, string | undefined, string | undefined])[] = [
  ['no headers', { headers: {} }, undefined, undefined],
  ['headers of a Request', { headers: new Headers({ Cookie: 'a=1' }) }, undefined, 'a=1'],
  ['a header that a Request has twice', { headers: twice }, 'Bearer a, Bearer b', undefined],
  ['headers by name', { headers }, 'Bearer a', 'a=1'],
  [
    'several values by name',
    { headers: { authorization: ['a', 'b'], cookie: ['a=1', 'b=2'] } },
    'a, b',
    'a=1; b=2',
  ],
  ['no values by name', { headers: { authorization: [] } }, undefined, undefined],
  [
    'what Node has read wins over what it made of it',
    { headers, rawHeaders: raw },
    'Bearer a, Bearer b',
    'a=1; b=2',
  ],
  ['with Fastify’s requests too', { headers, raw: { rawHeaders: raw } }, 'Bearer a, Bearer b', 'a=1; b=2'],
  ['an adapter has left what Node reads empty', { headers, rawHeaders: [] }, 'Bearer a', 'a=1'],
  ['a header that is empty is there', { headers, rawHeaders: ['authorization', ''] }, '', undefined],
]

for (const [sentence, call, authorization, cookie] of rows) {
  test(sentence, () => {
    const header = headerOf(call)
    assert.deepEqual([header('authorization'), header('cookie')], [authorization, cookie])
  })
}
