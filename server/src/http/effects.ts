// What each operation's answer does to the browser's cookies, for people who read about it or try it. The tokens of the
// answer decide what is really written; a test holds the one to the other.
import type { OperationName } from '../core/input.ts'
import type { Dialect } from './dialect.ts'

export type CookieRole = 'access' | 'refresh' | 'signIn' | 'csrf'
export type Effect = 'set' | 'may be set' | 'cleared' | 'may be cleared'
export type Effects = Readonly<Partial<Record<CookieRole, Effect>>>

const opens: Effects = { access: 'set', refresh: 'set', signIn: 'set', csrf: 'set' }

const effects: Readonly<Record<OperationName, Effects>> = {
  register: {},
  signUp: opens,
  signIn: opens,
  exchange: opens,
  // A refresh token is sent exactly once; while the session is quiet there is none to send.
  refresh: { access: 'set', refresh: 'may be set' },
  // The sign-in cookie stays: a late clear would wipe a newer sign-in's.
  signOut: { access: 'cleared', refresh: 'cleared' },
  whoAmI: {},
  listSessions: {},
  // When it is the session of this very browser.
  endSession: { access: 'may be cleared', refresh: 'may be cleared' },
  endOtherSessions: {},
  changePassword: opens,
  csrf: { csrf: 'set' },
  health: {},
}

/** Whether it begins a session, in which this browser is from then on. */
export const opensSession = (does: OperationName): boolean => effects[does].signIn === 'set'

/** Whether a successful answer says what the browser's access token is from now on, wherever it travels. */
export const tellsAccess = (does: OperationName): boolean =>
  ['set', 'cleared'].includes(effects[does].access ?? '')

const takesDelivery = (dialect: Dialect): boolean =>
  Object.values(dialect.routes).some(route => Object.values(route.takes).includes('delivery'))

/** Of the cookies that this dialect has, what a successful answer of `does` does to them. */
export function effectsOf(dialect: Dialect, does: OperationName): Effects {
  const { access, refresh, signIn, csrf } = effects[does]
  const { cookies } = dialect
  // Where the call chooses its delivery, the access token may stand in the answer instead.
  const chosen = access === 'set' && takesDelivery(dialect) ? 'may be set' : access
  return {
    ...(cookies.access && chosen ? { access: chosen } : {}),
    ...(refresh ? { refresh } : {}),
    ...(signIn ? { signIn } : {}),
    ...(cookies.csrf && csrf ? { csrf } : {}),
  }
}
