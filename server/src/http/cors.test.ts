import assert from 'node:assert/strict'
import { test } from 'node:test'
import { double, mounted, openHttp, type Sending, site, tiny } from '../../test/http/tiny.ts'

const app = 'https://app.example'
const evil = 'https://evil.example'
const signIn = { mail: 'ada@example.com', word: 'pass' }

const aca = (answer: Response) =>
  [...answer.headers.keys()].filter(name => name.startsWith('access-control-'))

test('a listed origin reads every answer, an unlisted one none', async () => {
  const { ask, post } = openHttp({ served: [{ path: '/health', answer: () => ({ status: 200, body: {} }) }] })
  for (const go of [
    (headers: Record<string, string>) => ask('/me', { headers }),
    (headers: Record<string, string>) => ask('/nowhere', { headers }),
    (headers: Record<string, string>) => ask('/health', { headers }),
    (headers: Record<string, string>) => ask('/out', { headers }),
    (headers: Record<string, string>) => post('/out', undefined, headers),
  ]) {
    const listed = await go({ origin: app })
    assert.equal(listed.headers.get('access-control-allow-origin'), app)
    assert.equal(listed.headers.get('access-control-allow-credentials'), 'true')
    for (const origin of [
      evil,
      `${app}.evil.example`,
      `${app}/`,
      `${app}:8443`,
      'null',
      'http://app.example',
      '*',
      `${app}, ${app}`,
    ]) {
      assert.deepEqual(aca(await go({ origin })), [], origin)
    }
  }
})

const preflight = (origin: string, headers: Record<string, string> = {}): Sending => ({
  method: 'OPTIONS',
  headers: { origin, 'access-control-request-method': 'POST', ...headers },
})

test('a preflight of a listed origin grants the methods of the path and the headers asked for', async () => {
  const { ask, asked } = openHttp()
  const answer = await ask('/in', preflight(app, { 'access-control-request-headers': 'content-type,x-any' }))
  assert.equal(answer.status, 204)
  assert.deepEqual(
    aca(answer)
      .sort()
      .map(name => [name, answer.headers.get(name)]),
    [
      ['access-control-allow-credentials', 'true'],
      ['access-control-allow-headers', 'content-type, x-any'],
      ['access-control-allow-methods', 'POST'],
      ['access-control-allow-origin', app],
      ['access-control-expose-headers', 'Date, Retry-After'],
      ['access-control-max-age', '600'],
    ],
  )
  assert.equal(asked.length, 0)
})

test('a preflight of an unlisted origin, or for what is no header, is granted nothing', async () => {
  const { ask } = openHttp()
  for (const going of [
    preflight(evil),
    preflight('null'),
    preflight(app, { 'access-control-request-headers': 'a b' }),
    preflight(app, { 'access-control-request-headers': ', '.repeat(8192) }),
  ]) {
    const answer = await ask('/in', going)
    assert.deepEqual([answer.status, aca(answer), await answer.text()], [204, [], ''])
  }
})

test('in development the log names an origin that is not listed, once, and only so many', async () => {
  const development = openHttp()
  for (const origin of [app, evil, evil]) await development.ask('/in', preflight(origin))
  assert.deepEqual(
    development.logged.map(([, told]) => Object.entries(told)[0]?.[1]),
    [evil],
  )
  for (let n = 0; n < 30; n++) await development.ask('/in', preflight(`https://evil-${n}.example`))
  assert.equal(development.logged.length, 20)
  const production = openHttp({ site: { ...site, environment: 'production' } })
  await production.ask('/in', preflight(evil))
  assert.deepEqual(production.logged, [])
})

test('a preflight for a path that is not there is not granted', async () => {
  const { ask } = openHttp()
  assert.equal((await ask('/nowhere', preflight(app))).status, 404)
})

test('each dialect has its own list, unless the operator makes one', async () => {
  const other = { ...double, origins: ['https://other.example'] }
  const own = openHttp({ dialects: [mounted(tiny), mounted(other)] })
  assert.deepEqual(aca(await own.ask('/api/me', { headers: { origin: app } })), [])
  assert.equal(
    (await own.ask('/me', { headers: { origin: app } })).headers.get('access-control-allow-origin'),
    app,
  )
  const one = openHttp({ site: { ...site, origins: [evil] }, dialects: [mounted(tiny), mounted(other)] })
  assert.deepEqual(aca(await one.ask('/me', { headers: { origin: app } })), [])
})

test('an unsafe call from a foreign origin is refused before it is counted or read', async () => {
  const { post, ask, asked, counted } = openHttp()
  for (const headers of [
    { origin: evil },
    { 'sec-fetch-site': 'same-site' },
    { referer: `${app}/` },
  ] as Record<string, string>[]) {
    const answer = await post('/out', undefined, headers)
    assert.deepEqual([answer.status, await answer.json()], [403, { no: 'origin_refused' }])
    assert.equal((await post('/in', signIn, headers)).status, 403)
    assert.equal((await ask('/all/x', { method: 'DELETE', headers })).status, 403)
  }
  assert.deepEqual([asked.length, counted.length], [0, 0])
  assert.equal((await ask('/me', { headers: { origin: evil } })).status, 200)
  assert.equal((await post('/out', undefined, { origin: app, 'sec-fetch-site': 'cross-site' })).status, 204)
})

test('what everybody may read answers every origin alike, without credentials', async () => {
  const keys = { path: '/keys', readers: 'all', answer: () => ({ status: 200, body: {} }) } as const
  const { ask } = openHttp({ served: [keys] })
  for (const headers of [{ origin: app }, { origin: evil }, { origin: 'null' }, {}] as Record<
    string,
    string
  >[]) {
    const answer = await ask('/keys', { headers })
    assert.deepEqual(aca(answer), ['access-control-allow-origin'])
    assert.equal(answer.headers.get('access-control-allow-origin'), '*')
    assert.equal(answer.headers.get('cross-origin-resource-policy'), 'cross-origin')
  }
  const granted = await ask('/keys', {
    method: 'OPTIONS',
    headers: { origin: app, 'access-control-request-method': 'GET' },
  })
  assert.equal(granted.status, 204)
  assert.deepEqual(aca(granted).sort(), [
    'access-control-allow-methods',
    'access-control-allow-origin',
    'access-control-max-age',
  ])
  assert.equal(granted.headers.get('access-control-allow-origin'), '*')
})
