// `rusk doctor`: says in plain words what is wrong or risky about the configuration as serve would read it, and about
// what it meets there: files, database, clock. Changes nothing, and makes no file that is missing.
import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { relateSites } from '../config/sites.ts'
import type { Settings } from '../config.ts'
import { codeOf, Fault, type Finding, Misuse } from '../core/fault.ts'
import type { Dialect } from '../http/dialect.ts'
import { listOrigins } from '../http/origins.ts'
import { isLocalToBrowsers } from '../http/site.ts'
import type { Keyring } from '../operations/keyring.ts'
import { isDatabase, readDatabase } from '../store/database.ts'
import type { Store } from '../store/port.ts'
import type { System } from '../system.ts'
import { type Globals, inMemory, openBeside, readCommandLine } from './open.ts'
import { say, showJson, signOf, writeFinding, writeTime } from './output.ts'

type Report = {
  readonly errors: Finding[]
  readonly risks: Finding[]
  /** What is as it should be, or merely worth knowing. */
  readonly notes: string[]
}

/** Resolves with whether there are no errors. */
export async function doctor(globals: Globals): Promise<boolean> {
  const { settings, errors, risks } = await readCommandLine(globals)
  const report: Report = { errors: [...errors], risks: [...risks], notes: [] }
  if (settings) {
    examineSite(settings, report)
    await examineOrigins(settings, report)
    await examineDatabase(settings, report)
  }
  if (globals.json) showJson(report)
  else print(report)
  return report.errors.length === 0
}

function print({ errors, risks, notes }: Report): void {
  const { stdout } = process
  for (const note of notes) stdout.write(`${signOf('fine', stdout)} ${note}\n`)
  for (const risk of risks) stdout.write(`${writeFinding('risk', risk, stdout)}\n`)
  for (const error of errors) stdout.write(`${writeFinding('error', error, stdout)}\n`)
  if (errors.length > 0)
    say(`Rusk would not start: ${errors.length} ${errors.length === 1 ? 'problem' : 'problems'} to fix.`)
}

function examineSite({ site, host, port, dialects, jwt, serviceKeys }: Settings, { notes }: Report): void {
  notes.push(
    `${site.environment}: speaks ${dialects.join(', ')} on ${host}:${port}, reached at ${site.url}${site.prefix}`,
  )
  notes.push(`cookies are ${site.secureCookies ? 'Secure' : 'not Secure (plain http, for development)'}`)
  notes.push(
    jwt.key === undefined
      ? `access tokens are signed with ${jwt.algorithm}; services read the keys at ${site.url}/.well-known/jwks.json`
      : 'access tokens are signed with HS256 and the shared key',
  )
  if (serviceKeys.length > 0) {
    const count = serviceKeys.length === 1 ? 'one service key' : `one of ${serviceKeys.length} service keys`
    notes.push(`services that show ${count} may follow which sessions have ended, and ask about tokens`)
  }
  notes.push(
    site.proxies.length === 0
      ? "no proxy is trusted: the caller's address is the connection's"
      : `X-Forwarded-For is believed from ${site.proxies.join(', ')}`,
  )
}

const relations = {
  'same-origin': 'the origin of url itself',
  'same-host': 'same site: cookies travel',
  sibling: 'same site, another host: cookies travel',
  foreign: 'another site',
} as const

/** Who may call. Listed origins were judged with the configuration; those that a dialect brings are told here. */
async function examineOrigins(settings: Settings, report: Report): Promise<void> {
  const { site } = settings
  const { notes, risks } = report
  const { dialects } = await import('../dialects/index.ts')
  const spoken = Object.values(dialects).filter(({ name }) => settings.dialects.includes(name))
  const origins = [...listOrigins(site, spoken)]
  const unlisted = [...new Set(spoken.flatMap(dialect => dialect.origins))].filter(
    origin => !origins.includes(origin),
  )
  if (unlisted.length > 0 && site.origins === undefined)
    notes.push(`pages of ${unlisted.join(', ')} may not call: ALLOWED_ORIGINS lists others in production`)
  examineCrossing(origins, spoken, settings, report)
  for (const origin of origins) {
    const relation = relateSites(origin, site.url)
    const local = [origin, site.url].every(each => isLocalToBrowsers(new URL(each).hostname))
    if (relation !== 'foreign' || site.crossSite)
      notes.push(`pages of ${origin} may call (${relations[relation]})`)
    else if (local) {
      const { hostname } = new URL(origin)
      notes.push(`pages of ${origin} may call, if they call Rusk as ${hostname} too: else it is another site`)
    } else if (site.origins === undefined) {
      risks.push({
        about: 'origins',
        wrong: `the dialect's own, ${origin}, is another site than ${site.url}`,
        instead: 'Set ALLOWED_ORIGINS to the origins of your front ends',
      })
    } else notes.push(`pages of ${origin} may call (another site: cookies stay behind)`)
  }
}

