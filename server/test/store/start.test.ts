// What is wrong at start is said in a sentence, and nothing is damaged.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import pg from 'pg'
import { Fault, Misuse } from '../../src/core/fault.ts'
import { openStore } from '../../src/store/open.ts'
import { newUser } from './people.ts'
import { startHolder } from './processes.ts'
import { databaseAt, folderFor, freshDatabase } from './stores.ts'

async function makeOurs(file: string): Promise<void> {
  const store = await openStore(databaseAt(`sqlite:${file}`))
  await store.migrate()
  for (let i = 0; i < 50; i++) {
    await store.commit([{ change: 'createUser', user: newUser(`user ${i}`), password: 'x'.repeat(200) }])
  }
  await store.close()
}

function execIn(file: string, sql: string): void {
  const database = new DatabaseSync(file)
  database.exec(sql)
  database.close()
}

/** Prepares a folder; returns the path to open. */
type Prepare = (folder: string) => string | Promise<string>

const wrongs: readonly (readonly [sentence: string, prepare: Prepare, want: RegExp])[] = [
  ['the folder is missing', folder => join(folder, 'none', 'rusk.db'), /there is no folder .*none/u],
  [
    'the folder is a file',
    folder => {
      writeFileSync(join(folder, 'file'), 'x')
      return join(folder, 'file', 'rusk.db')
    },
    /there is no folder .*file/u,
  ],
  [
    'the path is a folder',
    folder => {
      mkdirSync(join(folder, 'rusk.db'))
      return join(folder, 'rusk.db')
    },
    /is not a file/u,
  ],
  [
    'the file is something else',
    folder => {
      writeFileSync(join(folder, 'rusk.db'), 'Dear diary, '.repeat(500))
      return join(folder, 'rusk.db')
    },
    /is not a SQLite database/u,
  ],
  [
    'the file is too short to be a database',
    folder => {
      writeFileSync(join(folder, 'rusk.db'), 'hello')
      return join(folder, 'rusk.db')
    },
    /is not a SQLite database/u,
  ],
  [
    'the file has been cut off',
    async folder => {
      const file = join(folder, 'rusk.db')
      await makeOurs(file)
      truncateSync(file, statSync(file).size / 2)
      return file
    },
    /is damaged.*backup/u,
  ],
  [
    'a page in the middle of the file is garbage',
    async folder => {
      const file = join(folder, 'rusk.db')
      await makeOurs(file)
      const bytes = readFileSync(file)
      bytes.fill(0xa5, 4096 * 3, 4096 * 12)
      writeFileSync(file, bytes)
      return file
    },
    /is damaged.*backup/u,
  ],
  [
    'the database is another program’s',
    folder => {
      const file = join(folder, 'app.db')
      execIn(file, 'create table users (id integer primary key); insert into users values (1)')
      return file
    },
    /another program.*nothing in this one was changed/u,
  ],
  [
    'the database is another program’s, with a write-ahead log',
    folder => {
      const file = join(folder, 'app.db')
      execIn(file, 'pragma journal_mode = wal; create table users (id integer primary key)')
      return file
    },
    /another program/u,
  ],
  [
    'the database bears another program’s mark',
    folder => {
      const file = join(folder, 'app.db')
      execIn(file, 'pragma application_id = 77')
      return file
    },
    /another program/u,
  ],
  [
    'the database is a newer Rusk’s',
    async folder => {
      const file = join(folder, 'rusk.db')
      await makeOurs(file)
      execIn(file, "insert into kysely_migration values ('9999_future', '2030-01-01T00:00:00.000Z')")
      return file
    },
    /newer version of Rusk \(9999_future\)/u,
  ],
]

/** What lies beside a file of ours; beside another's there must be nothing of ours. */
const companions = /rusk\.db(?:\.lock|-wal|-shm)$/u

function digests(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
    name => statSync(join(folder, name)).isFile() && !companions.test(name),
  )
  return Object.fromEntries(
    files.map(name => [
      name,
      createHash('sha256')
        .update(readFileSync(join(folder, name)))
        .digest('hex'),
    ]),
  )
}

for (const [sentence, prepare, want] of wrongs) {
  test(`sqlite: refused when ${sentence}, and nothing is changed`, async t => {
    const folder = await folderFor(t)
    const file = await prepare(folder)
    const before = digests(folder)
    for (const exclusive of [true, false]) {
      await assert.rejects(openStore(databaseAt(`sqlite:${file}`), { exclusive }), (error: unknown) => {
        assert.ok(error instanceof Misuse, String(error))
        assert.match(error.message, want)
        return true
      })
    }
    assert.deepEqual(digests(folder), before)
  })
}

/** As root, rights do not bind; the process started here gives them up first. */
async function sayOfNobody(t: TestContext, file: string): Promise<string> {
  const holder = await startHolder(t, 'tryToServeAsNobody', file)
  await holder.said(1)
  return holder.lines.join()
}

