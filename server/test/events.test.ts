// The audit trail: which events are written for what, each with whose it is. Nothing happens to an account or a session
// that leaves no line, and no line tells an address of a person or anything that could be presented.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Event } from '../src/core/model.ts'
import { writeRefreshToken } from '../src/crypto/macs.ts'
import {
  endSession,
  endSessionsOf,
  endSessionsOpenedBefore,
  setActive,
} from '../src/operations/administer.ts'
import type { Tokens } from '../src/operations/contract.ts'
import { bridge, earlierToken } from './earlier.ts'
import {
  asJack,
  carry,
  idOf,
  jack,
  later,
  refreshTimes,
  refusedOf,
  type Sys,
  system,
  tokensOf,
} from './system.ts'

/** Jack, signed in by two browsers. The first is the one whose session's id comes first: in that order they end. */
type Scene = Sys & { readonly userId: string; readonly first: Tokens; readonly second: Tokens }

async function open(): Promise<Scene> {
  const sys = await system({ bridge })
  const { ask, engine } = sys
  await sys.make(jack)
  const both = [tokensOf(await ask('signIn', asJack)), tokensOf(await ask('signIn', asJack))]
  const [first, second] = both.toSorted((a, b) => (idOf(a) < idOf(b) ? -1 : 1))
  assert.ok(first && second)
  const holder = await engine.store.holder(idOf(first))
  assert.ok(holder)
  return { ...sys, userId: holder.user.id, first, second }
}

/** Oldest first. */
const written = async ({ engine }: Sys): Promise<readonly Event[]> =>
  [...(await engine.store.events({ limit: 500 }))].reverse()

/** The events since the `before`th as lines: type, whose, which session, detail; ids by the names of the scene. */
async function tell(scene: Scene, before: number): Promise<readonly string[]> {
  const { userId, first, second, engine } = scene
  const signing = engine.keyring.rows().filter(({ use }) => use === 'sign')
  const names = new Map<string, string>([
    [userId, 'jack'],
    [idOf(first), 'first'],
    [idOf(second), 'second'],
    ...signing.map(({ id }, i): [string, string] => [id, `key-${i + 1}`]),
  ])
  const nameOf = (value: string | number | boolean) =>
    names.get(String(value)) ?? (/^[\w-]{22}$/.test(String(value)) ? 'another' : value)
  return (await written(scene))
    .slice(before)
    .map(event =>
      [
        event.type,
        ...(event.userId === null ? [] : [names.get(event.userId) ?? 'somebody']),
        ...(event.sessionId === null ? [] : [names.get(event.sessionId) ?? 'another']),
        ...Object.entries(event.detail ?? {}).map(([name, value]) => `${name}=${nameOf(value)}`),
      ].join(' '),
    )
}

/** Where the clock of a system stands at first. */
const began = Date.UTC(2026, 0, 1)
const better = { current: jack.password, new: 'a better one still' }
const wrong = { ...asJack, password: 'not the password' }
const jill = { email: 'jill@example.com', password: jack.password }
const tokenOf = (email: string) => earlierToken(email, {}, began)
const refreshOf = (tokens: Tokens) => ({ refresh: carry(tokens).refresh ?? [] })

async function replaceRecord({ engine, userId, recordOf }: Scene, record: string) {
  const was = await recordOf(userId)
  assert.ok(was)
  await engine.store.commit([{ change: 'replacePasswordRecord', userId, was, record }])
}

/** An authentic refresh token of a number that the store does not know of, or no longer. */
const crafted = ({ engine }: Scene, tokens: Tokens, n: number) => ({
  refresh: [writeRefreshToken(engine.keyring.macs(engine.store.now())[0], idOf(tokens), n)],
})

/** Of the password "a much better password", cost 4. */
const bcryptRecord = '$2b$04$K928I4ATmw7kbs60WpbEDO//MhjrW4CFXoOWVwoe.ldcWxMs8jbR6'

