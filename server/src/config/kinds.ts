// How each kind of option is written down, and what is said when it is written wrongly. Knows no option by name.
import { isIP } from 'node:net'
import { readOrigin } from '@rusk/verify/floor'
import { type ClaimField, claimFields } from '../core/admission.ts'
import { quote } from '../core/controls.ts'
import type { Rate } from '../core/policy.ts'
import { readBlock } from '../http/address.ts'
import { isDatabase, readDatabase } from '../store/database.ts'

export type Wrong = { readonly wrong: string; readonly instead: string }

export type Reading<T> = { readonly value: T } | Wrong

/** What is wrong with each bad entry of a list. */
export type Wrongs = { readonly wrongs: readonly Wrong[] }

/** `Given`: what a program may give instead of text. */
export type Kind<T, Given = string> = {
  /** For the manual: what one writes. */
  readonly shape: string
  /** Never there: carries the type alone. */
  readonly given?: Given
  /** An empty text is a mistake, not "nothing set": a secret that failed to arrive must not go unnoticed. */
  readonly neverEmpty?: true
  /** Blanks around it belong to it: another program reads the same variable as it is. */
  readonly exact?: true
  read(text: string): Reading<T> | Wrongs
}

const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

const isUnit = (text: string): text is keyof typeof units => text in units

/** `2s`, `10m`, `14d`, `500ms`, or a plain 0; milliseconds. Undefined: written otherwise. */
function readSpan(text: string): number | undefined {
  if (text === '0') return 0
  const [, amount, unit = ''] = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text) ?? []
  return amount !== undefined && isUnit(unit) ? Number(amount) * units[unit] : undefined
}

/** The shortest way to write a span of milliseconds. */
export function writeSpan(span: number): string {
  if (span === 0) return '0'
  const unit = (['d', 'h', 'm', 's'] as const).find(each => span % units[each] === 0) ?? 'ms'
  return `${span / units[unit]}${unit}`
}

/** `5/1m`: five attempts in a minute. */
export const writeRate = ({ points, per }: Rate): string => `${points}/${writeSpan(per)}`

export const text: Kind<string> = { shape: 'text', read: value => ({ value }) }

/** Texts that must not be shown anywhere. */
export const secret: Kind<string> = {
  shape: 'secret',
  neverEmpty: true,
  exact: true,
  read: value => ({ value }),
}

/** Sent in a header as they are. */
const sendable = /^[\x21-\x7e]+$/

export const secrets: Kind<readonly string[], string | readonly string[]> = {
  shape: 'secret[,secret…]',
  neverEmpty: true,
  read(value) {
    const entries = readList(value)
    if (entries === undefined || entries.length === 0)
      return { wrong: 'there is no secret in it', instead: 'Write one, or several parted by commas' }
    return entries.every(entry => sendable.test(entry))
      ? { value: entries }
      : {
          wrong: 'a secret in it has a blank or a letter that no header can carry',
          instead: 'Make one with: openssl rand -base64 48',
        }
  },
}

export const credential: Kind<string> = { shape: 'secret', exact: true, read: value => ({ value }) }

export const file: Kind<string> = { shape: 'FILE', read: value => ({ value }) }

export const names: Kind<readonly string[], string | readonly string[]> = {
  shape: 'NAME[,NAME…]',
  read: value => ({ value: readList(value) ?? [value] }),
}

export function choice<const C extends string>(...choices: readonly C[]): Kind<C, C> {
  const all = choices.join(' or ')
  return {
    shape: choices.join(' | '),
    read(value) {
      const found = choices.find(each => each.toLowerCase() === value.toLowerCase())
      return found === undefined
        ? { wrong: `${quote(value)} is not known here`, instead: `Write ${all}` }
        : { value: found }
    },
  }
}

const truths: Readonly<Record<string, boolean>> = {
  true: true,
  yes: true,
  on: true,
  1: true,
  false: false,
  no: false,
  off: false,
  0: false,
}

