// How Pydantic prints a naive time.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { writeNaiveTime } from './fastapi-production.ts'

const times: readonly [string, number, string][] = [
  ['six digits of a second', Date.UTC(2026, 0, 2, 3, 4, 5, 678), '2026-01-02T03:04:05.678000'],
  ['no fraction when the second is whole', Date.UTC(2026, 0, 2, 3, 4, 5), '2026-01-02T03:04:05'],
  ['leading zeros of a fraction stay', Date.UTC(2026, 0, 2, 3, 4, 5, 7), '2026-01-02T03:04:05.007000'],
  ['trailing zeros of a fraction stay', Date.UTC(2026, 0, 2, 3, 4, 5, 100), '2026-01-02T03:04:05.100000'],
]

for (const [sentence, at, want] of times) {
  test(`a naive time has ${sentence}`, () => assert.equal(writeNaiveTime(at), want))
}
