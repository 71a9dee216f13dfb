// Everything that a simulated week assumes, as one table: the weeks are drawn from it and the report prints it. A row says
// the same of laptops and of phones, or something of each.
import type { Range } from './random.ts'

const second = 1000
const minute = 60 * second
const hour = 60 * minute
export const day = 24 * hour
export const week = 7 * day

/** Spans are milliseconds. */
type Row<Value> = { readonly says: string; readonly laptop: Value; readonly phone: Value }

const both = <Value>(says: string, value: Value): Row<Value> => ({ says, laptop: value, phone: value })
const each = <Value>(says: string, laptop: Value, phone: Value): Row<Value> => ({ says, laptop, phone })
const range = (from: number, to: number): Range => [from, to]

export const parameters = {
  share: each('share of the browsers', 0.65, 0.35),
  tabs: each('tabs that share one jar', range(1, 5), range(1, 3)),
  weekend: each('chance of being used on a Saturday, and on a Sunday', 0.6, 1),
  begins: each('first use of a day, after midnight', range(7 * hour, 10 * hour), range(6 * hour, 9 * hour)),
  ends: each('last use of a day, after midnight', range(17 * hour, 23 * hour), range(21 * hour, 23.5 * hour)),
  awake: each('time awake at a stretch, exponential, mean', 60 * minute, 4 * minute),
  asleep: each(
    'time asleep between, log-uniform',
    range(3 * minute, 3 * hour),
    range(2 * minute, 90 * minute),
  ),
  stirs: both('chance that a sleep is broken once by a short waking', 0.2),
  stirring: both('such a waking', range(5 * second, 45 * second)),
  together: both('after waking every tab refreshes within', 300),
  access: both('life of an access token', 10 * minute),
  accessJitter: both('… which is up to this much shorter', 0.05),
  margin: both('a tab refreshes before the end of its access token, by itself, by', minute),
  patience: both(
    'a tab without an answer tries again after this; the cookies of an answer that still comes are taken',
    15 * second,
  ),
  backOff: both('its pause before, doubled each time, half of it by chance', range(second, 30 * second)),
  signIn: both(
    'a person who was signed out signs in again after, log-uniform',
    range(10 * second, 3 * minute),
  ),
  leg: each('a way there or back, log-normal, median', 60, 150),
  spread: both('… and sigma of its logarithm', 1),
  lost: both('each way loses this share, so 5 % of the calls get no answer', 0.0253),
  held: both('share of the ways on which something holds the call or the answer up', 0.0005),
  holding: both('… for, log-uniform', range(second, 10 * minute)),
  sleepHolds: both(
    'falling asleep holds this share of the calls and answers under way until waking; of the rest, calls go on and answers are lost',
    0.1,
  ),
  keeps: both('… but after so long a sleep the connection is gone', 15 * minute),
  handOver: each(
    'time awake between two hand-overs to another network, exponential, mean',
    8 * hour,
    hour / 2,
  ),
  handOverSends: both('a hand-over loses what is under way; this share of the calls has got through', 0.5),
  reconnects: both('after it a tab tries again after', range(second, 5 * second)),
  deploys: both('time between two restarts of the server, exponential, mean', 1.4 * day),
  restart: both('a restart answers nothing, or 503, for', 8 * second),
  dying: both('what was decided in this time before a restart gets no answer', second),
  copied: both('a thief copies the jar at a random moment awake in the first', 3 * day),
  dozes: both('a thief who waits for the owner to sleep begins after', 5 * minute),
} as const satisfies Record<string, Row<number | Range>>

export type Device = 'laptop' | 'phone'
export type Habits = { readonly [Name in keyof typeof parameters]: (typeof parameters)[Name][Device] }

const column = (device: Device): Habits =>
  Object.fromEntries(Object.entries(parameters).map(([name, row]) => [name, row[device]])) as Habits

export const habits: Readonly<Record<Device, Habits>> = { laptop: column('laptop'), phone: column('phone') }

export type Weather = {
  readonly says: string
  /** What would take longer on one way is lost instead. */
  readonly bound: number
  /** So many times as much is held up, on the way and by sleep. */
  readonly roughness: number
}

export const weathers = {
  within: {
    says: 'each way there or back takes a minute at most, or never ends',
    bound: minute,
    roughness: 1,
  },
  delayed: { says: 'some take longer, as the list says', bound: Number.POSITIVE_INFINITY, roughness: 1 },
  rough: {
    says: 'ten times as much is held up, and sleep holds everything that is under way',
    bound: Number.POSITIVE_INFINITY,
    roughness: 10,
  },
} as const satisfies Record<string, Weather>

export type WeatherName = keyof typeof weathers
export const weatherNames: readonly WeatherName[] = ['within', 'delayed', 'rough']

const spans = [
  [day, 'd'],
  [hour, 'h'],
  [minute, 'min'],
  [second, 's'],
] as const

/** `90 s` as `1.5 min`: in the largest unit that gives at least one, to three digits. */
export function span(milliseconds: number): string {
  const [size, unit] = spans.find(([size]) => milliseconds >= size * 0.9995) ?? [1, 'ms']
  return `${Number((milliseconds / size).toPrecision(3))} ${unit}`
}

const counts: readonly string[] = ['tabs']
const shares: readonly string[] = [
  'share',
  'weekend',
  'stirs',
  'accessJitter',
  'lost',
  'held',
  'sleepHolds',
  'handOverSends',
]

function inWords(name: string, of: number | Range): string {
  if (typeof of !== 'number') {
    const [from, to] = of.map(end => inWords(name, end))
    return `${from} to ${to}`
  }
  if (shares.includes(name)) return `${Number((of * 100).toPrecision(3))} %`
  return counts.includes(name) || name === 'spread' ? String(of) : span(of)
}

/** For people. */
export type Assumption = { readonly what: string; readonly value: string }

export const assumptions = (): readonly Assumption[] =>
  Object.entries(parameters).map(([name, { says, laptop, phone }]) => {
    const [a, b] = [inWords(name, laptop), inWords(name, phone)]
    return { what: says, value: a === b ? a : `laptop ${a}, phone ${b}` }
  })
