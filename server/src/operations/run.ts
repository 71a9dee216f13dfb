// The table of operations, and check → load → decide → commit → mint for every one of them alike.
import type { AccessClaims } from '@rusk/verify/floor'
import { readInput } from '../core/input.ts'
import { refuse } from '../core/refusal.ts'
import { mayAct } from '../core/session.ts'
import { register, signIn, signUp } from './account.ts'
import { type Done, type OperationName, type Request, type Result, unconcerned } from './contract.ts'
import { rememberPasswords } from './credential.ts'
import { type At, type Engine, type Loading, loading, no, type Operation, record } from './engine.ts'
import { exchange } from './exchange.ts'
import { mint } from './mint.ts'
import { changePassword } from './password.ts'
import { readPresented } from './presented.ts'
import { csrf, refresh, signOut } from './session.ts'
import { numbered, settle } from './settle.ts'
import { endOtherSessions, endSession, isOfUser, listSessions, nameCaller, whoAmI } from './signed-in.ts'

const health: Operation<'health', undefined> = {
  load: async () => undefined,
  decide: () => ({ changes: [], done: {} }),
}

const loads: { readonly [O in OperationName]: Loading<O> } = {
  register: loading(register),
  signUp: loading(signUp),
  signIn: loading(signIn),
  exchange: loading(exchange),
  refresh: loading(refresh),
  signOut: loading(signOut),
  whoAmI: loading(whoAmI),
  listSessions: loading(listSessions),
  endSession: loading(endSession),
  endOtherSessions: loading(endOtherSessions),
  changePassword: loading(changePassword),
  csrf: loading(csrf),
  health: loading(health),
}

/** Anybody can send a conflict, and by GET: one a second is written down, the others are refused all the same. */
async function noteConflict(engine: Engine, at: Pick<At, 'now' | 'caller'>): Promise<void> {
  const enough = await engine.throttle.take('conflict', '', { points: 60, per: 60_000 })
  if (enough) return
  const event = record('cookie_conflict', at, {})
  await settle(engine, async () => () => ({ changes: [event], done: {} }))
}

/** Runs one operation to its end. Rejects with a `Fault` only; every "no" is a value. */
export const createRun =
  (engine: Engine) =>
  async <O extends OperationName>(request: Request<O>): Promise<Result<O>> => {
    const { does, manner, caller } = request
    const checked = readInput(does, request.input)
    if ('refusal' in checked) return checked
    const load = loads[does]
    const forCall = { ...engine, passwords: rememberPasswords(engine.passwords) }
    const asked = {
      input: checked.input,
      presented: readPresented(engine, request.carried, manner.policy.skew),
      caller,
      manner,
    }

    const hostile = request.carried.conflict && !unconcerned.has(does)
    const { decision, numbers, now } = await settle<Done[O]>(engine, async () => {
      if (hostile) return () => no(refuse('cookie_conflict'))
      const decide = await load(forCall, asked)
      return at => decide({ now: at, policy: manner.policy, manner, caller })
    })
    if ('refusal' in decision) {
      if (decision.refusal.refused === 'cookie_conflict') await noteConflict(engine, { now, caller })
      return { refusal: decision.refusal }
    }
    const access = decision.mint?.access
    const wanted = access ? { ...decision.mint, access: numbered(access, numbers) } : decision.mint
    const done = 'user' in decision.done ? numbered(decision.done, numbers) : decision.done
    return { done: done as Done[O], tokens: mint(engine, manner, wanted, now) }
  }

/**
 * The same answer as `whoAmI` without a promise, when everything about it is remembered; undefined: ask `run`. The result
 * is the same object until something about it changes. Never says no.
 */
export function createRecall(
  engine: Engine,
): (accessText: string, signInText: string | undefined) => Done['whoAmI'] | undefined {
  /** By the claims of a token that is remembered. */
  const named = new WeakMap<AccessClaims, Done['whoAmI']>()
  return (accessText, signInText) => {
    const claims = engine.memory.claims(accessText)
    const holder = claims && engine.memory.holder(claims.sid)
    if (!holder) return undefined
    const now = engine.store.now()
    if (now >= claims.exp * 1000 || !mayAct(holder, now)) return undefined
    if (signInText !== undefined && !signInText.startsWith(`${claims.sid}.`)) return undefined
    if (!isOfUser(claims, holder.user)) return undefined
    const known = named.get(claims)
    if (known && known.user === holder.user && known.session === holder.session) return known
    const caller = nameCaller(holder, claims.exp)
    named.set(claims, caller)
    return caller
  }
}
