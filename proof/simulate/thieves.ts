// Three kinds of thief, each with a copy of the jar: when he presents what he holds. He loses no call and waits for no
// answer; what he is answered is the rule's affair.
import type { Habits } from './parameters.ts'
import { isAwake, nextSleep, type Person } from './person.ts'

export type Thief = {
  readonly name: string
  readonly says: string
  /** Whether he renews before his access token ends. */
  readonly renews: boolean
  /** How long after each new token that is sent to the owner he calls; null: he does not look. */
  readonly follows: number | null
  /** He calls only while the owner's machine sleeps. */
  readonly waitsForSleep: boolean
}

export const thieves = [
  { name: 'own-pace', says: 'at his own pace', renews: true, follows: null, waitsForSleep: false },
  { name: 'behind', says: 'always 3 s behind the owner', renews: false, follows: 3000, waitsForSleep: false },
  {
    name: 'asleep',
    says: 'only while the owner sleeps',
    renews: true,
    follows: null,
    waitsForSleep: true,
  },
] as const satisfies readonly Thief[]

export type ThiefName = (typeof thieves)[number]['name']

/** When he calls next if nothing else makes him; `wanted`: shortly before his access token ends. Never: Infinity. */
export function nextTry(thief: Thief, person: Person, wanted: number): number {
  if (!thief.renews) return Number.POSITIVE_INFINITY
  return thief.waitsForSleep ? momentAsleep(person, person.habits, wanted) : wanted
}

/** Short sleeps look like none to him. */
function momentAsleep(person: Person, { dozes }: Habits, wanted: number): number {
  let at = wanted
  while (at < Number.POSITIVE_INFINITY) {
    const sleep = nextSleep(person, at)
    const from = Math.max(at, sleep.from + dozes)
    if (from < sleep.to) return from
    if (sleep.to === Number.POSITIVE_INFINITY) break
    at = isAwake(person, at) ? sleep.to : Math.max(at, sleep.to)
  }
  return Number.POSITIVE_INFINITY
}
