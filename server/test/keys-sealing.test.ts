// Replacing the secret that seals keys: whatever breaks off and whoever comes in between, what is left opens every key.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import {
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Change } from '../src/core/change.ts'
import { Misuse } from '../src/core/fault.ts'
import { openSealer } from '../src/crypto/keys.ts'
import type { Options } from '../src/index.ts'
import { rotateKeyFile } from '../src/key-file.ts'
import { type Keyring, openKeyring } from '../src/operations/keyring.ts'
import { openStore } from '../src/store/open.ts'
import type { Store } from '../src/store/port.ts'
import type { System } from '../src/system.ts'
import { openAssembled } from './assembled.ts'
import { databaseAt, freshDatabase } from './store/stores.ts'
import { rotationPolicy } from './system.ts'

const newSecret = () => randomBytes(32).toString('base64url')

/** A command beside a server, or a server. */
const open = (t: TestContext, options: Options, serving = false): Promise<System> =>
  openAssembled(t, { log: { level: 'silent' }, port: 0, ...options }, { serving })

async function place(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'rusk-sealing-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const database = join(folder, 'rusk.db')
  const file = `${database}.key`
  const options: Options = { database: `sqlite:${database}` }
  return {
    folder,
    file,
    options,
    lines: async () => (await readFile(file, 'utf8')).trim().split('\n'),
    /** Every key opens with what is there now, and they are these. */
    async opens(want: readonly string[]) {
      const system = await open(t, options)
      assert.deepEqual(idsOf(system), want)
      assert.ok(system.keyring.signing(system.store.now()))
      await system.close()
    },
  }
}

const idsOf = ({ keyring }: System): readonly string[] => keyring.rows().map(({ id }) => id)

test('the key file gets another secret, and all keys are sealed with it', async t => {
  const { options, lines, file, opens } = await place(t)
  const system = await open(t, options)
  const [before] = await lines()
  assert.equal(await system.rotateSealing(), 2)
  const after = await lines()
  assert.equal(after.length, 1)
  assert.notEqual(after[0], before)
  assert.equal((await stat(file)).mode & 0o777, 0o600)
  await opens(idsOf(system))
  const [event] = await system.store.events({ limit: 1 })
  assert.deepEqual([event?.type, event?.detail], ['keys_resealed', { count: 2 }])
})

test('a link to the key file stays a link', async t => {
  const { options, folder, file, lines, opens } = await place(t)
  const system = await open(t, options)
  const elsewhere = join(folder, 'elsewhere')
  await rename(file, elsewhere)
  await symlink(elsewhere, file)
  const [before] = await lines()
  await system.rotateSealing()
  assert.ok((await lstat(file)).isSymbolicLink())
  assert.notEqual((await lines())[0], before)
  await opens(idsOf(system))
})

test('a key file that cannot be replaced stays as it is, and nothing is left beside it', async t => {
  const { options, folder, file, lines, opens } = await place(t)
  const system = await open(t, options)
  const before = await lines()
  const there = await readdir(folder)
  // Whoever it is, nobody puts a file where a folder is that holds something.
  const elsewhere = join(folder, 'elsewhere')
  await mkdir(join(`${file}.next`, 'in the way'), { recursive: true })
  await assert.rejects(system.rotateSealing(), (error: unknown) => {
    assert.ok(error instanceof Misuse)
    assert.match(error.message, /the key file cannot be replaced/)
    return true
  })
  await rename(`${file}.next`, elsewhere)
  assert.deepEqual(await lines(), before)
  assert.deepEqual((await readdir(folder)).toSorted(), [...there, 'elsewhere'].toSorted())
  await opens(idsOf(system))
})

type Place = Awaited<ReturnType<typeof place>>

const cutOff = new Error('cut off')

/** No process has this number: Linux ends at 2 to the 22nd, others sooner. */
const nobody = 4_194_305

