// What an operator does to accounts and sessions from the command line: the same decisions' parts, nobody's request.

import { readInput } from '../core/input.ts'
import type { EndReason, User } from '../core/model.ts'
import type { Policy } from '../core/policy.ts'
import { type Refusal, refuse } from '../core/refusal.ts'
import { isLive } from '../core/session.ts'
import { decideAdmission, loadAdmission } from './account.ts'
import type { Caller } from './contract.ts'
import { type Decision, type Engine, no, record } from './engine.ts'
import { numbered, settle } from './settle.ts'

const operator: Caller = { callId: '', address: '', userAgent: '' }

const at = (now: number) => ({ now, caller: operator })

/** As the operator typed it; checked like any sign-up. */
export type NewAccount = {
  readonly email: string
  readonly password: string
  readonly username?: string
  readonly name?: string
}

export type AccountOptions = {
  readonly superuser: boolean
  /** Undefined: the operator answers for the password. */
  readonly policy: Policy['password'] | undefined
}

const anyPassword: Policy['password'] = {
  minLength: 1,
  classes: [],
  refuseCommon: false,
  refusePersonal: false,
}

/** Makes an account and opens no session. */
export async function createAccount(
  engine: Engine,
  account: NewAccount,
  { superuser, policy = anyPassword }: AccountOptions,
): Promise<{ readonly user: User } | { readonly refusal: Refusal }> {
  const checked = readInput('register', account)
  if ('refusal' in checked) return checked
  const { input } = checked
  const { decision, numbers } = await settle<{ readonly user: User }>(engine, async () => {
    const facts = await loadAdmission(engine, input, policy, [])
    return now => {
      const admitted = decideAdmission(facts, input, { ...at(now), superuser, epoch: 0 })
      return 'refused' in admitted
        ? no(admitted)
        : { changes: admitted.changes, done: { user: admitted.user } }
    }
  })
  return 'refusal' in decision ? { refusal: decision.refusal } : numbered(decision.done, numbers)
}

/** Disabling ends every session at once and moves the epoch. False: there is no such user. */
export async function setActive(engine: Engine, userId: string, active: boolean): Promise<boolean> {
  const { decision } = await settle(engine, async () => {
    const account = await engine.store.account({ id: userId })
    return (now): Decision<object> => {
      if (!account) return no(refuse('user_gone'))
      if (account.user.active === active) return { changes: [], done: {} }
      return {
        changes: [
          { change: 'setActive', userId, active },
          ...(active
            ? []
            : [
                { change: 'endSessionsOf', userId, except: null, because: 'user_disabled', at: now } as const,
              ]),
          record(active ? 'user_enabled' : 'user_disabled', at(now), { userId }),
        ],
        done: {},
      }
    }
  })
  return !('refusal' in decision)
}

/** False: there is no such live session. */
export async function endSession(engine: Engine, sessionId: string, because: EndReason): Promise<boolean> {
  const { decision } = await settle(engine, async () => {
    const holder = await engine.store.holder(sessionId)
    return (now): Decision<object> =>
      holder && isLive(holder.session, now)
        ? {
            changes: [
              { change: 'endSession', sessionId, because, at: now },
              record('session_ended', at(now), { userId: holder.user.id, sessionId, detail: { because } }),
            ],
            done: {},
          }
        : no(refuse('session_not_found'))
  })
  return !('refusal' in decision)
}

/** Every live session of a user; resolves when none is left. */
export async function endSessionsOf(engine: Engine, userId: string, because: EndReason): Promise<void> {
  await settle(
    engine,
    async () =>
      (now): Decision<object> => ({
        changes: [
          { change: 'endSessionsOf', userId, except: null, because, at: now },
          record('session_ended', at(now), { userId, detail: { because, all: true } }),
        ],
        done: {},
      }),
  )
}

/**
 * Every live session of everybody that was opened before then. A restored copy of the database brings sessions back that
 * had ended since it was made; which they are, it cannot know. Resolves with how many there were.
 */
export async function endSessionsOpenedBefore(
  engine: Engine,
  openedBefore: number,
  because: EndReason,
): Promise<number> {
  const { decision } = await settle(engine, async () => {
    const count = await engine.store.sessionsOpenedBefore({ now: engine.store.now(), openedBefore })
    return (now): Decision<{ readonly count: number }> => ({
      changes: [
        { change: 'endSessionsOpenedBefore', openedBefore, because, at: now },
        record('session_ended', at(now), { detail: { because, openedBefore } }),
      ],
      done: { count },
    })
  })
  return 'refusal' in decision ? 0 : decision.done.count
}
