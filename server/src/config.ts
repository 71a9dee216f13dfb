// The settings of a server, from everything an operator has written: checked, complete, all findings at once. The options
// themselves stand in config/table.ts. Opens no store and knows dialects only by the names it is told.
import { type DialectTraits, rules } from './config/checks.ts'
import type { ClaimOf, Wrong } from './config/kinds.ts'
import { nearestName } from './config/nearest.ts'
import { type Findings, gatherWritten, type Sources, unknowable, type Written } from './config/sources.ts'
import {
  type Complete,
  isComplete,
  type OptionName,
  optionNames,
  optionOf,
  ownVariable,
  type Values,
  variablesOf,
} from './config/table.ts'
import type { Finding } from './core/fault.ts'
import type { PolicyPatch } from './core/policy.ts'
import type { Site } from './http/site.ts'

export type { Environment, Sources } from './config/sources.ts'
export type { OptionName, Options } from './config/table.ts'

export type Settings = {
  readonly environment: Site['environment']
  readonly site: Site
  readonly host: string
  /** 0: a free one. */
  readonly port: number
  /** At least one, each a known name, none twice. */
  readonly dialects: readonly string[]
  /** As written; `readDatabase` reads it. */
  readonly database: string
  readonly secret: string | undefined
  /** Opens what it has sealed; seals nothing. */
  readonly previousSecret: string | undefined
  readonly jwt: { readonly key: string | undefined; readonly algorithm: 'ES256' | 'EdDSA' }
  /** From one key to the next, by schedule; undefined: never. */
  readonly rotateKeysEvery: number | undefined
  readonly audience: string | undefined
  /** What other services show; empty: nothing is told to them. */
  readonly serviceKeys: readonly string[]
  /** Tokens of the old system; undefined: none is exchanged. */
  readonly bridge: ({ readonly key: string } & ClaimOf) | undefined
  /** Undefined: none are served. Paths of files as they are written. */
  readonly pages:
    | { readonly name: string; readonly logo: string | undefined; readonly style: string | undefined }
    | undefined
  /** What the operator set: it wins over every dialect's. */
  readonly policy: PolicyPatch
  readonly passwordScheme: 'argon2id' | 'bcrypt'
  readonly log: {
    readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent'
    readonly format: 'auto' | 'json' | 'pretty'
  }
  readonly mail: { readonly user: string | undefined; readonly password: string | undefined }
}

export type SettingsRead = {
  /** There if and only if there are no errors. */
  readonly settings?: Settings
  readonly errors: readonly Finding[]
  readonly risks: readonly Finding[]
}

