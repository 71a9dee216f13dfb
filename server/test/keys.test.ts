// Rotating keys: which key signs when, what is accepted until when, and when a running server knows of it.
import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { KeyUse } from '../src/core/model.ts'
import { defaultPolicy, longestAccess } from '../src/core/policy.ts'
import { type How, publishAhead } from '../src/core/rotation.ts'
import { signAccessToken } from '../src/crypto/jwt.ts'
import { openSealer, SealedOtherwise } from '../src/crypto/keys.ts'
import { readRefreshToken } from '../src/crypto/macs.ts'
import { type Options, rusk } from '../src/index.ts'
import type { Manner } from '../src/operations/contract.ts'
import { openKeyring } from '../src/operations/keyring.ts'
import { openStore } from '../src/store/open.ts'
import { openAssembled } from './assembled.ts'
import { cookieHeader, setCookies } from './serving.ts'
import { asJack, carry, idOf, jack, refusedOf, rotationPolicy, type Sys, system, tokensOf } from './system.ts'

const [minute, day] = [60_000, 86_400_000]

/** A moment later than whatever was before: of two keys made at one moment neither is the newer one. */
const rotate = ({ engine, pass }: Sys, how: How = 'ahead', use: KeyUse = 'sign') => {
  pass(1)
  return engine.keyring.rotate({ at: engine.store.now(), use, how })
}

const publishedBy = ({ engine }: Sys): readonly string[] =>
  engine.keyring.published(engine.store.now()).keys.map(key => (key as { kid: string }).kid)

/** An access token of this session that the key of this moment signs and that lives as long as any may. */
function longestToken({ engine }: Sys, sessionId: string, sub: string): string {
  const iat = Math.floor(engine.store.now() / 1000)
  return signAccessToken(engine.keyring.signing(engine.store.now()), {
    iss: engine.issuer,
    sub,
    sid: sessionId,
    iat,
    exp: iat + longestAccess / 1000,
    jti: randomUUID(),
  })
}

test('a new key is published at once and signs a quarter of an hour later', async () => {
  const sys = await system()
  const signing = () => sys.engine.keyring.signing(sys.engine.store.now()).id
  const old = signing()
  const { id } = await rotate(sys)
  assert.deepEqual([...publishedBy(sys)].sort(), [old, id].sort())
  sys.pass(publishAhead - 1)
  assert.equal(signing(), old)
  sys.pass(1)
  assert.equal(signing(), id)
})

test('a replaced key is accepted until the last token that it signed expires, and not for ever', async () => {
  const sys = await system()
  const first = await sys.ask('signUp', jack)
  assert.ok('done' in first)
  const old = sys.engine.keyring.signing(sys.engine.store.now()).id
  await rotate(sys)
  // The last moment at which the old key signs.
  sys.pass(publishAhead - 1)
  const last = longestToken(sys, idOf(first.tokens), first.done.user.id)
  assert.equal(sys.engine.keyring.signing(sys.engine.store.now()).id, old)
  sys.pass(longestAccess - 1)
  assert.ok('done' in (await sys.ask('whoAmI', {}, { access: [last] })), 'its last moment')
  assert.ok(publishedBy(sys).includes(old))
  sys.pass(1)
  assert.equal(refusedOf(await sys.ask('whoAmI', {}, { access: [last] })), 'access_expired')
  sys.pass(day)
  assert.ok(!publishedBy(sys).includes(old))
  assert.equal(sys.engine.keyring.verifying(old, sys.engine.store.now()), undefined)
})

type Step = { readonly rotate: How } | { readonly pass: number }

