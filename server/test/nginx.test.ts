// A real nginx with the configuration that the manual shows, before a program that knows nothing of sign-in: who gets
// through, and as whom.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Rusk, rusk } from '../src/index.ts'
import { bearing, password } from './following.ts'
import { cookieHeader, setCookies } from './serving.ts'

const nginx = process.env.NGINX ?? '/usr/sbin/nginx'
const example = readFileSync(new URL('../../examples/nginx/auth-request.conf', import.meta.url), 'utf8')

/** What the program behind was asked. */
type Asked = {
  readonly line: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

let folder: string
let auth: Rusk
let url: string
let port: number
let asked: Asked[] = []
const ends: (() => Promise<unknown>)[] = []

let closing: Promise<void> | undefined
const close = () => {
  closing ??= auth.close()
  return closing
}

async function bodyOf(call: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of call) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

/** A program that takes note of who calls, as it is told. */
async function openProgram(): Promise<number> {
  const server = createServer((call, reply) => {
    void bodyOf(call).then(body => {
      asked.push({ line: `${call.method} ${call.url}`, headers: call.headers, body })
      // It has a 401 of its own, which is none of nginx's business.
      reply.writeHead(call.url === '/own-401' ? 401 : 200).end('the program')
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  ends.push(async () => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

async function startNginx(rusks: number, programs: number): Promise<void> {
  const site = example
    .replace('127.0.0.1:8000', `127.0.0.1:${rusks}`)
    .replace('127.0.0.1:3000', `127.0.0.1:${programs}`)
    .replace('listen 8080', `listen 127.0.0.1:${port}`)
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  writeFileSync(join(folder, 'site.conf'), site)
  writeFileSync(
    join(folder, 'nginx.conf'),
    [
      'daemon off; master_process off; pid nginx.pid; error_log stderr warn; events {}',
      `http { access_log off; ${temporary.map(each => `${each}_temp_path ${each};`).join(' ')} include site.conf; }`,
    ].join('\n'),
  )
  const child = spawn(nginx, ['-p', folder, '-c', 'nginx.conf', '-e', 'stderr'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  const gone = once(child, 'close')
  ends.push(async () => {
    child.kill('SIGTERM')
    await gone
  })
  for (let tries = 0; !(await isOpen()); tries++) {
    assert.ok(child.exitCode === null && tries < 200, said)
    await sleep(25)
  }
}

const isOpen = (): Promise<boolean> =>
  new Promise(resolve => {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => resolve(false))
    socket.on('connect', () => {
      socket.destroy()
      resolve(true)
    })
  })

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'rusk-nginx-'))
  port = await freePort()
  url = `http://localhost:${port}`
  auth = await rusk({
    url,
    database: 'sqlite::memory:',
    port: 0,
    prefix: '/id',
    proxies: ['127.0.0.1'],
    log: { level: 'silent' },
    secret: 'known to this test and to nobody else',
  })
  ends.push(close)
  await startNginx((await auth.listen()).port, await openProgram())
})
after(async () => {
  for (const end of ends.toReversed()) await end()
  rmSync(folder, { recursive: true, force: true })
})
beforeEach(() => {
  asked = []
})

type Init = {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** To nginx; redirects are told, not followed. */
const call = (path: string, init: Init = {}): Promise<Response> =>
  fetch(`http://127.0.0.1:${port}${path}`, { redirect: 'manual', ...init })

const json = { 'content-type': 'application/json' }
let people = 0

/** Signs up through nginx. */
async function enter(delivery: 'cookies' | 'memory') {
  const username = `jack${++people}`
  const answer = await call('/id/auth/sign-up', {
    method: 'POST',
    headers: json,
    body: JSON.stringify({ email: `${username}@example.com`, username, password, delivery }),
  })
  assert.equal(answer.status, 201, await answer.clone().text())
  const {
    user,
    session,
    accessToken = '',
  } = (await answer.json()) as {
    user: { id: string; email: string }
    session: { id: string }
    accessToken?: string
  }
  return { user, session, accessToken, cookie: cookieHeader(setCookies(answer)) }
}

const told = ({ headers }: Asked) => [
  headers['remote-user'],
  headers['remote-session'],
  headers['remote-email'],
]

test('whoever is signed in by cookie gets through, and the program is told who it is', async () => {
  const { cookie, user, session } = await enter('cookies')
  const answer = await call('/notes?a=1', { headers: { cookie } })
  assert.deepEqual([answer.status, await answer.text()], [200, 'the program'])
  const [first] = asked
  assert.ok(first)
  assert.equal(first.line, 'GET /notes?a=1')
  assert.deepEqual(told(first), [user.id, session.id, undefined])
})

test('a bearer token does it too, for calls of every kind', async () => {
  const { accessToken, user } = await enter('memory')
  const headers = { ...bearing(accessToken), origin: 'https://evil.example' }
  for (const method of ['GET', 'POST', 'DELETE']) {
    assert.equal((await call('/notes', { method, headers })).status, 200, method)
  }
  assert.deepEqual(
    asked.map(({ line, headers }) => [line, headers['remote-user']]),
    ['GET /notes', 'POST /notes', 'DELETE /notes'].map(line => [line, user.id]),
  )
})

const page = { accept: 'text/html,application/xhtml+xml' }

test('a page load of nobody is led to the sign-in page, a script is told 401, and the program hears nothing', async () => {
  const load = await call('/notes?a=1&b=%20x', { headers: page })
  const location = '/id/sign-in?return_to=%2Fnotes%3Fa%3D1%26b%3D%2520x'
  assert.deepEqual([load.status, load.headers.get('location')], [302, location])
  for (const cookie of ['', 'rusk_access=x', 'rusk_access=x; rusk_access=y']) {
    assert.equal((await call('/notes', { headers: { cookie } })).status, 401)
  }
  assert.deepEqual(asked, [])
})

test('from the page that nobody may see, by the sign-in page, back to it', async () => {
  const { user } = await enter('cookies')
  const login = user.email
  const { headers } = await call('/notes?a=1', { headers: page })
  const location = headers.get('location') ?? ''
  const form = await call(location, { headers: { ...page, 'sec-fetch-site': 'none' } })
  const text = await form.text()
  assert.equal(form.status, 200, text)
  assert.match(text, /<form method="post" action="\/id\/sign-in"/)
  const back = await call('/id/sign-in', {
    method: 'POST',
    headers: { ...page, origin: url, 'content-type': 'application/x-www-form-urlencoded' },
    body: String(new URLSearchParams({ login, password, return_to: '/notes?a=1' })),
  })
  assert.deepEqual([back.status, back.headers.get('location')], [303, '/notes?a=1'])
  const cookie = cookieHeader(setCookies(back))
  assert.equal((await call('/notes?a=1', { headers: { ...page, cookie } })).status, 200)
  assert.equal(asked[0]?.headers['remote-user'], user.id)
})

const forged = {
  'remote-user': 'admin',
  'remote-session': 'x',
  'remote-groups': 'admin',
  'remote-email': 'admin@example.com',
  'remote-name': 'Admin',
}
/** To many programs the same names: nginx drops them, unless `underscores_in_headers` is on. */
const underscored = { Remote_User: 'admin', Remote_Groups: 'admin' }

test('what a caller says of itself does not reach the program', async () => {
  const { cookie, user, session } = await enter('cookies')
  assert.equal((await call('/notes', { headers: { ...forged, cookie } })).status, 200)
  assert.equal((await call('/notes', { headers: { ...forged, ...underscored, cookie } })).status, 200)
  const identity = ({ headers }: Asked) =>
    Object.entries(headers)
      .filter(([name]) => /^remote/.test(name))
      .sort()
  const his = [
    ['remote-session', session.id],
    ['remote-user', user.id],
  ]
  assert.deepEqual(asked.map(identity), [his, his])
  assert.equal(asked.length, 2)
  assert.equal((await call('/notes', { headers: forged })).status, 401)
  assert.equal(asked.length, 2)
})

test('the program sees its own cookies, and none of Rusk’s', async () => {
  const { cookie } = await enter('cookies')
  const [first = '', second = '', third = ''] = cookie.split('; ')
  assert.match(cookie, /^rusk_\w+=[^;]+; rusk_\w+=[^;]+; rusk_\w+=[^;]+$/)
  // [what the browser sends, what the program sees]
  const rows: readonly (readonly [string, string | undefined])[] = [
    [cookie, undefined],
    [`${cookie}; lang=de`, 'lang=de'],
    [`lang=de; ${cookie}`, 'lang=de;'],
    [
      `lang=de; ${first}; seen=rusk_access; ${second}; ${third}; a="b c"`,
      'lang=de; seen=rusk_access; a="b c"',
    ],
    [`lang=de;${first};${second};${third};not_rusk_access=1`, 'lang=de;not_rusk_access=1'],
    [`lang=de; ${cookie}; __Host-rusk_refresh=x`, undefined],
  ]
  for (const [sent, want] of rows) {
    assert.equal((await call('/notes', { headers: { cookie: sent } })).status, 200, sent)
    assert.equal(asked.at(-1)?.headers.cookie, want, sent)
  }
})

const evil = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }
const foreign: readonly [sentence: string, headers: Readonly<Record<string, string>>][] = [
  ['of another site', evil],
  ['of another host of this site', { 'sec-fetch-site': 'same-site' }],
  ['of another site, that says it were a GET to nginx', { ...evil, 'x-original-method': 'GET' }],
  ['of another site, that says it were a GET to Traefik', { ...evil, 'x-forwarded-method': 'GET' }],
  [
    'of another site, that says it were a GET to both',
    { ...evil, 'x-original-method': 'GET', 'x-forwarded-method': 'GET' },
  ],
  ['that lost its Origin', { referer: 'https://evil.example/' }],
]
for (const [sentence, headers] of foreign) {
  test(`a POST from a page ${sentence} is refused, whoever is signed in`, async () => {
    const { cookie } = await enter('cookies')
    const answer = await call('/notes', { method: 'POST', headers: { ...headers, cookie }, body: 'x' })
    assert.deepEqual([answer.status, asked], [403, []])
  })
}

test('a POST from a page of this origin gets through with its body', async () => {
  const { cookie } = await enter('cookies')
  const body = 'x'.repeat(100_000)
  const headers = { cookie, origin: url, 'sec-fetch-site': 'same-origin' }
  assert.equal((await call('/notes', { method: 'POST', headers, body })).status, 200)
  assert.deepEqual([asked[0]?.line, asked[0]?.body === body], ['POST /notes', true])
})

/** As a browser begins a WebSocket, which fetch cannot. */
const handshake = (headers: Readonly<Record<string, string>>): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    const begun = {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
    }
    const asking = request(`http://127.0.0.1:${port}/socket`, { headers: { ...begun, ...headers } })
    asking.on('response', answer => {
      answer.resume()
      resolve(answer.statusCode)
    })
    asking.on('error', reject)
    asking.end()
  })

test('a WebSocket from a page of another site is refused, though it is a GET', async () => {
  const { cookie } = await enter('cookies')
  assert.equal(await handshake({ cookie, origin: 'https://evil.example' }), 403)
  assert.deepEqual(asked, [])
  assert.equal(await handshake({ cookie, origin: url }), 200)
})

test('after sign-out nobody gets through, at once', async () => {
  const { cookie } = await enter('cookies')
  assert.equal((await call('/notes', { headers: { cookie } })).status, 200)
  assert.equal((await call('/id/auth/sign-out', { method: 'POST', headers: { cookie } })).status, 204)
  assert.equal((await call('/notes', { headers: { cookie } })).status, 401)
  assert.equal(asked.length, 1)
})

test('the program keeps its own words, and what is for nginx alone nobody else can ask', async () => {
  const { cookie } = await enter('cookies')
  const own = await call('/own-401', { headers: { ...page, cookie } })
  assert.deepEqual([own.status, await own.text()], [401, 'the program'])
  assert.equal((await call('/_rusk', { headers: { cookie } })).status, 404)
  const answer = await call('/auth/forward', { headers: { cookie } })
  assert.equal(await answer.text(), 'the program')
})

test('without Rusk nobody gets through', async () => {
  const { cookie } = await enter('cookies')
  await close()
  const { status } = await call('/notes', { headers: { ...page, cookie } })
  assert.ok(status >= 500, String(status))
  assert.deepEqual(asked, [])
})
