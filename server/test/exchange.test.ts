// A front end that kept a token of another system in localStorage moves to cookies: one call per browser, over sockets, in
// every dialect. Whatever is wrong with a token gets one answer, and a copy of one is of no use after its owner has moved.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createHmac, generateKeyPairSync } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { SignJWT, UnsecuredJWT } from 'jose'
import type { Event } from '../src/core/model.ts'
import type { DialectName } from '../src/dialects/index.ts'
import type { Options } from '../src/index.ts'
import { openStore } from '../src/store/open.ts'
import type { Account } from '../src/store/port.ts'
import type { Browser, Got, Line } from './dialects/browser.ts'
import { serve } from './dialects/serve.ts'
import { bridgeOptions, bring, earlierKey, earlierToken, signedBy } from './earlier.ts'
import { bin, serve as serveBinary } from './serving.ts'
import { newUser } from './store/people.ts'
import { databaseAt, folderFor } from './store/stores.ts'

const password = 'Engine no. 9, twice baked'
const ada = { email: 'ada@example.com', username: 'ada', password }
const eve = { email: 'eve@example.com', username: 'eve', password }

/** What differs between front ends; the rules do not. */
type Front = {
  readonly signUp: { readonly line: Line; readonly more?: object }
  readonly signIn: { readonly line: Line; readonly json: object }
  readonly exchange: Line
  readonly refresh: Line
  readonly signOut: Line
  readonly me: Line
  /** Where the access token stands in an answer, if it does. */
  readonly token?: string
  /** The call that sets the CSRF cookie, the cookie and its header. */
  readonly csrf?: { readonly line: Line; readonly cookie: string; readonly header: string }
  readonly refused: unknown
}

const title = 'The token cannot be exchanged'
const auth = (path: string): Line => `POST /auth/${path}`

const fronts: Readonly<Record<DialectName, Front>> = {
  native: {
    signUp: { line: auth('sign-up') },
    signIn: { line: auth('sign-in'), json: { login: 'ada', password } },
    exchange: auth('exchange'),
    refresh: auth('refresh'),
    signOut: auth('sign-out'),
    me: 'GET /auth/session',
    refused: {
      type: 'about:blank',
      title: 'Unauthorized',
      status: 401,
      code: 'token_refused',
      detail: title,
    },
  },
  fastapi: {
    signUp: { line: auth('register') },
    signIn: { line: auth('login'), json: { username_or_email: 'ada', password } },
    exchange: auth('exchange'),
    refresh: auth('refresh'),
    signOut: auth('logout'),
    me: 'GET /auth/me',
    refused: { detail: title },
  },
  'fastapi-minimal': {
    signUp: { line: auth('signup') },
    signIn: { line: auth('signin'), json: { email: 'ada@example.com', password } },
    exchange: auth('exchange'),
    refresh: auth('refresh'),
    signOut: auth('signout'),
    me: 'GET /auth/me',
    refused: { detail: title },
  },
  'fastapi-production': {
    signUp: { line: 'POST /api/auth/register', more: { full_name: 'Ada Lovelace' } },
    signIn: { line: 'POST /api/auth/login', json: { email: 'ada@example.com', password } },
    exchange: 'POST /api/auth/exchange',
    refresh: 'POST /api/auth/refresh',
    signOut: 'POST /api/auth/logout',
    me: 'GET /api/auth/me',
    refused: { detail: title },
  },
  flask: {
    signUp: { line: 'POST /register' },
    signIn: { line: 'POST /login', json: { email: 'ada@example.com', password } },
    exchange: 'POST /exchange',
    refresh: 'POST /refresh',
    signOut: 'POST /logout',
    me: 'GET /me',
    token: 'access_token',
    csrf: { line: 'POST /logout', cookie: 'csrf_refresh_token', header: 'x-csrf-token' },
    refused: { error: title },
  },
  django: {
    signUp: { line: 'POST /api/register/' },
    signIn: { line: 'POST /api/token/', json: { username: 'ada', password } },
    exchange: 'POST /api/token/exchange/',
    refresh: 'POST /api/token/refresh/',
    signOut: 'POST /api/logout/',
    me: 'GET /api/me/',
    token: 'access',
    csrf: { line: 'GET /api/csrf/', cookie: 'csrftoken', header: 'x-csrftoken' },
    refused: { detail: title },
  },
}

