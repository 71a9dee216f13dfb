// One browser's week under one rule: tabs that renew by themselves, a person who signs in again when told to, and a thief
// or none. Counts what happens; decides nothing that a server decides.
import { drawJourney } from './journey.ts'
import { type Weather, week } from './parameters.ts'
import { isAwake, nextAwake, type Person } from './person.ts'
import { openQueue } from './queue.ts'
import { logUniform, type Random, uniform } from './random.ts'
import { Robbery, type Theft } from './robbery.ts'
import type { Cookies, Rule, Server, Verdict } from './rules.ts'

export type Lived = {
  /** Refreshes that were refused though nobody had signed out; each once, until the person has signed in again. */
  readonly signOuts: number
  /** Milliseconds from the copy until the last moment at which the thief was let in; null: he still is at the week's end, or there is no thief. */
  readonly thiefLife: number | null
}

export type Week = {
  readonly person: Person
  readonly rule: Rule
  readonly weather: Weather
  readonly random: Random
  readonly theft?: Theft
}

export function liveAWeek(week: Week): Lived {
  const browser = new Browser(week)
  browser.live()
  return { signOuts: browser.signOuts, thiefLife: browser.robbery?.life ?? null }
}

/** `turn` moves on when an answer, a time-out, a waking or a sign-in makes what was planned before meaningless. */
type Tab = { turn: number; failures: number }
type Answer = Verdict | { readonly is: 'undecided' }
/** A call under way; `turn` is its tab's, while that still waits for it. */
type Call = { readonly tab: Tab; readonly turn: number }

class Browser {
  signOuts = 0
  readonly robbery: Robbery | undefined
  readonly #week: Week
  readonly #queue = openQueue()
  readonly #server: Server
  readonly #tabs: readonly Tab[]
  #jar: Cookies = {}
  #accessEndsAt = 0
  /** Told that nobody is signed in; the tabs rest until somebody is. */
  #out = true

  constructor(week: Week) {
    this.#week = week
    this.#server = week.rule.open()
    this.#tabs = Array.from({ length: week.person.tabs }, () => ({ turn: 0, failures: 0 }))
    this.robbery = week.theft && new Robbery(week.theft, week.person, this.#server, this.#queue)
  }

  live(): void {
    const { robbery } = this
    this.#queue.at(nextAwake(this.#week.person, 0), () => this.#signIn())
    this.#planWaking(1)
    // Who is signed out then has nothing to copy until the next sign-in.
    if (robbery)
      this.#queue.at(robbery.copiesAt, () => this.#out || robbery.copy(this.#jar, this.#accessEndsAt))
    this.#queue.live(week, () => robbery?.isOver() ?? false)
  }

  #signIn(): void {
    const { random, person } = this.#week
    const now = this.#queue.now()
    this.#jar = this.#server.signIn(this.#jar, now)
    this.#out = false
    this.#accessEndsAt = this.#newAccess()
    const { access, accessJitter } = person.habits
    for (const tab of this.#tabs)
      this.#renewBefore(tab, this.#accessEndsAt - access * accessJitter * random())
    if (this.robbery && now >= this.robbery.copiesAt) this.robbery.copy(this.#jar, this.#accessEndsAt)
  }

  #planWaking(stretch: number): void {
    const { random, person } = this.#week
    const from = person.awake[stretch]?.from
    if (from === undefined) return
    this.#queue.at(from, () => {
      for (const tab of this.#tabs)
        this.#plan(tab, from + person.habits.together * random(), () => this.#send(tab))
      this.#planWaking(stretch + 1)
    })
  }

  #newAccess(): number {
    const { access, accessJitter } = this.#week.person.habits
    return this.#queue.now() + access * (1 - accessJitter * this.#week.random())
  }

  /** Happens only if nothing has overtaken it. */
  #plan(tab: Tab, at: number, act: () => void): void {
    const turn = ++tab.turn
    this.#queue.at(at, () => {
      if (tab.turn === turn) act()
    })
  }

  #renewBefore(tab: Tab, endsAt: number): void {
    tab.failures = 0
    const at = Math.max(this.#queue.now() + 1, endsAt - this.#week.person.habits.margin)
    this.#plan(tab, at, () => this.#send(tab))
  }

  #tryAgain(tab: Tab, at: number): void {
    const [least, most] = this.#week.person.habits.backOff
    const pause = Math.min(most, least * 2 ** tab.failures++) * uniform(this.#week.random, [0.5, 1])
    this.#plan(tab, at + pause, () => this.#send(tab))
  }

  #send(tab: Tab): void {
    const { random, person, weather } = this.#week
    const now = this.#queue.now()
    if (this.#out || !isAwake(person, now)) return
    const carried = this.#jar
    const journey = drawJourney(random, person, weather, now)
    if (journey.arrivesAt < journey.noticesAt) tab.turn++
    else this.#tryAgain(tab, journey.noticesAt)
    const call: Call = { tab, turn: tab.turn }
    this.#queue.at(journey.reachesAt, () => {
      const answer: Answer = journey.undecided
        ? { is: 'undecided' }
        : this.#server.refresh(carried, this.#queue.now())
      if (answer.is === 'renewed') this.robbery?.onOwnersRenewal(answer.refresh.n)
      const endsAt = this.#newAccess()
      this.#queue.at(journey.arrivesAt, () => this.#arrive(call, answer, endsAt))
    })
  }

  /** Cookies are taken whenever they come; the script listens only to the call that it still waits for. */
  #arrive({ tab, turn }: Call, answer: Answer, endsAt: number): void {
    if (answer.is === 'renewed') this.#jar = { ...this.#jar, refresh: answer.refresh }
    if (answer.is === 'refused' && this.#week.rule.refusalClears) this.#jar = {}
    const good = answer.is === 'renewed' || answer.is === 'access'
    if (good) this.#accessEndsAt = endsAt
    if (tab.turn !== turn) return
    if (good) this.#renewBefore(tab, endsAt)
    else if (answer.is === 'undecided') this.#tryAgain(tab, this.#queue.now())
    else this.#signedOut()
  }

  #signedOut(): void {
    const { random, person } = this.#week
    this.signOuts++
    this.#out = true
    for (const tab of this.#tabs) tab.turn++
    const ready = this.#queue.now() + logUniform(random, person.habits.signIn)
    this.#queue.at(nextAwake(person, ready), () => this.#signIn())
  }
}
