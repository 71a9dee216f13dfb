// All of Rusk as a test's options make it, with what only tests may set: its clock, its pace. Nothing of the environment is
// read.
import assert from 'node:assert/strict'
import { tmpdir } from 'node:os'
import type { TestContext } from 'node:test'
import { loadSettings } from '../src/config/files.ts'
import { dialects } from '../src/dialects/index.ts'
import type { Options } from '../src/index.ts'
import { openSystem, type Seams, type System } from '../src/system.ts'

/** A server, or a command beside one. Closed with the test. */
export async function openAssembled(t: TestContext, options: Options, seams: Seams): Promise<System> {
  const { settings, errors } = loadSettings({
    options,
    env: {},
    folder: tmpdir(),
    envFile: null,
    dialectNames: Object.keys(dialects),
    dialects,
  })
  assert.ok(settings, errors.map(({ about, wrong }) => `${about}: ${wrong}`).join())
  const system = await openSystem(settings, seams)
  t.after(() => system.close())
  return system
}
