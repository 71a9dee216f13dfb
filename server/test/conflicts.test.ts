// Cookies that contradict each other: whose session is meant, and when nobody can say. A `__Host-` name that comes twice
// is refused whatever it holds.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Carried, OperationName, Tokens } from '../src/operations/contract.ts'
import { bridge, earlierToken } from './earlier.ts'
import {
  asJack,
  carry,
  idOf,
  jack,
  later,
  refusedOf,
  type Sys,
  sessionOf,
  system,
  textsOf,
  tokensOf,
} from './system.ts'

const jill = { email: 'jill@example.com', password: jack.password }

/** Two signed-in browsers of one person, and one that was signed in before. */
type Three = { readonly ended: Tokens; readonly one: Tokens; readonly two: Tokens }

async function three({ ask }: Sys): Promise<Three> {
  const ended = tokensOf(await ask('signUp', jack))
  tokensOf(await ask('signOut', {}, carry(ended)))
  return { ended, one: tokensOf(await ask('signIn', asJack)), two: tokensOf(await ask('signIn', asJack)) }
}

const access = (...all: readonly Tokens[]) => all.map(tokens => tokens.access?.token ?? '')

// [sentence, operation, what the call carries, whose session it means or why it is refused]
const contradictions: [
  string,
  'refresh' | 'whoAmI',
  (given: Three) => Partial<Carried>,
  keyof Three | 'cookie_conflict',
][] = [
  [
    'two refresh cookies of live sessions',
    'refresh',
    ({ one, two }) => ({ refresh: textsOf('refresh', one, two) }),
    'cookie_conflict',
  ],
  [
    'two sign-in cookies of live sessions',
    'refresh',
    ({ one, two }) => ({ signIn: textsOf('signIn', one, two) }),
    'cookie_conflict',
  ],
  [
    'two sign-in cookies of live sessions beside one good refresh cookie',
    'refresh',
    ({ one, two }) => ({ ...carry(one), signIn: textsOf('signIn', one, two) }),
    'cookie_conflict',
  ],
  [
    'a refresh cookie of an ended session before that of a live one',
    'refresh',
    ({ ended, one }) => ({ refresh: textsOf('refresh', ended, one) }),
    'one',
  ],
  [
    'a refresh cookie of an ended session behind that of a live one',
    'refresh',
    ({ ended, two }) => ({ refresh: textsOf('refresh', two, ended) }),
    'two',
  ],
  [
    'a sign-in cookie of an ended session before that of a live one',
    'refresh',
    ({ ended, two }) => ({ signIn: textsOf('signIn', ended, two) }),
    'two',
  ],
  ['one refresh cookie twice', 'refresh', ({ one }) => ({ refresh: textsOf('refresh', one, one) }), 'one'],
  [
    'junk beside a refresh cookie',
    'refresh',
    ({ one }) => ({ refresh: ['junk', ...textsOf('refresh', one)] }),
    'one',
  ],
  [
    'the sign-in cookie of one session, the refresh cookie of another',
    'refresh',
    ({ one, two }) => ({ ...carry(one), signIn: textsOf('signIn', two) }),
    'two',
  ],
  [
    'two access cookies of two sessions',
    'whoAmI',
    ({ one, two }) => ({ access: access(one, two) }),
    'cookie_conflict',
  ],
  [
    'two access cookies, and a sign-in cookie that says which',
    'whoAmI',
    ({ one, two }) => ({ access: access(one, two), signIn: textsOf('signIn', two) }),
    'two',
  ],
  [
    'an access cookie and a bearer token of two sessions',
    'whoAmI',
    ({ one, two }) => ({ access: access(one), bearer: two.access?.token }),
    'cookie_conflict',
  ],
]

for (const [sentence, does, carried, want] of contradictions) {
  test(`${does} with ${sentence}: ${want}`, async () => {
    const sys = await system()
    const given = await three(sys)
    const result = await sys.ask(does, {}, carried(given))
    if (want === 'cookie_conflict') assert.equal(refusedOf(result), want)
    else assert.equal(sessionOf(result).id, idOf(given[want]))
  })
}

// Each with what would succeed, but for the name that came twice.
const hostile: [OperationName, Record<string, unknown>][] = [
  ['whoAmI', {}],
  ['listSessions', {}],
  ['endOtherSessions', {}],
  ['changePassword', { current: jack.password, new: 'a better one still' }],
  ['refresh', {}],
  ['csrf', {}],
  ['signIn', asJack],
  ['exchange', { token: await earlierToken(jack.email, {}, Date.UTC(2026, 0, 1)) }],
  ['signUp', jill],
  ['register', jill],
]

for (const [does, input] of hostile) {
  test(`a __Host- name twice: ${does} is refused, does nothing, and is written down once`, async () => {
    const sys = await system({ bridge })
    const { one, two } = await three(sys)
    const { length } = sys.told
    sys.pass(later)
    assert.equal(refusedOf(await sys.ask(does, input, { ...carry(one), conflict: true })), 'cookie_conflict')
    assert.deepEqual(
      sys.told.slice(length).map(({ type }) => type),
      ['cookie_conflict'],
    )
    assert.ok('done' in (await sys.ask('whoAmI', {}, carry(two))), 'nobody is signed out')
    assert.equal((await sys.engine.store.holder(idOf(one)))?.session.successor, 1)
    assert.equal(await sys.engine.store.account({ emailKey: jill.email }), undefined)
  })
}

test('a __Host- name twice keeps nobody from leaving', async () => {
  const sys = await system()
  const { one } = await three(sys)
  assert.deepEqual(tokensOf(await sys.ask('signOut', {}, { ...carry(one), conflict: true })), { clear: true })
  assert.equal(refusedOf(await sys.ask('refresh', {}, carry(one))), 'refresh_invalid')
})

test('a flood of conflicts is refused to the last one and leaves sixty lines in a minute', async () => {
  const sys = await system()
  const { one } = await three(sys)
  const { length } = sys.told
  const jar = { ...carry(one), conflict: true }
  for (let i = 0; i < 70; i++) assert.equal(refusedOf(await sys.ask('whoAmI', {}, jar)), 'cookie_conflict')
  assert.equal(sys.told.length - length, 60)
})

test('an access cookie of an ended session is a left-over: beside a live one it says nothing, in either order', async () => {
  const { ask } = await system()
  const old = tokensOf(await ask('signUp', jack))
  const now = tokensOf(await ask('signIn', asJack, carry(old)))
  const texts = [old.access?.token ?? '', now.access?.token ?? '']
  for (const access of [texts, texts.toReversed()]) {
    assert.equal(refusedOf(await ask('whoAmI', {}, { access })), 'not refused')
    const beside = { access, signIn: [old.signIn ?? ''] }
    assert.equal(refusedOf(await ask('whoAmI', {}, beside)), 'not refused')
  }
})

test('a sign-out ends the session whose cookies stand behind any number of others of their names', async () => {
  const { ask } = await system()
  const tokens = tokensOf(await ask('signUp', jack))
  const junk = Array.from({ length: 20 }, (_, i) => `x${i}`)
  const behind = { refresh: [...junk, tokens.refresh ?? ''], signIn: [...junk, tokens.signIn ?? ''] }
  tokensOf(await ask('signOut', {}, behind))
  assert.equal(refusedOf(await ask('refresh', {}, carry(tokens))), 'refresh_invalid')
})
