import assert from 'node:assert/strict'
import { test } from 'node:test'
import { double, mounted, openHttp, securely, session, site, tiny, user } from '../../test/http/tiny.ts'
import { Fault } from '../core/fault.ts'
import { refuse } from '../core/refusal.ts'

const app = 'https://app.example'
const evil = 'https://evil.example'
const signIn = { mail: 'ada@example.com', word: 'pass' }

const floor: Readonly<Record<string, string>> = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  vary: 'Origin',
}

test('every answer carries the floor, whatever it says and whoever asks', async () => {
  const answers = await Promise.all(
    [site, securely].flatMap(on => {
      const { ask, post } = openHttp({
        site: on,
        served: [
          { path: '/health', answer: () => ({ status: 503, body: {} }) },
          { path: '/broken', answer: () => Promise.reject(new Error('x')) },
        ],
      })
      return [undefined, app, evil].flatMap(origin => {
        const headers: Record<string, string> = origin === undefined ? {} : { origin }
        return [
          ask('/me', { headers }),
          ask('/nowhere', { headers }),
          ask('/in', { headers }),
          ask('/health', { headers }),
          ask('/broken', { headers }),
          ask('/me', { method: 'HEAD', headers }),
          ask('/in', { method: 'OPTIONS', headers: { ...headers, 'access-control-request-method': 'POST' } }),
          post('/in', { nothing: 1 }, headers),
          post('/out', undefined, headers),
        ].map(async answer => [on, await answer] as const)
      })
    }),
  )
  assert.equal(answers.length, 54)
  for (const [on, { headers, status }] of answers) {
    for (const [name, want] of Object.entries(floor)) {
      const value = headers.get(name) ?? ''
      assert.ok(
        value === want || (name === 'vary' && value.startsWith('Origin,')),
        `${status} ${name} ${value}`,
      )
    }
    assert.match(headers.get('permissions-policy') ?? '', /camera=\(\)/)
    const hsts = on.https ? 'max-age=31536000; includeSubDomains' : null
    assert.equal(headers.get('strict-transport-security'), hsts)
    assert.deepEqual([headers.get('server'), headers.get('x-powered-by')], [null, null])
  }
})

test('tokens become cookies, with the ages of the policy', async () => {
  const tokens = {
    access: { token: 'A', expiresIn: 570 },
    refresh: 'R',
    signIn: 'S',
    refreshMaxAge: 1000,
    delivery: 'cookies',
  } as const
  const { post } = openHttp({ site: securely, script: () => ({ done: { user, session }, tokens }) })
  assert.deepEqual((await post('/in', signIn)).headers.getSetCookie(), [
    '__Host-at=A; Max-Age=600; Path=/; HttpOnly; Secure; SameSite=Lax',
    '__Host-rt=R; Max-Age=1000; Path=/; HttpOnly; Secure; SameSite=Strict',
    '__Host-st=S; Max-Age=1000; Path=/; HttpOnly; Secure; SameSite=Strict',
  ])
})

test('an access token that travels in the answer is in no cookie', async () => {
  const access = { token: 'A', expiresIn: 570 }
  const { post } = openHttp({
    script: () => ({
      done: { user, session },
      tokens: { access, refresh: 'R', refreshMaxAge: 9, delivery: 'memory' },
    }),
  })
  assert.deepEqual((await post('/in', signIn)).headers.getSetCookie(), [
    'rt=R; Max-Age=9; Path=/; HttpOnly; SameSite=Strict',
  ])
})

test('sign-out clears access and refresh cookies as they were set, never the sign-in cookie', async () => {
  const { post } = openHttp({ script: () => ({ done: {}, tokens: { clear: true } }) })
  assert.deepEqual((await post('/out')).headers.getSetCookie(), [
    'at=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/; HttpOnly; SameSite=Lax',
    'rt=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/; HttpOnly; SameSite=Strict',
  ])
})

test('the CSRF cookie is readable and lives as long as the dialect says', async () => {
  const { ask } = openHttp({
    dialects: [mounted(double)],
    script: () => ({ done: {}, tokens: { csrf: 'ok' } }),
  })
  assert.deepEqual((await ask('/api/csrf')).headers.getSetCookie(), [
    'csrftoken=ok; Max-Age=1000; Path=/; SameSite=Lax',
  ])
})

