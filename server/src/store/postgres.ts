// The store on Postgres, through pg: a pool, named statements, one transaction on one client per commit. Knows the
// statements (reads.ts, writes.ts) only by name.
import { setTimeout as sleep } from 'node:timers/promises'
import {
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresDialect,
  PostgresIntrospector,
  PostgresQueryCompiler,
} from 'kysely'
import pg from 'pg'
import { Fault, misuse } from '../core/fault.ts'
import type { PostgresDatabase } from './database.ts'
import {
  applyMigrations,
  differences,
  migrationTable,
  pendingMigrations,
  refuseBehind,
  refuseNewer,
} from './migrations.ts'
import type { Committed, Store } from './port.ts'
import { faultOf, isClash, openingError, sqlStateOf } from './postgres-errors.ts'
import { poolConfig } from './postgres-pool.ts'
import { type All, openReads } from './reads.ts'
import type { Cell, Tables } from './schema.ts'
import type { Row } from './statement.ts'
import { openWrites, type Step } from './writes.ts'

export type PostgresOptions = {
  /** In place of the database's clock. */
  readonly clock: (() => number) | undefined
}

const { schema } = differences.postgres

/** Whoever watches is told at this pace, whether or not another server has committed: twice within the port's second. */
const watchEvery = 500

const measureEvery = 60_000

/** A commit that lost to another (deadlock, serialisation) left nothing behind: it is tried this often in all. */
const attempts = 3

/** Rejects with `Misuse` when the address or the rights are wrong, with `Fault` when nobody answers there. */
export async function openPostgres(database: PostgresDatabase, options: PostgresOptions): Promise<Store> {
  const config = poolConfig(database)
  const pool = new pg.Pool(config)
  // An idle or a borrowed connection may break at any time. The pool drops the idle one, and a query on the borrowed one
  // rejects; without a listener the event alone would end the process.
  pool.on('error', () => undefined)
  pool.on('connect', client => client.on('error', () => undefined))
  try {
    const applied = await appliedTo(pool)
    refuseNewer(applied, database.label)
    if (applied.length === 0) await refuseForeign(pool, database.label)
    const clock = options.clock ? { now: options.clock, stop: () => undefined } : await openClock(pool)
    return storeOn(pool, config, clock)
  } catch (error) {
    await pool.end()
    throw openingError(error, database)
  }
}

function storeOn(pool: pg.Pool, config: pg.PoolConfig, clock: Clock): Store {
  const db = compiling()
  const write = openWrites(db)
  const timers = new Set<NodeJS.Timeout>()
  let closing: Promise<void> | undefined

  const all: All = async (query, values) => {
    const parameters = query.bind(values)
    if (!parameters.every(isStorable)) return []
    const { rows } = await asking(
      pool.query<Record<string, Cell>>({ name: query.name, text: query.sql, values: [...parameters] }),
    )
    return rows.map(query.read)
  }

  return {
    ...openReads(db, all),
    now: clock.now,
    commit: async changes => {
      const now = clock.now()
      return commit(
        pool,
        changes.flatMap(change => write(change, now)),
      )
    },
    watch(changed) {
      const timer = setInterval(changed, watchEvery).unref()
      timers.add(timer)
      return () => {
        timers.delete(timer)
        clearInterval(timer)
      }
    },
    ready: async () => refuseBehind(await asking(appliedTo(pool))),
    pending: async () => pendingMigrations(await asking(appliedTo(pool))),
    migrate: async () =>
      pendingMigrations(await asking(appliedTo(pool))).length === 0 ? [] : migrate(config),
    close() {
      for (const timer of timers) clearInterval(timer)
      clock.stop()
      closing ??= pool.end()
      return closing
    },
  }
}

/** Only compiles: what is compiled runs on the pool. */
const compiling = (): Kysely<Tables> =>
  new Kysely<Tables>({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: open => new PostgresIntrospector(open),
      createQueryCompiler: () => new PostgresQueryCompiler(),
    },
  }).withSchema(schema)

