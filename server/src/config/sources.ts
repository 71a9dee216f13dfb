// Where an option may be written, and which place wins: the command line, then the options that a program gives, the
// environment, `.env`, the configuration file. Judges no value.
import type { Finding } from '../core/fault.ts'
import { nearestName } from './nearest.ts'
import { isOptionName, type OptionName, optionNames, optionOf, variablesOf } from './table.ts'

/** What was written for an option, and where. */
export type Written = { readonly text: string; readonly about: string }

export type Environment = Readonly<Record<string, string | undefined>>

export type FileText = { readonly text: string; readonly exposed: Exposure } | { readonly unreadable: string }

/** What a file's mode lets others do: its group or everybody write, everybody read. */
export type Exposure = 'writable' | 'readable' | undefined

export type Sources = {
  /** Texts from the command line. */
  readonly flags?: Partial<Record<OptionName, string>>
  /** A program's: nested (`{ session: { grace: '2m' } }`) or dotted (`{ 'session.grace': '2m' }`). */
  readonly options?: object
  readonly env: Environment
  readonly dotenv?: Environment
  /** The file that `dotenv` comes from, for what is said about it. Default `.env`. */
  readonly dotenvName?: string | undefined
  /** The parsed configuration file; nested or dotted. */
  readonly file?: { readonly name: string; readonly content: unknown }
  /** Which of these two files others may write, by name. */
  readonly writable?: readonly string[]
  /** For secrets that are kept in files. Absent: none can be. */
  readonly readFile?: (path: string) => FileText
}

export type Findings = {
  readonly errors: Finding[]
  readonly risks: Finding[]
  /** Errors in production, risks elsewhere: which of the two is known once all options are read. */
  readonly unfit: Finding[]
}

/** What one place says, by option name or by variable. */
type Place<Key> = ReadonlyMap<Key, Written>

/** Stands for what an unreadable file would have said: what follows from "not set" would mislead. No variable holds a NUL. */
export const unknowable = '\0'

/** The text that counts for each option, more than one where all count together; what is odd about the places goes to `findings`. */
export function gatherWritten(
  sources: Sources,
  findings: Findings,
): ReadonlyMap<OptionName, readonly Written[]> {
  const { flags = {}, options = {}, env, dotenv = {}, dotenvName = '.env', file } = sources
  for (const name of sources.writable ?? []) judgeExposure(name, 'writable', name, findings)
  const given: readonly Place<OptionName>[] = [readFlags(flags), readTree(options, '', findings)]
  const variables: readonly Place<string>[] = [
    readVariables(env, '', sources.readFile, findings),
    readVariables(dotenv, ` in ${dotenvName}`, sources.readFile, findings),
  ]
  const kept = file ? readTree(file.content, ` in ${file.name}`, findings) : new Map<OptionName, Written>()

  const find = (name: OptionName): readonly Written[] => {
    const first = firstOf(given.map(place => place.get(name)))
    if (first) return [first]
    const names = variablesOf(name)
    const perVariable = names.flatMap(variable => firstOf(variables.map(place => place.get(variable))) ?? [])
    if (optionOf(name).merges && perVariable.length > 0) return perVariable
    const inOrder = variables.flatMap(place => names.map(variable => place.get(variable)))
    const written = firstOf([...inOrder, kept.get(name)])
    return written ? [written] : []
  }
  return new Map(optionNames.map(name => [name, find(name)] as const).filter(([, found]) => found.length > 0))
}

const firstOf = (written: readonly (Written | undefined)[]): Written | undefined =>
  written.find(each => each !== undefined)

/** The text that counts. A blank one sets nothing (undefined), except where that is a mistake to be told (empty). */
function textFor(name: OptionName, raw: string | undefined): string | undefined {
  const { neverEmpty, exact } = optionOf(name).kind
  const text = raw?.trim()
  if (text === undefined || (text === '' && !neverEmpty)) return undefined
  return exact && text !== '' ? raw : text
}

function readFlags(flags: Partial<Record<OptionName, string>>): Place<OptionName> {
  const read = new Map<OptionName, Written>()
  for (const name of optionNames) {
    const text = textFor(name, flags[name])
    if (text !== undefined) read.set(name, { text, about: `--${name}` })
  }
  return read
}

/** `file`: the variable names a file in which the value stands. */
type Meaning = { readonly name: OptionName; readonly variable: string; readonly file: boolean }

