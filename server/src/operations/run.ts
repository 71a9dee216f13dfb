// The table of operations, and check → load → decide → commit → mint for every one of them alike.
import { readInput } from '../core/input.ts'
import { mayAct } from '../core/session.ts'
import { register, signIn, signUp } from './account.ts'
import type { Done, Manner, OperationName, Request, Result } from './contract.ts'
import { type Engine, type Operation, type Step, step } from './engine.ts'
import { mint } from './mint.ts'
import { readPresented } from './presented.ts'
import { csrf, refresh, signOut } from './session.ts'
import { numbered, settle } from './settle.ts'
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

    const { decision, numbers, now } = await settle<O>(engine, async () => {
      const decide = await load(engine, asked)
      return at => decide({ now: at, policy: manner.policy, manner, caller })
    })
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
