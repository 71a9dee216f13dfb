// The wire of Django with django-ninja and django-ninja-jwt: access token in memory, refresh cookie scoped to /api/,
// csrftoken on every unsafe call. Renames and renders; decides nothing.
import { z } from 'zod'
import type { User } from '../core/model.ts'
import { accessOf, type Dialect, type RenderRefusal, route } from '../http/dialect.ts'
import { detailError, detailRefusals, says } from './detail.ts'

const account = z.object({
  id: z.int().meta({ examples: [1] }),
  username: z
    .string()
    .nullable()
    .meta({ examples: ['ada'] }),
  email: z.string().meta({ examples: ['ada@example.com'] }),
})

const accountOf = (user: User): z.input<typeof account> => ({
  id: user.number,
  username: user.username,
  email: user.email,
})

const pair = z.object({
  access: z.string().meta({ description: 'Access token, for the Authorization header: `Bearer …`' }),
})

const signIn = route('signIn', {
  summary: 'Sign in: the access token is in the answer, the refresh token only in its cookie.',
  takes: { username: 'login', password: 'password' },
  status: 200,
  answer: pair,
  write: (_, tokens) => ({ access: accessOf(tokens).token }),
  csrf: 'any',
})

const badRefresh = says(401, 'Token is invalid or expired', { code: 'token_not_valid' })

/** As django-ninja-jwt says it: one message for each class of token that was tried. */
const badAccess: RenderRefusal = says(401, 'Given token not valid for any token type', {
  code: 'token_not_valid',
  messages: [{ token_class: 'AccessToken', token_type: 'access', message: 'Token is invalid or expired' }],
})

export const django: Dialect = {
  name: 'django',
  summary: 'Django with django-ninja and django-ninja-jwt: access token in memory, csrftoken.',
  routes: {
    'GET /api/csrf/': route('csrf', {
      summary: 'Set the csrftoken cookie.',
      status: 204,
      answer: null,
    }),
    'POST /api/register/': route('register', {
      summary: 'Make an account; nobody is signed in by it.',
      takes: { username: 'username', email: 'email', password: 'password' },
      requires: ['username'],
      status: 201,
      answer: account,
      write: ({ user }) => accountOf(user),
      csrf: 'any',
    }),
    'POST /api/token/pair': signIn,
    'POST /api/token/': signIn,
    'POST /api/token/exchange/': route('exchange', {
      summary: 'With bridge.key: sign in by a token of the old system, once.',
      takes: { token: 'token' },
      status: 200,
      answer: pair,
      write: (_, tokens) => ({ access: accessOf(tokens).token }),
      csrf: 'any',
    }),
    'POST /api/token/refresh/': route('refresh', {
      summary: 'Get a new access token.',
      status: 200,
      answer: pair,
      write: (_, tokens) => ({ access: accessOf(tokens).token }),
      csrf: 'session',
      refusals: { cookie_conflict: badRefresh },
    }),
    'POST /api/logout/': route('signOut', {
      summary: 'Sign out; fine also when nobody is signed in.',
      status: 204,
      answer: null,
      csrf: 'any',
    }),
    'GET /api/me/': route('whoAmI', {
      summary: 'Tell whose access token this is.',
      status: 200,
      answer: account,
      write: ({ user }) => accountOf(user),
    }),
  },
  slash: 'any',
  cookies: {
    refresh: { name: 'refresh_token', path: '/api/', sameSite: 'Lax' },
    signIn: 'rusk_signin',
    csrf: {
      cookie: { name: 'csrftoken', path: '/', sameSite: 'Lax' },
      header: 'x-csrftoken',
      maxAge: 31_449_600,
    },
  },
  bearer: true,
  delivery: 'memory',
  subject: 'number',
  claims: user => ({ token_type: 'access', user_id: user.number }),
  policy: { access: 300_000, idle: 1_209_600_000 },
  origins: [],
  refusals: {
    ...detailRefusals,
    origin_refused: says(403, 'CSRF Failed: Origin checking failed.'),
    csrf_refused: says(403, 'CSRF Failed: CSRF token missing or incorrect.'),
    throttled: says(429, 'Too many requests.'),
    method_not_allowed: says(405, 'Method not allowed'),
    email_taken: says(400, 'Registration failed.'),
    username_taken: says(400, 'Registration failed.'),
    credentials_wrong: says(401, 'No active account found with the given credentials', {
      code: 'no_active_account',
    }),
    not_signed_in: says(401, 'Unauthorized'),
    access_malformed: says(401, 'Unauthorized'),
    access_invalid: badAccess,
    access_expired: badAccess,
    access_revoked: badAccess,
    cookie_conflict: badAccess,
    user_gone: says(401, 'User not found', { code: 'user_not_found' }),
    refresh_missing: badRefresh,
    refresh_invalid: badRefresh,
  },
  error: detailError.extend({
    code: z
      .string()
      .optional()
      .meta({ examples: ['token_not_valid'] }),
    messages: z
      .array(z.object({ token_class: z.string(), token_type: z.string(), message: z.string() }))
      .optional(),
  }),
}
