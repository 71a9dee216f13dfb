import assert from 'node:assert/strict'
import { test } from 'node:test'
import { poissonInterval, quantile, sumInterval, wilsonInterval } from './statistics.ts'

const near = (got: number, want: number, by: number) =>
  assert.ok(Math.abs(got - want) <= by, `${got} is not ${want}`)

// [count, low, high], as in printed tables of the exact 95 % interval
const counts: [number, number, number][] = [
  [0, 0, 3.689],
  [1, 0.025, 5.572],
  [2, 0.242, 7.225],
  [5, 1.623, 11.668],
  [10, 4.795, 18.39],
  [20, 12.217, 30.888],
  [100, 81.364, 121.627],
]
for (const [count, low, high] of counts)
  test(`${count} counted may be ${low} to ${high}`, () => {
    near(poissonInterval(count).low, low, 0.001)
    near(poissonInterval(count).high, high, 0.001)
  })

test('the interval of a great count is about two roots wide to each side', () => {
  const { low, high } = poissonInterval(350_000)
  near(350_000 - low, 1.96 * Math.sqrt(350_000), 3)
  near(high - 350_000, 1.96 * Math.sqrt(350_000), 4)
})

// [count, of, low, high]
const shares: [number, number, number, number][] = [
  [0, 10, 0, 0.2775],
  [5, 10, 0.2366, 0.7634],
  [10, 10, 0.7225, 1],
  [1, 100, 0.0018, 0.0545],
  [0, 10_000, 0, 0.000384],
]
for (const [count, of, low, high] of shares)
  test(`a share of ${count} in ${of} may be ${low} to ${high}`, () => {
    near(wilsonInterval(count, of).low, low, 0.00005)
    near(wilsonInterval(count, of).high, high, 0.00005)
  })

test('a sum over people who differ is less certain than its count', () => {
  const alike = sumInterval(Array.from({ length: 100 }, (_, i) => i % 2))
  assert.deepEqual(alike, poissonInterval(50))
  const unlike = sumInterval(Array.from({ length: 100 }, (_, i) => (i === 0 ? 50 : 0)))
  assert.equal(unlike.low, 0)
  near(unlike.high, 50 + 1.96 * 50, 0.5)
})

test('nothing counted in ten thousand is not nothing: up to 3.69 may be behind it', () =>
  near(sumInterval(Array.from({ length: 10_000 }, () => 0)).high, 3.689, 0.001))

const upTo = (most: number, ends: number) => Array.from({ length: ends }, (_, i) => (i < most ? i + 1 : null))

test('a quantile is the value that this share of them does not exceed', () => {
  assert.deepEqual(quantile(upTo(100, 100), 0.5), { value: 50, low: 40, high: 61 })
  assert.equal(quantile(upTo(100, 100), 0.99).value, 99)
  assert.equal(quantile([3, 1, 2], 0.5).value, 2)
})

test('what was not seen to end is longer than all that was', () => {
  assert.deepEqual(quantile(upTo(40, 100), 0.5), { value: null, low: 40, high: null })
  assert.deepEqual(quantile([null, null], 0.5), { value: null, low: null, high: null })
  assert.equal(quantile([null, 7, null, 5, 6], 0.5).value, 7)
})