/** What SameSite=None does not change: browsers may hold a cookie back all the same, and pages read only their own. */
function examineCrossing(
  origins: readonly string[],
  spoken: readonly Pick<Dialect, 'name' | 'cookies'>[],
  { site }: Settings,
  { notes, risks }: Report,
): void {
  const foreign = origins.filter(origin => relateSites(origin, site.url) === 'foreign')
  if (!site.crossSite || foreign.length === 0) return
  risks.push({
    about: 'cookies.crossSite',
    wrong: `browsers that block third-party cookies will not send these from pages of ${foreign.join(', ')}`,
    instead: 'Serve both from one site, or see that your users are told',
  })
  for (const { name, cookies } of spoken) {
    if (!cookies.csrf) continue
    const { header } = cookies.csrf
    notes.push(
      `${name}: pages of another site cannot read its CSRF cookie; they read the token from the response header ${header}`,
    )
  }
}

async function examineDatabase(settings: Settings, report: Report): Promise<void> {
  const database = readDatabase(settings.database)
  if (!isDatabase(database)) return
  const file = database.kind === 'sqlite' ? database.path : null
  if (file !== null) examineFiles(file, settings, report)
  if (file !== null && !existsSync(file)) examineAbsence(file, settings, report)
  const fresh = database.kind === 'sqlite' && (file === null || !existsSync(file))
  const settled = !fresh && (await telling(report, () => examineStore(settings, database.label, report)))
  // Keys and dialects are tried on what is there; where opening would make something, on a database in memory.
  await telling(report, async () => {
    const system = await openBeside(settled ? settings : inMemory(settings))
    try {
      if (settled) await examineKeys(system, report)
    } finally {
      await system.close()
    }
  })
}

const day = 86_400_000

const tokensOf = { sign: 'access tokens', mac: 'refresh and CSRF tokens' } as const

/** Whether keys are replaced as they should be, and whether an earlier sealing secret is still needed. */
async function examineKeys({ settings, store, keyring, sealedBy }: System, report: Report): Promise<void> {
  const { notes, risks } = report
  const uses = settings.jwt.key === undefined ? (['sign', 'mac'] as const) : (['mac'] as const)
  if (settings.rotateKeysEvery === undefined) {
    risks.push({
      about: 'keys.rotate',
      wrong: 'no server replaces keys by itself',
      instead: 'Leave it out, or run rusk keys rotate and rusk keys rotate --use refresh now and then',
    })
  }
  for (const use of uses) {
    const due = keyring.dueAt(use)
    if (due === undefined) continue
    const waiting = keyring
      .rows()
      .filter(row => row.use === use && row.signsFrom > store.now())
      .map(({ signsFrom }) => signsFrom)
    const next = waiting.length > 0 ? Math.min(...waiting) : (keyring.replacedAt(use) ?? due)
    if (due + day > store.now()) notes.push(`the key of ${tokensOf[use]} is replaced at ${writeTime(next)}`)
    else {
      risks.push({
        about: 'keys',
        wrong: `the next key of ${tokensOf[use]} was due at ${writeTime(due)}, and no server has made it`,
        instead: 'Start a server and look at its log, or run rusk keys rotate',
      })
    }
  }
  examineSealing(await keyring.sealing(), { settings, sealedBy }, report)
}

