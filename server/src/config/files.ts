// Reads the files that options may stand in: `.env`, the configuration file, files of single secrets. What they mean is
// decided by config.ts.
import { readFileSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseEnv } from 'node:util'
import { readSettings, type SettingsRead } from '../config.ts'
import { codeOf, type Finding } from '../core/fault.ts'
import type { DialectTraits } from './checks.ts'
import type { Exposure, FileText, Sources } from './sources.ts'

export type Places = Pick<Sources, 'flags' | 'options' | 'env'> & {
  /** Relative paths start here. */
  readonly folder: string
  /** Undefined: `.env`, if there is one. Null: none. */
  readonly envFile?: string | null | undefined
  readonly configFile?: string | undefined
  readonly dialectNames: readonly string[]
  readonly dialects?: DialectTraits
}

/** `readSettings` over the files of a folder. A file that was asked for and cannot be read is an error like others. */
export function loadSettings({ folder, envFile, configFile, ...given }: Places): SettingsRead {
  const errors: Finding[] = []
  const open = (path: string): FileText => openText(resolve(folder, path))
  const writable: string[] = []
  const need = (path: string, about: string): string | undefined => {
    const file = open(path)
    if ('text' in file) {
      if (file.exposed === 'writable') writable.push(path)
      return file.text
    }
    errors.push({
      about,
      wrong: `${path} cannot be read (${file.unreadable})`,
      instead: 'Name a file that Rusk may read',
    })
    return undefined
  }
  const dotenvName = envFile ?? '.env'
  const envText =
    envFile === null || (envFile === undefined && isAbsent(open(dotenvName)))
      ? ''
      : need(dotenvName, '--env-file')
  const dotenv = parseEnv(envText ?? '')
  const configText = configFile === undefined ? undefined : need(configFile, '--config')
  const content =
    configText === undefined ? undefined : parseConfig(configText, `--config ${configFile}`, errors)
  const read = readSettings({
    ...given,
    dotenv,
    dotenvName,
    writable,
    readFile: open,
    ...(configFile === undefined || content === undefined ? {} : { file: { name: configFile, content } }),
  })
  return errors.length === 0 ? read : { errors: [...errors, ...read.errors], risks: read.risks }
}

const absent = 'there is no such file'

const isAbsent = (file: FileText): boolean => 'unreadable' in file && file.unreadable === absent

const reasons: Readonly<Record<string, string>> = {
  ENOENT: absent,
  ENOTDIR: absent,
  EACCES: 'permission denied',
  EISDIR: 'it is a folder',
}

const othersWrite = 0o022
const everybodyReads = 0o004

function exposureOf(path: string): Exposure {
  // Modes tell nothing there.
  if (process.platform === 'win32') return undefined
  const { mode } = statSync(path)
  if ((mode & othersWrite) !== 0) return 'writable'
  return (mode & everybodyReads) !== 0 ? 'readable' : undefined
}

function openText(path: string): FileText {
  try {
    const exposed = exposureOf(path)
    // A byte order mark, as editors on Windows leave it, is no part of the first name.
    return { text: readFileSync(path, 'utf8').replace(/^\uFEFF/, ''), exposed }
  } catch (error) {
    const code = codeOf(error)
    if (code === undefined) throw error
    return { unreadable: reasons[code] ?? code }
  }
}

function parseConfig(text: string, about: string, errors: Finding[]): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    // Only the place: the message quotes the text, which may hold a secret.
    const where =
      /line \d+ column \d+/
        .exec(error.message)
        ?.map(each => ` (${each})`)
        .join('') ?? ''
    errors.push({ about, wrong: `it is not JSON${where}`, instead: 'Write {"port": 8000}' })
    return undefined
  }
}
