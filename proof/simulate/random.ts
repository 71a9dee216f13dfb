// Chance that repeats itself: streams of numbers from seeds, and the few shapes that a week is drawn in. Knows nothing of
// what is drawn.

/** The next number, at least 0 and below 1. */
export type Random = () => number

/** From an interval, both ends in the same unit. */
export type Range = readonly [from: number, to: number]

const mix = (a: number): number => {
  let h = a | 0
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}

/** One stream for each list of integers: the same list, the same stream, whatever else is drawn (sfc32). */
export function seeded(...seeds: readonly number[]): Random {
  let [a, b, c, count] = [0x9e3779b9, 0x243f6a88, 0xb7e15162, 1]
  for (const seed of seeds) {
    a = mix(a ^ seed)
    b = mix(b + a)
    c = mix(c ^ b)
  }
  const next = () => {
    const t = (a + b + count) | 0
    count = (count + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = ((c << 21) | (c >>> 11)) + t
    return (t >>> 0) / 4_294_967_296
  }
  for (let i = 0; i < 12; i++) next()
  return next
}

export const chance = (random: Random, share: number): boolean => random() < share

export const uniform = (random: Random, [from, to]: Range): number => from + random() * (to - from)

/** Integers, both ends included. */
export const wholeNumber = (random: Random, [from, to]: Range): number =>
  from + Math.floor(random() * (to - from + 1))

/** As many between 1 and 10 as between 10 and 100. */
export const logUniform = (random: Random, [from, to]: Range): number => from * (to / from) ** random()

export const exponential = (random: Random, mean: number): number => -mean * Math.log(1 - random())

export const logNormal = (random: Random, median: number, sigma: number): number =>
  median * Math.exp(sigma * Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()))

/** Moments of a steady rain of `mean` milliseconds between two, in order. */
export function moments(random: Random, mean: number, end: number): readonly number[] {
  const all: number[] = []
  for (let at = exponential(random, mean); at < end; at += exponential(random, mean)) all.push(at)
  return all
}
