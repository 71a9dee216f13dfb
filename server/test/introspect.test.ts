// Another service asks about one token (RFC 7662): whether it is good at this moment, its session and its user included.
// Whatever else it is, it is not active, and nothing more is said.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { readSettings } from '../src/config.ts'
import { dialects } from '../src/dialects/index.ts'
import type { Options } from '../src/index.ts'
import { createLog } from '../src/log.ts'
import { openSystem, type System } from '../src/system.ts'
import { emptyFolder } from './cli/binary.ts'
import { bearing, newKey, password } from './following.ts'
import { setCookies } from './serving.ts'

const key = newKey()
const url = 'http://localhost:8000'
const minute = 60_000

/** A system in memory whose clock only the test moves. */
async function open(options: Options) {
  let now = Date.UTC(2026, 10, 21, 12)
  const given = {
    database: 'sqlite::memory:',
    url,
    secret: newKey(),
    log: { level: 'silent' },
    service: { keys: [key] },
    ...options,
  }
  const { settings, errors } = readSettings({
    options: given,
    env: {},
    dialectNames: Object.keys(dialects),
    dialects,
  })
  assert.ok(settings, JSON.stringify(errors))
  const log = createLog(settings.log)
  const system = await openSystem(settings, { serving: false, clock: () => now, log })
  opened.push(system)
  return { system, pass: (span: number) => (now += span) }
}

const opened: System[] = []
after(() => Promise.all(opened.map(system => system.close())))

type Init = { readonly body?: string; readonly headers?: Record<string, string>; readonly method?: string }

const call = (system: System, path: string, { method = 'POST', ...init }: Init = {}): Promise<Response> =>
  system.http.fetch(new Request(`${url}${path}`, { method, ...init }))

const ask = (system: System, body: string, headers: Record<string, string> = {}): Promise<Response> =>
  call(system, '/auth/introspect', {
    body,
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...bearing(key), ...headers },
  })

async function told(system: System, token: string): Promise<Record<string, unknown>> {
  const answer = await ask(system, String(new URLSearchParams({ token, token_type_hint: 'refresh_token' })))
  const text = await answer.text()
  assert.equal(answer.status, 200, text)
  return JSON.parse(text)
}

const json = { 'content-type': 'application/json' }

const send = (system: System, path: string, body: object, headers: Record<string, string> = {}) =>
  call(system, path, { body: JSON.stringify(body), headers: { ...json, ...headers } })

const jack = { email: 'jack@example.com', username: 'jack', password }

/** Signs up natively; everything that the answer carries. */
async function enter(system: System, delivery: 'cookies' | 'memory', who: object = jack) {
  const answer = await send(system, '/auth/sign-up', { ...who, delivery })
  const { user, session, accessToken } = (await answer.json()) as {
    user: { id: string }
    session: { id: string }
    accessToken?: string
  }
  const cookies = setCookies(answer)
  return { user, session, cookies, access: accessToken ?? cookies.get('rusk_access') ?? '' }
}

type Entered = Awaited<ReturnType<typeof enter>>

const claimsOf = (token: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())

const good: readonly [sentence: string, options: Options, delivery: 'cookies' | 'memory'][] = [
  ['from a cookie, ES256', {}, 'cookies'],
  ['from memory, EdDSA', { jwt: { algorithm: 'EdDSA' } }, 'memory'],
  ['by a shared key, HS256', { jwt: { key: newKey() } }, 'memory'],
  ['with an audience', { audience: 'chat' }, 'memory'],
]
for (const [sentence, options, delivery] of good) {
  test(`a token is active and tells its claims: ${sentence}`, async () => {
    const { system, pass } = await open(options)
    const { access, user, session } = await enter(system, delivery)
    const { iat, exp, jti } = claimsOf(access)
    const want = {
      active: true,
      token_type: 'Bearer',
      iss: url,
      sub: user.id,
      sid: session.id,
      iat,
      exp,
      jti,
    }
    const audience = options.audience === undefined ? {} : { aud: options.audience }
    assert.deepEqual(await told(system, access), { ...want, ...audience, username: 'jack' })
    // Just before it has expired, and then.
    pass(Number(exp) * 1000 - system.store.now() - 1)
    assert.equal((await told(system, access)).active, true)
    pass(1)
    assert.deepEqual(await told(system, access), { active: false })
  })
}

