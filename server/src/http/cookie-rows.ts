// The cookies of one dialect on one site as a table for people to read: names and attributes, never values. Writes no
// cookie (cookies.ts does).
import type { Policy } from '../core/policy.ts'
import { agesOf, openJar } from './cookies.ts'
import type { Dialect } from './dialect.ts'
import type { CookieRole } from './effects.ts'
import type { Site } from './site.ts'

export type CookieRow = {
  readonly role: CookieRole
  /** As it stands on the wire, `__Host-` included. */
  readonly name: string
  /** `Max-Age=900`, `Path=/`, `HttpOnly`, `SameSite=Lax` … as they are written. */
  readonly attributes: readonly string[]
  readonly httpOnly: boolean
  /** What it is for, in a sentence. */
  readonly says: string
}

const says: Readonly<Record<CookieRole, string>> = {
  access: 'Access token: who calls',
  refresh: 'Refresh token: gets the next access token',
  signIn:
    'Sign-in cookie: which session this browser means; it stays after sign-out and is worth nothing then',
  csrf: 'CSRF token: readable on purpose, sent back in a header',
}

/** In the order access, refresh, sign-in, CSRF; only those that the dialect has. */
export function cookieRows(dialect: Dialect, policy: Policy, site: Site): readonly CookieRow[] {
  const jar = openJar(dialect.cookies, site)
  const ages = agesOf(dialect.cookies, policy)
  return (['access', 'refresh', 'signIn', 'csrf'] as const).flatMap(role => {
    const cookie = jar[role]
    if (!cookie) return []
    const attributes = [`Max-Age=${ages[role]}`, ...cookie.attributes.split('; ').filter(each => each !== '')]
    return [
      { role, name: cookie.name, attributes, httpOnly: attributes.includes('HttpOnly'), says: says[role] },
    ]
  })
}
