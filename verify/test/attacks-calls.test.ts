// What an attacker does with calls, keys and time, where services use @rusk/verify with a real Rusk behind them: two
// tokens at once, odd headers, sets of keys that are not Rusk's own, tokens whose session is over.
import assert from 'node:assert/strict'
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createVerifier } from '../src/index.ts'
import { es256, forge, partsOf, twin } from './forge.ts'
import type { Answer } from './sample.ts'
import { assertAlive, codeOf, openWorld, ways } from './world.ts'

const serviceKey = randomBytes(32).toString('base64url')
/** Milliseconds: what is promised of services that follow. */
const promised = 5000
const world = await openWorld(
  { after },
  { service: { keys: [serviceKey] } },
  { serviceKey, revocation: undefined },
)
const { rusk, token, header, claims, cookie, bearer, key } = world
const jill = await rusk.signUp('jill')

const attacker = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const [h, p, s] = partsOf(token)

/** Answers every call with this; `seen` has what was asked for. */
async function publish(t: Pick<TestContext, 'after'>, document: unknown) {
  const body = JSON.stringify(document)
  const seen: string[] = []
  const server = createServer((request, response) => {
    seen.push(request.url ?? '')
    response.writeHead(200, { 'Content-Type': 'application/json' }).end(body)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen }
}

const published = JSON.parse(key.published ?? '')
const { alg: _alg, ...unsaid } = published

// [sentence, the set that is published]
const sets: readonly [string, readonly unknown[]][] = [
  ['a key that names no algorithm has its curve’s', [unsaid]],
  ['a published secret stands in nobody’s way', [{ kty: 'oct', kid: 'open', k: '' }, published]],
]
for (const [sentence, keys] of sets) {
  test(`${sentence}: whoever is honest is let in`, async t => {
    const { url } = await publish(t, { keys })
    const verifier = createVerifier({ issuer: rusk.url, url, revocation: 'none', onTrouble: () => undefined })
    t.after(() => verifier.close())
    assert.ok('verified' in (await verifier.verify(token)))
  })
}

test('no address in a header is ever asked', async t => {
  const canary = await publish(t, {
    keys: [{ ...attacker.publicKey.export({ format: 'jwk' }), kid: 'theirs' }],
  })
  const places = [
    `${canary.url}/.well-known/jwks.json`,
    'file:///etc/passwd',
    'data:application/json,{"keys":[]}',
  ]
  for (const place of places) {
    for (const more of [
      { jku: place },
      { x5u: place },
      { kid: place },
      { jku: place, kid: 'theirs' },
      { iss: place },
    ]) {
      for (const signed of [es256(attacker.privateKey), es256(key.sign)]) {
        for (const ask of Object.values(ways)) {
          const answer = await ask(world, forge({ ...header, ...more }, claims, signed))
          assert.equal(answer.status, 401)
          assert.equal(codeOf(answer), 'access_invalid')
        }
      }
    }
  }
  // An issuer that says of itself where its keys are is not asked either.
  const foreign = forge(
    { ...header, kid: 'theirs' },
    { ...claims, iss: canary.url },
    es256(attacker.privateKey),
  )
  for (const ask of Object.values(ways)) assert.equal((await ask(world, foreign)).status, 401)
  assert.deepEqual(canary.seen, [])
})

/** Waits until everybody refuses this token; milliseconds. */
async function refusedWithin(presented: string): Promise<number> {
  const began = performance.now()
  for (const ask of Object.values(ways)) {
    for (;;) {
      const answer = await ask(world, presented)
      if (answer.status !== 200) {
        assert.equal(codeOf(answer), 'access_revoked')
        break
      }
      assert.ok(performance.now() - began < 2 * promised, 'it is never refused')
      await sleep(20)
    }
  }
  return performance.now() - began
}

test('both spellings of one token end with its session, remembered or not', async () => {
  const eve = await rusk.signUp('eve')
  const other = twin(eve.access)
  assert.notEqual(other, eve.access)
  for (const ask of Object.values(ways)) {
    for (const spelling of [eve.access, other]) assert.equal((await ask(world, spelling)).status, 200)
  }
  await rusk.signOut(eve)
  const took = await refusedWithin(eve.access)
  assert.ok(took < promised, `${took} ms`)
  for (const ask of Object.values(ways)) assert.equal(codeOf(await ask(world, other)), 'access_revoked')
  // One that nobody here has seen before.
  const { exp, ...rest } = claims
  const unseen = world.forge(header, {
    ...rest,
    sub: eve.id,
    sid: sidOf(eve.access),
    jti: 'unseen',
    exp: Number(exp),
  })
  for (const ask of Object.values(ways)) assert.equal(codeOf(await ask(world, unseen)), 'access_revoked')
})

const sidOf = (text: string): unknown => JSON.parse(Buffer.from(partsOf(text)[1], 'base64url').toString()).sid

test('somebody who is disabled is refused within the bound', async () => {
  const mallory = await rusk.signUp('mallory')
  for (const ask of Object.values(ways)) assert.equal((await ask(world, mallory.access)).status, 200)
  assert.ok(await rusk.system.setActive(mallory.id, false))
  const took = await refusedWithin(mallory.access)
  assert.ok(took < promised, `${took} ms`)
})

test('an access token is no refresh token, and trying leaves the session as it was', async () => {
  const refresh = (text: string, more: Readonly<Record<string, string>> = {}) =>
    fetch(`${rusk.url}/auth/refresh`, {
      method: 'POST',
      headers: { cookie: `rusk_refresh=${text}`, ...more },
    })
  const carol = await rusk.signUp('carol')
  assert.equal((await refresh(carol.access)).status, 401)
  assert.equal((await refresh('', { authorization: `Bearer ${carol.access}` })).status, 401)
  const renewed = await refresh(carol.refresh)
  assert.equal(renewed.status, 200)
  const fresh = /rusk_access=([^;]+)/.exec(renewed.headers.getSetCookie().join())?.[1] ?? assert.fail()
  for (const presented of [carol.access, fresh])
    for (const ask of Object.values(ways)) assert.equal((await ask(world, presented)).status, 200)
  for (const ask of Object.values(ways)) assert.equal((await ask(world, carol.refresh)).status, 401)
})

const forged = forge(header, claims, es256(attacker.privateKey))
const jack = 'jack'
/** `want`: who it is, or the code of the refusal. */
type Sent = readonly [sentence: string, lines: readonly string[], want: string]
const calls: readonly Sent[] = [
  [
    'the cookie of one, the bearer token of another',
    [`Cookie: rusk_access=${token}`, `Authorization: Bearer ${jill.access}`],
    'cookie_conflict',
  ],
  [
    'the same the other way round',
    [`Cookie: rusk_access=${jill.access}`, `Authorization: Bearer ${token}`],
    'cookie_conflict',
  ],
  ['the cookies of two', [`Cookie: rusk_access=${token}; rusk_access=${jill.access}`], 'cookie_conflict'],
  [
    'the cookies of two on two lines',
    [`Cookie: rusk_access=${token}`, `Cookie: rusk_access=${jill.access}`],
    'cookie_conflict',
  ],
  [
    'cookie and bearer token of one session',
    [`Cookie: rusk_access=${token}`, `Authorization: Bearer ${token}`],
    jack,
  ],
  [
    'a forged bearer token is not mended by a good cookie',
    [`Cookie: rusk_access=${token}`, `Authorization: Bearer ${forged}`],
    'access_invalid',
  ],
  [
    'a forged cookie takes nothing from a good bearer token',
    [`Cookie: rusk_access=${forged}`, `Authorization: Bearer ${token}`],
    jack,
  ],
  [
    'a forged cookie takes nothing from a good one',
    [`Cookie: rusk_access=${forged}; rusk_access=${token}`],
    jack,
  ],
  [
    'the cookies of two with seven others between',
    [
      `Cookie: rusk_access=${jill.access}; ${[1, 2, 3, 4, 5, 6, 7].map(i => `rusk_access=x${i}`).join('; ')}; rusk_access=${token}`,
    ],
    'cookie_conflict',
  ],
  [
    'seven cookies of nobody’s take nothing from a good one',
    [`Cookie: ${[1, 2, 3, 4, 5, 6, 7].map(i => `rusk_access=x${i}`).join('; ')}; rusk_access=${token}`],
    jack,
  ],
  ['the scheme in any case', [`authorization: bEARER ${token}`], jack],
  ['blanks around the whole are HTTP’s', [`Authorization: \t Bearer ${token} \t`], jack],
  ...[
    `Bearer\t${token}`,
    `Bearer  ${token}`,
    `Bearer ${token} ${token}`,
    `Bearer ${token},${token}`,
    `Bearer ${token}, Bearer ${token}`,
    `Bearer ${token}, Basic amFjazp4`,
    `Bearer${token}`,
    `Bearer: ${token}`,
    `Bearer "${token}"`,
    `Bearer token=${token}`,
    'Bearer',
    '',
    `Basic ${Buffer.from(`jack:${token}`).toString('base64')}`,
    `Token ${token}`,
    `DPoP ${token}`,
    token,
  ].map(
    (value): Sent => [
      `Authorization: ${value.replaceAll(token, 'TOKEN').slice(0, 40)}`,
      [`Authorization: ${value}`],
      'access_malformed',
    ],
  ),
  [
    'two header lines',
    [`Authorization: Bearer ${token}`, `Authorization: Bearer ${token}`],
    'access_malformed',
  ],
  [
    'two header lines of two people',
    [`Authorization: Bearer ${token}`, `Authorization: Bearer ${jill.access}`],
    'access_malformed',
  ],
  [
    'a malformed header beside a good cookie',
    ['Authorization: Basic amFjazp4', `Cookie: rusk_access=${token}`],
    'access_malformed',
  ],
  ...[
    `X-Rusk-Session: ${token}`,
    `X-Access-Token: ${token}`,
    `X-Authorization: Bearer ${token}`,
    `Proxy-Authorization: Bearer ${token}`,
    `X-Forwarded-Access-Token: ${token}`,
    `X-Original-Authorization: Bearer ${token}`,
    `Authorization_: Bearer ${token}`,
    'Remote-User: jack',
    'X-Forwarded-User: jack',
    'X-Auth-Request-User: jack',
    'X-Middleware-Subrequest: middleware',
    `Cookie: __Host-rusk_access=${token}`,
    `Cookie: Rusk_access=${token}`,
    `Cookie: rusk_access.0=${token}`,
    `Cookie2: rusk_access=${token}`,
  ].map((line): Sent => [line.replaceAll(token, 'TOKEN'), [line], 'not_signed_in']),
]
const whoIs = (answer: Answer): unknown => {
  const { sub, code } = JSON.parse(answer.body)
  return sub === world.jack.id ? 'jack' : sub === jill.id ? 'jill' : code
}
for (const [sentence, lines, want] of calls) {
  test(`${sentence}: ${want}`, async () => {
    const answer = await cookie.ask(...lines)
    assert.equal(whoIs(answer), want)
    assert.equal(answer.status, want === 'jack' ? 200 : 401)
  })
}

test('a service for bearer tokens alone takes no cookie', async () => {
  assert.equal(codeOf(await bearer.ask(`Cookie: rusk_access=${token}`)), 'not_signed_in')
})

test('what resembles a remembered token is not taken for it, and does not push it out', async () => {
  const other = partsOf(jill.access)
  const lookalikes = [
    `${h}.${p}.${other[2]}`,
    `${h}.${other[1]}.${s}`,
    `${h}.${partsOf(world.forge(header, { ...claims, sub: jill.id }))[1]}.${s}`,
    forged,
    forge(header, claims, es256(attacker.privateKey)),
    `${token.slice(0, -2)}AA`,
    `${token.slice(0, 20)}A${token.slice(21)}`,
  ]
  await assertAlive(world)
  for (let round = 0; round < 3; round++) {
    for (const lookalike of lookalikes) {
      for (const ask of Object.values(ways))
        assert.equal(codeOf(await ask(world, lookalike)), 'access_invalid')
      await assertAlive(world)
    }
  }
})

test('what is remembered cannot be changed by whom it was handed to', async () => {
  const verdict = await cookie.verifier.verify(token)
  assert.ok(verdict.verified)
  assert.throws(() => Object.assign(verdict.verified, { sub: jill.id }), TypeError)
  assert.throws(() => Object.assign(verdict, { verified: { sub: jill.id } }), TypeError)
  assert.equal(whoIs(await cookie.ask(`Cookie: rusk_access=${token}`)), jack)
})

test('a remembered token is over at its exp', async () => {
  const exp = Math.floor(Date.now() / 1000) + 4
  const brief = world.forge(header, { ...claims, iat: exp - 60, exp, jti: 'brief' })
  for (const ask of Object.values(ways)) assert.equal((await ask(world, brief)).status, 200)
  await sleep(exp * 1000 - Date.now())
  for (const ask of Object.values(ways)) assert.equal(codeOf(await ask(world, brief)), 'access_expired')
})

test('after all of it whoever is honest is still let in', () => assertAlive(world))
