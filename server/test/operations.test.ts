// Operations on a real store, without HTTP: what is decided, minted and remembered. Time is an argument.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { defaultPolicy } from '../src/core/policy.ts'
import { openSealer } from '../src/crypto/keys.ts'
import { createPasswords } from '../src/crypto/password.ts'
import { createAccount, endSession, setActive } from '../src/operations/administer.ts'
import type { Carried, Manner, OperationName, Result, Tokens } from '../src/operations/contract.ts'
import type { Engine } from '../src/operations/engine.ts'
import { openKeyring } from '../src/operations/keyring.ts'
import { createMemory } from '../src/operations/memory.ts'
import { createRecall, createRun } from '../src/operations/run.ts'
import { openStore } from '../src/store/open.ts'
import { createThrottle } from '../src/store/throttle.ts'

const nothing: Carried = {
  access: [],
  bearer: undefined,
  refresh: [],
  signIn: [],
  csrf: undefined,
  conflict: false,
}
const manner: Manner = {
  policy: defaultPolicy,
  delivery: 'cookies',
  subject: 'id',
  claims: undefined,
  csrf: undefined,
  mintsCsrf: false,
}
const jack = { email: 'jack@example.com', username: 'jack', password: 'a much better password' }

/** A system with a clock that only the test moves. */
async function system() {
  let now = Date.UTC(2026, 0, 1)
  const store = await openStore({ kind: 'sqlite', path: null, label: 'memory' }, { clock: () => now })
  await store.migrate()
  const keyring = await openKeyring({
    store,
    sealer: openSealer(randomBytes(32)),
    algorithm: 'ES256',
    shared: undefined,
  })
  const engine: Engine = {
    store,
    keyring,
    throttle: createThrottle(),
    passwords: createPasswords({ scheme: 'argon2id' }),
    isCommonPassword: async () => false,
    memory: createMemory(),
    issuer: 'http://127.0.0.1:8000',
    audience: undefined,
    newId: () => randomBytes(16).toString('base64url'),
    onEvent: () => undefined,
  }
  const run = createRun(engine)
  return {
    engine,
    recall: createRecall(engine),
    pass: (span: number) => {
      now += span
    },
    ask: <O extends OperationName>(
      does: O,
      input: Record<string, unknown> = {},
      carried: Partial<Carried> = {},
      how: Partial<Manner> = {},
    ): Promise<Result<O>> =>
      run({
        does,
        input,
        carried: { ...nothing, ...carried },
        caller: { callId: 'c', address: '127.0.0.1', userAgent: 'test' },
        manner: { ...manner, ...how },
      }),
  }
}

/** What the browser sends after these answers, each put over the ones before. */
const carry = (...all: readonly Tokens[]): Partial<Carried> => {
  const latest = (pick: (tokens: Tokens) => string | undefined) => {
    const text = all.map(pick).findLast(each => each !== undefined)
    return text === undefined ? [] : [text]
  }
  return {
    access: latest(tokens => tokens.access?.token),
    refresh: latest(tokens => tokens.refresh),
    signIn: latest(tokens => tokens.signIn),
  }
}

const tokensOf = (result: Result): Tokens => {
  assert.ok('tokens' in result, 'refusal' in result ? `refused: ${result.refusal.refused}` : '')
  return result.tokens
}
const refusedOf = (result: Result) => ('refusal' in result ? result.refusal.refused : 'not refused')

const later = defaultPolicy.grace + 1

test('who signs up is signed in, and the store gives the number', async () => {
  const { ask } = await system()
  const result = await ask('signUp', jack)
  assert.ok('done' in result)
  assert.equal(result.done.user.number, 1)
  const me = await ask('whoAmI', {}, carry(result.tokens))
  assert.ok('done' in me)
  assert.equal(me.done.user.username, 'jack')
  assert.equal(me.done.user.number, 1)
})

test('registering opens no session', async () => {
  const { ask } = await system()
  assert.deepEqual(tokensOf(await ask('register', jack)), {})
})

test('unknown user, wrong password and disabled user get one refusal', async () => {
  const { ask, engine } = await system()
  const made = await createAccount(engine, jack, { superuser: false, policy: undefined })
  assert.ok('user' in made)
  const wrong = await ask('signIn', { login: 'jack', password: 'wrong' })
  const unknown = await ask('signIn', { login: 'jill', password: jack.password })
  await setActive(engine, made.user.id, false)
  const disabled = await ask('signIn', { login: 'jack', password: jack.password })
  assert.deepEqual([wrong, unknown, disabled], Array(3).fill({ refusal: { refused: 'credentials_wrong' } }))
})

