// A password change meets what else may happen to its user and its session: whichever is committed first, the other is
// decided again, and what had ended stays ended.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ChangeName } from '../src/core/change.ts'
import { endSession, setActive } from '../src/operations/administer.ts'
import type { Result, Tokens } from '../src/operations/contract.ts'
import {
  answersTo,
  asJack,
  carry,
  idOf,
  jack,
  jackTwice,
  later,
  liveOf,
  overtaking,
  refusedOf,
  tokensOf,
} from './system.ts'

const change = { current: jack.password, new: 'a better one still' }

type Scene = Awaited<ReturnType<typeof jackTwice>>

// [sentence, what overtakes the change, what the change is answered]
const overtakers: [string, (scene: Scene) => Promise<unknown>, 'access_revoked' | 'not refused'][] = [
  ['its session signs out', ({ ask, here }) => ask('signOut', {}, carry(here)), 'access_revoked'],
  [
    'its session is ended from another browser',
    ({ ask, here, there }) => ask('endSession', { id: idOf(here) }, carry(there)),
    'access_revoked',
  ],
  [
    'all others are ended from another browser',
    ({ ask, there }) => ask('endOtherSessions', {}, carry(there)),
    'access_revoked',
  ],
  ['an operator ends it', ({ engine, here }) => endSession(engine, idOf(here), 'revoked'), 'access_revoked'],
  ['its user is disabled', ({ engine, userId }) => setActive(engine, userId, false), 'access_revoked'],
  [
    'its user is disabled and enabled',
    async ({ engine, userId }) => {
      await setActive(engine, userId, false)
      await setActive(engine, userId, true)
    },
    'access_revoked',
  ],
  [
    'another browser changes the password',
    ({ ask, there }) => ask('changePassword', { ...change, new: 'the first to come' }, carry(there)),
    'access_revoked',
  ],
  [
    'another tab of this browser changes the password',
    ({ ask, here }) => ask('changePassword', { ...change, new: 'the first to come' }, carry(here)),
    'access_revoked',
  ],
  ['somebody signs in with the old password', ({ ask }) => ask('signIn', asJack), 'not refused'],
  [
    'another tab refreshes',
    async ({ ask, pass, here }) => {
      pass(later)
      assert.ok(tokensOf(await ask('refresh', {}, carry(here))).refresh)
    },
    'not refused',
  ],
]

for (const [sentence, overtake, want] of overtakers) {
  test(`when ${sentence} right before the commit: ${want}`, async () => {
    const { store, before } = overtaking('changePassword')
    const scene = await jackTwice({ store })
    before(() => overtake(scene))
    const result = await scene.ask('changePassword', change, carry(scene.here))
    assert.equal(refusedOf(result), want)
    const made = want === 'not refused'
    const live = await liveOf(scene)
    if (made) assert.deepEqual(live, [idOf(tokensOf(result))], 'one session is left')
    assert.ok(!live.includes(idOf(scene.here)))
    assert.deepEqual(await answersTo(scene, carry(scene.here)), ['access_revoked', 'refresh_invalid'])
    const works = refusedOf(await scene.ask('signIn', { ...asJack, password: change.new })) === 'not refused'
    assert.equal(works, made, 'the new password is in force if the change was made')
  })
}

// [sentence, what is overtaken, by which of its changes, what it is answered]
const losers: [string, (scene: Scene) => Promise<Result>, ChangeName, string][] = [
  [
    'a sign-in with the old password',
    ({ ask }) => ask('signIn', asJack),
    'recordSignIn',
    'credentials_wrong',
  ],
  [
    'a refresh of another session',
    ({ ask, pass, there }) => {
      pass(later)
      return ask('refresh', {}, carry(there))
    },
    'moveSession',
    'refresh_invalid',
  ],
]

for (const [sentence, lose, name, want] of losers) {
  test(`${sentence} that a password change overtakes is refused, and leaves no session`, async () => {
    const { store, before } = overtaking(name)
    const scene = await jackTwice({ store })
    let changed: Tokens | undefined
    before(async () => {
      changed = tokensOf(await scene.ask('changePassword', change, carry(scene.here)))
    })
    assert.equal(refusedOf(await lose(scene)), want)
    assert.ok(changed)
    assert.deepEqual(await liveOf(scene), [idOf(changed)])
  })
}

test('of changes and sign-ins with the old password that all come at once, one change is made and nothing old is left', async () => {
  const scene = await jackTwice()
  const { ask, here, there } = scene
  const answers = await Promise.all([
    ask('changePassword', change, carry(here)),
    ask('signIn', asJack),
    ask('changePassword', { ...change, new: 'what the other browser wants' }, carry(there)),
    ask('signIn', asJack),
    ask('changePassword', { ...change, new: 'what another tab wants' }, carry(here)),
  ])
  const [one, _, two, __, three] = answers
  const changes = [one, two, three]
  const done = changes.filter(each => 'done' in each)
  assert.equal(done.length, 1)
  for (const each of changes) assert.ok(['not refused', 'access_revoked'].includes(refusedOf(each)))
  assert.deepEqual(
    await liveOf(scene),
    done.map(each => idOf(tokensOf(each))),
  )
  assert.equal(refusedOf(await ask('signIn', asJack)), 'credentials_wrong')
})
