// check → load → decide → commit → mint, for every operation alike. A guard that touches no row means that the world has
// moved on since load: load and decide again. This loop is all the concurrency control there is.
import { Fault } from '../core/fault.ts'
import { readInput } from '../core/input.ts'
import type { User } from '../core/model.ts'
import { mayAct } from '../core/session.ts'
import { register, signIn, signUp } from './account.ts'
import type { Done, Manner, OperationName, Request, Result } from './contract.ts'
import { type Decision, type Engine, type Operation, type Step, step } from './engine.ts'
import { mint } from './mint.ts'
import { readPresented } from './presented.ts'
import { csrf, refresh, signOut } from './session.ts'
import { endOtherSessions, endSession, listSessions, whoAmI } from './signed-in.ts'

const health: Operation<'health', undefined> = {
  load: async () => undefined,
  decide: () => ({ changes: [], done: {} }),
}

const steps: { readonly [O in OperationName]: Step<O> } = {
  register: step(register),
  signUp: step(signUp),
  signIn: step(signIn),
  refresh: step(refresh),
  signOut: step(signOut),
  whoAmI: step(whoAmI),
  listSessions: step(listSessions),
  endSession: step(endSession),
  endOtherSessions: step(endOtherSessions),
  csrf: step(csrf),
  health: step(health),
}

/** After a failed guard the second round changes nothing or meets a settled row; more rounds mean that something is wrong. */
const rounds = 4

type Decided<O extends OperationName> = {
  readonly decision: Decision<O>
  readonly numbers: ReadonlyMap<string, number>
  readonly now: number
}

/** The store gives a new user its number; nobody has seen the user before. */
const numbered = <T extends { readonly user: User }>(holder: T, numbers: ReadonlyMap<string, number>): T => {
  const number = numbers.get(holder.user.id)
  return number === undefined ? holder : { ...holder, user: { ...holder.user, number } }
}

/** Runs one operation to its end. Rejects with a `Fault` only; every "no" is a value. */
export const createRun =
  (engine: Engine) =>
  async <O extends OperationName>(request: Request<O>): Promise<Result<O>> => {
    const { does, manner, caller } = request
    const checked = readInput(does, request.input)
    if ('refusal' in checked) return checked
    const load = steps[does]
    const asked = {
      input: checked.input,
      presented: readPresented(engine, request.carried, manner.policy.skew),
      caller,
      manner,
    }

    const settle = async (): Promise<Decided<O>> => {
      for (let round = 0; round < rounds; round++) {
        const decide = await load(engine, asked)
        const now = engine.store.now()
        const decision = decide({ now, policy: manner.policy, manner, caller })
        if (decision.changes.length === 0) return { decision, now, numbers: new Map() }
        const committed = await engine.store.commit(decision.changes)
        engine.memory.forget(decision.changes)
        if (committed.committed) return { decision, now, numbers: committed.numbers }
      }
      throw new Fault(`${does} was overtaken ${rounds} times`, { retryAfter: 1 })
    }

    const { decision, numbers, now } = await settle()
    if ('refusal' in decision) return { refusal: decision.refusal }
    const access = decision.mint?.access
    const wanted = access ? { ...decision.mint, access: numbered(access, numbers) } : decision.mint
    const done = 'user' in decision.done ? numbered(decision.done, numbers) : decision.done
    return { done: done as Done[O], tokens: mint(engine, manner, wanted, now) }
  }

/**
 * The same answer as `whoAmI` without a promise, when everything about it is remembered; undefined: ask `run`. The result
 * is the same object until something about it changes. Never says no.
 */
export const createRecall =
  (engine: Engine) =>
  (accessText: string, signInText: string | undefined, _manner: Manner): Done['whoAmI'] | undefined => {
    const claims = engine.memory.claims(accessText)
    const holder = claims && engine.memory.holder(claims.sid)
    if (!holder) return undefined
    const now = engine.store.now()
    if (now >= claims.exp * 1000 || !mayAct(holder, now)) return undefined
    if (signInText !== undefined && !signInText.startsWith(`${claims.sid}.`)) return undefined
    return claims.sub === holder.user.id || claims.sub === String(holder.user.number) ? holder : undefined
  }
