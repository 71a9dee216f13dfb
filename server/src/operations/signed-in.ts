// Operations for somebody who is signed in by an access token: who am I, my sessions, end one or all others.
import type { Holder, Session } from '../core/model.ts'
import { type Refusal, refuse } from '../core/refusal.ts'
import { mayAct } from '../core/session.ts'
import type { OperationName } from './contract.ts'
import { type Asked, type Engine, no, type Operation, record } from './engine.ts'

/** Nobody reads further, and a flood of sign-ins must not make this answer a flood. */
const mostListed = 100

/** Who calls, or why not. */
type Who = Holder | Refusal

/** Reads the session through memory. A token whose session has ended is refused although its signature is good. */
async function loadWho(engine: Engine, { presented }: Pick<Asked<OperationName>, 'presented'>): Promise<Who> {
  const { access } = presented
  if (typeof access === 'string') return refuse(access)
  const { memory, store } = engine
  const holder = memory.holder(access.sid) ?? (await memory.load(access.sid, () => store.holder(access.sid)))
  const ofThisUser = holder && (access.sub === holder.user.id || access.sub === String(holder.user.number))
  if (ofThisUser && mayAct(holder, store.now())) return holder
  if (holder) return refuse('access_revoked')
  const user = await store.account(
    /^\d{1,15}$/.test(access.sub) ? { number: Number(access.sub) } : { id: access.sub },
  )
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