// [where it was cut off, how that is made]
const cuts: [string, (place: Place, system: System) => Promise<void>][] = [
  [
    'the new secret stands first, and nothing is sealed with it',
    async ({ file }) =>
      assert.rejects(
        rotateKeyFile(file, () => Promise.reject(cutOff)),
        cutOff,
      ),
  ],
  [
    'all is sealed with the new one, and the earlier one is still there',
    async ({ file }, system) =>
      assert.rejects(
        rotateKeyFile(file, async () => {
          assert.equal(await system.keyring.reseal(system.store.now()), 2)
          throw cutOff
        }),
        cutOff,
      ),
  ],
  [
    'half a file was written beside it, under the lock of a process that is gone',
    async ({ file }) => {
      await writeFile(`${file}.next`, newSecret().slice(0, 20))
      await writeFile(`${file}.rotating`, `${nobody}\n`)
    },
  ],
  [
    'its process had the number that this one has now',
    ({ file }) => writeFile(`${file}.rotating`, `${process.pid}\n`),
  ],
  ['its process had not yet said who it is', ({ file }) => writeFile(`${file}.rotating`, '')],
]

for (const [sentence, cut] of cuts) {
  test(`cut off where ${sentence}: every key opens, and the next try ends it`, async t => {
    const there = await place(t)
    const system = await open(t, there.options)
    const ids = idsOf(system)
    await cut(there, system)
    await there.opens(ids)
    // A server adds one meanwhile.
    const server = await open(t, there.options, true)
    await server.rotateKeys({ use: 'mac', how: 'ahead' })
    await there.opens(idsOf(server))
    const again = await open(t, there.options)
    await again.rotateSealing()
    assert.equal((await there.lines()).length, 1)
    assert.deepEqual(await again.keyring.sealing(), { secrets: 1, behind: 0 })
    await there.opens(idsOf(server))
  })
}

const endless = `
  const [assembly, files, dialects, options] = process.argv.slice(1)
  const { openSystem } = await import(assembly)
  const { loadSettings } = await import(files)
  const dialectNames = Object.keys((await import(dialects)).dialects)
  const { settings } = loadSettings({ options: JSON.parse(options), env: {}, folder: '.', envFile: null, dialectNames })
  const system = await openSystem(settings, { serving: false })
  process.stdout.write('ready')
  for (;;) await system.rotateSealing()
`

