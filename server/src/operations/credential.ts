// Trying a password and making a record of a new one: in turn, counted before anything is compared, and for the same work
// whoever is asked for. Decides nothing of what a yes or a no means.
import { type Person, passwordIssues } from '../core/admission.ts'
import type { PasswordPolicy, Policy, Rate } from '../core/policy.ts'
import { type Issue, type Refusal, refuse } from '../core/refusal.ts'
import { decoyId } from '../crypto/macs.ts'
import { type Checked, HashQueueFull, type Passwords } from '../crypto/password.ts'
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

const counts = ['account', 'pause', 'ceiling', 'ceilingPause'] as const

/**
 * Under what tries on one account are counted, soft, so that nobody can lock another out: beyond the rate one try per
 * pause; a browser that was signed in to this account before is counted by itself.
 */
function countOf({ account, name, known }: Try) {
  const who = account?.user.id ?? name
  const key = known === undefined ? who : `${who}:${known}`
  // Invented names are counted alike and apart: however many there are, they crowd out nobody's count.
  const named = (count: (typeof counts)[number]) => (account ? count : `${count} of nobody`)
  return { who, key, named }
}

/** Counts one try; seconds to wait if it is one too many. Only what will be compared counts towards the ceiling. */
async function takeTry(
  { throttle }: Engine,
  rates: Policy['rates'],
  asked: Try,
): Promise<number | undefined> {
  const { key, named } = countOf(asked)
  const take = (count: (typeof counts)[number], limit: Rate) => throttle.take(named(count), key, limit)
  const over = await take('account', rates.account)
  const wait = over && (await take('pause', { points: 1, per: rates.accountPause }))
  if (wait) return wait.retryAfter
  const beyond = await take('ceiling', rates.ceiling)
  return beyond && (await take('ceilingPause', { points: 1, per: rates.ceilingPause }))?.retryAfter
}

/** A success clears its own count and the one that strangers share. What counts as one, the operation says. */
export async function forgetTries({ throttle }: Engine, asked: Try): Promise<void> {
  const { who, key, named } = countOf(asked)
  await Promise.all(counts.flatMap(count => [key, who].map(each => throttle.forget(named(count), each))))
}

export type Tried = {
  /** Seconds: it was one try too many, and nothing was compared. */
  readonly throttled: number | undefined
  readonly checked: Checked | Busy
}

/**
 * Counts a try and holds the password against the account's. An unknown, a disabled user and one without a password cost
 * what a wrong one costs. Forgets no count.
 */
export async function tryPassword(engine: Engine, rates: Policy['rates'], asked: Try): Promise<Tried> {
  const { account, name, password } = asked
  // Whoever has no record is answered in the time that somebody else's takes: formats differ in cost.
  const decoy = await engine.store.anyRecord(decoyId(engine.keyring.macs(engine.store.now())[0], name))
  // A disabled user's password is compared with nothing: the right one takes the time of a wrong one.
  const active = account?.user.active === true
  let throttled: number | undefined
  // Counted when its turn has come and before anything is compared: many guesses at once are counted one by one, and
  // many honest sign-ins at once do not wait in each other's count.
  const mayCheck = async () => {
    throttled = await takeTry(engine, rates, asked)
    return throttled === undefined
  }
  const checked = await unlessBusy(() =>
    engine.passwords.verify(active ? account.password : null, password, {
      mayCheck,
      decoy: account?.password ?? decoy,
    }),
  )
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

/**
 * For one call and no longer: what was hashed in one round of it is not hashed again in the next, which somebody else's
 * commit has caused. The same record and password give the same answer, and are one try.
 */
export function rememberPasswords(passwords: Passwords): Passwords {
  const checks = new Map<string, Checked>()
  const records = new Map<string, string>()
  return {
    async verify(record, password, options) {
      const key = JSON.stringify([record, password])
      const checked = checks.get(key) ?? (await passwords.verify(record, password, options))
      // A no is not kept: it may be that nothing was compared.
      if (checked.matches) checks.set(key, checked)
      return checked
    },
    async hash(password) {
      const made = records.get(password) ?? (await passwords.hash(password))
      records.set(password, made)
      return made
    },
  }
}
