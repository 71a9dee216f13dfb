import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newId } from './new-id.ts'

test('an id is 22 characters, begins with a letter and comes once', () => {
  const ids = Array.from({ length: 20_000 }, newId)
  for (const id of ids) assert.match(id, /^[A-Za-z][\w-]{21}$/)
  assert.equal(new Set(ids).size, ids.length)
  const places = Array.from({ length: 22 }, (_, at) => new Set(ids.map(id => id.charAt(at))).size)
  assert.deepEqual(places, [32, ...Array(20).fill(64), 4], 'each place takes every value that it can')
})
