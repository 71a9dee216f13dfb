// A token of the old system meets what else may happen to its user and its session: whichever is committed first, the
// other is decided again.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import type { ChangeName } from '../src/core/change.ts'
import { endSession, setActive } from '../src/operations/administer.ts'
import type { Tokens } from '../src/operations/contract.ts'
import { bridge, earlierToken } from './earlier.ts'
import {
  asJack,
  carry,
  idOf,
  jack,
  later,
  liveOf,
  overtaking,
  refusedOf,
  type Sys,
  system,
  tokensOf,
} from './system.ts'

/** Jack, who has a token of the old system, on a store that lets `first` happen right before a commit with this change; once. */
async function open(name: ChangeName) {
  const { store, ...when } = overtaking(name)
  const sys = await system({ store, bridge })
  const { id: userId } = await sys.make(jack)
  const token = await earlierToken(jack.email, {}, sys.engine.store.now())
  return { ...sys, ...when, userId, token }
}

type Scene = Awaited<ReturnType<typeof open>>

const newPassword = async ({ ask }: Sys): Promise<unknown> => {
  const other = tokensOf(await ask('signIn', asJack))
  return tokensOf(
    await ask('changePassword', { current: jack.password, new: 'a better one still' }, carry(other)),
  )
}

// [sentence, what overtakes a first exchange, what that is answered]
const firsts: [string, (scene: Scene) => Promise<unknown>, string][] = [
  ['the same token', ({ ask, token }) => ask('exchange', { token }), 'not refused'],
  ['a sign-in', ({ ask }) => ask('signIn', asJack), 'not refused'],
  ['a new password', newPassword, 'token_refused'],
  ['a disabling', ({ engine, userId }) => setActive(engine, userId, false), 'token_refused'],
]

for (const [sentence, overtake, want] of firsts) {
  test(`an exchange that ${sentence} overtakes: ${want}`, async () => {
    const scene = await open('addExchange')
    scene.before(() => overtake(scene))
    const result = await scene.ask('exchange', { token: scene.token })
    assert.ok(scene.overtaken())
    assert.equal(refusedOf(result), want)
    const digest = createHash('sha256').update(scene.token).digest('base64url')
    const opened = await scene.engine.store.sessionsOpenedBy(digest, { limit: 9 })
    if (want === 'not refused') assert.equal(opened.at(-1)?.id, idOf(tokensOf(result)))
    assert.equal(opened.length, want !== 'not refused' ? 0 : sentence === 'the same token' ? 2 : 1)
  })
}

type Moved = { readonly scene: Scene; readonly tokens: Tokens }

// [sentence, what overtakes a second exchange of the token, what that is answered, the event]
const seconds: [string, (moved: Moved) => Promise<unknown>, string, string | undefined][] = [
  [
    'a refresh that changes the session',
    async ({ scene: { ask, pass }, tokens }) => {
      pass(later)
      assert.ok(tokensOf(await ask('refresh', {}, carry(tokens))).refresh)
    },
    'token_refused',
    'exchange_reused',
  ],
  [
    'a quiet refresh',
    ({ scene: { ask }, tokens }) => ask('refresh', {}, carry(tokens)),
    'not refused',
    undefined,
  ],
  [
    'a sign-out',
    ({ scene: { ask }, tokens }) => ask('signOut', {}, carry(tokens)),
    'token_refused',
    'exchange_reused',
  ],
  [
    'an operator who ends the session',
    ({ scene: { engine }, tokens }) => endSession(engine, idOf(tokens), 'revoked'),
    'token_refused',
    'exchange_reused',
  ],
  ['a new password', ({ scene }) => newPassword(scene), 'token_refused', 'exchange_refused'],
  ['a third exchange', ({ scene: { ask, token } }) => ask('exchange', { token }), 'not refused', undefined],
]

for (const [sentence, overtake, want, event] of seconds) {
  test(`an exchange after a lost answer that ${sentence} overtakes: ${want}`, async () => {
    const scene = await open('requireLive')
    const { ask, token } = scene
    const tokens = tokensOf(await ask('exchange', { token }))
    scene.before(() => overtake({ scene, tokens }))
    const result = await ask('exchange', { token })
    assert.ok(scene.overtaken())
    assert.equal(refusedOf(result), want)
    assert.equal(scene.told.findLast(({ type }) => type.startsWith('exchange_'))?.type, event)
    if (want === 'not refused')
      assert.ok((await liveOf(scene)).includes(idOf(tokens)), 'the first is left alone')
  })
}

test('of what a token opened, whatever was used first counts, not only the first or the last', async () => {
  for (const used of [0, 1, 2]) {
    const { ask, pass, token } = await open('addKey')
    const all: Tokens[] = []
    for (let i = 0; i < 3; i++) all.push(tokensOf(await ask('exchange', { token })))
    pass(later)
    tokensOf(await ask('refresh', {}, carry(all[used] ?? {})))
    assert.equal(refusedOf(await ask('exchange', { token })), 'token_refused', `${used}`)
  }
})

test('a token that is over opens nothing, to the millisecond', async () => {
  const { ask, pass, token } = await open('addKey')
  pass(3_600_000 - 1)
  tokensOf(await ask('exchange', { token }))
  pass(1)
  assert.equal(refusedOf(await ask('exchange', { token })), 'token_refused')
})