test('a dialect that keeps the token in memory and names users by number says so too', async () => {
  const { system } = await open({ dialect: 'django', origins: [] })
  const csrf = setCookies(await call(system, '/api/csrf/', { method: 'GET' })).get('csrftoken') ?? ''
  const headers = { 'x-csrftoken': csrf, cookie: `csrftoken=${csrf}` }
  await send(system, '/api/register/', jack, headers)
  const signedIn = await send(system, '/api/token/pair', jack, headers)
  const { access } = (await signedIn.json()) as { access: string }
  const { sub, username, active, sid } = await told(system, access)
  assert.deepEqual([active, sub, username], [true, '1', 'jack'])
  assert.deepEqual(await told(system, csrf), { active: false })
  for (const [name, value] of setCookies(signedIn)) {
    assert.deepEqual(await told(system, value), { active: false }, name)
  }
  assert.ok(await system.endSession(String(sid), 'revoked'))
  assert.deepEqual(await told(system, access), { active: false })
})

test('who has no username has none told', async () => {
  const { system } = await open({})
  const { access } = await enter(system, 'memory', { email: 'ada@example.com', password })
  const { active, username } = await told(system, access)
  assert.deepEqual([active, username], [true, undefined])
})

/** What becomes of a good token: after that it is none. */
const ends: readonly [sentence: string, end: (system: System, entered: Entered) => Promise<unknown>][] = [
  [
    'its user signs out',
    (system, { cookies }) =>
      call(system, '/auth/sign-out', {
        headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
      }),
  ],
  ['an operator ends the session', (system, { session }) => system.endSession(session.id, 'revoked')],
  ['an operator disables the user', (system, { user }) => system.setActive(user.id, false)],
  [
    'the user changes the password',
    (system, { access }) =>
      send(system, '/auth/password', { current: password, new: 'four angry geese walk' }, bearing(access)),
  ],
]
for (const [sentence, end] of ends) {
  for (const delivery of ['cookies', 'memory'] as const) {
    test(`${delivery}: a token is not active any more when ${sentence}`, async () => {
      const { system } = await open({})
      const entered = await enter(system, delivery)
      assert.equal((await told(system, entered.access)).active, true)
      await end(system, entered)
      assert.deepEqual(await told(system, entered.access), { active: false })
    })
  }
}

test('what another process has ended is not active here either, from its commit on', async t => {
  const database = `sqlite:${join(emptyFolder(t), 'rusk.db')}`
  const secret = newKey()
  const { system } = await open({ database, secret })
  const { access, session } = await enter(system, 'memory')
  assert.equal((await told(system, access)).active, true)
  const { system: other } = await open({ database, secret })
  assert.ok(await other.endSession(session.id, 'revoked'))
  assert.deepEqual(await told(system, access), { active: false })
})

let here: System
let entered: Entered
before(async () => {
  here = (await open({})).system
  entered = await enter(here, 'memory')
})

