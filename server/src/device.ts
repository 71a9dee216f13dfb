// What people call the browser and the device of a session, by its User-Agent. Decides names alone, from closed lists;
// believes nothing: whoever calls says what he likes.
import { BROWSER_MAP, OS_MAP, parse } from 'bowser'

/** `program`: no browser, but a tool or a robot. */
export const deviceKinds = ['desktop', 'mobile', 'tablet', 'tv', 'program'] as const
export type DeviceKind = (typeof deviceKinds)[number]

export type Device = {
  /** The browser or the program, without its version: browsers freeze or lie about theirs. Null: unknown. */
  readonly browser: string | null
  /** The operating system, without its version. Null: unknown. */
  readonly system: string | null
  readonly kind: DeviceKind | null
  /** For people: `Firefox on Windows`, `Safari on iPhone`, `curl`, `Android`; `Unknown device`. */
  readonly label: string
}

/** As much as a session keeps. Caps the time that the parser's many expressions take, whoever asks. */
const mostRead = 256

/** Programs by the first product of their User-Agent (RFC 9110 §10.1.5), in small letters. */
const programs: ReadonlyMap<string, string> = new Map([
  ['aiohttp', 'aiohttp'],
  ['apache-httpclient', 'Apache HttpClient'],
  ['axios', 'axios'],
  ['bun', 'Bun'],
  ['curl', 'curl'],
  ['dart', 'Dart'],
  ['deno', 'Deno'],
  ['go-http-client', 'Go'],
  ['httpie', 'HTTPie'],
  ['insomnia', 'Insomnia'],
  ['java', 'Java'],
  ['java-http-client', 'Java'],
  ['node', 'Node.js'],
  ['node-fetch', 'Node.js'],
  ['okhttp', 'OkHttp'],
  ['postmanruntime', 'Postman'],
  ['python', 'Python'],
  ['python-httpx', 'Python'],
  ['python-requests', 'Python'],
  ['python-urllib', 'Python'],
  ['ruby', 'Ruby'],
  ['undici', 'Node.js'],
  ['wget', 'Wget'],
])

/** Where people say it otherwise than the parser. */
const renamed: ReadonlyMap<string, string> = new Map([
  ['Chrome OS', 'ChromeOS'],
  ['Microsoft Edge', 'Edge'],
  ['Miui', 'Mi Browser'],
  ['NAVER Whale Browser', 'Whale'],
  ['Opera Touch', 'Opera'],
  ['Samsung Internet for Android', 'Samsung Internet'],
  ['WebOS', 'webOS'],
])

/** What runs iOS, as people call it. */
const models: ReadonlyMap<string, string> = new Map([
  ['ipad', 'iPad'],
  ['iphone', 'iPhone'],
  ['ipod', 'iPod'],
])

// `Generic` is the parser's word for no name.
const browsers: ReadonlySet<string> = new Set(Object.values(BROWSER_MAP).filter(name => name !== 'Generic'))
const systems: ReadonlySet<string> = new Set(Object.values(OS_MAP))

/** The parser copies the name of a browser it does not know from the text: only what it has a name for is said. */
const known = (names: ReadonlySet<string>, name = ''): string | null =>
  renamed.get(name) ?? (names.has(name) ? name : null)

const programOf = (userAgent: string): string | undefined =>
  programs.get(/^[\w-]+(?=[/ ]|$)/.exec(userAgent)?.[0].toLowerCase() ?? '')

const isKind = (kind: string | undefined): kind is DeviceKind => deviceKinds.some(each => each === kind)

function kindOf(type: string | undefined, system: string | null): DeviceKind | null {
  if (type === 'bot') return 'program'
  // The parser has no kind for it, and it runs on nothing else.
  if (system === 'ChromeOS') return 'desktop'
  return isKind(type) ? type : null
}

/** Some are called as what they run on. */
const labelOf = (browser: string | null, on: string | null): string =>
  browser !== null && on !== null && browser !== on
    ? `${browser} on ${on}`
    : (browser ?? on ?? 'Unknown device')

/**
 * Reads a User-Agent of any length and content; never throws. Every text that comes out is one of a closed list, so it
 * may be shown anywhere. An iPad that asks for desktop pages, as it does by default, calls itself a Mac.
 */
export function readDevice(userAgent: string): Device {
  const text = userAgent.slice(0, mostRead)
  const program = programOf(text)
  if (program !== undefined) return { browser: program, system: null, kind: 'program', label: program }
  if (text === '') return { browser: null, system: null, kind: null, label: labelOf(null, null) }
  const parsed = parse(text)
  const browser = known(browsers, parsed.browser.name)
  const system = known(systems, parsed.os.name)
  const { type, model = '' } = parsed.platform
  const on = (system === 'iOS' ? models.get(model.toLowerCase()) : undefined) ?? system
  return { browser, system, kind: kindOf(type, system), label: labelOf(browser, on) }
}
