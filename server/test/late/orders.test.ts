// How many orders there are, by hand.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Call, ordersOf } from './orders.ts'

const [a, b, c]: Call[] = [{ does: 'a' }, { does: 'b' }, { does: 'c' }]
assert.ok(a && b && c)
const thenC: Call = { ...c, after: 1 }

// [sentence, calls, how many]
const table: [string, readonly Call[], number][] = [
  ['one call has one order', [a], 1],
  ['two calls under way: two ways there, two ways back', [a, b], 4],
  ['three calls under way: six ways there, six ways back', [a, b, c], 36],
  ['two that do the same count once', [a, a], 2],
  ['two that do the same beside another', [a, a, b], 18],
  ['one that waits for the other has one order', [a, { ...b, after: 0 }], 1],
  // Of nine places there and back that the free call has, one would need it back before it went.
  ['two in a row and one beside them', [a, b, thenC], 8],
]

for (const [sentence, calls, count] of table) {
  test(sentence, () => assert.equal(ordersOf(calls).length, count))
}

test('every call reaches the server before its answer arrives', () => {
  for (const order of ordersOf([a, b, thenC])) {
    for (const call of [0, 1, 2]) {
      const at = (what: string) => order.findIndex(each => each.call === call && each.what === what)
      assert.ok(at('reaches') >= 0 && at('reaches') < at('arrives'))
    }
  }
})
