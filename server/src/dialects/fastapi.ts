// The wire of a FastAPI back end that keeps both tokens in HttpOnly cookies, SameSite=Lax. Its front end sends
// `credentials: "include"` and nothing else. Renames and renders; decides nothing.
import { z } from 'zod'
import type { User } from '../core/model.ts'
import { type Dialect, route } from '../http/dialect.ts'
import { constantMessage } from './constant.ts'
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

const whoAmI = route('whoAmI', {
  summary: 'Tell who is signed in.',
  status: 200,
  answer: account,
  write: ({ user }) => accountOf(user),
})

const notTheSession = says(401, 'Invalid token')

export const fastapi: Dialect = {
  name: 'fastapi',
  summary: 'FastAPI with access and refresh token in HttpOnly cookies, SameSite=Lax.',
  routes: {
    'POST /auth/register': route('register', {
      summary: 'Make an account; nobody is signed in by it.',
      takes: { username: 'username', email: 'email', password: 'password' },
      requires: ['username'],
      status: 201,
      answer: account,
      write: ({ user }) => accountOf(user),
    }),
    'POST /auth/login': route('signIn', {
      summary: 'Sign in with username or e-mail address.',
      takes: { username_or_email: 'login', password: 'password' },
      ...constantMessage('Login successful'),
    }),
    'POST /auth/exchange': route('exchange', {
      summary: 'With bridge.key: sign in by a token of the old system, once.',
      takes: { token: 'token' },
      ...constantMessage('Login successful'),
    }),
    'POST /auth/logout': route('signOut', {
      summary: 'Sign out; fine also when nobody is signed in.',
      ...constantMessage('Logout successful'),
    }),
    'POST /auth/refresh': route('refresh', {
      summary: 'Renew the access cookie.',
      ...constantMessage('Token refreshed'),
      refusals: { cookie_conflict: says(401, 'Invalid refresh token') },
    }),
    'GET /auth/me': whoAmI,
    'GET /users/me': whoAmI,
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
  subject: 'number',
  policy: { access: 900_000, idle: 604_800_000 },
  origins: ['http://localhost:3000'],
  refusals: {
    ...detailRefusals,
    email_taken: says(400, 'Registration failed'),
    username_taken: says(400, 'Registration failed'),
    credentials_wrong: says(401, 'Invalid credentials'),
    not_signed_in: says(401, 'Not authenticated'),
    access_malformed: notTheSession,
    access_invalid: notTheSession,
    access_expired: notTheSession,
    access_revoked: notTheSession,
    cookie_conflict: notTheSession,
    user_gone: says(401, 'User not found'),
    refresh_missing: says(401, 'Refresh token missing'),
    refresh_invalid: says(401, 'Invalid refresh token'),
  },
  error: detailError,
}
