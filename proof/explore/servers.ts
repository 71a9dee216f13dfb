// What the servers of a world say: builds what they would load, and asks the rule. Decides nothing and keeps nothing.
import type { Holder, Session, User } from '../../server/src/core/model.ts'
import { defaultPolicy } from '../../server/src/core/policy.ts'
import type { Caller, Manner } from '../../server/src/operations/contract.ts'
import type { At, Mint } from '../../server/src/operations/engine.ts'
import type { Presentation } from '../../server/src/operations/presented.ts'
import { sidsOf } from './moves.ts'
import type { Rule } from './rule.ts'
import { now, type Scene } from './scene.ts'
import { type Cookies, noCookies, type Row, type Sets, type State, type Token } from './state.ts'

const far = 1_000_000

/** The one person of these worlds. */
export const user: User = {
  id: 'u',
  number: 1,
  email: 'ada@example.com',
  username: null,
  name: null,
  profile: {},
  active: true,
  superuser: false,
  epoch: 0,
  createdAt: 0,
  lastSignInAt: null,
}
const caller: Caller = { callId: '', address: '', userAgent: '' }

const holderOf = (row: Row, sid: number, late: number): Holder => {
  const session: Session = {
    id: String(sid),
    userId: user.id,
    delivery: 'cookies',
    previous: row.previous,
    current: row.current,
    successor: row.successor,
    changedAt: now - Math.max(row.age, late),
    openedAt: 0,
    endsAt: far,
    idleEndsAt: far,
    endedAt: row.live ? null : 0,
    endedBecause: row.live ? null : 'signed_out',
    lastUsedAt: 0,
    userAgent: '',
    address: '',
  }
  return { session, user }
}

const presented = (sid: string, n: number) => ({ sessionId: sid, n })
const present = (token: Token | null) => (token ? [presented(String(token.sid), token.n)] : [])

const nobody: Presentation = {
  access: 'not_signed_in',
  refresh: [],
  signIn: [],
  refreshCame: true,
  namedByCookies: [],
  namedByBearer: [],
  csrf: undefined,
}

/** The first number of every session: what the sign-in cookie says. */
export const first = 1

export function openServers(scene: Scene, rule: Rule) {
  const { grace, skew } = scene
  const policy = { ...defaultPolicy, grace, idle: far, lifetime: far }
  const manner: Manner = {
    policy,
    delivery: 'cookies',
    subject: 'id',
    claims: undefined,
    csrf: undefined,
    mintsCsrf: false,
  }
  const atTime = (ahead: number): At => ({ now: now + ahead, policy, manner, caller })

  const holdersOf = ({ rows }: State, sids: readonly number[], late = -skew): ReadonlyMap<string, Holder> => {
    const holders = new Map<string, Holder>()
    for (const sid of sids) {
      const row = rows[sid]
      if (row) holders.set(String(sid), holderOf(row, sid, late))
    }
    return holders
  }

  /** What one server says to a refresh with these cookies. */
  function ask(state: State, carries: Cookies, ahead: number, late?: number) {
    const holders = holdersOf(state, sidsOf(carries), late)
    const choice = rule.choose(
      { refresh: present(carries.refresh), signIn: present(carries.signIn), holders },
      now + ahead,
    )
    return {
      choice,
      decision: rule.refresh({ presented: nobody, choice, throttled: undefined }, {}, atTime(ahead)),
    }
  }

  const whoCalls = (state: State, { access, signIn }: Cookies) =>
    rule.caller(
      {
        access: access === null ? [] : [String(access)],
        by: 'cookie',
        signIn: signIn ? [String(signIn.sid)] : [],
        holders: holdersOf(state, [...(access === null ? [] : [access]), ...(signIn ? [signIn.sid] : [])]),
      },
      now,
    )

  /** Where there is no access cookie the page holds an access token of the session that its cookies mean. */
  function whoActs(state: State, carries: Cookies): ReturnType<typeof whoCalls> {
    if (scene.access) return whoCalls(state, carries)
    const { choice } = ask(state, carries, 0)
    return typeof choice === 'object' ? choice.holder : undefined
  }

  const setsOf = (sid: number, mint: Mint | undefined): Sets => ({
    refresh: mint?.refresh === undefined ? null : { sid, n: mint.refresh },
    signIn: mint?.signIn ? { sid, n: first } : null,
    access: scene.access && mint?.access ? sid : null,
    clears: 'nothing',
  })

  const account = { user, password: 'a record' }
  const proved = { throttled: undefined, checked: { matches: true, stale: false, malformed: false } }
  const next = (state: State) => String(state.rows.length)
  const named = (state: State, carries: Cookies) => [...holdersOf(state, sidsOf(carries)).values()]

  const signIn = (state: State, carries: Cookies) =>
    rule.signIn(
      { ...proved, account, rehashed: undefined, named: named(state, carries), sessionId: next(state) },
      { login: 'ada', password: 'x' },
      atTime(0),
    )

  /** Undefined: nobody who may act asks for it. */
  function changePassword(state: State, carries: Cookies) {
    const caller = whoActs(state, carries)
    if (!isHolder(caller)) return undefined
    const made = { issues: [], record: 'another record' }
    return rule.changePassword(
      { ...proved, account, caller, made, named: named(state, carries), sessionId: next(state) },
      { current: 'x', new: 'y' },
      atTime(0),
    )
  }

  const signOut = (state: State, carries: Cookies) =>
    rule.signOut(
      named(state, rule.signOutNames === 'all' ? carries : { ...noCookies, refresh: carries.refresh }),
      {},
      atTime(0),
    )

  return { ask, whoCalls, setsOf, signIn, changePassword, signOut }
}

/** Somebody who may act, and not a reason why nobody does. */
export const isHolder = (who: Holder | 'conflict' | 'expired' | undefined): who is Holder =>
  typeof who === 'object'
