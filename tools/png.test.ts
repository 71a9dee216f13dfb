// Pictures in true colour are made here by hand, one row for each of the filters, because no browser writes all of them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crc32, deflateSync, inflateSync } from 'node:zlib'
import { readPng, writePng } from './png.ts'

const chunk = (type: string, data: Buffer): Buffer => {
  const body = Buffer.concat([Buffer.from(type), data])
  const tail = Buffer.alloc(4)
  tail.writeUInt32BE(crc32(body))
  const length = Buffer.alloc(4)
  length.writeUInt32BE(data.length)
  return Buffer.concat([length, body, tail])
}

const png = (width: number, height: number, colour: 2 | 6, rows: readonly (readonly number[])[]): Buffer => {
  const head = Buffer.alloc(13)
  head.writeUInt32BE(width, 0)
  head.writeUInt32BE(height, 4)
  head.set([8, colour, 0, 0, 0], 8)
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', head),
    chunk('IDAT', deflateSync(Buffer.from(rows.flat()))),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

test('every filter is undone', () => {
  // Each row says 010203 040506 in its own way.
  const rows = [
    [0, 1, 2, 3, 4, 5, 6],
    [1, 1, 2, 3, 3, 3, 3],
    [2, 0, 0, 0, 0, 0, 0],
    [3, 1, 1, 2, 2, 2, 2],
    [4, 0, 0, 0, 0, 0, 0],
  ]
  const { width, height, pixels } = readPng(png(2, 5, 2, rows))
  assert.deepEqual([width, height], [2, 5])
  assert.deepEqual([...pixels], Array(5).fill([0x010203, 0x040506]).flat())
})

test('transparency is let go', () => {
  assert.deepEqual([...readPng(png(1, 1, 6, [[0, 9, 8, 7, 255]])).pixels], [0x090807])
})

test('what is no PNG of true colour is refused', () => {
  assert.throws(() => readPng(png(1, 1, 3 as 2, [[0, 0]])), /unusual/)
})

/** The colours of a picture with a palette, as its bytes say them. */
function coloursOf(written: Buffer, count: number): number[] {
  const at = (type: string) => {
    const start = written.indexOf(type, 0, 'latin1')
    return written.subarray(start + 4, start + 4 + written.readUInt32BE(start - 4))
  }
  const palette = at('PLTE')
  return [...inflateSync(at('IDAT')).subarray(1, count + 1)].map(index => palette.readUIntBE(index * 3, 3))
}

test('a few colours are kept exactly', () => {
  const pixels = Uint32Array.of(0xff0000, 0x00ff00, 0xff0000, 0x0000ff)
  assert.deepEqual(coloursOf(writePng({ width: 4, height: 1, pixels }), 4), [...pixels])
})

test('of many colours the rare ones become their nearest', () => {
  // 256 frequent grays, and a blue that is all but black.
  const grays = Array.from({ length: 256 }, (_, i) => (i << 16) | (i << 8) | i)
  const pixels = Uint32Array.from([...grays, ...grays, 0x000001])
  const colours = coloursOf(writePng({ width: pixels.length, height: 1, pixels }), pixels.length)
  assert.deepEqual(colours, [...grays, ...grays, 0x000000])
})
