// Signing in as a guesser meets it: the same work whoever is asked for, counts that only a success forgets, records that
// grow stronger on the way.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultPolicy } from '../src/core/policy.ts'
import { createPasswords } from '../src/crypto/password.ts'
import { endSession, setActive } from '../src/operations/administer.ts'
import type { Manner, OperationName, Result, Tokens } from '../src/operations/contract.ts'
import type { Engine } from '../src/operations/engine.ts'
import { newUser } from './store/people.ts'
import {
  asJack,
  carry,
  idOf,
  jack,
  ratesOf,
  refusedOf,
  type Sys,
  system,
  textsOf,
  tokensOf,
} from './system.ts'

const wrong = { login: jack.username, password: 'not the password' }

/** A passwords that works as ever and writes down what it was asked for. */
function noting() {
  const passwords = createPasswords({ scheme: 'argon2id' })
  const asked: { does: 'hash' | 'verify'; record?: string | null; decoy?: string | undefined }[] = []
  const over: Engine['passwords'] = {
    hash(password) {
      asked.push({ does: 'hash' })
      return passwords.hash(password)
    },
    verify(record, password, options) {
      asked.push({ does: 'verify', record, decoy: options?.decoy })
      return passwords.verify(record, password, options)
    },
  }
  return { over, asked }
}

const disableJack = async ({ engine }: Sys) => {
  const jacks = await engine.store.account({ usernameKey: jack.username })
  assert.equal(await setActive(engine, jacks?.user.id ?? '', false), true)
}

const jill = { email: 'jill@example.com', username: 'jill', password: jack.password }

// [sentence, what came before, operation, input, the work done]
const works: [string, (sys: Sys) => Promise<unknown>, OperationName, Record<string, unknown>, string][] = [
  ['registering a free address', async () => undefined, 'register', jill, 'hash'],
  ['registering a taken address', async () => undefined, 'register', { ...jill, email: jack.email }, 'hash'],
  ['registering a taken username', async () => undefined, 'register', { ...jill, username: 'JACK' }, 'hash'],
  ['signing up with a free address', async () => undefined, 'signUp', jill, 'hash'],
  [
    'signing up with a taken address',
    async () => undefined,
    'signUp',
    { ...jill, email: jack.email },
    'hash',
  ],
  ['the right password', async () => undefined, 'signIn', asJack, 'verify'],
  ['a wrong password', async () => undefined, 'signIn', wrong, 'verify'],
  ['an unknown user', async () => undefined, 'signIn', { ...asJack, login: 'jill' }, 'verify'],
  ['an unknown address', async () => undefined, 'signIn', { ...asJack, login: jill.email }, 'verify'],
  ['a disabled user’s right password', disableJack, 'signIn', asJack, 'verify'],
  ['a disabled user’s wrong password', disableJack, 'signIn', wrong, 'verify'],
  [
    'a user without a password',
    ({ engine }) => engine.store.commit([{ change: 'createUser', user: newUser('jill'), password: null }]),
    'signIn',
    { ...asJack, login: jill.email },
    'verify',
  ],
]

for (const [sentence, before, does, input, want] of works) {
  test(`${sentence} costs one ${want} and nothing else`, async () => {
    const { over, asked } = noting()
    const sys = await system({ passwords: over })
    await sys.make(jack)
    await before(sys)
    asked.length = 0
    await sys.ask(does, input)
    assert.deepEqual(
      asked.map(each => each.does),
      [want],
    )
  })
}

test('unknown user, wrong password, disabled user and a user without a password get one refusal', async () => {
  const sys = await system()
  await sys.make(jack)
  await sys.engine.store.commit([{ change: 'createUser', user: newUser('jill'), password: null }])
  const answers: Result[] = [
    await sys.ask('signIn', wrong),
    await sys.ask('signIn', { ...asJack, login: 'nobody' }),
    await sys.ask('signIn', { ...asJack, login: jill.email }),
  ]
  await disableJack(sys)
  answers.push(await sys.ask('signIn', asJack), await sys.ask('signIn', wrong))
  assert.deepEqual(answers, Array(5).fill({ refusal: { refused: 'credentials_wrong' } }))
})

test('whoever has no record is held against somebody’s, always the same one for one login', async () => {
  const { over, asked } = noting()
  const { ask, engine } = await system({ passwords: over })
  const decoysOf = async (...logins: string[]) => {
    asked.length = 0
    for (const login of logins) await ask('signIn', { login, password: 'x' })
    assert.ok(
      asked.every(({ does, record }) => does === 'verify' && record === null),
      'there is no record of their own',
    )
    return asked.map(({ decoy }) => decoy)
  }
  assert.deepEqual(await decoysOf('nobody'), [undefined], 'an empty store has none')
  // Ids that begin with each sixteenth of the alphabet, so that a look-up anywhere finds another one.
  const ids = [...'AEIMQUYcgkosw048']
  const records = ids.map(id => `record of ${id}`)
  for (const [i, id] of ids.entries()) {
    const password = records[i] ?? null
    await engine.store.commit([{ change: 'createUser', user: newUser(id), password }])
  }
  await engine.store.commit([{ change: 'createUser', user: newUser('jill'), password: null }])
  const logins = Array.from({ length: 12 }, (_, i) => `nobody${i}`)
  const decoys = await decoysOf(...logins, 'jill@example.com')
  for (const decoy of decoys) assert.ok(records.includes(decoy ?? ''), `${decoy}`)
  assert.ok(new Set(decoys).size > 3, 'they are spread over everybody')
  assert.deepEqual(await decoysOf(...logins.map(login => ` ${login.toUpperCase()} `)), decoys.slice(0, -1))
})