/** Every variable that means something, and what. */
const known: ReadonlyMap<string, Meaning> = new Map(
  optionNames.flatMap(name =>
    variablesOf(name).flatMap((variable): readonly [string, Meaning][] => {
      const itself: [string, Meaning] = [variable, { name, variable, file: false }]
      return optionOf(name).fromFile
        ? [itself, [`${variable}_FILE`, { name, variable, file: true }]]
        : [itself]
    }),
  ),
)

function readVariables(
  env: Environment,
  where: string,
  readFile: Sources['readFile'],
  findings: Findings,
): Place<string> {
  const read = new Map<string, Written>()
  for (const [key, value] of Object.entries(env)) {
    const meant = known.get(key)
    const about = key + where
    const text = meant && textFor(meant.name, value)
    if (!meant) {
      if (key.startsWith('RUSK_')) judgeUnknown(key, about, findings)
    } else if (text === undefined) continue
    else if (!meant.file) read.set(key, { text, about })
    else if (env[meant.variable]) {
      findings.errors.push({ about, wrong: `${meant.variable} is set too`, instead: 'Set one of the two' })
    } else {
      const content = openSecret(text, about, readFile, findings)
      read.set(meant.variable, { text: textFor(meant.name, content) ?? '', about })
    }
  }
  return read
}

/** A slip of the pen must not be overlooked; a name like nothing of ours is more likely somebody else's. */
function judgeUnknown(key: string, about: string, { errors, risks }: Findings): void {
  const near = nearestName(key, known.keys())
  if (near) errors.push({ about, wrong: 'there is no such variable', instead: `Write ${near}` })
  else
    risks.push({
      about,
      wrong: 'Rusk knows no such variable',
      instead: 'See rusk serve --help for those it knows',
    })
}

function openSecret(path: string, about: string, readFile: Sources['readFile'], findings: Findings): string {
  const file = readFile?.(path) ?? { unreadable: 'files are not read here' }
  if ('unreadable' in file) {
    findings.errors.push({
      about,
      wrong: `${path} cannot be read (${file.unreadable})`,
      instead: 'Name a file that Rusk may read',
    })
    return unknowable
  }
  judgeExposure(path, file.exposed, about, findings)
  // Without the line's end that editors and echo leave.
  return file.text.replace(/\r?\n$/, '')
}

/** Whoever can write a secret chooses it. That everybody can read it is usual for secrets mounted into a container. */
function judgeExposure(path: string, exposed: Exposure, about: string, { risks, unfit }: Findings): void {
  if (exposed === 'writable') {
    unfit.push({
      about,
      wrong: `others on this machine may write ${path}, and so choose what it says`,
      instead: `Run chmod 600 ${path}`,
    })
  } else if (exposed === 'readable') {
    risks.push({
      about,
      wrong: `everybody on this machine may read ${path}`,
      instead: `Run chmod 600 ${path}, unless it is mounted into a container (mode 0444) where nobody else is`,
    })
  }
}

/** Texts by option name from a program's options or a parsed file, nested or dotted. */
function readTree(content: unknown, where: string, { errors }: Findings): Place<OptionName> {
  const read = new Map<OptionName, Written>()
  const take = (name: OptionName, value: unknown, about: string) => {
    const raw = textOf(value)
    const text = textFor(name, raw)
    if (text !== undefined) read.set(name, { text, about })
    else if (raw === undefined) {
      errors.push({
        about,
        wrong: 'this is not a value for an option',
        instead: 'Give text, a number, true, false or a list of texts',
      })
    }
  }
  const walk = (branch: object, above: string): void => {
    for (const [key, value] of Object.entries(branch)) {
      const name = above + key
      if (value === undefined) continue
      if (isOptionName(name)) take(name, value, name + where)
      else if (isTree(value) && optionNames.some(option => option.startsWith(`${name}.`)))
        walk(value, `${name}.`)
      else
        errors.push({ about: name + where, wrong: 'there is no such option', instead: suggestOption(name) })
    }
  }
  if (isTree(content)) walk(content, '')
  else
    errors.push({
      about: `configuration${where}`,
      wrong: 'it is not a JSON object',
      instead: 'Write {"port": 8000}',
    })
  return read
}

const isTree = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function suggestOption(name: string): string {
  const near = known.get(name)?.name ?? nearestName(name, optionNames)
  return near ? `Write ${near}` : 'See rusk serve --help for the options there are'
}

function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  return Array.isArray(value) && value.every(entry => typeof entry === 'string')
    ? JSON.stringify(value)
    : undefined
}
