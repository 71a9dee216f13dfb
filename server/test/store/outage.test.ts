// When Postgres goes away: honest faults, no crash, and service again without a restart.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { openStore } from '../../src/store/open.ts'
import { newUser } from './people.ts'
import { databaseAt, freshDatabase } from './stores.ts'

const away = { name: 'Fault', retryAfter: 1 }

async function openBoth() {
  const url = await freshDatabase.postgres()
  const store = await openStore(databaseAt(url))
  await store.migrate()
  await store.commit([{ change: 'createUser', user: newUser('ada'), password: null }])
  const operator = new pg.Client({ connectionString: url })
  await operator.connect()
  const cutAll = () =>
    operator.query(
      'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
    )
  const close = async () => {
    await operator.end()
    await store.close()
  }
  return { store, operator, cutAll, close }
}

/** The store's connections, as Postgres sees them. */
const others = 'select 1 from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()'

/** Resolves once this query has a row. */
async function until(operator: pg.Client, query: string): Promise<void> {
  while ((await operator.query(query)).rows.length === 0) await sleep(10)
}

const signIn = { change: 'recordSignIn', userId: 'ada', epoch: 0, at: 1 } as const

test('connections that are cut while idle end neither the process nor the service', async () => {
  const { store, operator, cutAll, close } = await openBoth()
  await cutAll()
  await until(operator, `${others} having count(*) = 0`)
  await sleep(50)
  // So that what has come in the meantime is read, however late this is.
  await setImmediate()
  assert.ok(await store.account({ id: 'ada' }))
  assert.deepEqual((await store.commit([signIn])).committed, true)
  await close()
})

test('a commit that is cut while it waits is a fault worth waiting for, and leaves nothing', async () => {
  const { store, operator, cutAll, close } = await openBoth()
  await operator.query('begin')
  await operator.query("update rusk.users set name = 'held' where id = 'ada'")
  const pending = assert.rejects(
    store.commit([
      { change: 'createUser', user: newUser('bob'), password: null },
      { change: 'setActive', userId: 'ada', active: false },
    ]),
    away,
  )
  await until(operator, `${others} and wait_event_type = 'Lock' having count(*) > 0`)
  await cutAll()
  await pending
  await operator.query('rollback')
  assert.equal(await store.account({ id: 'bob' }), undefined)
  assert.equal((await store.account({ id: 'ada' }))?.user.active, true)
  await close()
})

test('a statement that waits too long is a fault worth waiting for, and the store serves on', async () => {
  const { store, operator, close } = await openBoth()
  await operator.query('begin')
  await operator.query('lock table rusk.users in access exclusive mode')
  await assert.rejects(store.account({ id: 'ada' }), away)
  await operator.query('rollback')
  assert.ok(await store.account({ id: 'ada' }))
  await close()
})
