import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Holder, Line, Session, User } from './model.ts'
import { defaultPolicy } from './policy.ts'
import { chooseSession, decideStep, firstLine, isAsOpened, isLive, openSession } from './session.ts'

const grace = 100
const at = 1_000
const line = (previous: number, current: number, successor: number): Line => ({
  previous,
  current,
  successor,
  changedAt: at,
})
const quiet = { step: 'quiet' }
const end = { step: 'end' }
const change = (now: number, previous: number, current: number, successor: number, wentBack = false) => ({
  step: 'change',
  wentBack,
  line: { previous, current, successor, changedAt: now },
})

// [sentence, the line, the number presented, milliseconds after the last change, what becomes of it]
const table: [string, Line, number, number, object][] = [
  ['the successor while quiet gets an access token only', line(3, 4, 5), 5, 0, quiet],
  ['the current number while quiet gets an access token only', line(3, 4, 5), 4, 50, quiet],
  ['the previous number while quiet gets an access token only', line(3, 4, 5), 3, 50, quiet],
  [
    'a number between previous and current while quiet gets an access token only',
    line(1, 4, 5),
    2,
    50,
    quiet,
  ],
  ['a number beyond the successor while quiet gets an access token only', line(3, 4, 5), 9, 50, quiet],
  ['the row is still quiet at exactly the grace', line(3, 4, 5), 5, grace, quiet],
  ['a number below previous ends the session while quiet', line(3, 4, 5), 2, 0, end],
  ['the successor advances the line', line(3, 4, 5), 5, grace + 1, change(at + grace + 1, 4, 5, 6)],
  [
    'the current number replaces a successor that was lost',
    line(3, 4, 5),
    4,
    grace + 1,
    change(at + grace + 1, 4, 4, 6),
  ],
  [
    'a number beyond the successor is adopted',
    line(3, 4, 5),
    9,
    grace + 1,
    change(at + grace + 1, 4, 9, 10, true),
  ],
  ['the previous number ends the session', line(3, 4, 5), 3, grace + 1, end],
  ['a successor that was replaced ends the session', line(4, 4, 6), 5, grace + 1, end],
  ['a number below previous ends the session', line(3, 4, 5), 2, grace + 1, end],
  [
    'the first number advances the line of a new session',
    firstLine(at),
    1,
    grace + 1,
    change(at + grace + 1, 0, 1, 2),
  ],
  ['a clock that went back leaves the row quiet', line(3, 4, 5), 5, -10_000, quiet],
]

for (const [sentence, given, n, after, want] of table) {
  test(sentence, () => assert.deepEqual(decideStep(given, n, at + after, grace), want))
}

const user: User = {
  id: 'u',
  number: 1,
  email: 'a@b.c',
  username: null,
  name: null,
  profile: {},
  active: true,
  superuser: false,
  epoch: 0,
  createdAt: 0,
  lastSignInAt: null,
}
const open = (id: string, change: Partial<Session> = {}, of: User = user): [string, Holder] => [
  id,
  {
    user: of,
    session: {
      ...openSession({ id, user, delivery: 'cookies', userAgent: '', address: '' }, defaultPolicy, at),
      ...change,
    },
  },
]
const a = open('a')
const b = open('b')
const endedA = open('a', { endedAt: at, endedBecause: 'signed_out' })
const disabledA = open('a', {}, { ...user, active: false })
const named = (sessionId: string, n: number) => ({ sessionId, n })

