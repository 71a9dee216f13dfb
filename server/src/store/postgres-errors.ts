// What an error of Postgres, or of the way to it, means to us (https://www.postgresql.org/docs/current/errcodes-appendix.html).
// Never repeats a password.
import { codeOf, Fault, Misuse, misuse, reasonOf } from '../core/fault.ts'
import type { PostgresDatabase } from './database.ts'

/** The five characters of an error that Postgres itself sent; undefined for errors on the way. */
export function sqlStateOf(error: unknown): string | undefined {
  if (!(error instanceof Error && 'code' in error && 'severity' in error)) return undefined
  return typeof error.code === 'string' && /^[0-9A-Z]{5}$/u.test(error.code) ? error.code : undefined
}

/** Deadlock or serialisation failure: the transaction is undone and may be tried again at once. */
export const isClash = (error: unknown): boolean => ['40P01', '40001'].includes(sqlStateOf(error) ?? '')

/** States that pass: connection, clash, resources, operator (restart, time-out), lock time-out, a server that became read-only. */
const passing = /^(?:08|40|53|57|58|28|3D|55P03|25006|25P0[23])/u

/** Any error while the store is in use, as a fault. Without an SQLSTATE it happened on the way, and waiting may cure it. */
export function faultOf(error: unknown): Fault {
  if (error instanceof Fault) return error
  const state = sqlStateOf(error)
  const wait = state === undefined || passing.test(state) ? { retryAfter: 1 } : {}
  return new Fault(`Postgres: ${reasonOf(error)}`, { cause: error, ...wait })
}

/** What is wrong and what to do, by SQLSTATE or error code of the system; all of these need the operator. */
const mistakes: Readonly<Record<string, string>> = {
  '28000': 'Check the user, and whether the server wants encryption (?ssl=require)',
  '28P01': 'Check the user and the password',
  '3D000': 'Create the database, or check its name',
  '42501': 'Grant this user CREATE on the database',
  ENOTFOUND: 'Check the host',
  ERR_TLS_CERT_ALTNAME_INVALID: 'Check the host, or the certificate of the server',
  SELF_SIGNED_CERT_IN_CHAIN: 'Name its certificate authority with ?sslrootcert=PATH',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'Name its certificate authority with ?sslrootcert=PATH',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'Name its certificate authority with ?sslrootcert=PATH',
}

/** An error while the store is being opened: a `Misuse` when only the operator can cure it, else a `Fault`. */
export function openingError(error: unknown, { label }: PostgresDatabase): Misuse | Fault {
  if (error instanceof Misuse || error instanceof Fault) return error
  const reason = reasonOf(error)
  const instead = mistakes[codeOf(error) ?? '']
  if (instead !== undefined) return misuse('database', `${label} cannot be used (${reason})`, instead)
  return new Fault(`${label} cannot be reached (${reason})`, { cause: error, retryAfter: 1 })
}
