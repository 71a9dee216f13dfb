// The forms in which a password record may stand, a row each: how it is recognised, what it may cost, how a password is
// held against it. A further format is a further row. Knows no queue and no user.
import { timingSafeEqual } from 'node:crypto'
import { hash as argon2, hashRaw } from '@node-rs/argon2'

/** What new records are written as. */
export type Scheme = 'argon2id' | 'bcrypt'

/** The record's parts, by the names of its grammar's groups. */
export type Parts = Readonly<Record<string, string>>

export type Format = {
  readonly name: string
  /** Anchored at both ends. */
  readonly grammar: RegExp
  /** Sound in what the grammar cannot say, and no dearer than a server may be made to pay. */
  readonly accepts: (parts: Parts) => boolean
  /** Milliseconds that `verify` takes on the machine of `todays`; only ratios count. */
  readonly work: (parts: Parts) => number
  /** At least as strong as what `scheme` writes. */
  readonly current: (parts: Parts, scheme: Scheme) => boolean
  /** Whether the format tells this password from every other; if not, no record of it matches. */
  readonly takes: (password: string) => boolean
  readonly verify: (record: string, parts: Parts, password: string) => Promise<boolean>
}

/** OWASP's second choice for Argon2id, 19 MiB: its first (46 MiB, one pass) is as strong, and dearer in memory. */
const argon2Today = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const
const bcryptToday = 12

/** Measured side by side on one machine; how dear a record is is judged in these. */
const argon2Work = (m: number, t: number): number =>
  (11 * m * t) / (argon2Today.memoryCost * argon2Today.timeCost)
const bcryptWork = (cost: number): number => 233 * 2 ** (cost - bcryptToday)

const variants = { argon2d: 0, argon2i: 1, argon2id: 2 } as const

const unpadded = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64').replace(/=+$/, '')

const isCanonical = (base64: string): boolean => unpadded(Buffer.from(base64, 'base64')) === base64

/** RFC 9106, in the PHC string format, version 19 only. Salt of 8 to 64 bytes, tag of 16 to 64. */
const argon2Row = (name: keyof typeof variants): Format => {
  const costs = ({ m, t, p }: Parts) => ({ m: Number(m), t: Number(t), p: Number(p) })
  return {
    name,
    grammar: new RegExp(
      `^\\$${name}\\$v=19\\$m=(?<m>[1-9]\\d{0,6}),t=(?<t>[1-9]\\d?),p=(?<p>[1-9])` +
        '\\$(?<salt>[A-Za-z0-9+/]{11,86})\\$(?<tag>[A-Za-z0-9+/]{22,86})$',
    ),
    accepts: parts => {
      const { m, t, p } = costs(parts)
      const { salt = '', tag = '' } = parts
      return m >= 8 * p && m <= 262_144 && t <= 10 && p <= 8 && isCanonical(salt) && isCanonical(tag)
    },
    work: parts => argon2Work(costs(parts).m, costs(parts).t),
    current: parts =>
      name === 'argon2id' &&
      costs(parts).m >= argon2Today.memoryCost &&
      costs(parts).t >= argon2Today.timeCost,
    takes: () => true,
    verify: async (_record, parts, password) => {
      const { m, t, p } = costs(parts)
      const tag = Buffer.from(parts.tag ?? '', 'base64')
      const made = await hashRaw(password, {
        algorithm: variants[name],
        memoryCost: m,
        timeCost: t,
        parallelism: p,
        salt: Buffer.from(parts.salt ?? '', 'base64'),
        outputLen: tag.length,
      })
      return timingSafeEqual(made, tag)
    },
  }
}

/** Loaded when the first bcrypt record is met: most servers never meet one. */
const openBcrypt = () => import('@node-rs/bcrypt')

/** Beyond 72 bytes, and behind a NUL in some implementations, bcrypt does not look. */
const bcryptTakes = (password: string): boolean =>
  Buffer.byteLength(password) <= 72 && !password.includes('\0')

const bcryptRow: Format = {
  name: 'bcrypt',
  // The last character of the salt and of the hash carry four and two bits: any other one decodes to nothing, and the
  // library would answer at once. `$2x$` marks the hashes of a historic bug.
  grammar: /^\$2[aby]\$(?<cost>\d\d)\$[./A-Za-z0-9]{21}[.Oeu][./A-Za-z0-9]{30}[.CGKOSWaeimquy26]$/,
  accepts: ({ cost }) => Number(cost) >= 4 && Number(cost) <= 15,
  work: ({ cost }) => bcryptWork(Number(cost)),
  current: ({ cost }, scheme) => scheme === 'bcrypt' && Number(cost) >= bcryptToday,
  takes: bcryptTakes,
  verify: async (record, _parts, password) => (await openBcrypt()).verify(password, record),
}

export const formats: readonly Format[] = [
  argon2Row('argon2id'),
  argon2Row('argon2i'),
  argon2Row('argon2d'),
  bcryptRow,
]

export type PasswordRecord = { readonly record: string; readonly format: Format; readonly parts: Parts }

/** No format's record is longer; characters. */
const longestRecord = 512

/** Undefined: of no known format, or not acceptable as one. */
export function readPasswordRecord(record: string): PasswordRecord | undefined {
  if (record.length > longestRecord) return undefined
  for (const format of formats) {
    const parts = format.grammar.exec(record)?.groups
    if (parts) return format.accepts(parts) ? { record, format, parts } : undefined
  }
  return undefined
}

/** What a scheme writes, what it costs, how to spend a part of that. */
export type Today = {
  /** A record as the scheme writes them, of no known password. */
  readonly dummy: string
  /** The work of one hash, in `Format.work`'s milliseconds. */
  readonly work: number
  write(password: string): Promise<string>
  /** Takes about that long and tells nothing. */
  spend(work: number): Promise<void>
}

const { memoryCost, timeCost, parallelism } = argon2Today

export const todays: Readonly<Record<Scheme, Today>> = {
  argon2id: {
    dummy: `$argon2id$v=19$m=${memoryCost},t=${timeCost},p=${parallelism}$${'A'.repeat(22)}$${'A'.repeat(43)}`,
    work: argon2Work(memoryCost, timeCost),
    write: password => argon2(password, argon2Today),
    async spend(work) {
      const share = Math.floor((memoryCost * work) / argon2Work(memoryCost, timeCost))
      if (share >= 8) await hashRaw('', { ...argon2Today, memoryCost: share, salt: Buffer.alloc(16) })
    },
  },
  bcrypt: {
    dummy: `$2b$${bcryptToday}$${'.'.repeat(53)}`,
    work: bcryptWork(bcryptToday),
    // A password that bcrypt would cut short gets the stronger record rather than a refusal.
    write: async password =>
      bcryptTakes(password)
        ? (await openBcrypt()).hash(password, bcryptToday)
        : todays.argon2id.write(password),
    async spend(work) {
      // Each cost is twice the one below: the right ones add up to anything.
      let left = work
      const { hash } = await openBcrypt()
      for (let cost = bcryptToday - 1; cost >= 4; cost--) {
        if (left < bcryptWork(cost)) continue
        left -= bcryptWork(cost)
        await hash('', cost)
      }
    },
  },
}