const names = Object.keys(fronts) as DialectName[]
const grace = 40
const many = '100000/1m'

/** A browser on a server that exchanges tokens, with Ada and Eve, and another process's view of its database. */
async function open(t: TestContext, name: DialectName, options: Options = {}) {
  const front = fronts[name]
  const database = `sqlite:${join(await folderFor(t), 'rusk.db')}`
  const { browser } = await serve(t, name, 'api', {
    database,
    bridge: bridgeOptions,
    session: { grace: `${grace}ms` },
    throttle: { signIn: many, signUp: many },
    ...options,
  })
  const store = await openStore(databaseAt(database))
  t.after(() => store.close())

  const headers = async (from: Browser) => {
    const { csrf } = front
    if (!csrf) return {}
    if (!from.documentCookie().has(csrf.cookie)) await from.call(csrf.line)
    return { [csrf.header]: from.documentCookie().get(csrf.cookie) ?? '' }
  }
  /** As the front end calls: with the CSRF header where there is one. */
  const ask = async (from: Browser, line: Line, json?: object): Promise<Got> =>
    from.call(line, { ...(json ? { json } : {}), headers: await headers(from) })

  /** Another browser, with nothing in it. */
  const another = (): Browser => {
    const other = browser.stolen()
    other.jar.drop(...other.jar.names())
    return other
  }
  await bring(store, [ada, eve])
  const accountOf = async (email: string): Promise<Account> =>
    (await store.account({ emailKey: email })) ?? assert.fail(`${email} is there`)

  return {
    front,
    store,
    browser,
    another,
    ask,
    accountOf,
    exchange: (from: Browser, token: unknown, more: object = {}) =>
      ask(from, front.exchange, { token, ...more }),
    refresh: (from: Browser) => ask(from, front.refresh),
    signOut: (from: Browser) => ask(from, front.signOut),
    /** Who am I, by the cookies, and by the token of that answer where it travels in memory. */
    me: (from: Browser, entered: Got) => {
      const { [front.token ?? 'accessToken']: token } = entered.body as Record<string, string | undefined>
      return from.call(front.me, token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } })
    },
    liveOf: async (email: string): Promise<readonly string[]> => {
      const { user } = await accountOf(email)
      return (await store.sessionsOf(user.id, { now: store.now(), limit: 99 })).map(({ id }) => id)
    },
  }
}

type Scene = Awaited<ReturnType<typeof open>>

/** The events since the start that are about moving, oldest first: type, whose. */
async function told({ store, accountOf }: Scene): Promise<readonly string[]> {
  const { user } = await accountOf(ada.email)
  const about = ({ type, userId, detail }: Event) =>
    `${type} ${userId === null ? 'nobody' : userId === user.id ? 'ada' : 'somebody'}${detail?.by ? ` by ${detail.by}` : ''}`
  return (await store.events({ limit: 99 }))
    .filter(({ type, detail }) => type.startsWith('exchange_') || detail?.by !== undefined)
    .map(about)
    .reverse()
}

const sessionIn = (browser: Browser): string => {
  const cookie = browser.jar.names().find(each => each.endsWith('rusk_signin')) ?? ''
  return browser.jar.get(cookie)?.value.split('.')[0] ?? ''
}

/** Lines of Set-Cookie without what differs from one sign-in to the next. */
const shapeOf = (got: Got) =>
  Object.values(got.set).map(({ name, attributes: { expires: _, ...rest } }) => ({ name, ...rest }))

const pastGrace = () => sleep(grace + 20)

