// Rusk's own wire, the fullest one: both deliveries, the list of sessions, RFC 9457 problem documents. Renames and
// renders; decides nothing.
import { z } from 'zod'
import type { Session, User } from '../core/model.ts'
import { writeProblem } from '../core/refusal.ts'
import { deviceKinds, readDevice } from '../device.ts'
import { accessOf, type Dialect, route } from '../http/dialect.ts'
import type { Done, Tokens } from '../operations/contract.ts'

const time = z.iso.datetime().meta({ examples: ['2026-01-02T03:04:05.678Z'] })
const writeTime = (at: number): string => new Date(at).toISOString()

const account = z.object({
  id: z.string().meta({ description: 'Opaque' }),
  email: z.string().meta({ examples: ['ada@example.com'] }),
  username: z
    .string()
    .nullable()
    .meta({ examples: ['ada'] }),
  name: z
    .string()
    .nullable()
    .meta({ description: 'Full name', examples: ['Ada Lovelace'] }),
  createdAt: time,
})

const accountOf = (user: User): z.input<typeof account> => ({
  id: user.id,
  email: user.email,
  username: user.username,
  name: user.name,
  createdAt: writeTime(user.createdAt),
})

const device = z
  .object({
    label: z
      .string()
      .meta({ description: '`Unknown device` where nothing is known', examples: ['Safari on iPhone'] }),
    browser: z
      .string()
      .nullable()
      .meta({ description: 'Browser or program, without its version; null: unknown', examples: ['Safari'] }),
    system: z
      .string()
      .nullable()
      .meta({ description: 'Operating system, without its version; null: unknown', examples: ['iOS'] }),
    kind: z
      .enum(deviceKinds)
      .nullable()
      .meta({ description: '`program` is a tool or a robot; null: unknown' }),
  })
  .meta({ description: 'What the browser says it is, in names from closed lists: no text of its own' })

const session = z.object({
  id: z.string().meta({ description: 'Opaque' }),
  current: z.boolean().meta({ description: 'Whether this call was made in it' }),
  device,
  userAgent: z.string().meta({ description: 'As the browser named itself, 256 characters at most' }),
  address: z.string().meta({ description: 'Where it was last used from', examples: ['192.0.2.7'] }),
  openedAt: time.meta({ description: 'When it was signed in' }),
  lastUsedAt: time.meta({
    description:
      'Goes on with refreshes: behind the last call by an access token’s life and the grace at most',
  }),
  idleEndsAt: time.meta({
    description: 'It ends here if it is not refreshed until then; goes on with refreshes',
  }),
  endsAt: time.meta({ description: 'It ends here at the latest, however much it is used' }),
})

const sessionOf = (each: Session, current: Session): z.input<typeof session> => ({
  id: each.id,
  current: each.id === current.id,
  device: readDevice(each.userAgent),
  userAgent: each.userAgent,
  address: each.address,
  openedAt: writeTime(each.openedAt),
  lastUsedAt: writeTime(each.lastUsedAt),
  idleEndsAt: writeTime(each.idleEndsAt),
  endsAt: writeTime(each.endsAt),
})

const holder = z.object({ user: account, session })
const holderOf = (done: { user: User; session: Session }): z.input<typeof holder> => ({
  user: accountOf(done.user),
  session: sessionOf(done.session, done.session),
})

const caller = holder.extend({
  accessEndsAt: time.meta({ description: 'When the access token of this call expires' }),
})
const callerOf = (done: Done['whoAmI']): z.input<typeof caller> => ({
  ...holderOf(done),
  accessEndsAt: writeTime(done.accessEndsAt),
})

const minted = z.object({
  accessToken: z.string().optional().meta({ description: 'With delivery `memory` only' }),
  expiresIn: z.int().meta({ description: 'Life of the access token, in seconds', examples: [600] }),
})

