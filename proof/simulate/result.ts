// What a simulation found, as it is kept in proof/simulation.json: counts, figures with their intervals, and all that was
// assumed. Prints nothing.
import type { Crowd } from './crowd.ts'
import { type Assumption, assumptions, type WeatherName, weatherNames, weathers } from './parameters.ts'
import { type Rule, rules } from './rules.ts'
import { poissonInterval, type Quantile, quantile, sumInterval, wilsonInterval } from './statistics.ts'
import { type ThiefName, thieves } from './thieves.ts'

/** Spurious sign-outs per 1000 person-weeks, and how many were counted. */
export type SignOuts = {
  readonly counted: number
  readonly per1000: number
  readonly low: number
  readonly high: number
}

/** Milliseconds from the copy on; null: longer than the week. */
export type ThiefLife = {
  readonly median: Quantile
  readonly p99: Quantile
  /** How many still had access at the week's end; shares from 0 to 1. */
  readonly neverFound: {
    readonly counted: number
    readonly share: number
    readonly low: number
    readonly high: number
  }
}

export type RuleResult = {
  readonly rule: string
  readonly title: string
  readonly says: string
  readonly signOuts: Readonly<Record<WeatherName, SignOuts>>
  readonly thieves: Readonly<Record<ThiefName, ThiefLife>>
  /** Sign-outs of the first browsers in the rough: what the code gives today can be held to them. */
  readonly firstOnes: string
}

export type Result = {
  readonly command: string
  readonly seed: number
  /** Person-weeks to a rule and weather, and thieves to a rule and kind. */
  readonly browsers: number
  readonly assumptions: readonly Assumption[]
  readonly weathers: Readonly<Record<WeatherName, string>>
  readonly rules: readonly RuleResult[]
}

function countSignOuts(counts: readonly number[]): SignOuts {
  const counted = counts.reduce((sum, count) => sum + count, 0)
  const { low, high } = counted === 0 ? poissonInterval(0) : sumInterval(counts)
  const per1000 = (count: number) => (count / counts.length) * 1000
  return { counted, per1000: per1000(counted), low: per1000(low), high: per1000(high) }
}

function measureLives(lives: readonly (number | null)[]): ThiefLife {
  const counted = lives.filter(life => life === null).length
  return {
    median: quantile(lives, 0.5),
    p99: quantile(lives, 0.99),
    neverFound: { counted, share: counted / lives.length, ...wilsonInterval(counted, lives.length) },
  }
}

const record = <Name extends string, Value>(names: readonly Name[], of: (name: Name) => Value) =>
  Object.fromEntries(names.map(name => [name, of(name)])) as Record<Name, Value>

export const summarize = ({ name, title, says }: Rule, crowd: Crowd): RuleResult => ({
  rule: name,
  title,
  says,
  signOuts: record(weatherNames, weather => countSignOuts(crowd.signOuts[weather])),
  thieves: record(
    thieves.map(thief => thief.name),
    thief => measureLives(crowd.thiefLives[thief]),
  ),
  firstOnes: crowd.signOuts.rough.slice(0, 20).join(' '),
})

/** `found` in the order of the rules. */
export function resultOf(seed: number, browsers: number, found: readonly RuleResult[]): Result {
  const part = found.length === rules.length ? '' : ` --rules ${found.map(({ rule }) => rule).join(',')}`
  return {
    command: `npm run simulate -- --browsers ${browsers} --seed ${seed}${part}`,
    seed,
    browsers,
    assumptions: assumptions(),
    weathers: record(weatherNames, name => weathers[name].says),
    rules: found,
  }
}
