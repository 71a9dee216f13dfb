// The wire of a Flask back end with Flask-JWT-Extended: access token in the answer and then the Authorization header,
// refresh token in a Strict cookie, double submit on refresh. Renames and renders; decides nothing.
import { z } from 'zod'
import type { User } from '../core/model.ts'
import { refusals } from '../core/refusal.ts'
import { accessOf, type Dialect, type RenderRefusal, route } from '../http/dialect.ts'
import { constantMessage } from './constant.ts'

const account = z.object({
  id: z.int().meta({ examples: [1] }),
  email: z.string().meta({ examples: ['ada@example.com'] }),
  username: z
    .string()
    .nullable()
    .meta({ examples: ['ada'] }),
})

const accountOf = (user: User): z.input<typeof account> => ({
  id: user.number,
  email: user.email,
  username: user.username,
})

const token = z.object({
  access_token: z.string().meta({ description: 'For the Authorization header: `Bearer …`' }),
})

const says =
  (status: number, error: string): RenderRefusal =>
  () => ({ status, body: { error } })

/** One sentence for all findings: there is one string to put them in. */
const saysIssues: RenderRefusal = ({ refused, issues = [] }) => {
  // A password's findings name it themselves.
  const sentences = issues.map(({ field, message }) =>
    field === '' || refused === 'password_weak' ? message : `${field}: ${message}`,
  )
  return { status: 400, body: { error: sentences.join('; ') || refusals[refused].title } }
}

const unauthorized = says(401, 'Invalid or missing authorization')
const expired = says(401, 'Token has expired')
const undecodable = says(401, 'Token could not be decoded')

export const flask: Dialect = {
  name: 'flask',
  summary: 'Flask with Flask-JWT-Extended: access token in memory, refresh token in a Strict cookie.',
  routes: {
    'POST /register': route('signUp', {
      summary: 'Make an account and sign in.',
      takes: { email: 'email', password: 'password', username: 'username' },
      status: 201,
      answer: token.extend({ user: account }),
      write: ({ user }, tokens) => ({ access_token: accessOf(tokens).token, user: accountOf(user) }),
    }),
    'POST /login': route('signIn', {
      summary: 'Sign in with e-mail address or username.',
      takes: { email: 'login', username: 'login', password: 'password' },
      status: 200,
      answer: token.extend({ user: account }),
      write: ({ user }, tokens) => ({ access_token: accessOf(tokens).token, user: accountOf(user) }),
    }),
    'POST /exchange': route('exchange', {
      summary: 'With bridge.key: sign in by a token of the old system, once.',
      takes: { token: 'token' },
      status: 200,
      answer: token.extend({ user: account }),
      write: ({ user }, tokens) => ({ access_token: accessOf(tokens).token, user: accountOf(user) }),
    }),
    'POST /refresh': route('refresh', {
      summary: 'Get a new access token.',
      status: 200,
      answer: token,
      write: (_, tokens) => ({ access_token: accessOf(tokens).token }),
      csrf: 'session',
    }),
    'POST /logout': route('signOut', {
      summary: 'Sign out; fine also when nobody is signed in.',
      ...constantMessage('Logged out successfully'),
    }),
    'GET /me': route('whoAmI', {
      summary: 'Tell whose access token this is.',
      status: 200,
      answer: account,
      write: ({ user }) => accountOf(user),
    }),
  },
  slash: 'exact',
  cookies: {
    refresh: { name: 'refresh_token', path: '/', sameSite: 'Strict' },
    signIn: 'rusk_signin',
    csrf: {
      cookie: { name: 'csrf_refresh_token', path: '/', sameSite: 'Strict' },
      header: 'x-csrf-token',
      // A call that no cookie authenticates is not asked for a token: it hears that the cookie is missing.
      onlyWithCookie: true,
    },
  },
  bearer: true,
  delivery: 'memory',
  subject: 'number',
  claims: () => ({ type: 'access', fresh: false }),
  policy: { access: 900_000, idle: 2_592_000_000 },
  origins: ['http://localhost:3000'],
  keepsOrigins: true,
  refusals: {
    input_invalid: saysIssues,
    password_weak: saysIssues,
    not_found: says(404, 'Not Found'),
    method_not_allowed: says(405, 'Method Not Allowed'),
    csrf_refused: says(401, 'CSRF token missing or incorrect'),
    // Which of the two it was stays untold: that an address is registered is nobody's business.
    email_taken: says(400, 'Registration failed'),
    username_taken: says(400, 'Registration failed'),
    credentials_wrong: says(401, 'Invalid credentials'),
    not_signed_in: unauthorized,
    access_malformed: unauthorized,
    cookie_conflict: unauthorized,
    access_invalid: undecodable,
    access_expired: expired,
    access_revoked: expired,
    user_gone: expired,
    refresh_missing: unauthorized,
    refresh_invalid: undecodable,
    otherwise: ({ refused, callId }) => ({
      status: refusals[refused].status,
      body: { error: refusals[refused].title, ...(refused === 'fault' ? { call_id: callId } : {}) },
    }),
  },
  error: z.object({
    error: z.string(),
    call_id: z.string().optional().meta({ description: 'Names the log line of a fault' }),
  }),
}
