// `rusk serve` as an operator meets it: ready or refused, in a clear sentence, with nothing damaged.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startPostgres } from '../store/stores.ts'
import { abouts, assertEnded, emptyFolder, run, serve } from './binary.ts'

test('ready is one line on standard output, with the address that it listens on', async t => {
  const server = await serve(t, { folder: emptyFolder(t) })
  assert.equal((await fetch(`${server.url}/health`)).status, 200)
  assert.match(server.texts().stdout, /^rusk listening on http:\/\/127\.0\.0\.1:[1-9]\d*\n/)
  assert.equal(server.texts().stdout.match(/rusk listening/g)?.length, 1)
})

test('pages are served in development, and not when the command line says so', async t => {
  const status = async (...flags: readonly string[]) => {
    const server = await serve(t, { folder: emptyFolder(t) }, ['--port', '0', ...flags])
    const { status } = await fetch(`${server.url}/sign-in`, { headers: { 'sec-fetch-site': 'none' } })
    await server.stop()
    return status
  }
  assert.equal(await status(), 200)
  assert.equal(await status('--no-pages'), 404)
  assert.equal(await status('--pages'), 200)
})

test('a bad configuration is refused with every finding at once', async t => {
  const folder = emptyFolder(t)
  writeFileSync(join(folder, '.env'), 'JWT_KEY=dev_secret_key_change_me_123456!\nRUSK_SESION_GRACE=2m\n')
  const env = { ENVIRONMENT: 'production', ALLOWED_ORIGINS: 'https://a.example/,*', SECURE_COOKIES: 'false' }
  const ended = await run({ folder, env }, ['serve', '--dialect', 'fastapy', '--port', 'x'])
  assert.equal(ended.code, 2)
  assert.equal(ended.stdout, '')
  assert.deepEqual(abouts(ended.stderr).sort(), [
    '--dialect',
    '--port',
    'ALLOWED_ORIGINS',
    'ALLOWED_ORIGINS',
    'JWT_KEY in .env',
    'RUSK_SESION_GRACE in .env',
    'RUSK_URL',
    'SECURE_COOKIES',
  ])
  assert.match(ended.stderr, /→ Write fastapi\n/)
  assert.match(ended.stderr, /→ Write https:\/\/a\.example/)
  assert.doesNotMatch(ended.stderr, /change_me/)
})

test("each original's .env is read from the working folder as it stands", async t => {
  const table: [dialect: string, dotenv: string, origin: string][] = [
    ['fastapi', 'ENVIRONMENT=development\nSECURE_COOKIES=false\n', 'http://localhost:3000'],
    ['flask', 'ALLOWED_ORIGINS=http://localhost:3000,http://localhost:5173\n', 'http://localhost:5173'],
    [
      'django',
      'CSRF_TRUSTED_ORIGINS=http://localhost:5173\nSECURE_HSTS_SECONDS=0\n',
      'http://localhost:5173',
    ],
    [
      'fastapi-minimal',
      'DATABASE_URL=sqlite:///./app.db\nJWT_KEY=dev_secret_key_change_me_123456!\nMAIN_EMAIL=a@example.com\nMAIN_EMAIL_PASSWORD=abcd efgh\nBACK_URL=http://127.0.0.1:8000\nFRONTEND_ORIGIN=http://127.0.0.1:5500\n',
      'http://127.0.0.1:5500',
    ],
    [
      'fastapi-production',
      'JWT_SECRET_KEY=your-super-secret-jwt-key-change-in-production\nENVIRONMENT=development\nALLOWED_ORIGINS=["http://localhost:3000"]\nSECURE_COOKIES=false\n',
      'http://localhost:3000',
    ],
  ]
  for (const [dialect, dotenv, origin] of table) {
    await t.test(dialect, async t => {
      const folder = emptyFolder(t)
      writeFileSync(join(folder, '.env'), dotenv)
      const server = await serve(t, { folder }, ['--port', '0', '--dialect', dialect])
      const answer = await fetch(`${server.url}/health`, { headers: { origin } })
      assert.equal(answer.status, 200)
      assert.equal(answer.headers.get('access-control-allow-origin'), origin)
    })
  }
  await t.test('a Postgres that does not answer is named, its password is not', async t => {
    const folder = emptyFolder(t)
    writeFileSync(
      join(folder, '.env'),
      'DATABASE_URL=postgresql+asyncpg://postgres:hush@127.0.0.1:1/auth_db\n',
    )
    const ended = await run({ folder }, ['serve', '--port', '0'])
    assert.ok(ended.code === 1 || ended.code === 2)
    assert.match(ended.stderr, /✗ .*127\.0\.0\.1/)
    assert.doesNotMatch(ended.stderr, /hush| {4}at /)
    assert.equal(ended.stderr.match(/ECONNREFUSED/g)?.length, 1, ended.stderr)
  })
})

