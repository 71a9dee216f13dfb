// The client in Node against a real server, as whoever begins makes one; and what does not compile: each `@ts-expect-error` is
// a rule that `npm run check` holds the types to.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rusk } from '../../server/src/index.ts'
import { createClient } from './client.ts'
import { fastapi, native } from './dialects.ts'

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

test('how tokens travel is chosen natively; elsewhere the dialect says it', () => {
  const make = () => [
    createClient({ delivery: 'memory' }),
    createClient({ dialect: native, delivery: 'memory' }),
    // @ts-expect-error: of this one they travel in cookies
    createClient({ dialect: fastapi, delivery: 'memory' }),
  ]
  assert.equal(typeof make, 'function')
})
