import assert from 'node:assert/strict'
import { test } from 'node:test'
import { drawJourney } from './journey.ts'
import { habits, weathers, week } from './parameters.ts'
import { drawPerson, isAwake, nextAwake, nextSleep, type Person, stretchAt } from './person.ts'
import { seeded } from './random.ts'

const minute = 60_000
const never = Number.POSITIVE_INFINITY
const person: Person = {
  device: 'laptop',
  habits: { ...habits.laptop, lost: 0, held: 0, leg: 1000, spread: 0 },
  tabs: 1,
  awake: [
    { from: 0, to: 60 * minute },
    { from: 65 * minute, to: 120 * minute },
    { from: 240 * minute, to: 300 * minute },
  ],
  handOvers: [30 * minute],
  deploys: [40 * minute],
}
const always = () => 0
const hardly = () => 0.999

const { restart, dying, patience } = habits.laptop

// [sentence, sent at, whether chance says yes, reaches at, arrives at], both since it was sent; each way takes a second
const table: [string, number, () => number, number, number][] = [
  ['takes its time', minute, hardly, 1000, 2000],
  ['that a hand-over meets on the way there is lost', 30 * minute - 500, hardly, never, never],
  ['that a hand-over meets may have got through, its answer not', 30 * minute - 500, always, 1000, never],
  ['whose answer a hand-over meets gets none', 30 * minute - 1500, hardly, 1000, never],
  [
    'that is decided just before a restart gets no answer',
    40 * minute - 1000 - dying / 2,
    hardly,
    1000,
    never,
  ],
  ['that comes during a restart is answered: undecided', 40 * minute, hardly, 1000, 2000],
  ['sent before a sleep goes on, and its answer is lost', 60 * minute - 500, hardly, 1000, never],
  [
    'sent before a sleep is held until waking',
    60 * minute - 500,
    always,
    5 * minute + 1500,
    5 * minute + 2500,
  ],
  ['whose answer meets a sleep gets it after waking', 60 * minute - 1500, always, 1000, 5 * minute + 2500],
  ['that a long sleep holds is lost', 120 * minute - 500, always, never, never],
]
for (const [sentence, at, random, reaches, arrives] of table)
  test(`a call ${sentence}`, () => {
    const journey = drawJourney(random, person, weathers.delayed, at)
    assert.deepEqual([journey.reachesAt - at, journey.arrivesAt - at], [reaches, arrives])
  })

test('a call is undecided while the server restarts, and not before or after', () => {
  const undecidedAt = [-1001, -1000, restart - 1001, restart - 999].map(
    at => drawJourney(hardly, person, weathers.delayed, 40 * minute + at).undecided,
  )
  assert.deepEqual(undecidedAt, [false, true, true, false])
})

test('a tab notices a hand-over at once, and anything else when its patience ends', () => {
  const noticesAfter = (at: number) => drawJourney(hardly, person, weathers.delayed, at).noticesAt - at
  assert.equal(noticesAfter(minute), patience)
  assert.ok(noticesAfter(30 * minute - 500) <= 5500)
})

test('within the bound no way takes more than a minute, whatever comes between', () => {
  let held = 0
  for (let i = 0; i < 200; i++) {
    const random = seeded(1, i)
    const drawn = drawPerson(random)
    const rough = { ...drawn, habits: { ...drawn.habits, held: 0.3, sleepHolds: 1, keeps: week } }
    for (const { to } of drawn.awake) {
      const at = to - 200
      const { reachesAt, arrivesAt } = drawJourney(random, rough, weathers.within, at)
      if (reachesAt < never) assert.ok(reachesAt - at <= minute)
      if (arrivesAt < never) assert.ok(arrivesAt - reachesAt <= minute)
      if (arrivesAt < never && arrivesAt > to) held++
    }
  }
  assert.ok(held > 0, 'some were held by a short sleep')
})

test('stretches awake are in order and apart, and are found', () => {
  for (let i = 0; i < 50; i++) {
    const drawn = drawPerson(seeded(2, i))
    drawn.awake.forEach(({ from, to }, place) => {
      assert.ok(from < to && to < week && from > (drawn.awake[place - 1]?.to ?? -1))
      assert.equal(stretchAt(drawn, from), place)
      assert.ok(isAwake(drawn, from) && !isAwake(drawn, to))
      assert.equal(nextAwake(drawn, from), from)
      assert.equal(nextSleep(drawn, from).from, to)
    })
  }
  assert.equal(nextAwake(person, 61 * minute), 65 * minute)
  assert.deepEqual(nextSleep(person, 61 * minute), { from: 60 * minute, to: 65 * minute })
  assert.equal(nextAwake(person, 301 * minute), never)
})
