// What is remembered between calls never says more than the store would: it is held against the store after every way in
// which a session can end.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault } from '../src/core/fault.ts'
import {
  endSession,
  endSessionsOf,
  endSessionsOpenedBefore,
  setActive,
} from '../src/operations/administer.ts'
import type { Carried, Tokens } from '../src/operations/contract.ts'
import type { Store } from '../src/store/port.ts'
import { asJack, carry, idOf, jack, later, refusedOf, type Sys, system, tokensOf } from './system.ts'

/** Somebody who is remembered: who am I has been asked. */
async function remember({ ask, recall }: Sys, tokens: Tokens): Promise<string> {
  const text = tokens.access?.token ?? ''
  assert.ok('done' in (await ask('whoAmI', {}, carry(tokens))))
  assert.ok(recall(text, undefined), 'it is remembered')
  return text
}

test('nothing is remembered before the first read', async () => {
  const { ask, recall } = await system()
  const { access } = tokensOf(await ask('signUp', jack))
  assert.equal(recall(access?.token ?? '', undefined), undefined)
})

test('where there is a sign-in cookie, only an access token of its session is recalled', async () => {
  const sys = await system()
  const one = tokensOf(await sys.ask('signUp', jack))
  const two = tokensOf(await sys.ask('signIn', asJack))
  const text = await remember(sys, one)
  await remember(sys, two)
  assert.equal(sys.recall(text, one.signIn)?.session.id, idOf(one))
  assert.equal(sys.recall(text, two.signIn), undefined)
  // What was not recalled is asked, and refused.
  const jar = { access: carry(one).access ?? [], signIn: carry(two).signIn ?? [] }
  assert.equal(refusedOf(await sys.ask('whoAmI', {}, jar)), 'access_expired')
})

test('an access token is recalled until it expires', async () => {
  const sys = await system()
  const first = tokensOf(await sys.ask('signUp', jack))
  const text = await remember(sys, first)
  const life = (first.access?.expiresIn ?? 0) * 1000
  sys.pass(life - 1)
  assert.ok(sys.recall(text, undefined))
  sys.pass(1)
  assert.equal(sys.recall(text, undefined), undefined)
})

type Ending = (sys: Sys, victim: Tokens, other: Tokens) => Promise<unknown>

const userIdOf = async ({ engine }: Sys, tokens: Tokens): Promise<string> => {
  const holder = await engine.store.holder(idOf(tokens))
  assert.ok(holder)
  return holder.user.id
}

// [sentence, what ends the session of the one who is remembered]
const endings: [string, Ending][] = [
  ['signs out', ({ ask }, victim) => ask('signOut', {}, carry(victim))],
  ['signs in anew', ({ ask }, victim) => ask('signIn', asJack, carry(victim))],
  [
    'is ended from another browser',
    ({ ask }, victim, other) => ask('endSession', { id: idOf(victim) }, carry(other)),
  ],
  [
    'is one of all others that are ended',
    ({ ask }, _victim, other) => ask('endOtherSessions', {}, carry(other)),
  ],
  ['is ended by an operator', ({ engine }, victim) => endSession(engine, idOf(victim), 'revoked')],
  [
    'is ended with all of that person’s by an operator',
    async (sys, victim) => endSessionsOf(sys.engine, await userIdOf(sys, victim), 'revoked'),
  ],
  [
    'is one of all that an operator ends after a restore',
    ({ engine, pass }) => {
      pass(1)
      return endSessionsOpenedBefore(engine, engine.store.now(), 'revoked')
    },
  ],
  [
    'changes the password',
    ({ ask }, victim) =>
      ask('changePassword', { current: jack.password, new: 'a better one still' }, carry(victim)),
  ],
  [
    'changes the password in another browser',
    ({ ask }, _victim, other) =>
      ask('changePassword', { current: jack.password, new: 'a better one still' }, carry(other)),
  ],
  [
    'is disabled',
    async (sys, victim) => {
      assert.equal(await setActive(sys.engine, await userIdOf(sys, victim), false), true)
    },
  ],
  [
    'shows a number that is too old',
    async ({ ask, pass }, victim) => {
      let jar: Tokens[] = [victim]
      for (let i = 0; i < 2; i++) {
        pass(later)
        jar = [...jar, tokensOf(await ask('refresh', {}, carry(...jar)))]
      }
      await ask('whoAmI', {}, carry(victim))
      pass(later)
      const refresh: Partial<Carried> = { refresh: carry(victim).refresh ?? [] }
      assert.equal(refusedOf(await ask('refresh', {}, refresh)), 'refresh_invalid')
    },
  ],
]

