// Operations for somebody who is signed in by an access token: who am I, my sessions, end one or all others.
import type { AccessClaims } from '@rusk/verify/floor'
import type { Change } from '../core/change.ts'
import { type Holder, readNumber, type Session, type User } from '../core/model.ts'
import { type Refusal, refuse } from '../core/refusal.ts'
import { chooseCaller, mayAct } from '../core/session.ts'
import type { Done, Manner, OperationName } from './contract.ts'
import { type Asked, type Engine, no, type Operation, record } from './engine.ts'
import type { Presentation } from './presented.ts'

/** Nobody reads further, and a flood of sign-ins must not make this answer a flood. */
const mostListed = 100

/** Who calls, or why not. */
export type Who = Holder | Refusal

/** What it takes to tell. */
type Asking = { readonly presented: Presentation; readonly manner: Pick<Manner, 'csrf'> }

const load = async ({ memory, store }: Engine, sessionId: string): Promise<Holder | undefined> =>
  memory.holder(sessionId) ?? (await memory.load(sessionId, () => store.holder(sessionId)))

export const isOfUser = ({ sub }: AccessClaims, user: User): boolean =>
  sub === user.id || sub === String(user.number)

/** Reads sessions through memory. A token whose session has ended is refused although its signature is good. */
async function loadWho(engine: Engine, { presented, manner }: Asking): Promise<Who> {
  const { access } = presented
  if (typeof access === 'string') return refuse(access)
  const signIn = presented.signIn.map(each => each.sessionId)
  const ids = [...new Set([...access.claims.map(({ sid }) => sid), ...signIn])]
  const holders = new Map<string, Holder>()
  for (const holder of await Promise.all(ids.map(id => load(engine, id)))) {
    if (holder) holders.set(holder.session.id, holder)
  }
  const fitting = access.claims.filter(claims => {
    const holder = holders.get(claims.sid)
    return holder !== undefined && isOfUser(claims, holder.user)
  })
  const caller = chooseCaller(
    { access: fitting.map(({ sid }) => sid), by: access.by, signIn, holders },
    engine.store.now(),
  )
  if (caller === 'expired') return refuse('access_expired')
  if (caller === 'conflict') return refuse('cookie_conflict')
  if (!caller) return refuseDead(engine, access.claims, holders)
  const bound = manner.csrf !== 'session' || presented.csrf?.sessionId === caller.session.id
  return bound ? caller : refuse('csrf_refused')
}

/**
 * As the store has the session, not as memory does: for what must not be done in one that has just ended elsewhere. What
 * ends it after this read, the guard of a change must tell.
 */
export async function loadCaller(engine: Engine, asked: Asking): Promise<Who> {
  const who = await loadWho(engine, asked)
  if ('refused' in who) return who
  const caller = await engine.store.holder(who.session.id)
  return mayAct(caller, engine.store.now()) ? caller : refuse('access_revoked')
}

/** No token names a session that may act: is it the session that is gone, or the user? */
async function refuseDead(
  { store }: Engine,
  claims: readonly AccessClaims[],
  holders: ReadonlyMap<string, Holder>,
): Promise<Refusal> {
  if (claims.some(({ sid }) => holders.has(sid))) return refuse('access_revoked')
  const sub = claims[0]?.sub ?? ''
  const number = readNumber(sub)
  const user = await store.account(number === undefined ? { id: sub } : { number })
  return refuse(user ? 'access_revoked' : 'user_gone')
}

/** `exp`: of its access tokens, the one that lives longest. Seconds. */
export const nameCaller = ({ user, session }: Holder, exp: number): Done['whoAmI'] => ({
  user,
  session,
  accessEndsAt: exp * 1000,
})

export const whoAmI: Operation<'whoAmI', Refusal | Done['whoAmI']> = {
  async load(engine, asked) {
    const { access } = asked.presented
    if (typeof access === 'string') return refuse(access)
    const who = await loadWho(engine, asked)
    if ('refused' in who) return who
    const own = access.claims.filter(({ sid }) => sid === who.session.id)
    return nameCaller(who, Math.max(...own.map(({ exp }) => exp)))
  },
  decide: caller => ('refused' in caller ? no(caller) : { changes: [], done: caller }),
}

type ListFacts = { readonly caller: Who; readonly sessions: readonly Session[] }