/** "a much better password", as bcrypt of cost 4. */
const bcryptRecord = '$2b$04$K928I4ATmw7kbs60WpbEDO//MhjrW4CFXoOWVwoe.ldcWxMs8jbR6'

test('a sign-in replaces a weaker record of the same password, once', async () => {
  const sys = await system()
  const { id } = await sys.make(jack)
  const made = await sys.recordOf(id)
  assert.ok(made)
  await sys.engine.store.commit([
    { change: 'replacePasswordRecord', userId: id, was: made, record: bcryptRecord },
  ])
  const rehashed = () => sys.told.filter(({ type }) => type === 'password_rehashed')

  assert.equal(refusedOf(await sys.ask('signIn', wrong)), 'credentials_wrong')
  assert.equal(await sys.recordOf(id), bcryptRecord, 'a wrong password leaves it alone')
  tokensOf(await sys.ask('signIn', asJack))
  const stronger = await sys.recordOf(id)
  assert.match(stronger ?? '', /^\$argon2id\$/)
  assert.deepEqual(
    rehashed().map(({ userId }) => userId),
    [id],
  )

  tokensOf(await sys.ask('signIn', asJack))
  assert.equal(refusedOf(await sys.ask('signIn', wrong)), 'credentials_wrong')
  assert.equal(await sys.recordOf(id), stronger, 'one that is strong enough stays')
  assert.equal(rehashed().length, 1)
})

test('beyond ten failures an account has one try in thirty seconds, but the browser that knows it is not shut out', async () => {
  const { ask } = await system()
  const own = tokensOf(await ask('signUp', jack))
  const attack = () => ask('signIn', { login: 'JACK@example.com', password: 'wrong' })
  for (let i = 0; i < 11; i++) assert.equal(refusedOf(await attack()), 'credentials_wrong')
  const throttled = await attack()
  assert.ok('refusal' in throttled && throttled.refusal.refused === 'throttled')
  assert.ok((throttled.refusal.retryAfter ?? 0) > 0 && (throttled.refusal.retryAfter ?? 99) <= 30)
  assert.equal(refusedOf(await ask('signIn', asJack)), 'throttled')
  assert.ok(tokensOf(await ask('signIn', asJack, carry(own))).signIn)
})

/** What became of a session before its sign-in cookie is shown beside a guess. */
type Became = (sys: Sys, own: Tokens) => Promise<unknown>

// [sentence, what became of it, whether its browser is still counted by itself]
const known: [string, Became, boolean][] = [
  ['is live', async () => undefined, true],
  ['signed out', ({ ask }, own) => ask('signOut', {}, carry(own)), true],
  ['was followed by a new sign-in', ({ ask }, own) => ask('signIn', asJack, carry(own)), true],
  ['nobody used for too long', async ({ pass }) => pass(defaultPolicy.idle), true],
  [
    'was ended from another browser',
    async ({ ask }) => ask('endOtherSessions', {}, carry(tokensOf(await ask('signIn', asJack)))),
    false,
  ],
  ['an operator has ended', ({ engine }, own) => endSession(engine, idOf(own), 'revoked'), false],
  [
    'a password change has ended',
    ({ ask }, own) => ask('changePassword', { current: jack.password, new: jack.password }, carry(own)),
    false,
  ],
]

for (const [sentence, become, want] of known) {
  test(`a browser whose session ${sentence} ${want ? 'has tries of its own' : 'shares the tries of strangers'}`, async () => {
    const sys = await system()
    const own = tokensOf(await sys.ask('signUp', jack))
    await become(sys, own)
    const how = ratesOf({ account: { points: 2, per: 60_000 } })
    for (let i = 0; i < 4; i++) await sys.ask('signIn', wrong, {}, how)
    assert.equal(refusedOf(await sys.ask('signIn', wrong, {}, how)), 'throttled')
    const cookies = { signIn: carry(own).signIn ?? [] }
    const answer = refusedOf(await sys.ask('signIn', wrong, cookies, how))
    assert.equal(answer, want ? 'credentials_wrong' : 'throttled')
  })
}