// [what happens, how, the events that are written]
const rows: [string, (scene: Scene) => Promise<unknown>, string[]][] = [
  ['somebody registers', ({ ask }) => ask('register', jill), ['signed_up somebody']],
  [
    'somebody signs up',
    ({ ask }) => ask('signUp', jill),
    ['signed_up somebody', 'signed_in somebody another'],
  ],
  [
    'somebody signs up in a browser that is signed in',
    ({ ask, first }) => ask('signUp', jill, carry(first)),
    ['signed_up somebody', 'session_ended jack first because=signed_in_anew', 'signed_in somebody another'],
  ],
  ['an operator makes an account', ({ make }) => make(jill), ['signed_up somebody']],
  ['a sign-up is refused', ({ ask }) => ask('signUp', jack), []],
  ['a user signs in', ({ ask }) => ask('signIn', asJack), ['signed_in jack another']],
  [
    'a user signs in anew',
    ({ ask, first }) => ask('signIn', asJack, carry(first)),
    ['session_ended jack first because=signed_in_anew', 'signed_in jack another'],
  ],
  [
    'a user signs in with cookies of two sessions',
    ({ ask, first, second }) =>
      ask('signIn', asJack, { ...carry(first), signIn: carry(second).signIn ?? [] }),
    [
      'session_ended jack first because=signed_in_anew',
      'session_ended jack second because=signed_in_anew',
      'signed_in jack another',
    ],
  ],
  ['a password is wrong', ({ ask }) => ask('signIn', wrong), ['sign_in_refused jack']],
  ['nobody has that login', ({ ask }) => ask('signIn', { ...asJack, login: 'jill' }), ['sign_in_refused']],
  [
    'a disabled user signs in',
    async ({ engine, ask, userId }) => {
      await setActive(engine, userId, false)
      await ask('signIn', asJack)
    },
    ['user_disabled jack', 'sign_in_refused jack'],
  ],
  [
    'a password meets a record that is none',
    async scene => {
      await replaceRecord(scene, 'no record at all')
      await scene.ask('signIn', asJack)
    },
    ['password_record_malformed jack', 'sign_in_refused jack'],
  ],
  [
    'a password meets a weaker record than today’s',
    async scene => {
      await replaceRecord(scene, bcryptRecord)
      await scene.ask('signIn', asJack)
      await scene.ask('signIn', asJack)
    },
    ['password_rehashed jack', 'signed_in jack another', 'signed_in jack another'],
  ],
  [
    'a user comes with a token of the old system',
    async ({ ask, first }) => ask('exchange', { token: await tokenOf(jack.email) }, carry(first)),
    ['session_ended jack first because=signed_in_anew', 'signed_in jack another by=exchange'],
  ],
  [
    'a token names nobody, and one is none',
    async ({ ask }) => {
      await ask('exchange', { token: await tokenOf(jill.email) })
      await ask('exchange', { token: 'no token at all' })
    },
    ['exchange_refused because=user_unknown', 'exchange_refused because=not_a_jwt'],
  ],
  [
    'a disabled user comes with a token of the old system',
    async ({ engine, ask, userId }) => {
      await setActive(engine, userId, false)
      await ask('exchange', { token: await tokenOf(jack.email) })
    },
    ['user_disabled jack', 'exchange_refused jack because=user_disabled'],
  ],
  [
    'a token comes again after its owner has moved',
    async ({ ask, pass }) => {
      const token = await tokenOf(jack.email)
      const moved = tokensOf(await ask('exchange', { token }))
      pass(later)
      tokensOf(await ask('refresh', {}, carry(moved)))
      await ask('exchange', { token })
    },
    ['signed_in jack another by=exchange', 'exchange_reused jack another'],
  ],
  [
    'a token comes again from the browser that has moved',
    async ({ ask, pass }) => {
      const token = await tokenOf(jack.email)
      const moved = tokensOf(await ask('exchange', { token }))
      pass(later)
      const next = tokensOf(await ask('refresh', {}, carry(moved)))
      await ask('exchange', { token }, carry(moved, next))
    },
    ['signed_in jack another by=exchange', 'exchange_refused jack because=used'],
  ],
  ['who am I is asked', ({ ask, first }) => ask('whoAmI', {}, carry(first)), []],
  ['a refresh is quiet', ({ ask, first }) => ask('refresh', {}, carry(first)), []],
  ['refreshes change the row', scene => refreshTimes(scene, scene.first, 2), []],
  [
    'an older refresh token is presented, and once more',
    async scene => {
      await refreshTimes(scene, scene.first, 3)
      await scene.ask('refresh', {}, refreshOf(scene.first))
      await scene.ask('refresh', {}, refreshOf(scene.first))
    },
    ['session_reused jack first n=1 successor=4'],
  ],
  [
    'an older sign-in cookie is presented',
    async scene => {
      await refreshTimes(scene, scene.first, 3)
      await scene.ask('refresh', {}, { signIn: carry(scene.first).signIn ?? [] })
    },
    [],
  ],
  [
    'a refresh token is presented that the store does not know of yet',
    async scene => {
      scene.pass(later)
      tokensOf(await scene.ask('refresh', {}, crafted(scene, scene.first, 9)))
    },
    ['store_went_back jack first n=9 successor=1'],
  ],
  [
    'a user signs out, and once more',
    async ({ ask, first }) => {
      await ask('signOut', {}, carry(first))
      await ask('signOut', {}, carry(first))
    },
    ['signed_out jack first because=signed_out'],
  ],
  [
    'a user signs out with cookies of two sessions',
    ({ ask, first, second }) => ask('signOut', {}, { ...carry(first), signIn: carry(second).signIn ?? [] }),
    ['signed_out jack first because=signed_out', 'signed_out jack second because=signed_out'],
  ],
  [
    'a user ends another session, and once more',
    async ({ ask, first, second }) => {
      await ask('endSession', { id: idOf(second) }, carry(first))
      await ask('endSession', { id: idOf(second) }, carry(first))
    },
    ['session_ended jack second because=ended_by_user'],
  ],
  [
    'a user ends all other sessions',
    ({ ask, first }) => ask('endOtherSessions', {}, carry(first)),
    ['session_ended jack because=ended_by_user others=true'],
  ],
  [
    'a user ends all other sessions where there is none',
    async ({ ask, first, second }) => {
      tokensOf(await ask('signOut', {}, carry(second)))
      tokensOf(await ask('endOtherSessions', {}, carry(first)))
    },
    ['signed_out jack second because=signed_out'],
  ],
  [
    'a user changes the password',
    ({ ask, first }) => ask('changePassword', better, carry(first)),
    ['password_changed jack first opened=another', 'session_ended jack because=password_changed all=true'],
  ],
  [
    'a user changes the password in a browser whose cookies name somebody else’s session too',
    async ({ ask, first }) => {
      const jills = tokensOf(await ask('signUp', jill))
      const refresh = [...(carry(first).refresh ?? []), ...(carry(jills).refresh ?? [])]
      await ask('changePassword', better, { ...carry(first), refresh })
    },
    [
      'signed_up somebody',
      'signed_in somebody another',
      'session_ended somebody another because=signed_in_anew',
      'password_changed jack first opened=another',
      'session_ended jack because=password_changed all=true',
    ],
  ],
  [
    'a user wants to change the password and does not know it',
    ({ ask, first }) => ask('changePassword', { ...better, current: wrong.password }, carry(first)),
    ['password_change_refused jack first'],
  ],
  [
    'a user wants to change the password to a weak one',
    ({ ask, first }) => ask('changePassword', { ...better, new: 'x' }, carry(first)),
    ['password_change_refused jack first because=weak'],
  ],
  [
    'the current password meets a record that is none',
    async scene => {
      await replaceRecord(scene, 'no record at all')
      await scene.ask('changePassword', better, carry(scene.first))
    },
    ['password_record_malformed jack', 'password_change_refused jack first'],
  ],
  [
    'an operator ends a session, and once more',
    async ({ engine, first }) => {
      assert.equal(await endSession(engine, idOf(first), 'revoked'), true)
      assert.equal(await endSession(engine, idOf(first), 'revoked'), false)
    },
    ['session_ended jack first because=revoked'],
  ],
  [
    'an operator ends all sessions of a user',
    ({ engine, userId }) => endSessionsOf(engine, userId, 'revoked'),
    ['session_ended jack because=revoked all=true'],
  ],
  [
    'an operator ends every session that was opened before a moment',
    async ({ engine, pass }) => {
      pass(1)
      const now = engine.store.now()
      assert.equal(await endSessionsOpenedBefore(engine, now, 'revoked'), 2)
      assert.equal(await endSessionsOpenedBefore(engine, now - 1, 'revoked'), 0)
    },
    [
      `session_ended because=revoked openedBefore=${began + 1}`,
      `session_ended because=revoked openedBefore=${began}`,
    ],
  ],
  [
    'an operator disables a user, and once more',
    async ({ engine, userId }) => {
      await setActive(engine, userId, false)
      await setActive(engine, userId, false)
    },
    ['user_disabled jack'],
  ],
  [
    'an operator enables a user again, and once more',
    async ({ engine, userId }) => {
      await setActive(engine, userId, false)
      await setActive(engine, userId, true)
      await setActive(engine, userId, true)
    },
    ['user_disabled jack', 'user_enabled jack'],
  ],
  [
    'a __Host- name came twice when the user left',
    ({ ask, first }) => ask('signOut', {}, { ...carry(first), conflict: true }),
    ['signed_out jack first because=signed_out'],
  ],
  ['a __Host- name came twice with a look at health', ({ ask }) => ask('health', {}, { conflict: true }), []],
  [
    'two refresh cookies of live sessions came',
    ({ ask, first, second }) => ask('refresh', {}, { refresh: [first.refresh ?? '', second.refresh ?? ''] }),
    ['cookie_conflict'],
  ],
  [
    'two access cookies of live sessions came',
    ({ ask, first, second }) =>
      ask('whoAmI', {}, { access: [first.access?.token ?? '', second.access?.token ?? ''] }),
    ['cookie_conflict'],
  ],
  [
    'the keys are rotated',
    ({ engine, pass }) => {
      pass(1)
      return engine.keyring.rotate({ at: engine.store.now(), use: 'sign', how: 'ahead' })
    },
    ['key_added id=key-2', 'key_retired id=key-1'],
  ],
  [
    'the keys are sealed anew, and are sealed already',
    ({ engine }) => engine.keyring.reseal(engine.store.now()),
    [],
  ],
]

