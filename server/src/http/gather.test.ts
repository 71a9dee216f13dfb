import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openGathering } from './gather.ts'

const bytes = (length: number, value = 7) => new Uint8Array(length).fill(value)

const rows: readonly [sentence: string, most: number, pieces: readonly number[], want: number | undefined][] =
  [
    ['nothing came', 9, [], 0],
    ['one piece', 9, [5], 5],
    ['to the last byte', 9, [5, 4], 9],
    ['a byte more', 9, [5, 5], undefined],
    ['a piece larger than all', 9, [10], undefined],
    ['more than the first guess', 65_536, [1000, 1000, 60_000, 3536], 65_536],
    ['as many pieces as may be', 65_536, Array(1024).fill(1), 1024],
    ['a piece too many', 65_536, Array(1025).fill(1), undefined],
  ]

for (const [sentence, most, pieces, want] of rows) {
  test(`a body in pieces: ${sentence}`, () => {
    const gathering = openGathering(most)
    const taken = pieces.map((length, i) => gathering.add(bytes(length, i % 251)))
    assert.equal(
      taken.every(each => each),
      want !== undefined,
    )
    if (want === undefined) return
    const expected = Buffer.concat(pieces.map((length, i) => bytes(length, i % 251)))
    assert.deepEqual(Buffer.from(gathering.bytes()), expected)
  })
}

test('a piece is copied: whoever sent it may use its memory again', () => {
  const gathering = openGathering(9)
  const piece = bytes(3)
  gathering.add(piece)
  piece.fill(0)
  assert.deepEqual([...gathering.bytes()], [7, 7, 7])
})
