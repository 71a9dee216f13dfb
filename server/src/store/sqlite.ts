// The store on SQLite, through node:sqlite: one connection, synchronous statements, group commit. Knows which file
// (sqlite-file.ts) and which statements (reads.ts, writes.ts) only by name.
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { Kysely, SqliteDialect } from 'kysely'
import type { SqliteDatabase } from './database.ts'
import {
  applyMigrations,
  differences,
  migrationTable,
  pendingMigrations,
  refuseBehind,
  refuseNewer,
} from './migrations.ts'
import type { Store } from './port.ts'
import { type All, openReads } from './reads.ts'
import type { Cell, Tables } from './schema.ts'
import { openCommits } from './sqlite-commits.ts'
import { code, faultOf, resultOf } from './sqlite-errors.ts'
import { type OpenFile, openFile, servingTimeout, tune } from './sqlite-file.ts'
import { openWrites } from './writes.ts'

export type SqliteOptions = {
  readonly clock: () => number
  /** Refuse when another process serves the file, and refuse others from now on. */
  readonly exclusive: boolean
}

/** How often another process's commits are looked for. Four looks before the second is over that the port promises. */
const watchEvery = 250

/** Throws `Misuse` when the file cannot be ours, `Fault` when it does not answer. */
export function openSqlite({ path, label }: SqliteDatabase, { clock, exclusive }: SqliteOptions): Store {
  const { database, close } = path === null ? openMemory() : openFile(path, exclusive)
  database.exec(`pragma busy_timeout = ${servingTimeout}`)
  const prepare = prepareOnce(database)
  const db = kyselyOver(prepare)
  const commits = openCommits(database, prepare)
  const write = openWrites(db)
  const timers = new Set<NodeJS.Timeout>()

  const all: All = async (query, values) => {
    try {
      // STRICT tables hold nothing but texts, integers and nulls.
      const rows = prepare(query.sql).all(...query.bind(values)) as Record<string, Cell>[]
      return rows.map(query.read)
    } catch (error) {
      throw faultOf(error)
    }
  }
  const applied = () => appliedTo(database)

  const store: Store = {
    ...openReads(db, all),
    now: clock,
    commit: async changes => {
      const now = clock()
      return commits.commit(changes.flatMap(change => write(change, now)))
    },
    watch(changed) {
      // A database in memory has one connection: this one.
      if (path === null) return () => undefined
      const timer = watchVersion(prepare, changed)
      timers.add(timer)
      return () => {
        timers.delete(timer)
        clearInterval(timer)
      }
    },
    ready: async () => refuseBehind(asking(applied)),
    pending: async () => pendingMigrations(asking(applied)),
    migrate: () => commits.alone(() => migrate(database, db)),
    async close() {
      for (const timer of timers) clearInterval(timer)
      commits.close()
      close()
    },
  }
  try {
    refuseNewer(asking(applied), label)
    return store
  } catch (error) {
    close()
    throw error
  }
}

function openMemory(): OpenFile {
  const database = new DatabaseSync(':memory:')
  tune(database)
  return { database, close: () => database.isOpen && database.close() }
}

/** node:sqlite keeps no cache of its own; the set of statements is fixed, so this one needs no bound. */
function prepareOnce(database: DatabaseSync): (sql: string) => StatementSync {
  const prepared = new Map<string, StatementSync>()
  return sql => {
    const known = prepared.get(sql)
    if (known) return known
    const statement = database.prepare(sql)
    prepared.set(sql, statement)
    return statement
  }
}

/** Kysely compiles, and runs migrations; it never closes the database. */
function kyselyOver(prepare: (sql: string) => StatementSync): Kysely<Tables> {
  const statementFor = (sql: string) => {
    const statement = prepare(sql)
    return {
      reader: statement.columns().length > 0,
      all: (parameters: readonly unknown[]) => statement.all(...(parameters as Cell[])),
      run: (parameters: readonly unknown[]) => statement.run(...(parameters as Cell[])),
      iterate: (parameters: readonly unknown[]) => statement.iterate(...(parameters as Cell[])),
    }
  }
  return new Kysely({
    dialect: new SqliteDialect({ database: { prepare: statementFor, close: () => undefined } }),
  })
}

function asking<T>(ask: () => T): T {
  try {
    return ask()
  } catch (error) {
    throw faultOf(error)
  }
}

/** Prepared anew each time: before the first migration the table is not there. */
function appliedTo(database: DatabaseSync): readonly string[] {
  const there = database.prepare('select 1 from sqlite_schema where name = ?').get(migrationTable)
  if (!there) return []
  return database
    .prepare(`select name from ${migrationTable} order by name`)
    .all()
    .map(({ name }) => String(name))
}

/** One transaction around looking and applying: another process waits, then finds nothing to do. */
async function migrate(database: DatabaseSync, db: Kysely<Tables>): Promise<readonly string[]> {
  if (asking(() => pendingMigrations(appliedTo(database))).length === 0) return []
  await beginAlone(database)
  try {
    const names = await applyMigrations(db, differences.sqlite)
    database.exec('commit')
    return names
  } catch (error) {
    if (database.isTransaction) database.exec('rollback')
    throw faultOf(error)
  }
}

/** SQLite waits with the event loop, and the one it waits for may need that loop: waits between tries instead, for 10 s. */
async function beginAlone(database: DatabaseSync): Promise<void> {
  const patience = Date.now() + 10_000
  for (;;) {
    try {
      database.exec(`pragma busy_timeout = 0; begin immediate; pragma busy_timeout = ${servingTimeout}`)
      return
    } catch (error) {
      database.exec(`pragma busy_timeout = ${servingTimeout}`)
      if (resultOf(error) !== code.busy || Date.now() > patience) throw faultOf(error)
      await sleep(20)
    }
  }
}

/** `data_version` moves when another connection has committed: https://www.sqlite.org/pragma.html#pragma_data_version. */
function watchVersion(prepare: (sql: string) => StatementSync, changed: () => void): NodeJS.Timeout {
  const version = () => prepare('pragma data_version').get()?.data_version
  let seen = version()
  const look = () => {
    try {
      const found = version()
      if (found === seen) return
      seen = found
    } catch {
      // Whoever is told reads the store, and that read fails as loudly as this one did.
    }
    changed()
  }
  return setInterval(look, watchEvery).unref()
}