for (const [sentence, happen, want] of rows) {
  test(`when ${sentence}: ${want.join(', ') || 'nothing is written'}`, async () => {
    const scene = await open()
    const { length } = await written(scene)
    await happen(scene)
    assert.deepEqual(await tell(scene, length), want)
  })
}

test('an event says when, from where and in which call, and is told when it stands in the store', async () => {
  const sys = await system()
  const keys = await written(sys)
  assert.deepEqual(
    keys.map(({ type, detail }) => `${type} ${detail?.id}`).sort(),
    sys.engine.keyring
      .rows()
      .map(({ id }) => `key_added ${id}`)
      .sort(),
  )
  sys.pass(1234)
  const who = { callId: 'call 7', address: '192.0.2.7' }
  const tokens = tokensOf(await sys.ask('signUp', jack, {}, {}, who))
  const events = (await written(sys)).slice(keys.length)
  const userId = events[0]?.userId ?? null
  const at = sys.engine.store.now()
  assert.deepEqual(events, [
    { type: 'signed_up', at, userId, sessionId: null, ...who },
    { type: 'signed_in', at, userId, sessionId: idOf(tokens), ...who },
  ])
  assert.deepEqual(sys.told, events)
})

test('a commit that is not made tells no event', async () => {
  const sys = await system()
  const { length } = await written(sys)
  const answers = await Promise.all([
    sys.ask('register', jack),
    sys.ask('register', { ...jack, username: 'jackie' }),
  ])
  assert.deepEqual(answers.map(refusedOf).sort(), ['email_taken', 'not refused'])
  const events = (await written(sys)).slice(length)
  assert.deepEqual(
    events.map(({ type }) => type),
    ['signed_up'],
  )
  assert.deepEqual(sys.told, events)
})

test('no event tells an e-mail address, a password or anything that could be presented', async () => {
  const secrets = new Set<string>([jack.password, better.new, bcryptRecord])
  let lines = 0
  for (const [, happen] of rows) {
    const scene = await open()
    const ask: Sys['ask'] = async (...call) => {
      const result = await scene.ask(...call)
      if (typeof call[1]?.token === 'string') secrets.add(call[1].token)
      if ('tokens' in result) for (const text of textsIn(result.tokens)) secrets.add(text)
      return result
    }
    for (const text of [...textsIn(scene.first), ...textsIn(scene.second)]) secrets.add(text)
    await happen({ ...scene, ask })
    const events = await written(scene)
    lines += events.length
    const text = JSON.stringify(events)
    assert.ok(!text.includes('@'), text)
    for (const secret of secrets) assert.ok(!text.includes(secret), text)
  }
  assert.ok(lines > 3 * rows.length && secrets.size > 3 * rows.length)
})

const textsIn = ({ access, refresh, signIn, csrf }: Tokens): readonly string[] =>
  [access?.token, refresh, signIn, csrf].filter(text => text !== undefined)
