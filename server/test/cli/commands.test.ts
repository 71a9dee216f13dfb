// What an operator types, and what comes back: exit code, data on standard output, words on standard error.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { optionRows } from '../../src/config.ts'
import { dialects } from '../../src/dialects/index.ts'
import { bin, environment } from '../serving.ts'
import { abouts, assertEnded, collect, emptyFolder, run, serve } from './binary.ts'

const password = 'seven brave otters sing'

test('help is help, and anything unknown is misuse', async t => {
  const folder = emptyFolder(t)
  const table: [args: string[], code: number, stdout: RegExp, stderr: RegExp][] = [
    [['--help'], 0, /Commands:[\s\S]*serve[\s\S]*Examples:/, /^$/],
    [['serve', '--help'], 0, /--port <number>/, /^$/],
    [['users', 'create', '--help'], 0, /--password-stdin/, /^$/],
    [['--version'], 0, /^\d+\.\d+\.\d+\n$/, /^$/],
    [[], 2, /^$/, /Usage: rusk/],
    [['users'], 2, /^$/, /Usage: rusk users/],
    [['srve'], 2, /^$/, /unknown command 'srve'[\s\S]*serve/],
    [['serve', '--prot', '1'], 2, /^$/, /unknown option '--prot'[\s\S]*--port/],
    [['users', 'create'], 2, /^$/, /--email/],
    [['users', 'list', '--limit', 'many'], 2, /^$/, /whole number/],
  ]
  for (const [args, code, stdout, stderr] of table) {
    await t.test(`rusk ${args.join(' ')}`, async () => {
      const ended = await run({ folder }, args)
      assertEnded(ended, code, stderr)
      assert.match(ended.stdout, stdout)
    })
  }
  assert.deepEqual(readdirSync(folder), [])
})

test('the help of serve tells every dialect and every option', async t => {
  const { stdout } = await run({ folder: emptyFolder(t) }, ['serve', '--help'])
  for (const { name, summary } of Object.values(dialects)) {
    assert.match(stdout, new RegExp(`\\n  ${name} +${RegExp.escape(summary)}\\n`))
  }
  for (const { variables, sentence } of optionRows()) {
    assert.ok(stdout.includes(variables.join(', ')) && stdout.includes(sentence), variables.join())
  }
})

