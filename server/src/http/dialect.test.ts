// What a broken dialect cannot do is compile. Each `@ts-expect-error` below is a rule that `npm run check` holds the types
// to: should one of these lines ever compile, the check fails.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { Fault } from '../core/fault.ts'
import { accessOf, type Dialect, route } from './dialect.ts'

const person = z.object({ id: z.string() })
const summary = 'A sentence.'

const meRoute = route('whoAmI', {
  summary,
  status: 200,
  answer: person,
  write: ({ user }) => ({ id: user.id }),
})

/** Compiled, never called. */
export function brokenDialects(whole: Dialect): void {
  // @ts-expect-error: there is no operation of that name
  route('signInn', { summary, status: 200, answer: null })

  // @ts-expect-error: sign-in requires a password, and nothing is taken for it
  route('signIn', { summary, status: 204, answer: null, takes: { email: 'login' } })

  // @ts-expect-error: sign-in takes no field of that name
  route('signIn', { summary, status: 204, answer: null, takes: { email: 'login', password: 'word' } })

  // @ts-expect-error: a route that answers with a body must write it
  route('whoAmI', { summary, status: 200, answer: person })

  // @ts-expect-error: the body is not what the schema says
  route('whoAmI', { summary, status: 200, answer: person, write: ({ user }) => ({ id: user.number }) })

  // @ts-expect-error: sign-out returns no user
  route('signOut', { summary, status: 200, answer: person, write: ({ user }) => ({ id: user.id }) })

  // @ts-expect-error: success has one of three statuses
  route('signOut', { summary, status: 302, answer: null })

  const register = {
    summary,
    status: 204,
    answer: null,
    takes: { email: 'email', password: 'password' },
  } as const
  // @ts-expect-error: a wire name is demanded that is not taken
  route('register', { ...register, requires: ['name'] })

  const { refusals: _refusals, ...withoutRefusals } = whole
  // @ts-expect-error: a dialect says how it refuses
  withoutRefusals satisfies Dialect

  // @ts-expect-error: there must be a rendering for refusals that the dialect does not name
  ;({ ...whole, refusals: {} }) satisfies Dialect

  // @ts-expect-error: there is no refusal of that name
  ;({ ...whole, refusals: { ...whole.refusals, teapot: whole.refusals.otherwise } }) satisfies Dialect

  // @ts-expect-error: a dialect that refreshes has a refresh cookie
  ;({ ...whole, cookies: { signIn: 'rusk_signin' } }) satisfies Dialect

  // @ts-expect-error: a path begins with a method
  ;({ ...whole, routes: { '/me': meRoute } }) satisfies Dialect
}

test('a route that takes nothing needs to say nothing about it', () => {
  assert.deepEqual([meRoute.takes, meRoute.requires, meRoute.csrf, meRoute.refusals], [{}, [], undefined, {}])
})

test('an answer that must carry an access token is a fault without one, never an empty field', () => {
  assert.throws(() => accessOf({}), Fault)
  assert.deepEqual(accessOf({ access: { token: 't', expiresIn: 9 } }), { token: 't', expiresIn: 9 })
})
