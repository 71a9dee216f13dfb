// Trying a password and making a record of a new one: in turn, counted before anything is compared, and for the same work
// whoever is asked for. Decides nothing of what a yes or a no means.
import { type Person, passwordIssues } from '../core/admission.ts'
import type { PasswordPolicy, Policy, Rate } from '../core/policy.ts'
import { type Issue, type Refusal, refuse } from '../core/refusal.ts'
import { decoyId } from '../crypto/macs.ts'
import { type Checked, HashQueueFull } from '../crypto/password.ts'
import type { Account } from '../store/port.ts'
import type { Engine } from './engine.ts'

type Busy = { readonly busy: Refusal }

/** Hashing is bounded and queued; beyond the queue the honest answer is "not now". */
export async function unlessBusy<T>(work: () => Promise<T>): Promise<T | Busy> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof HashQueueFull) return { busy: refuse('busy', { retryAfter: error.retryAfter }) }
    throw error
  }
}

export type Try = {
  readonly account: Account | undefined
  /** Who is meant, in one spelling: under this name tries are counted where there is no account. */
  readonly name: string
  readonly password: string
  /** The session by which this browser is known to the account. */
  readonly known: string | undefined
}

/**
 * Counts tries on one account, soft, so that nobody can lock another out: beyond the rate one try per pause; a browser
 * that was signed in to this account before is counted by itself.
 */
function openCount({ throttle }: Engine, rates: Policy['rates'], { account, name, known }: Try) {
  const who = account?.user.id ?? name
  const key = known === undefined ? who : `${who}:${known}`
  // Invented names are counted alike and apart: however many there are, they crowd out nobody's count.
  const counts = ['account', 'pause', 'ceiling', 'ceilingPause'] as const
  const named = (count: (typeof counts)[number]) => (account ? count : `${count} of nobody`)
  const take = (count: (typeof counts)[number], limit: Rate) => throttle.take(named(count), key, limit)
  return {
    /** Counts one try; seconds to wait if it is one too many. Only what will be compared counts towards the ceiling. */
    take: async (): Promise<number | undefined> => {
      const over = await take('account', rates.account)
      const wait = over && (await take('pause', { points: 1, per: rates.accountPause }))
      if (wait) return wait.retryAfter
      const beyond = await take('ceiling', rates.ceiling)
      return beyond && (await take('ceilingPause', { points: 1, per: rates.ceilingPause }))?.retryAfter
    },
    /** A success clears its own count and the one that strangers share. */
    forget: () =>
      Promise.all(counts.flatMap(count => [key, who].map(each => throttle.forget(named(count), each)))),
  }
}

export type Tried = {
  /** Seconds: it was one try too many, and nothing was compared. */
  readonly throttled: number | undefined
  readonly checked: Checked | Busy
}

/** Holds the password against the account's. An unknown, a disabled user and one without a password cost what a wrong one costs. */
export async function tryPassword(engine: Engine, rates: Policy['rates'], asked: Try): Promise<Tried> {
  const { account, name, password } = asked
  // Whoever has no record is answered in the time that somebody else's takes: formats differ in cost.
  const decoy = await engine.store.anyRecord(decoyId(engine.keyring.macs(engine.store.now())[0], name))
  // A disabled user's password is compared with nothing: the right one takes the time of a wrong one.
  const active = account?.user.active === true
  const count = openCount(engine, rates, asked)
  let throttled: number | undefined
  // Counted when its turn has come and before anything is compared: many guesses at once are counted one by one, and
  // many honest sign-ins at once do not wait in each other's count.
  const mayCheck = async () => {
    throttled = await count.take()
    return throttled === undefined
  }
  const checked = await unlessBusy(() =>
    engine.passwords.verify(active ? account.password : null, password, {
      mayCheck,
      decoy: account?.password ?? decoy,
    }),
  )
  if ('matches' in checked && checked.matches) await count.forget()
  return { throttled, checked }
}

export type NewRecord = {
  /** Every reason against it; while there is one, nothing is hashed. */
  readonly issues: readonly Issue[]
  readonly record: string | Busy
}

export async function makeRecord(
  engine: Engine,
  password: string,
  person: Person,
  policy: PasswordPolicy,
): Promise<NewRecord> {
  const common = policy.refuseCommon && (await engine.isCommonPassword(password))
  const issues = passwordIssues(password, person, policy, common)
  return { issues, record: issues.length > 0 ? '' : await unlessBusy(() => engine.passwords.hash(password)) }
}
