// Intervals: how far a figure may be from the truth, 95 times in 100. Knows nothing of what was counted.

/** Standard deviations that hold 95 % of a normal distribution. */
const z = 1.959963984540054

export type Interval = { readonly low: number; readonly high: number }

const logFactorials = [0, 0]

/** ln k!, exact for small k, by Stirling's series beyond. */
function logFactorial(k: number): number {
  if (k > 255) return k * Math.log(k) - k + Math.log(2 * Math.PI * k) / 2 + 1 / (12 * k) - 1 / (360 * k ** 3)
  while (logFactorials.length <= k) {
    logFactorials.push((logFactorials.at(-1) ?? 0) + Math.log(logFactorials.length))
  }
  return logFactorials[k] ?? 0
}

/** The chance of at most `k` where `mean` are expected, or of at least `k`, summed from `k` outwards. */
function poissonTail(k: number, mean: number, towards: 'most' | 'least'): number {
  let term = Math.exp(k * Math.log(mean) - mean - logFactorial(k))
  let sum = term
  for (let i = k; term > sum * 1e-16 && (towards === 'least' || i > 0); ) {
    if (towards === 'most') term *= i-- / mean
    else term *= mean / ++i
    sum += term
  }
  return sum
}

function bisect(low: number, high: number, isTooLow: (middle: number) => boolean): number {
  let [from, to] = [low, high]
  for (let i = 0; i < 100; i++) {
    const middle = (from + to) / 2
    if (isTooLow(middle)) from = middle
    else to = middle
  }
  return (from + to) / 2
}

/** The exact interval of a count (Garwood 1936). Of nothing counted, the upper end is 3.69. */
export function poissonInterval(count: number): Interval {
  const far = count + 10 * Math.sqrt(count + 1) + 10
  return {
    low: count === 0 ? 0 : bisect(0, count, mean => poissonTail(count, mean, 'least') < 0.025),
    high: bisect(count, far, mean => poissonTail(count, mean, 'most') > 0.025),
  }
}

/** The interval of a share (Wilson 1927): `of` at least 1. */
export function wilsonInterval(count: number, of: number): Interval {
  const share = count / of
  const middle = (share + z ** 2 / (2 * of)) / (1 + z ** 2 / of)
  const half = (z / (1 + z ** 2 / of)) * Math.sqrt((share * (1 - share)) / of + z ** 2 / (4 * of ** 2))
  return {
    low: count === 0 ? 0 : Math.max(0, middle - half),
    high: count === of ? 1 : Math.min(1, middle + half),
  }
}

/**
 * The interval of a sum of counts, one for each person. People differ, and one bad week has many: the wider of the exact
 * interval of a count and the normal one of a mean.
 */
export function sumInterval(counts: readonly number[]): Interval {
  const sum = counts.reduce((all, count) => all + count, 0)
  const mean = sum / counts.length
  const variance =
    counts.reduce((all, count) => all + (count - mean) ** 2, 0) / Math.max(1, counts.length - 1)
  const half = z * Math.sqrt(variance * counts.length)
  const exact = poissonInterval(sum)
  return { low: Math.max(0, Math.min(exact.low, sum - half)), high: Math.max(exact.high, sum + half) }
}

/** A value, and null for one beyond what was watched. */
export type Quantile = {
  readonly value: number | null
  readonly low: number | null
  readonly high: number | null
}

/**
 * The value that a share of them does not exceed, with an interval by ranks, which supposes no distribution. Null values
 * are greater than all others. `values` is not empty.
 */
export function quantile(values: readonly (number | null)[], share: number): Quantile {
  const sorted = values.toSorted(
    (a, b) => (a ?? Number.POSITIVE_INFINITY) - (b ?? Number.POSITIVE_INFINITY) || 0,
  )
  const at = (rank: number) => sorted[Math.min(sorted.length, Math.max(1, rank)) - 1] ?? null
  const rank = sorted.length * share
  const half = z * Math.sqrt(rank * (1 - share))
  return {
    value: at(Math.ceil(rank)),
    low: at(Math.floor(rank - half)),
    high: at(Math.ceil(rank + half) + 1),
  }
}