// [sentence, what is done, which key signs after each of it: 0 is the first one]
const sequences: [string, Step[], number[]][] = [
  ['once', [{ rotate: 'ahead' }, { pass: publishAhead }, { pass: day }], [0, 1, 1]],
  ['once, to sign now', [{ rotate: 'at_once' }, { pass: publishAhead }, { pass: 2 * day }], [1, 1, 1]],
  [
    'twice before the first has begun',
    [
      { rotate: 'ahead' },
      { pass: minute },
      { rotate: 'ahead' },
      { pass: publishAhead - minute },
      { pass: minute },
    ],
    [0, 0, 0, 1, 2],
  ],
  [
    'and again to sign now, while the first has not begun',
    [{ rotate: 'ahead' }, { pass: minute }, { rotate: 'at_once' }, { pass: publishAhead }, { pass: 2 * day }],
    [0, 0, 2, 2, 2],
  ],
  [
    'to sign now, and again not to',
    [{ rotate: 'at_once' }, { pass: 1 }, { rotate: 'ahead' }, { pass: publishAhead - 1 }, { pass: 1 }],
    [1, 1, 1, 1, 2],
  ],
  [
    'because one got out, while another has not begun',
    [{ rotate: 'ahead' }, { pass: minute }, { rotate: 'compromised' }, { pass: publishAhead }],
    [0, 0, 2, 2],
  ],
]

for (const [sentence, steps, want] of sequences) {
  test(`rotated ${sentence}: the newest key that has begun signs, and no older one again`, async () => {
    const sys = await system()
    const { keyring, store } = sys.engine
    const ids = [keyring.signing(store.now()).id]
    const signed: number[] = []
    for (const step of steps) {
      if ('pass' in step) sys.pass(step.pass)
      else ids.push((await rotate(sys, step.rotate)).id)
      const { id } = keyring.signing(store.now())
      signed.push(ids.indexOf(id))
      assert.ok(publishedBy(sys).includes(id), 'what signs is published')
    }
    assert.deepEqual(signed, want)
  })
}

test('a key that got out: earlier access tokens are refused at once, refresh goes on', async () => {
  const sys = await system()
  const { keyring, store } = sys.engine
  const first = tokensOf(await sys.ask('signUp', jack))
  const old = keyring.signing(store.now()).id
  // A rotation before it was known: its key is as far out as the others.
  const pending = (await rotate(sys)).id
  const { id } = await rotate(sys, 'compromised')
  assert.deepEqual(publishedBy(sys), [id])
  assert.deepEqual(
    [old, pending, id].map(each => keyring.verifying(each, store.now())?.id),
    [undefined, undefined, id],
  )
  assert.equal(refusedOf(await sys.ask('whoAmI', {}, carry(first))), 'access_invalid')
  const refreshed = tokensOf(await sys.ask('refresh', {}, carry(first)))
  assert.ok('done' in (await sys.ask('whoAmI', {}, carry(first, refreshed))))
})

const writing = ({ engine }: Sys) => engine.keyring.macs(engine.store.now())[0].id
const reading = ({ engine }: Sys) => engine.keyring.macs(engine.store.now()).map(({ id }) => id)

test('a new MAC key is read at once and writes a quarter of an hour later', async () => {
  const sys = await system()
  const old = writing(sys)
  const { id } = await rotate(sys, 'ahead', 'mac')
  assert.deepEqual([writing(sys), reading(sys).includes(id)], [old, true])
  sys.pass(publishAhead - 1)
  assert.equal(writing(sys), old)
  sys.pass(1)
  assert.deepEqual([writing(sys), reading(sys).includes(old)], [id, true])
})

test('nobody is signed out by a new MAC key: a sign-in cookie is good as long as its session', async () => {
  const sys = await system()
  await rotate(sys, 'ahead', 'mac')
  sys.pass(publishAhead - 1)
  // The last thing that the old key does.
  const patient: Partial<Manner> = {
    policy: { ...defaultPolicy, idle: defaultPolicy.lifetime },
  }
  const first = tokensOf(await sys.ask('signUp', jack, {}, patient))
  sys.pass(defaultPolicy.lifetime - 1)
  const signIn = first.signIn === undefined ? [] : [first.signIn]
  const refreshed = tokensOf(await sys.ask('refresh', {}, { signIn }, patient))
  assert.ok(refreshed.access, 'its last moment')
  // What it was given now, the new key has made.
  assert.ok(
    readRefreshToken(sys.engine.keyring.macs(sys.engine.store.now()).slice(0, 1), refreshed.refresh ?? ''),
  )
})

