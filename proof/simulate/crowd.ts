// Many browsers under one rule: each browser's person, chances and theft come from the seed and its own number alone, so
// it lives the same week whatever runs around it, and every rule meets the same people.
import { parameters, type WeatherName, weatherNames, weathers } from './parameters.ts'
import { drawPerson, type Person } from './person.ts'
import { type Random, seeded, uniform } from './random.ts'
import type { Rule } from './rules.ts'
import { type Thief, type ThiefName, thieves } from './thieves.ts'
import { liveAWeek } from './week.ts'

/** One entry to a browser. */
export type Crowd = {
  readonly signOuts: Readonly<Record<WeatherName, readonly number[]>>
  /** Milliseconds; null: he still has access at the week's end. */
  readonly thiefLives: Readonly<Record<ThiefName, readonly (number | null)[]>>
}

/** As it is filled, one browser after the other. */
type Filling = {
  readonly signOuts: Record<WeatherName, number[]>
  readonly thiefLives: Record<ThiefName, (number | null)[]>
}

const openCrowd = (): Filling => ({
  signOuts: { within: [], delayed: [], rough: [] },
  thiefLives: { 'own-pace': [], behind: [], asleep: [] },
})

/** In the order given. */
export function joinCrowds(crowds: readonly Crowd[]): Crowd {
  const all = openCrowd()
  for (const { signOuts, thiefLives } of crowds) {
    for (const name of weatherNames) all.signOuts[name].push(...signOuts[name])
    for (const { name } of thieves) all.thiefLives[name].push(...thiefLives[name])
  }
  return all
}

export type Numbers = { readonly from: number; readonly to: number }

/** A moment awake, all alike, in the first days. */
function drawCopy(random: Random, { awake }: Person): number {
  const early = awake
    .map(({ from, to }) => ({ from, to: Math.min(to, parameters.copied.laptop) }))
    .filter(({ from, to }) => from < to)
  const whole = early.reduce((sum, { from, to }) => sum + to - from, 0)
  let left = uniform(random, [0, whole])
  for (const { from, to } of early) {
    if (left < to - from) return from + left
    left -= to - from
  }
  return parameters.copied.laptop
}

/** Each use of chance has a stream of its own. */
const streams = { person: 1, calls: 2, theft: 3, thief: 4 }

/** `to` is not among them. */
export function liveTogether(rule: Rule, seed: number, { from, to }: Numbers): Crowd {
  const crowd = openCrowd()
  for (let browser = from; browser < to; browser++) {
    const stream = (of: keyof typeof streams) => seeded(seed, browser, streams[of])
    const person = drawPerson(stream('person'))
    const copiesAt = drawCopy(stream('theft'), person)
    const live = (weather: WeatherName, thief?: Thief) =>
      liveAWeek({
        person,
        rule,
        weather: weathers[weather],
        random: stream('calls'),
        ...(thief && { theft: { thief, copiesAt, random: stream('thief') } }),
      })
    for (const weather of weatherNames) crowd.signOuts[weather].push(live(weather).signOuts)
    for (const thief of thieves) crowd.thiefLives[thief.name].push(live('delayed', thief).thiefLife)
  }
  return crowd
}
