// kill -9 under load, again and again: whatever the server acknowledged is there when it comes back.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { readDatabase } from '../src/store/database.ts'
import { openStore } from '../src/store/open.ts'
import { post, serve, setCookies } from './serving.ts'

const rounds = 50
const callers = 8

/** What the server has said yes to. */
type Acknowledged = {
  readonly emails: Set<string>
  /** By session: the number of the newest refresh token it was sent. */
  readonly numbers: Map<string, number>
  readonly signedOut: Set<string>
}

const numberOf = (refreshToken: string): { sessionId: string; n: number } => {
  const [sessionId = '', n = ''] = refreshToken.split('.')
  return { sessionId, n: Number(n) }
}

/** One browser: signs up, refreshes a few times, signs out, signs in again; until the connection breaks. */
async function browse(url: string, email: string, acknowledged: Acknowledged, stopped: () => boolean) {
  const credentials = { login: email, password: 'correct horse battery staple' }
  const note = (token: string | undefined) => {
    assert.ok(token, 'an answer that opens or changes a session carries a refresh token')
    const { sessionId, n } = numberOf(token)
    acknowledged.numbers.set(sessionId, Math.max(n, acknowledged.numbers.get(sessionId) ?? 0))
    return sessionId
  }
  let answer = await post(`${url}/auth/sign-up`, { body: { email, password: credentials.password } })
  assert.equal(answer.status, 201, await answer.clone().text())
  acknowledged.emails.add(email)
  while (!stopped()) {
    let jar = new Map(setCookies(answer))
    const sessionId = note(jar.get('rusk_refresh'))
    for (let i = 0; i < 3; i++) {
      await sleep(3)
      answer = await post(`${url}/auth/refresh`, { cookies: jar })
      assert.equal(answer.status, 200, await answer.clone().text())
      jar = new Map([...jar, ...setCookies(answer)])
      if (setCookies(answer).has('rusk_refresh')) note(jar.get('rusk_refresh'))
    }
    answer = await post(`${url}/auth/sign-out`, { cookies: jar })
    assert.equal(answer.status, 204, await answer.clone().text())
    acknowledged.signedOut.add(sessionId)
    answer = await post(`${url}/auth/sign-in`, { body: credentials })
    assert.equal(answer.status, 200, await answer.clone().text())
  }
}

const isBroken = (error: unknown): boolean =>
  error instanceof TypeError && error.message.includes('fetch failed')
const isCut = (error: unknown): boolean =>
  error instanceof TypeError && /terminated|other side closed/.test(error.message)

test(`kill -9 under load, ${rounds} times: no acknowledged sign-up, sign-in, refresh or sign-out is lost`, async t => {
  const folder = await mkdtemp(join(tmpdir(), 'rusk-crash-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const acknowledged: Acknowledged = { emails: new Set(), numbers: new Map(), signedOut: new Set() }
  const many = '100000/1m'
  const env = {
    RUSK_SESSION_GRACE: '1ms',
    RUSK_THROTTLE_SIGN_UP: many,
    RUSK_THROTTLE_SIGN_IN: many,
  }
  for (let round = 0; round < rounds; round++) {
    const serving = await serve({ args: ['--database', 'sqlite:./rusk.db'], cwd: folder, env })
    let killed = false
    const browsers = Array.from({ length: callers }, (_, i) =>
      browse(serving.url, `r${round}b${i}@example.com`, acknowledged, () => killed).catch(
        (error: unknown) => {
          // Only the kill may break a connection; any other failure is a failure of the test.
          if (!(killed && (isBroken(error) || isCut(error)))) throw error
        },
      ),
    )
    await sleep(150 + Math.random() * 350)
    killed = true
    await serving.end('SIGKILL')
    await Promise.all(browsers)
  }
  const database = readDatabase(`sqlite:${join(folder, 'rusk.db')}`)
  assert.ok(!('wrong' in database))
  const store = await openStore(database)
  t.after(() => store.close())
  for (const email of acknowledged.emails) {
    assert.ok(await store.account({ emailKey: email }), `the account ${email} is lost`)
  }
  for (const [sessionId, n] of acknowledged.numbers) {
    const holder = await store.holder(sessionId)
    assert.ok(holder, 'a session is lost')
    assert.ok(
      holder.session.successor >= n,
      `refresh token ${n} was sent, the store knows ${holder.session.successor}`,
    )
  }
  for (const sessionId of acknowledged.signedOut) {
    const holder = await store.holder(sessionId)
    assert.equal(holder?.session.endedBecause, 'signed_out', 'a sign-out is lost')
  }
  const { emails, numbers, signedOut } = acknowledged
  t.diagnostic(`${emails.size} sign-ups, ${numbers.size} sessions, ${signedOut.size} sign-outs, none lost`)
  assert.ok(emails.size > rounds && signedOut.size > rounds, 'there was hardly any load')
})
