// One theft: what the thief holds from the copy on, when he presents it, and how long he is let in. Knows no rule; the
// server tells him what it tells anybody.
import type { Person } from './person.ts'
import type { Queue } from './queue.ts'
import type { Random } from './random.ts'
import type { Cookies, Server } from './rules.ts'
import { nextTry, type Thief } from './thieves.ts'

export type Theft = { readonly thief: Thief; readonly copiesAt: number; readonly random: Random }

export class Robbery {
  readonly copiesAt: number
  readonly #thief: Thief
  readonly #random: Random
  readonly #person: Person
  readonly #server: Server
  readonly #queue: Queue
  #held: Cookies | undefined
  #sessionId: string | undefined
  /** The newest number that the owner was sent, as far as the thief has seen. */
  #newest = 0
  #copiedAt = 0
  /** The end of his access token. */
  #letInUntil = 0
  #life: number | null = null

  constructor({ thief, copiesAt, random }: Theft, person: Person, server: Server, queue: Queue) {
    this.copiesAt = copiesAt
    this.#thief = thief
    this.#random = random
    this.#person = person
    this.#server = server
    this.#queue = queue
  }

  /** Once: later he has his hands full. A jar that is worth nothing any more he leaves, until the next sign-in. */
  copy(jar: Cookies, accessEndsAt: number): void {
    const sessionId = jar.refresh?.sessionId
    if (this.#held || sessionId === undefined || !this.#server.isLive(sessionId)) return
    const now = this.#queue.now()
    this.#held = jar
    this.#sessionId = sessionId
    this.#copiedAt = now
    this.#letInUntil = Math.max(now, accessEndsAt)
    this.#planNext(now)
  }

  /** A token that is sent to the owner once more is no news. */
  onOwnersRenewal(n: number): void {
    const { follows } = this.#thief
    if (!this.#held || follows === null || n <= this.#newest) return
    this.#newest = n
    this.#queue.at(this.#queue.now() + follows, () => this.#present())
  }

  isOver(): boolean {
    if (this.#sessionId !== undefined && !this.#server.isLive(this.#sessionId))
      this.#life ??= Math.max(0, Math.min(this.#queue.now(), this.#letInUntil) - this.#copiedAt)
    return this.#life !== null
  }

  /** Milliseconds from the copy until he was last let in; null: his session has not ended. */
  get life(): number | null {
    return this.#life
  }

  #planNext(now: number): void {
    const wanted = this.#letInUntil - (this.#person.habits.margin * (1 + this.#random())) / 2
    const at = nextTry(this.#thief, this.#person, Math.max(now + 1, wanted))
    this.#queue.at(at, () => this.#present())
  }

  #present(): void {
    const now = this.#queue.now()
    if (!this.#held) return
    const verdict = this.#server.refresh(this.#held, now)
    if (verdict.is === 'refused') return
    if (verdict.is === 'renewed') this.#held = { ...this.#held, refresh: verdict.refresh }
    this.#letInUntil = now + this.#person.habits.access
    this.#planNext(now)
  }
}
