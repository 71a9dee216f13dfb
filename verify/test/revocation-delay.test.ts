// The bound that is promised, held against real processes; the figures are measured by revocation-delay.ts.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { startPostgres } from '../../server/test/store/stores.ts'
import { type Field, openField, summarise } from './revocation-delay.ts'

const bound = 5000

// Most of what these do is to wait.
describe('with a verifier beside real Rusks:', { concurrency: true }, () => {
  test('fifty sign-outs, and ends by a command in another process: each is known within the bound', async t => {
    const field = await openField(undefined, 1)
    t.after(field.close)
    const signOuts = summarise(await field.measure('signOut', 50))
    const commands = summarise(await field.measure('command', 3))
    t.diagnostic(JSON.stringify({ signOuts, commands }))
    assert.ok(signOuts.worst < bound && commands.worst < bound)
  })

  test('two nodes on one Postgres: what ends at one is known within the bound to whoever follows the other', async t => {
    const postgres = await startPostgres()
    let field: Field | undefined
    t.after(async () => {
      await field?.close()
      await postgres.stop()
    })
    field = await openField(await postgres.url('delay'), 2)
    const signOuts = summarise(await field.measure('signOut', 20))
    const commands = summarise(await field.measure('command', 2))
    t.diagnostic(JSON.stringify({ signOuts, commands }))
    assert.ok(signOuts.worst < bound && commands.worst < bound)
  })
})
