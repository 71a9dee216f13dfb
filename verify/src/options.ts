// What a service says of itself and of Rusk, read once: every mistake is found at start, all of them at once.
import { createSecretKey } from 'node:crypto'
import type { Unreachable } from './ask.ts'
import type { VerifyingKey } from './jws.ts'
import { isLoopback, readOrigin } from './origins.ts'

export type Options = {
  /** Rusk's option `url`: the `iss` of its tokens. Required; undefined (a variable that nobody has set) is a finding. */
  readonly issuer: string | undefined
  /** Where this service reaches Rusk, if not at `issuer`: `http://rusk:8000`. Keys come from there: trust the way to it. */
  readonly url?: string | undefined
  /** Rusk's option `audience`, if it is set; then it is required and exact. */
  readonly audience?: string | undefined
  /** Rusk's JWT_SECRET_KEY, if it is set: tokens are checked by it (HS256), and no key is asked for. */
  readonly key?: string | undefined
  /** One of Rusk's RUSK_SERVICE_KEYS, to follow which sessions have ended. */
  readonly serviceKey?: string | undefined
  /** `none` in place of `serviceKey`: whoever has signed out keeps access here until the access token expires. */
  readonly revocation?: 'none' | undefined
  /** Milliseconds, 1000 to 60000: how late this service may learn that a session has ended. Default 5000. */
  readonly within?: number | undefined
  /**
   * When Rusk has not been heard for longer than `within`: `refuse` (default) answers 503 and ends streams; `accept` goes on
   * with what is known, so that a session that has ended meanwhile lasts until its access token expires.
   */
  readonly whenUnreachable?: 'refuse' | 'accept' | undefined
  /**
   * The access cookie, for services on Rusk's host. Default: that of the native dialect, `__Host-rusk_access`, or
   * `rusk_access` where `issuer` is http. `false`: bearer tokens only.
   */
  readonly cookie?: string | false | undefined
  /** Pages that may change something with the cookie's authority, exactly as browsers send them; that of `issuer` always. */
  readonly origins?: readonly string[] | undefined
  /** Double submit on top: every unsafe call carries the readable cookie's value in a header, and it is of the token's session. */
  readonly csrf?: { readonly cookie: string; readonly header: string } | undefined
  /** Told when keys or ended sessions cannot be had, once until they can again. Default: a line on stderr. */
  readonly onTrouble?: ((error: Unreachable) => void) | undefined
  /** Told when all that `onTrouble` was told of is over. Default: a line on stderr, where `onTrouble` is one too. */
  readonly onRecovery?: (() => void) | undefined
}

/** What was read of them. */
export type Settings = {
  readonly issuer: string
  readonly base: string
  readonly audience: string | undefined
  readonly shared: VerifyingKey | undefined
  readonly serviceKey: string | undefined
  readonly within: number
  readonly strict: boolean
  readonly cookie: string | undefined
  /** What Rusk writes beside it at sign-in: it begins with the id of the session that the browser means. */
  readonly signIn: string
  readonly listed: ReadonlySet<string>
  readonly csrf: { readonly cookie: string; readonly header: string } | undefined
  readonly onTrouble: (error: Unreachable) => void
  readonly onRecovery: () => void
}

/** The options cannot be meant so. `findings`: a sentence each. */
export class Misuse extends Error {
  override name = 'Misuse'
  readonly findings: readonly string[]
  constructor(findings: readonly string[]) {
    super(`createVerifier cannot work with these options:\n${findings.map(each => `- ${each}`).join('\n')}`)
    this.findings = findings
    // The message has them: whoever prints the error should not read them twice.
    Object.defineProperty(this, 'findings', { enumerable: false })
  }
}

