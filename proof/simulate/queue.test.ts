import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openQueue } from './queue.ts'

test('what is due happens in the order of time, and at one moment in the order of asking', () => {
  const queue = openQueue()
  const told: string[] = []
  const tell = (what: string) => () => told.push(`${what} at ${queue.now()}`)
  queue.at(3, tell('c'))
  queue.at(1, () => queue.at(2, tell('b')))
  queue.at(3, tell('d'))
  queue.at(1, tell('a'))
  queue.at(Number.POSITIVE_INFINITY, tell('never'))
  queue.at(9, tell('too late'))
  queue.live(9, () => false)
  assert.deepEqual(told, ['a at 1', 'b at 2', 'c at 3', 'd at 3'])
})

test('nothing more happens once it is enough', () => {
  const queue = openQueue()
  let happened = 0
  for (const at of [1, 2, 3]) queue.at(at, () => happened++)
  queue.live(9, () => happened === 2)
  assert.equal(happened, 2)
})