type Want = { sessionId: string; n: number; first: boolean } | undefined
// [sentence, refresh cookie, sign-in cookie, sessions, what is presented]
const choices: [
  string,
  ReturnType<typeof named> | undefined,
  ReturnType<typeof named> | undefined,
  [string, Holder][],
  Want,
][] = [
  ['nothing presents nothing', undefined, undefined, [a], undefined],
  [
    'the refresh cookie says the number',
    named('a', 7),
    named('a', 1),
    [a],
    { sessionId: 'a', n: 7, first: false },
  ],
  [
    'a missing refresh cookie: the sign-in cookie is presented',
    undefined,
    named('a', 1),
    [a],
    { sessionId: 'a', n: 1, first: true },
  ],
  [
    'a refresh cookie of another live session gives way',
    named('b', 7),
    named('a', 1),
    [a, b],
    { sessionId: 'a', n: 1, first: true },
  ],
  [
    'a refresh cookie of an ended session gives way',
    named('a', 7),
    named('b', 1),
    [endedA, b],
    { sessionId: 'b', n: 1, first: true },
  ],
  [
    'a missing sign-in cookie: the refresh cookie decides',
    named('b', 7),
    undefined,
    [b],
    { sessionId: 'b', n: 7, first: false },
  ],
  [
    'an ended sign-in session: the refresh cookie decides',
    named('b', 7),
    named('a', 1),
    [endedA, b],
    { sessionId: 'b', n: 7, first: false },
  ],
  ['the session of a disabled user counts as ended', named('a', 7), named('a', 1), [disabledA], undefined],
  ['two ended sessions present nothing', named('a', 7), named('a', 1), [endedA], undefined],
  ['a session that the store does not know presents nothing', named('x', 7), named('y', 1), [a], undefined],
]

for (const [sentence, refresh, signIn, sessions, want] of choices) {
  test(sentence, () => {
    const given = {
      refresh: refresh ? [refresh] : [],
      signIn: signIn ? [signIn] : [],
      holders: new Map(sessions),
    }
    const choice = chooseSession(given, at)
    assert.ok(choice !== 'conflict')
    assert.deepEqual(choice && { sessionId: choice.sessionId, n: choice.n, first: choice.first }, want)
  })
}

// [sentence, refresh cookies, sign-in cookies, sessions, what is presented]
const twice: [string, ReturnType<typeof named>[], ReturnType<typeof named>[], [string, Holder][], string][] =
  [
    [
      'two refresh cookies of live sessions are a conflict',
      [named('a', 1), named('b', 1)],
      [],
      [a, b],
      'conflict',
    ],
    [
      'two sign-in cookies of live sessions are a conflict',
      [],
      [named('a', 1), named('b', 1)],
      [a, b],
      'conflict',
    ],
    [
      'a refresh cookie of an ended session is a left-over',
      [named('a', 9), named('b', 2)],
      [],
      [endedA, b],
      'b 2',
    ],
    [
      'a sign-in cookie of an ended session is a left-over',
      [],
      [named('a', 1), named('b', 1)],
      [endedA, b],
      'b 1',
    ],
    [
      'a left-over beside the right one hides nothing',
      [named('a', 9), named('b', 2)],
      [named('b', 1)],
      [endedA, b],
      'b 2',
    ],
  ]
for (const [sentence, refresh, signIn, sessions, want] of twice) {
  test(sentence, () => {
    const choice = chooseSession({ refresh, signIn, holders: new Map(sessions) }, at)
    assert.equal(typeof choice === 'object' ? `${choice.sessionId} ${choice.n}` : choice, want)
  })
}

test('a session lives until its idle end and its absolute end, both exclusive', () => {
  const [, { session }] = a
  assert.equal(isLive(session, session.idleEndsAt - 1), true)
  assert.equal(isLive(session, session.idleEndsAt), false)
  assert.equal(isLive({ ...session, idleEndsAt: session.endsAt }, session.endsAt - 1), true)
  assert.equal(isLive({ ...session, idleEndsAt: session.endsAt + 1 }, session.endsAt), false)
})

// [sentence, what became of a session, whether it is as it was opened]
const untouched: [string, Partial<Session>, boolean][] = [
  ['nobody has come back to', {}, true],
  ['a refresh has advanced', { previous: 0, current: 1, successor: 2 }, false],
  ['a refresh by the first current number has changed', { previous: 0, current: 0, successor: 2 }, false],
  ['was signed out', { endedAt: at, endedBecause: 'signed_out' }, false],
  ['nobody came back to in time', { idleEndsAt: at + 1 }, false],
]
for (const [sentence, became, want] of untouched) {
  test(`a session that ${sentence} is ${want ? '' : 'not '}as it was opened`, () => {
    const [, { session }] = open('a', became)
    assert.equal(isAsOpened(session, at + 1), want)
  })
}

test('an idle span longer than the lifetime ends with the lifetime', () => {
  const policy = { ...defaultPolicy, idle: 2_000, lifetime: 1_000 }
  const session = openSession({ id: 'a', user, delivery: 'cookies', userAgent: '', address: '' }, policy, at)
  assert.equal(session.idleEndsAt, session.endsAt)
})