test('a user is made with a password from standard input or a file, and never without one', async t => {
  const folder = emptyFolder(t)
  writeFileSync(join(folder, 'password'), `${password}\n`)
  const create = ['users', 'create', '--email']
  const made = await run(
    { folder },
    [...create, 'Jack@example.com', '--username', 'jack', '--password-stdin'],
    `${password}\n`,
  )
  assertEnded(made, 0, /^Made user 1, Jack@example\.com\.\n$/)
  assert.equal(made.stdout, '')
  const second = await run({ folder }, [
    '--json',
    ...create,
    'jill@example.com',
    '--name',
    'Jill\u009b31m',
    '--password-file',
    'password',
    '--superuser',
  ])
  assertEnded(second, 2, /name: Must not contain control characters/)
  const third = await run({ folder }, [
    '--json',
    ...create,
    'jill@example.com',
    '--name',
    'Jill',
    '--password-file',
    'password',
    '--superuser',
  ])
  assertEnded(third, 0, /^$/)
  const { number, email, name, superuser } = JSON.parse(third.stdout)
  assert.deepEqual([number, email, name, superuser], [2, 'jill@example.com', 'Jill', true])

  const table: [sentence: string, args: string[], input: string, want: string[]][] = [
    ['an address that is taken', ['jack@EXAMPLE.com', '--password-stdin'], password, ['user']],
    [
      'a weak password, every reason at once',
      ['a@example.com', '--password-stdin'],
      'test',
      ['password', 'password'],
    ],
    ['no address', ['nobody', '--password-stdin'], password, ['email']],
    ['an empty password', ['a@example.com', '--password-stdin'], '\n', ['--password-stdin']],
    [
      'everything at once, with an empty password',
      ['nobody', '--username', 'a b', '--password-stdin'],
      '\n',
      ['email', 'username', '--password-stdin'],
    ],
    [
      'everything at once, with a weak password',
      ['jack@example.com', '--username', 'JACK', '--password-stdin'],
      'test',
      ['user', 'user', 'password', 'password'],
    ],
    [
      'an address and a name that are taken',
      ['jack@example.com', '--username', 'JACK', '--password-stdin'],
      password,
      ['user', 'user'],
    ],
    [
      'everything at once, with a password that is too long',
      ['nobody', '--password-stdin'],
      'a'.repeat(1025),
      ['email', 'password'],
    ],
    ['no terminal', ['a@example.com'], password, ['password']],
    ['a file that is not there', ['a@example.com', '--password-file', 'nowhere'], '', ['--password-file']],
    [
      'two sources',
      ['a@example.com', '--password-file', 'password', '--password-stdin'],
      password,
      ['--password-stdin'],
    ],
  ]
  for (const [sentence, args, input, want] of table) {
    await t.test(`refused: ${sentence}`, async () => {
      const ended = await run({ folder }, [...create, ...args], input)
      assert.equal(ended.code, 2)
      assert.deepEqual(abouts(ended.stderr), want)
    })
  }
  await t.test('a weak password, if the operator answers for it', async () => {
    const ended = await run(
      { folder },
      [...create, 'test@example.com', '--password-stdin', '--skip-policy'],
      'test',
    )
    assertEnded(ended, 0, /Made user 3/)
  })
  await t.test('the table and the JSON tell the same users', async () => {
    const table = await run({ folder }, ['users', 'list'])
    assert.match(table.stdout, /^number +email +username/)
    assert.equal(table.stdout.split('\n').length, 5)
    const json = await run({ folder }, ['users', 'list', '--json', '--after', '1', '--limit', '1'])
    assert.deepEqual(
      JSON.parse(json.stdout).map((user: { email: string }) => user.email),
      ['jill@example.com'],
    )
    assert.match(json.stderr, /rusk users list --after 2/)
    assert.doesNotMatch(table.stdout + json.stdout, /argon2/)
  })
})

test('at a terminal the password is asked for twice and not shown', async t => {
  const folder = emptyFolder(t)
  const ask = async (answers: readonly string[], account = '--email jack@example.com') => {
    const command = `'${process.execPath}' '${bin}' users create ${account}`
    const child = spawn('script', ['-qec', command, '/dev/null'], {
      cwd: folder,
      env: environment(),
      timeout: 30_000,
    })
    const texts = collect(child)
    const prompts = ['Password: ', 'Again: ']
    for (const [index, answer] of answers.entries()) {
      while (!texts().stdout.includes(prompts[index] ?? '')) {
        assert.equal(child.exitCode, null, texts().stdout)
        await sleep(20)
      }
      child.stdin.write(`${answer}\r`)
    }
    const [code] = (await once(child, 'close')) as [number | null]
    return { code, shown: texts().stdout }
  }
  const differing = await ask([password, 'another'])
  assert.equal(differing.code, 2)
  assert.match(differing.shown, /the two differ/)
  const cancelled = await ask(['\u0003'])
  assert.equal(cancelled.code, 2)
  const made = await ask([password, password])
  assert.match(made.shown, /Made user 1/)
  assert.equal(made.code, 0)
  assert.doesNotMatch(differing.shown + made.shown, /otters/)
  for (const [account, told] of [
    ["--email nobody --username 'a b'", /✗ email: [\s\S]*✗ username: /],
    ['--email JACK@example.com', /✗ user: This e-mail address is already registered/],
  ] as const) {
    const refused = await ask([], account)
    assert.equal(refused.code, 2)
    assert.match(refused.shown, told)
    assert.doesNotMatch(refused.shown, /Password:/)
  }
})

