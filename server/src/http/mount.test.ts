import assert from 'node:assert/strict'
import { test } from 'node:test'
import { double, mounted, securely, site, tiny } from '../../test/http/tiny.ts'
import { type Finding, Misuse } from '../core/fault.ts'
import { native } from '../dialects/native.ts'
import type { Dialect, Route } from './dialect.ts'
import { mount } from './mount.ts'
import type { Site } from './site.ts'
import { spellings } from './way.ts'

function findings(
  dialects: readonly Dialect[],
  on: Site = site,
  pages: readonly string[] = [],
): readonly Finding[] {
  try {
    mount(
      on,
      dialects.map(dialect => mounted(dialect)),
      pages.map(path => ({ method: 'GET', path })),
    )
  } catch (error) {
    if (error instanceof Misuse) return error.findings
    throw error
  }
  return []
}

const routeOf = (dialect: Dialect, name: string): Route => {
  const found = Object.entries(dialect.routes).find(([each]) => each === name)?.[1]
  assert.ok(found)
  return found
}

const without = (dialect: Dialect, ...names: readonly string[]): Dialect => ({
  ...dialect,
  routes: Object.fromEntries(Object.entries(dialect.routes).filter(([name]) => !names.includes(name))),
})

const renamed = (dialect: Dialect, name: string): Dialect => ({
  ...dialect,
  name,
  routes: Object.fromEntries(
    Object.entries(dialect.routes).map(([each, route]) => [each.replace('/', `/${name}/`), route]),
  ),
})

test('dialects that go together are mounted', () => {
  assert.deepEqual(findings([tiny, double]), [])
  assert.deepEqual(findings([tiny, double], { ...securely, prefix: '/x' }, ['/', '/health']), [])
})

const { access, refresh } = tiny.cookies
assert.ok(access)
const unguarded: Route = { ...routeOf(double, 'POST /api/again/'), csrf: undefined }