export const listSessions: Operation<'listSessions', ListFacts> = {
  async load(engine, asked) {
    const caller = await loadWho(engine, asked)
    const sessions =
      'refused' in caller
        ? []
        : await engine.store.sessionsOf(caller.user.id, { now: engine.store.now(), limit: mostListed })
    return { caller, sessions }
  },
  decide: ({ caller, sessions }) =>
    'refused' in caller
      ? no(caller)
      : {
          changes: [],
          done: {
            user: caller.user,
            sessions: withOwn(sessions, caller.session),
            current: caller.session,
          },
        },
}

/** However many others were used since, the list shows which one this is. */
const withOwn = (sessions: readonly Session[], own: Session): readonly Session[] =>
  sessions.some(({ id }) => id === own.id) ? sessions : [...sessions.slice(0, mostListed - 1), own]

/**
 * Seconds to wait before another session may be ended. By account, not by session: a thief in one session could end each
 * new one of its owner for ever, who would never come to change the password.
 */
const countEnd = async (
  { throttle }: Engine,
  { manner }: Pick<Asked<OperationName>, 'manner'>,
  { user }: Holder,
): Promise<number | undefined> => (await throttle.take('end', user.id, manner.policy.rates.end))?.retryAfter

/** Before whatever one session does to another: it must not have ended itself. */
const whileLive = ({ session, user }: Holder): Change => ({
  change: 'requireLive',
  userId: user.id,
  sessionId: session.id,
})

type EndFacts = {
  readonly caller: Holder
  readonly named: Holder | undefined
  readonly throttled: number | undefined
}

const mayEnd = (caller: Holder, named: Holder | undefined, now: number): named is Holder =>
  named?.user.id === caller.user.id && mayAct(named, now)

/** Somebody else's session is as absent as one that never was. To end one's own is to leave, and is never too much. */
export const endSession: Operation<'endSession', EndFacts | Refusal> = {
  async load(engine, asked) {
    const caller = await loadCaller(engine, asked)
    if ('refused' in caller) return caller
    const { id } = asked.input
    const named = await engine.store.holder(id)
    const counted = id !== caller.session.id && mayEnd(caller, named, engine.store.now())
    return { caller, named, throttled: counted ? await countEnd(engine, asked, caller) : undefined }
  },
  decide(facts, _input, at) {
    if ('refused' in facts) return no(facts)
    const { caller, named, throttled } = facts
    if (!mayEnd(caller, named, at.now)) return no(refuse('session_not_found'))
    if (throttled !== undefined) return no(refuse('throttled', { retryAfter: throttled }))
    const about = { userId: named.user.id, sessionId: named.session.id }
    const own = named.session.id === caller.session.id
    return {
      changes: [
        ...(own ? [] : [whileLive(caller)]),
        { change: 'endSession', sessionId: named.session.id, because: 'ended_by_user', at: at.now },
        record('session_ended', at, { ...about, detail: { because: 'ended_by_user' } }),
      ],
      done: {},
      ...(own ? { mint: { clear: true } as const } : {}),
    }
  },
}

type EndOthersFacts = {
  readonly caller: Holder
  /** Whether there is another live one. If not, nothing is counted and nothing is written. */
  readonly others: boolean
  readonly throttled: number | undefined
}

export const endOtherSessions: Operation<'endOtherSessions', EndOthersFacts | Refusal> = {
  async load(engine, asked) {
    const caller = await loadCaller(engine, asked)
    if ('refused' in caller) return caller
    const { user, session } = caller
    const some = await engine.store.sessionsOf(user.id, { now: engine.store.now(), limit: 2 })
    const others = some.some(({ id }) => id !== session.id)
    return { caller, others, throttled: others ? await countEnd(engine, asked, caller) : undefined }
  },
  decide(facts, _input, at) {
    if ('refused' in facts) return no(facts)
    const { caller, others, throttled } = facts
    if (throttled !== undefined) return no(refuse('throttled', { retryAfter: throttled }))
    if (!others) return { changes: [], done: {} }
    const { user, session } = caller
    return {
      changes: [
        whileLive(caller),
        {
          change: 'endSessionsOf',
          userId: user.id,
          except: session.id,
          because: 'ended_by_user',
          at: at.now,
        },
        record('session_ended', at, { userId: user.id, detail: { because: 'ended_by_user', others: true } }),
      ],
      done: {},
    }
  },
}