function examineSealing(
  { secrets, behind }: Awaited<ReturnType<Keyring['sealing']>>,
  { settings, sealedBy }: Pick<System, 'settings' | 'sealedBy'>,
  { notes, risks }: Report,
): void {
  const previous = settings.previousSecret !== undefined
  if (behind > 0) {
    risks.push({
      about: previous ? 'secret.previous' : sealedBy,
      wrong: `${behind === 1 ? 'a key is' : `${behind} keys are`} sealed with an earlier secret than that in use`,
      instead: 'When every server has been started with both, run rusk keys rotate --use sealing',
    })
  } else if (previous) {
    risks.push({
      about: 'secret.previous',
      wrong: 'nothing is sealed with it any more',
      instead: 'Leave it out; keep it beside copies of the database from before',
    })
  } else if (secrets > 1) {
    risks.push({
      about: sealedBy,
      wrong: 'it keeps an earlier secret too: replacing it was cut short',
      instead: 'Run rusk keys rotate --use sealing',
    })
  } else notes.push(`keys are sealed with ${sealedBy}`)
}

/** What an attempt comes to; what it throws is told. */
async function telling<T>({ errors }: Report, attempt: () => Promise<T>): Promise<T | undefined> {
  try {
    return await attempt()
  } catch (error) {
    if (error instanceof Misuse) errors.push(...error.findings)
    else if (error instanceof Fault) {
      errors.push({ about: 'database', wrong: error.message, instead: 'Look whether it can be reached' })
    } else throw error
    return undefined
  }
}

function examineFiles(path: string, settings: Settings, { risks }: Report): void {
  // In production serve refuses a key file that others can read, and tells so below.
  const files = settings.environment === 'production' ? [path] : [path, `${path}.key`]
  for (const file of files) {
    if (process.platform === 'win32' || !existsSync(file)) continue
    const mode = statSync(file).mode & 0o777
    if ((mode & 0o077) === 0) continue
    risks.push({
      about: 'database',
      wrong: `other users of this machine can ${(mode & 0o022) === 0 ? 'read' : 'change'} ${file} (mode ${mode.toString(8)})`,
      instead: `Run chmod 600 ${file}`,
    })
  }
}

/** In development serve makes the file; in production it refuses to start before an operator has. */
function examineAbsence(path: string, settings: Settings, { errors, notes }: Report): void {
  const folder = dirname(path)
  const about = 'database'
  if (!isWritable(folder)) {
    errors.push({
      about,
      wrong: `${folder} cannot be written to`,
      instead: 'Create it, or give Rusk write access',
    })
  } else if (settings.environment === 'production') {
    errors.push({ about, wrong: `${path} is not there, nor is its schema`, instead: 'Run rusk migrate' })
  } else notes.push(`${path} will be made at the first start`)
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK | constants.X_OK)
    return true
  } catch (error) {
    if (codeOf(error) !== undefined) return false
    throw error
  }
}

/** Beyond this a token that one machine issues may not be valid yet on another. */
const tolerable = 30_000

/** Whether it has its schema and keys, so that opening the whole system beside it makes nothing. */
async function examineStore(settings: Settings, label: string, report: Report): Promise<boolean> {
  const { openSettingsStore } = await import('../system.ts')
  const store = await openSettingsStore(settings, { serving: false })
  try {
    const pending = await store.pending()
    if (pending.length === 0) report.notes.push(`${label}: reachable, its schema is up to date`)
    else if (settings.environment === 'production') {
      const wrong = `its schema is behind (${pending.join(', ')})`
      report.errors.push({ about: 'database', wrong, instead: 'Run rusk migrate' })
    } else report.notes.push(`${label}: reachable; its schema is brought forward at the next start`)
    examineClock(store.now() - Date.now(), report)
    if (pending.length === 0) await examineOutbox(store, report)
    return pending.length === 0 && (await store.keys()).length > 0
  } finally {
    await store.close()
  }
}

/** Beyond this nobody wants the exact number. */
const mostCounted = 1000

async function examineOutbox(store: Store, { notes }: Report): Promise<void> {
  const { length } = await store.letters({ limit: mostCounted + 1 })
  if (length === 0) return
  const count = length > mostCounted ? `more than ${mostCounted}` : String(length)
  notes.push(`${count} ${length === 1 ? 'letter waits' : 'letters wait'} in the outbox: no mail is sent yet`)
}

function examineClock(ahead: number, { risks }: Report): void {
  if (Math.abs(ahead) <= tolerable) return
  risks.push({
    about: 'clock',
    wrong: `the database's clock is ${Math.abs(Math.round(ahead / 1000))} s ${ahead < 0 ? 'behind' : 'ahead of'} this machine's`,
    instead: 'Set both by NTP',
  })
}