for (const [sentence, end] of endings) {
  test(`who is remembered and ${sentence} is not recalled again`, async () => {
    const sys = await system()
    const victim = tokensOf(await sys.ask('signUp', jack))
    const other = tokensOf(await sys.ask('signIn', asJack))
    const text = await remember(sys, victim)
    await end(sys, victim, other)
    assert.equal(sys.recall(text, undefined), undefined)
    assert.equal(refusedOf(await sys.ask('whoAmI', {}, carry(victim))), 'access_revoked')
  })

  test(`nor if the store breaks off after it has committed that one ${sentence}`, async () => {
    let breaks = false
    const between = (store: Store): Store => ({
      ...store,
      async commit(changes) {
        const committed = await store.commit(changes)
        if (breaks && changes.some(({ change }) => change.startsWith('endSession')))
          throw new Fault('the connection broke', { retryAfter: 1 })
        return committed
      },
    })
    const sys = await system({ store: between })
    const victim = tokensOf(await sys.ask('signUp', jack))
    const other = tokensOf(await sys.ask('signIn', asJack))
    const text = await remember(sys, victim)
    breaks = true
    await assert.rejects(end(sys, victim, other), Fault)
    assert.equal(sys.recall(text, undefined), undefined)
    assert.equal(refusedOf(await sys.ask('whoAmI', {}, carry(victim))), 'access_revoked')
  })
}

test('the other sessions of the same person stay remembered when one of them ends', async () => {
  const sys = await system()
  const victim = tokensOf(await sys.ask('signUp', jack))
  const other = tokensOf(await sys.ask('signIn', asJack))
  await remember(sys, victim)
  const text = await remember(sys, other)
  await endSession(sys.engine, idOf(victim), 'revoked')
  assert.ok(sys.recall(text, undefined))
})

test('what a refresh has changed is read again', async () => {
  const sys = await system()
  const first = tokensOf(await sys.ask('signUp', jack))
  const text = await remember(sys, first)
  sys.pass(later)
  tokensOf(await sys.ask('refresh', {}, carry(first)))
  assert.equal(sys.recall(text, undefined), undefined)
  const me = await sys.ask('whoAmI', {}, carry(first))
  assert.ok('done' in me)
  assert.equal(me.done.session.successor, 2)
})

// [sentence, what is committed while a read is under way]
const overtakers: [string, (sys: Sys, sessionId: string, userId: string) => Promise<unknown>][] = [
  ['the session is ended', ({ engine }, sessionId) => endSession(engine, sessionId, 'revoked')],
  ['its user is disabled', ({ engine }, _sessionId, userId) => setActive(engine, userId, false)],
  [
    'every session is ended',
    ({ engine, pass }) => {
      pass(1)
      return endSessionsOpenedBefore(engine, engine.store.now(), 'revoked')
    },
  ],
  ['another process has written', async ({ engine }) => engine.memory.forgetSessions()],
]

for (const [sentence, overtake] of overtakers) {
  test(`a read that began before ${sentence} does not bring the old state back`, async () => {
    const sys = await system()
    const first = tokensOf(await sys.ask('signUp', jack))
    const sid = idOf(first)
    const before = await sys.engine.store.holder(sid)
    assert.ok(before)
    const slow = Promise.withResolvers<typeof before>()
    const loading = sys.engine.memory.load(sid, () => slow.promise)
    await overtake(sys, sid, before.user.id)
    slow.resolve(before)
    await loading
    assert.equal(sys.engine.memory.holder(sid), undefined)
  })
}
