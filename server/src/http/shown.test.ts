import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mounted, openHttp, session, site, tiny, user } from '../../test/http/tiny.ts'
import { Fault } from '../core/fault.ts'
import { refuse } from '../core/refusal.ts'
import { html } from './html.ts'
import { mount } from './mount.ts'
import { type PageDialect, page, type Seen } from './shown.ts'

/** What the pages below were given to see, in order. */
const seen: Seen[] = []

const look = (sight: Seen) => {
  seen.push(sight)
  return html`<p>${sight.fields.word ?? sight.fields.login ?? 'nothing'}</p>`
}

const shows: PageDialect = {
  name: 'shows',
  summary: 'Two pages.',
  routes: {
    'GET /form': page('whoAmI', {
      summary: 'Who?',
      first: ({ fields }) => (fields.stop ? { status: 400, html: html`stopped` } : undefined),
      show: ({ user: { email } }, sight) => ({ html: html`${look(sight)}${email}` }),
      refused: ({ refused }, sight) =>
        refused === 'not_signed_in' ? { html: look(sight), status: 200 } : undefined,
    }),
    'POST /form': page('signIn', {
      summary: 'Sign in.',
      takes: { login: 'login', word: 'password' },
      show: (_, sight) => {
        look(sight)
        return { goTo: '/form' }
      },
      refused: (refusal, sight) =>
        refusal.refused === 'busy' ? undefined : { html: html`${look(sight)}${refusal.refused}` },
    }),
    'POST /on': page('refresh', { summary: 'On.', show: () => ({ goTo: '/form' }) }),
    'POST /leave': page('signOut', { summary: 'Out.', show: () => ({ goTo: '/form' }) }),
  },
  reads: 'form',
  slash: 'exact',
  cookies: {
    access: { name: 'pat', path: '/', sameSite: 'Lax' },
    refresh: { name: 'prt', path: '/', sameSite: 'Strict' },
    signIn: 'pst',
    csrf: { cookie: { name: 'c', path: '/', sameSite: 'Lax' }, header: 'x-c', writtenOnly: true },
  },
  bearer: false,
  delivery: 'cookies',
  subject: 'id',
  policy: {},
  origins: ['https://app.example'],
  refused: ({ refused, callId }) => ({ html: html`<b>${refused}</b>${refused === 'fault' ? callId : ''}` }),
}

const people = { dialect: shows, policy: mounted(tiny).policy }
type Tries = Parameters<typeof openHttp>[0]
const open = (tries: Tries = {}) =>
  openHttp({
    dialects: [people],
    script: () => ({ done: { user, session, sessions: [], current: session }, tokens: {} }),
    ...tries,
  })
const form = { 'content-type': 'application/x-www-form-urlencoded' }
const refusing: Tries = { script: () => ({ refusal: refuse('not_signed_in') }) }

const last = (): Seen => seen.at(-1) ?? assert.fail('no page was asked')

