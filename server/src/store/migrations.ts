// The one set of migrations, and what differs between the drivers as data. Migrations are only ever added: their names
// stand in databases that others run. Knows no driver.
import { type ColumnDataType, type CreateTableBuilder, type Kysely, type RawBuilder, sql } from 'kysely'
import { type Migration, Migrator } from 'kysely/migration'
import { Fault, misuse, reasonOf } from '../core/fault.ts'
import type { Tables } from './schema.ts'

export type Differences = {
  /** Tables lie in a schema of their own where there are schemas: the application may well have a table `users`. */
  readonly schema: string | undefined
  /** Wide enough for epoch milliseconds. */
  readonly integer: ColumnDataType
  /** 0 or 1. */
  readonly flag: ColumnDataType
  /** How a table counts its rows. */
  readonly numbered: 'autoincrement' | 'identity'
  /** After a table's closing parenthesis. `keyed`: rows lie in the order of their text key, which saves a read by key a step. */
  readonly ending: { readonly plain: RawBuilder<unknown>; readonly keyed: RawBuilder<unknown> }
}

export const differences = {
  sqlite: {
    schema: undefined,
    integer: 'integer',
    flag: 'integer',
    numbered: 'autoincrement',
    ending: { plain: sql`strict`, keyed: sql`strict, without rowid` },
  },
  postgres: {
    schema: 'rusk',
    integer: 'bigint',
    flag: 'smallint',
    numbered: 'identity',
    ending: { plain: sql``, keyed: sql`` },
  },
} as const satisfies Record<string, Differences>

/** Where the names of the migrations that were applied are kept, within the schema if there is one. */
export const migrationTable = 'kysely_migration'

// A migration keeps to the tables as they were when it was written: it does not see the types of today's.
type Db = Parameters<Migration['up']>[0]

/** The words that migrations make tables with. They may not change: what a migration made is in databases already. */
function openTables({ integer, numbered, ending }: Differences, db: Db) {
  const required = (name: string, type: ColumnDataType) => ({ name, type, nullable: false })
  const optional = (name: string, type: ColumnDataType) => ({ name, type, nullable: true })
  type Column = ReturnType<typeof required>

  const numberedTable = (name: string, key: string) =>
    db.schema
      .createTable(name)
      .addColumn(key, integer, column =>
        numbered === 'autoincrement'
          ? column.primaryKey().autoIncrement()
          : column.primaryKey().generatedAlwaysAsIdentity(),
      )
      .modifyEnd(ending.plain)
  const keyedTable = (name: string) =>
    db.schema
      .createTable(name)
      .addColumn('id', 'text', column => column.primaryKey().notNull())
      .modifyEnd(ending.keyed)
  const withColumns = (table: CreateTableBuilder<string, string>, columns: readonly Column[]) =>
    columns.reduce(
      (sum, { name, type, nullable }) =>
        sum.addColumn(name, type, column => (nullable ? column : column.notNull())),
      table,
    )
  return { required, optional, numberedTable, keyedTable, withColumns }
}

function ground(differences: Differences, db: Db): Promise<void> {
  const { integer, flag } = differences
  const { required, optional, numberedTable, keyedTable, withColumns } = openTables(differences, db)

  const users = withColumns(numberedTable('users', 'number'), [
    required('id', 'text'),
    required('email', 'text'),
    required('email_key', 'text'),
    optional('username', 'text'),
    optional('username_key', 'text'),
    optional('name', 'text'),
    required('profile', 'text'),
    required('active', flag),
    required('superuser', flag),
    required('epoch', integer),
    required('created_at', integer),
    optional('last_sign_in_at', integer),
  ])
    .addUniqueConstraint('users_id', ['id'])
    .addUniqueConstraint('users_email_key', ['email_key'])
    .addUniqueConstraint('users_username_key', ['username_key'])

  const credentials = withColumns(numberedTable('credentials', 'id'), [
    required('user_id', 'text'),
    required('kind', 'text'),
    required('record', 'text'),
    required('created_at', integer),
    required('changed_at', integer),
  ]).addForeignKeyConstraint('credentials_user', ['user_id'], 'users', ['id'])

  const sessions = withColumns(keyedTable('sessions'), [
    required('user_id', 'text'),
    required('delivery', 'text'),
    required('previous', integer),
    required('current', integer),
    required('successor', integer),
    required('changed_at', integer),
    required('opened_at', integer),
    required('ends_at', integer),
    required('idle_ends_at', integer),
    optional('ended_at', integer),
    optional('ended_because', 'text'),
    required('last_used_at', integer),
    required('user_agent', 'text'),
    required('address', 'text'),
  ]).addForeignKeyConstraint('sessions_user', ['user_id'], 'users', ['id'])

  const events = withColumns(numberedTable('events', 'number'), [
    required('type', 'text'),
    required('at', integer),
    optional('user_id', 'text'),
    optional('session_id', 'text'),
    required('address', 'text'),
    required('call_id', 'text'),
    optional('detail', 'text'),
  ])

  const keys = withColumns(keyedTable('keys'), [
    required('use', 'text'),
    required('algorithm', 'text'),
    required('sealed', 'text'),
    optional('published', 'text'),
    required('created_at', integer),
    required('signs_from', integer),
    optional('retires_at', integer),
    required('follows', 'text'),
  ]).addUniqueConstraint('keys_follows', ['use', 'follows'])

  // None of these indexes a column that a refresh writes: Postgres then updates the row in place.
  const indexes = [
    db.schema
      .createIndex('credentials_password')
      .on('credentials')
      .column('user_id')
      .unique()
      .where(sql.ref('kind'), '=', 'password'),
    db.schema
      .createIndex('sessions_live_of_user')
      .on('sessions')
      .column('user_id')
      .where(sql.ref('ended_at'), 'is', null),
    db.schema
      .createIndex('sessions_live')
      .on('sessions')
      .columns(['opened_at', 'id'])
      .where(sql.ref('ended_at'), 'is', null),
  ]
  return inOrder([users, credentials, sessions, events, keys, ...indexes])
}

