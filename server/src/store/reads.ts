// Every question the store answers, compiled once for a driver. Knows no driver: `all` runs a statement.
import type { Kysely } from 'kysely'
import type { Store } from './port.ts'
import {
  eventColumns,
  keyColumns,
  letterColumns,
  readAccount,
  readEnded,
  readEvent,
  readHolder,
  readKey,
  readLetter,
  readSession,
  readUser,
  sessionColumns,
  type Tables,
  userColumns,
} from './schema.ts'
import { compileQuery, integer, type Query, text } from './statement.ts'

type Reads = Pick<
  Store,
  | 'account'
  | 'holder'
  | 'sessionsOf'
  | 'sessionsOpenedBy'
  | 'anyRecord'
  | 'users'
  | 'sessions'
  | 'sessionsOpenedBefore'
  | 'endedSince'
  | 'events'
  | 'letters'
  | 'keys'
>

/** Runs a query; every row as the query reads it. Rejects with a `Fault`. */
export type All = <V extends object, T>(query: Query<V, T>, values: V) => Promise<readonly T[]>

const ofSession = sessionColumns.map(column => `s.${column}` as const)
const ofUser = userColumns.map(column => `u.${column}` as const)

function compileReads(db: Kysely<Tables>) {
  const accounts = db
    .selectFrom('users as u')
    .leftJoin('credentials as c', join => join.onRef('c.user_id', '=', 'u.id').on('c.kind', '=', 'password'))
    .select(['u.id', 'c.record', ...ofUser])
  const holders = db
    .selectFrom('sessions as s')
    .innerJoin('users as u', 'u.id', 's.user_id')
    .select([...ofSession, ...ofUser])
  const live = (now: number) =>
    db
      .selectFrom('sessions as s')
      .where('s.ended_at', 'is', null)
      .where('s.ends_at', '>', now)
      .where('s.idle_ends_at', '>', now)

  return {
    accountById: compileQuery(
      'accountById',
      { id: text },
      v => accounts.where('u.id', '=', v.id),
      readAccount,
    ),
    accountByNumber: compileQuery(
      'accountByNumber',
      { number: integer },
      v => accounts.where('u.number', '=', v.number),
      readAccount,
    ),
    accountByEmail: compileQuery(
      'accountByEmail',
      { emailKey: text },
      v => accounts.where('u.email_key', '=', v.emailKey),
      readAccount,
    ),
    accountByUsername: compileQuery(
      'accountByUsername',
      { usernameKey: text },
      v => accounts.where('u.username_key', '=', v.usernameKey),
      readAccount,
    ),
    holder: compileQuery('holder', { id: text }, v => holders.where('s.id', '=', v.id), readHolder),
    sessionsOf: compileQuery(
      'sessionsOf',
      { userId: text, now: integer, limit: integer },
      v =>
        live(v.now)
          .select(ofSession)
          .where('s.user_id', '=', v.userId)
          .orderBy('s.last_used_at', 'desc')
          .orderBy('s.id')
          .limit(v.limit),
      readSession,
    ),
    sessionsOpenedBy: compileQuery(
      'sessionsOpenedBy',
      { digest: text, limit: integer },
      v =>
        db
          .selectFrom('exchanges as x')
          .innerJoin('sessions as s', 's.id', 'x.id')
          .select(ofSession)
          .where('x.digest', '=', v.digest)
          .orderBy('x.number')
          .limit(v.limit),
      readSession,
    ),
    anyRecord: compileQuery(
      'anyRecord',
      { from: text },
      v =>
        db
          .selectFrom('credentials')
          .select('record')
          .where('kind', '=', 'password')
          .where('user_id', '>=', v.from)
          .orderBy('user_id')
          .limit(1),
      row => row.record,
    ),
    users: compileQuery(
      'users',
      { after: integer, limit: integer },
      v =>
        db
          .selectFrom('users')
          .select(['id', ...userColumns])
          .where('number', '>', v.after)
          .orderBy('number')
          .limit(v.limit),
      row => readUser(row, row.id),
    ),
    sessions: compileQuery(
      'sessions',
      { now: integer, limit: integer },
      v =>
        live(v.now)
          .innerJoin('users as u', 'u.id', 's.user_id')
          .select([...ofSession, ...ofUser])
          .orderBy('s.opened_at', 'desc')
          .orderBy('s.id')
          .limit(v.limit),
      readHolder,
    ),
    sessionsOpenedBefore: compileQuery(
      'sessionsOpenedBefore',
      { now: integer, openedBefore: integer },
      v =>
        live(v.now)
          .select(row => row.fn.countAll<number>().as('count'))
          .where('s.opened_at', '<', v.openedBefore),
      row => row.count,
    ),
    endedSince: compileQuery(
      'endedSince',
      { after: integer, limit: integer },
      v =>
        db
          .selectFrom('sessions')
          .select(['id', 'ended_at'])
          .where('ended_at', '>', v.after)
          .orderBy('ended_at', 'desc')
          .orderBy('id', 'desc')
          .limit(v.limit),
      readEnded,
    ),
    events: compileQuery(
      'events',
      { limit: integer },
      v => db.selectFrom('events').select(eventColumns).orderBy('number', 'desc').limit(v.limit),
      readEvent,
    ),
    letters: compileQuery(
      'letters',
      { limit: integer },
      v =>
        db
          .selectFrom('letters')
          .select(letterColumns)
          .where('sent_at', 'is', null)
          .orderBy('number', 'desc')
          .limit(v.limit),
      readLetter,
    ),
    keys: compileQuery(
      'keys',
      {},
      () => db.selectFrom('keys').select(keyColumns).orderBy('created_at').orderBy('id'),
      readKey,
    ),
  }
}

/** The reading half of a store. Keys come oldest first. */
export function openReads(db: Kysely<Tables>, all: All): Reads {
  const reads = compileReads(db)
  const one = async <V extends object, T>(query: Query<V, T>, values: V) => (await all(query, values))[0]
  return {
    account: key => {
      if ('id' in key) return one(reads.accountById, key)
      if ('number' in key) return one(reads.accountByNumber, key)
      if ('emailKey' in key) return one(reads.accountByEmail, key)
      return one(reads.accountByUsername, key)
    },
    holder: id => one(reads.holder, { id }),
    sessionsOf: (userId, page) => all(reads.sessionsOf, { userId, ...page }),
    sessionsOpenedBy: (digest, page) => all(reads.sessionsOpenedBy, { digest, ...page }),
    anyRecord: async from =>
      (await one(reads.anyRecord, { from })) ?? (await one(reads.anyRecord, { from: '' })),
    users: page => all(reads.users, page),
    sessions: page => all(reads.sessions, page),
    sessionsOpenedBefore: async when => (await one(reads.sessionsOpenedBefore, when)) ?? 0,
    endedSince: page => all(reads.endedSince, page),
    events: page => all(reads.events, page),
    letters: page => all(reads.letters, page),
    keys: () => all(reads.keys, {}),
  }
}