test('a page has a policy of its own, with a nonce that is fresh every time', async () => {
  const { ask } = open()
  const nonces = new Set<string>()
  for (let i = 0; i < 3; i++) {
    const answer = await ask('/form')
    assert.equal(answer.headers.get('content-type'), 'text/html; charset=utf-8')
    assert.equal(answer.headers.get('cross-origin-opener-policy'), 'same-origin')
    assert.equal(answer.headers.get('cache-control'), 'no-store')
    const csp = answer.headers.get('content-security-policy') ?? ''
    assert.equal(
      csp.replace(/nonce-[^']+/, 'nonce'),
      "default-src 'none'; style-src 'self'; img-src 'self' data:; script-src 'nonce'; " +
        "form-action 'self' http://127.0.0.1:8000 https://app.example; frame-ancestors 'none'; base-uri 'none'",
    )
    nonces.add(/nonce-([A-Za-z0-9+/=]{24})'/.exec(csp)?.[1] ?? '')
    assert.ok(nonces.has(last().nonce))
  }
  assert.equal(nonces.size, 3)
})

test('a page sends its origin with forms: the referrer is not kept from its own site', async () => {
  const { ask } = open()
  assert.equal((await ask('/form')).headers.get('referrer-policy'), 'same-origin')
})

test('no script of another origin reads a page, listed or not', async () => {
  const { ask } = open()
  const origin = 'https://app.example'
  const preflight = await ask('/form', {
    method: 'OPTIONS',
    headers: { origin, 'access-control-request-method': 'POST' },
  })
  for (const { headers } of [await ask('/form', { headers: { origin } }), preflight]) {
    assert.deepEqual(
      [...headers.keys()].filter(name => name.startsWith('access-control-')),
      [],
    )
  }
})

test('a GET has the fields of its query, and the operation is given none of them', async () => {
  const { ask, asked } = open()
  await ask('/form?a=1%2B1&b=x')
  assert.deepEqual(last().fields, { a: '1+1', b: 'x' })
  assert.deepEqual(asked[0]?.input, {})
  assert.equal((await ask('/form?a=%')).status, 400)
})

test('a form is renamed and run, and no page is shown its password', async () => {
  const { ask, asked } = open()
  const body = 'login=ada&word=secret&more=1'
  const answer = await ask('/form', { method: 'POST', headers: form, body })
  assert.deepEqual([answer.status, answer.headers.get('location')], [303, '/form'])
  assert.deepEqual(asked[0]?.input, { login: 'ada', password: 'secret' })
  assert.deepEqual(last().fields, { login: 'ada', more: '1' })
})

test('nor is a page shown one that a link brought in its query', async () => {
  await open().ask('/form?login=ada&word=secret')
  assert.deepEqual(last().fields, { login: 'ada' })
})

test('JSON is no form', async () => {
  const answer = await open().post('/form', { login: 'ada', word: 'x' })
  assert.deepEqual([answer.status, await answer.text()], [415, '<p>nothing</p>not_json'])
})

test('a refusal has its own status unless the page says otherwise', async () => {
  const wrong = open({ script: () => ({ refusal: refuse('credentials_wrong') }) })
  const answer = await wrong.ask('/form', { method: 'POST', headers: form, body: 'login=<b>&word=x' })
  assert.deepEqual([answer.status, await answer.text()], [401, '<p>&lt;b&gt;</p>credentials_wrong'])
  const nobody = await open(refusing).ask('/form')
  assert.deepEqual([nobody.status, await nobody.text()], [200, '<p>nothing</p>'])
})

test('what a route does not show the dialect does', async () => {
  const busy = open({ script: () => ({ refusal: refuse('busy', { retryAfter: 3 }) }) })
  const answer = await busy.ask('/form', { method: 'POST', headers: form, body: 'login=a&word=x' })
  assert.deepEqual([answer.status, await answer.text()], [503, '<b>busy</b>'])
  assert.equal(answer.headers.get('retry-after'), '3')
  const method = await open().ask('/on')
  assert.deepEqual(
    [method.status, method.headers.get('allow'), await method.text()],
    [405, 'POST', '<b>method_not_allowed</b>'],
  )
})

test('a fault shows its call id and nothing else', async () => {
  const broken = open({
    script: () => {
      throw new Fault('the secret of the house')
    },
  })
  const answer = await broken.ask('/form')
  assert.equal(answer.status, 500)
  assert.match(await answer.text(), /^<b>fault<\/b>[\w-]{36}$/)
})

test('whoever has to wait finds in the form again what stood in it', async () => {
  const { ask, asked } = open({ full: { signIn: 7 } })
  const answer = await ask('/form', { method: 'POST', headers: form, body: 'login=ada&word=x' })
  assert.deepEqual([answer.status, await answer.text()], [429, '<p>ada</p>throttled'])
  assert.equal(answer.headers.get('retry-after'), '7')
  assert.deepEqual(asked, [])
})

test('a form of a foreign page is not even read', async () => {
  const { ask, asked } = open()
  const headers = { ...form, origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }
  const answer = await ask('/form', { method: 'POST', headers, body: 'login=ada&word=x' })
  assert.deepEqual([answer.status, await answer.text()], [403, '<p>nothing</p>origin_refused'])
  assert.deepEqual(asked, [])
})

test('what comes first is answered before the operation is asked', async () => {
  const { ask, asked } = open()
  const answer = await ask('/form?stop=1')
  assert.deepEqual([answer.status, await answer.text()], [400, 'stopped'])
  assert.deepEqual(asked, [])
})

test('HEAD is GET without the page', async () => {
  const answer = await open().ask('/form', { method: 'HEAD' })
  assert.deepEqual([answer.status, await answer.text()], [200, ''])
})

test('a page knows which cookies came, not what they say, and where it stands', async () => {
  const below = { ...site, url: 'http://127.0.0.1:8000/auth', prefix: '/x' }
  const { ask } = open({ site: below })
  await ask('/x/form', { headers: { cookie: 'prt=1; other=2', 'sec-fetch-site': 'cross-site' } })
  const { came, path, root, from, url } = last()
  assert.deepEqual(came, { access: false, refresh: true, signIn: false })
  assert.deepEqual([path, root, from, url], ['/auth/x/form', '/auth/x', 'cross-site', below.url])
})

test('pages have their access cookie also where the front end keeps its token in memory', async () => {
  const tokens = { access: { token: 'a.b.c', expiresIn: 60 }, refresh: 'r', delivery: 'memory' } as const
  const { ask } = open({ script: () => ({ done: { user, session }, tokens }) })
  const answer = await ask('/on', { method: 'POST', headers: form })
  assert.deepEqual(
    answer.headers.getSetCookie().map(line => line.split(';')[0]),
    ['pat=a.b.c', 'prt=r'],
  )
})

test('a page is never hot, and its cookies tell no other program who calls', async () => {
  const { http, asked } = open({
    ...refusing,
    dialects: [mounted(tiny), people],
    recall: () => ({ user, session, accessEndsAt: 600_000 }),
  })
  assert.equal(http.hot('/form', { cookie: 'pat=good' }), undefined)
  const header = (name: string) => (name === 'cookie' ? 'pat=good' : undefined)
  await http.whoCalls({ id: 'c', method: 'GET', header, address: undefined })
  assert.deepEqual(
    asked.map(({ carried }) => carried.access),
    [[]],
  )
})

test('where the CSRF cookie is only written no route is asked for its token', () => {
  assert.doesNotThrow(() => mount(site, [people], []))
  const { csrf } = shows.cookies
  assert.ok(csrf)
  const { writtenOnly: _, ...asked } = csrf
  const asking: PageDialect = { ...shows, cookies: { ...shows.cookies, csrf: asked } }
  assert.throws(
    () => mount(site, [{ ...people, dialect: asking }], []),
    /POST \/on .* asks for no CSRF token/,
  )
})