test('a MAC key ends when its time is over, and a day later the schedule erases it', async () => {
  const sys = await system()
  const { keyring, store } = sys.engine
  const old = writing(sys)
  await rotate(sys, 'ahead', 'mac')
  sys.pass(publishAhead + rotationPolicy.lives.mac - 1)
  assert.ok(reading(sys).includes(old))
  sys.pass(1)
  assert.ok(!reading(sys).includes(old))
  sys.pass(day - 1)
  assert.deepEqual(await keyring.keepUp(store.now()), [])
  sys.pass(1)
  const events = await keyring.keepUp(store.now())
  assert.deepEqual(
    events.map(({ type, detail }) => [type, detail]),
    [['key_erased', { id: old }]],
  )
  assert.ok(!keyring.rows().some(({ id }) => id === old))
  assert.deepEqual(await keyring.keepUp(store.now()), [], 'once')
})

test('a MAC key goes on while a session lives on it that was given a longer life than there is now', async () => {
  const sys = await system()
  const { keyring, store } = sys.engine
  const lifetime = 200 * day
  const first = tokensOf(
    await sys.ask('signUp', jack, {}, { policy: { ...defaultPolicy, idle: lifetime, lifetime } }),
  )
  const old = writing(sys)
  await rotate(sys, 'ahead', 'mac')
  const opened = store.now()
  while (store.now() < opened + lifetime - day) {
    sys.pass(day / 2)
    await keyring.keepUp(store.now())
  }
  assert.ok('done' in (await sys.ask('refresh', {}, { refresh: [first.refresh ?? ''] })))
  // Refreshed under today's policy it is still to end as it was opened; then the key has no reason left.
  for (let days = 0; days < 20; days++) {
    sys.pass(day)
    await keyring.keepUp(store.now())
  }
  assert.ok(!keyring.rows().some(({ id }) => id === old))
})

test('a MAC key that got out: every session has ended, in the commit that ended the key', async () => {
  const sys = await system()
  const first = tokensOf(await sys.ask('signUp', jack))
  const pending = (await rotate(sys, 'ahead', 'mac')).id
  const { id } = await rotate(sys, 'compromised', 'mac')
  assert.deepEqual(reading(sys), [id])
  assert.notEqual(id, pending)
  assert.equal(refusedOf(await sys.ask('refresh', {}, carry(first))), 'refresh_invalid')
  // What a thief's refresh token had bought.
  assert.equal(refusedOf(await sys.ask('whoAmI', {}, carry(first))), 'access_revoked')
  assert.ok('done' in (await sys.ask('signIn', asJack)))
  const events = (await sys.engine.store.events({ limit: 9 })).map(
    ({ type, detail }) => `${type} ${detail?.because ?? ''}`,
  )
  assert.ok(events.includes('session_ended revoked'))
})

test('a CSRF cookie that is sent again ends with its key, so that a browser asks for another', async () => {
  const sys = await system()
  const csrf = async (token: string | undefined) => {
    const carried = token === undefined ? undefined : { header: undefined, cookie: token }
    return tokensOf(await sys.ask('csrf', {}, { csrf: carried }))
  }
  const first = await csrf(undefined)
  assert.equal(first.csrfMaxAge, undefined)
  assert.deepEqual(await csrf(first.csrf), first)
  const { signsFrom } = await rotate(sys, 'ahead', 'mac')
  const until = signsFrom + rotationPolicy.lives.mac
  const again = await csrf(first.csrf)
  assert.deepEqual(again, {
    csrf: first.csrf,
    csrfMaxAge: Math.floor((until - sys.engine.store.now()) / 1000),
  })
  sys.pass(until - sys.engine.store.now() - 10_000)
  assert.deepEqual(await csrf(first.csrf), { csrf: first.csrf, csrfMaxAge: 10 })
  sys.pass(10_000)
  assert.notEqual((await csrf(first.csrf)).csrf, first.csrf)
})

