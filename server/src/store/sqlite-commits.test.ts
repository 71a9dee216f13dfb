// Group commit on a table of one column: nobody pays for a neighbour, and nobody is answered too early.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { Fault } from '../core/fault.ts'
import { openCommits } from './sqlite-commits.ts'
import type { Step } from './writes.ts'

function openTwo(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'rusk-commits-'))
  const file = join(folder, 'commits.db')
  const database = new DatabaseSync(file, { timeout: 50 })
  database.exec(`
    pragma journal_mode = wal; pragma foreign_keys = on;
    create table rows (id integer primary key, parent integer references rows deferrable initially deferred) strict;
    insert into rows values (1, null)`)
  const watching = new DatabaseSync(file, { timeout: 50 })
  t.after(() => {
    database.close()
    watching.close()
    rmSync(folder, { recursive: true })
  })
  const seen = () =>
    watching
      .prepare('select id from rows order by id')
      .all()
      .map(({ id }) => id)
  return { database, watching, seen, commits: openCommits(database, sql => database.prepare(sql)) }
}

const step = (sql: string, more: Partial<Step> = {}): Step => ({
  name: sql,
  sql,
  parameters: [],
  guard: undefined,
  numbers: undefined,
  ...more,
})
const add = (id: number) => step(`insert into rows (id) values (${id})`)
const orphan = (id: number) => step(`insert into rows values (${id}, 999)`)
const failing = (id: number) =>
  step(`update rows set parent = null where id = ${id}`, { guard: 'moveSession' })

const statusesOf = async (promises: readonly Promise<unknown>[]) =>
  (await Promise.allSettled(promises)).map(({ status }) => status)

test('commits of one turn share a transaction, and all are durable when the first is answered', async t => {
  const { database, commits, seen } = openTwo(t)
  let began = 0
  database.setAuthorizer(action => {
    if (action === 22) began += 1
    return 0
  })
  const pending = [2, 3, 4].map(id => commits.commit([add(id)]))
  await Promise.resolve()
  assert.deepEqual(seen(), [1])
  await Promise.race(pending)
  assert.deepEqual(seen(), [1, 2, 3, 4])
  assert.deepEqual(await Promise.all(pending), Array(3).fill({ committed: true, numbers: new Map() }))
  assert.equal(began, 2, 'one begin, one commit')
})

test('a failing guard undoes its own commit whole, before and after it, and no other', async t => {
  const { commits, seen } = openTwo(t)
  const outcomes = await Promise.all([
    commits.commit([add(2)]),
    commits.commit([add(3), failing(99), add(4)]),
    commits.commit([add(5)]),
  ])
  assert.deepEqual(outcomes[1], { committed: false, guard: 'moveSession' })
  assert.deepEqual(seen(), [1, 2, 5])
})

test('a failing statement rejects its own commit and no other', async t => {
  const { commits, seen } = openTwo(t)
  const statuses = await statusesOf([
    commits.commit([add(2)]),
    commits.commit([add(3), add(1)]),
    commits.commit([add(5)]),
  ])
  assert.deepEqual(statuses, ['fulfilled', 'rejected', 'fulfilled'])
  assert.deepEqual(seen(), [1, 2, 5])
})

test('a later commit of the group sees what an earlier one did', async t => {
  const { commits } = openTwo(t)
  const [, second] = await Promise.all([commits.commit([add(2)]), commits.commit([failing(2)])])
  assert.deepEqual(second?.committed, true)
})

test('when COMMIT itself fails the whole group is rejected and the connection stays usable', async t => {
  const { commits, seen } = openTwo(t)
  const group = [commits.commit([add(2)]), commits.commit([orphan(3)]), commits.commit([failing(99)])]
  assert.deepEqual(await statusesOf(group), ['rejected', 'rejected', 'rejected'])
  assert.deepEqual(seen(), [1])
  await commits.commit([add(4)])
  assert.deepEqual(seen(), [1, 4])
})

test('when SQLite rolls back everything by itself nobody is told that he is durable', async t => {
  const { commits, seen } = openTwo(t)
  const all = step('insert or rollback into rows (id) values (1)')
  const group = [commits.commit([add(2)]), commits.commit([all]), commits.commit([add(3)])]
  await assert.rejects(Promise.all(group), /UNIQUE constraint failed/u)
  assert.deepEqual(await statusesOf(group), ['rejected', 'rejected', 'rejected'])
  assert.deepEqual(seen(), [1])
  await commits.commit([add(4)])
  assert.deepEqual(seen(), [1, 4])
})

test('a full disk is a fault worth waiting for, and passes', async t => {
  const { database, commits, seen } = openTwo(t)
  database.exec('pragma max_page_count = 1')
  const many = step(`
    with recursive n(i) as (select 2 union all select i + 1 from n where i < 5000)
    insert into rows (id) select i from n`)
  await assert.rejects(commits.commit([many]), (fault: unknown) => {
    assert.ok(fault instanceof Fault)
    assert.match(fault.message, /full/u)
    assert.equal(fault.retryAfter, 1)
    return true
  })
  assert.deepEqual(seen(), [1])
  database.exec('pragma max_page_count = 100000')
  await commits.commit([add(2)])
  assert.deepEqual(seen(), [1, 2])
})

test('a file that another process keeps locked is a fault worth waiting for, and passes', async t => {
  const { watching, commits, seen } = openTwo(t)
  watching.exec('begin immediate')
  await assert.rejects(commits.commit([add(2)]), { name: 'Fault', retryAfter: 1 })
  watching.exec('rollback')
  await commits.commit([add(3)])
  assert.deepEqual(seen(), [1, 3])
})

test('more commits than fit one group are all written, in order', async t => {
  const { commits, seen } = openTwo(t)
  const ids = Array.from({ length: 500 }, (_, i) => i + 2)
  await Promise.all(ids.map(id => commits.commit([add(id)])))
  assert.deepEqual(seen(), [1, ...ids])
})

test('closing writes what is waiting, and refuses what comes later', async t => {
  const { commits, seen } = openTwo(t)
  const pending = commits.commit([add(2)])
  commits.close()
  assert.equal((await pending).committed, true)
  assert.deepEqual(seen(), [1, 2])
  await assert.rejects(commits.commit([add(3)]), Fault)
})

test('commits wait while somebody has the connection alone', async t => {
  const { database, commits, seen } = openTwo(t)
  let pending: Promise<unknown> | undefined
  await commits.alone(async () => {
    database.exec('begin immediate; insert into rows (id) values (2)')
    pending = commits.commit([add(3)])
    await new Promise(resolve => setTimeout(resolve, 20))
    database.exec('rollback')
  })
  await pending
  assert.deepEqual(seen(), [1, 3])
})
