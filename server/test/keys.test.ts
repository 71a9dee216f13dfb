// Rotating keys: which key signs when, what is accepted until when, and when a running server knows of it.
import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { loadSettings } from '../src/config/files.ts'
import { longestAccess } from '../src/core/policy.ts'
import { signAccessToken } from '../src/crypto/jwt.ts'
import { openSealer } from '../src/crypto/keys.ts'
import { dialects } from '../src/dialects/index.ts'
import { type Options, openSystem, rusk, type System } from '../src/index.ts'
import { openKeyring } from '../src/operations/keyring.ts'
import { cookieHeader, setCookies } from './serving.ts'
import { carry, idOf, jack, refusedOf, type Sys, system, tokensOf } from './system.ts'

const [minute, day] = [60_000, 86_400_000]
const publishAhead = 15 * minute

/** A moment later than whatever was before: of two keys made at one moment neither is the newer one. */
const rotate = ({ engine, pass }: Sys, how: { now?: boolean; compromised?: boolean } = {}) => {
  pass(1)
  return engine.keyring.rotate({ at: engine.store.now(), now: false, compromised: false, ...how })
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

type Step = { readonly rotate: { now?: boolean; compromised?: boolean } } | { readonly pass: number }

// [sentence, what is done, which key signs after each of it: 0 is the first one]
const sequences: [string, Step[], number[]][] = [
  ['once', [{ rotate: {} }, { pass: publishAhead }, { pass: day }], [0, 1, 1]],
  ['once, to sign now', [{ rotate: { now: true } }, { pass: publishAhead }, { pass: 2 * day }], [1, 1, 1]],
  [
    'twice before the first has begun',
    [{ rotate: {} }, { pass: minute }, { rotate: {} }, { pass: publishAhead - minute }, { pass: minute }],
    [0, 0, 0, 1, 2],
  ],
  [
    'and again to sign now, while the first has not begun',
    [{ rotate: {} }, { pass: minute }, { rotate: { now: true } }, { pass: publishAhead }, { pass: 2 * day }],
    [0, 0, 2, 2, 2],
  ],
  [
    'to sign now, and again not to',
    [{ rotate: { now: true } }, { pass: 1 }, { rotate: {} }, { pass: publishAhead - 1 }, { pass: 1 }],
    [1, 1, 1, 1, 2],
  ],
  [
    'because one got out, while another has not begun',
    [{ rotate: {} }, { pass: minute }, { rotate: { compromised: true } }, { pass: publishAhead }],
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
  const { id } = await rotate(sys, { compromised: true })
  assert.deepEqual(publishedBy(sys), [id])
  assert.deepEqual(
    [old, pending, id].map(each => keyring.verifying(each, store.now())?.id),
    [undefined, undefined, id],
  )
  assert.equal(refusedOf(await sys.ask('whoAmI', {}, carry(first))), 'access_invalid')
  const refreshed = tokensOf(await sys.ask('refresh', {}, carry(first)))
  assert.ok('done' in (await sys.ask('whoAmI', {}, carry(first, refreshed))))
})

test('keys that another secret has sealed are not guessed', async () => {
  const { engine } = await system()
  const other = { store: engine.store, algorithm: 'ES256', shared: undefined } as const
  await assert.rejects(openKeyring({ ...other, sealer: openSealer(randomBytes(32)) }), /secret|seal/i)
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
  const dialectNames = Object.keys(dialects)
  const { settings } = loadSettings({ options, env: {}, folder, envFile: null, dialectNames })
  assert.ok(settings)
  const command: System = await openSystem(settings, { serving: false })
  t.after(() => command.close())

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

/** Holds within a second from now. */
async function within(holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 1000
  while (!(await holds())) {
    assert.ok(Date.now() < deadline, 'a second has passed')
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
  const { id } = await command.rotateKeys({ now: false, compromised: false })
  await within(async () => (await kids()).includes(id))
  assert.equal((await kids()).length, 2)
  assert.equal((await call('GET', '/auth/session')).status, 200)
})

test('a running server refuses within a second what a key that got out has signed, though it had accepted it before', async t => {
  const { call, command } = await besides(t)
  const me = async () => (await call('GET', '/auth/session')).status
  assert.deepEqual([await me(), await me()], [200, 200])
  await command.rotateKeys({ now: false, compromised: true })
  await within(async () => (await me()) === 401)
  assert.equal((await call('POST', '/auth/refresh')).status, 200)
  assert.equal(await me(), 200)
})
