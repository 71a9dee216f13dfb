// Makes screenshots small: a PNG in true colour becomes one with a palette of its 256 most frequent colours (PNG, third
// edition, §9 filters, §11.2.2 PLTE). Knows nothing of what a picture shows.
import { crc32, deflateSync, inflateSync } from 'node:zlib'

const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])

/** What each of the colour types without palette has for a pixel, in bytes. */
const bytesOf: Readonly<Record<number, number>> = { 2: 3, 6: 4 }

export type Picture = {
  readonly width: number
  readonly height: number
  /** A pixel each, as 0xRRGGBB, row by row. Transparency is not kept. */
  readonly pixels: Uint32Array
}

function chunksOf(png: Buffer): readonly { type: string; data: Buffer }[] {
  const chunks: { type: string; data: Buffer }[] = []
  for (let at = signature.length; at < png.length; ) {
    const length = png.readUInt32BE(at)
    chunks.push({
      type: png.toString('latin1', at + 4, at + 8),
      data: png.subarray(at + 8, at + 8 + length),
    })
    at += 12 + length
  }
  return chunks
}

/** The byte that each of the five filters expects, of its neighbours left, above, and above left. */
const expected = [
  () => 0,
  (left: number) => left,
  (_: number, above: number) => above,
  (left: number, above: number) => (left + above) >> 1,
  (left: number, above: number, corner: number) => {
    const guess = left + above - corner
    const [a, b, c] = [Math.abs(guess - left), Math.abs(guess - above), Math.abs(guess - corner)]
    if (a <= b && a <= c) return left
    return b <= c ? above : corner
  },
] as const

/** Reads true colour with eight bits, not interlaced, as browsers write it. Throws for any other. */
export function readPng(png: Buffer): Picture {
  const chunks = chunksOf(png)
  const head = chunks.find(({ type }) => type === 'IHDR')?.data
  const size = bytesOf[head?.[9] ?? 0]
  if (head?.[8] !== 8 || size === undefined || head[12] !== 0) throw new Error('An unusual PNG')
  const [width, height] = [head.readUInt32BE(0), head.readUInt32BE(4)]
  const packed = chunks.filter(({ type }) => type === 'IDAT').map(({ data }) => data)
  const raw = inflateSync(Buffer.concat(packed))
  const stride = width * size
  const bytes = Buffer.alloc(height * stride)
  const at = (x: number, y: number) => (x < 0 || y < 0 ? 0 : (bytes[y * stride + x] ?? 0))
  for (let y = 0; y < height; y++) {
    const filter = expected[raw[y * (stride + 1)] ?? 0] ?? expected[0]
    for (let x = 0; x < stride; x++) {
      const by = filter(at(x - size, y), at(x, y - 1), at(x - size, y - 1))
      bytes[y * stride + x] = ((raw[y * (stride + 1) + 1 + x] ?? 0) + by) & 255
    }
  }
  const pixels = Uint32Array.from({ length: width * height }, (_, i) => bytes.readUIntBE(i * size, 3))
  return { width, height, pixels }
}

const mostColours = 256

const apart = (a: number, b: number): number =>
  [16, 8, 0].reduce((sum, shift) => sum + (((a >> shift) & 255) - ((b >> shift) & 255)) ** 2, 0)

/** Which colour of the palette stands for each colour of the picture: itself, or the nearest. */
function reduce(pixels: Uint32Array): { palette: readonly number[]; indexOf: ReadonlyMap<number, number> } {
  const counts = new Map<number, number>()
  for (const pixel of pixels) counts.set(pixel, (counts.get(pixel) ?? 0) + 1)
  const byCount = [...counts.keys()].sort((a, b) => (counts.get(b) ?? 0) - (counts.get(a) ?? 0) || a - b)
  const palette = byCount.slice(0, mostColours)
  const nearest = (colour: number) =>
    palette.reduce((best, each, i) => (apart(each, colour) < apart(palette[best] ?? 0, colour) ? i : best), 0)
  return { palette, indexOf: new Map(byCount.map(colour => [colour, nearest(colour)])) }
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)]
  length.writeUInt32BE(data.length)
  check.writeUInt32BE(crc32(body))
  return Buffer.concat([length, body, check])
}

/** The same bytes for the same picture. */
export function writePng({ width, height, pixels }: Picture): Buffer {
  const { palette, indexOf } = reduce(pixels)
  const head = Buffer.alloc(13)
  head.writeUInt32BE(width, 0)
  head.writeUInt32BE(height, 4)
  // Eight bits, by palette.
  head.set([8, 3, 0, 0, 0], 8)
  const colours = Buffer.from(palette.flatMap(each => [each >> 16, (each >> 8) & 255, each & 255]))
  // Behind the filter of each row, which is none.
  const rows = Buffer.alloc(height * (width + 1))
  for (const [i, pixel] of pixels.entries()) {
    rows[Math.floor(i / width) * (width + 1) + 1 + (i % width)] = indexOf.get(pixel) ?? 0
  }
  return Buffer.concat([
    signature,
    chunk('IHDR', head),
    chunk('PLTE', colours),
    chunk('IDAT', deflateSync(rows, { level: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ])
}
