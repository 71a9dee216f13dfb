import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readRequestedHeaders } from './preflight.ts'

const requested: readonly [sentence: string, text: string | undefined, want: string | undefined][] = [
  ['nothing asked, nothing granted', undefined, ''],
  ['names are granted as they were asked for', 'content-type,x-csrf-token', 'content-type, x-csrf-token'],
  ['what is no token is refused', 'content-type, x y', undefined],
  ['a line break is refused', 'x\r\nset-cookie: a=b', undefined],
  ['an empty name is refused', 'a,,b', undefined],
  ['2 KiB are granted', 'x'.repeat(2048), 'x'.repeat(2048)],
  ['more are refused', 'x'.repeat(2049), undefined],
]

for (const [sentence, text, want] of requested) {
  test(`preflight: ${sentence}`, () => assert.equal(readRequestedHeaders(text), want))
}

test('16 KiB of commas and spaces cost nothing', () => {
  const before = process.threadCpuUsage()
  for (const part of [',', ' ', ', ', '\t,', 'a ,']) readRequestedHeaders(part.repeat(16_384 / part.length))
  const { user, system } = process.threadCpuUsage(before)
  // Microseconds of this thread's own: what else runs on the machine is not counted.
  assert.ok(user + system < 100_000, `${user + system}`)
})
