// Reads how an operator writes down a database: our own spelling, libpq's and SQLAlchemy's. Opens nothing, and never
// repeats a password in what it says.
import type { Finding } from '../core/fault.ts'

/** How the connection to Postgres is protected; the words are libpq's. `verify`: certificate and host name. */
export type Encryption = 'disable' | 'require' | 'verify-ca' | 'verify-full'

export type SqliteDatabase = {
  readonly kind: 'sqlite'
  /** Null: in memory. Relative paths start from the working folder. */
  readonly path: string | null
  /** Fit to be shown. */
  readonly label: string
}

export type PostgresDatabase = {
  readonly kind: 'postgres'
  /** Absent parts are libpq's defaults (PGHOST, PGUSER, PGPASSWORD …). A host that starts with `/` is a socket's folder. */
  readonly host?: string
  readonly port?: number
  readonly database?: string
  readonly user?: string
  readonly password?: string
  /** libpq's `options`, as in `-c work_mem=8MB`. */
  readonly options?: string
  readonly encryption: Encryption
  /** Path of the certificate authority's PEM file. */
  readonly rootCertificate?: string
  /** Fit to be shown: where, never who with which password. */
  readonly label: string
}

export type Database = SqliteDatabase | PostgresDatabase

type Reading = Database | Finding

const example = 'Write sqlite:./rusk.db or postgres://USER:PASSWORD@HOST:5432/NAME'

const finding = (wrong: string, instead: string): Finding => ({ about: 'database', wrong, instead })

/** True when `readDatabase` found a database. */
export const isDatabase = (reading: Reading): reading is Database => 'kind' in reading

/**
 * Reads `sqlite:PATH`, `sqlite::memory:`, `postgres://…`, and SQLAlchemy's `sqlite:///RELATIVE`, `sqlite:////ABSOLUTE`,
 * `sqlite://`, each with a driver's name after a `+` or without (`sqlite+aiosqlite:`, `postgresql+asyncpg:`).
 * Pure: whether the database is there is found out by `openStore`.
 */
export function readDatabase(text: string): Reading {
  const spelling = /^(?<scheme>[a-z]+)(?:\+[a-z0-9_]+)?:(?<rest>.*)$/su.exec(text.trim())?.groups
  if (!spelling) return finding('this is not the address of a database', example)
  const { scheme = '', rest = '' } = spelling
  const read = schemes[scheme]
  return read ? read(rest) : finding(`${scheme} databases are not supported`, example)
}

const schemes: Readonly<Record<string, (rest: string) => Reading>> = {
  sqlite: readSqlite,
  postgres: readPostgres,
  postgresql: readPostgres,
}

function readSqlite(rest: string): Reading {
  if (!rest.startsWith('//')) return atPath(rest)
  // Query parameters there are the Python driver's (check_same_thread, timeout): they mean nothing here.
  const [place = ''] = rest.slice(2).split('?')
  if (place === '' || place === '/') return atPath(':memory:')
  if (place.startsWith('/')) return atPath(place.slice(1))
  return finding(
    'two slashes make the path a host name',
    `Write sqlite:${place}, or sqlite:///${place} as SQLAlchemy has it`,
  )
}

function atPath(path: string): Reading {
  if (path === ':memory:') return { kind: 'sqlite', path: null, label: 'SQLite in memory' }
  if (path === '' || path.includes('\0')) return finding('there is no path', 'Write sqlite:./rusk.db')
  if (path.startsWith('file:')) {
    return finding('SQLite URIs are not supported', 'Write the path alone, as in sqlite:./rusk.db')
  }
  return { kind: 'sqlite', path, label: `SQLite file ${path}` }
}

