// Operations for somebody who is signed in by an access token: who am I, my sessions, end one or all others.
import type { Holder, Session, User } from '../core/model.ts'
import { type Refusal, refuse } from '../core/refusal.ts'
import { chooseCaller, mayAct } from '../core/session.ts'
import type { AccessClaims } from '../crypto/jwt.ts'
import type { OperationName } from './contract.ts'
import { type Asked, type Engine, no, type Operation, record } from './engine.ts'

/** Nobody reads further, and a flood of sign-ins must not make this answer a flood. */
const mostListed = 100

/** Who calls, or why not. */
export type Who = Holder | Refusal

const load = async ({ memory, store }: Engine, sessionId: string): Promise<Holder | undefined> =>
  memory.holder(sessionId) ?? (await memory.load(sessionId, () => store.holder(sessionId)))

const isOfUser = ({ sub }: AccessClaims, user: User): boolean =>
  sub === user.id || sub === String(user.number)

/** Reads sessions through memory. A token whose session has ended is refused although its signature is good. */
export async function loadWho(
  engine: Engine,
  { presented, manner }: Pick<Asked<OperationName>, 'presented' | 'manner'>,
): Promise<Who> {
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

/** No token names a session that may act: is it the session that is gone, or the user? */
async function refuseDead(
  { store }: Engine,
  claims: readonly AccessClaims[],
  holders: ReadonlyMap<string, Holder>,
): Promise<Refusal> {
  if (claims.some(({ sid }) => holders.has(sid))) return refuse('access_revoked')
  const sub = claims[0]?.sub ?? ''
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
    'refused' in caller
      ? no(caller)
      : { changes: [], done: { sessions: withOwn(sessions, caller.session), current: caller.session } },
}

/** However many others were used since, the list shows which one this is. */
const withOwn = (sessions: readonly Session[], own: Session): readonly Session[] =>
  sessions.some(({ id }) => id === own.id) ? sessions : [...sessions.slice(0, mostListed - 1), own]

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
