// What each change of core/change.ts is in SQL: a table with a row per change. A guard is a condition in the statement
// itself, so that looking and writing are one step on every driver. Knows no driver and no transaction.
import type { Kysely } from 'kysely'
import type { Change, ChangeName, ChangeOf } from '../core/change.ts'
import type { EndReason, Line } from '../core/model.ts'
import {
  type Cell,
  type CredentialColumns,
  type EventColumns,
  type ExchangeColumns,
  eventColumns,
  exchangeColumns,
  type KeyColumns,
  keyColumns,
  type LetterRow,
  letterColumns,
  sessionColumns,
  type Tables,
  type UserColumns,
  userColumns,
  writeEvent,
  writeExchange,
  writeKey,
  writeLetter,
  writeSession,
  writeUser,
} from './schema.ts'
import { blank, compile, integer, type Statement, text } from './statement.ts'

/** One statement of a commit, ready to run. */
export type Step = {
  readonly name: string
  readonly sql: string
  readonly parameters: readonly Cell[]
  /** It must touch exactly one row; else nothing of the commit is written, because of this change's guard. */
  readonly guard: ChangeName | undefined
  /** The statement returns the `number` of the user with this id. */
  readonly numbers: string | undefined
}

/** `now`: when a row that the change itself does not date was written. */
export type WriteChange = (change: Change, now: number) => readonly Step[]

type Writers = { readonly [N in ChangeName]: (change: ChangeOf<N>, now: number) => readonly Step[] }

const values = {
  user: blank<Omit<UserColumns, 'number'>>([
    'id',
    'email_key',
    'username_key',
    ...userColumns.filter(column => column !== 'number'),
  ]),
  credential: blank<Omit<CredentialColumns, 'id'>>(['user_id', 'kind', 'record', 'created_at', 'changed_at']),
  session: blank<Tables['sessions']>(sessionColumns),
  exchange: blank<ExchangeColumns>(exchangeColumns),
  key: { ...blank<Omit<KeyColumns, 'follows'>>(keyColumns), follows: text },
  event: blank<Omit<EventColumns, 'number'>>(eventColumns),
  letter: blank<LetterRow>(letterColumns),
  end: { because: 'revoked' as EndReason, at: integer },
  was: { wasPrevious: integer, wasCurrent: integer, wasSuccessor: integer, wasChangedAt: integer },
  moved: {
    previous: integer,
    current: integer,
    successor: integer,
    changedAt: integer,
    idleEndsAt: integer,
    lastUsedAt: integer,
    userAgent: text,
    address: text,
  },
}

function compileUsers(db: Kysely<Tables>) {
  return {
    insert: compile('insertUser', values.user, v =>
      db
        .insertInto('users')
        .values(v)
        .onConflict(taken => taken.doNothing())
        .returning('number'),
    ),
    insertCredential: compile('insertCredential', values.credential, v =>
      db.insertInto('credentials').values(v),
    ),
    recordSignIn: compile('recordSignIn', { userId: text, epoch: integer, at: integer }, v =>
      db
        .updateTable('users')
        .set({ last_sign_in_at: v.at })
        .where('id', '=', v.userId)
        .where('active', '=', 1)
        .where('epoch', '=', v.epoch),
    ),
    replaceRecord: compile(
      'replacePasswordRecord',
      { userId: text, was: text, record: text, now: integer },
      v =>
        db
          .updateTable('credentials')
          .set({ record: v.record, changed_at: v.now })
          .where('user_id', '=', v.userId)
          .where('kind', '=', 'password')
          .where('record', '=', v.was),
    ),
    moveEpoch: compile('moveEpoch', { userId: text, epoch: integer }, v =>
      db
        .updateTable('users')
        .set(row => ({ epoch: row('epoch', '+', 1) }))
        .where('id', '=', v.userId)
        .where('active', '=', 1)
        .where('epoch', '=', v.epoch),
    ),
    // Nothing is changed: whoever else writes this row waits, and what it has committed by then is seen.
    hold: compile('holdUser', { userId: text }, v =>
      db
        .updateTable('users')
        .set(row => ({ epoch: row.ref('epoch') }))
        .where('id', '=', v.userId),
    ),
    setActive: compile('setActive', { userId: text, active: integer }, v =>
      db
        .updateTable('users')
        .set(row => ({ active: v.active, epoch: row('epoch', '+', 1) }))
        .where('id', '=', v.userId),
    ),
  }
}