test('in development a page of our own is told which cookies an answer sets, without their values; nobody else is', async () => {
  const tokens = { refresh: 'SECRET', refreshMaxAge: 9 }
  const tell = async (environment: 'development' | 'production', headers: Record<string, string> = {}) => {
    const { ask } = openHttp({ site: { ...site, environment }, script: () => ({ done: {}, tokens }) })
    return (await ask('/again', { method: 'POST', headers })).headers.get('rusk-set-cookie')
  }
  const ours = { 'sec-fetch-site': 'same-origin' }
  assert.deepEqual(JSON.parse((await tell('development', ours)) ?? ''), [
    'rt; Max-Age=9; Path=/; HttpOnly; SameSite=Strict',
  ])
  assert.equal(await tell('development'), null)
  assert.equal(await tell('development', { origin: app }), null)
  assert.equal(await tell('production', ours), null)
})

test('across sites the CSRF cookie travels, and a listed page reads the token from a header', async () => {
  const { ask } = openHttp({
    site: { ...site, url: 'https://auth.example', https: true, secureCookies: true, crossSite: true },
    dialects: [mounted(double)],
    script: () => ({ done: {}, tokens: { csrf: 'ok' } }),
  })
  const { headers } = await ask('/api/csrf', { headers: { origin: app } })
  assert.deepEqual(headers.getSetCookie(), ['csrftoken=ok; Max-Age=1000; Path=/; Secure; SameSite=None'])
  assert.equal(headers.get(double.cookies.csrf?.header ?? ''), 'ok')
  assert.equal(
    headers.get('access-control-expose-headers'),
    `Date, Retry-After, ${double.cookies.csrf?.header}`,
  )
})

test('a sign-in that keeps its token in memory clears an earlier access cookie', async () => {
  const tokens = {
    access: { token: 'A', expiresIn: 9 },
    refresh: 'R',
    signIn: 'S',
    refreshMaxAge: 9,
    delivery: 'memory' as const,
  }
  const { post } = openHttp({ script: () => ({ done: { user, session }, tokens }) })
  assert.deepEqual(
    (await post('/in', signIn)).headers.getSetCookie()[0],
    'at=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/; HttpOnly; SameSite=Lax',
  )
})

test('a refusal is the route’s, else the dialect’s, and touches no cookie', async () => {
  const { ask } = openHttp({ script: () => ({ refusal: refuse('session_not_found') }) })
  const gone = await ask('/all/x', { method: 'DELETE', headers: { origin: app } })
  assert.deepEqual(
    [gone.status, await gone.json(), gone.headers.get('content-type')],
    [410, { gone: true }, 'application/x-gone'],
  )
  assert.equal(gone.headers.get('access-control-allow-origin'), app)
  const other = await ask('/me')
  assert.deepEqual([other.status, await other.json()], [404, { no: 'session_not_found' }])
  assert.deepEqual(other.headers.getSetCookie(), [])
})

test('401 names the scheme where bearer tokens are read, and nowhere else', async () => {
  const script = () => ({ refusal: refuse('not_signed_in') })
  assert.equal((await openHttp({ script }).ask('/me')).headers.get('www-authenticate'), 'Bearer')
  const cookiesOnly = openHttp({ script, dialects: [mounted({ ...tiny, bearer: false })] })
  assert.equal((await cookiesOnly.ask('/me')).headers.get('www-authenticate'), null)
})

test('a fault says its call id and nothing else, and is logged under it', async () => {
  const { ask, logged } = openHttp({
    script: () => {
      throw new Error('password of the database')
    },
  })
  const answer = await ask('/me', { headers: { origin: app } })
  const body = Object(await answer.json())
  assert.deepEqual([answer.status, Object.keys(body), body.no], [500, ['no', 'callId'], 'fault'])
  assert.equal(Reflect.get(logged[0]?.[1] ?? {}, 'callId'), body.callId)
  assert.equal(answer.headers.get('access-control-allow-origin'), app)
})

test('what waiting may help is 503 with Retry-After, never 401', async () => {
  const { ask } = openHttp({
    script: () => {
      throw new Fault('store', { retryAfter: 2.1 })
    },
  })
  const answer = await ask('/me')
  assert.deepEqual([answer.status, answer.headers.get('retry-after')], [503, '3'])
  assert.deepEqual(await answer.json(), { no: 'unavailable' })
})

test('a cookie too large for a browser is a fault, not a silent loss', async () => {
  const { post } = openHttp({
    script: () => ({ done: {}, tokens: { refresh: 'R'.repeat(5000), refreshMaxAge: 9 } }),
  })
  assert.equal((await post('/again')).status, 500)
})
