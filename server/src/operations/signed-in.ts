// Operations for somebody who is signed in by an access token: who am I, my sessions, end one or all others.
import type { Holder, Session, User } from '../core/model.ts'
import { type Refusal, refuse } from '../core/refusal.ts'
import { mayAct } from '../core/session.ts'
import type { AccessClaims } from '../crypto/jwt.ts'
import type { OperationName } from './contract.ts'
import { type Asked, type Engine, no, type Operation, record } from './engine.ts'

/** Nobody reads further, and a flood of sign-ins must not make this answer a flood. */
const mostListed = 100

/** Who calls, or why not. */
type Who = Holder | Refusal

type Claimed = { readonly claims: AccessClaims; readonly holder: Holder | undefined }

const load = async ({ memory, store }: Engine, sessionId: string): Promise<Holder | undefined> =>
  memory.holder(sessionId) ?? (await memory.load(sessionId, () => store.holder(sessionId)))

const isOfUser = ({ sub }: AccessClaims, user: User): boolean =>
  sub === user.id || sub === String(user.number)

/**
 * Reads sessions through memory. A token whose session has ended is refused although its signature is good, and says
 * nothing where another is there. A late answer may have put back the access cookie of an earlier sign-in: where a
 * sign-in cookie names a session that may act, one of another session counts as expired.
 */
async function loadWho(engine: Engine, { presented }: Pick<Asked<OperationName>, 'presented'>): Promise<Who> {
  const { access, signIn } = presented
  if (typeof access === 'string') return refuse(access)
  const now = engine.store.now()
  const claimed = await Promise.all(
    access.claims.map(
      async (claims): Promise<Claimed> => ({ claims, holder: await load(engine, claims.sid) }),
    ),
  )
  const live = claimed.flatMap(({ claims, holder }) =>
    mayAct(holder, now) && isOfUser(claims, holder.user) ? [holder] : [],
  )
  const [first, ...others] = live
  if (!first) return refuseDead(engine, claimed)
  const meant = live.filter(({ session }) => signIn.some(each => each.sessionId === session.id))
  if (access.by === 'cookie' && meant.length === 0 && signIn.length > 0) {
    const named = await Promise.all(signIn.map(each => load(engine, each.sessionId)))
    if (named.some(holder => mayAct(holder, now))) return refuse('access_expired')
  }
  if (meant.length === 1 && meant[0]) return meant[0]
  return others.length > 0 ? refuse('cookie_conflict') : first
}

/** No token names a session that may act: is it the session that is gone, or the user? */
async function refuseDead({ store }: Engine, claimed: readonly Claimed[]): Promise<Refusal> {
  if (claimed.some(({ holder }) => holder)) return refuse('access_revoked')
  const sub = claimed[0]?.claims.sub ?? ''
  const user = await store.account(/^\d{1,15}$/.test(sub) ? { number: Number(sub) } : { id: sub })
  return refuse(user ? 'access_revoked' : 'user_gone')
}

export const whoAmI: Operation<'whoAmI', Who> = {
  load: loadWho,
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
    'refused' in caller ? no(caller) : { changes: [], done: { sessions, current: caller.session } },
}

type EndFacts = { readonly caller: Who; readonly named: Holder | undefined }

/** Somebody else's session is as absent as one that never was. */
export const endSession: Operation<'endSession', EndFacts> = {
  async load(engine, asked) {
    const caller = await loadWho(engine, asked)
    return { caller, named: 'refused' in caller ? undefined : await engine.store.holder(asked.input.id) }
  },
  decide({ caller, named }, _input, at) {
    if ('refused' in caller) return no(caller)
    if (named?.user.id !== caller.user.id || !mayAct(named, at.now)) return no(refuse('session_not_found'))
    const about = { userId: named.user.id, sessionId: named.session.id }
    return {
      changes: [
        { change: 'endSession', sessionId: named.session.id, because: 'ended_by_user', at: at.now },
        record('session_ended', at, { ...about, detail: { because: 'ended_by_user' } }),
      ],
      done: {},
      ...(named.session.id === caller.session.id ? { mint: { clear: true } as const } : {}),
    }
  },
}

export const endOtherSessions: Operation<'endOtherSessions', Who> = {
  load: loadWho,
  decide(caller, _input, at) {
    if ('refused' in caller) return no(caller)
    const { user, session } = caller
    return {
      changes: [
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