test('a refresh token is sent exactly once', async () => {
  const { ask, pass } = await system()
  const first = tokensOf(await ask('signUp', jack))
  const quiet = tokensOf(await ask('refresh', {}, carry(first)))
  assert.ok(quiet.access && !quiet.refresh)
  pass(later)
  const changed = tokensOf(await ask('refresh', {}, carry(first)))
  assert.ok(changed.access && changed.refresh && !changed.signIn)
  const again = tokensOf(await ask('refresh', {}, carry(first)))
  assert.ok(again.access && !again.refresh)
})

test('four lost answers in a row sign nobody out', async () => {
  const { ask, pass } = await system()
  const first = tokensOf(await ask('signUp', jack))
  for (let i = 0; i < 4; i++) {
    pass(later)
    assert.ok(tokensOf(await ask('refresh', {}, carry(first))).refresh)
  }
  pass(later)
  const kept = tokensOf(await ask('refresh', {}, carry(first)))
  pass(later)
  assert.ok(tokensOf(await ask('refresh', {}, carry(first, kept))).refresh)
})

test('an older refresh token ends the session for owner and thief', async () => {
  const { ask, pass, engine } = await system()
  const first = tokensOf(await ask('signUp', jack))
  const thief = { refresh: carry(first).refresh ?? [] }
  let jar: Tokens[] = [first]
  for (let i = 0; i < 3; i++) {
    pass(later)
    jar = [...jar, tokensOf(await ask('refresh', {}, carry(...jar)))]
  }
  assert.equal(refusedOf(await ask('refresh', {}, thief)), 'refresh_invalid')
  assert.equal(refusedOf(await ask('refresh', {}, carry(...jar))), 'refresh_invalid')
  assert.equal(refusedOf(await ask('whoAmI', {}, carry(...jar))), 'access_revoked')
  const events = await engine.store.events({ limit: 10 })
  assert.equal(events.filter(event => event.type === 'session_reused').length, 1)
})

test('the sign-in cookie of a lost jar is refused without accusing anybody', async () => {
  const { ask, pass } = await system()
  const first = tokensOf(await ask('signUp', jack))
  let jar: Tokens[] = [first]
  for (let i = 0; i < 3; i++) {
    pass(later)
    jar = [...jar, tokensOf(await ask('refresh', {}, carry(...jar)))]
  }
  const lost = { signIn: carry(first).signIn ?? [] }
  assert.equal(refusedOf(await ask('refresh', {}, lost)), 'refresh_invalid')
  assert.ok(tokensOf(await ask('refresh', {}, carry(...jar))).access)
})

test('a late refresh answer undoes neither a sign-out nor a newer sign-in', async () => {
  const { ask, pass } = await system()
  const first = tokensOf(await ask('signUp', jack))
  pass(later)
  const late = tokensOf(await ask('refresh', {}, carry(first)))
  tokensOf(await ask('signOut', {}, carry(first)))
  assert.equal(refusedOf(await ask('refresh', {}, carry(first, late))), 'refresh_invalid')
  assert.equal(refusedOf(await ask('whoAmI', {}, carry(first, late))), 'access_revoked')
  const second = tokensOf(await ask('signIn', { login: 'jack', password: jack.password }, carry(first, late)))
  // The late answer's cookies arrive last, but the sign-in cookie is the newer sign-in's.
  const mixed = { ...carry(second, late), signIn: carry(second).signIn ?? [] }
  assert.equal(refusedOf(await ask('whoAmI', {}, mixed)), 'access_expired')
  const refreshed = await ask('refresh', {}, mixed)
  assert.ok('done' in refreshed)
  assert.equal(refreshed.done.session.id, second.refresh?.split('.')[0])
})

test('a sign-in ends every session that the cookies name', async () => {
  const { ask } = await system()
  const first = tokensOf(await ask('signUp', jack))
  const second = tokensOf(await ask('signIn', { login: 'jack', password: jack.password }, carry(first)))
  assert.equal(refusedOf(await ask('whoAmI', {}, { access: carry(first).access ?? [] })), 'access_revoked')
  assert.ok('done' in (await ask('whoAmI', {}, carry(second))))
})

