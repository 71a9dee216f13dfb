// How long a call and its answer are on their way, and what becomes of them when the network or the machine goes away
// meanwhile. Knows what is carried as little as a wire does.
import type { Weather } from './parameters.ts'
import { nextOf, nextSleep, type Person } from './person.ts'
import { chance, logNormal, logUniform, type Random, uniform } from './random.ts'

const never = Number.POSITIVE_INFINITY

/** Moments; Infinity: never. */
export type Journey = {
  /** The server reads the call. */
  readonly reachesAt: number
  /** The server was restarting: it decides nothing. */
  readonly undecided: boolean
  /** The answer is in the browser: its cookies are in the jar. */
  readonly arrivesAt: number
  /** The tab knows that it should try again, if nothing has arrived. */
  readonly noticesAt: number
}

function drawLeg(random: Random, { habits }: Person, { bound, roughness }: Weather): number {
  if (chance(random, habits.lost)) return never
  const plain = logNormal(random, habits.leg, habits.spread)
  const leg = plain + (chance(random, habits.held * roughness) ? logUniform(random, habits.holding) : 0)
  return leg > bound ? never : leg
}

/** Moments of a way that a sleep cuts short, if the machine holds it until it wakes. */
type Cut = { readonly from: number; readonly asleepAt: number; readonly leg: number }

/** When it gets there after all; the connection may be gone by then, or the bound passed. */
function afterSleep(person: Person, { bound }: Weather, { from, asleepAt, leg }: Cut): number {
  const sleep = nextSleep(person, asleepAt)
  const at = sleep.to + leg
  return sleep.to - sleep.from > person.habits.keeps || at - from > bound ? never : at
}

/** Sent at `at`, while awake. */
export function drawJourney(random: Random, person: Person, weather: Weather, at: number): Journey {
  const { habits, deploys, handOvers } = person
  const handOver = nextOf(handOvers, at)
  const sleep = nextSleep(person, at).from
  const there = drawLeg(random, person, weather)
  const back = drawLeg(random, person, weather)

  let reachesAt = at + there
  let dies = never
  if (handOver < reachesAt && reachesAt < never && !chance(random, habits.handOverSends)) reachesAt = never
  else if (handOver < reachesAt + back) dies = handOver
  const holds = habits.sleepHolds * weather.roughness
  if (sleep < reachesAt && reachesAt < never && chance(random, holds))
    reachesAt = afterSleep(person, weather, { from: at, asleepAt: sleep, leg: there })

  const undecided = nextOf(deploys, reachesAt - habits.restart) <= reachesAt && reachesAt < never
  const killed = !undecided && nextOf(deploys, reachesAt) < reachesAt + habits.dying
  let arrivesAt = killed || dies < never ? never : reachesAt + back
  if (arrivesAt < never && nextSleep(person, reachesAt).from < arrivesAt) {
    const cut = { from: reachesAt, asleepAt: reachesAt, leg: back }
    arrivesAt = chance(random, holds) ? afterSleep(person, weather, cut) : never
  }

  const gone = handOver < arrivesAt ? handOver + uniform(random, habits.reconnects) : never
  return { reachesAt, undecided, arrivesAt, noticesAt: Math.min(at + habits.patience, gone) }
}
