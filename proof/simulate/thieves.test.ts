import assert from 'node:assert/strict'
import { test } from 'node:test'
import { habits } from './parameters.ts'
import type { Person } from './person.ts'
import { nextTry, thieves } from './thieves.ts'

const minute = 60_000
const [ownPace, behind, asleep] = thieves
const person: Person = {
  device: 'laptop',
  habits: { ...habits.laptop, dozes: 5 * minute },
  tabs: 1,
  awake: [
    { from: 0, to: 60 * minute },
    { from: 64 * minute, to: 100 * minute },
    { from: 200 * minute, to: 230 * minute },
  ],
  handOvers: [],
  deploys: [],
}

// [sentence, wanted at, calls at], in minutes
const table: [string, number, number][] = [
  ['waits until the owner has slept for a while, and lets a short sleep pass', 10, 105],
  ['waits for the next sleep when the owner has just fallen asleep for a short one', 62, 105],
  ['waits a while when the owner has just fallen asleep', 101, 105],
  ['calls when he wants to while the owner sleeps', 150, 150],
  ['calls when he wants to after the owner’s last sleep has begun', 400, 400],
]
for (const [sentence, wanted, calls] of table)
  test(`a thief who waits for sleep ${sentence}`, () =>
    assert.equal(nextTry(asleep, person, wanted * minute), calls * minute))

test('a thief at his own pace calls when he wants to, and one behind the owner only after the owner', () => {
  assert.equal(nextTry(ownPace, person, 7), 7)
  assert.equal(nextTry(behind, person, 7), Number.POSITIVE_INFINITY)
})
