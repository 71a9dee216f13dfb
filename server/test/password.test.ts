// Changing the password: who had the old one is out at once, everywhere; who changed it goes on, here, in a session that no
// copy of this browser's cookies knows.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Change } from '../src/core/change.ts'
import { writeRefreshToken } from '../src/crypto/macs.ts'
import { createPasswords } from '../src/crypto/password.ts'
import type { Carried, Tokens } from '../src/operations/contract.ts'
import type { Engine } from '../src/operations/engine.ts'
import type { Store } from '../src/store/port.ts'
import {
  answersTo,
  asJack,
  carry,
  idOf,
  jack,
  jackTwice,
  later,
  manner,
  ratesOf,
  refusedOf,
  sessionOf,
  system,
  tokensOf,
} from './system.ts'

const next = 'a better one still'
const change = { current: jack.password, new: next }
const asJackNow = { ...asJack, password: next }
const jill = { email: 'jill@example.com', username: 'jill', password: 'another good password' }
const wrong = { ...change, current: 'not the password' }

const good = ['not refused', 'not refused']
const dead = ['access_revoked', 'refresh_invalid']

/** What a browser sends that keeps its access token in memory. */
const byBearer = (...all: Tokens[]): Partial<Carried> => {
  const { access, ...cookies } = carry(...all)
  return { ...cookies, bearer: access?.[0] }
}

/** A passwords that works as ever and writes down what it was asked for. */
function noting() {
  const passwords = createPasswords({ scheme: 'argon2id' })
  const asked: string[] = []
  const over: Engine['passwords'] = {
    hash(password) {
      asked.push('hash')
      return passwords.hash(password)
    },
    verify(record, password, options) {
      asked.push(
        `verify ${record === null ? 'nothing' : 'a record'}, ${options?.decoy ? 'decoy' : 'no decoy'}`,
      )
      return passwords.verify(record, password, options)
    },
  }
  return { over, asked }
}

test('every other session is refused at once, and this one goes on with fresh cookies', async () => {
  const { here, there, ...sys } = await jackTwice()
  assert.deepEqual(await answersTo(sys, carry(there)), good)
  const result = await sys.ask('changePassword', change, carry(here))
  const changed = tokensOf(result)
  assert.equal(sessionOf(result).id, idOf(changed))
  assert.notEqual(idOf(changed), idOf(here))
  assert.deepEqual(Object.keys(changed).toSorted(), [
    'access',
    'delivery',
    'refresh',
    'refreshMaxAge',
    'signIn',
  ])
  assert.deepEqual(await answersTo(sys, carry(there)), dead)
  assert.deepEqual(await answersTo(sys, carry(here, changed)), good)
  sys.pass(later)
  const renewed = tokensOf(await sys.ask('refresh', {}, carry(here, changed)))
  assert.equal(idOf(renewed), idOf(changed))
})

test('the old cookies of this very browser are dead, in the hands of whoever copied them', async () => {
  const { here, ...sys } = await jackTwice()
  tokensOf(await sys.ask('changePassword', change, carry(here)))
  for (const span of [0, later]) {
    sys.pass(span)
    assert.deepEqual(await answersTo(sys, carry(here)), dead)
  }
})

test('the new password signs in, the old one does not', async () => {
  const { here, ...sys } = await jackTwice()
  tokensOf(await sys.ask('changePassword', change, carry(here)))
  assert.equal(refusedOf(await sys.ask('signIn', asJack)), 'credentials_wrong')
  tokensOf(await sys.ask('signIn', asJackNow))
})

test('whose access token is kept in memory keeps the new one there', async () => {
  const sys = await system()
  const here = tokensOf(await sys.ask('signUp', { ...jack, delivery: 'memory' }))
  const changed = tokensOf(await sys.ask('changePassword', change, byBearer(here)))
  assert.equal(changed.delivery, 'memory')
  assert.deepEqual(await answersTo(sys, byBearer(here)), dead)
  assert.deepEqual(await answersTo(sys, byBearer(here, changed)), good)
  sys.pass(later)
  assert.equal(tokensOf(await sys.ask('refresh', {}, byBearer(here, changed))).delivery, 'memory')
})

test('a refresh answer of before that arrives after it undoes nothing, at once or later', async () => {
  const { here, ...sys } = await jackTwice()
  sys.pass(later)
  const late = tokensOf(await sys.ask('refresh', {}, carry(here)))
  assert.ok(late.refresh)
  const changed = tokensOf(await sys.ask('changePassword', change, carry(here)))
  // The late answer wrote its access and refresh cookies over the newer ones.
  const jar = carry(here, changed, late)
  assert.deepEqual(await answersTo(sys, jar), ['access_revoked', 'not refused'])
  const renewed = tokensOf(await sys.ask('refresh', {}, jar))
  assert.deepEqual(await answersTo(sys, carry(here, changed, late, renewed)), good)
  sys.pass(later)
  const again = tokensOf(await sys.ask('refresh', {}, carry(here, changed, late)))
  assert.equal(idOf(again), idOf(changed))
})

