// Holds passwords against records and writes new ones, so that neither answer nor time tells more than yes or no.
// Knows the formats as a table (hash-formats.ts) and no user.
import { availableParallelism } from 'node:os'
import { type PasswordRecord, readPasswordRecord, type Scheme, type Today, todays } from './hash-formats.ts'
import { createHashQueue } from './hash-queue.ts'

export { HashQueueFull } from './hash-queue.ts'

export type PasswordsOptions = {
  /** What new records are written as; every known format is read under either. */
  readonly scheme: Scheme
  /** Hashes at once. Default: one less than there are processors, at least 1. */
  readonly concurrency?: number
  /** Hashes that may wait. Default 128; new records take half of that at most. */
  readonly queue?: number
}

export type Checked = {
  readonly matches: boolean
  /** It matches, and a record written now would be stronger. */
  readonly stale: boolean
  /** The record is of no known format, or dearer than any server should pay. */
  readonly malformed: boolean
}

export type VerifyOptions = {
  /** Asked when the turn has come, right before anything is compared: a no compares nothing. */
  readonly mayCheck?: () => Promise<boolean>
  /** A record of somebody: where there is none of their own, the work is done against this one, and the answer is no. */
  readonly decoy?: string | undefined
}

export type Passwords = {
  /**
   * A new record. Under `bcrypt` a password beyond 72 bytes or with a NUL gets an Argon2id record. Rejects with
   * `HashQueueFull`, and with a RangeError what may never be a password: ill-formed text, more than 1024 bytes.
   */
  hash(password: string): Promise<string>
  /** Null: there is no record, which takes as long as a wrong password. Rejects with `HashQueueFull`, and as `mayCheck` does. */
  verify(record: string | null, password: string, options?: VerifyOptions): Promise<Checked>
}

const mostBytes = 1024

/** Two different lone surrogates are the same bytes in UTF-8, so no hash tells them apart. */
const isHashable = (password: string): boolean =>
  password.isWellFormed() && Buffer.byteLength(password) <= mostBytes

/** What will be done for one check, decided before anything is hashed. */
export type HashPlan = {
  readonly against: PasswordRecord
  /** Whether a yes counts; if not, the work is done for its time alone. */
  readonly counts: boolean
  readonly malformed: boolean
  readonly stale: boolean
  /** Work to add to a "no", so that a cheap record takes as long as today's. A dearer one cannot be hidden: it goes at the next sign-in. */
  readonly rest: number
}

/** No record, a malformed one and a password that the format cannot take all cost what a wrong password costs. */
export function decideHashPlan(
  record: string | null,
  password: string,
  scheme: Scheme,
  decoy?: string,
): HashPlan {
  const today = todays[scheme]
  const read = record === null ? undefined : readPasswordRecord(record)
  const somebodys = record === null && decoy !== undefined ? readPasswordRecord(decoy) : undefined
  const against = read ?? somebodys ?? openDummy(today)
  return {
    against,
    counts: read !== undefined && isHashable(password) && against.format.takes(password),
    malformed: record !== null && read === undefined,
    stale: !against.format.current(against.parts, scheme),
    rest: Math.max(0, today.work - against.format.work(against.parts)),
  }
}

function openDummy(today: Today): PasswordRecord {
  const dummy = readPasswordRecord(today.dummy)
  if (!dummy) throw new Error('The dummy record is not one of a known format')
  return dummy
}

async function check(plan: HashPlan, password: string, today: Today): Promise<Checked> {
  const { record, format, parts } = plan.against
  const verified = await format.verify(record, parts, plan.counts ? password : '')
  const matches = plan.counts && verified
  if (!matches) await today.spend(plan.rest)
  return { matches, stale: matches && plan.stale, malformed: plan.malformed }
}

export function createPasswords(options: PasswordsOptions): Passwords {
  const { scheme, concurrency = Math.max(1, availableParallelism() - 1), queue = 128 } = options
  const today = todays[scheme]
  const inTurn = createHashQueue({ concurrency, places: queue })
  return {
    async hash(password) {
      if (!isHashable(password)) {
        throw new RangeError(`A password is well-formed Unicode of ${mostBytes} bytes at most`)
      }
      return inTurn('write', () => today.write(password))
    },
    async verify(record, password, { mayCheck = async () => true, decoy } = {}) {
      const plan = decideHashPlan(record, password, scheme, decoy)
      return inTurn('check', async () =>
        (await mayCheck())
          ? check(plan, password, today)
          : { matches: false, stale: false, malformed: plan.malformed },
      )
    },
  }
}