test('killed at any moment: every key opens', async t => {
  const { file, options, opens, lines } = await place(t)
  const system = await open(t, options)
  const ids = idsOf(system)
  const source = (path: string) => new URL(`../src/${path}`, import.meta.url).href
  const given = JSON.stringify({ ...options, log: { level: 'silent' } })
  const args = [source('system.ts'), source('config/files.ts'), source('dialects/index.ts'), given]
  const left = new Set<number>()
  for (let round = 0; round < 12 || (left.size < 2 && round < 60); round++) {
    const child = spawn(process.execPath, ['--input-type=module', '-e', endless, ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await once(child.stdout, 'data')
    // From the middle of the first to some later one; every other time when both secrets are seen to stand in the file.
    const patience = Date.now() + 2000
    if (round % 2 === 0) await sleep(5 + 7 * (round % 12) + Math.random() * 7)
    else while (readFileSync(file, 'utf8').trim().split('\n').length < 2 && Date.now() < patience);
    child.kill('SIGKILL')
    await once(child, 'exit')
    left.add((await lines()).length)
    await opens(ids)
  }
  assert.ok(left.size > 1, 'some were cut off in between')
  await (await open(t, options)).rotateSealing()
  assert.equal((await lines()).length, 1)
  await opens(ids)
})

test('of two that replace the secret at once one does it, and the other says who', async t => {
  const { options, lines, opens } = await place(t)
  const systems = [await open(t, options), await open(t, options)]
  const done = await Promise.allSettled(systems.map(system => system.rotateSealing()))
  assert.deepEqual(done.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
  const refused = done.find(each => each.status === 'rejected')
  assert.ok(refused?.reason instanceof Misuse)
  assert.match(refused.reason.message, new RegExp(`process ${process.pid} is replacing it`))
  assert.equal((await lines()).length, 1)
  await opens(idsOf(await open(t, options)))
})

test('a running server goes on while keys are sealed anew, and adds its next key under the new secret', async t => {
  const { options, opens, lines } = await place(t)
  const server = await open(t, options, true)
  const command = await open(t, options)
  const before = server.keyring.signing(server.store.now()).id
  await command.rotateSealing()
  assert.equal(await server.keyring.reload(), false, 'nothing that matters has changed')
  assert.equal(server.keyring.signing(server.store.now()).id, before)
  await server.rotateKeys({ use: 'sign', how: 'ahead' })
  await command.keyring.reload()
  assert.deepEqual(idsOf(command), idsOf(server))
  assert.equal((await lines()).length, 1)
  await opens(idsOf(server))
})

test('keys that are added while others are sealed anew open with the secret that is left', async t => {
  const { options, opens, lines } = await place(t)
  const server = await open(t, options, true)
  const command = await open(t, options)
  for (let round = 0; round < 15; round++) {
    const adding = async () => {
      await sleep(Math.random() * 8)
      await server.rotateKeys({ use: round % 2 === 0 ? 'sign' : 'mac', how: 'ahead' })
    }
    await Promise.all([command.rotateSealing(), adding(), adding()])
    assert.equal((await lines()).length, 1)
    await opens(idsOf(server))
  }
})

type Between = (store: Store) => Store

/** Before the first commit that holds such a change something else happens. */
const before =
  (is: (change: Change) => boolean, happens: () => Promise<unknown>): Between =>
  store => {
    let waits = true
    return {
      ...store,
      async commit(changes) {
        if (waits && changes.some(is)) {
          waits = false
          await happens()
        }
        return store.commit(changes)
      },
    }
  }

/** Two keyrings on one store, with secrets that one of them replaces as the command does. */
async function two(t: TestContext, between: { server?: Between; command?: Between }) {
  const database = databaseAt(await freshDatabase.sqlite(t))
  const secrets: { now: readonly [string, ...string[]] } = { now: [newSecret()] }
  const open = async (over: Between = store => store): Promise<Keyring> => {
    const store = await openStore(database)
    t.after(() => store.close())
    await store.migrate()
    const sealer = async () => openSealer(...secrets.now)
    return openKeyring({ store: over(store), sealer, shared: undefined, policy: rotationPolicy })
  }
  const server = await open(between.server)
  const command = await open(between.command)
  const replace = async () => {
    const [first] = secrets.now
    secrets.now = [newSecret(), first]
    await command.reseal(Date.now())
    secrets.now = [secrets.now[0]]
  }
  const add = () => server.rotate({ at: Date.now(), use: 'mac', how: 'ahead' })
  return { replace, add, open }
}

test('a key is on its way while all others are sealed anew: it is sealed anew too', async t => {
  const world: Awaited<ReturnType<typeof two>> = await two(t, {
    // Not with the first keys.
    server: before(
      each => each.change === 'addKey' && each.after !== null,
      () => world.replace(),
    ),
  })
  await world.add()
  assert.equal((await world.open()).rows().length, 3)
})

test('a key is added after those that are to be sealed anew were read: it is sealed anew too', async t => {
  const world: Awaited<ReturnType<typeof two>> = await two(t, {
    command: before(
      each => each.change === 'resealKeys',
      () => world.add(),
    ),
  })
  await world.replace()
  assert.equal((await world.open()).rows().length, 3)
})

const nothingToGoOverTo = /RUSK_SECRET_PREVIOUS/

for (const [kind, fresh] of Object.entries(freshDatabase)) {
  test(`${kind}: RUSK_SECRET is replaced without a moment at which a server cannot start`, async t => {
    const database = await fresh(t)
    const [first, second] = [newSecret(), newSecret()]
    await (await open(t, { database, secret: first })).close()
    const both: Options = { database, secret: second, 'secret.previous': first }
    await assert.rejects(open(t, { database, secret: second }), /sealed with another secret/)

    const alone = await open(t, { database, secret: first })
    await assert.rejects(alone.rotateSealing(), nothingToGoOverTo)
    const server = await open(t, both, true)
    // Servers that have only the first are still running: they must be able to read what this one adds.
    await server.rotateKeys({ use: 'mac', how: 'ahead' })
    assert.equal(await alone.keyring.reload(), true)
    assert.deepEqual(await server.keyring.sealing(), { secrets: 2, behind: 3 })

    assert.equal(await (await open(t, both)).rotateSealing(), 3)
    assert.equal(await (await open(t, both)).rotateSealing(), 0, 'again: there is nothing left to do')
    await server.rotateKeys({ use: 'mac', how: 'ahead' })
    assert.deepEqual(await server.keyring.sealing(), { secrets: 2, behind: 0 })
    assert.equal(idsOf(await open(t, { database, secret: second })).length, 4)
    await assert.rejects(open(t, { database, secret: first }), /sealed with another secret/)
  })
}

test('on Postgres the JWT_SECRET_KEY that seals is replaced in the same way, by another or by RUSK_SECRET', async t => {
  const database = await freshDatabase.postgres()
  const [first, second, own] = [newSecret(), newSecret(), newSecret()]
  const before = await open(t, { database, jwt: { key: first } })
  assert.equal(before.sealedBy, 'JWT_SECRET_KEY')
  await assert.rejects(before.rotateSealing(), /JWT_SECRET_KEY[\s\S]*RUSK_SECRET_PREVIOUS/)
  await (await open(t, { database, jwt: { key: second }, 'secret.previous': first })).rotateSealing()
  const moved = await open(t, { database, jwt: { key: second } })
  assert.deepEqual(idsOf(moved), idsOf(before))
  const away: Options = { database, jwt: { key: second }, secret: own, 'secret.previous': second }
  await (await open(t, away)).rotateSealing()
  assert.deepEqual(idsOf(await open(t, { database, secret: own, jwt: { key: first } })), idsOf(before))
})

test('a database in memory has no secret to replace', async t => {
  const system = await open(t, { database: 'sqlite::memory:' })
  await assert.rejects(system.rotateSealing(), Misuse)
})

test('no secret is ever in a row, sealed or not', async t => {
  const { options, lines } = await place(t)
  const system = await open(t, options)
  const before = await lines()
  await system.rotateSealing()
  const store = await openStore(databaseAt(String(options.database)))
  const text = JSON.stringify([await store.keys(), await store.events({ limit: 99 })])
  for (const secret of [...before, ...(await lines())]) assert.ok(!text.includes(secret))
  await store.close()
})

test('a server without the new secret believes that a key was given up, and says that it cannot tell, not that nobody is signed in', async t => {
  const { options } = await place(t)
  const [old, next] = [newSecret(), newSecret()]
  const behind = await open(t, { database: options.database, secret: old }, true)
  const ask = async (headers: Record<string, string> = {}) =>
    (await behind.http.fetch(new Request(`${behind.settings.site.url}/auth/session`, { headers }))).status
  const signedUp = await behind.http.fetch(
    new Request(`${behind.settings.site.url}/auth/sign-up`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email: 'ada@example.com', password: 'twelve blue herons', delivery: 'memory' }),
    }),
  )
  const { accessToken } = (await signedUp.json()) as { accessToken: string }
  const authorization = `Bearer ${accessToken}`
  assert.equal(await ask({ authorization }), 200)
  const command = await open(t, {
    database: options.database,
    secret: next,
    'secret.previous': old,
  } as Options)
  assert.ok((await command.rotateSealing()) > 0)
  assert.equal(await ask({ authorization }), 200, 'what is open stays open')
  const key = await command.rotateKeys({ use: 'sign', how: 'compromised' })
  await assert.rejects(behind.keyring.reload(), { name: 'Fault', retryAfter: 1 })
  assert.equal(await ask({ authorization }), 401, 'signed with the key that was given up')
  assert.deepEqual(behind.keyring.accepted(behind.store.now()), [])
  assert.throws(() => behind.keyring.signing(behind.store.now()), { name: 'Fault', retryAfter: 1 })
  assert.throws(() => behind.keyring.verifying(key.id, behind.store.now()), { name: 'Fault', retryAfter: 1 })
})