test('sessions of other people that the cookies name end too, and no others', async () => {
  const { here, ...sys } = await jackTwice()
  const jills = tokensOf(await sys.ask('signUp', jill))
  const elsewhere = tokensOf(await sys.ask('signIn', { login: jill.username, password: jill.password }))
  const mixed = { ...carry(here), refresh: [...(carry(here).refresh ?? []), jills.refresh ?? ''] }
  tokensOf(await sys.ask('changePassword', change, mixed))
  assert.deepEqual(await answersTo(sys, carry(jills)), dead)
  assert.deepEqual(await answersTo(sys, carry(elsewhere)), good)
})

test('a wrong current password is refused by its field, and nothing ends', async () => {
  const { here, there, recordOf, userId, ...sys } = await jackTwice()
  const before = await recordOf(userId)
  const result = await sys.ask('changePassword', wrong, carry(here))
  const issues = [{ field: 'current', type: 'value_error', message: 'Current password is wrong' }]
  assert.deepEqual(result, { refusal: { refused: 'password_wrong', issues } })
  for (const each of [here, there]) assert.deepEqual(await answersTo(sys, carry(each)), good)
  assert.equal(await recordOf(userId), before)
})

test('a weak new password is refused by its field with every reason, and only when the current one is proved', async () => {
  const { here, ...sys } = await jackTwice()
  const attempt = (input: object) => sys.ask('changePassword', { ...change, ...input }, carry(here))
  const weak = await attempt({ new: 'jack' })
  assert.ok('refusal' in weak)
  assert.deepEqual(
    [weak.refusal.refused, weak.refusal.issues?.map(({ field, type }) => `${field} ${type}`)],
    ['password_weak', ['new string_too_short', 'new value_error']],
  )
  assert.equal(refusedOf(await attempt({ new: 'jack', current: wrong.current })), 'password_wrong')
  assert.equal(refusedOf(await attempt({ new: '\ud800 is no text' })), 'input_invalid')
  assert.equal(refusedOf(await attempt({ new: 'x'.repeat(1025) })), 'input_invalid')
  assert.deepEqual(await answersTo(sys, carry(here)), good)
})

test('who is not signed in, or was, changes nothing', async () => {
  const { here, ask } = await jackTwice()
  assert.equal(refusedOf(await ask('changePassword', change)), 'not_signed_in')
  const { access: _, ...noAccess } = carry(here)
  assert.equal(refusedOf(await ask('changePassword', change, noAccess)), 'not_signed_in')
  tokensOf(await ask('signOut', {}, carry(here)))
  assert.equal(refusedOf(await ask('changePassword', change, carry(here))), 'access_revoked')
})

test('a session that has ended is seen in the store, also while memory still holds it for live', async () => {
  const { over, asked } = noting()
  const { here, engine, ...sys } = await jackTwice({ passwords: over })
  assert.deepEqual(await answersTo(sys, carry(here)), good)
  asked.length = 0
  // As another process would end it, before this one is told.
  const ended: Change = {
    change: 'endSession',
    sessionId: idOf(here),
    because: 'revoked',
    at: engine.store.now(),
  }
  await engine.store.commit([ended])
  assert.ok(engine.memory.holder(idOf(here)))
  assert.equal(refusedOf(await sys.ask('changePassword', change, carry(here))), 'access_revoked')
  assert.deepEqual(asked, [], 'no password is tried')
})

test('where the dialect wants a CSRF token of the session, one of another session will not do', async () => {
  const { ask, here, there } = await jackTwice()
  const how = { csrf: 'session', mintsCsrf: true } as const
  const tokenOf = async (tokens: Tokens) => {
    const { csrf } = tokensOf(await ask('csrf', {}, carry(tokens), { mintsCsrf: true }))
    return { csrf: { header: csrf, cookie: csrf } }
  }
  const call = async (tokens: Tokens) =>
    ask('changePassword', change, { ...carry(here), ...(await tokenOf(tokens)) }, how)
  assert.equal(refusedOf(await call(there)), 'csrf_refused')
  assert.equal(typeof tokensOf(await call(here)).csrf, 'string', 'and the new session has a new one')
})

// [sentence, input, answer, the work done]
const works: [string, object, string, string[]][] = [
  ['the right password', change, 'not refused', ['verify a record, decoy', 'hash']],
  ['a wrong password', wrong, 'password_wrong', ['verify a record, decoy']],
  ['a weak new password', { ...change, new: 'x' }, 'password_weak', ['verify a record, decoy']],
]

for (const [sentence, input, want, work] of works) {
  test(`${sentence} costs ${work.join(' and ')}`, async () => {
    const { over, asked } = noting()
    const { here, ask } = await jackTwice({ passwords: over })
    asked.length = 0
    assert.equal(refusedOf(await ask('changePassword', { ...input }, carry(here))), want)
    assert.deepEqual(asked, work)
  })
}