for (const name of names) {
  describe(name, () => {
    test('a token of the old system is answered as a sign-in is, and signs its user in', async t => {
      const scene = await open(t, name)
      const { browser, another, front, ask, exchange, me } = scene
      const other = another()
      const signedIn = await ask(other, front.signIn.line, front.signIn.json)
      const got = await exchange(browser, await earlierToken(ada.email))
      assert.equal(got.status, 200, got.text)
      assert.deepEqual(Object.keys(got.body as object), Object.keys(signedIn.body as object))
      assert.deepEqual(shapeOf(got), shapeOf(signedIn))
      const mine = await me(browser, got)
      assert.equal(mine.status, 200)
      assert.match(mine.text, /ada@example\.com/)
      assert.equal((await me(other, signedIn)).status, 200, 'her other browser stays signed in')
      assert.notEqual((await scene.accountOf(ada.email)).user.lastSignInAt, null)
      assert.deepEqual(await told(scene), ['signed_in ada by exchange'])
    })

    test('when the answer was lost, the token is good once more, and the next refresh settles it', async t => {
      const scene = await open(t, name)
      const { browser, another, exchange, refresh } = scene
      const token = await earlierToken(ada.email)
      for (let i = 0; i < 2; i++)
        assert.equal((await exchange(another(), token)).status, 200, 'nobody gets it')
      assert.equal((await exchange(browser, token)).status, 200)
      assert.equal((await scene.liveOf(ada.email)).length, 3)
      await pastGrace()
      assert.equal((await refresh(browser)).status, 200)
      assert.equal((await exchange(another(), token)).status, 401)
    })

    test('after its owner has moved, a copy is refused, and that is written down', async t => {
      const scene = await open(t, name)
      const { browser, another, exchange, refresh, front } = scene
      const token = await earlierToken(ada.email)
      assert.equal((await exchange(browser, token)).status, 200)
      await pastGrace()
      assert.equal((await refresh(browser)).status, 200)
      const got = await exchange(another(), token)
      assert.deepEqual([got.status, got.body, got.set], [401, front.refused, {}])
      assert.deepEqual(await told(scene), ['signed_in ada by exchange', 'exchange_reused ada'])
      await pastGrace()
      assert.equal((await refresh(browser)).status, 200, 'who has moved stays signed in')
    })

    test('signing out is not undone by a token that the page has kept', async t => {
      const scene = await open(t, name)
      const { browser, another, exchange, signOut, front } = scene
      const token = await earlierToken(ada.email)
      await exchange(browser, token)
      assert.ok((await signOut(browser)).status < 300)
      const own = await exchange(browser, token)
      assert.deepEqual([own.status, own.body, own.set], [401, front.refused, {}])
      assert.equal((await exchange(another(), token)).status, 401)
      assert.deepEqual(await told(scene), [
        'signed_in ada by exchange',
        // Its cookies still name the session: it is the same browser.
        'exchange_refused ada',
        'exchange_reused ada',
      ])
    })

    test('the sessions that the cookies name end, as with every sign-in', async t => {
      const scene = await open(t, name)
      const { browser, ask, front, exchange, me, liveOf } = scene
      const before = await ask(browser, front.signIn.line, front.signIn.json)
      const thief = browser.stolen()
      const session = sessionIn(browser)
      assert.ok((await liveOf(ada.email)).includes(session))
      const got = await exchange(browser, await earlierToken(eve.email))
      assert.equal(got.status, 200)
      assert.match((await me(browser, got)).text, /eve@example\.com/)
      assert.ok(!(await liveOf(ada.email)).includes(session))
      assert.equal((await me(thief, before)).status, 401)
    })

    test('without a key there is no such call', async t => {
      const { browser } = await serve(t, name, 'api')
      const [method, path] = fronts[name].exchange.split(' ')
      for (const json of [{ token: await earlierToken(ada.email) }, {}, { token: 7 }]) {
        const got = await browser.call(fronts[name].exchange, { json })
        const unknown = await browser.call(`${method} /x${path?.slice(1)}`, { json })
        assert.deepEqual([got.status, got.text], [404, unknown.text])
      }
      const wrongMethod = await browser.call(`GET ${path}` as Line)
      assert.equal(wrongMethod.status, 404)
      assert.ok(!(await browser.call('GET /openapi.json')).text.includes('exchange'))
    })

    test('attempts are counted as sign-ins are', async t => {
      const { ask, another, front, exchange } = await open(t, name, { throttle: { signIn: '3/1m' } })
      const browser = another()
      await exchange(browser, 'one')
      await exchange(browser, await earlierToken(ada.email))
      await ask(browser, front.signIn.line, front.signIn.json)
      const got = await exchange(browser, await earlierToken(ada.email))
      assert.equal(got.status, 429)
      assert.match(String(got.headers['retry-after']), /^[1-9]\d*$/)
      assert.equal((await ask(browser, front.signIn.line, front.signIn.json)).status, 429)
    })

    test('a page of another origin exchanges nothing', async t => {
      const scene = await open(t, name)
      const { browser, front } = scene
      const json = { token: await earlierToken(ada.email) }
      const evil = browser.tab('https://evil.example')
      const form = await evil.submit(front.exchange, 'text/plain', JSON.stringify(json))
      assert.deepEqual([form.status, form.set], [403, {}])
      assert.equal((await evil.call(front.exchange, { json })).blocked, true)
      assert.deepEqual(await told(scene), [])
    })

    test('what is no token at all is a wrong field, and is not repeated', async t => {
      const { browser, exchange } = await open(t, name)
      for (const token of [
        undefined,
        null,
        47_114_711,
        ['47114711'],
        { a: '47114711' },
        '',
        '47114711'.repeat(1025),
      ]) {
        const got = await exchange(browser, token)
        assert.ok(got.status === 422 || got.status === 400, `${got.status}`)
        assert.match(got.text, /token/)
        assert.ok(!got.text.includes('47114711'))
      }
    })
  })
}

