// A database that is put back from an earlier copy: nobody honest is signed out by that, what had ended since is live
// again until an operator ends it, and whoever runs the server is told so.
import assert from 'node:assert/strict'
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { loadSettings } from '../src/config/files.ts'
import { defaultPolicy } from '../src/core/policy.ts'
import { dialects } from '../src/dialects/index.ts'
import { openLog } from '../src/log.ts'
import { openSystem, type System } from '../src/system.ts'
import { cookieHeader, setCookies } from './serving.ts'
import { jack } from './system.ts'

type Line = { readonly level: string; readonly msg: string; readonly instead?: string }

/** A server on a file that can be copied and put back, on a clock that only the test moves. */
async function openWorld(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'rusk-restore-'))
  const [file, copy] = [join(folder, 'rusk.db'), join(folder, 'copy.db')]
  const lines: Line[] = []
  const log = openLog('info', false, { write: line => void lines.push(JSON.parse(line)) })
  let now = Date.UTC(2026, 0, 1)
  const { settings } = await loadSettings({
    options: { database: `sqlite:${file}`, secret: 'known to this test and to nobody else' },
    env: {},
    folder,
    envFile: null,
    dialectNames: Object.keys(dialects),
    dialects,
  })
  assert.ok(settings)
  const open = (): Promise<System> => openSystem(settings, { serving: true, clock: () => now, log })
  let system = await open()
  t.after(async () => {
    await system.close()
    rmSync(folder, { recursive: true, force: true })
  })

  const stopped = async (work: () => void) => {
    await system.close()
    work()
    system = await open()
  }
  return {
    lines,
    system: () => system,
    pass: (span: number) => {
      now += span
    },
    back: () => stopped(() => copyFileSync(file, copy)),
    restore: () => stopped(() => copyFileSync(copy, file)),
    /** A browser of jack's. */
    browser() {
      let jar = new Map<string, string>()
      return async (line: string, body?: object): Promise<number> => {
        const [method = '', path = ''] = line.split(' ')
        const headers = { 'content-type': 'application/json', cookie: cookieHeader(jar) }
        const answer = await system.http.fetch(
          new Request(`${settings.site.url}${path}`, {
            method,
            headers,
            ...(body ? { body: JSON.stringify(body) } : {}),
          }),
          {},
        )
        jar = new Map([...jar, ...setCookies(answer)])
        return answer.status
      }
    },
  }
}

const asJack = { login: jack.email, password: jack.password }
const [refresh, signIn, me] = ['POST /auth/refresh', 'POST /auth/sign-in', 'GET /auth/session']

test('after a restore the honest go on, what had ended is live again, and one command ends it', async t => {
  const { lines, pass, back, restore, browser, system } = await openWorld(t)
  const [honest, thief, later] = [browser(), browser(), browser()]
  assert.equal(await honest('POST /auth/sign-up', jack), 201)
  assert.equal(await thief(signIn, asJack), 200)
  await back()

  for (let i = 0; i < 3; i++) {
    pass(defaultPolicy.grace + 1)
    assert.equal(await honest(refresh), 200)
  }
  assert.equal(await honest('DELETE /auth/sessions'), 204)
  assert.equal(await thief(refresh), 401)
  pass(defaultPolicy.grace + 1)
  await restore()

  assert.equal(await honest(refresh), 200)
  const [warning] = lines.filter(({ msg }) => msg === 'store_went_back')
  assert.equal(warning?.level, 'warn')
  assert.match(warning?.instead ?? '', /rusk sessions revoke --opened-before now/)
  assert.equal(await thief(refresh), 200, 'what the copy brought back')

  const restoredAt = system().store.now()
  pass(1000)
  assert.equal(await later(signIn, asJack), 200)
  assert.equal(await system().endSessionsOpenedBefore(restoredAt, 'revoked'), 2)
  for (const each of [honest, thief]) {
    assert.equal(await each(me), 401)
    assert.equal(await each(refresh), 401)
  }
  assert.equal(await later(me), 200, 'who signed in since the restore goes on')
})

test('other events are no warnings', async t => {
  const { lines, pass, browser } = await openWorld(t)
  const one = browser()
  assert.equal(await one('POST /auth/sign-up', jack), 201)
  pass(defaultPolicy.grace + 1)
  assert.equal(await one(refresh), 200)
  assert.equal(await one('POST /auth/sign-out'), 204)
  const events = lines.filter(({ msg }) => /^[a-z_]+$/.test(msg))
  assert.ok(events.length >= 3)
  assert.deepEqual(new Set(events.map(({ level }) => level)), new Set(['info']))
})

test('a copy from before the keys were replaced signs nobody out: the next one lay ready in it', async t => {
  const { pass, back, restore, browser, system } = await openWorld(t)
  const [honest, away] = [browser(), browser()]
  const day = 86_400_000
  const look = async () => {
    const { keyring, store } = system()
    await keyring.keepUp(store.now())
  }
  const writer = () => system().keyring.macs(system().store.now())[0].id
  await system().createUser(jack, { skipPolicy: true, superuser: false })
  await look()
  const first = writer()
  pass(85 * day)
  for (const each of [honest, away]) assert.equal(await each(signIn, asJack), 200)
  await look()
  await back()
  pass(6 * day)
  await look()
  assert.notEqual(writer(), first)
  for (const line of [refresh, me]) assert.equal(await honest(line), 200)
  await restore()
  pass(defaultPolicy.grace + 1)
  for (const each of [honest, away]) for (const line of [refresh, me]) assert.equal(await each(line), 200)
})