test('a user without a password is refused as for a wrong one, for the same work', async () => {
  const { over, asked } = noting()
  let hidden = false
  const between = (store: Store): Store => ({
    ...store,
    async account(key) {
      const account = await store.account(key)
      return account && hidden ? { ...account, password: null } : account
    },
  })
  const { here, ...sys } = await jackTwice({ passwords: over, store: between })
  hidden = true
  asked.length = 0
  assert.equal(refusedOf(await sys.ask('changePassword', change, carry(here))), 'password_wrong')
  assert.deepEqual(asked, ['verify nothing, decoy'])
})

test('when too much waits to be hashed, the answer is "not now", and nothing ends', async () => {
  const passwords = createPasswords({ scheme: 'argon2id', concurrency: 1, queue: 0 })
  const { here, ...sys } = await jackTwice({ passwords })
  const [, result] = await Promise.all([
    passwords.hash('something else'),
    sys.ask('changePassword', change, carry(here)),
  ])
  assert.ok('refusal' in result && result.refusal.refused === 'busy' && (result.refusal.retryAfter ?? 0) > 0)
  assert.deepEqual(await answersTo(sys, carry(here)), good)
  tokensOf(await sys.ask('changePassword', change, carry(here)))
})

const few = ratesOf({ account: { points: 2, per: 60_000 }, accountPause: 60_000 })

test('guesses in a session are counted: beyond the rate one try per pause, right or wrong', async () => {
  const { here, there, ...sys } = await jackTwice()
  const guess = (input: object, from = here) =>
    sys.ask('changePassword', { ...input }, carry(from), few, { userAgent: 'guesser' })
  for (let i = 0; i < 3; i++) assert.equal(refusedOf(await guess(wrong)), 'password_wrong')
  for (const input of [wrong, change]) {
    const result = await guess(input)
    assert.ok('refusal' in result && result.refusal.refused === 'throttled')
    assert.ok((result.refusal.retryAfter ?? 0) > 50)
  }
  assert.equal(sys.told.filter(({ type }) => type === 'password_change_refused').length, 3)
  // Each browser is counted by itself: a thief in one shuts the owner out of nothing.
  tokensOf(await sys.ask('signIn', asJack, {}, few))
  assert.equal(refusedOf(await guess(change, there)), 'not refused')
})

test('many guesses at once are counted one by one', async () => {
  const { here, ask } = await jackTwice()
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => ask('changePassword', wrong, carry(here), few)),
  )
  const count = (code: string) => answers.filter(each => refusedOf(each) === code).length
  assert.deepEqual([count('password_wrong'), count('throttled')], [3, 17])
})

test('a success forgets what was counted', async () => {
  const { here, ...sys } = await jackTwice()
  let jar = [here]
  let [current, other] = [jack.password, next]
  for (let i = 0; i < 4; i++) {
    const attempt = (input: object) => sys.ask('changePassword', { ...input }, carry(...jar), few)
    assert.equal(refusedOf(await attempt(wrong)), 'password_wrong')
    jar = [...jar, tokensOf(await attempt({ current, new: other }))]
    ;[current, other] = [other, current]
  }
})

test('the right password beside a weak new one is written down and forgets nothing', async () => {
  const { here, ...sys } = await jackTwice()
  const attempt = (input: object) => sys.ask('changePassword', { ...input }, carry(here), few)
  assert.equal(refusedOf(await attempt(wrong)), 'password_wrong')
  for (let i = 0; i < 2; i++) {
    assert.equal(refusedOf(await attempt({ ...change, new: 'jack' })), 'password_weak')
    assert.partialDeepStrictEqual(sys.told.at(-1), {
      type: 'password_change_refused',
      sessionId: idOf(here),
      detail: { because: 'weak' },
    })
  }
  assert.equal(refusedOf(await attempt(wrong)), 'throttled')
})

test('an authentic refresh token of any number of the old session is refused, and accuses nobody of the new one', async () => {
  const { here, engine, ...sys } = await jackTwice()
  const changed = tokensOf(await sys.ask('changePassword', change, carry(here)))
  for (const n of [0, 1, 2, 9]) {
    const refresh = [writeRefreshToken(engine.keyring.macs(engine.store.now())[0], idOf(here), n)]
    assert.equal(refusedOf(await sys.ask('refresh', {}, { refresh })), 'refresh_invalid')
  }
  assert.deepEqual(await answersTo(sys, carry(here, changed)), good)
})

test('the session opens under the policy and from the place of the call', async () => {
  const { here, engine, ...sys } = await jackTwice()
  sys.pass(86_400_000)
  const policy = { ...manner.policy, lifetime: 10 * 86_400_000, idle: 86_400_000 }
  const renewed = tokensOf(await sys.ask('refresh', {}, carry(here)))
  const who = { address: '192.0.2.9', userAgent: 'Browser 9' }
  const changed = await sys.ask('changePassword', change, carry(here, renewed), { policy }, who)
  const session = sessionOf(changed)
  const now = engine.store.now()
  assert.partialDeepStrictEqual(session, {
    ...who,
    openedAt: now,
    endsAt: now + policy.lifetime,
    idleEndsAt: now + policy.idle,
    previous: 0,
    current: 0,
    successor: 1,
  })
})
