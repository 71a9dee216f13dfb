import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tiny } from '../../test/http/tiny.ts'
import type { Fields } from './body.ts'
import { toInput, toWire } from './wire.ts'

const signIn = tiny.routes['POST /in']
const end = tiny.routes['DELETE /all/:id']
assert.ok(signIn && end)

const renames: readonly [sentence: string, fields: Fields, want: Fields][] = [
  ['the wire’s names become the operation’s', { mail: 'm', word: 'w' }, { login: 'm', password: 'w' }],
  [
    'of two names for one field the first counts',
    { nick: 'n', mail: 'm', word: 'w' },
    { login: 'm', password: 'w' },
  ],
  [
    'unknown fields are dropped',
    { mail: 'm', word: 'w', login: 'x', is_superuser: true },
    { login: 'm', password: 'w' },
  ],
  [
    'what is no string is left for the operation to refuse',
    { mail: ['m'], word: { $ne: 1 } },
    { login: ['m'], password: { $ne: 1 } },
  ],
]

for (const [sentence, fields, want] of renames) {
  test(sentence, () => assert.deepEqual(toInput(signIn, fields, {}), { input: want }))
}

test('a parameter of the path is not taken from the body, nor a field from the path', () => {
  assert.deepEqual(toInput(end, { id: 'body', ':id': 'body' }, { id: 'path' }), { input: { id: 'path' } })
  assert.deepEqual(toInput(end, { id: 'body', ':id': 'body' }, {}), { input: {} })
})

test('names of the prototype are not there unless somebody sent them', () => {
  const route = { ...signIn, takes: { constructor: 'login', __proto__: 'password' }, requires: [] }
  assert.deepEqual(toInput(route, {}, {}), { input: {} })
})

test('what the dialect demands is missing: every finding at once, in the dialect’s order', () => {
  const read = toInput(signIn, { nick: 'n', word: 7 }, {})
  assert.ok('refusal' in read)
  assert.deepEqual(
    read.refusal.issues?.map(({ field, type }) => [field, type]),
    [
      ['mail', 'missing'],
      ['word', 'string_type'],
    ],
  )
})

test('null where the dialect demands a value is not one', () => {
  const read = toInput(signIn, { mail: null, word: 'w' }, {})
  assert.deepEqual('refusal' in read && read.refusal.issues, [
    { field: 'mail', type: 'string_type', message: 'Input should be a valid string' },
  ])
})

test('an issue has the name under which the field came, else the first', () => {
  const route = { ...signIn, requires: [] }
  const issues = [{ field: 'login', type: 'x', message: '' }]
  assert.equal(toWire(route, issues, { nick: 1 }, {})[0]?.field, 'nick')
  assert.equal(toWire(route, issues, { mail: null, nick: 1 }, {})[0]?.field, 'nick')
  assert.equal(toWire(route, issues, {}, {})[0]?.field, 'mail')
  assert.equal(toWire(end, [{ field: 'id', type: 'x', message: '' }], {}, { id: 'p' })[0]?.field, 'id')
  assert.equal(toWire(route, [{ field: '', type: 'x', message: '' }], {}, {})[0]?.field, '')
})
