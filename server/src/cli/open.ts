// From what stands on the command line to settings, a store, a system. The parts are loaded when they are needed, so
// that `rusk --help` waits for none of them.
import { existsSync } from 'node:fs'
import type { OptionName, Settings, SettingsRead } from '../config.ts'
import { Misuse } from '../core/fault.ts'
import type { System } from '../system.ts'

/** The options of every command, and `dialect` of those that go by one. */
export type Globals = {
  readonly envFile?: string
  readonly config?: string
  readonly database?: string
  readonly dialect?: string
  readonly json?: boolean
}

export type Flags = Partial<Record<OptionName, string>>

/** As `rusk serve` in this folder would read them; nothing is opened. */
export async function readCommandLine(globals: Globals, flags: Flags = {}): Promise<SettingsRead> {
  const [{ loadSettings }, { dialects }] = await Promise.all([
    import('../config/files.ts'),
    import('../dialects/index.ts'),
  ])
  const { database, dialect } = globals
  return loadSettings({
    env: process.env,
    folder: process.cwd(),
    envFile: globals.envFile,
    configFile: globals.config,
    dialectNames: Object.keys(dialects),
    dialects,
    flags: {
      ...flags,
      ...(database === undefined ? {} : { database }),
      ...(dialect === undefined ? {} : { dialect }),
    },
  })
}

/** Throws `Misuse` with every error. Risks are told by serve and doctor, where somebody can act on them. */
export async function needSettings(globals: Globals): Promise<Settings> {
  const { settings, errors } = await readCommandLine(globals)
  if (!settings) throw new Misuse(errors)
  return settings
}

/** The system, beside a server that may be running. */
export async function openBeside(settings: Settings): Promise<System> {
  const [{ openSystem }, { createLog }] = await Promise.all([import('../system.ts'), import('../log.ts')])
  // Standard output is for data.
  const log = createLog({ ...settings.log, level: 'warn' }, 2)
  return openSystem(settings, { serving: false, log })
}

/** The same settings over an empty database that leaves nothing behind; in development, where it gets its schema at once. */
export const inMemory = (settings: Settings): Settings => ({
  ...settings,
  database: 'sqlite::memory:',
  environment: 'development',
  site: { ...settings.site, environment: 'development' },
})

/** Whoever looks, or ends something, in the wrong folder is told so: an empty database would say that all is well. */
async function needDatabase({ database }: Settings): Promise<void> {
  const { isDatabase, readDatabase } = await import('../store/database.ts')
  const read = readDatabase(database)
  if (!isDatabase(read) || read.kind !== 'sqlite' || read.path === null || existsSync(read.path)) return
  throw new Misuse([
    {
      about: 'database',
      wrong: `there is none at ${read.path}`,
      instead: 'Run this in the folder where Rusk runs, or name its database with --database',
    },
  ])
}

/** Opens the system, and closes it whatever happens. `mayMake`: on a database that is not there yet, too. */
export async function withSystem<T>(
  globals: Globals,
  use: (system: System, settings: Settings) => Promise<T>,
  { mayMake = false } = {},
): Promise<T> {
  const settings = await needSettings(globals)
  if (!mayMake) await needDatabase(settings)
  const system = await openBeside(settings)
  try {
    return await use(system, settings)
  } finally {
    await system.close()
  }
}
