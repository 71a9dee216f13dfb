// How databases are written down.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isDatabase, readDatabase } from './database.ts'

const sqlite: readonly (readonly [sentence: string, given: string, want: string | null])[] = [
  ['our spelling, relative', 'sqlite:./rusk.db', './rusk.db'],
  ['our spelling, absolute', 'sqlite:/var/lib/rusk.db', '/var/lib/rusk.db'],
  ['our spelling, in memory', 'sqlite::memory:', null],
  ['spaces around it', ' sqlite:./rusk.db\n', './rusk.db'],
  ['a path may have a question mark', 'sqlite:./what?.db', './what?.db'],
  ['SQLAlchemy, relative with a dot', 'sqlite:///./app.db', './app.db'],
  ['SQLAlchemy, relative', 'sqlite:///app.db', 'app.db'],
  ['SQLAlchemy, absolute', 'sqlite:////var/lib/app.db', '/var/lib/app.db'],
  ['SQLAlchemy with a driver', 'sqlite+aiosqlite:///./app.db', './app.db'],
  ['SQLAlchemy with a driver, absolute', 'sqlite+aiosqlite:////data/app.db', '/data/app.db'],
  ['SQLAlchemy, in memory', 'sqlite://', null],
  ['SQLAlchemy, in memory with a driver', 'sqlite+aiosqlite://', null],
  ['SQLAlchemy, in memory by name', 'sqlite:///:memory:', null],
  ['SQLAlchemy, no path', 'sqlite:///', null],
  ['the Python driver’s parameters are dropped', 'sqlite:///app.db?check_same_thread=false', 'app.db'],
]

for (const [sentence, given, want] of sqlite) {
  test(`sqlite: ${sentence}`, () => {
    const read = readDatabase(given)
    assert.ok(isDatabase(read) && read.kind === 'sqlite', JSON.stringify(read))
    assert.equal(read.path, want)
  })
}

const all = { host: 'db.example.com', port: 5433, database: 'app', user: 'ada', password: 'secret' }
const bare = { host: 'h', database: 'd' }
const plain = { encryption: 'disable' } as const

const postgres: readonly (readonly [sentence: string, given: string, want: object])[] = [
  ['complete', 'postgres://ada:secret@db.example.com:5433/app', { ...all, ...plain }],
  ['the long scheme', 'postgresql://ada:secret@db.example.com:5433/app', { ...all, ...plain }],
  ['asyncpg', 'postgresql+asyncpg://ada:secret@db.example.com:5433/app', { ...all, ...plain }],
  ['psycopg', 'postgresql+psycopg://ada:secret@db.example.com:5433/app', { ...all, ...plain }],
  ['psycopg2', 'postgresql+psycopg2://ada:secret@db.example.com:5433/app', { ...all, ...plain }],
  ['without user and port', 'postgres://h/d', { ...bare, ...plain }],
  ['nothing but a name', 'postgresql:///d', { database: 'd', ...plain }],
  ['nothing at all', 'postgresql://', plain],
  [
    'an escaped password',
    'postgres://u:a%23b%2F%40@h/d',
    { ...bare, user: 'u', password: 'a#b/@', ...plain },
  ],
  ['an @ in the password', 'postgres://u:a@b@h/d', { ...bare, user: 'u', password: 'a@b', ...plain }],
  ['an IPv6 address', 'postgres://[::1]:5432/d', { host: '::1', port: 5432, database: 'd', ...plain }],
  ['a socket', 'postgresql:///d?host=/run/pg', { host: '/run/pg', database: 'd', ...plain }],
  [
    'a socket and a user',
    'postgres://u@/d?host=/run/pg',
    { host: '/run/pg', database: 'd', user: 'u', ...plain },
  ],
  ['asyncpg’s ssl', 'postgresql+asyncpg://h/d?ssl=require', { ...bare, encryption: 'require' }],
  ['libpq’s sslmode', 'postgres://h/d?sslmode=verify-full', { ...bare, encryption: 'verify-full' }],
  ['node’s ssl', 'postgres://h/d?ssl=true', { ...bare, encryption: 'verify-full' }],
  [
    'a certificate authority',
    'postgres://h/d?sslmode=verify-ca&sslrootcert=/ca.pem',
    { ...bare, encryption: 'verify-ca', rootCertificate: '/ca.pem' },
  ],
  [
    'tuning for other drivers is dropped',
    'postgresql+asyncpg://h/d?prepared_statement_cache_size=0&channel_binding=require&ssl=disable',
    { ...bare, ...plain },
  ],
  [
    'libpq’s options',
    'postgres://h/d?options=-c%20work_mem%3D8MB',
    { ...bare, options: '-c work_mem=8MB', ...plain },
  ],
]

for (const [sentence, given, want] of postgres) {
  test(`postgres: ${sentence}`, () => {
    const read = readDatabase(given)
    assert.ok(isDatabase(read), JSON.stringify(read))
    const { kind, label, ...rest } = read
    assert.equal(kind, 'postgres')
    assert.doesNotMatch(label, /secret|a#b|ada/u)
    assert.deepEqual(rest, want)
  })
}

const findings: readonly (readonly [sentence: string, given: string, want: RegExp])[] = [
  ['nothing', '', /not the address of a database/u],
  ['a bare path', './rusk.db', /not the address of a database/u],
  ['another database', 'mysql://u:hunter2@h/d', /mysql databases are not supported/u],
  ['two slashes', 'sqlite://app.db', /two slashes.*sqlite:app\.db/u],
  ['no path', 'sqlite:', /no path/u],
  ['a zero character', 'sqlite:a\0b', /no path/u],
  ['a SQLite URI', 'sqlite:///file:app.db?mode=ro&uri=true', /URIs/u],
  ['no slashes', 'postgres:d', /cannot be read/u],
  ['several hosts', 'postgres://u:hunter2@a:1,b:2/d', /one host/u],
  ['a raw # in the password', 'postgres://u:hunter2#x@h/d', /percent-encoded/u],
  ['a broken escape', 'postgres://u:hunter2%zz@h/d', /percent-encoded/u],
  ['a raw / in the password', 'postgres://u:4711/hunter2@h/d', /percent-encoded/u],
  ['a password that begins with a raw /', 'postgres://u:/hunter2@h/d', /percent-encoded/u],
  ['a raw ? in the password', 'postgres://u:47?hunter2@h/d', /percent-encoded/u],
  [
    'a raw ? and a known parameter in the password',
    'postgres://u:47?sslmode=hunter2@h/d',
    /percent-encoded/u,
  ],
  ['a port that is none', 'postgres://u:hunter2@h:99999/d', /cannot be read/u],
  ['a port by parameter that is none', 'postgres://h/d?port=x', /port/u],
  ['an unknown parameter', 'postgres://u:hunter2@h/d?sslmod=require', /sslmod is not known/u],
  ['ssl=prefer', 'postgres://u:hunter2@h/d?ssl=prefer', /ssl=prefer leaves open/u],
  ['verify-ca without the authority', 'postgres://h/d?sslmode=verify-ca', /certificate authority/u],
]

for (const [sentence, given, want] of findings) {
  test(`refused: ${sentence}`, () => {
    const read = readDatabase(given)
    assert.ok(!isDatabase(read), JSON.stringify(read))
    const said = `${read.about}: ${read.wrong}. ${read.instead}`
    assert.match(said, want)
    assert.doesNotMatch(said, /hunter2/u)
  })
}
