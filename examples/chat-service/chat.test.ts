// The chat over real sockets beside a real Rusk: whom it hears, what it keeps for whom, how long its streams last.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createHmac, createPublicKey, type webcrypto } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createVerifier, Misuse } from '@rusk/verify'
import { type Options, rusk } from 'rusk'
import { type Environment, openService } from './app.ts'
import { openChat } from './chat.ts'
import { enter, openPlace, readStream, runChat, runRusk, serviceKey, until } from './running.ts'

const key = 'a shared key known to these tests and to nobody else'

/** The stated bound, in milliseconds. */
const bound = 5000

type Both = { readonly url: string; readonly chat: string }

async function runBoth(t: TestContext, options: Options = {}, env: Environment = {}): Promise<Both> {
  const { url } = await runRusk(t, options)
  return { url, chat: await runChat(t, { RUSK_URL: url, ...env }) }
}

const encode = (part: object | string): string =>
  Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url')

const say = (headers: Readonly<Record<string, string>>, message: unknown = 'hello', stay = false) => ({
  method: 'POST',
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify({ message, stay }),
})

/** By what everybody knows, as if it were a shared key: the public key of the key set or, where there is none, the issuer. */
async function signByPublic(url: string, token: string): Promise<string> {
  const { keys }: { keys: webcrypto.JsonWebKey[] } = Object(
    await (await fetch(`${url}/.well-known/jwks.json`)).json(),
  )
  const [jwk] = keys
  const secret = jwk
    ? createPublicKey({ key: jwk, format: 'jwk' }).export({ type: 'spki', format: 'pem' })
    : url
  const signed = `${encode({ alg: 'HS256', typ: 'at+jwt' })}.${token.split('.')[1]}`
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`
}

// [which keys, Rusk's options, the chat's settings]
const keys: readonly [string, Options, Environment][] = [
  ['the key set', {}, {}],
  ['the shared key', { jwt: { key } }, { JWT_SECRET_KEY: key }],
]

for (const [which, options, env] of keys) {
  test(`by ${which} the chat hears whoever is signed in, and nobody with a forged token`, async t => {
    const { url, chat } = await runBoth(t, options, env)
    const other = await runRusk(t, options)
    const { access, headers } = await enter(url, 'sign-up')
    const elsewhere = await enter(other.url, 'sign-up')
    const [head, claims = '', signature = ''] = access.split('.')
    const admin = { ...JSON.parse(Buffer.from(claims, 'base64url').toString()), sub: 'somebody else' }
    const ask = async (token: string | undefined) => {
      const answer = await fetch(`${chat}/chat/stream`, {
        ...say(token === undefined ? {} : { authorization: token }),
      })
      await answer.text()
      return answer.status
    }
    const rows: readonly [string, string | undefined, number][] = [
      ['the one that Rusk has made', headers.authorization, 200],
      ['none', undefined, 401],
      ['an empty one', 'Bearer ', 401],
      ['words', 'Bearer let me in', 401],
      ['one without a signature', `Bearer ${head}.${claims}.`, 401],
      [
        'one whose signature is another',
        `Bearer ${head}.${claims}.${signature.split('').reverse().join('')}`,
        401,
      ],
      ['one with the claims of somebody else', `Bearer ${head}.${encode(admin)}.${signature}`, 401],
      ['alg none', `Bearer ${encode({ alg: 'none', typ: 'at+jwt' })}.${claims}.`, 401],
      ['one signed by what everybody knows', `Bearer ${await signByPublic(url, access)}`, 401],
      ['one of another Rusk, with the same key if it is shared', `Bearer ${elsewhere.access}`, 401],
      ['the token in another scheme', `Basic ${access}`, 401],
    ]
    for (const [sentence, token, status] of rows) assert.equal(await ask(token), status, sentence)
  })
}

test('an access token that has expired is refused', async t => {
  const { url, chat } = await runBoth(t, { session: { access: '3s' } })
  const { access, headers } = await enter(url, 'sign-up')
  assert.equal((await fetch(`${chat}/chat/history`, { headers })).status, 200)
  const { exp } = JSON.parse(Buffer.from(access.split('.')[1] ?? '', 'base64url').toString())
  await sleep(exp * 1000 - Date.now() + 10)
  const answer = await fetch(`${chat}/chat/history`, { headers })
  assert.equal(answer.status, 401)
  assert.equal(Object(await answer.json()).code, 'access_expired')
})

test('everybody reads and forgets what they have said themselves', async t => {
  const { url, chat } = await runBoth(t)
  const [ada, bob] = [await enter(url, 'sign-up', 'ada'), await enter(url, 'sign-up', 'bob')]
  const again = await enter(url, 'sign-in', 'ada')
  const history = async ({ headers }: typeof ada) => (await fetch(`${chat}/chat/history`, { headers })).json()
  for (const [who, message] of [
    [ada, 'I am Ada'],
    [bob, 'I am Bob'],
  ] as const) {
    await (await fetch(`${chat}/chat/stream`, say(who.headers, message))).text()
  }
  const of = (message: string) => [
    { by: 'you', text: message },
    { by: 'chat', text: `You said “${message}”, and I heard every word of it.` },
  ]
  assert.deepEqual(await history(again), of('I am Ada'), 'in another session too')
  const { status } = await fetch(`${chat}/chat/history`, { method: 'DELETE', headers: ada.headers })
  assert.equal(status, 204)
  assert.deepEqual(await history(again), [])
  assert.deepEqual(await history(bob), of('I am Bob'))
})

test('what is said in no way that the chat knows is refused, and not kept', async t => {
  const { url, chat } = await runBoth(t)
  const { headers } = await enter(url, 'sign-up')
  const rows: readonly [string, string, number][] = [
    ['nothing', '', 422],
    ['no JSON', '{', 422],
    ['no object', '[]', 422],
    ['no text', '{"message":1}', 422],
    ['an empty text', '{"message":" "}', 422],
    ['too long a text', JSON.stringify({ message: 'x'.repeat(501) }), 422],
    ['more than anybody says', JSON.stringify({ message: 'x'.repeat(20_000) }), 413],
  ]
  for (const [sentence, body, want] of rows) {
    const { status } = await fetch(`${chat}/chat/stream`, { method: 'POST', headers, body })
    assert.equal(status, want, sentence)
  }
  assert.deepEqual(await (await fetch(`${chat}/chat/history`, { headers })).json(), [])
})

test('an answer comes word by word; then the stream stays, unless it is told not to', async t => {
  const { url, chat } = await runBoth(t)
  const { headers } = await enter(url, 'sign-up')
  const brief = await readStream(`${chat}/chat/stream`, say(headers, 'hi'))
  assert.deepEqual([brief.type, brief.caching], ['text/event-stream', 'no-store'])
  await until('the first word', () => brief.events.length > 0)
  assert.ok(brief.events.length < 10, 'not all at once')
  await brief.over
  const words = ['You ', 'said ', '“hi”, ', 'and ', 'I ', 'heard ', 'every ', 'word ', 'of ', 'it.']
  const told = words.map(word => `message: ${word}`)
  assert.deepEqual(brief.events, told)
  const long = await readStream(`${chat}/chat/stream`, say(headers, 'hi', true))
  await until('ticks', () => long.events.length >= words.length + 2)
  assert.deepEqual(long.events.slice(0, words.length + 2), [...told, 'tick: still here', 'tick: still here'])
  long.hangUp()
  await long.over
})

/** In the words of Django: what a page would send, by hand. */
async function enterDjango(url: string, name: string) {
  const first = await fetch(`${url}/api/csrf/`)
  const jar = new Map<string, string>()
  const hear = ({ headers }: Response) => {
    for (const line of headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      jar.set(name, value)
    }
  }
  hear(first)
  const csrf = () => jar.get('csrftoken') ?? ''
  const post = async (path: string, fields: object) => {
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
    const headers = { 'content-type': 'application/json', 'x-csrftoken': csrf(), cookie, origin: url }
    const answer = await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(fields) })
    assert.ok(answer.ok, `${path} answered ${answer.status}`)
    hear(answer)
    return Object(await answer.json())
  }
  const person = { username: name, password: 'twelve blue herons' }
  await post('/api/register/', { ...person, email: `${name}@example.com` })
  const { access }: { access: string } = await post('/api/token/pair', person)
  return { authorization: `Bearer ${access}`, csrf: csrf() }
}

test('the CSRF header is needed for whatever changes something where CSRF_COOKIE is set, and nowhere else', async t => {
  const { url } = await runRusk(t, { dialect: ['django'], jwt: { key } })
  const settings = { RUSK_URL: url, JWT_SECRET_KEY: key }
  const strict = await runChat(t, { ...settings, CSRF_COOKIE: 'csrftoken' })
  const lax = await runChat(t, settings)
  const { authorization, csrf } = await enterDjango(url, 'ada')
  const { csrf: other } = await enterDjango(url, 'bob')
  const cookie = `csrftoken=${csrf}`
  const rows: readonly [string, Record<string, string>, number][] = [
    ['cookie and header', { cookie, 'x-csrftoken': csrf }, 200],
    ['no header', { cookie }, 403],
    ['no cookie', { 'x-csrftoken': csrf }, 403],
    ['an empty one', { cookie: 'csrftoken=', 'x-csrftoken': '' }, 403],
    ['another header', { cookie, 'x-csrftoken': `${csrf}x` }, 403],
    ["somebody else's", { cookie: `csrftoken=${other}`, 'x-csrftoken': other }, 403],
  ]
  for (const [sentence, given, want] of rows) {
    const asked = say({ authorization, ...given })
    assert.equal((await fetch(`${strict}/chat/stream`, asked)).status, want, sentence)
    assert.equal((await fetch(`${lax}/chat/stream`, asked)).status, 200, `${sentence}, where none is needed`)
  }
  assert.equal((await fetch(`${strict}/chat/history`, { headers: { authorization } })).status, 200)
  const asked = { method: 'DELETE', headers: { authorization } }
  assert.equal((await fetch(`${strict}/chat/history`, asked)).status, 403)
})

test('a session’s streams end with it, within the bound, and no other session’s', async t => {
  const { url, chat } = await runBoth(t)
  const ada = [await enter(url, 'sign-up'), await enter(url, 'sign-in'), await enter(url, 'sign-in')] as const
  const [going, staying, late] = ada
  const live = (who: typeof going) => readStream(`${chat}/chat/live`, { headers: who.headers })
  const talk = await readStream(`${chat}/chat/stream`, say(going.headers, 'hello', true))
  const [ends, stays] = [await live(going), await live(staying)]
  await until('signs of life', () => [ends, stays].every(({ events }) => events.length > 0))
  await going.signOut()
  const taken = await until('the end', () => ends.events.at(-1)?.startsWith('end: ') === true, bound)
  t.diagnostic(`the stream ended ${Math.round(taken)} ms after the answer to sign-out`)
  await Promise.all([ends.over, talk.over])
  assert.deepEqual(
    [ends, talk].map(({ events }) => events.filter(event => event.startsWith('end')).length),
    [1, 1],
  )
  const refused = await fetch(`${chat}/chat/history`, { headers: going.headers })
  assert.deepEqual([refused.status, Object(await refused.json()).code], [401, 'access_revoked'])
  const seen = stays.events.length
  await until('two more signs of life', () => stays.events.length >= seen + 2)
  assert.deepEqual(new Set(stays.events), new Set(['tick: still here']))
  const opened = await live(late)
  assert.equal(opened.status, 200)
  for (const { hangUp } of [stays, opened]) hangUp()
})

test('whoever hangs up is followed no longer', async t => {
  const { url } = await runRusk(t)
  const verifier = createVerifier({ issuer: url, serviceKey, cookie: false })
  t.after(() => verifier.close())
  let followed = 0
  const counting = {
    ...verifier,
    whenEnded(...given: Parameters<typeof verifier.whenEnded>) {
      const stop = verifier.whenEnded(...given)
      followed++
      return () => {
        followed--
        stop()
      }
    },
  }
  const place = await openPlace(t)
  place.put(openChat(counting, []).fetch)
  const { headers } = await enter(url, 'sign-up')
  const streams = await Promise.all([1, 2, 3].map(() => readStream(`${place.url}/chat/live`, { headers })))
  await until('signs of life', () => streams.every(({ events }) => events.length > 0))
  assert.equal(followed, 3)
  for (const { hangUp } of streams) hangUp()
  await until('nobody is followed', () => followed === 0)
})

test('pages call from listed origins alone, and read there why they were refused', async t => {
  const { chat } = await runBoth(t, {}, { ALLOWED_ORIGINS: 'https://app.example.com, http://localhost:5173' })
  const ask = async (method: string, origin: string) => {
    const headers = {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization,content-type,x-csrftoken',
    }
    const answer = await fetch(`${chat}/chat/stream`, { method, headers })
    return ['origin', 'credentials', 'headers']
      .map(name => answer.headers.get(`access-control-allow-${name}`))
      .concat(String(answer.status))
  }
  const asked = 'authorization,content-type,x-csrftoken'
  for (const origin of ['https://app.example.com', 'http://localhost:5173']) {
    assert.deepEqual(await ask('OPTIONS', origin), [origin, 'true', asked, '204'])
    assert.deepEqual(await ask('POST', origin), [origin, 'true', null, '401'])
  }
  const strangers = [
    'https://app.example.com.evil.example',
    'https://evil.example',
    'http://app.example.com',
    'https://app.example.com:8443',
    'null',
  ]
  for (const origin of strangers) {
    assert.equal((await ask('OPTIONS', origin))[0], null, origin)
    assert.equal((await ask('POST', origin))[0], null, origin)
  }
})

test('while Rusk cannot be reached nobody is let in and streams end; with REVOCATION=none both go on', async t => {
  const place = await openPlace(t)
  const options = { url: place.url, database: 'sqlite::memory:', service: { keys: [serviceKey] } } as const
  const auth = await rusk({ ...options, environment: 'development', log: { level: 'silent' } })
  t.after(() => auth.close())
  place.put(request => auth.fetch(request))
  const strict = await runChat(t, { RUSK_URL: place.url })
  const lax = await runChat(t, { RUSK_URL: place.url, RUSK_SERVICE_KEY: '', REVOCATION: 'none' })
  const { headers } = await enter(place.url, 'sign-up')
  const [ends, stays] = await Promise.all(
    [strict, lax].map(chat => readStream(`${chat}/chat/live`, { headers })),
  )
  assert.ok(ends && stays)
  const history = async (chat: string) => {
    const answer = await fetch(`${chat}/chat/history`, { headers })
    const { code = 'fine' }: { code?: string } = Object(await answer.json())
    return `${answer.status} ${code}`
  }
  assert.deepEqual(await Promise.all([strict, lax].map(history)), ['200 fine', '200 fine'])
  place.put(() => new Response('bad gateway', { status: 502 }))
  await until('the end', () => ends.events.at(-1)?.startsWith('end: ') === true, 2 * bound)
  assert.deepEqual(await Promise.all([strict, lax].map(history)), ['503 unavailable', '200 fine'])
  const seen = stays.events.length
  await until('one more sign of life', () => stays.events.length > seen)
  stays.hangUp()
  place.put(request => auth.fetch(request))
  await sleep(1500)
  assert.deepEqual(await Promise.all([strict, lax].map(history)), ['200 fine', '200 fine'])
})

test('where it cannot listen, or with such settings, the program ends with what to do, and without a stack', async t => {
  const taken = createServer().listen(0, '127.0.0.1')
  t.after(() => taken.close())
  await once(taken, 'listening')
  const { port } = taken.address() as AddressInfo
  // [settings, what is said]
  const rows: readonly [Environment, RegExp][] = [
    [
      { PORT: String(port) },
      /^The chat cannot listen: .*EADDRINUSE.*\. Stop what listens there, or give another HOST or PORT\n$/,
    ],
    [{ PORT: 'abc' }, /^The chat cannot start with these settings:\n- PORT: .*\n$/],
  ]
  const file = fileURLToPath(new URL('app.ts', import.meta.url))
  for (const [env, says] of rows) {
    const ran = await promisify(execFile)(process.execPath, [file], {
      env: { RUSK_URL: 'http://127.0.0.1:9', RUSK_SERVICE_KEY: serviceKey, ...env },
      timeout: 60_000,
    }).catch((error: unknown) => error)
    const { code, stderr }: { code?: unknown; stderr?: unknown } = Object(ran)
    assert.match(String(stderr).replace(/^@rusk\/verify: .*\n/gm, ''), says)
    assert.equal(code, 2)
  }
})

test('settings that cannot be meant so are refused at start, all at once', () => {
  const rows: readonly [string, Environment, readonly RegExp[]][] = [
    ['nothing says how ended sessions are heard of', {}, [/^serviceKey: /]],
    [
      'words that are nearly right',
      { REVOCATION: 'nonee', PORT: 'abc' },
      [/^REVOCATION: none, or leave it out$/, /^PORT: a number from 0 to 65535$/],
    ],
    ['a port beyond the last', { RUSK_SERVICE_KEY: serviceKey, PORT: '65536' }, [/^PORT: /]],
    [
      'every mistake',
      {
        RUSK_URL: 'auth.example.com',
        RUSK_SERVICE_KEY: 'short',
        JWT_SECRET_KEY: 'short',
        ALLOWED_ORIGINS: '*,https://app.example.com/',
      },
      [
        /^issuer: /,
        /^key: /,
        /^serviceKey: /,
        /^origins: "\*"/,
        /^origins: .*Write https:\/\/app\.example\.com$/,
      ],
    ],
  ]
  for (const [sentence, env, want] of rows) {
    assert.throws(
      () => openService(env),
      (error: unknown) => {
        assert.ok(error instanceof Misuse)
        assert.equal(error.findings.length, want.length, `${sentence}: ${error.message}`)
        for (const [at, pattern] of want.entries()) assert.match(error.findings[at] ?? '', pattern, sentence)
        return true
      },
    )
  }
})