function compileSessions(db: Kysely<Tables>) {
  const live = db.updateTable('sessions').where('ended_at', 'is', null)
  const asItWas = (v: typeof values.was) =>
    live
      .where('previous', '=', v.wasPrevious)
      .where('current', '=', v.wasCurrent)
      .where('successor', '=', v.wasSuccessor)
      .where('changed_at', '=', v.wasChangedAt)
  const ended = (v: typeof values.end) => ({ ended_at: v.at, ended_because: v.because })
  return {
    open: compile('openSession', values.session, v => db.insertInto('sessions').values(v)),
    move: compile('moveSession', { ...values.was, ...values.moved, id: text }, v =>
      asItWas(v)
        .set({
          previous: v.previous,
          current: v.current,
          successor: v.successor,
          changed_at: v.changedAt,
          idle_ends_at: v.idleEndsAt,
          last_used_at: v.lastUsedAt,
          user_agent: v.userAgent,
          address: v.address,
        })
        .where('id', '=', v.id),
    ),
    require: compile('requireLive', { id: text }, v =>
      live.set(row => ({ ended_at: row.ref('ended_at') })).where('id', '=', v.id),
    ),
    requireAsItWas: compile('requireLiveAsItWas', { ...values.was, id: text }, v =>
      asItWas(v)
        .set(row => ({ ended_at: row.ref('ended_at') }))
        .where('id', '=', v.id),
    ),
    end: compile('endSession', { ...values.end, id: text }, v => live.set(ended(v)).where('id', '=', v.id)),
    endAsItWas: compile('endSessionAsItWas', { ...values.was, ...values.end, id: text }, v =>
      asItWas(v).set(ended(v)).where('id', '=', v.id),
    ),
    endAll: compile('endSessionsOf', { ...values.end, userId: text, except: text }, v =>
      live.set(ended(v)).where('user_id', '=', v.userId).where('id', '<>', v.except),
    ),
    endOlder: compile('endSessionsOpenedBefore', { ...values.end, openedBefore: integer }, v =>
      live.set(ended(v)).where('opened_at', '<', v.openedBefore),
    ),
  }
}

function compileExchanges(db: Kysely<Tables>) {
  return {
    add: compile('addExchange', values.exchange, v =>
      db
        .insertInto('exchanges')
        .values(v)
        .onConflict(taken => taken.columns(['digest', 'number']).doNothing()),
    ),
    forget: compile('forgetExchanges', { now: integer, most: integer }, v =>
      db
        .deleteFrom('exchanges')
        .where('id', 'in', of =>
          of
            .selectFrom('exchanges')
            .select('id')
            .where('expires_at', '<=', v.now)
            .orderBy('expires_at')
            .orderBy('id')
            .limit(v.most),
        ),
    ),
  }
}

/** With each that is added: more go than come, and nobody waits for it. */
const mostForgotten = 20

/** Stands for "no end" in a comparison: no key ends before time began. */
const inUse = -1

function compileKeys(db: Kysely<Tables>) {
  return {
    // Two servers that add at once both see the same newest key; `follows` is unique, so that only one row can follow it.
    add: compile('addKey', values.key, v =>
      db
        .insertInto('keys')
        .columns([...keyColumns, 'follows'])
        .expression(
          db
            .selectNoFrom(row => [
              ...keyColumns.map(column => row.val(v[column]).as(column)),
              row.val(v.follows).as('follows'),
            ])
            .where(
              row =>
                row.fn.coalesce(
                  row
                    .selectFrom('keys as k')
                    .select('k.id')
                    .where('k.use', '=', v.use)
                    .orderBy('k.created_at', 'desc')
                    .orderBy('k.id', 'desc')
                    .limit(1),
                  row.val(''),
                ),
              '=',
              v.follows,
            ),
        )
        .onConflict(taken => taken.doNothing()),
    ),
    retire: compile('retireKey', { id: text, was: integer, retiresAt: integer }, v =>
      db
        .updateTable('keys')
        .set({ retires_at: v.retiresAt })
        .where('id', '=', v.id)
        .where(row => row.fn.coalesce('retires_at', row.val(inUse)), '=', v.was),
    ),
    erase: compile('eraseKey', { id: text, retiredBy: integer }, v =>
      db.deleteFrom('keys').where('id', '=', v.id).where('retires_at', '<=', v.retiredBy),
    ),
    // Nothing is changed: whoever seals this row anew waits, or has come first.
    requireSealed: compile('requireSealed', { id: text, sealed: text }, v =>
      db
        .updateTable('keys')
        .set(row => ({ sealed: row.ref('sealed') }))
        .where('id', '=', v.id)
        .where('sealed', '=', v.sealed),
    ),
    reseal: compile('resealKey', { id: text, was: text, sealed: text }, v =>
      db.updateTable('keys').set({ sealed: v.sealed }).where('id', '=', v.id).where('sealed', '=', v.was),
    ),
  }
}

