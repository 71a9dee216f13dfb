// Which secrets seal keys at rest, and how the one in use is replaced: the option, else a key file, else a shared JWT
// key. Knows no key.
import { type Misuse, misuse } from './core/fault.ts'
import { newSecret, readKeyFile, rotateKeyFile, type Secrets } from './key-file.ts'

export type Sealing = {
  /** For people: `RUSK_SECRET`, or the path of the key file. */
  readonly keptIn: string
  /** The first seals, all open. Read again each time: another process may have replaced them. */
  secrets(): Promise<Secrets>
  /**
   * Replaces the secret, or goes over to the one that an operator has set. `reseal` seals every key with the first of
   * `secrets()`. Resolves with what it does; throws `Misuse` where there is nothing to go over to.
   */
  rotate(reseal: () => Promise<number>): Promise<number>
}

export type SealingFacts = {
  readonly secret: string | undefined
  readonly previous: string | undefined
  readonly jwtKey: string | undefined
  readonly production: boolean
  /** `path`: of the SQLite file; null: in memory. */
  readonly database: { readonly kind: 'sqlite'; readonly path: string | null } | { readonly kind: 'postgres' }
  readonly hasKeys: () => Promise<boolean>
}

/** Throws `Misuse` when nothing seals. */
export function findSealing(facts: SealingFacts): Sealing {
  const { secret, previous, jwtKey, production, database } = facts
  const earlier = previous === undefined ? [] : [previous]
  const given = (keptIn: string, text: string): Sealing => ({
    keptIn,
    secrets: async () => [text, ...earlier],
    rotate: reseal => (previous === undefined ? Promise.reject(nothingElse(keptIn)) : reseal()),
  })
  const file = (path: string): Sealing => ({
    keptIn: path,
    secrets: async () => {
      const read = await readKeyFile(path, { mayMake: !(await facts.hasKeys()), strict: production })
      return [...read, ...earlier]
    },
    rotate: reseal => rotateKeyFile(path, reseal),
  })
  if (secret !== undefined) return given('RUSK_SECRET', secret)
  if (database.kind === 'sqlite') return database.path === null ? inMemory() : file(`${database.path}.key`)
  if (jwtKey !== undefined) return given('JWT_SECRET_KEY', jwtKey)
  if (!production) return file('./rusk.key')
  throw misuse(
    'secret',
    'nothing seals the keys in the database',
    'Set RUSK_SECRET to a secret made with: openssl rand -base64 48',
  )
}

const nothingElse = (keptIn: string): Misuse =>
  misuse(
    keptIn,
    'it seals the keys, and nothing says what is to take its place',
    `Set RUSK_SECRET_PREVIOUS to what ${keptIn} is now and ${keptIn} to a new secret (openssl rand -base64 48), ` +
      'start every server with both, and run this again',
  )

function inMemory(): Sealing {
  const secret = newSecret()
  return {
    keptIn: 'memory',
    secrets: async () => [secret],
    rotate: async () => {
      throw misuse(
        'database',
        'what is in memory is sealed anew at each start',
        'Name the database that a server uses',
      )
    },
  }
}