/** Where browsers find a server on this host and port when nobody says otherwise. */
function defaultUrl(host: string, port: number): string {
  const name = host === '0.0.0.0' || host === '::' ? 'localhost' : host
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}`
}

export type Dialects = {
  readonly dialectNames: readonly string[]
  /** For what is told about those that are spoken. Absent: that is not told. */
  readonly dialects?: DialectTraits | undefined
}

/**
 * Command line over given options over the environment over `.env` over the configuration file over defaults. Pure, as
 * long as `readFile` is. Errors refuse the start; risks are told. In production what suits only development is an error.
 */
export function readSettings(sources: Sources & Dialects): SettingsRead {
  const findings: Findings = { errors: [], risks: [], unfit: [] }
  const written = gatherWritten(sources, findings)
  const values = readValues(written, sources.dialectNames, findings)
  const production = values.environment === 'production'
  findings[production ? 'errors' : 'risks'].push(...findings.unfit)
  const nodeEnvironment = sources.env.NODE_ENV ?? sources.dotenv?.NODE_ENV
  const hasCsrfCookie =
    values.dialect?.some(name => sources.dialects?.[name]?.cookies.csrf !== undefined) ?? false
  const facts = { values, given: new Set(written.keys()), nodeEnvironment, hasCsrfCookie }
  for (const { about, refuses, find } of rules) {
    const verdict = find(facts)
    if (!verdict) continue
    const refused = refuses === 'always' || (refuses === 'production' && production)
    const place =
      written
        .get(about)
        ?.map(each => each.about)
        .join(', ') ?? ownVariable(about)
    findings[refused ? 'errors' : 'risks'].push({ about: place, ...verdict })
  }
  const { errors, risks } = findings
  return errors.length === 0 && isComplete(values)
    ? { settings: settingsOf(values), errors, risks }
    : { errors, risks }
}

/** What is well written, and the defaults of what is not written; whatever is badly written is a finding and absent. */
function readValues(
  written: ReadonlyMap<OptionName, readonly Written[]>,
  dialectNames: readonly string[],
  { errors }: Findings,
): Values {
  const values = new Map<string, unknown>()
  for (const name of optionNames) {
    const { kind, default: fallback } = optionOf(name)
    const texts = written.get(name) ?? (fallback === undefined ? [] : [{ text: fallback, about: name }])
    for (const { text, about } of texts) {
      if (text === unknowable) continue
      if (text === '' && kind.neverEmpty) {
        errors.push({ about, wrong: 'it is empty', instead: 'Write a value, or leave it out' })
        continue
      }
      const reading = kind.read(text)
      if ('value' in reading) {
        values.set(name, merge(values.get(name), reading.value))
        if (name === 'dialect') judgeDialects(reading.value, about, dialectNames, errors)
      } else {
        const wrongs: readonly Wrong[] = 'wrongs' in reading ? reading.wrongs : [reading]
        errors.push(...wrongs.map(({ wrong, instead }) => ({ about, wrong, instead })))
      }
    }
  }
  // Every value was read by the kind of its own option, which is where the types come from.
  return Object.fromEntries(values) as Values
}

const merge = (sum: unknown, value: unknown): unknown =>
  Array.isArray(value) ? [...new Set([...(Array.isArray(sum) ? sum : []), ...value])] : value

function judgeDialects(value: unknown, about: string, known: readonly string[], errors: Finding[]): void {
  const asked = Array.isArray(value) ? value : []
  const all = `There are ${known.join(', ')}`
  if (asked.length === 0) errors.push({ about, wrong: 'no dialect is named', instead: all })
  for (const name of asked.filter(each => !known.includes(each))) {
    const near = nearestName(name, known)
    errors.push({
      about,
      wrong: `there is no dialect ${JSON.stringify(name)}`,
      instead: near ? `Write ${near}` : all,
    })
  }
}

function settingsOf(values: Complete): Settings {
  return {
    environment: values.environment,
    site: siteOf(values),
    host: values.host,
    port: values.port,
    dialects: values.dialect,
    database: values.database,
    secret: values.secret,
    previousSecret: values['secret.previous'],
    jwt: { key: values['jwt.key'], algorithm: values['jwt.algorithm'] },
    rotateKeysEvery: values['keys.rotate'] ?? undefined,
    audience: values.audience,
    serviceKeys: values['service.keys'] ?? [],
    bridge: bridgeOf(values),
    pages: pagesOf(values),
    policy: policyOf(values),
    passwordScheme: values['password.scheme'],
    log: { level: values['log.level'], format: values['log.format'] },
    mail: { user: values['mail.user'], password: values['mail.password'] },
  }
}

function bridgeOf({ 'bridge.key': key, 'bridge.subject': subject }: Complete): Settings['bridge'] {
  return key === undefined || subject === undefined ? undefined : { key, ...subject }
}

function pagesOf(values: Complete): Settings['pages'] {
  const served = values.pages ?? values.environment === 'development'
  return served
    ? { name: values['brand.name'], logo: values['brand.logo'], style: values['brand.style'] }
    : undefined
}

function siteOf(values: Complete): Site {
  const url = values.url ?? defaultUrl(values.host, values.port)
  const https = url.startsWith('https:')
  const crossSite = values['cookies.crossSite']
  return {
    url,
    https,
    // Browsers take SameSite=None only with Secure.
    secureCookies:
      https || crossSite || values['cookies.secure'] === true || values.environment === 'production',
    environment: values.environment,
    prefix: values.prefix ?? '',
    origins: values.origins,
    proxies: values.proxies ?? [],
    csrfDomain: values['csrf.domain'],
    crossSite,
    hsts: values.hsts,
  }
}

function policyOf(values: Complete): PolicyPatch {
  const minLength = values['password.minLength']
  const spans = {
    grace: values['session.grace'],
    access: values['session.access'],
    idle: values['session.idle'],
    lifetime: values['session.lifetime'],
    skew: values['session.skew'],
  }
  return {
    ...onlySet(spans),
    ...(minLength === undefined ? {} : { password: { minLength } }),
    rates: onlySet({ signIn: values['throttle.signIn'], signUp: values['throttle.signUp'] }),
  }
}

type OnlySet<T> = { readonly [K in keyof T]?: Exclude<T[K], undefined> }

/** Without what is undefined: a patch that says `undefined` would erase. */
const onlySet = <T extends object>(patch: T): OnlySet<T> =>
  Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined)) as OnlySet<T>

export type OptionRow = {
  readonly name: OptionName
  /** The first is its own. */
  readonly variables: readonly string[]
  /** Whether each variable may have `_FILE` behind it and name a file instead. */
  readonly fromFile: boolean
  readonly type: string
  readonly default: string
  readonly sentence: string
  readonly neededBy: string
}

/** The manual, a row for each option. */
export const optionRows = (): readonly OptionRow[] =>
  optionNames.map(name => {
    const option = optionOf(name)
    return {
      name,
      variables: variablesOf(name),
      fromFile: option.fromFile === true,
      type: option.kind.shape,
      default: option.default ?? option.otherwise ?? '',
      sentence: option.sentence,
      neededBy: option.neededBy,
    }
  })
