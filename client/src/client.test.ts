// The client in Node against a real server: what it asks for and when, what it shows, what it never does.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rusk } from '../../server/src/index.ts'
import { createClient } from './client.ts'

test('a visitor whom nobody knows is signed out', async t => {
  const auth = await rusk({
    database: 'sqlite::memory:',
    port: 0,
    log: { level: 'error' },
    secret: 'known to this test and to nobody else',
  })
  t.after(() => auth.close())
  const { url } = await auth.listen()
  const client = createClient({ baseUrl: url })
  t.after(() => client.close())
  assert.equal(await client.session(), null)
  assert.deepEqual(client.state, { status: 'signed-out', reason: 'nobody' })
})
