// The wire of a FastAPI back end made for production: Strict cookies, five sign-ins a minute and address, health,
// times without a zone. Renames and renders; decides nothing.
import { z } from 'zod'
import type { User } from '../core/model.ts'
import { type Dialect, route } from '../http/dialect.ts'
import { constantMessage, constantStatus } from './constant.ts'
import { detailError, detailRefusals, says } from './detail.ts'

const naiveTime = z
  .string()
  .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?$/)
  .meta({ description: 'ISO 8601 in UTC, without a zone', examples: ['2026-01-02T03:04:05.678000'] })

/** As Pydantic prints a naive datetime: six digits of a second, or none when it is whole. `at` in epoch milliseconds. */
export const writeNaiveTime = (at: number): string =>
  new Date(at).toISOString().replace('.000Z', '').replace('Z', '000')

const account = z.object({
  id: z.int().meta({ examples: [1] }),
  email: z.string().meta({ examples: ['ada@example.com'] }),
  full_name: z
    .string()
    .nullable()
    .meta({ examples: ['Ada Lovelace'] }),
  is_active: z.boolean(),
  is_superuser: z.boolean(),
  created_at: naiveTime,
  last_login: naiveTime.nullable().meta({ description: 'Null before the first sign-in' }),
})

const accountOf = (user: User): z.input<typeof account> => ({
  id: user.number,
  email: user.email,
  full_name: user.name,
  is_active: user.active,
  is_superuser: user.superuser,
  created_at: writeNaiveTime(user.createdAt),
  last_login: user.lastSignInAt === null ? null : writeNaiveTime(user.lastSignInAt),
})

const notAuthenticated = says(401, 'Not authenticated')

export const fastapiProduction: Dialect = {
  name: 'fastapi-production',
  summary: 'A production FastAPI starter: Strict cookies, throttled sign-in, health, password classes.',
  routes: {
    'POST /api/auth/register': route('register', {
      summary: 'Make an account; nobody is signed in by it.',
      takes: { email: 'email', password: 'password', full_name: 'name' },
      requires: ['full_name'],
      status: 201,
      answer: account,
      write: ({ user }) => accountOf(user),
    }),
    'POST /api/auth/login': route('signIn', {
      summary: 'Sign in: five attempts a minute and address.',
      takes: { email: 'login', password: 'password' },
      ...constantMessage('Login successful'),
    }),
    'POST /api/auth/exchange': route('exchange', {
      summary: 'With bridge.key: sign in by a token of the old system, once.',
      takes: { token: 'token' },
      ...constantMessage('Login successful'),
    }),
    'POST /api/auth/logout': route('signOut', {
      summary: 'Sign out; fine also when nobody is signed in.',
      ...constantMessage('Successfully logged out'),
    }),
    'GET /api/auth/me': route('whoAmI', {
      summary: 'Tell who is signed in.',
      status: 200,
      answer: account,
      write: ({ user }) => accountOf(user),
    }),
    'POST /api/auth/refresh': route('refresh', {
      summary: 'Renew the access cookie.',
      ...constantMessage('Token refreshed successfully'),
    }),
    'GET /api/auth/health': route('health', {
      summary: 'Tell that the service is alive.',
      ...constantStatus('healthy'),
    }),
  },
  // The original redirects a trailing slash to the path without.
  slash: 'any',
  cookies: {
    access: { name: 'access_token', path: '/', sameSite: 'Strict' },
    refresh: { name: 'refresh_token', path: '/', sameSite: 'Strict' },
    signIn: 'rusk_signin',
  },
  bearer: false,
  delivery: 'cookies',
  subject: 'number',
  policy: {
    access: 3_600_000,
    idle: 604_800_000,
    password: {
      minLength: 8,
      classes: ['upper', 'lower', 'digit'],
      // Its sign-up form states these rules and no other: what it lets through must be accepted.
      refuseCommon: false,
      refusePersonal: false,
    },
    rates: { signIn: { points: 5, per: 60_000 }, signInBy: 'address' },
  },
  origins: ['http://localhost:3000', 'http://localhost:5173'],
  refusals: {
    ...detailRefusals,
    throttled: says(429, 'Too many requests. Please try again later.'),
    email_taken: says(400, 'Registration failed'),
    username_taken: says(400, 'Registration failed'),
    credentials_wrong: says(401, 'Incorrect email or password'),
    not_signed_in: notAuthenticated,
    access_malformed: notAuthenticated,
    access_invalid: notAuthenticated,
    access_expired: notAuthenticated,
    access_revoked: notAuthenticated,
    cookie_conflict: notAuthenticated,
    user_gone: notAuthenticated,
    refresh_missing: says(401, 'Refresh token missing'),
    refresh_invalid: says(401, 'Invalid refresh token'),
  },
  error: detailError,
}
