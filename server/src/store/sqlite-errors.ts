// What an error of SQLite means to us (https://www.sqlite.org/rescode.html). Knows no statement.
import { Fault, Misuse, misuse, reasonOf } from '../core/fault.ts'

/** The result codes we tell apart: the low byte says what happened, the rest of `errcode` where. */
export const code = {
  busy: 5,
  readOnly: 8,
  corrupt: 11,
  notADatabase: 26,
} as const

/** Codes that waiting may cure: busy, locked, out of memory, read-only, interrupted, I/O, full, cannot open, lock protocol. */
const passing: ReadonlySet<number> = new Set([5, 6, 7, 8, 9, 10, 13, 14, 15])

/** Codes by which the file's place or rights are wrong: no permission, read-only, cannot open, not authorised. */
const rights: ReadonlySet<number> = new Set([3, 8, 14, 23])

/** The primary result code; undefined for errors that are not SQLite's. */
export const resultOf = (error: unknown): number | undefined =>
  error instanceof Error && 'errcode' in error && typeof error.errcode === 'number'
    ? error.errcode & 0xff
    : undefined

/** Any error while the store is in use, as a fault. */
export function faultOf(error: unknown): Fault {
  if (error instanceof Fault) return error
  const wait = passing.has(resultOf(error) ?? 0) ? { retryAfter: 1 } : {}
  return new Fault(`SQLite: ${reasonOf(error)}`, { cause: error, ...wait })
}

/** An error while `file` is being opened: a `Misuse` when only the operator can cure it, else a `Fault`. */
export function openingError(error: unknown, file: string): Misuse | Fault {
  if (error instanceof Misuse) return error
  const found = resultOf(error)
  if (found === code.notADatabase) return unusable(`${file} is not a SQLite database`, elsewhere)
  if (found === code.corrupt) return damaged(file)
  const reason = reasonOf(error)
  if (rights.has(found ?? 0))
    return unusable(`${file} cannot be opened (${reason})`, 'Change its owner or mode')
  if (error instanceof Error && 'syscall' in error)
    return unusable(`${file} cannot be created (${reason})`, elsewhere)
  return faultOf(error)
}

export const damaged = (file: string): Misuse =>
  unusable(`${file} is damaged`, 'Restore it from a backup; nothing in it was changed')

export const elsewhere = 'Name another file, as in sqlite:./rusk.db'

export const unusable = (wrong: string, instead: string): Misuse => misuse('database', wrong, instead)