const now = () => Math.floor(Date.now() / 1000)
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey

/** By another hand than jose's, for what it refuses to write. */
const byHand = (claims: object): string => {
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')
  const signed = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(claims)}`
  return `${signed}.${createHmac('sha256', earlierKey).update(signed).digest('base64url')}`
}

// [sentence, the token; what happens to Ada before it is presented]
const refusals: [string, (scene: Scene) => Promise<string>][] = [
  ['it has expired', () => earlierToken(ada.email, { iat: now() - 7200, exp: now() - 1 })],
  ['it was signed by another key', () => signedBy(`${earlierKey}!`, { sub: ada.email, exp: now() + 600 })],
  ['it is not signed at all', async () => new UnsecuredJWT({ sub: ada.email, exp: now() + 600 }).encode()],
  [
    'its header names RS256',
    () =>
      new SignJWT({ sub: ada.email, exp: now() + 600 })
        .setProtectedHeader({ alg: 'RS256', typ: 'JWT' })
        .sign(rsa),
  ],
  [
    'its header names HS512',
    () => signedBy(earlierKey.repeat(2), { sub: ada.email, exp: now() + 600 }, { alg: 'HS512' }),
  ],
  [
    'its payload was changed',
    async () => {
      const [head, , mac] = (await earlierToken(eve.email)).split('.')
      const [, payload] = (await earlierToken(ada.email)).split('.')
      return `${head}.${payload}.${mac}`
    },
  ],
  ['its end is a fraction', async () => byHand({ sub: ada.email, exp: now() + 600.5 })],
  ['it has no end', async () => byHand({ sub: ada.email })],
  ['it is not good yet', () => earlierToken(ada.email, { nbf: now() + 600 })],
  ['it names nobody who is here', () => earlierToken('nobody@example.com')],
  ['it does not name anybody', () => signedBy(earlierKey, { exp: now() + 600 })],
  ['it names somebody by another field', () => earlierToken('1')],
  ['it names her in another script’s letters', () => earlierToken('ａda@example.com')],
  ['it names her with a space behind', () => earlierToken(`${ada.email} `)],
  ['it is no token', async () => 'x'],
  [
    'its user has been disabled',
    async ({ store, accountOf }) => {
      const { user } = await accountOf(ada.email)
      await store.commit([{ change: 'setActive', userId: user.id, active: false }])
      return earlierToken(ada.email)
    },
  ],
  [
    'its user was never active',
    async ({ store }) => {
      const user = newUser('bob', { active: false })
      await store.commit([{ change: 'createUser', user, password: null }])
      return earlierToken(user.email)
    },
  ],
  [
    'its user was disabled and enabled since',
    async ({ store, accountOf }) => {
      const { user } = await accountOf(ada.email)
      for (const active of [false, true])
        await store.commit([{ change: 'setActive', userId: user.id, active }])
      return earlierToken(ada.email)
    },
  ],
  [
    'its user has another password since',
    async ({ store, accountOf }) => {
      const { user, password: was } = await accountOf(ada.email)
      const change = {
        change: 'changePassword',
        userId: user.id,
        epoch: 0,
        was: was ?? '',
        record: 'x',
      } as const
      assert.equal((await store.commit([change])).committed, true)
      return earlierToken(ada.email)
    },
  ],
]

for (const name of ['native', 'fastapi', 'django'] as const) {
  for (const [sentence, prepare] of refusals) {
    test(`${name}: a token is refused like any other when ${sentence}`, async t => {
      const scene = await open(t, name)
      const { browser, front, exchange } = scene
      const signedUp = await scene.liveOf(ada.email)
      const got = await exchange(browser, await prepare(scene))
      assert.deepEqual([got.status, got.body, got.set], [401, front.refused, {}])
      assert.deepEqual(await scene.liveOf(ada.email), signedUp, 'no session is opened')
      const [line = '', ...others] = await told(scene)
      assert.match(line, /^exchange_refused (?:nobody|ada|somebody)$/)
      assert.deepEqual(others, [])
    })
  }
}

for (const [subject, claims] of [
  ['sub=username', { sub: 'Ada' }],
  ['user_id=number', { user_id: 1 }],
  ['sub=number', { sub: '1' }],
] as const) {
  test(`whom a token names, the operator says: ${subject}`, async t => {
    const { browser, exchange } = await open(t, 'native', { bridge: { key: earlierKey, subject } })
    const got = await exchange(browser, await signedBy(earlierKey, { ...claims, exp: now() + 600 }))
    assert.equal(got.status, 200, got.text)
    assert.match(got.text, /"email":"ada@example\.com"/)
  })
}

test('each delivery is as at sign-in: in memory the access token is in the answer and in no cookie', async t => {
  const { browser, exchange, refresh, me } = await open(t, 'native')
  const got = await exchange(browser, await earlierToken(ada.email), { delivery: 'memory' })
  const { accessToken, expiresIn } = got.body as { accessToken: string; expiresIn: number }
  assert.match(accessToken, /^[\w-]+\.[\w-]+\.[\w-]+$/)
  assert.ok(expiresIn > 540 && expiresIn <= 600)
  assert.equal(got.set.rusk_access?.value, '', 'an earlier one is cleared')
  assert.equal((await me(browser, got)).status, 200)
  assert.equal((await browser.call('GET /auth/session')).status, 401)
  assert.equal((await refresh(browser)).status, 200)
  const cookies = await exchange(browser, await earlierToken(ada.email))
  assert.ok(!('accessToken' in (cookies.body as object)))
  assert.equal((await browser.call('GET /auth/session')).status, 200)
})

test('django: an exchange needs a CSRF token, any authentic one', async t => {
  const { browser, front } = await open(t, 'django')
  const got = await browser.call(front.exchange, { json: { token: await earlierToken(ada.email) } })
  assert.deepEqual([got.status, got.set], [403, {}])
})

test('where the key is that of our own access tokens, one of those buys no session', async t => {
  const { browser, another, exchange, ask, front } = await open(t, 'django', {
    jwt: { key: earlierKey },
    bridge: { key: earlierKey, subject: 'sub=number' },
  })
  const got = await ask(browser, front.signIn.line, front.signIn.json)
  const { access } = got.body as { access: string }
  assert.equal((await exchange(another(), access)).status, 401)
  const theirs = await earlierToken('1')
  assert.equal((await exchange(another(), theirs)).status, 200)
})

test('a token opens eight sessions at most: so many answers are never lost, and that is written down', async t => {
  const scene = await open(t, 'native')
  const token = await earlierToken(ada.email)
  for (let i = 0; i < 8; i++) assert.equal((await scene.exchange(scene.another(), token)).status, 200)
  assert.equal((await scene.exchange(scene.another(), token)).status, 401)
  assert.equal((await told(scene)).at(-1), 'exchange_reused ada')
})

for (const name of names) {
  test(`${name}: no token of the old system leads to an account that somebody has made by signing up`, async t => {
    const scene = await open(t, name)
    const { ask, another, front, exchange } = scene
    const mallory = { email: 'bob@example.com', username: 'bob', password }
    const made = await ask(another(), front.signUp.line, { ...mallory, ...front.signUp.more })
    assert.ok(made.status < 300, made.text)
    const got = await exchange(another(), await earlierToken(mallory.email))
    assert.deepEqual([got.status, got.body, got.set], [401, front.refused, {}])
  })
}

test('a page that comes again with its own cookies signs in once more, and then is sent back without being accused', async t => {
  const scene = await open(t, 'native')
  const { browser, exchange, me } = scene
  const token = await earlierToken(ada.email)
  const first = await exchange(browser, token)
  const second = await exchange(browser, token)
  assert.equal(second.status, 200)
  assert.equal((await exchange(browser, token)).status, 401)
  assert.equal((await me(browser, first)).status, 200, 'it is still signed in')
  assert.deepEqual((await told(scene)).at(-1), 'exchange_refused ada')
})

test('no line of the log tells a token', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'rusk-exchange-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const person = ['--email', ada.email, '--username', ada.username, '--password-stdin']
  const brought = spawnSync(process.execPath, [bin, 'users', 'create', ...person], {
    cwd: folder,
    input: ada.password,
    env: { PATH: process.env.PATH ?? '' },
  })
  assert.equal(brought.status, 0, String(brought.stderr))
  const serving = await serveBinary({
    args: ['--database', 'sqlite:./rusk.db'],
    cwd: folder,
    env: {
      RUSK_BRIDGE_KEY: earlierKey,
      RUSK_BRIDGE_SUBJECT: bridgeOptions.subject,
      RUSK_LOG_LEVEL: 'trace',
      RUSK_SESSION_GRACE: `${grace}ms`,
    },
  })
  t.after(() => serving.end('SIGKILL'))
  const post = (path: string, body: object, cookie = '') =>
    fetch(`${serving.url}/auth/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', cookie },
      body: JSON.stringify(body),
    })
  const tokens = [await earlierToken(ada.email), await earlierToken('nobody@example.com'), 'not.a.token']
  const answers = await Promise.all(tokens.map(token => post('exchange', { token })))
  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 401, 401],
  )
  const cookie = answers[0]?.headers
    .getSetCookie()
    .map(line => line.split(';')[0])
    .join('; ')
  await pastGrace()
  assert.equal((await post('refresh', {}, cookie)).status, 200)
  assert.equal((await post('exchange', { token: tokens[0] })).status, 401)
  await serving.end('SIGTERM')
  const log = serving.stdout() + serving.stderr()
  assert.match(log, /exchange_refused/)
  assert.match(log, /exchange_reused.*/)
  assert.match(log, /rusk sessions revoke --user/, 'it says what an operator may do')
  for (const token of tokens) assert.ok(!log.includes(token))
  for (const signature of tokens.map(token => token.split('.')[2] ?? token)) {
    assert.ok(signature === 'token' || !log.includes(signature))
  }
})
