// Ending sessions, where more than one call wants to at once: many that name the same ones in any order, one whose own session
// is ending, a thief who ends each new one of the owner.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Tokens } from '../src/operations/contract.ts'
import { createMemory } from '../src/operations/memory.ts'
import { createRun } from '../src/operations/run.ts'
import type { Store } from '../src/store/port.ts'
import { createThrottle } from '../src/store/throttle.ts'
import { eachStore } from './store/stores.ts'
import {
  asJack,
  caller,
  carry,
  idOf,
  jack,
  manner,
  overtaking,
  ratesOf,
  refusedOf,
  type Sys,
  system,
  textsOf,
  tokensOf,
} from './system.ts'

const rotated = <T>(all: readonly T[], by: number): readonly T[] => [...all.slice(by), ...all.slice(0, by)]

eachStore(
  'sign-outs that name the same sessions in any order all succeed, and none waits for another that waits for it',
  async (_, open) => {
    const store = await open()
    const sys = await system({ store: () => store })
    const { id } = await sys.make(jack)
    const { user } = (await store.account({ id })) ?? assert.fail('jack is there')
    for (let round = 0; round < 3; round++) {
      const jars: Tokens[] = []
      for (let i = 0; i < 8; i++) jars.push(tokensOf(await sys.ask('signIn', asJack)))
      const answers = await Promise.all(
        Array.from({ length: 48 }, (_, i) => {
          const order = rotated(i % 2 ? jars : jars.toReversed(), i % 8)
          return sys.ask('signOut', {}, { refresh: textsOf('refresh', ...order) })
        }),
      )
      for (const answer of answers) tokensOf(answer)
      assert.deepEqual(await store.sessionsOf(user.id, { now: store.now(), limit: 9 }), [])
    }
    assert.equal(sys.told.filter(({ type }) => type === 'signed_out').length, 24, 'each is told once')
  },
)

test('refresh and sign-in cookies name eight sessions each, the first that are authentic', async () => {
  const { ask, engine } = await system()
  const all = [tokensOf(await ask('signUp', jack))]
  for (let i = 0; i < 19; i++) all.push(tokensOf(await ask('signIn', asJack)))
  const junk = Array.from({ length: 20 }, (_, i) => `x${i}`)
  const carried = {
    refresh: [...junk, ...textsOf('refresh', ...all.slice(0, 10))],
    signIn: [...junk, ...textsOf('signIn', ...all.slice(10))],
  }
  tokensOf(await ask('signOut', {}, carried))
  const ended = await Promise.all(
    all.map(async each => (await engine.store.holder(idOf(each)))?.session.endedAt !== null),
  )
  const half = [...Array(8).fill(true), false, false]
  assert.deepEqual(ended, [...half, ...half])
})

/** The owner signed in, and a thief in a copy of another session of theirs. */
async function robbed(between: (store: Store) => Store = each => each) {
  const sys = await system({ store: between })
  const thief = tokensOf(await sys.ask('signUp', jack))
  const owner = tokensOf(await sys.ask('signIn', asJack))
  return { ...sys, thief, owner }
}

// [operation, what it is given of the session that it would end]
const ends = [
  ['endSession', (id: string) => ({ id })],
  ['endOtherSessions', () => ({})],
] as const

