// The shape of an operation: load reads the store and does the slow sums, decide is pure. Says nothing of any one of them.
import type { ClaimField } from '../core/admission.ts'
import type { Change } from '../core/change.ts'
import type { Event, EventType, Holder, LetterKind, User } from '../core/model.ts'
import type { Policy } from '../core/policy.ts'
import type { Refusal } from '../core/refusal.ts'
import type { SigningKey } from '../crypto/keys.ts'
import type { Passwords } from '../crypto/password.ts'
import type { Store, Throttle } from '../store/port.ts'
import type { Caller, Done, Input, Manner, OperationName } from './contract.ts'
import type { Judge, Presentation } from './presented.ts'

/** How tokens of the old system are checked, and whom they name. */
export type Bridge = {
  readonly key: SigningKey
  /** The claim that names the user … */
  readonly claim: string
  /** … and what of the user it holds. */
  readonly field: ClaimField
}

/** The parts that operations are given. */
export type Engine = Judge & {
  readonly store: Store
  readonly throttle: Throttle
  readonly passwords: Passwords
  /** Undefined: nothing is exchanged. */
  readonly bridge: Bridge | undefined
  readonly isCommonPassword: (password: string) => Promise<boolean>
  /** 127 random bits, base64url; begins with a letter. */
  readonly newId: () => string
  /** Told each audit event when it is durable. */
  readonly onEvent: (event: Event) => void
}

/** One call, checked and authenticated as far as texts can be. */
export type Asked<O extends OperationName> = {
  readonly input: Input<O>
  readonly presented: Presentation
  readonly caller: Caller
  readonly manner: Manner
}

/** What to mint once the commit is durable. */
export type Mint = {
  /** Access token for this session. */
  readonly access?: Holder
  /** The number to send as refresh token: only the answer whose commit made it may. */
  readonly refresh?: number
  /** Write the sign-in cookie too: only where a session is opened. */
  readonly signIn?: true
  /** CSRF token bound to this session, or to none. */
  readonly csrf?: { readonly sessionId: string | null; readonly keep?: string | undefined }
  readonly clear?: true
}

export type Decision<D> = {
  readonly changes: readonly Change[]
} & ({ readonly done: D; readonly mint?: Mint } | { readonly refusal: Refusal })

/** What decide may know besides the facts. */
export type At = {
  readonly now: number
  readonly policy: Policy
  readonly manner: Manner
  readonly caller: Caller
}

export type Operation<O extends OperationName, Facts> = {
  load(engine: Engine, asked: Asked<O>): Promise<Facts>
  decide(facts: Facts, input: Input<O>, at: At): Decision<Done[O]>
}

/** An operation with its facts kept between its own two halves: load, and what then decides. */
export type Loading<O extends OperationName> = (
  engine: Engine,
  asked: Asked<O>,
) => Promise<(at: At) => Decision<Done[O]>>

export const loading =
  <O extends OperationName, Facts>(operation: Operation<O, Facts>): Loading<O> =>
  async (engine, asked) => {
    const facts = await operation.load(engine, asked)
    return at => operation.decide(facts, asked.input, at)
  }

export const no = (refusal: Refusal, changes: readonly Change[] = []): Decision<never> => ({
  refusal,
  changes,
})

/** An audit event as a change. */
export const record = (
  type: EventType,
  at: Pick<At, 'now' | 'caller'>,
  about: { userId?: string | null; sessionId?: string | null; detail?: Event['detail'] },
): Change => ({
  change: 'record',
  event: {
    type,
    at: at.now,
    userId: about.userId ?? null,
    sessionId: about.sessionId ?? null,
    address: at.caller.address,
    callId: at.caller.callId,
    ...(about.detail === undefined ? {} : { detail: about.detail }),
  },
})

/** A letter to the address that the user has now, as a change. */
export const letter = (kind: LetterKind, at: Pick<At, 'now' | 'caller'>, { id, email }: User): Change => ({
  change: 'queueLetter',
  letter: {
    kind,
    userId: id,
    to: email,
    at: at.now,
    address: at.caller.address,
    userAgent: at.caller.userAgent,
  },
})