const basic = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString('base64')}` })
const oddKey = 'k+/=&:%41-of-more-than-thirty-two-bytes'

const passwords: readonly [sentence: string, headers: Record<string, string>, want: number][] = [
  ['a name and the key', basic(`chat:${oddKey}`), 200],
  ['a name and the key percent-encoded', basic(`chat:${encodeURIComponent(oddKey)}`), 200],
  [
    'a name and the key as forms encode it',
    basic(`chat:${new URLSearchParams({ '': oddKey }).toString().slice(1)}`),
    200,
  ],
  ['no name and the key', basic(`:${oddKey}`), 200],
  ['the key as the name', basic(`${oddKey}:`), 401],
  ['the key alone', basic(oddKey), 401],
  ['a name and another key', basic('chat:another-key-of-more-than-thirty-two-bytes'), 401],
  ['a name alone', basic('chat:'), 401],
  ['no base64', { authorization: 'Basic ****' }, 401],
]
for (const [sentence, headers, want] of passwords) {
  test(`a service that shows ${sentence} by HTTP Basic is answered ${want}`, async () => {
    const { system } = await open({ service: { keys: [oddKey] } })
    assert.equal((await ask(system, 'token=x', headers)).status, want)
  })
}

const other: readonly [sentence: string, token: () => string | Promise<string>][] = [
  ['a refresh token', () => entered.cookies.get('rusk_refresh') ?? ''],
  ['a sign-in token', () => entered.cookies.get('rusk_signin') ?? ''],
  ['the session', () => entered.session.id],
  ['the service key', () => key],
  ['garbage', () => 'garbage'],
  ['three parts of garbage', () => 'a.b.c'],
  ['a token of another signature', () => `${entered.access.slice(0, -4)}AAAA`],
  ['a token with blanks around it', () => ` ${entered.access} `],
  ['a token twice', () => `${entered.access},${entered.access}`],
  ['sixty kilobytes', () => 'x'.repeat(60_000)],
  [
    'a token without a signature',
    () => {
      const header = Buffer.from('{"alg":"none","typ":"at+jwt"}').toString('base64url')
      return `${header}.${entered.access.split('.')[1]}.`
    },
  ],
  ['a token of another server', async () => (await enter((await open({})).system, 'memory')).access],
]
for (const [sentence, token] of other) {
  test(`${sentence} is not active`, async () => {
    const text = await token()
    assert.notEqual(text, '')
    assert.deepEqual(await told(here, text), { active: false })
  })
}

test('a token of another issuer with the same key is not active, nor is one for another audience', async () => {
  const jwt = { key: newKey() }
  const systems = await Promise.all([
    open({ jwt }),
    open({ jwt, url: 'http://localhost:9000' }),
    open({ jwt, audience: 'chat' }),
  ])
  const [mine, ...others] = systems.map(({ system }) => system)
  assert.ok(mine)
  for (const system of others) {
    const { access } = await enter(system, 'memory')
    assert.equal((await told(system, access)).active, true)
    assert.deepEqual(await told(mine, access), { active: false })
  }
})

const form = { 'content-type': 'application/x-www-form-urlencoded' }
const unread: readonly [
  sentence: string,
  body: string,
  headers: Record<string, string>,
  status: number,
  code: string,
][] = [
  ['nothing', '', form, 400, 'body_malformed'],
  ['no token', 'token_type_hint=access_token', form, 400, 'body_malformed'],
  ['an empty token', 'token=', form, 400, 'body_malformed'],
  ['two tokens', 'token=a&token=b', form, 400, 'body_malformed'],
  ['two hints', 'token=a&token_type_hint=b&token_type_hint=c', form, 400, 'body_malformed'],
  ['half a character', 'token=%f0', form, 400, 'body_malformed'],
  ['JSON', '{"token":"a"}', json, 415, 'not_form'],
  ['text', 'token=a', { 'content-type': 'text/plain' }, 415, 'not_form'],
  [
    'a form of another kind',
    'token=a',
    { 'content-type': 'multipart/form-data; boundary=x' },
    415,
    'not_form',
  ],
  ['a megabyte', `token=${'x'.repeat(1024 * 1024)}`, form, 413, 'body_too_large'],
]
for (const [sentence, body, headers, status, code] of unread) {
  test(`${sentence} is refused with ${status}`, async () => {
    const answer = await ask(here, body, headers)
    const problem = (await answer.json()) as Record<string, unknown>
    assert.deepEqual([answer.status, problem.code, problem.status], [status, code, status])
    assert.equal(answer.headers.get('content-type'), 'application/problem+json')
  })
}

test('asking by GET is refused, and tells nothing of the token', async () => {
  const answer = await call(here, `/auth/introspect?token=${entered.access}`, {
    method: 'GET',
    headers: bearing(key),
  })
  assert.deepEqual([answer.status, answer.headers.get('allow')], [405, 'POST'])
})

test('asking changes nothing: no event, no longer life', async () => {
  const { system, pass } = await open({})
  const { access, session } = await enter(system, 'memory')
  const state = async () => [await system.store.holder(session.id), await system.store.events({ limit: 99 })]
  const before = await state()
  pass(minute)
  for (const token of [access, 'garbage']) await told(system, token)
  assert.deepEqual(await state(), before)
})

test('without the store nobody is told anything but to ask again', async () => {
  const { system } = await open({})
  const { access } = await enter(system, 'memory')
  await told(system, access)
  await system.store.close()
  const answer = await ask(system, `token=${access}`)
  assert.ok(answer.status >= 500, String(answer.status))
})
