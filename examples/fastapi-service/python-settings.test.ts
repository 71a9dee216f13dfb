// What the chat service in Python says of settings that cannot be meant so, and which ways of writing them it forgives.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { openRusk, secret } from '../checks/rusk.ts'
import { command, folder, openChat, tellHistory } from './running.ts'

const run = promisify(execFile)

/** Nothing of what this process has. */
const silent = { PYTHONDONTWRITEBYTECODE: '1' }

const good = { RUSK_URL: 'http://127.0.0.1:9', RUSK_SERVICE_KEY: secret() }

// [sentence, settings, how the findings begin]
const rows: readonly (readonly [string, Readonly<Record<string, string>>, readonly string[]])[] = [
  ['nothing', {}, ['RUSK_URL', 'RUSK_SERVICE_KEY']],
  ['what is blank', { RUSK_URL: ' ', RUSK_SERVICE_KEY: '' }, ['RUSK_URL', 'RUSK_SERVICE_KEY']],
  ['an address without its scheme', { ...good, RUSK_URL: 'auth.example.com' }, ['RUSK_URL']],
  ['another way to Rusk without one', { ...good, RUSK_INTERNAL_URL: 'rusk:8000' }, ['RUSK_INTERNAL_URL']],
  ['a short service key', { ...good, RUSK_SERVICE_KEY: 'short' }, ['RUSK_SERVICE_KEY']],
  ['one with a blank in it', { ...good, RUSK_SERVICE_KEY: `${secret()} x` }, ['RUSK_SERVICE_KEY']],
  [
    'several, as Rusk has them',
    { ...good, RUSK_SERVICE_KEY: `${secret()},${secret()}` },
    ['RUSK_SERVICE_KEY: '],
  ],
  [
    'a way to Rusk that others can take over',
    { ...good, RUSK_URL: 'http://auth.example.com' },
    ['RUSK_URL: over'],
  ],
  [
    'a name that only begins like this machine’s',
    { ...good, RUSK_URL: 'http://127.0.0.1.evil.example' },
    ['RUSK_URL: over'],
  ],
  [
    'another way that is trusted',
    { ...good, RUSK_URL: 'http://auth.example.com', RUSK_INTERNAL_URL: 'http://rusk:8000' },
    [],
  ],
  ['this machine’s address of six', { ...good, RUSK_URL: 'http://[::1]:8000/in' }, []],
  ['a short shared key', { ...good, JWT_SECRET_KEY: 'x'.repeat(31) }, ['JWT_SECRET_KEY']],
  ['a word for neither', { ...good, WHEN_UNREACHABLE: 'maybe' }, ['WHEN_UNREACHABLE']],
  [
    'origins as no browser sends them, beside one that is good',
    { ...good, ALLOWED_ORIGINS: '*, null,https://app.example.com/, http://localhost:5173,' },
    ['ALLOWED_ORIGINS: *', 'ALLOWED_ORIGINS: null', 'ALLOWED_ORIGINS: https://app.example.com/'],
  ],
  [
    'blanks that set nothing',
    { ...good, RUSK_INTERNAL_URL: '', JWT_SECRET_KEY: '', WHEN_UNREACHABLE: ' ' },
    [],
  ],
  ['all is well', good, []],
]

test('settings that cannot be meant so end the start, with a sentence for each and what to write instead', async () => {
  for (const [sentence, env, want] of rows) {
    const args = ['-c', 'import os; from settings import read; read(os.environ)']
    const { stderr } = await run(command, args, { cwd: folder, env: { ...silent, ...env } }).catch(
      error => error,
    )
    const findings = String(stderr)
      .split('\n')
      .filter(line => line.startsWith('- '))
    assert.equal(findings.length, want.length, `${sentence}: ${stderr}`)
    for (const [at, start] of want.entries())
      assert.ok(findings[at]?.startsWith(`- ${start}`), `${sentence}: ${stderr}`)
  }
  const [, , unschemed] = rows
  const args = ['-m', 'uvicorn', 'app:app', '--port', '0']
  const { code, stderr } = await run(command, args, {
    cwd: folder,
    env: { ...silent, ...unschemed?.[1] },
  }).catch(error => error)
  assert.equal(code, 1)
  assert.match(stderr, /^The chat cannot start with these settings:\n- RUSK_URL: .*\n$/)
})

test('a slash at the end of an address is nobody’s trouble, and Rusk may be reached by another one', async t => {
  const issuer = 'http://localhost:9'
  const rusk = await openRusk(t, { env: { RUSK_URL: issuer } })
  const chat = await openChat(t, rusk, { RUSK_URL: `${issuer}/`, RUSK_INTERNAL_URL: `${rusk.url}/` })
  const { accessToken } = await rusk.signIn()
  const answer = await tellHistory(chat, accessToken)
  assert.equal(answer.status, 200, chat.printed())
})

test('where the feed is refused it is said once what to look at, and callers are told 503', async t => {
  const rusk = await openRusk(t)
  const { accessToken } = await rusk.signIn()
  // Not as the chat's own address is found in what it prints.
  const reached = rusk.url.replace('127.0.0.1', 'localhost')
  // [sentence, settings, what is printed]
  const troubles: readonly (readonly [string, Readonly<Record<string, string>>, RegExp])[] = [
    [
      'another key',
      { RUSK_INTERNAL_URL: reached, RUSK_SERVICE_KEY: secret() },
      /\/auth\/revocations: answered 401: is the service key one of RUSK_SERVICE_KEYS there\?\n/g,
    ],
    [
      'a place where Rusk is not',
      { RUSK_INTERNAL_URL: `${reached}/elsewhere` },
      /\/auth\/revocations: answered 404: is this where Rusk is, and has it RUSK_SERVICE_KEYS\?\n/g,
    ],
  ]
  for (const [sentence, env, want] of troubles) {
    const chat = await openChat(t, rusk, env)
    assert.equal((await tellHistory(chat, accessToken)).status, 503, sentence)
    // It has asked again meanwhile.
    await sleep(1200)
    assert.equal(chat.printed().match(want)?.length, 1, `${sentence}: ${chat.printed()}`)
  }
})