test('a sign-in that is decided again hashes nothing again', async () => {
  const { over, asked } = noting()
  const ending: string[] = []
  const sys = await system({
    passwords: over,
    store: store => ({
      ...store,
      async commit(changes) {
        const id = changes.some(({ change }) => change === 'recordSignIn') ? ending.shift() : undefined
        if (id !== undefined) {
          await store.commit([{ change: 'endSession', sessionId: id, because: 'revoked', at: store.now() }])
        }
        return store.commit(changes)
      },
    }),
  })
  const all = [tokensOf(await sys.ask('signUp', jack))]
  for (let i = 0; i < 3; i++) all.push(tokensOf(await sys.ask('signIn', asJack)))
  const id = (await sys.engine.store.holder(idOf(all[0] ?? {})))?.user.id ?? ''
  await sys.engine.store.commit([
    {
      change: 'replacePasswordRecord',
      userId: id,
      was: (await sys.recordOf(id)) ?? '',
      record: bcryptRecord,
    },
  ])
  asked.length = 0
  ending.push(...all.slice(1).map(idOf))
  tokensOf(await sys.ask('signIn', asJack, { refresh: textsOf('refresh', ...all) }))
  assert.deepEqual(ending, [], 'it was overtaken three times')
  assert.deepEqual(
    asked.map(({ does }) => does),
    ['verify', 'hash'],
  )
})

const many = { points: 1000, per: 60_000 }
const few = { points: 2, per: 60_000 }
const [half, hour] = [1_800_000, 3_600_000]

// [sentence, rates, seconds to wait beyond them]
const counts: [string, Partial<Manner['policy']['rates']>, number][] = [
  ['a few failures in a while', { account: few, accountPause: 30_000, ceiling: many }, 30],
  ['many failures in a row', { account: many, ceiling: few, ceilingPause: hour }, 3600],
  ['both', { account: few, accountPause: half, ceiling: few, ceilingPause: hour }, 1800],
]

for (const [sentence, rates, pause] of counts) {
  test(`beyond ${sentence} an account has one try in ${pause} seconds, right or wrong`, async () => {
    const { ask, make } = await system()
    await make(jack)
    const how = ratesOf(rates)
    const attack = (input: object = wrong) => ask('signIn', { ...input }, {}, how)
    // Two that the rate allows, and the one try of this pause.
    for (let i = 0; i < 3; i++) assert.equal(refusedOf(await attack()), 'credentials_wrong')
    for (const input of [wrong, asJack]) {
      const throttled = await attack(input)
      assert.ok('refusal' in throttled && throttled.refusal.refused === 'throttled')
      const { retryAfter = 0 } = throttled.refusal
      assert.ok(retryAfter <= pause && retryAfter > pause - 10, `${retryAfter}`)
    }
  })

  test(`a success forgets ${sentence}`, async () => {
    const { ask, make } = await system()
    await make(jack)
    const how = ratesOf(rates)
    for (let i = 0; i < 4; i++) {
      assert.equal(refusedOf(await ask('signIn', wrong, {}, how)), 'credentials_wrong')
      tokensOf(await ask('signIn', asJack, {}, how))
    }
  })

  test(`a disabled user’s right password is one of ${sentence}`, async () => {
    const sys = await system()
    await sys.make(jack)
    await disableJack(sys)
    const how = ratesOf(rates)
    for (let i = 0; i < 3; i++) {
      assert.equal(refusedOf(await sys.ask('signIn', asJack, {}, how)), 'credentials_wrong')
    }
    assert.equal(refusedOf(await sys.ask('signIn', asJack, {}, how)), 'throttled')
  })
}

test('what the pause refuses does not count towards the ceiling: a flood of guesses shuts nobody out for longer', async () => {
  const { ask, make } = await system()
  await make(jack)
  const how = ratesOf({
    account: few,
    accountPause: 30_000,
    ceiling: { points: 5, per: 60_000 },
    ceilingPause: hour,
  })
  for (let i = 0; i < 60; i++) await ask('signIn', wrong, {}, how)
  const throttled = await ask('signIn', asJack, {}, how)
  assert.ok('refusal' in throttled && (throttled.refusal.retryAfter ?? 99) <= 30)
})

test('a success in a browser that knows the account clears what strangers have counted up', async () => {
  const { ask } = await system()
  const own = tokensOf(await ask('signUp', jack))
  const how = ratesOf({ account: few, accountPause: hour, ceiling: many })
  for (let i = 0; i < 9; i++) await ask('signIn', wrong, {}, how)
  assert.equal(refusedOf(await ask('signIn', asJack, {}, how)), 'throttled')
  tokensOf(await ask('signIn', asJack, carry(own), how))
  tokensOf(await ask('signIn', asJack, {}, how))
})

test('failures under a name that nobody has are counted alike, each name by itself', async () => {
  const { ask } = await system()
  const how = ratesOf({ account: few })
  const attack = (login: string) => ask('signIn', { login, password: 'wrong' }, {}, how)
  for (const login of ['nobody', 'NOBODY', ' nobody ']) {
    assert.equal(refusedOf(await attack(login)), 'credentials_wrong')
  }
  assert.equal(refusedOf(await attack('nobody')), 'throttled')
  assert.equal(refusedOf(await attack('somebody')), 'credentials_wrong')
})
