// What services follow is read by its index on both stores, however many sessions there are: the reading touches no row
// that is live, and none that ended before.
import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { after, test } from 'node:test'
import {
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely'
import pg from 'pg'
import { openStore } from '../../src/store/open.ts'
import type { Store } from '../../src/store/port.ts'
import { openReads } from '../../src/store/reads.ts'
import type { Tables } from '../../src/store/schema.ts'
import { newSession, newUser, noon } from './people.ts'
import { databaseAt, freshDatabase, startPostgres } from './stores.ts'

const sessions = 2000

/** One of ten has ended, a second after another. */
async function fill(store: Store): Promise<void> {
  await store.migrate()
  const user = newUser('ada')
  await store.commit([{ change: 'createUser', user, password: null }])
  for (let start = 0; start < sessions; start += 1000) {
    await store.commit(
      Array.from({ length: 1000 }, (_, i) => {
        const at = start + i
        const ended = at % 10 === 0 ? { endedAt: noon + at * 1000, endedBecause: 'signed_out' as const } : {}
        return { change: 'openSession', session: newSession(`s${at}`, 'ada', ended) } as const
      }),
    )
  }
}

const newest = { after: noon + (sessions - 100) * 1000, limit: 10_001 }

/** The statement as the store asks it. */
async function statementOf(db: Kysely<Tables>): Promise<string> {
  let asked = ''
  const reads = openReads(db, async query => {
    asked = query.sql
    return []
  })
  await reads.endedSince(newest)
  return asked
}

const sqlite = new Kysely<Tables>({
  dialect: {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: db => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  },
})

const onPostgres = new Kysely<Tables>({
  dialect: {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: db => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  },
}).withSchema('rusk')

test('sqlite reads what has ended by its index, in its order', async t => {
  const url = await freshDatabase.sqlite(t)
  const store = await openStore(databaseAt(url), {})
  await fill(store)
  assert.equal((await store.endedSince(newest)).length, 9)
  const database = new DatabaseSync(url.replace('sqlite:', ''))
  const explain = database.prepare(`explain query plan ${await statementOf(sqlite)}`)
  const plan = explain.all(newest.after, newest.limit)
  database.close()
  await store.close()
  assert.deepEqual(
    plan.map(({ detail }) => detail),
    ['SEARCH sessions USING COVERING INDEX sessions_ended (ended_at>?)'],
  )
})

const postgres = await startPostgres()
after(() => postgres.stop())

test('postgres reads what has ended by its index, in its order', async () => {
  const url = await postgres.url('plan')
  const store = await openStore(databaseAt(url), {})
  await fill(store)
  assert.equal((await store.endedSince(newest)).length, 9)
  await store.close()
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query('vacuum analyze rusk.sessions')
  // Prepared, as the store's own statements are: the plan may not lean on the values.
  await client.query('set plan_cache_mode = force_generic_plan')
  await client.query(`prepare ended (bigint, bigint) as ${await statementOf(onPostgres)}`)
  const { rows } = await client.query<{ 'QUERY PLAN': string }>(
    `explain (analyze, buffers, timing off) execute ended(${newest.after}, ${newest.limit})`,
  )
  await client.end()
  const plan = rows.map(row => row['QUERY PLAN']).join('\n')
  assert.match(plan, /Index Only Scan Backward using sessions_ended/, plan)
  assert.doesNotMatch(plan, /Sort|Seq Scan/, plan)
})
