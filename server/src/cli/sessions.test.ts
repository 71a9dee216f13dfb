// How an operator writes a moment.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Misuse } from '../core/fault.ts'
import { readMoment } from './sessions.ts'

const now = Date.UTC(2026, 5, 15, 12)

// [what is written, epoch milliseconds, or what is wrong with it]
const rows: [string, number | RegExp][] = [
  ['now', now],
  ['2026-06-15T12:00:00.000Z', now],
  ['2026-06-15T12:00Z', now],
  ['2026-06-15T14:00:00+02:00', now],
  ['2024-02-29T00:00:00.5Z', Date.UTC(2024, 1, 29) + 500],
  ['2026-06-15T12:00:00.001Z', /is yet to come.*Write now/],
  ['2062-06-15T12:00:00Z', /is yet to come/],
  ['2026-06-15T12:00:00', /is not a time.*Write it as 2026-06-15T12:00:00\.000Z, or now/],
  ['2026-06-15', /is not a time/],
  ['2026-02-30T00:00:00Z', /is not a time/],
  ['2025-02-29T00:00:00Z', /is not a time/],
  ['2026-13-01T00:00:00Z', /is not a time/],
  ['2026-06-15T25:00:00Z', /is not a time/],
  ['2026-06-15 12:00:00Z', /is not a time/],
  ['15/06/2026', /is not a time/],
  ['2h', /is not a time/],
  ['1781524800000', /is not a time/],
  ['Now', /is not a time/],
  ['', /is not a time/],
]

for (const [text, want] of rows) {
  test(`"${text}" is ${typeof want === 'number' ? want : `refused: ${want.source}`}`, () => {
    if (typeof want === 'number') assert.equal(readMoment(text, now), want)
    else
      assert.throws(
        () => readMoment(text, now),
        (error: unknown) => error instanceof Misuse && want.test(error.message),
      )
  })
}