const known: Readonly<Record<keyof Options, true>> = {
  issuer: true,
  url: true,
  audience: true,
  key: true,
  serviceKey: true,
  revocation: true,
  within: true,
  whenUnreachable: true,
  cookie: true,
  origins: true,
  csrf: true,
  onTrouble: true,
  onRecovery: true,
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== ''

const readUrl = (value: unknown): URL | undefined => {
  const url = isText(value) && URL.canParse(value) ? new URL(value) : undefined
  return url && /^https?:$/.test(url.protocol) && !url.search && !url.hash && !url.username && !url.password
    ? url
    : undefined
}

/** As Rusk itself writes its option `url`, and with it `iss`. */
const spell = ({ origin, pathname }: URL): string => `${origin}${pathname.replace(/\/+$/, '')}`

/** RFC 6265bis §4.1.1, RFC 9110 §5.6.2: names of cookies and of headers are tokens. */
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/

/** As Rusk takes them: what a header carries as it stands (RFC 9110 §5.5). */
const visible = /^[!-~]+$/

/** RFC 7518 §3.2: a key for HS256 has at least 256 bits. */
const shortest = 32

const isName = (value: unknown): boolean => isText(value) && token.test(value)

const warn = ({ message }: Unreachable) => console.warn(`@rusk/verify: ${message}`)

const sayOver = () => console.warn('@rusk/verify: Rusk is heard again, and nothing is wrong any more')

const unknownNames = (options: Options): readonly string[] =>
  Object.keys(options)
    .filter(name => !Object.hasOwn(known, name))
    .map(name => `${name}: there is no such option; there are ${Object.keys(known).join(', ')}`)

function urlFindings({ issuer, url }: Options): readonly string[] {
  const read = readUrl(issuer)
  if (!read) return ['issuer: write what Rusk has as url (RUSK_URL), as https://auth.example.com']
  if (url !== undefined) return readUrl(url) ? [] : ['url: write where Rusk is reached, as http://rusk:8000']
  return read.protocol === 'https:' || isLoopback(read.hostname)
    ? []
    : ['issuer: over http, keys could be anybody’s. Use https, or say by url which way to Rusk you trust']
}

function keyFindings({ key, serviceKey, revocation, within, whenUnreachable }: Options): readonly string[] {
  const findings: string[] = []
  const short = (value: unknown) => !isText(value) || Buffer.byteLength(value) < shortest
  if (key !== undefined && short(key))
    findings.push(`key: at least ${shortest} bytes, as Rusk’s JWT_SECRET_KEY`)
  if (revocation !== undefined && revocation !== 'none') findings.push("revocation: 'none', or leave it out")
  if (serviceKey !== undefined && short(serviceKey)) {
    findings.push(`serviceKey: at least ${shortest} bytes, one of Rusk’s RUSK_SERVICE_KEYS`)
  }
  if (isText(serviceKey) && (!visible.test(serviceKey) || serviceKey.includes(','))) {
    findings.push(
      'serviceKey: one key of letters, digits and signs of ASCII: no blank and no line break in it, and no comma, which parts keys at Rusk',
    )
  }
  if (serviceKey === undefined && revocation === undefined) {
    findings.push(
      'serviceKey: give one of Rusk’s RUSK_SERVICE_KEYS, so that ended sessions are heard of; or say revocation: ' +
        "'none', and whoever has signed out keeps access here until the access token expires",
    )
  }
  if (serviceKey !== undefined && revocation === 'none') {
    findings.push(
      "revocation: 'none' says that ended sessions are not followed; serviceKey is for following them",
    )
  }
  if (within !== undefined && !(Number.isSafeInteger(within) && within >= 1000 && within <= 60_000)) {
    findings.push('within: milliseconds, a whole number from 1000 to 60000')
  }
  if (whenUnreachable !== undefined && whenUnreachable !== 'refuse' && whenUnreachable !== 'accept') {
    findings.push("whenUnreachable: 'refuse' or 'accept'")
  }
  return findings
}

function callFindings({ audience, cookie, origins, csrf, ...told }: Options): readonly string[] {
  const findings: string[] = []
  if (audience !== undefined && !isText(audience)) findings.push('audience: a text that is not empty')
  if (cookie !== undefined && cookie !== false && !isName(cookie)) {
    findings.push('cookie: the name of the access cookie, or false')
  }
  if (origins !== undefined && !Array.isArray(origins)) findings.push('origins: a list of texts')
  else {
    for (const origin of origins ?? []) {
      const read = readOrigin(String(origin))
      if ('wrong' in read) findings.push(`origins: ${read.wrong}. ${read.instead}`)
    }
  }
  if (csrf !== undefined && !(isName(csrf?.cookie) && isName(csrf?.header))) {
    findings.push(
      "csrf: names of the readable cookie and of the header, as { cookie: 'csrftoken', header: 'x-csrftoken' }",
    )
  }
  for (const name of ['onTrouble', 'onRecovery'] as const) {
    if (told[name] !== undefined && typeof told[name] !== 'function') findings.push(`${name}: a function`)
  }
  return findings
}

/** Throws `Misuse` with every finding. */
export function readOptions(options: Options): Settings {
  if (typeof options !== 'object' || options === null)
    throw new Misuse(["options: an object, as { issuer: 'https://auth.example.com', serviceKey: … }"])
  const findings = [
    ...unknownNames(options),
    ...urlFindings(options),
    ...keyFindings(options),
    ...callFindings(options),
  ]
  if (findings.length > 0) throw new Misuse(findings)
  const { issuer = '', url = issuer, key, cookie, csrf } = options
  const read = new URL(issuer)
  const native = read.protocol === 'https:' ? '__Host-rusk_access' : 'rusk_access'
  const name = cookie || native
  return {
    issuer: spell(read),
    base: url.replace(/\/+$/, ''),
    audience: options.audience,
    shared:
      key === undefined
        ? undefined
        : { id: 'shared', algorithm: 'HS256', verify: createSecretKey(Buffer.from(key)) },
    serviceKey: options.serviceKey,
    within: options.within ?? 5000,
    strict: options.whenUnreachable !== 'accept',
    cookie: cookie === false ? undefined : name,
    signIn: name.startsWith('__Host-') ? '__Host-rusk_signin' : 'rusk_signin',
    listed: new Set([read.origin, ...(options.origins ?? [])]),
    csrf: csrf && { cookie: csrf.cookie, header: csrf.header.toLowerCase() },
    onTrouble: options.onTrouble ?? warn,
    // Whoever takes the one over is not answered elsewhere by the other.
    onRecovery: options.onRecovery ?? (options.onTrouble ? () => undefined : sayOver),
  }
}
