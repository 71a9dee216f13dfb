// One person's week: when the machine is awake, when it changes networks, when the server restarts. Drawn before anything
// is sent, so it is the same under every rule.
import { type Device, day, type Habits, habits, week } from './parameters.ts'
import { chance, exponential, logUniform, moments, type Random, uniform, wholeNumber } from './random.ts'

export type Span = { readonly from: number; readonly to: number }

/** Times are milliseconds since Monday, midnight. */
export type Person = {
  readonly device: Device
  readonly habits: Habits
  readonly tabs: number
  /** In order, apart from each other. */
  readonly awake: readonly Span[]
  readonly handOvers: readonly number[]
  readonly deploys: readonly number[]
}

function drawDay(random: Random, of: Habits, midnight: number): readonly Span[] {
  const spans: Span[] = []
  const end = midnight + uniform(random, of.ends)
  let from = midnight + uniform(random, of.begins)
  while (from < end) {
    const to = from + of.stirring[0] + exponential(random, of.awake)
    spans.push({ from, to })
    const next = to + logUniform(random, of.asleep)
    if (chance(random, of.stirs)) {
      const stirs = uniform(random, [to + of.stirring[1], next - 2 * of.stirring[1]])
      spans.push({ from: stirs, to: stirs + uniform(random, of.stirring) })
    }
    from = next
  }
  return spans
}

export function drawPerson(random: Random): Person {
  const device = chance(random, habits.laptop.share) ? 'laptop' : 'phone'
  const of = habits[device]
  const tabs = wholeNumber(random, of.tabs)
  const awake: Span[] = []
  for (let weekday = 0; weekday < 7; weekday++) {
    const used = weekday < 5 || chance(random, of.weekend)
    const spans = used ? drawDay(random, of, weekday * day) : []
    // A long evening may run into the next morning, or beyond the week.
    const last = awake.at(-1)?.to ?? Number.NEGATIVE_INFINITY
    awake.push(...spans.filter(({ from, to }) => from > last && to < week))
  }
  return {
    device,
    habits: of,
    tabs,
    awake,
    handOvers: moments(random, of.handOver, week),
    deploys: moments(random, of.deploys, week),
  }
}

/** The last stretch awake that has begun by then: its place, -1 for none. */
export function stretchAt({ awake }: Person, at: number): number {
  let [low, high] = [0, awake.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((awake[middle]?.from ?? 0) <= at) low = middle + 1
    else high = middle
  }
  return low - 1
}

export const isAwake = (person: Person, at: number): boolean =>
  at < (person.awake[stretchAt(person, at)]?.to ?? Number.NEGATIVE_INFINITY)

/** The first moment awake, from then on; never again: Infinity. */
export const nextAwake = (person: Person, at: number): number =>
  isAwake(person, at) ? at : (person.awake[stretchAt(person, at) + 1]?.from ?? Number.POSITIVE_INFINITY)

/** The sleep that then is, or else the next one. */
export function nextSleep(person: Person, at: number): Span {
  const stretch = Math.max(0, stretchAt(person, at))
  return {
    from: person.awake[stretch]?.to ?? Number.POSITIVE_INFINITY,
    to: person.awake[stretch + 1]?.from ?? Number.POSITIVE_INFINITY,
  }
}

/** The first of these moments from `at` on; none: Infinity. */
export function nextOf(all: readonly number[], at: number): number {
  let [low, high] = [0, all.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((all[middle] ?? 0) < at) low = middle + 1
    else high = middle
  }
  return all[low] ?? Number.POSITIVE_INFINITY
}
