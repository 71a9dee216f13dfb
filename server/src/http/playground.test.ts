import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { defaultPolicy } from '../core/policy.ts'
import { type Dialect, route } from './dialect.ts'
import { playgroundPages } from './playground.ts'
import type { Site } from './site.ts'

const site: Site = {
  url: 'http://127.0.0.1:8000',
  https: false,
  secureCookies: false,
  environment: 'development',
  prefix: '/v1',
  origins: undefined,
  proxies: [],
  csrfDomain: undefined,
  crossSite: false,
  hsts: 0,
}

const hostile = '<img src=x onerror=alert(1)>'

const little: Dialect = {
  name: 'little',
  summary: hostile,
  routes: {
    'POST /in': route('signIn', {
      summary: 'Sign in.',
      takes: { email: 'login', username: 'login', password: 'password', delivery: 'delivery' },
      status: 200,
      answer: z.object({ ok: z.boolean() }),
      write: () => ({ ok: true }),
    }),
    'POST /out': route('signOut', { summary: 'Leave.', status: 204, answer: null, csrf: 'any' }),
    'DELETE /sessions/:id': route('endSession', {
      summary: 'End one.',
      takes: { ':id': 'id' },
      status: 204,
      answer: null,
    }),
  },
  slash: 'exact',
  cookies: {
    refresh: { name: 'r', path: '/', sameSite: 'Lax' },
    signIn: 's',
    csrf: { cookie: { name: 'c', path: '/', sameSite: 'Lax' }, header: 'x-c' },
  },
  bearer: true,
  delivery: 'memory',
  subject: 'id',
  policy: {},
  origins: [],
  refusals: { otherwise: ({ refused }) => ({ status: 400, body: { refused } }) },
  error: z.object({ refused: z.string() }),
}

const open = (environment: Site['environment']) =>
  playgroundPages({
    mounted: [{ dialect: little, policy: defaultPolicy }],
    site: { ...site, environment },
    version: '1.2.3',
  })

const page = open('development').find(({ path }) => path === '/')
const html = Buffer.from((await page?.body()) ?? '').toString()

/** The form of one route, from its opening tag to its end. */
const formOf = (path: string) =>
  html.split('<form').find(part => part.includes(`data-path="${path}"`)) ?? assert.fail(`no form for ${path}`)

const holds: readonly [string, string, RegExp][] = [
  ['the prefix stands before a path', formOf('/v1/in'), /<code>\/v1\/in<\/code>/],
  [
    'a login called e-mail is shown an address',
    formOf('/v1/in'),
    /name="email"[^>]*value="jack@example\.com"/,
  ],
  ['of two names for one field the second stays empty', formOf('/v1/in'), /name="username"[^>]*value=""/],
  [
    'a field with a closed list is chosen from',
    formOf('/v1/in'),
    /<select[^>]*name="delivery".*<option>memory/,
  ],
  ['a parameter of the path is asked for', formOf('/v1/sessions/{id}'), /name="id" data-in="path"/],
  ['a call that needs a CSRF token is marked', formOf('/v1/out'), /data-csrf="any"/],
  ['one that needs none is not', formOf('/v1/in'), /data-csrf=""/],
  ['the token in memory goes with sign-out', formOf('/v1/out'), /data-bearer="yes"/],
  ['it does not go with sign-in', formOf('/v1/in'), /data-bearer=""/],
  ['a cookie is shown with its attributes', html, /data-cookie="r".*<code>HttpOnly<\/code>/s],
]

for (const [sentence, text, want] of holds) test(sentence, () => assert.match(text, want))

test('no text of a dialect becomes markup', () => {
  assert.ok(html.includes('&lt;img src=x onerror=alert(1)&gt;'))
  assert.ok(!html.includes(hostile))
})

test('nothing is inline and nothing comes from elsewhere', () => {
  assert.doesNotMatch(html, /<style|style="|\son\w+="|<script(?![^>]*\ssrc=)|(?:src|href)="(?:https?:)?\/\//)
  assert.match(page?.csp ?? '', /default-src 'none'/)
  assert.doesNotMatch(page?.csp ?? '', /unsafe|https?:|\*/)
})

test('its files are served beside it', async () => {
  const files = open('development').filter(({ path }) => path !== '/')
  const sizes = await Promise.all(files.map(async ({ body }) => String(await body()).length))
  assert.deepEqual(
    files.map(({ path }) => path),
    ['/playground/look.css', '/playground/icon.svg', '/playground/page.css', '/playground/page.js'],
  )
  assert.ok(sizes.every(size => size > 100))
})

test('it leads to the hosted pages where they are served', async () => {
  const described = { mounted: [{ dialect: little, policy: defaultPolicy }], site, version: '1.2.3' }
  const linked = async (pages: string | undefined) => {
    const [first] = playgroundPages({ ...described, pages })
    return Buffer.from((await first?.body()) ?? '')
      .toString()
      .includes('<a href="v1/sign-in">Hosted pages</a>')
  }
  assert.deepEqual([await linked('/v1/sign-in'), await linked(undefined)], [true, false])
})

test('production has no playground', () => assert.deepEqual(open('production'), []))
