import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Validator } from '@seriousme/openapi-schema-validator'
import { z } from 'zod'
import { defaultPolicy } from '../core/policy.ts'
import { refusals } from '../core/refusal.ts'
import { type Dialect, route } from './dialect.ts'
import { describe } from './openapi.ts'
import type { Json } from './openapi-schemas.ts'
import type { Site } from './site.ts'

const account = z.object({ id: z.int(), email: z.string() }).meta({ id: 'Account' })

const little: Dialect = {
  name: 'little-one',
  summary: 'Made for this test.',
  routes: {
    'POST /in': route('signIn', {
      summary: 'Sign in.',
      takes: { email: 'login', username: 'login', password: 'password' },
      status: 200,
      answer: z.object({ user: account }),
      write: ({ user }) => ({ user: { id: user.number, email: user.email } }),
      refusals: { credentials_wrong: () => ({ status: 418, body: { error: 'No' } }) },
    }),
    'POST /up': route('register', {
      summary: 'Register.',
      takes: { email: 'email', password: 'password', nick: 'username' },
      requires: ['nick'],
      status: 201,
      answer: account,
      write: ({ user }) => ({ id: user.number, email: user.email }),
    }),
    'POST /again/': route('refresh', { summary: 'Refresh.', status: 204, answer: null, csrf: 'session' }),
    'POST /out': route('signOut', { summary: 'Sign out.', status: 204, answer: null, csrf: 'any' }),
    'GET /me': route('whoAmI', {
      summary: 'Me.',
      status: 200,
      answer: account,
      write: ({ user }) => ({ id: user.number, email: user.email }),
    }),
    'DELETE /sessions/:id': route('endSession', {
      summary: 'End one.',
      takes: { ':id': 'id' },
      status: 204,
      answer: null,
    }),
  },
  slash: 'any',
  cookies: {
    access: { name: 'a', path: '/', sameSite: 'Strict', host: true },
    refresh: { name: 'r', path: '/', sameSite: 'Lax' },
    signIn: 's',
    csrf: { cookie: { name: 'c', path: '/', sameSite: 'Lax' }, header: 'x-c', maxAge: 60 },
  },
  bearer: false,
  delivery: 'cookies',
  subject: 'id',
  policy: {},
  origins: [],
  refusals: {
    otherwise: ({ refused }) => ({ status: refusals[refused].status, body: { error: refused } }),
  },
  error: z.object({ error: z.string() }),
}

const site: Site = {
  url: 'https://id.example/base',
  https: true,
  secureCookies: true,
  environment: 'production',
  prefix: '/v1',
  origins: undefined,
  proxies: [],
  csrfDomain: 'example',
  crossSite: false,
  hsts: 1,
}

const document = describe({ mounted: [{ dialect: little, policy: defaultPolicy }], site, version: '1.2.3' })

/** What stands at a path of keys, JSON pointers' unescaped cousin. */
function at(...keys: readonly string[]): unknown {
  let value: unknown = document
  for (const key of keys) value = (value as Json | undefined)?.[key]
  return value
}

test('the document is OpenAPI 3.1', async () => {
  const validator = new Validator()
  const { valid, errors } = await validator.validate(JSON.parse(JSON.stringify(document)))
  assert.deepEqual({ valid, errors }, { valid: true, errors: undefined })
  assert.equal(validator.version, '3.1')
})

const post = (path: string, ...keys: readonly string[]) => at('paths', `/v1${path}`, 'post', ...keys)
const body = (name: string, ...keys: readonly string[]) => at('components', 'schemas', name, ...keys)

const rows: readonly [string, unknown, unknown][] = [
  [
    'paths carry the prefix and braces for what varies',
    Object.keys(at('paths') as Json),
    ['/v1/in', '/v1/up', '/v1/again/', '/v1/out', '/v1/me', '/v1/sessions/{id}'],
  ],
  ['where it was served comes first', at('servers', '0', 'url'), '/base'],
  [
    'a named part of an answer is one component',
    body('LittleOneSignIn', 'properties', 'user'),
    {
      $ref: '#/components/schemas/Account',
    },
  ],
  [
    'two routes share it',
    post('/up', 'responses', '201', 'content', 'application/json', 'schema'),
    {
      $ref: '#/components/schemas/Account',
    },
  ],
  [
    'of two wire names for one field either will do',
    body('LittleOneSignInInput', 'allOf'),
    [{ anyOf: [{ required: ['email'] }, { required: ['username'] }] }],
  ],
  ['a field with one wire name is required', body('LittleOneSignInInput', 'required'), ['password']],
  [
    'a dialect may require more than the operation',
    body('LittleOneRegisterInput', 'required'),
    ['email', 'password', 'nick'],
  ],
  [
    "a field's limits are the operation's",
    body('LittleOneRegisterInput', 'properties', 'email', 'maxLength'),
    254,
  ],
  [
    'a refusal stands under the status that its route gives it',
    post('/in', 'responses', '418', 'content', 'application/json', 'examples', 'credentials_wrong', 'value'),
    { error: 'No' },
  ],
  [
    'what may be tried later says when',
    Object.keys(post('/in', 'responses', '429', 'headers') as Json),
    ['Retry-After'],
  ],
  ['a call without a body documents none', post('/out', 'requestBody'), undefined],
  [
    'a parameter of the path is one',
    at('paths', '/v1/sessions/{id}', 'delete', 'parameters', '0', 'name'),
    'id',
  ],
  ['an answer without a body documents none', post('/out', 'responses', '204', 'content'), undefined],
  [
    'refresh needs its cookie and the CSRF header',
    post('/again/', 'security'),
    [{ LittleOneRefreshCookie: [], LittleOneCsrf: [] }],
  ],
  ['sign-out needs nobody', (post('/out', 'security') as readonly Json[]).at(-1), { LittleOneCsrf: [] }],
  [
    'a host cookie has its prefix over https',
    at('components', 'securitySchemes', 'LittleOneAccessCookie', 'name'),
    '__Host-a',
  ],
  [
    'without bearer there is no bearer scheme',
    at('components', 'securitySchemes', 'LittleOneBearer'),
    undefined,
  ],
  [
    'sign-in tells its cookies and their attributes',
    post('/in', 'responses', '200', 'headers', 'Set-Cookie', 'description'),
    'Sets `__Host-a` (Max-Age=600; Path=/; HttpOnly; Secure; SameSite=Strict). Sets `r` (Max-Age=1209600; Path=/; HttpOnly; Secure; SameSite=Lax). Sets `s` (Max-Age=1209600; Path=/; HttpOnly; Secure; SameSite=Lax). Sets `c` (Max-Age=60; Path=/; Domain=example; Secure; SameSite=Lax).',
  ],
  [
    'sign-out clears, and leaves the sign-in cookie and the CSRF cookie',
    post('/out', 'responses', '204', 'headers', 'Set-Cookie', 'description'),
    'Clears `__Host-a`. Clears `r`.',
  ],
]

for (const [sentence, given, want] of rows) {
  test(sentence, () => assert.deepEqual(given, want))
}

test('every operation has an id of its own', () => {
  const ids = Object.values(at('paths') as Record<string, Record<string, { operationId: string }>>)
    .flatMap(Object.values<{ operationId: string }>)
    .map(operation => operation.operationId)
  assert.equal(new Set(ids).size, ids.length)
  assert.equal(ids[0], 'postV1In')
})
