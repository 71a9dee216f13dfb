// Opens the store that an address names: the one place that knows both drivers.
import type { Database } from './database.ts'
import type { Store } from './port.ts'
import { openSqlite } from './sqlite.ts'

export type StoreOptions = {
  /** Epoch milliseconds; without it this machine's clock on SQLite, the database's on Postgres. */
  readonly clock?: () => number
  /** For a server: refuse a SQLite file that another server serves. Default false, for commands. */
  readonly exclusive?: boolean
}

/**
 * Opens the database, and creates a SQLite file that is not there; migrates nothing. Rejects with `Misuse` when only the
 * operator can help (a missing folder, a damaged file, another program's database, a newer schema, a wrong password),
 * with `Fault` when nobody answers.
 */
export async function openStore(database: Database, options: StoreOptions = {}): Promise<Store> {
  const { clock, exclusive = false } = options
  if (database.kind === 'sqlite') return openSqlite(database, { clock: clock ?? Date.now, exclusive })
  // Loaded when it is needed: most servers never speak to Postgres.
  const { openPostgres } = await import('./postgres.ts')
  return openPostgres(database, { clock })
}