/** A token that travels in a cookie never stands in a body: a script could read it there. When to come again it may know. */
const mintedOf = (tokens: Tokens): z.input<typeof minted> => {
  const { token, expiresIn } = accessOf(tokens)
  return { ...(tokens.delivery === 'memory' ? { accessToken: token } : {}), expiresIn }
}

const entered = holder.extend(minted.shape)
const enteredOf = (done: { user: User; session: Session }, tokens: Tokens): z.input<typeof entered> => ({
  ...holderOf(done),
  ...mintedOf(tokens),
})

const issue = z.object({ field: z.string(), type: z.string(), message: z.string() })

const problem = z.object({
  type: z.literal('about:blank'),
  title: z.string().meta({ description: 'The phrase of the status', examples: ['Unauthorized'] }),
  status: z.int(),
  code: z.string().meta({ description: 'Stable: what programs decide by', examples: ['not_signed_in'] }),
  detail: z.string().meta({ description: 'For people', examples: ['Not signed in'] }),
  issues: z.array(issue).optional().meta({ description: 'Every wrong field' }),
  callId: z.string().optional().meta({ description: 'Names the log line of a fault' }),
})

export const native: Dialect = {
  name: 'native',
  summary: "Rusk's own: cookies or memory by choice, sessions, problem documents.",
  routes: {
    'POST /auth/sign-up': route('signUp', {
      summary: 'Make an account and sign in.',
      takes: {
        email: 'email',
        password: 'password',
        username: 'username',
        name: 'name',
        delivery: 'delivery',
      },
      status: 201,
      answer: entered,
      write: enteredOf,
    }),
    'POST /auth/sign-in': route('signIn', {
      summary: 'Sign in with e-mail address or username.',
      takes: { login: 'login', password: 'password', delivery: 'delivery' },
      status: 200,
      answer: entered,
      write: enteredOf,
    }),
    'POST /auth/exchange': route('exchange', {
      summary: 'With bridge.key: sign in by a token of the old system, once.',
      takes: { token: 'token', delivery: 'delivery' },
      status: 200,
      answer: entered,
      write: enteredOf,
    }),
    'POST /auth/refresh': route('refresh', {
      summary: 'Get a new access token, in the way that sign-in chose.',
      status: 200,
      answer: minted,
      write: (_, tokens) => mintedOf(tokens),
    }),
    'POST /auth/sign-out': route('signOut', {
      summary: 'Sign out; fine also when nobody is signed in.',
      status: 204,
      answer: null,
    }),
    'GET /auth/session': route('whoAmI', {
      summary: 'Tell who is signed in.',
      status: 200,
      answer: caller,
      write: callerOf,
    }),
    'POST /auth/password': route('changePassword', {
      summary: 'Change the password: every session ends, and a new one opens here.',
      takes: { current: 'current', new: 'new' },
      status: 200,
      answer: entered,
      write: enteredOf,
    }),
    'GET /auth/sessions': route('listSessions', {
      summary: 'List where this user is signed in, the most recently used first.',
      status: 200,
      answer: z.object({ sessions: z.array(session) }),
      write: ({ sessions, current }) => ({ sessions: sessions.map(each => sessionOf(each, current)) }),
    }),
    'DELETE /auth/sessions/:id': route('endSession', {
      summary: 'Sign out one of them.',
      takes: { ':id': 'id' },
      status: 204,
      answer: null,
    }),
    'DELETE /auth/sessions': route('endOtherSessions', {
      summary: 'Sign out everywhere else.',
      status: 204,
      answer: null,
    }),
  },
  slash: 'exact',
  cookies: {
    access: { name: 'rusk_access', path: '/', sameSite: 'Strict', host: true },
    refresh: { name: 'rusk_refresh', path: '/', sameSite: 'Strict', host: true },
    signIn: 'rusk_signin',
  },
  bearer: true,
  delivery: 'cookies',
  subject: 'id',
  policy: {},
  origins: [],
  refusals: { otherwise: refusal => writeProblem(refusal) satisfies { body: z.input<typeof problem> } },
  error: problem,
}