test('a sign-out works with an expired access token alone', async () => {
  const { ask, pass } = await system()
  const first = tokensOf(await ask('signUp', jack))
  pass(defaultPolicy.access + 1000)
  assert.deepEqual(tokensOf(await ask('signOut', {}, { access: carry(first).access ?? [] })), { clear: true })
  assert.equal(refusedOf(await ask('refresh', {}, carry(first))), 'refresh_invalid')
})

test('memory never outlives a revocation', async () => {
  const { ask, engine, recall } = await system()
  const first = tokensOf(await ask('signUp', jack))
  const token = first.access?.token ?? ''
  assert.equal(recall(token, undefined), undefined, 'nothing is remembered before the first read')
  const me = await ask('whoAmI', {}, carry(first))
  assert.ok('done' in me)
  assert.equal(recall(token, undefined)?.user.id, me.done.user.id)
  await endSession(engine, me.done.session.id, 'revoked')
  assert.equal(recall(token, undefined), undefined)
  assert.equal(refusedOf(await ask('whoAmI', {}, carry(first))), 'access_revoked')
})

test('a read that began before a revocation does not bring the session back', async () => {
  const { ask, engine, recall } = await system()
  const first = tokensOf(await ask('signUp', jack))
  const { sid } = engine.memory.claims(first.access?.token ?? '') ?? {
    sid: first.refresh?.split('.')[0] ?? '',
  }
  const before = await engine.store.holder(sid)
  let release = () => {}
  const slow = new Promise<void>(resolve => {
    release = resolve
  })
  const loading = engine.memory.load(sid, async () => {
    await slow
    return before
  })
  await endSession(engine, sid, 'revoked')
  release()
  await loading
  assert.equal(engine.memory.holder(sid), undefined)
  assert.equal(recall(first.access?.token ?? '', undefined), undefined)
})

test('an access token lives at most its life, at least 95 % of it, and never longer than the session', async () => {
  const { ask } = await system()
  const lives = new Set<number>()
  for (let i = 0; i < 20; i++) {
    const { access } = tokensOf(
      await ask('signUp', { ...jack, username: `u${i}`, email: `u${i}@example.com` }),
    )
    lives.add(access?.expiresIn ?? 0)
  }
  assert.ok(
    [...lives].every(life => life <= 600 && life >= 570),
    [...lives].join(),
  )
  assert.ok(lives.size > 1, 'there is jitter')
  const short = { policy: { ...defaultPolicy, lifetime: 5_000, idle: 5_000 } }
  const { access } = tokensOf(await ask('signIn', { login: 'u1', password: jack.password }, {}, short))
  assert.ok(access && access.expiresIn <= 5)
})

test('idle and absolute ends are exact', async () => {
  const policy = { ...defaultPolicy, idle: 1_000_000, lifetime: 1_500_000 }
  const { ask, pass } = await system()
  const first = tokensOf(await ask('signUp', jack, {}, { policy }))
  pass(999_999)
  const second = tokensOf(await ask('refresh', {}, carry(first), { policy }))
  assert.ok(second.refresh)
  assert.equal(second.refreshMaxAge, 500, 'the cookie never outlives the session')
  pass(500_000)
  assert.ok(tokensOf(await ask('refresh', {}, carry(first, second), { policy })).refresh)
  pass(1)
  assert.equal(refusedOf(await ask('refresh', {}, carry(first, second), { policy })), 'refresh_invalid')
})

test('people see their own sessions and end one of them or all others, never somebody else’s', async () => {
  const { ask } = await system()
  const one = tokensOf(await ask('signUp', jack))
  const two = tokensOf(await ask('signIn', { login: 'jack', password: jack.password }))
  const jill = tokensOf(await ask('signUp', { email: 'jill@example.com', password: jack.password }))
  const listed = await ask('listSessions', {}, carry(one))
  assert.ok('done' in listed)
  assert.equal(listed.done.sessions.length, 2)
  const idOf = (tokens: Tokens) => tokens.refresh?.split('.')[0]
  assert.equal(refusedOf(await ask('endSession', { id: idOf(two) }, carry(jill))), 'session_not_found')
  assert.deepEqual(tokensOf(await ask('endSession', { id: idOf(two) }, carry(one))), {})
  assert.equal(refusedOf(await ask('whoAmI', {}, carry(two))), 'access_revoked')
  const three = tokensOf(await ask('signIn', { login: 'jack', password: jack.password }))
  tokensOf(await ask('endOtherSessions', {}, carry(one)))
  assert.equal(refusedOf(await ask('whoAmI', {}, carry(three))), 'access_revoked')
  assert.deepEqual(tokensOf(await ask('endSession', { id: idOf(one) }, carry(one))), { clear: true })
})

