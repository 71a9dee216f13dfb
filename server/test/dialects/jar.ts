// A browser's cookie jar by RFC 6265bis: what is kept, what is sent, what a script may read. It refuses what a browser
// refuses, so that a cookie which only a lenient client would keep fails a test. It knows nothing of Rusk.

/** A Set-Cookie line as the server wrote it; attribute names in lower case, an attribute without a value is ''. */
export type SetCookie = {
  readonly name: string
  readonly value: string
  readonly attributes: Readonly<Record<string, string>>
}

export type Cookie = {
  readonly name: string
  readonly value: string
  readonly host: string
  readonly hostOnly: boolean
  readonly path: string
  readonly secure: boolean
  readonly httpOnly: boolean
  readonly sameSite: string
  /** Epoch milliseconds; undefined: until the browser is closed. */
  readonly expiresAt: number | undefined
}

/** How a request stands to the site that a cookie belongs to. */
export type Standing = { readonly url: URL; readonly crossSite: boolean; readonly topLevelGet: boolean }

export function readSetCookie(line: string): SetCookie {
  const [pair = '', ...rest] = line.split(';').map(part => part.trim())
  const cut = (text: string): [string, string] => {
    const at = text.indexOf('=')
    return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]
  }
  const [name, value] = cut(pair)
  const attributes = Object.fromEntries(rest.map(cut).map(([key, text]) => [key.toLowerCase(), text]))
  return { name, value, attributes }
}

const isTrustworthy = (url: URL): boolean =>
  url.protocol === 'https:' || url.hostname === 'localhost' || url.hostname === '127.0.0.1'

/** §5.1.4: the folder of the request's path. */
const defaultPath = (url: URL): string => url.pathname.slice(0, url.pathname.lastIndexOf('/')) || '/'

const pathMatches = (path: string, cookiePath: string): boolean =>
  path === cookiePath ||
  (path.startsWith(cookiePath) && (cookiePath.endsWith('/') || path[cookiePath.length] === '/'))

const hostMatches = (host: string, cookie: Cookie): boolean =>
  host === cookie.host || (!cookie.hostOnly && host.endsWith(`.${cookie.host}`))

/** Undefined: kept. Otherwise the reason why a browser throws it away (§5.7). */
function whyRefused(
  set: SetCookie,
  cookie: Cookie,
  { url, crossSite, topLevelGet }: Standing,
): string | undefined {
  if (set.name.length + set.value.length > 4096) return 'too long'
  if (cookie.secure && !isTrustworthy(url)) return 'Secure over plain http'
  if (cookie.sameSite === 'none' && !cookie.secure) return 'SameSite=None without Secure'
  if (cookie.sameSite !== 'none' && crossSite && !topLevelGet) return 'SameSite in an answer across sites'
  if (!hostMatches(url.hostname, cookie)) return 'Domain of another host'
  if (set.name.startsWith('__Host-') && !(cookie.secure && cookie.hostOnly && set.attributes.path === '/'))
    return '__Host- without Secure and Path=/, or with a Domain'
  return undefined
}

function expiryOf({ attributes }: SetCookie, now: number): number | undefined {
  const maxAge = attributes['max-age']
  if (maxAge !== undefined) return now + Number(maxAge) * 1000
  return attributes.expires === undefined ? undefined : Date.parse(attributes.expires)
}

/** One takes the place of another that has all of these (§5.7): so a parent's stands beside the host's own. */
const identity = ['name', 'host', 'hostOnly', 'path'] as const

export class Jar {
  #cookies: readonly Cookie[] = []

  /** Keeps, replaces or removes. Returns why a browser would refuse it, if it would. */
  take(set: SetCookie, standing: Standing, now: number): string | undefined {
    const { attributes } = set
    const { url } = standing
    const domain = attributes.domain?.replace(/^\./, '')
    const cookie: Cookie = {
      name: set.name,
      value: set.value,
      host: domain ?? url.hostname,
      hostOnly: domain === undefined,
      path: attributes.path?.startsWith('/') ? attributes.path : defaultPath(url),
      secure: 'secure' in attributes,
      httpOnly: 'httponly' in attributes,
      sameSite: (attributes.samesite ?? 'lax').toLowerCase(),
      expiresAt: expiryOf(set, now),
    }
    const refused = whyRefused(set, cookie, standing)
    if (refused) return refused
    this.#cookies = this.#cookies
      .filter(old => identity.some(member => old[member] !== cookie[member]))
      .concat(cookie.expiresAt === undefined || cookie.expiresAt > now ? cookie : [])
    return undefined
  }

  #live(now: number): readonly Cookie[] {
    return this.#cookies.filter(({ expiresAt }) => expiresAt === undefined || expiresAt > now)
  }

  /** Puts a cookie there for the API's host, as a left-over or a thief's would be. */
  plant(url: URL, name: string, value: string, attributes: Readonly<Record<string, string>>): void {
    this.take({ name, value, attributes }, { url, crossSite: false, topLevelGet: false }, Date.now())
  }

  /** Value of the Cookie header, undefined when nothing is sent. Longer paths first (§5.8.3). */
  header({ url, crossSite, topLevelGet }: Standing, now: number): string | undefined {
    const sent = this.#live(now)
      .filter(cookie => hostMatches(url.hostname, cookie) && pathMatches(url.pathname, cookie.path))
      .filter(cookie => !cookie.secure || isTrustworthy(url))
      .filter(({ sameSite }) => !crossSite || sameSite === 'none' || (sameSite === 'lax' && topLevelGet))
      .toSorted((a, b) => b.path.length - a.path.length)
    return sent.map(({ name, value }) => `${name}=${value}`).join('; ') || undefined
  }

  /** Names and values that `document.cookie` shows to a script of that page. */
  readable(page: URL, now: number): readonly (readonly [string, string])[] {
    const seen = this.#live(now).filter(
      cookie =>
        !cookie.httpOnly && hostMatches(page.hostname, cookie) && pathMatches(page.pathname, cookie.path),
    )
    return seen.map(({ name, value }) => [name, value] as const)
  }

  /** For assertions and for thieves. */
  get(name: string, now = Date.now()): Cookie | undefined {
    return this.#live(now).find(cookie => cookie.name === name)
  }

  /** As a person does in the browser's settings. */
  drop(...names: readonly string[]): void {
    this.#cookies = this.#cookies.filter(({ name }) => !names.includes(name))
  }

  names(now = Date.now()): readonly string[] {
    return this.#live(now).map(({ name }) => name)
  }

  /** A copy that changes no more when the browser goes on. */
  copy(): Jar {
    const copy = new Jar()
    copy.#cookies = this.#cookies
    return copy
  }
}
