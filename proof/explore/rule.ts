// The decisions that the walk asks: the shipped ones, as they are. A weakened rule is a copy of this value with one field
// changed (mutants.ts); nothing here decides anything.
import { chooseCaller, chooseSession } from '../../server/src/core/session.ts'
import { signIn } from '../../server/src/operations/account.ts'
import { changePassword } from '../../server/src/operations/password.ts'
import { refresh, signOut } from '../../server/src/operations/session.ts'

export type Rule = {
  /** Which session the cookies mean, and which number of it. */
  readonly choose: typeof chooseSession
  /** What becomes of the session, and what is sent. */
  readonly refresh: typeof refresh.decide
  readonly signIn: typeof signIn.decide
  readonly signOut: typeof signOut.decide
  readonly changePassword: typeof changePassword.decide
  /** Who calls, by access cookies. */
  readonly caller: typeof chooseCaller
  /** Whether the store holds changes to their guards. */
  readonly guards: boolean
  /** Of which cookies a sign-out ends the sessions. */
  readonly signOutNames: 'all' | 'refresh'
  /** What a refused refresh and a sign-out take out of the jar. */
  readonly refusalClears: 'nothing' | 'everything'
  readonly signOutClears: 'tokens' | 'everything'
}

export const shipped: Rule = {
  choose: chooseSession,
  refresh: refresh.decide,
  signIn: signIn.decide,
  signOut: signOut.decide,
  changePassword: changePassword.decide,
  caller: chooseCaller,
  guards: true,
  signOutNames: 'all',
  refusalClears: 'nothing',
  signOutClears: 'tokens',
}