test('who asks for another algorithm gets it a quarter of an hour later, and no earlier token is refused', async () => {
  const sealer = openSealer(randomBytes(32))
  let now = Date.UTC(2026, 0, 1)
  const store = await openStore({ kind: 'sqlite', path: null, label: 'memory' }, { clock: () => now })
  await store.migrate()
  const open = (sign: 'ES256' | 'EdDSA') =>
    openKeyring({
      store,
      sealer: async () => sealer,
      shared: undefined,
      policy: { ...rotationPolicy, algorithms: { sign, mac: 'HS256' } },
    })
  const before = (await open('ES256')).signing(now)
  const keyring = await open('EdDSA')
  assert.equal(keyring.signing(now).id, before.id)
  assert.equal(keyring.published(now).keys.length, 2)
  now += publishAhead
  assert.equal(keyring.signing(now).algorithm, 'EdDSA')
  assert.equal(keyring.verifying(before.id, now)?.id, before.id)
  await store.close()
})

test('a read of the store that comes late does not bring back what was', async () => {
  let hold: Promise<unknown> | undefined
  const sys = await system({
    store: store => ({
      ...store,
      keys: async () => {
        const waits = hold
        const read = await store.keys()
        await waits
        return read
      },
    }),
  })
  let release = () => {}
  hold = new Promise<void>(resolve => {
    release = resolve
  })
  const late = sys.engine.keyring.reload()
  hold = undefined
  const { id } = await rotate(sys)
  release()
  assert.equal(await late, false)
  assert.ok(publishedBy(sys).includes(id))
})

test('keys that another secret has sealed are not guessed', async () => {
  const { engine } = await system()
  const sealer = openSealer(randomBytes(32))
  const other = { store: engine.store, policy: rotationPolicy, shared: undefined }
  await assert.rejects(openKeyring({ ...other, sealer: async () => sealer }), SealedOtherwise)
})

/** A server on a file, somebody signed in to it, and another process's view of the same file. */
async function besides(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'rusk-keys-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const options: Options = {
    database: `sqlite:${join(folder, 'rusk.db')}`,
    dialect: ['native'],
    log: { level: 'silent' },
  }
  const server = await rusk(options)
  t.after(() => server.close())
  const command = await openAssembled(t, options, { serving: false })

  let jar = new Map<string, string>()
  const call = async (method: string, path: string, body?: object) => {
    const answer = await server.fetch(
      new Request(`${server.url}${path}`, {
        method,
        headers: { 'content-type': 'application/json', cookie: cookieHeader(jar) },
        ...(body ? { body: JSON.stringify(body) } : {}),
      }),
    )
    jar = new Map([...jar, ...setCookies(answer)])
    return answer
  }
  assert.equal((await call('POST', '/auth/sign-up', jack)).status, 201)
  return { call, command }
}

/** Holds within a second from now; two more are for a machine that does something else. */
async function within(holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 3000
  while (!(await holds())) {
    assert.ok(Date.now() < deadline, 'three seconds have passed')
    await sleep(20)
  }
}

test('a running server publishes within a second what another process has rotated', async t => {
  const { call, command } = await besides(t)
  const kids = async () => {
    const { keys } = (await (await call('GET', '/.well-known/jwks.json')).json()) as {
      keys: { kid: string }[]
    }
    return keys.map(({ kid }) => kid)
  }
  assert.equal((await kids()).length, 1)
  const { id } = await command.rotateKeys({ use: 'sign', how: 'ahead' })
  await within(async () => (await kids()).includes(id))
  assert.equal((await kids()).length, 2)
  assert.equal((await call('GET', '/auth/session')).status, 200)
})

test('a running server refuses within a second what a key that got out has signed, though it had accepted it before', async t => {
  const { call, command } = await besides(t)
  const me = async () => (await call('GET', '/auth/session')).status
  assert.deepEqual([await me(), await me()], [200, 200])
  await command.rotateKeys({ use: 'sign', how: 'compromised' })
  await within(async () => (await me()) === 401)
  assert.equal((await call('POST', '/auth/refresh')).status, 200)
  assert.equal(await me(), 200)
})
