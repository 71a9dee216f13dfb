// `rusk migrate` and `rusk openapi`: the shape of the database and the shape of the API.
import { type Globals, inMemory, needSettings, openBeside } from './open.ts'
import { say, showJson } from './output.ts'

/** Brings the schema of the database forward; doing it twice, or beside somebody else who does, harms nothing. */
export async function migrate(globals: Globals): Promise<void> {
  const settings = await needSettings(globals)
  const { openSettingsStore } = await import('../system.ts')
  const store = await openSettingsStore(settings, { serving: false })
  try {
    const applied = await store.migrate()
    if (globals.json) showJson({ applied })
    else say(applied.length === 0 ? 'The schema is up to date.' : `Applied ${applied.join(', ')}.`)
  } finally {
    await store.close()
  }
}

/** Prints the OpenAPI document that a server with these settings publishes. Touches no database. */
export async function printOpenapi(globals: Globals): Promise<void> {
  const settings = await needSettings(globals)
  const system = await openBeside(inMemory(settings))
  try {
    showJson(system.openapi())
  } finally {
    await system.close()
  }
}