function compileNotes(db: Kysely<Tables>) {
  return {
    record: compile('recordEvent', values.event, v => db.insertInto('events').values(v)),
    letter: compile('queueLetter', values.letter, v => db.insertInto('letters').values(v)),
  }
}

const step = <V>(
  { name, sql, bind }: Statement<V>,
  given: V,
  more?: { guard?: ChangeName; numbers?: string },
): Step => ({ name, sql, parameters: bind(given), guard: more?.guard, numbers: more?.numbers })

const was = (line: Line) => ({
  wasPrevious: line.previous,
  wasCurrent: line.current,
  wasSuccessor: line.successor,
  wasChangedAt: line.changedAt,
})

/** The writing half of a store: from a change to the statements that make it so, compiled once. */
export function openWrites(db: Kysely<Tables>): WriteChange {
  const users = compileUsers(db)
  const sessions = compileSessions(db)
  const exchanges = compileExchanges(db)
  const keys = compileKeys(db)
  const notes = compileNotes(db)

  const writers: Writers = {
    createUser: ({ change, user, password }) => [
      step(users.insert, writeUser(user), { guard: change, numbers: user.id }),
      ...(password === null
        ? []
        : [
            step(users.insertCredential, {
              user_id: user.id,
              kind: 'password',
              record: password,
              created_at: user.createdAt,
              changed_at: user.createdAt,
            }),
          ]),
    ],
    recordSignIn: ({ change, ...given }) => [step(users.recordSignIn, given, { guard: change })],
    replacePasswordRecord: ({ change, ...given }, now) => [
      step(users.replaceRecord, { ...given, now }, { guard: change }),
    ],
    // First the user's row, as every sign-in does: what meets there waits there.
    changePassword: ({ change, userId, epoch, was: old, record }, now) => [
      step(users.moveEpoch, { userId, epoch }, { guard: change }),
      step(users.replaceRecord, { userId, was: old, record, now }, { guard: change }),
    ],
    setActive: ({ userId, active }) => [step(users.setActive, { userId, active: Number(active) })],
    openSession: ({ session }) => [step(sessions.open, writeSession(session))],
    moveSession: ({ change, sessionId: id, was: line, line: next, ...seen }) => [
      step(sessions.move, { ...was(line), ...next, ...seen, id }, { guard: change }),
    ],
    endSession: ({ change, sessionId: id, because, at, was: line }) => {
      const end = { id, because, at }
      return [
        line === undefined
          ? step(sessions.end, end, { guard: change })
          : step(sessions.endAsItWas, { ...was(line), ...end }, { guard: change }),
      ]
    },
    requireLive: ({ change, userId, sessionId: id, was: line }) => [
      step(users.hold, { userId }),
      line === undefined
        ? step(sessions.require, { id }, { guard: change })
        : step(sessions.requireAsItWas, { ...was(line), id }, { guard: change }),
    ],
    addExchange: ({ change, exchange }, now) => [
      step(exchanges.add, writeExchange(exchange), { guard: change }),
      step(exchanges.forget, { now, most: mostForgotten }),
    ],
    // First the user's row too: a session that a sign-in is opening at this moment is there afterwards.
    endSessionsOf: ({ userId, except, because, at }) => [
      step(users.hold, { userId }),
      step(sessions.endAll, { userId, because, at, except: except ?? '' }),
    ],
    endSessionsOpenedBefore: ({ openedBefore, because, at }) => [
      step(sessions.endOlder, { openedBefore, because, at }),
    ],
    queueLetter: ({ letter }) => [step(notes.letter, writeLetter(letter))],
    addKey: ({ change, key, after }) => [
      step(keys.add, { ...writeKey(key), follows: after ?? '' }, { guard: change }),
    ],
    retireKeys: ({ change, keys: ended, retiresAt }) =>
      ended.map(({ id, was: end }) =>
        step(keys.retire, { id, was: end ?? inUse, retiresAt }, { guard: change }),
      ),
    eraseKeys: ({ change, ids, retiredBy }) =>
      ids.map(id => step(keys.erase, { id, retiredBy }, { guard: change })),
    requireSealed: ({ change, ...given }) => [step(keys.requireSealed, given, { guard: change })],
    resealKeys: ({ change, keys: sealed }) => sealed.map(each => step(keys.reseal, each, { guard: change })),
    record: ({ event }) => [step(notes.record, writeEvent(event))],
  }

  // The table's type says that each row takes its own change; TypeScript cannot follow that through a lookup.
  return (change, now) =>
    (writers[change.change] as (change: Change, now: number) => readonly Step[])(change, now)
}
