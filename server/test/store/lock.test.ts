// One server to a SQLite file; and what was acknowledged survives whatever ends the server.
import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Fault, Misuse } from '../../src/core/fault.ts'
import { openStore } from '../../src/store/open.ts'
import { newEvent, newUser } from './people.ts'
import { startHolder } from './processes.ts'
import { databaseAt, folderFor } from './stores.ts'

const served = (file: string, pid: number) => (error: unknown) => {
  assert.ok(error instanceof Misuse)
  assert.equal(error.findings[0]?.wrong, `${file} is already served by process ${pid}`)
  return true
}

test('a second server is refused, and told which process serves', async t => {
  const file = join(await folderFor(t), 'rusk.db')
  const holder = await startHolder(t, 'serve', file)
  await holder.said(1)
  await assert.rejects(openStore(databaseAt(`sqlite:${file}`), { exclusive: true }), served(file, holder.pid))
})

test('after kill -9 the next server starts at once', async t => {
  const file = join(await folderFor(t), 'rusk.db')
  for (let round = 0; round < 3; round++) {
    const holder = await startHolder(t, 'serve', file)
    await holder.said(1)
    await holder.kill()
    const store = await openStore(databaseAt(`sqlite:${file}`), { exclusive: true })
    await store.close()
  }
})

test('a second server in the same process is refused, until the first closes', async t => {
  const file = join(await folderFor(t), 'rusk.db')
  const database = databaseAt(`sqlite:${file}`)
  const first = await openStore(database, { exclusive: true })
  await assert.rejects(openStore(database, { exclusive: true }), served(file, process.pid))
  await first.close()
  await (await openStore(database, { exclusive: true })).close()
})

test('of servers that start at the same moment one serves', async t => {
  const file = join(await folderFor(t), 'rusk.db')
  const holders = await Promise.all([1, 2, 3].map(() => startHolder(t, 'tryToServeAndStay', file)))
  await Promise.all(holders.map(holder => holder.said(1)))
  const said = holders.flatMap(({ lines }) => lines)
  assert.equal(said.filter(line => line === 'serving').length, 1, said.join('\n'))
  assert.equal(said.filter(line => line.includes('is already served by process')).length, 2, said.join('\n'))
})

test('a command works beside a server, and leaves its file and its lock alone', async t => {
  const file = join(await folderFor(t), 'rusk.db')
  const database = databaseAt(`sqlite:${file}`)
  const server = await openStore(database, { exclusive: true })
  await server.migrate()
  const command = await openStore(database)
  await command.commit([{ change: 'createUser', user: newUser('ada'), password: null }])
  await command.close()
  // Whoever closes last takes the log away; a command that took itself for the last would take it from under the server.
  const log = statSync(`${file}-wal`).ino
  await (await startHolder(t, 'command', file)).said(1)
  assert.equal(statSync(`${file}-wal`).ino, log, 'the log is not taken away')
  await server.commit([{ change: 'record', event: newEvent('signed_in') }])
  assert.equal((await server.account({ id: 'ada' }))?.user.number, 1)
  const rival = await startHolder(t, 'tryToServeAndStay', file)
  await rival.said(1)
  assert.match(rival.lines.join(), new RegExp(`served by process ${process.pid}`, 'u'))
  await server.close()
})

test('a server is told of a command’s commit, and not of its own', async t => {
  const database = databaseAt(`sqlite:${join(await folderFor(t), 'rusk.db')}`)
  const server = await openStore(database, { exclusive: true })
  await server.migrate()
  const command = await openStore(database)
  let told = 0
  const stop = server.watch(() => {
    told += 1
  })
  await server.commit([{ change: 'record', event: newEvent('signed_in') }])
  await sleep(600)
  assert.equal(told, 0)
  await command.commit([{ change: 'record', event: newEvent('signed_in') }])
  while (told === 0) await sleep(20)
  assert.equal(told, 1)
  stop()
  await command.close()
  await server.close()
})

test('every file is readable for its owner alone', async t => {
  const file = join(await folderFor(t), 'rusk.db')
  const store = await openStore(databaseAt(`sqlite:${file}`), { exclusive: true })
  await store.migrate()
  for (const suffix of ['', '-wal', '-shm', '.lock']) {
    assert.equal((statSync(`${file}${suffix}`).mode & 0o777).toString(8), '600', suffix)
  }
  await store.close()
})

test('whatever was acknowledged is there after kill -9', async t => {
  const file = join(await folderFor(t), 'rusk.db')
  const acknowledged: string[] = []
  for (let round = 0; round < 5; round++) {
    const holder = await startHolder(t, 'write', file)
    await holder.said(5 + 5 * round)
    await holder.kill()
    acknowledged.push(...holder.lines)
  }
  const store = await openStore(databaseAt(`sqlite:${file}`), { exclusive: true })
  for (const id of acknowledged) assert.ok(await store.account({ id }), id)
  assert.ok(acknowledged.length > 20, `${acknowledged.length} were acknowledged`)
  await store.close()
})

test('while another process writes, commits wait and the event loop does not; after a second they are told to come again', async t => {
  const folder = await folderFor(t)
  const file = join(folder, 'rusk.db')
  const store = await openStore(databaseAt(`sqlite:${file}`))
  t.after(() => store.close())
  await store.migrate()
  const other = new DatabaseSync(file)
  t.after(() => other.close())

  other.exec('begin immediate')
  const committed = store.commit([{ change: 'createUser', user: newUser('ada'), password: null }])
  const waiting = Symbol()
  for (let turn = 0; turn < 8; turn++) {
    assert.equal(await Promise.race([committed, sleep(10, waiting)]), waiting)
  }
  other.exec('rollback')
  assert.equal((await committed).committed, true)

  other.exec('begin immediate')
  const late = store.commit([{ change: 'createUser', user: newUser('bob'), password: null }])
  await assert.rejects(late, (error: unknown) => error instanceof Fault && error.retryAfter === 1)
  other.exec('rollback')
  assert.equal(await store.account({ id: 'bob' }), undefined)
})
