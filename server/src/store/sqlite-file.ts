// Whether a path may become our database file, and who may serve it: refuses at start, before a byte is written. Knows
// no table.
import { accessSync, closeSync, constants, openSync, realpathSync, type Stats, statSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { codeOf, type Misuse } from '../core/fault.ts'
import { code, damaged, elsewhere, openingError, resultOf, unusable } from './sqlite-errors.ts'

/** 'Rusk' in ASCII, in the file's header: this file is ours (https://www.sqlite.org/pragma.html#pragma_application_id). */
const applicationId = 0x5275736b

/** A whole check reads the whole file: done where that costs tens of milliseconds. */
const checkedWhole = 16 * 1024 * 1024

/** Milliseconds that a statement waits for another process; the event loop waits with it. */
const busyTimeout = 1000

/** While it serves: SQLite waits with the event loop, so commits wait between tries instead (sqlite-commits.ts). */
export const servingTimeout = 20

export type OpenFile = {
  readonly database: DatabaseSync
  /** Lets go of the file and of its lock. Call it last. */
  close(): void
}

/**
 * Opens the file, and creates it readable for its owner alone. `exclusive`: this process is the one server on it, until it closes or dies.
 * Throws `Misuse` when the path cannot be a database, is somebody else's, is damaged, or is served already.
 */
export function openFile(path: string, exclusive: boolean): OpenFile {
  const file = placeOf(path)
  // Never through node:fs: closing a descriptor of the file drops every lock that SQLite holds on it in this process,
  // and another process may then delete the write-ahead log under us (https://www.sqlite.org/howtocorrupt.html §2.2).
  refuseForeign(file)
  const lock = exclusive ? takeLock(file) : undefined
  try {
    createPrivate(file)
    const database = new DatabaseSync(file, { timeout: busyTimeout })
    try {
      own(database, file)
    } catch (error) {
      database.close()
      throw error
    }
    const close = () => {
      if (database.isOpen) database.close()
      if (lock?.isOpen) lock.close()
    }
    return { database, close }
  } catch (error) {
    lock?.close()
    throw openingError(error, file)
  }
}

/** Pragmas of every connection: https://www.sqlite.org/pragma.html. An answered commit is on the disk. */
export function tune(database: DatabaseSync): void {
  database.exec(
    'pragma synchronous = full; pragma foreign_keys = on; pragma trusted_schema = off; pragma journal_size_limit = 67108864',
  )
}

/** The file's real path, so that two names of one file meet at one lock. */
function placeOf(path: string): string {
  const file = resolve(path)
  const folder = dirname(file)
  if (!stat(folder)?.isDirectory()) {
    throw unusable(
      `there is no folder ${folder} for the SQLite file`,
      'Create the folder, or name another file',
    )
  }
  const found = stat(file)
  if (found && !found.isFile()) throw unusable(`${file} is not a file`, elsewhere)
  for (const needed of found ? [folder, file] : [folder]) {
    if (!mayWrite(needed)) {
      throw unusable(
        `${needed} may not be written by this user`,
        'Change its owner or mode, or name another file',
      )
    }
  }
  return found ? realpathSync(file) : join(realpathSync(folder), basename(file))
}

function stat(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false })
  } catch (error) {
    // ENOTDIR, EACCES on the way, ELOOP: it cannot be reached, which to us is not there.
    if (codeOf(error) !== undefined) return undefined
    throw error
  }
}

function mayWrite(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.W_OK)
    return true
  } catch (error) {
    if (codeOf(error) !== undefined) return false
    throw error
  }
}

/** Creates the file empty with mode 0600; SQLite gives its companions (-wal, -shm) the same. An existing file is not opened. */
function createPrivate(file: string): void {
  try {
    closeSync(openSync(file, 'wx', 0o600))
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return
    throw error
  }
}

function refuseForeign(file: string): void {
  const size = stat(file)?.size ?? 0
  if (size === 0) return
  try {
    refuseForeignMark(file)
    refuseDamaged(file, size)
  } catch (error) {
    throw openingError(error, file)
  }
}

/** `immutable`: SQLite then creates no companions beside a file that may not be ours (https://www.sqlite.org/uri.html). */
function refuseForeignMark(file: string): void {
  const url = pathToFileURL(file)
  url.searchParams.set('immutable', '1')
  inspect(new DatabaseSync(url, { readOnly: true }), file)
}

function refuseDamaged(file: string, size: number): void {
  const check = (database: DatabaseSync) => {
    if (size <= checkedWhole && single(database, 'pragma quick_check(1)') !== 'ok') throw damaged(file)
  }
  try {
    inspect(new DatabaseSync(file, { readOnly: true, timeout: busyTimeout }), file, check)
  } catch (error) {
    if (resultOf(error) !== code.readOnly) throw error
    // A process died while writing: whoever opens the file next has to roll that back, which a reader may not.
    inspect(new DatabaseSync(file, { timeout: busyTimeout }), file, check)
  }
}

/** Closes the database in any case. */
function inspect(database: DatabaseSync, file: string, check?: (database: DatabaseSync) => void): void {
  try {
    const tables = single(database, 'select count(*) from sqlite_schema')
    const id = single(database, 'pragma application_id')
    if (id !== applicationId && (id !== 0 || tables !== 0)) {
      throw unusable(
        `${file} is the SQLite database of another program`,
        `${elsewhere}; nothing in this one was changed`,
      )
    }
    check?.(database)
  } finally {
    database.close()
  }
}

/** The one value of the one row. */
const single = (database: DatabaseSync, sql: string) => Object.values(database.prepare(sql).get() ?? {})[0]

function own(database: DatabaseSync, file: string): void {
  tune(database)
  if (single(database, 'pragma application_id') !== applicationId) {
    database.exec(`pragma application_id = ${applicationId}`)
  }
  if (single(database, 'pragma journal_mode = wal') !== 'wal') {
    throw unusable(
      `the file system of ${file} cannot hold a write-ahead log`,
      'Put the file on a local disk, or use Postgres',
    )
  }
}

/**
 * The lock is SQLite's own, on a database beside the file: the system lets go of it when the process dies, however it
 * dies. A reserved lock, because that still lets others read who holds it (`user_version`).
 */
function takeLock(file: string): DatabaseSync {
  const place = `${file}.lock`
  try {
    createPrivate(place)
  } catch (error) {
    throw openingError(error, place)
  }
  const lock = new DatabaseSync(place, { timeout: 300 })
  try {
    lock.exec('pragma synchronous = off')
    lock.exec('begin immediate')
    // What is written shows only once committed, and committing lets go: write, take again, and see whose number stands.
    while (holderOf(lock) !== process.pid) {
      lock.exec(`pragma user_version = ${process.pid}; commit; begin immediate`)
    }
    return lock
  } catch (error) {
    const refusal = resultOf(error) === code.busy ? servedAlready(file, lock) : openingError(error, place)
    lock.close()
    throw refusal
  }
}

const holderOf = (lock: DatabaseSync) => single(lock, 'pragma user_version')

function servedAlready(file: string, lock: DatabaseSync): Misuse {
  return unusable(
    `${file} is already served by process ${holderOf(lock)}`,
    'Stop that process, name another file, or use Postgres for more than one server',
  )
}
