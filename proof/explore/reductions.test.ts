// What the walk takes for one must be one to the shipped rule: the few laws by which states are merged, each tried on
// everything there is of its kind.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Holder } from '../../server/src/core/model.ts'
import { defaultPolicy } from '../../server/src/core/policy.ts'
import { chooseCaller, chooseSession, decideStep, openSession } from '../../server/src/core/session.ts'
import { user } from './servers.ts'

const now = 100
const grace = 2

test('only how a number compares with the row’s own decides, and only what it was makes the new line', () => {
  let tried = 0
  for (let successor = 1; successor <= 6; successor++)
    for (let current = 0; current < successor; current++)
      for (let previous = 0; previous <= current; previous++)
        for (let age = -1; age <= grace + 2; age++)
          for (let n = 0; n <= successor + 2; n++) {
            const step = decideStep({ previous, current, successor, changedAt: now - age }, n, now, grace)
            const quiet = n >= previous ? 'quiet' : 'end'
            const later = n === current || n >= successor ? 'change' : 'end'
            assert.equal(step.step, age <= grace ? quiet : later)
            if (step.step === 'change') {
              const next = { previous: current, current: n, successor: Math.max(successor, n) + 1 }
              assert.deepEqual(step.line, { ...next, changedAt: now })
            }
            tried++
          }
  assert.ok(tried > 1_000)
})

const live = (id: string): Holder => {
  const opening = { id, user, delivery: 'cookies', userAgent: '', address: '' } as const
  return { user, session: openSession(opening, defaultPolicy, now) }
}
const of = (holder: Holder, session: Partial<Holder['session']>): Holder => ({
  ...holder,
  session: { ...holder.session, ...session },
})

/** Every way in which a session may not act. */
const deaths: Record<string, Holder | undefined> = {
  'was never there': undefined,
  'has ended': of(live('d'), { endedAt: now - 1, endedBecause: 'revoked' }),
  'has come to its absolute end': of(live('d'), { endsAt: now }),
  'has idled too long': of(live('d'), { idleEndsAt: now }),
  'is of a disabled user': { ...live('d'), user: { ...user, active: false } },
}
const names = [null, 'a', 'b', 'd'] as const
type Name = (typeof names)[number]
const unlessDead = (name: Name): Name => (name === 'd' ? null : name)

for (const [what, dead] of Object.entries(deaths)) {
  const holders = new Map(
    [live('a'), live('b'), ...(dead ? [dead] : [])].map(each => [each.session.id, each]),
  )

  test(`a cookie of a session that ${what} is none, whichever it is and whatever stands beside it`, () => {
    const present = (name: Name) => (name === null ? [] : [{ sessionId: name, n: 1 }])
    const choose = (refresh: Name, signIn: Name) =>
      chooseSession({ refresh: present(refresh), signIn: present(signIn), holders }, now)
    for (const refresh of names)
      for (const signIn of names)
        assert.deepEqual(choose(refresh, signIn), choose(unlessDead(refresh), unlessDead(signIn)))
    assert.equal(choose('d', 'd'), undefined)
  })

  test(`an access cookie of a session that ${what} is none`, () => {
    const list = (name: Name) => (name === null ? [] : [name])
    const call = (access: Name, signIn: Name) =>
      chooseCaller({ access: list(access), by: 'cookie', signIn: list(signIn), holders }, now)
    for (const access of names)
      for (const signIn of names)
        assert.deepEqual(call(access, signIn), call(unlessDead(access), unlessDead(signIn)))
    assert.equal(call('d', null), undefined)
  })
}

test('beside a refresh cookie the sign-in cookie of the same session says nothing', () => {
  const holders = new Map([['a', live('a')]])
  const refresh = [{ sessionId: 'a', n: 7 }]
  const beside = (n: number) => chooseSession({ refresh, signIn: [{ sessionId: 'a', n }], holders }, now)
  for (const n of [1, 7, 9]) assert.deepEqual(beside(n), chooseSession({ refresh, signIn: [], holders }, now))
})