const broken: readonly [sentence: string, found: () => readonly Finding[], about: string, wrong: RegExp][] = [
  ['no dialect at all', () => findings([]), 'dialect', /none/],
  [
    'two dialects on one route, both named',
    () =>
      findings([
        tiny,
        {
          ...without(tiny, 'POST /in', 'POST /again', 'GET /all', 'DELETE /all/:id', 'POST /out'),
          name: 'other',
        },
      ]),
    'GET /me',
    /^tiny and other both/,
  ],
  [
    'a page on the route of a dialect',
    () => findings([tiny], site, ['/me']),
    'GET /me',
    /^a page of Rusk and tiny both/,
  ],
  [
    'a route that only differs by the trailing slash of a dialect that takes both',
    () => findings([double], site, ['/api/me']),
    'GET /api/me',
    /double/,
  ],
  [
    'a path that a parameter of another route takes too',
    () =>
      findings([
        tiny,
        {
          ...without(renamed(tiny, 'b'), 'GET /b/me'),
          routes: { ...renamed(tiny, 'b').routes, 'DELETE /all/x': routeOf(tiny, 'POST /out') },
        },
      ]),
    'DELETE /all/x',
    /as \/all\/:id/,
  ],
  [
    'a refresh cookie whose path misses the refresh route',
    () =>
      findings([
        { ...tiny, cookies: { ...tiny.cookies, refresh: { ...refresh, path: '/out', host: true } } },
      ]),
    'tiny',
    /POST \/again needs the cookies rt and st, whose path \/out/,
  ],
  [
    'a refresh cookie whose path misses one spelling of a route',
    () =>
      findings([
        {
          ...double,
          cookies: { ...double.cookies, refresh: { ...double.cookies.refresh, path: '/api/again/' } },
        },
      ]),
    'double',
    /POST \/api\/again needs/,
  ],
  [
    'a path that begins a route only as text',
    () =>
      findings([
        { ...double, cookies: { ...double.cookies, refresh: { ...double.cookies.refresh, path: '/ap' } } },
      ]),
    'double',
    /POST \/api\/again/,
  ],
  [
    'a call that a cookie authenticates without a CSRF token in a dialect that has them',
    () => findings([{ ...double, routes: { ...double.routes, 'POST /api/again/': unguarded } }]),
    'double',
    /POST \/api\/again\/ is authenticated by a cookie/,
  ],
  [
    'a new password for whoever the access cookie names, without a CSRF token',
    () =>
      findings([
        {
          ...double,
          routes: { ...double.routes, 'POST /api/word/': routeOf(native, 'POST /auth/password') },
          cookies: { ...double.cookies, access: { name: 'at', path: '/', sameSite: 'Lax' } },
        },
      ]),
    'double',
    /POST \/api\/word\/ is authenticated by a cookie/,
  ],
  [
    'a route that asks for a CSRF token in a dialect without',
    () =>
      findings([
        { ...tiny, routes: { ...tiny.routes, 'POST /in': { ...routeOf(tiny, 'POST /in'), csrf: 'any' } } },
      ]),
    'tiny',
    /asks for a CSRF token/,
  ],
  [
    'a __Host- cookie with a path',
    () => findings([{ ...tiny, cookies: { ...tiny.cookies, access: { ...access, path: '/me' } } }]),
    'tiny',
    /__Host- and has the path \/me/,
  ],
  [
    'a __Host- cookie with a Domain',
    () =>
      findings(
        [
          {
            ...double,
            cookies: {
              ...double.cookies,
              csrf: { cookie: { name: 'c', path: '/', sameSite: 'Lax', host: true }, header: 'x-csrf' },
            },
          },
        ],
        { ...securely, csrfDomain: 'example.com' },
      ),
    'csrf.domain',
    /has a Domain/,
  ],
  [
    'cookies of two roles under one name',
    () => findings([{ ...tiny, cookies: { ...tiny.cookies, signIn: 'rt' } }]),
    'cookie rt',
    /refresh cookie of tiny and the signIn cookie of tiny/,
  ],
  [
    'one cookie of two dialects with different attributes',
    () =>
      findings([
        tiny,
        { ...renamed(tiny, 'b'), cookies: { ...tiny.cookies, access: { ...access, sameSite: 'Strict' } } },
      ]),
    'cookie at',
    /tiny and b set it with different attributes/,
  ],
  [
    'cookies that are set and never cleared',
    () => findings([without(tiny, 'POST /out')]),
    'tiny',
    /the cookie at is set and never cleared/,
  ],
  [
    'SameSite=None where no browser would take it',
    () => findings([double], { ...site, url: 'http://auth.example', crossSite: true }),
    'cookies.crossSite',
    /needs Secure/,
  ],
  [
    'an origin that is misspelt',
    () => findings([tiny], { ...site, origins: ['https://app.example/'] }),
    'origins',
    /not how browsers write/,
  ],
  [
    'an origin of a dialect that is misspelt',
    () => findings([{ ...tiny, origins: ['*'] }]),
    'origins',
    /any site/,
  ],
  ['a proxy that is none', () => findings([tiny], { ...site, proxies: ['*'] }), 'proxies', /anybody claims/],
  [
    'a route that is no route',
    () =>
      findings([{ ...tiny, routes: { ...tiny.routes, ['FETCH /x' as 'GET /x']: routeOf(tiny, 'GET /me') } }]),
    'FETCH /x',
    /not a route/,
  ],
]

for (const [sentence, found, about, wrong] of broken) {
  test(`refused at start: ${sentence}`, () => {
    const all = found()
    const [finding] = all.filter(each => each.about === about && wrong.test(each.wrong))
    assert.ok(finding, JSON.stringify(all, null, 1))
    assert.notEqual(finding.instead, '')
  })
}

test('everything that is wrong is said at once', () => {
  const all = findings([without(tiny, 'POST /out'), { ...without(tiny, 'POST /out'), name: 'b' }], {
    ...site,
    origins: ['*', 'app.example'],
    proxies: ['x'],
  })
  const about = new Set(all.map(each => each.about))
  for (const each of ['origins', 'proxies', 'tiny', 'b', 'GET /me']) assert.ok(about.has(each), each)
})

test('the same cookie with the same attributes may be shared', () => {
  assert.deepEqual(findings([tiny, renamed(tiny, 'b')]), [])
})

test('cross-site cookies on localhost are fine', () => {
  for (const url of ['http://localhost:8000', 'http://auth.localhost:8000', 'http://[::1]:8000'])
    assert.deepEqual(findings([double], { ...site, url, crossSite: true }), [], url)
})

test('a path has one spelling or two', () => {
  assert.deepEqual(spellings('/a/', 'exact'), ['/a/'])
  assert.deepEqual(spellings('/a/', 'any'), ['/a', '/a/'])
  assert.deepEqual(spellings('/a', 'any'), ['/a', '/a/'])
  assert.deepEqual(spellings('/', 'any'), ['/'])
})
