// Operations on a real store, without HTTP: what is decided, minted and remembered. Time is an argument.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultPolicy } from '../src/core/policy.ts'
import type { Manner, Tokens } from '../src/operations/contract.ts'
import {
  asJack,
  carry,
  idOf,
  jack,
  later,
  ratesOf,
  refusedOf,
  sessionOf,
  system,
  tokensOf,
} from './system.ts'

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
  const second = tokensOf(await ask('signIn', asJack, carry(first, late)))
  // The late answer's cookies arrive last, but the sign-in cookie is the newer sign-in's.
  const mixed = { ...carry(second, late), signIn: carry(second).signIn ?? [] }
  assert.equal(refusedOf(await ask('whoAmI', {}, mixed)), 'access_revoked')
  const refreshed = await ask('refresh', {}, mixed)
  assert.ok('done' in refreshed)
  assert.equal(refreshed.done.session.id, idOf(second))
})

test('a sign-in ends every session that the cookies name', async () => {
  const { ask } = await system()
  const first = tokensOf(await ask('signUp', jack))
  const second = tokensOf(await ask('signIn', asJack, carry(first)))
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
  const two = tokensOf(await ask('signIn', asJack))
  const jill = tokensOf(await ask('signUp', { email: 'jill@example.com', password: jack.password }))
  const listed = await ask('listSessions', {}, carry(one))
  assert.ok('done' in listed)
  assert.equal(listed.done.sessions.length, 2)
  assert.equal(refusedOf(await ask('endSession', { id: idOf(two) }, carry(jill))), 'session_not_found')
  assert.deepEqual(tokensOf(await ask('endSession', { id: idOf(two) }, carry(one))), {})
  assert.equal(refusedOf(await ask('whoAmI', {}, carry(two))), 'access_revoked')
  const three = tokensOf(await ask('signIn', asJack))
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

test('a sign-up ends every session that the cookies name', async () => {
  const { ask } = await system()
  const before = tokensOf(await ask('signUp', jack))
  const other = tokensOf(await ask('signIn', asJack))
  const jar = { ...carry(before), signIn: carry(other).signIn ?? [] }
  const jill = tokensOf(await ask('signUp', { email: 'jill@example.com', password: jack.password }, jar))
  for (const ended of [before, other]) {
    assert.equal(refusedOf(await ask('whoAmI', {}, { access: carry(ended).access ?? [] })), 'access_revoked')
    assert.equal(refusedOf(await ask('refresh', {}, carry(ended))), 'refresh_invalid')
  }
  assert.ok('done' in (await ask('whoAmI', {}, carry(jill))))
})

test('refreshes are counted by session, the quiet ones too', async () => {
  const { ask } = await system()
  const one = tokensOf(await ask('signUp', jack))
  const two = tokensOf(await ask('signIn', asJack))
  const how = ratesOf({ refresh: { points: 3, per: 60_000 } })
  for (let i = 0; i < 3; i++) tokensOf(await ask('refresh', {}, carry(one), how))
  const throttled = await ask('refresh', {}, carry(one), how)
  assert.ok('refusal' in throttled && throttled.refusal.refused === 'throttled')
  const { retryAfter = 0 } = throttled.refusal
  assert.ok(retryAfter > 0 && retryAfter <= 60, `${retryAfter}`)
  // Of the same person, from the same address.
  tokensOf(await ask('refresh', {}, carry(two), how))
})

test('a refresh that changes the row says when, from where and by which browser; a quiet one says nothing', async () => {
  const { ask, pass } = await system()
  const home = { address: '192.0.2.1', userAgent: 'Firefox 150' }
  const away = { address: '2001:db8::7', userAgent: 'Firefox 151' }
  const first = await ask('signUp', jack, {}, {}, home)
  const opened = sessionOf(first)
  const jar = tokensOf(first)
  const read = async () => {
    const listed = await ask('listSessions', {}, carry(jar))
    assert.ok('done' in listed)
    return listed.done.sessions[0]
  }
  pass(1)
  tokensOf(await ask('refresh', {}, carry(jar), {}, away))
  assert.deepEqual(await read(), { ...opened, ...home })
  pass(later)
  const changed = sessionOf(await ask('refresh', {}, carry(jar), {}, away))
  const at = opened.openedAt + 1 + later
  assert.deepEqual(await read(), changed)
  assert.deepEqual(changed, {
    ...opened,
    ...away,
    previous: 0,
    current: 1,
    successor: 2,
    changedAt: at,
    lastUsedAt: at,
    idleEndsAt: at + defaultPolicy.idle,
  })
})