test("fastapi-production's .env serves from a real Postgres as it stands", async t => {
  const postgres = await startPostgres()
  t.after(() => postgres.stop())
  const address = await postgres.url('auth_db')
  const folder = emptyFolder(t)
  const dotenv = [
    'JWT_SECRET_KEY=your-super-secret-jwt-key-change-this-in-production',
    `DATABASE_URL=${address.replace('postgres:', 'postgresql+asyncpg:')}`,
    'ENVIRONMENT=development',
    'ALLOWED_ORIGINS=["http://localhost:3000"]',
    'SECURE_COOKIES=false',
  ]
  writeFileSync(join(folder, '.env'), `${dotenv.join('\n')}\n`)
  const args = ['--port', '0', '--dialect', 'fastapi-production']
  const account = { email: 'jack@example.com', password: 'Seven-brave-otters-1', full_name: 'Jack' }
  const post = (url: string, path: string, body: object) =>
    fetch(url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: 'http://localhost:3000' },
      body: JSON.stringify(body),
    })
  const first = await serve(t, { folder }, args)
  assert.match(first.texts().stderr, /! RUSK_SECRET: JWT_SECRET_KEY also seals/)
  assert.equal((await post(first.url, '/api/auth/register', account)).status, 201)
  assert.equal((await first.stop()).code, 0)
  const second = await serve(t, { folder }, args)
  const signedIn = await post(second.url, '/api/auth/login', account)
  assert.equal(signedIn.status, 200)
  assert.ok(signedIn.headers.getSetCookie().length > 0)
  assert.equal((await second.stop()).code, 0)
  // Everything is in Postgres.
  assert.deepEqual(readdirSync(folder), ['.env'])
})

test('a port in use is named', async t => {
  const taken = createServer().listen(0, '127.0.0.1')
  await new Promise(resolve => taken.once('listening', resolve))
  t.after(() => taken.close())
  const address = taken.address()
  assert.ok(address && typeof address === 'object')
  const ended = await run({ folder: emptyFolder(t) }, ['serve', '--port', String(address.port)])
  assertEnded(ended, 2, new RegExp(`✗ .*${address.port}`))
  assert.equal(ended.stdout, '')
})

test('a second server on one SQLite file is refused, and the first goes on', async t => {
  const folder = emptyFolder(t)
  const first = await serve(t, { folder })
  const ended = await run({ folder }, ['serve', '--port', '0'])
  assertEnded(ended, 2, /✗ .*rusk\.db/)
  assert.equal((await fetch(`${first.url}/ready`)).status, 200)
})

test('a database that cannot be used is refused in a clear sentence, and left as it is', async t => {
  const folder = emptyFolder(t)
  const shut = join(folder, 'shut')
  mkdirSync(shut)
  chmodSync(shut, 0o555)
  writeFileSync(join(folder, 'corrupt.db'), `SQLite format 3\0${'no database at all. '.repeat(500)}`)
  writeFileSync(join(folder, 'text.db'), 'Dear diary,\n'.repeat(100))
  writeFileSync(join(folder, 'foreign.db'), '')
  const foreign = new DatabaseSync(join(folder, 'foreign.db'))
  foreign.exec('create table invoices (id integer); insert into invoices values (7)')
  foreign.close()
  // To the administrator no folder is shut, except one that the kernel made up.
  const unwritable = process.getuid?.() === 0 ? '/proc/rusk.db' : join(shut, 'rusk.db')
  const table: [sentence: string, path: string, named?: RegExp][] = [
    ['a folder that nobody may write to', unwritable],
    ['a folder that is not there', 'nowhere/rusk.db', /✗ .*nowhere/],
    ['a folder in the place of a file', 'shut'],
    ['a corrupt database', 'corrupt.db'],
    ['a file that is no database', 'text.db'],
    ["somebody else's database", 'foreign.db'],
  ]
  for (const [sentence, path, named = new RegExp(`✗ .*${path.split('/').at(-1)}`)] of table) {
    await t.test(sentence, async () => {
      const file = join(folder, path)
      const isFile = path.endsWith('.db') && !path.includes('/')
      const before = isFile ? readFileSync(file) : undefined
      const ended = await run({ folder }, ['serve', '--port', '0', '--database', `sqlite:${path}`])
      assertEnded(ended, 2, named)
      assert.doesNotMatch(ended.stderr, / {4}at /)
      if (before) assert.deepEqual(readFileSync(file), before)
    })
  }
})

