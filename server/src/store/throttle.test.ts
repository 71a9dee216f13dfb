// What is counted, and that it is never counted too low.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Fault } from '../core/fault.ts'
import type { Throttled } from './port.ts'
import { createThrottle } from './throttle.ts'

const minute = 60_000
const three = { points: 3, per: minute }

const takes = async (count: number, take: (i: number) => Promise<Throttled>): Promise<string> => {
  const taken = await Promise.all(Array.from({ length: count }, (_, i) => take(i)))
  return taken.map(no => (no ? 'no' : 'yes')).join(' ')
}

test('as many attempts pass as there are points, also when they come at once', async () => {
  const throttle = createThrottle()
  assert.equal(await takes(5, () => throttle.take('signIn', 'a', three)), 'yes yes yes no no')
})

test('keys and names are counted apart', async () => {
  const throttle = createThrottle()
  await takes(3, () => throttle.take('signIn', 'a', three))
  assert.equal(await throttle.take('signIn', 'b', three), undefined)
  assert.equal(await throttle.take('signUp', 'a', three), undefined)
  assert.ok(await throttle.take('signIn', 'a', three))
})

test('retryAfter is in whole seconds, at least one, at most the window', async () => {
  const throttle = createThrottle()
  const short = { points: 0, per: 20 }
  assert.deepEqual(await throttle.take('short', 'a', short), { retryAfter: 1 })
  assert.deepEqual(await throttle.take('long', 'a', { points: 0, per: minute }), { retryAfter: 60 })
})

test('after the window the count starts anew', async () => {
  const throttle = createThrottle()
  const rate = { points: 1, per: 50 }
  assert.equal(await takes(2, () => throttle.take('x', 'a', rate)), 'yes no')
  await sleep(60)
  assert.equal(await takes(2, () => throttle.take('x', 'a', rate)), 'yes no')
})

test('two rates with one window judge one count', async () => {
  const throttle = createThrottle()
  await takes(3, () => throttle.take('x', 'a', three))
  assert.ok(await throttle.take('x', 'a', { points: 3, per: minute }))
  assert.equal(await throttle.take('x', 'a', { points: 5, per: minute }), undefined)
  assert.ok(await throttle.take('x', 'a', { points: 5, per: minute }))
})

test('forgetting a key lets it start anew, and no other', async () => {
  const throttle = createThrottle()
  await takes(3, () => throttle.take('x', 'a', three))
  await takes(3, () => throttle.take('x', 'b', three))
  await throttle.forget('x', 'a')
  await throttle.forget('never used', 'a')
  assert.equal(await takes(4, () => throttle.take('x', 'a', three)), 'yes yes yes no')
  assert.ok(await throttle.take('x', 'b', three))
})

test('a flood of keys neither frees a key that is counted nor makes new ones unlimited', async () => {
  const throttle = createThrottle({ most: 10 })
  await takes(3, () => throttle.take('x', 'victim', three))
  const flood = await takes(20_000, i => throttle.take('x', `flood ${i}`, three))
  assert.ok(await throttle.take('x', 'victim', three), 'the victim is still counted')
  const passed = flood.split(' ').filter(word => word === 'yes').length
  assert.ok(passed <= 9 + 3 * 1024, `${passed} passed`)
  assert.equal((await takes(9, () => throttle.take('x', 'one more', three))).slice(-2), 'no')
})

test('after a flood has run out, keys are counted by themselves again', async () => {
  // More calm keys than there are shared counters: were they still sharing, some would meet.
  const most = 2000
  const throttle = createThrottle({ most })
  const rate = { points: 1, per: 400 }
  await takes(most + 1, i => throttle.take('x', `flood ${i}`, rate))
  await sleep(450)
  assert.doesNotMatch(await takes(most, i => throttle.take('x', `calm ${i}`, rate)), /no/)
})

test('a key that looks like a shared counter is a key of its own', async () => {
  const throttle = createThrottle({ most: 1 })
  await throttle.take('x', 'shared 1', three)
  await throttle.forget('x', 'shared 1')
  assert.equal(await takes(4, () => throttle.take('x', 'shared 1', three)), 'yes yes yes no')
})

const noRates = [
  { points: 1, per: 0 },
  { points: 1, per: -1 },
  { points: 1, per: Number.NaN },
  { points: 1, per: 2 ** 31 },
  { points: Number.NaN, per: minute },
  { points: -1, per: minute },
]
for (const rate of noRates) {
  test(`a rate of ${rate.points} in ${rate.per} ms is a fault, never a pass`, async () => {
    const throttle = createThrottle()
    await assert.rejects(throttle.take('x', 'a', rate), Fault)
  })
}
