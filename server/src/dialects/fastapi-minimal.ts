// The wire of a small FastAPI back end: sign-up, sign-in, me, sign-out, both tokens in cookies. Its test page is any
// static page on port 5500. Renames and renders; decides nothing.
import { z } from 'zod'
import type { User } from '../core/model.ts'
import { type Dialect, route } from '../http/dialect.ts'
import { constantStatus } from './constant.ts'
import { detailError, detailRefusals, says } from './detail.ts'

const account = z.object({
  uid: z.string().meta({ description: 'Opaque' }),
  email: z.string().meta({ examples: ['jack@example.com'] }),
  username: z
    .string()
    .nullable()
    .meta({ examples: ['jack'] }),
})

const accountOf = (user: User): z.input<typeof account> => ({
  uid: user.id,
  email: user.email,
  username: user.username,
})

const notAuthenticated = says(401, 'Not authenticated')

export const fastapiMinimal: Dialect = {
  name: 'fastapi-minimal',
  summary: 'A minimal FastAPI starter: four calls, both tokens in HttpOnly cookies, opaque user ids.',
  routes: {
    'POST /auth/signup': route('register', {
      summary: 'Make an account; nobody is signed in by it.',
      takes: { email: 'email', username: 'username', password: 'password' },
      requires: ['username'],
      status: 200,
      answer: z.object({ status: z.literal('ok'), user: account }),
      write: ({ user }) => ({ status: 'ok' as const, user: accountOf(user) }),
    }),
    'POST /auth/signin': route('signIn', {
      summary: 'Sign in.',
      takes: { email: 'login', password: 'password' },
      ...constantStatus('ok'),
    }),
    'POST /auth/exchange': route('exchange', {
      summary: 'With bridge.key: sign in by a token of the old system, once.',
      takes: { token: 'token' },
      ...constantStatus('ok'),
    }),
    'GET /auth/me': route('whoAmI', {
      summary: 'Tell who is signed in.',
      status: 200,
      answer: account.extend({ is_active: z.boolean() }),
      write: ({ user }) => ({ ...accountOf(user), is_active: user.active }),
    }),
    'POST /auth/signout': route('signOut', {
      summary: 'Sign out; fine also when nobody is signed in.',
      ...constantStatus('ok'),
    }),
    'POST /auth/refresh': route('refresh', {
      summary: 'Renew the access cookie.',
      ...constantStatus('ok'),
    }),
  },
  // The original redirects a trailing slash to the path without.
  slash: 'any',
  cookies: {
    access: { name: 'access_token', path: '/', sameSite: 'Lax' },
    refresh: { name: 'refresh_token', path: '/', sameSite: 'Lax' },
    signIn: 'rusk_signin',
  },
  bearer: false,
  delivery: 'cookies',
  subject: 'id',
  policy: {
    access: 900_000,
    idle: 604_800_000,
    password: { minLength: 8, classes: [], refuseCommon: false, refusePersonal: false },
  },
  origins: ['http://127.0.0.1:5500'],
  refusals: {
    ...detailRefusals,
    email_taken: says(400, 'Email already registered.'),
    username_taken: says(400, 'Username already registered.'),
    credentials_wrong: says(401, 'Invalid email or password'),
    not_signed_in: notAuthenticated,
    access_malformed: notAuthenticated,
    access_invalid: notAuthenticated,
    access_expired: notAuthenticated,
    access_revoked: notAuthenticated,
    cookie_conflict: notAuthenticated,
    user_gone: notAuthenticated,
    refresh_missing: notAuthenticated,
    refresh_invalid: notAuthenticated,
  },
  error: detailError,
}