export const flag: Kind<boolean, boolean> = {
  shape: 'true | false',
  read(value) {
    const truth = truths[value.toLowerCase()]
    return truth === undefined
      ? { wrong: `${quote(value)} is neither true nor false`, instead: 'Write true or false' }
      : { value: truth }
  },
}

export const integer = (least: number, most: number): Kind<number, number> => ({
  shape: `${least} to ${most}`,
  read(value) {
    const number = /^\d{1,10}$/.test(value) ? Number(value) : Number.NaN
    if (number >= least && number <= most) return { value: number }
    return {
      wrong: `${quote(value)} is not a whole number from ${least} to ${most}`,
      // A Kubernetes service called "rusk" puts RUSK_PORT=tcp://… into every container beside it.
      instead: value.startsWith('tcp://')
        ? 'This was set by a Kubernetes service link: set enableServiceLinks: false, or --port'
        : `Write a number from ${least} to ${most}`,
    }
  },
})

export const span = (least: number, most: number): Kind<number> => ({
  shape: `${writeSpan(least)} to ${writeSpan(most)}`,
  read(value) {
    const read = readSpan(value)
    if (read === undefined) {
      const instead = /^\d+$/.test(value)
        ? `Write the unit too: ${value}s, ${value}m, …`
        : 'Write 2s, 10m or 14d'
      return { wrong: `${quote(value)} is not a span of time`, instead }
    }
    if (read >= least && read <= most) return { value: read }
    return {
      wrong: `${value} is ${read < least ? 'too short' : 'too long'}`,
      instead: `Write a span from ${writeSpan(least)} to ${writeSpan(most)}`,
    }
  },
})

/** Null: never. */
export const spanOrNever = (least: number, most: number): Kind<number | null> => {
  const often = span(least, most)
  return {
    shape: `${often.shape}, or never`,
    read(value) {
      if (value.toLowerCase() === 'never') return { value: null }
      const read = often.read(value)
      return 'wrong' in read ? { ...read, instead: `${read.instead}, or never` } : read
    },
  }
}

export const rate: Kind<Rate> = {
  shape: 'ATTEMPTS/SPAN, as in 5/1m; 1s to 1d',
  read(value) {
    const [points = '', per = '', ...more] = value.split('/')
    const length = readSpan(per)
    const counts = more.length === 0 && /^[1-9]\d{0,5}$/.test(points) && length !== undefined
    // Longer than a day is no throttle but a ban, and beyond 24 days no timer can count it.
    if (!counts || length < units.s || length > units.d) {
      return {
        wrong: `${quote(value)} is not a rate`,
        instead: 'Write attempts and a span from 1s to 1d: 5/1m',
      }
    }
    return { value: { points: Number(points), per: length } }
  },
}

/** Where browsers reach Rusk: an origin and perhaps a path. A trailing slash is dropped, since links are built from it. */
export const url: Kind<string> = {
  shape: 'https://HOST[/PATH]',
  read(value) {
    const instead = 'Write https://HOST, with a path at most'
    if (!URL.canParse(value)) return { wrong: `${quote(value)} is not an address`, instead }
    const parsed = new URL(value)
    const { protocol, username, password, search, hash } = parsed
    if (protocol !== 'https:' && protocol !== 'http:') {
      return { wrong: `${quote(value)} is neither http nor https`, instead }
    }
    if (username || password || search || hash) {
      return { wrong: 'the address carries more than scheme, host, port and path', instead }
    }
    return { value: `${parsed.origin}${parsed.pathname.replace(/\/+$/, '')}` }
  },
}

/** Comma-separated, or a JSON array; empty entries are skipped. Undefined: it begins like JSON and is not. */
function readList(value: string): readonly string[] | undefined {
  const entries = value.trimStart().startsWith('[') ? readJsonList(value) : value.split(',')
  return entries?.map(entry => entry.trim()).filter(entry => entry !== '')
}