for (const [does, input] of ends) {
  test(`${does}: what is asked in a session that ends right before the commit is not done`, async () => {
    const { store, before, overtaken } = overtaking('requireLive')
    const { thief, owner, ask } = await robbed(store)
    before(() => ask('endSession', { id: idOf(thief) }, carry(owner)))
    assert.equal(refusedOf(await ask(does, input(idOf(owner)), carry(thief))), 'access_revoked')
    assert.ok(overtaken())
    assert.equal(refusedOf(await ask('whoAmI', {}, carry(owner))), 'not refused')
  })

  test(`${does}: a session that another server has ended ends nothing, also while memory still holds it for live`, async () => {
    const { thief, owner, engine, ask } = await robbed()
    assert.equal(refusedOf(await ask('whoAmI', {}, carry(thief))), 'not refused')
    const sibling = createRun({ ...engine, memory: createMemory(), throttle: createThrottle() })
    const nothing = {
      access: [],
      bearer: undefined,
      refresh: [],
      signIn: [],
      csrf: undefined,
      conflict: false,
    }
    const carried = { ...nothing, ...carry(owner) }
    tokensOf(await sibling({ does: 'endOtherSessions', input: {}, carried, caller, manner }))
    assert.ok(engine.memory.holder(idOf(thief)), 'this server has not heard of it')
    for (const id of ['none', idOf(owner)]) {
      assert.equal(refusedOf(await ask(does, input(id), carry(thief))), 'access_revoked')
    }
    assert.equal(refusedOf(await ask('whoAmI', {}, carry(owner))), 'not refused')
  })

  test(`${does}: a thief who ends each new session of the owner is throttled, and the owner changes the password`, async () => {
    const { thief, ask } = await robbed()
    let ended = 0
    const next = 'a better one still'
    const attempt = async (): Promise<string> => {
      const owner = tokensOf(await ask('signIn', asJack))
      const answer = refusedOf(await ask(does, input(idOf(owner)), carry(thief)))
      if (answer === 'not refused') ended += 1
      return refusedOf(await ask('changePassword', { current: jack.password, new: next }, carry(owner)))
    }
    let changed = await attempt()
    while (changed === 'access_revoked' && ended < 30) changed = await attempt()
    assert.equal(changed, 'not refused')
    assert.equal(ended, 20)
    assert.equal(refusedOf(await ask('whoAmI', {}, carry(thief))), 'access_revoked')
  })
}

const two = ratesOf({ end: { points: 2, per: 60_000 } })

test('both ways to end other sessions share one count, each account has its own, and a refusal says how long', async () => {
  const sys = await robbed()
  const end = (tokens: Tokens) => sys.ask('endOtherSessions', {}, carry(tokens), two)
  tokensOf(await sys.ask('endSession', { id: idOf(sys.owner) }, carry(sys.thief), two))
  for (const want of ['not refused', 'throttled']) {
    tokensOf(await sys.ask('signIn', asJack))
    const result = await end(sys.thief)
    assert.equal(refusedOf(result), want)
    if ('refusal' in result) assert.ok((result.refusal.retryAfter ?? 0) > 50)
  }
  const jill = { email: 'jill@example.com', username: 'jill', password: jack.password }
  const jills = tokensOf(await sys.ask('signUp', jill))
  tokensOf(await sys.ask('signIn', { login: 'jill', password: jack.password }))
  tokensOf(await end(jills))
})

// [what counts for nothing, how]
const uncounted: [string, (sys: Sys, here: Tokens) => Promise<unknown>][] = [
  ['ending all others where there is none', ({ ask }, here) => ask('endOtherSessions', {}, carry(here), two)],
  [
    'naming a session that there is not',
    ({ ask }, here) => ask('endSession', { id: 'none' }, carry(here), two),
  ],
  [
    'ending one’s own session',
    async ({ ask }) => {
      const own = tokensOf(await ask('signIn', asJack))
      tokensOf(await ask('endSession', { id: idOf(own) }, carry(own), two))
    },
  ],
  ['signing out', async ({ ask }) => ask('signOut', {}, carry(tokensOf(await ask('signIn', asJack))), two)],
]

for (const [sentence, happen] of uncounted) {
  test(`${sentence} is never too much`, async () => {
    const sys = await system()
    const here = tokensOf(await sys.ask('signUp', jack))
    for (let i = 0; i < 4; i++) await happen(sys, here)
    for (const want of ['not refused', 'not refused', 'throttled']) {
      tokensOf(await sys.ask('signIn', asJack))
      assert.equal(refusedOf(await sys.ask('endOtherSessions', {}, carry(here), two)), want)
    }
  })
}
