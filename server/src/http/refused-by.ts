// Which refusals a route can answer with: those of its operation and those of the floor before it. Renders none; a
// dialect does that.
import type { RefusalCode } from '../core/refusal.ts'
import { type OperationName, unconcerned } from '../operations/contract.ts'
import type { Dialect, Method, Route } from './dialect.ts'

const admission = ['input_invalid', 'password_weak', 'email_taken', 'username_taken', 'busy'] as const

/** Of everything that wants to know who calls. */
const caller = [
  'not_signed_in',
  'access_malformed',
  'access_invalid',
  'access_expired',
  'access_revoked',
  'user_gone',
  'cookie_conflict',
] as const

const byOperation: Readonly<Record<OperationName, readonly RefusalCode[]>> = {
  register: [...admission, 'throttled'],
  signUp: [...admission, 'throttled'],
  signIn: ['input_invalid', 'credentials_wrong', 'throttled', 'busy'],
  exchange: ['input_invalid', 'token_refused', 'throttled'],
  refresh: ['refresh_missing', 'refresh_invalid', 'cookie_conflict', 'throttled'],
  signOut: [],
  whoAmI: caller,
  listSessions: [...caller, 'throttled'],
  endSession: ['input_invalid', ...caller, 'session_not_found', 'throttled'],
  endOtherSessions: [...caller, 'throttled'],
  changePassword: ['input_invalid', ...caller, 'password_wrong', 'password_weak', 'throttled', 'busy'],
  csrf: [],
  health: [],
}

/** What a call that changes something can meet before its operation is asked. */
const unsafe = ['body_malformed', 'body_too_large', 'not_json', 'origin_refused'] as const

/** Without repetition, in the order in which they are met. */
export function refusedBy(dialect: Dialect, method: Method, route: Route): readonly RefusalCode[] {
  const codes: RefusalCode[] = [
    ...(method === 'GET' ? [] : unsafe),
    ...(route.csrf ? (['csrf_refused'] as const) : []),
    ...byOperation[route.does],
    ...(dialect.cookies.refresh.host && !unconcerned.has(route.does) ? (['cookie_conflict'] as const) : []),
    'unavailable',
    'fault',
  ]
  return [...new Set(codes)].filter(code => code !== 'access_malformed' || dialect.bearer)
}