test('a database of a newer Rusk is refused and left as it is', async t => {
  const folder = emptyFolder(t)
  await run(
    { folder },
    ['users', 'create', '--email', 'jack@example.com', '--password-stdin'],
    'seven brave otters',
  )
  const file = join(folder, 'rusk.db')
  const database = new DatabaseSync(file)
  const table = database
    .prepare("select name from sqlite_schema where type = 'table' and name like '%migration'")
    .get()
  database.exec(`insert into "${table?.name}" values ('9999_of_tomorrow', '2126-01-01')`)
  database.exec('pragma wal_checkpoint(truncate)')
  database.close()
  const before = readFileSync(file)
  for (const command of [['serve', '--port', '0'], ['migrate'], ['users', 'list']]) {
    assertEnded(await run({ folder }, command), 2, /✗ .*newer/)
  }
  assert.deepEqual(readFileSync(file), before)
})

test('in production a schema that is behind is refused, with the command to run', async t => {
  const folder = emptyFolder(t)
  const env = {
    ENVIRONMENT: 'production',
    RUSK_URL: 'https://auth.example.org',
    TRUSTED_PROXIES: '127.0.0.1',
  }
  assertEnded(
    await run({ folder, env }, ['serve', '--port', '0']),
    2,
    /✗ database: .*behind.*→ Run:? rusk migrate/,
  )
  // serve has made the file, empty.
  const behind = await run({ folder, env }, ['doctor'])
  assert.match(behind.stdout, /✗ database: its schema is behind .*→ Run rusk migrate/)
  assert.equal(behind.code, 2)
  assertEnded(await run({ folder, env }, ['migrate']), 0, /Applied/)
  assertEnded(await run({ folder, env }, ['doctor']), 0, /^$/)
  const server = await serve(t, { folder, env })
  assert.equal((await fetch(`${server.url}/ready`)).status, 200)
  assert.equal((await server.stop()).code, 0)
})

test('SIGTERM and SIGINT end it well, and what was acknowledged is there the next time', async t => {
  const folder = emptyFolder(t)
  for (const [index, signal] of (['SIGTERM', 'SIGINT'] as const).entries()) {
    const server = await serve(t, { folder })
    const answer = await fetch(`${server.url}/auth/sign-up`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email: `p${index}@example.com`, password: 'seven brave otters' }),
    })
    assert.equal(answer.status, 201)
    const { code, took } = await server.stop(signal)
    assert.equal(code, 0)
    assert.ok(took < 10_000)
  }
  const { stdout } = await run({ folder }, ['users', 'list', '--json'])
  assert.equal(JSON.parse(stdout).length, 2)
})

test('a second signal ends it at once', async t => {
  const server = await serve(t, { folder: emptyFolder(t) })
  const { port, hostname } = new URL(server.url)
  const hanging = connect(Number(port), hostname)
  hanging.on('error', () => undefined)
  hanging.write(
    'POST /auth/sign-in HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99\r\nExpect: 100-continue\r\n\r\n{',
  )
  // The 100 tells that the call is taken; that nobody else is, that the first signal is.
  await once(hanging, 'data')
  server.child.kill('SIGTERM')
  while (
    await fetch(server.url).then(
      () => true,
      () => false,
    )
  )
    await sleep(20)
  await sleep(300)
  assert.equal(server.child.exitCode, null)
  const { code, took } = await server.stop()
  assert.equal(code, 1)
  // Otherwise it is nine seconds.
  assert.ok(took < 5000)
})
