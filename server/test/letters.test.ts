// The outbox: for what a person is written to, at which address, and for what not. Letters commit with what they tell of.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Caller, Tokens } from '../src/operations/contract.ts'
import { asJack, carry, jack, refreshTimes, type Sys, system, tokensOf } from './system.ts'

const better = { current: jack.password, new: 'a better one still' }
const thief: Partial<Caller> = { address: '192.0.2.66', userAgent: 'Thief' }

type Scene = Sys & { readonly first: Tokens }

async function open(): Promise<Scene> {
  const sys = await system()
  return { ...sys, first: tokensOf(await sys.ask('signUp', jack)) }
}

const refreshOf = (tokens: Tokens) => ({ refresh: carry(tokens).refresh ?? [] })

// [what happens, how, the kinds of letters that wait]
const rows: [string, (scene: Scene) => Promise<unknown>, string[]][] = [
  ['somebody signs up and signs in elsewhere', ({ ask }) => ask('signIn', asJack), []],
  ['the password was wrong', ({ ask }) => ask('signIn', { ...asJack, password: 'wrong' }), []],
  ['refreshes change the row', scene => refreshTimes(scene, scene.first, 3), []],
  [
    'a copy of an older refresh cookie comes, and once more',
    async scene => {
      await refreshTimes(scene, scene.first, 3)
      await scene.ask('refresh', {}, refreshOf(scene.first), {}, thief)
      await scene.ask('refresh', {}, refreshOf(scene.first), {}, thief)
    },
    ['session_reused'],
  ],
  [
    'two copies of an older refresh cookie come at once',
    async scene => {
      await refreshTimes(scene, scene.first, 3)
      const come = () => scene.ask('refresh', {}, refreshOf(scene.first), {}, thief)
      await Promise.all([come(), come()])
    },
    ['session_reused'],
  ],
  [
    'an older sign-in cookie comes alone',
    async scene => {
      await refreshTimes(scene, scene.first, 3)
      await scene.ask('refresh', {}, { signIn: carry(scene.first).signIn ?? [] })
    },
    [],
  ],
  [
    'the password is changed',
    ({ ask, first }) => ask('changePassword', better, carry(first), {}, thief),
    ['password_changed'],
  ],
  [
    'a password change is refused',
    ({ ask, first }) => ask('changePassword', { ...better, current: 'wrong' }, carry(first)),
    [],
  ],
  [
    'the password is changed, and a number of the ended session comes',
    async ({ ask, first }) => {
      await ask('changePassword', better, carry(first), {}, thief)
      await ask('refresh', {}, refreshOf(first))
    },
    ['password_changed'],
  ],
  ['the user signs out', ({ ask, first }) => ask('signOut', {}, carry(first)), []],
]

for (const [sentence, happen, want] of rows) {
  test(`when ${sentence}: ${want.join(', ') || 'nobody is written to'}`, async () => {
    const scene = await open()
    const { engine } = scene
    await happen(scene)
    const letters = await engine.store.letters({ limit: 9 })
    const userId = (await engine.store.account({ emailKey: jack.email }))?.user.id ?? ''
    const at = engine.store.now()
    assert.deepEqual(
      letters,
      want.map(kind => ({ kind, userId, to: jack.email, at, ...thief })),
    )
  })
}
