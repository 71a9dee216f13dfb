// Which cookies a dialect has on a site, and every Set-Cookie line there is. Owns spelling and attributes (RFC 6265bis
// §4.1, §5.6); knows nothing of what a value means.
import { readCookies } from '@rusk/verify/floor'
import { Fault } from '../core/fault.ts'
import type { Policy } from '../core/policy.ts'
import type { CookieSpec, Dialect } from './dialect.ts'
import type { Site } from './site.ts'

/** A cookie of one dialect on one site: its name on the wire, and what follows name, value and age. */
export type Cookie = {
  readonly name: string
  readonly path: string
  /** `; Path=/; HttpOnly; SameSite=Lax` */
  readonly attributes: string
}

/** The cookies of one dialect by what they are for. */
export type Jar = {
  readonly access: Cookie | undefined
  readonly refresh: Cookie
  readonly signIn: Cookie
  readonly csrf: Cookie | undefined
}

/** RFC 6265bis §5.6: more is dropped by the browser without a word. In bytes, name and value together. */
const largest = 4096

const octets = /^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*$/

/** `/` stays `/`: a cookie for the whole host is one wherever the dialect is moved to. */
const movePath = (path: string, prefix: string): string => (path === '/' ? path : `${prefix}${path}`)

function openCookie(spec: CookieSpec, site: Site, role: keyof Jar): Cookie {
  const token = role !== 'csrf'
  const none = site.crossSite
  const path = movePath(spec.path, site.prefix)
  const attributes = [
    `Path=${path}`,
    ...(!token && site.csrfDomain !== undefined ? [`Domain=${site.csrfDomain}`] : []),
    ...(token ? ['HttpOnly'] : []),
    ...(site.secureCookies || none ? ['Secure'] : []),
    `SameSite=${none ? 'None' : spec.sameSite}`,
  ]
  return {
    name: spec.host && site.secureCookies ? `__Host-${spec.name}` : spec.name,
    path,
    attributes: attributes.map(each => `; ${each}`).join(''),
  }
}

export function openJar({ access, refresh, signIn, csrf }: Dialect['cookies'], site: Site): Jar {
  return {
    access: access && openCookie(access, site, 'access'),
    refresh: openCookie(refresh, site, 'refresh'),
    signIn: openCookie({ ...refresh, name: signIn }, site, 'signIn'),
    csrf: csrf && openCookie(csrf.cookie, site, 'csrf'),
  }
}

const seconds = (span: number): number => Math.floor(span / 1000)

/** How long each lives, in whole seconds. `kept`: what is left of the session, where one is known; else a new one's. */
export const agesOf = (
  { csrf }: Dialect['cookies'],
  { access, idle, lifetime }: Pick<Policy, 'access' | 'idle' | 'lifetime'>,
  kept = seconds(Math.min(idle, lifetime)),
): Readonly<Record<keyof Jar, number>> => ({
  access: seconds(access),
  refresh: kept,
  signIn: kept,
  csrf: csrf?.maxAge ?? kept,
})

/** A Set-Cookie line; `maxAge` in seconds. Throws when a browser would not keep it: better here than in silence there. */
export function writeCookie(cookie: Cookie, value: string, maxAge: number): string {
  if (!octets.test(value))
    throw new Fault(`The value of cookie ${cookie.name} has characters no cookie may have`)
  if (cookie.name.length + value.length > largest) {
    throw new Fault(`Cookie ${cookie.name} would be larger than ${largest} bytes`)
  }
  return `${cookie.name}=${value}; Max-Age=${Math.max(0, Math.floor(maxAge))}${cookie.attributes}`
}

/** The line that removes it: the same name and attributes, an age that is over by either spelling. */
export const clearCookie = (cookie: Cookie): string =>
  `${cookie.name}=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT${cookie.attributes}`

/** The cookies of a dialect by what they are for, every value of each. */
export type Jarful = {
  readonly access: readonly string[]
  readonly refresh: readonly string[]
  readonly signIn: readonly string[]
  readonly csrf: readonly string[]
}

/** Reads the Cookie header of calls in one dialect. */
export function openJarReader(jar: Jar): (header: string | undefined) => Jarful {
  const roles = [jar.access, jar.refresh, jar.signIn, jar.csrf]
  const had = roles.filter(cookie => cookie !== undefined)
  const names = had.map(cookie => cookie.name)
  const [access = -1, refresh = -1, signIn = -1, csrf = -1] = roles.map(cookie =>
    cookie ? had.indexOf(cookie) : -1,
  )
  return header => {
    const values = readCookies(header, names)
    const of = (index: number) => values[index] ?? []
    return { access: of(access), refresh: of(refresh), signIn: of(signIn), csrf: of(csrf) }
  }
}
