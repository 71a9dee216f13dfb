// How connections to Postgres are made: limits, encryption, and numbers as numbers. Knows no statement.
import { readFileSync } from 'node:fs'
import type { ConnectionOptions } from 'node:tls'
import pg from 'pg'
import { misuse, reasonOf } from '../core/fault.ts'
import type { Encryption, PostgresDatabase } from './database.ts'

/** No statement of ours takes a tenth of this on a healthy database; a browser that waits longer has gone. */
const patience = 5000

/** `pg` gives int8 as text, because it may exceed 2^53. Our times and numbers do not. */
const int8 = 20

const types: pg.CustomTypesConfig = {
  getTypeParser: (oid, format) => (oid === int8 ? Number : pg.types.getTypeParser(oid, format)),
}

/** The pool's configuration for this database. Throws `Misuse` when the certificate authority's file cannot be read. */
export function poolConfig(database: PostgresDatabase): pg.PoolConfig {
  const { host, port, user, password, options, encryption } = database
  const given = { host, port, user, password, options, database: database.database }
  return {
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
    ssl: tls[encryption](rootOf(database)),
    enableChannelBinding: encryption !== 'disable',
    types,
    application_name: 'rusk',
    max: 10,
    keepAlive: true,
    connectionTimeoutMillis: patience,
    statement_timeout: patience,
    // The server's own time-out comes first; this one is for a server that has stopped answering.
    query_timeout: patience + 1000,
    idle_in_transaction_session_timeout: 2 * patience,
  }
}

type Certificates = { readonly ca?: string }

/** libpq's words: https://www.postgresql.org/docs/current/libpq-ssl.html, table "SSL Mode Descriptions". */
const tls: Readonly<Record<Encryption, (root: Certificates) => false | ConnectionOptions>> = {
  disable: () => false,
  require: root => ({
    ...root,
    rejectUnauthorized: root.ca !== undefined,
    checkServerIdentity: () => undefined,
  }),
  'verify-ca': root => ({ ...root, checkServerIdentity: () => undefined }),
  'verify-full': root => ({ ...root }),
}

function rootOf({ rootCertificate }: PostgresDatabase): Certificates {
  if (rootCertificate === undefined) return {}
  try {
    return { ca: readFileSync(rootCertificate, 'utf8') }
  } catch (error) {
    throw misuse(
      'database',
      `sslrootcert ${rootCertificate} cannot be read (${reasonOf(error)})`,
      "Name the certificate authority's PEM file",
    )
  }
}