test('sqlite: refused when the folder may not be written', async t => {
  const folder = await folderFor(t)
  chmodSync(folder, 0o555)
  assert.match(await sayOfNobody(t, join(folder, 'rusk.db')), /Misuse.*may not be written by this user/u)
  chmodSync(folder, 0o755)
  assert.deepEqual(readdirSync(folder), [])
})

test('sqlite: refused when the file may not be written', async t => {
  const folder = await folderFor(t)
  const file = join(folder, 'rusk.db')
  await makeOurs(file)
  chmodSync(file, 0o400)
  chmodSync(folder, 0o777)
  assert.match(await sayOfNobody(t, file), /Misuse.*rusk\.db may not be written by this user/u)
})

test('sqlite: an empty file becomes the database', async t => {
  const file = join(await folderFor(t), 'rusk.db')
  writeFileSync(file, '')
  const store = await openStore(databaseAt(`sqlite:${file}`), { exclusive: true })
  await store.migrate()
  await store.ready()
  await store.close()
})

test('sqlite: a link and its file are one database with one lock', async t => {
  const folder = await folderFor(t)
  mkdirSync(join(folder, 'real'))
  symlinkSync(join(folder, 'real'), join(folder, 'link'))
  const store = await openStore(databaseAt(`sqlite:${join(folder, 'real', 'rusk.db')}`), { exclusive: true })
  const again = openStore(databaseAt(`sqlite:${join(folder, 'link', 'rusk.db')}`), { exclusive: true })
  await assert.rejects(again, /already served/u)
  await store.close()
})

test('sqlite: in memory nothing touches the disk, and two are two', async () => {
  const database = databaseAt('sqlite::memory:')
  const [one, two] = [
    await openStore(database, { exclusive: true }),
    await openStore(database, { exclusive: true }),
  ]
  await one.migrate()
  await one.commit([{ change: 'createUser', user: newUser('ada'), password: null }])
  assert.ok(await one.account({ id: 'ada' }))
  assert.ok((await two.pending()).length > 0)
  one.watch(() => undefined)()
  await one.close()
  await two.close()
  assert.ok(!existsSync(':memory:'))
})

type PostgresWrong = readonly [
  sentence: string,
  wrong: (url: URL) => void,
  kind: typeof Misuse | typeof Fault,
  want: RegExp,
]

const postgresWrongs: readonly PostgresWrong[] = [
  [
    'the password is wrong',
    url => {
      url.password = 'hunter2'
    },
    Misuse,
    /Postgres at 127\.0\.0\.1:\d+.*password authentication failed/u,
  ],
  [
    'the database is not there',
    url => {
      url.pathname = '/nowhere'
    },
    Misuse,
    /"nowhere" does not exist.*Create the database/u,
  ],
  [
    'nobody listens there',
    url => {
      url.port = '1'
    },
    Fault,
    /Postgres at 127\.0\.0\.1:1, database \w+ cannot be reached \(.*ECONNREFUSED/u,
  ],
  [
    'the certificate authority is not there',
    url => {
      url.search = '?sslmode=verify-ca&sslrootcert=/nowhere/ca.pem'
    },
    Misuse,
    /sslrootcert \/nowhere\/ca\.pem cannot be read/u,
  ],
  [
    'the server speaks no TLS',
    url => {
      url.search = '?ssl=require'
    },
    Fault,
    /does not support SSL/u,
  ],
]

for (const [sentence, spoil, kind, want] of postgresWrongs) {
  test(`postgres: refused when ${sentence}, without the password`, async () => {
    const url = new URL(await freshDatabase.postgres())
    spoil(url)
    await assert.rejects(openStore(databaseAt(url.href)), (error: unknown) => {
      assert.ok(error instanceof kind, String(error))
      assert.match(error.message, want)
      assert.doesNotMatch(error.message, /hunter2|rusk:rusk/u)
      return true
    })
  })
}

async function inPostgres(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(sql)
  await client.end()
}

test('postgres: refused when the schema is a newer Rusk’s', async () => {
  const url = await freshDatabase.postgres()
  const store = await openStore(databaseAt(url))
  await store.migrate()
  await store.close()
  await inPostgres(
    url,
    "insert into rusk.kysely_migration values ('9999_future', '2030-01-01T00:00:00.000Z')",
  )
  await assert.rejects(openStore(databaseAt(url)), /newer version of Rusk \(9999_future\)/u)
})

test('postgres: refused when a schema of that name holds other tables', async () => {
  const url = await freshDatabase.postgres()
  await inPostgres(url, 'create schema rusk; create table rusk.biscuits (id int)')
  await assert.rejects(openStore(databaseAt(url)), /the schema rusk of .* another program/u)
})

test('postgres: the application’s own users are left alone', async () => {
  const url = await freshDatabase.postgres()
  await inPostgres(url, 'create table users (id int); insert into users values (7)')
  const store = await openStore(databaseAt(url))
  await store.migrate()
  await store.commit([{ change: 'createUser', user: newUser('ada'), password: null }])
  assert.equal((await store.users({ after: 0, limit: 9 })).length, 1)
  await store.close()
  await inPostgres(url, 'do $$ begin assert (select count(*) = 1 from public.users); end $$')
})