async function asking<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer
  } catch (error) {
    throw faultOf(error)
  }
}

/** Postgres refuses a text with a zero character and an integer that is none: no row can hold either, so none is equal to it. */
const isStorable = (cell: Cell): boolean =>
  typeof cell === 'string' ? !cell.includes('\0') : cell === null || Number.isSafeInteger(cell)

async function commit(pool: pg.Pool, steps: readonly Step[]): Promise<Committed> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await transact(pool, steps)
    } catch (error) {
      if (attempt === attempts || !isClash(error)) throw faultOf(error)
      // So that those who met once do not meet again.
      await sleep(Math.random() * 50)
    }
  }
}

async function transact(pool: pg.Pool, steps: readonly Step[]): Promise<Committed> {
  const client = await pool.connect()
  // A client whose transaction did not come to its own end is not lent out again.
  let broken = true
  try {
    await client.query('begin isolation level read committed')
    const numbers = new Map<string, number>()
    for (const step of steps) {
      const { rowCount, rows } = await client.query<Row>({
        name: step.name,
        text: step.sql,
        values: [...step.parameters],
      })
      if (step.guard !== undefined && rowCount !== 1) {
        await client.query('rollback')
        broken = false
        return { committed: false, guard: step.guard }
      }
      const number = rows[0]?.number
      if (step.numbers !== undefined && typeof number === 'number') numbers.set(step.numbers, number)
    }
    await client.query('commit')
    broken = false
    return { committed: true, numbers }
  } finally {
    client.release(broken)
  }
}

/** The names of the migrations in this database; none when the table is not there. */
async function appliedTo(pool: pg.Pool): Promise<readonly string[]> {
  try {
    const { rows } = await pool.query<{ name: string }>(
      `select name from ${schema}.${migrationTable} order by name`,
    )
    return rows.map(({ name }) => name)
  } catch (error) {
    // 42P01: undefined_table
    if (sqlStateOf(error) === '42P01') return []
    throw error
  }
}

async function refuseForeign(pool: pg.Pool, label: string): Promise<void> {
  const { rows } = await pool.query(
    'select table_name from information_schema.tables where table_schema = $1 and table_name not like $2 limit 1',
    [schema, `${migrationTable}%`],
  )
  if (rows.length === 0) return
  throw misuse(
    'database',
    `the schema ${schema} of ${label} holds the tables of another program`,
    'Name another database; nothing in this one was changed',
  )
}

/** A pool of its own: waiting for another process that migrates may take longer than any other statement may. */
async function migrate(config: pg.PoolConfig): Promise<readonly string[]> {
  const pool = new pg.Pool({ ...config, max: 2, statement_timeout: false, query_timeout: 0 })
  pool.on('error', () => undefined)
  pool.on('connect', client => client.on('error', () => undefined))
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) })
  try {
    return await applyMigrations(db, differences.postgres)
  } finally {
    await db.destroy()
  }
}

type Clock = { now(): number; stop(): void }

/** The database's clock, as far as half a round trip tells: all servers on it then agree. Measured now and then, because clocks drift. */
async function openClock(pool: pg.Pool): Promise<Clock> {
  const measure = async (): Promise<number> => {
    const before = performance.now()
    const { rows } = await pool.query<{ now: number }>(
      'select (extract(epoch from clock_timestamp()) * 1000)::bigint as now',
    )
    const [row] = rows
    if (!row) throw new Fault('Postgres does not tell the time')
    return row.now - (before + performance.now()) / 2
  }
  let offset = await measure()
  const timer = setInterval(() => {
    measure().then(
      measured => {
        offset = measured
      },
      // The last measure stands; if the database is away, every call says so by itself.
      () => undefined,
    )
  }, measureEvery).unref()
  // Of this machine's clocks the one that nobody sets.
  return { now: () => Math.round(performance.now() + offset), stop: () => clearInterval(timer) }
}