test('a CSRF token is bound to its session; one that is right is sent again', async () => {
  const { ask } = await system()
  const how: Partial<Manner> = { mintsCsrf: true }
  const first = tokensOf(await ask('signUp', jack, {}, how))
  const csrf = (text: string | undefined) => ({ csrf: { header: text, cookie: text } })
  const refresh = (text: string | undefined) =>
    ask('refresh', {}, { ...carry(first), ...csrf(text) }, { ...how, csrf: 'session' })
  assert.ok(tokensOf(await refresh(first.csrf)).access)
  const same = tokensOf(await ask('csrf', {}, { ...carry(first), ...csrf(first.csrf) }, how))
  assert.equal(same.csrf, first.csrf)
  const unbound = tokensOf(await ask('csrf', {}, {}, how)).csrf
  assert.notEqual(unbound, first.csrf)
  assert.equal(refusedOf(await refresh(unbound)), 'csrf_refused')
  assert.equal(refusedOf(await refresh(undefined)), 'csrf_refused')
  const other = tokensOf(await ask('signUp', { email: 'b@example.com', password: jack.password }, {}, how))
  assert.equal(refusedOf(await refresh(other.csrf)), 'csrf_refused')
})

test('two authentic refresh cookies of different sessions are refused, junk beside one is not', async () => {
  const { ask } = await system()
  const one = tokensOf(await ask('signUp', jack))
  const two = tokensOf(await ask('signIn', { login: 'jack', password: jack.password }))
  const both = [one.refresh ?? '', two.refresh ?? '']
  assert.equal(refusedOf(await ask('refresh', {}, { refresh: both })), 'cookie_conflict')
  assert.ok(tokensOf(await ask('refresh', {}, { refresh: ['junk', one.refresh ?? ''] })).access)
  const mixed = { access: [one.access?.token ?? ''], bearer: two.access?.token }
  assert.equal(refusedOf(await ask('whoAmI', {}, mixed)), 'cookie_conflict')
})

test('beyond ten failures an account has one try in thirty seconds, but the browser that knows it is not shut out', async () => {
  const { ask } = await system()
  const own = tokensOf(await ask('signUp', jack))
  const attack = () => ask('signIn', { login: 'JACK@example.com', password: 'wrong' })
  for (let i = 0; i < 11; i++) assert.equal(refusedOf(await attack()), 'credentials_wrong')
  const throttled = await attack()
  assert.ok('refusal' in throttled && throttled.refusal.refused === 'throttled')
  assert.ok((throttled.refusal.retryAfter ?? 0) > 0 && (throttled.refusal.retryAfter ?? 99) <= 30)
  assert.equal(refusedOf(await ask('signIn', { login: 'jack', password: jack.password })), 'throttled')
  assert.ok(tokensOf(await ask('signIn', { login: 'jack', password: jack.password }, carry(own))).signIn)
})

test('the keys rotate without refusing a valid token, and an erased secret is not guessed', async () => {
  const { ask, engine, pass } = await system()
  const first = tokensOf(await ask('signUp', jack))
  const before = engine.keyring.signing(engine.store.now()).id
  await engine.keyring.rotate({ at: engine.store.now(), now: false, compromised: false })
  assert.equal(
    engine.keyring.signing(engine.store.now()).id,
    before,
    'the new key is published and does not sign yet',
  )
  assert.equal(engine.keyring.published(engine.store.now()).keys.length, 2)
  pass(15 * 60_000)
  assert.notEqual(engine.keyring.signing(engine.store.now()).id, before)
  const second = tokensOf(await ask('refresh', {}, carry(first)))
  assert.ok('done' in (await ask('whoAmI', {}, carry(first, second))))
  pass(25 * 3_600_000)
  assert.equal(engine.keyring.published(engine.store.now()).keys.length, 1)
  const other = { store: engine.store, algorithm: 'ES256', shared: undefined } as const
  await assert.rejects(openKeyring({ ...other, sealer: openSealer(randomBytes(32)) }), /secret|seal/i)
})