test('what an operator ends, a running server ends within a second', async t => {
  const folder = emptyFolder(t)
  const where = { folder, env: { RUSK_DIALECT: 'fastapi' } }
  await run(
    where,
    ['users', 'create', '--email', 'jack@example.com', '--username', 'jack', '--password-stdin'],
    password,
  )
  const { url } = await serve(t, where)
  const signIn = async (): Promise<{ status: number; cookie: string }> => {
    const answer = await fetch(`${url}/auth/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username_or_email: 'jack', password }),
    })
    const cookie = answer.headers
      .getSetCookie()
      .map(line => line.split(';')[0])
      .join('; ')
    return { status: answer.status, cookie }
  }
  const me = async (cookie: string) => (await fetch(`${url}/users/me`, { headers: { cookie } })).status
  const becomes = async (cookie: string, status: number) => {
    const end = Date.now() + 3000
    while ((await me(cookie)) !== status && Date.now() < end) await sleep(50)
    assert.equal(await me(cookie), status)
  }

  const [first, second] = [await signIn(), await signIn()]
  assert.deepEqual([await me(first.cookie), await me(second.cookie)], [200, 200])
  const listed = await run(where, ['sessions', 'list', '--json', '--user', 'jack'])
  const sessions = JSON.parse(listed.stdout) as { id: string; email: string; openedAt: string }[]
  assert.equal(sessions.length, 2)
  const [older] = sessions.sort((a, b) => (a.openedAt < b.openedAt ? -1 : 1))
  assert.ok(older)

  assertEnded(await run(where, ['sessions', 'revoke', older.id]), 0, /The session has ended/)
  await becomes(first.cookie, 401)
  assert.equal(await me(second.cookie), 200)
  assertEnded(await run(where, ['sessions', 'revoke', '--', older.id]), 2, /no such live session/)
  assertEnded(await run(where, ['sessions', 'revoke']), 2, /one of a session, a user and a time/)

  assertEnded(await run(where, ['users', 'disable', 'jack@example.com']), 0, /is disabled/)
  await becomes(second.cookie, 401)
  assert.equal((await signIn()).status, 401)
  assert.deepEqual(JSON.parse((await run(where, ['sessions', 'list', '--json'])).stdout), [])

  assertEnded(await run(where, ['users', 'enable', '1']), 0, /may sign in again/)
  const third = await signIn()
  assert.equal(third.status, 200)
  assert.deepEqual(
    JSON.parse((await run(where, ['sessions', 'revoke', '--user', 'jack', '--json'])).stdout),
    { ended: 1 },
  )
  await becomes(third.cookie, 401)
  assertEnded(await run(where, ['users', 'disable', 'nobody']), 2, /no such user/)

  const [fourth, fifth] = [await signIn(), await signIn()]
  assert.deepEqual([await me(fourth.cookie), await me(fifth.cookie)], [200, 200])
  const revoke = (...args: string[]) => run(where, ['sessions', 'revoke', ...args])
  const long = '2026-01-01T00:00+02:00'
  assertEnded(await revoke('--opened-before', long), 0, /^0 sessions have ended\.\n$/)
  assert.equal(await me(fourth.cookie), 200)
  assertEnded(
    await revoke('--opened-before', long, '--user', 'jack'),
    2,
    /one of a session, a user and a time/,
  )
  assertEnded(await revoke('--opened-before', '2h'), 2, /2h is not a time.*→ Write it as \d{4}-.*Z, or now/)
  assertEnded(await revoke('--opened-before', 'now'), 0, /^2 sessions have ended\.\n$/)
  await becomes(fourth.cookie, 401)
  await becomes(fifth.cookie, 401)
})

test('the doctor tells how many letters wait, if any do', async t => {
  const folder = emptyFolder(t)
  const { url } = await serve(t, { folder })
  const post = async (path: string, body: object, cookie = '') => {
    const answer = await fetch(url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', cookie },
      body: JSON.stringify(body),
    })
    assert.ok(answer.ok, await answer.text())
    return answer.headers
      .getSetCookie()
      .map(line => line.split(';')[0])
      .join('; ')
  }
  const outbox = async () => /.*outbox.*/.exec((await run({ folder }, ['doctor'])).stdout)?.[0]
  let cookie = await post('/auth/sign-up', { email: 'jack@example.com', password })
  assert.equal(await outbox(), undefined)
  cookie = await post('/auth/password', { current: password, new: `${password} 1` }, cookie)
  assert.match((await outbox()) ?? '', /^✓ 1 letter waits in the outbox: no mail is sent yet$/)
  await post('/auth/password', { current: `${password} 1`, new: `${password} 2` }, cookie)
  assert.match((await outbox()) ?? '', /^✓ 2 letters wait in the outbox: no mail is sent yet$/)
})

test('in the wrong folder nothing is looked at and nothing is ended: a command says so, and makes no database', async t => {
  const folder = emptyFolder(t)
  for (const command of [
    'keys list',
    'keys rotate --compromised',
    'users list',
    'sessions list',
    'sessions revoke --user jack',
  ]) {
    assertEnded(
      await run({ folder }, command.split(' ')),
      2,
      /✗ database: there is none at \.\/rusk\.db\. → Run this in the folder/,
    )
  }
  for (const [command, wrong] of [
    ['keys rotate --sign-everybody-out', /✗ --sign-everybody-out: nothing here does that/],
    ['keys rotate --use refresh --compromised', /✗ --compromised: .*everybody has to sign in anew/],
    ['keys rotate --use sealing --now', /✗ --now: keys are always sealed anew at once/],
    ['sessions revoke', /✗ sessions revoke: it takes one of/],
  ] as const) {
    assertEnded(await run({ folder }, command.split(' ')), 2, wrong)
  }
  assert.deepEqual(readdirSync(folder), [])
})

test('a rotated key is published now and signs later, or at once if told so', async t => {
  const folder = emptyFolder(t)
  type Key = { use: string; state: string }
  const states = async () => {
    const { stdout } = await run({ folder }, ['keys', 'list', '--json'])
    assert.doesNotMatch(stdout, /sealed|"d"/)
    return (JSON.parse(stdout) as Key[])
      .filter(key => key.use === 'access tokens')
      .map(key => key.state)
      .sort()
  }
  await run({ folder }, ['migrate'])
  assert.deepEqual(await states(), ['signs'])
  assertEnded(await run({ folder }, ['keys', 'rotate']), 0, /is published and signs from \d{4}-/)
  assert.deepEqual(await states(), ['published', 'signs'])
  assertEnded(
    await run({ folder }, ['keys', 'rotate', '--now']),
    0,
    /signs from now on[\s\S]*Older keys go on being accepted/,
  )
  // The one that was published only will never sign.
  assert.deepEqual(await states(), ['accepted', 'accepted', 'signs'])
  assertEnded(
    await run({ folder }, ['keys', 'rotate', '--compromised']),
    0,
    /signs from now on[\s\S]*No older key is accepted any more[\s\S]*Refresh tokens stay good/,
  )
  assert.deepEqual(await states(), ['retired', 'retired', 'retired', 'signs'])
  const shared = { folder, env: { JWT_SECRET_KEY: 'q8ZkT3vN0aXw5JdLr2YbUe7PcMhGs1Fo' } }
  assertEnded(await run(shared, ['keys', 'rotate']), 2, /Change JWT_SECRET_KEY/)
  const unused = JSON.parse((await run(shared, ['keys', 'list', '--json'])).stdout) as Key[]
  assert.ok(
    unused.every(({ use, state }) => use === 'refresh and CSRF tokens' || /unused|retired/.test(state)),
  )
})

test('what goes by a dialect can be told which, as serve is', async t => {
  const folder = emptyFolder(t)
  // Class rules are one dialect's own.
  const create = (...args: string[]) =>
    run({ folder }, ['users', 'create', '--email', 'jack@example.com', '--password-stdin', ...args], password)
  assertEnded(await create('--dialect', 'fastapi-production'), 2, /✗ password: .*upper/i)
  assertEnded(await create('--dialect', 'fastapi-minimal'), 0, /Made user 1/)
  const doctor = await run({ folder }, ['doctor', '--dialect', 'fastapi,fastapi-minimal'])
  assert.match(doctor.stdout, /speaks fastapi, fastapi-minimal/)
  assertEnded(await run({ folder }, ['keys', 'rotate', '--dialect', 'flask']), 0, /is published/)
  for (const command of [
    ['doctor'],
    ['openapi'],
    ['keys', 'rotate'],
    ['users', 'create', '--email', 'a@x.example', '--password-stdin'],
  ]) {
    const ended = await run({ folder }, [...command, '--dialect', 'fastapy'], password)
    assert.equal(ended.code, 2)
    assert.match(ended.stdout + ended.stderr, /✗ --dialect: there is no dialect "fastapy"/)
  }
})

test('the OpenAPI document is printed without a database being made', async t => {
  const folder = emptyFolder(t)
  const { code, stdout } = await run({ folder }, ['openapi', '--dialect', 'fastapi'])
  assert.equal(code, 0)
  assert.ok('/auth/login' in JSON.parse(stdout).paths)
  assert.deepEqual(readdirSync(folder), [])
})

test('migrate says what it has done, and does it once', async t => {
  const folder = emptyFolder(t)
  const first = await run({ folder }, ['migrate', '--json'])
  assert.ok(JSON.parse(first.stdout).applied.length > 0)
  assertEnded(await run({ folder }, ['migrate']), 0, /up to date/)
})

test('the doctor tells what serve would, and makes nothing', async t => {
  const folder = emptyFolder(t)
  const url = 'https://api.example.org'
  const production = {
    ENVIRONMENT: 'production',
    RUSK_URL: url,
    TRUSTED_PROXIES: '127.0.0.1',
  }
  const table: [
    sentence: string,
    env: Record<string, string>,
    args: string[],
    code: number,
    stdout: RegExp,
  ][] = [
    ['all is well', {}, [], 0, /✓ [\s\S]*will be made at the first start/],
    ['a risk', { JWT_KEY: 'too-short-key' }, [], 0, /! JWT_KEY: it is shorter than 32 bytes/],
    [
      'an error',
      { JWT_KEY: 'too-short-key', ...production },
      [],
      2,
      /✗ JWT_KEY: it is shorter than 32 bytes/,
    ],
    [
      'a secret that everybody knows',
      { ...production, RUSK_SECRET: '192b9bdd22ab9ed4d12e236c78afcb9a393ec15f71bbf5dc987d54727823bcbf' },
      [],
      2,
      /✗ RUSK_SECRET: it is a secret for development/,
    ],
    [
      "somebody else's production",
      { NODE_ENV: 'production' },
      [],
      2,
      /✗ RUSK_ENVIRONMENT: .*ENVIRONMENT=production, or ENVIRONMENT=development/,
    ],
    [
      'production before its database was made',
      production,
      [],
      2,
      /✗ database: \.\/rusk\.db is not there, nor is its schema\. → Run rusk migrate/,
    ],
    ['production in memory', production, ['--database', 'sqlite::memory:'], 2, /✗ --database: .*in memory/],
    [
      'a front end elsewhere',
      { RUSK_URL: url, ALLOWED_ORIGINS: 'https://app.example' },
      [],
      0,
      /! RUSK_COOKIES_CROSS_SITE: .*different sites/,
    ],
    [
      "a front end elsewhere, beside the dialect's own",
      { RUSK_URL: url, ALLOWED_ORIGINS: 'https://app.example' },
      ['--dialect', 'flask'],
      0,
      /https:\/\/app\.example may call \(another site: cookies stay behind\)\n✓ pages of http:\/\/localhost:3000 may call/,
    ],
    [
      'a front end elsewhere, and cookies that go there',
      { RUSK_URL: url, ALLOWED_ORIGINS: 'https://app.example', RUSK_COOKIES_CROSS_SITE: 'true' },
      ['--dialect', 'django'],
      0,
      /✓ django: .*from the response header x-csrftoken\n[\s\S]*! cookies\.crossSite: .*block third-party cookies.*pages of https:\/\/app\.example\./,
    ],
    [
      "a dialect's own origin elsewhere",
      { RUSK_URL: url, RUSK_DIALECT: 'fastapi' },
      [],
      0,
      /! origins: the dialect's own, http:\/\/localhost:3000/,
    ],
    [
      "a dialect's own origin in production",
      { ...production, RUSK_DIALECT: 'fastapi' },
      [],
      2,
      /✓ pages of http:\/\/localhost:3000 may not call: .*\n✓ pages of https:\/\/api\.example\.org may call/,
    ],
    ['names of this machine', { RUSK_DIALECT: 'fastapi' }, [], 0, /if they call Rusk as localhost too/],
    [
      'dialects that do not go together',
      { RUSK_DIALECT: 'fastapi,flask' },
      [],
      2,
      /✗ .*different attributes/,
    ],
    ['no folder', {}, ['--database', 'sqlite:nowhere/x.db'], 2, /✗ database: nowhere cannot be written to/],
    [
      'a database that does not answer',
      { DATABASE_URL: 'postgres://u:hush@127.0.0.1:1/x' },
      [],
      2,
      /✗ .*127\.0\.0\.1/,
    ],
  ]
  for (const [sentence, env, args, code, stdout] of table) {
    await t.test(sentence, async () => {
      const ended = await run({ folder, env }, ['doctor', ...args])
      assert.match(ended.stdout, stdout)
      assert.equal(ended.code, code, ended.stdout)
      assert.doesNotMatch(ended.stdout + ended.stderr, /hush/)
      const json = await run({ folder, env }, ['doctor', '--json', ...args])
      assert.equal(json.code, code)
      assert.equal(JSON.parse(json.stdout).errors.length > 0, code === 2)
    })
  }
  assert.deepEqual(readdirSync(folder), [])
})

test('the doctor speaks of a CSRF cookie only where there is one, and of its domain until that is set', async t => {
  const folder = emptyFolder(t)
  const url = { RUSK_URL: 'https://api.example.org' }
  const sibling = { ...url, ALLOWED_ORIGINS: 'https://app.example.org' }
  const foreign = { ...url, ALLOWED_ORIGINS: 'https://app.example', RUSK_COOKIES_CROSS_SITE: 'true' }
  const table: [sentence: string, env: Record<string, string>, dialect: string, want: RegExp | null][] = [
    ['a sibling, with one', sibling, 'flask', /! RUSK_CSRF_DOMAIN: .*Set RUSK_CSRF_DOMAIN=example\.org/],
    ['a sibling, with one and its domain', { ...sibling, RUSK_CSRF_DOMAIN: 'example.org' }, 'flask', null],
    ['a sibling, without', sibling, 'fastapi', null],
    ['another site, with one', foreign, 'flask', /flask: .*response header x-csrf-token/],
    ['another site, without', foreign, 'fastapi', null],
  ]
  for (const [sentence, env, dialect, want] of table) {
    await t.test(sentence, async () => {
      const { code, stdout } = await run({ folder, env }, ['doctor', '--dialect', dialect])
      assert.equal(code, 0, stdout)
      if (want) assert.match(stdout, want)
      else assert.doesNotMatch(stdout, /csrf/i)
    })
  }
})

test('the doctor sees a schema that is behind, and files that others can read', async t => {
  const folder = emptyFolder(t)
  await run({ folder }, ['migrate'])
  await run({ folder }, ['keys', 'list'])
  assert.match((await run({ folder }, ['doctor'])).stdout, /schema is up to date/)
  chmodSync(join(folder, 'rusk.db.key'), 0o644)
  const told = await run({ folder }, ['doctor'])
  assert.match(told.stdout, /! database: other users of this machine can read \.\/rusk\.db\.key \(mode 644\)/)
  assert.equal(told.code, 0)
  chmodSync(join(folder, 'rusk.db'), 0o666)
  assert.match(
    (await run({ folder }, ['doctor'])).stdout,
    /! database: other users of this machine can change \.\/rusk\.db \(mode 666\)/,
  )
  rmSync(join(folder, 'rusk.db.key'))
  const lost = await run({ folder }, ['doctor'])
  assert.match(lost.stdout, /✗ .*the key file is missing/)
  assert.equal(lost.code, 2)
})