function readJsonList(value: string): readonly string[] | undefined {
  try {
    const parsed: unknown = JSON.parse(value)
    return Array.isArray(parsed) && parsed.every(entry => typeof entry === 'string') ? parsed : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

const isWrong = (read: object): read is Wrong => 'wrong' in read

/** Every entry, or what is wrong with each of the bad ones. `like`: two good ones. */
function each(
  value: string,
  like: readonly string[],
  readOne: (entry: string) => object,
): Reading<readonly string[]> | Wrongs {
  const entries = readList(value)
  if (!entries) {
    return {
      wrong: 'it starts like a JSON array of texts but is not one',
      instead: `Write ${like.join()}, or ${JSON.stringify(like)}`,
    }
  }
  const wrongs = [...new Set(entries)].map(readOne).filter(isWrong)
  return wrongs.length > 0 ? { wrongs } : { value: entries }
}

export const origins: Kind<readonly string[], string | readonly string[]> = {
  shape: 'ORIGIN[,ORIGIN…] or a JSON array',
  read: value => each(value, ['https://app.example.com', 'http://localhost:3000'], readOrigin),
}

export const proxies: Kind<readonly string[], string | readonly string[]> = {
  shape: 'ADDRESS[/BITS][,…]',
  read: value => each(value, ['10.0.0.0/8', '::1'], readBlock),
}

export const prefix: Kind<string> = {
  shape: '/PATH',
  read(value) {
    if (/^(?:\/(?!\.{1,2}(?:\/|$))[\w.~-]+)+$/.test(value)) return { value }
    const path = value.split('/').filter(part => /^[\w.~-]+$/.test(part) && !/^\.{1,2}$/.test(part))
    return {
      wrong: `${quote(value)} is not a path to put before others`,
      instead: `Write ${path.length > 0 ? `/${path.join('/')}` : '/accounts'}, without a slash at the end`,
    }
  },
}

export const domain: Kind<string> = {
  shape: 'DOMAIN',
  read(value) {
    const bare = value.replace(/^\./, '').toLowerCase()
    const labels = bare.split('.')
    const isName = labels.every(label => /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/.test(label))
    if (!isName || isIP(bare) !== 0 || (labels.length < 2 && bare !== 'localhost')) {
      return {
        wrong: `${quote(value)} is not a domain that hosts can share`,
        instead: 'Write it like example.org',
      }
    }
    return bare === value
      ? { value }
      : { wrong: `${quote(value)} is not how this is written`, instead: `Write ${bare}` }
  },
}

export const database: Kind<string> = {
  shape: 'sqlite:PATH | postgres://…',
  neverEmpty: true,
  read(value) {
    const read = readDatabase(value)
    return isDatabase(read) ? { value } : read
  },
}

export const host: Kind<string> = {
  shape: 'ADDRESS',
  read(value) {
    if (isIP(value) !== 0 || /^(?=.{1,253}$)[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?$/.test(value))
      return { value }
    return {
      wrong: `${quote(value)} is not a host or address`,
      instead: 'Write 127.0.0.1, or 0.0.0.0 for all of them',
    }
  },
}

/** Which claim of another system's tokens holds what of a user. */
export type ClaimOf = { readonly claim: string; readonly field: ClaimField }

export const claim: Kind<ClaimOf> = {
  shape: `CLAIM=${claimFields.join(' | ')}`,
  read(value) {
    // A claim may be called by an address, with an = of its own (RFC 7519 §4.2).
    const cut = value.lastIndexOf('=')
    const [name, held] = [value.slice(0, Math.max(0, cut)).trim(), value.slice(cut + 1).trim()]
    const field = claimFields.find(each => each === held)
    if (name !== '' && field) return { value: { claim: name, field } }
    return {
      wrong: `${quote(value)} does not say which claim holds what of a user`,
      instead: `Write sub=email, or another claim and one of ${claimFields.join(', ')}`,
    }
  },
}