/** The outbox. */
function letters(differences: Differences, db: Db): Promise<void> {
  const { integer } = differences
  const { required, optional, numberedTable, withColumns } = openTables(differences, db)
  const table = withColumns(numberedTable('letters', 'number'), [
    required('kind', 'text'),
    required('user_id', 'text'),
    required('recipient', 'text'),
    required('at', integer),
    required('address', 'text'),
    required('user_agent', 'text'),
    optional('sent_at', integer),
  ]).addForeignKeyConstraint('letters_user', ['user_id'], 'users', ['id'])
  return inOrder([table])
}

/** Which sessions the tokens of an old system have opened; the row has its session's id. */
function exchanges(differences: Differences, db: Db): Promise<void> {
  const { integer } = differences
  const { required, keyedTable, withColumns } = openTables(differences, db)
  const table = withColumns(keyedTable('exchanges'), [
    required('digest', 'text'),
    required('number', integer),
    required('expires_at', integer),
  ])
    .addUniqueConstraint('exchanges_number', ['digest', 'number'])
    .addForeignKeyConstraint('exchanges_session', ['id'], 'sessions', ['id'])
  const byEnd = db.schema.createIndex('exchanges_end').on('exchanges').column('expires_at')
  return inOrder([table, byEnd])
}

/** For services that follow the ends of sessions: what has ended since, without what is live. */
function ended(_differences: Differences, db: Db): Promise<void> {
  const byEnd = db.schema
    .createIndex('sessions_ended')
    .on('sessions')
    .columns(['ended_at', 'id'])
    .where(sql.ref('ended_at'), 'is not', null)
  return inOrder([byEnd])
}

async function inOrder(steps: readonly { execute(): Promise<void> }[]): Promise<void> {
  for (const step of steps) await step.execute()
}

/** By name, in the order of names. */
const migrations: Readonly<Record<string, (differences: Differences, db: Db) => Promise<void>>> = {
  '0001_ground': ground,
  '0002_letters': letters,
  '0003_exchanges': exchanges,
  '0004_ended': ended,
}

/** Names of those that are not among `applied`, in order. */
export const pendingMigrations = (applied: readonly string[]): readonly string[] =>
  Object.keys(migrations).filter(name => !applied.includes(name))

/** Throws a `Fault` unless every migration is applied. */
export function refuseBehind(applied: readonly string[]): void {
  const pending = pendingMigrations(applied)
  if (pending.length === 0) return
  throw new Fault(`The database is behind: ${pending.join(', ')} not applied; run rusk migrate`, {
    retryAfter: 5,
  })
}

/** Throws `Misuse` when the database was written by a newer version of this program. */
export function refuseNewer(applied: readonly string[], label: string): void {
  const unknown = applied.filter(name => !(name in migrations))
  if (unknown.length === 0) return
  throw misuse(
    'database',
    `${label} was written by a newer version of Rusk (${unknown.join(', ')})`,
    'Start that version, or use another database; nothing in this one was changed',
  )
}

/**
 * Applies what is pending and returns its names. The caller holds a lock, or the driver takes one: of two processes that
 * call this at once, one applies and the other finds nothing to do.
 */
export async function applyMigrations(
  db: Kysely<Tables>,
  differences: Differences,
): Promise<readonly string[]> {
  const { schema } = differences
  const provided = Object.entries(migrations).map(([name, up]) => {
    const migration: Migration = { up: open => up(differences, schema ? open.withSchema(schema) : open) }
    return [name, migration] as const
  })
  const migrator = new Migrator({
    db,
    provider: { getMigrations: async () => Object.fromEntries(provided) },
    migrationTableName: migrationTable,
    ...(schema === undefined ? {} : { migrationTableSchema: schema }),
  })
  const { error, results = [] } = await migrator.migrateToLatest()
  if (error !== undefined) {
    throw new Fault(`The migrations could not be applied: ${reasonOf(error)}`, { cause: error })
  }
  return results.map(({ migrationName }) => migrationName)
}