/** What each query parameter becomes. Those of other drivers that tune, and say neither where nor how safely, are dropped. */
const parameters: Readonly<Record<string, keyof Described | 'dropped'>> = {
  host: 'host',
  port: 'port',
  user: 'user',
  password: 'password',
  dbname: 'database',
  database: 'database',
  options: 'options',
  ssl: 'ssl',
  sslmode: 'ssl',
  sslrootcert: 'rootCertificate',
  application_name: 'dropped',
  async_fallback: 'dropped',
  channel_binding: 'dropped',
  client_encoding: 'dropped',
  command_timeout: 'dropped',
  connect_timeout: 'dropped',
  gssencmode: 'dropped',
  max_cached_statement_lifetime: 'dropped',
  pool_size: 'dropped',
  prepare_threshold: 'dropped',
  prepared_statement_cache_size: 'dropped',
  schema: 'dropped',
  statement_cache_size: 'dropped',
  target_session_attrs: 'dropped',
  timeout: 'dropped',
}

type Described = {
  host?: string
  port?: string
  database?: string
  user?: string
  password?: string
  options?: string
  ssl?: string
  rootCertificate?: string
}

/** asyncpg and libpq agree on the words; `require` encrypts and believes any certificate. */
const encryptions: Readonly<Record<string, Encryption>> = {
  disable: 'disable',
  false: 'disable',
  0: 'disable',
  require: 'require',
  'no-verify': 'require',
  'verify-ca': 'verify-ca',
  'verify-full': 'verify-full',
  true: 'verify-full',
  1: 'verify-full',
}

function readPostgres(rest: string): Reading {
  const url = parse(rest)
  if (!url) {
    return finding(
      'the address of the Postgres database cannot be read',
      'Write postgres://USER:PASSWORD@HOST:5432/NAME, with one host, and characters like # / ? % @ in the password percent-encoded',
    )
  }
  const described: Described = { ...url.described }
  for (const [name, value] of url.query) {
    const becomes = parameters[name]
    if (!becomes)
      return finding(`the query parameter ${name} is not known`, 'Leave it out of the database address')
    if (becomes !== 'dropped') described[becomes] = value
  }
  return describe(described)
}

function describe({ port: portText, ssl, ...rest }: Described): Reading {
  const encryption = encryptions[ssl ?? 'disable']
  if (!encryption) {
    return finding(
      `ssl=${ssl} leaves open whether the connection is encrypted`,
      'Write ssl=verify-full, ssl=require or ssl=disable',
    )
  }
  if (encryption === 'verify-ca' && rest.rootCertificate === undefined) {
    return finding(
      'verify-ca needs to know the certificate authority',
      'Add sslrootcert=PATH or write verify-full',
    )
  }
  const port = portText === undefined ? undefined : Number(portText)
  if (port !== undefined && !(Number.isInteger(port) && port > 0 && port < 65536)) {
    return finding('the port is not a number from 1 to 65535', example)
  }
  const where = `${rest.host ?? 'the default host'}${port === undefined ? '' : `:${port}`}`
  const label = `Postgres at ${where}${rest.database === undefined ? '' : `, database ${rest.database}`}`
  return { kind: 'postgres', ...rest, ...(port === undefined ? {} : { port }), encryption, label }
}

type Parsed = { readonly described: Described; readonly query: URLSearchParams }

function parse(rest: string): Parsed | undefined {
  // libpq lets the host be missing (a socket's folder is in the query then); WHATWG URLs do not when there is a user.
  const noHost = /^\/\/(?:[^/?#]*@)?(?=[/?]|$)/u.test(rest)
  const text = `postgres:${noHost ? rest.replace(/^\/\/([^/?#]*@)?/u, '//$1nowhere') : rest}`
  if (!rest.startsWith('//') || !URL.canParse(text)) return undefined
  const url = new URL(text)
  // A raw # in a password makes the rest of the address a fragment, a raw / or ? a name or a query: no part of it is told.
  if (url.hash !== '' || `${url.pathname}${url.search}`.includes('@')) return undefined
  const parts = {
    host: noHost ? '' : url.hostname.replace(/^\[(.*)\]$/u, '$1'),
    port: url.port,
    database: url.pathname.slice(1),
    user: url.username,
    password: url.password,
  }
  try {
    const decoded = Object.entries(parts).map(([name, value]) => [name, decodeURIComponent(value)] as const)
    return {
      described: Object.fromEntries(decoded.filter(([, value]) => value !== '')),
      query: url.searchParams,
    }
  } catch (error) {
    if (error instanceof URIError) return undefined
    throw error
  }
}
