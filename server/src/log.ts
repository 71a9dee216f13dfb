// Where log lines go and what they look like: JSON, or text for people on a terminal. Nothing that a terminal would obey
// comes through, and no secret by its usual names. Knows no event: who logs says what happened.
import { createRequire } from 'node:module'
import { type DestinationStream, destination, type Logger, pino } from 'pino'
import type { prettyFactory as PrettyFactory } from 'pino-pretty'
import type { Settings } from './config.ts'

export type Log = Logger

/** By these names nobody is to log anything; if somebody does, the value stays out. */
const secretNames = [
  'password',
  'token',
  'access',
  'refresh',
  'secret',
  'cookie',
  'cookies',
  'authorization',
  'set-cookie',
].flatMap(name => [`["${name}"]`, `*["${name}"]`, `*.*["${name}"]`])

/** `auto` is text on a terminal. To standard output unless another file descriptor is given. */
export function createLog({ level, format }: Settings['log'], to: 1 | 2 = 1): Log {
  const terminal = (to === 1 ? process.stdout : process.stderr).isTTY === true
  const pretty = format === 'pretty' || (format === 'auto' && terminal)
  const file = destination({ dest: to, sync: true })
  return openLog(level, pretty, pretty ? prettyTo(file, terminal) : file)
}

/** The same over any stream of lines. */
export function openLog(level: Settings['log']['level'], pretty: boolean, stream: DestinationStream): Log {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: label => ({ level: label }) },
      redact: { paths: secretNames, censor: '[not logged]' },
      serializers: { error: pino.stdSerializers.err, err: pino.stdSerializers.err },
      hooks: { streamWrite: line => escapeLine(line, pretty) },
    },
    stream,
  )
}

/** Loaded only when it is used: a server that logs JSON neither waits for it nor keeps it. */
export function prettyTo(to: DestinationStream, colorize: boolean): DestinationStream {
  const { prettyFactory } = createRequire(import.meta.url)('pino-pretty') as {
    prettyFactory: typeof PrettyFactory
  }
  const write = prettyFactory({
    colorize,
    errorLikeObjectKeys: ['error', 'err'],
    singleLine: true,
    translateTime: 'SYS:HH:MM:ss.l',
  })
  return { write: line => to.write(write(line) ?? '') }
}

/** Controls of the C1 block, line separators and bidirectional overrides: JSON lets them through. */
const unseen = /[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g

/** In a line of JSON, escapes that a reader turns back into controls; an escaped backslash first, so that it is passed over. */
const escapes = /\\\\|\\u00[01][0-9a-f]|\\[bfr]/g

const codeOf = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`

/** JSON in, JSON out. For text the escapes are escaped once more, so that they are seen and not obeyed. */
function escapeLine(line: string, pretty: boolean): string {
  const escaped = line.replace(unseen, codeOf)
  if (!pretty) return escaped
  return line
    .replace(unseen, character => `\\${codeOf(character)}`)
    .replace(escapes, found => (found === '\\\\' ? found : `\\${found}`))
}
