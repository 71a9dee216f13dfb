// The headers that every answer carries, errors included, worked out once per origin and type. Nothing adds to them on
// the hot path.
import type { Refusal } from '../core/refusal.ts'
import type { Site } from './site.ts'

export type Headers = Readonly<Record<string, string>>

/** Ready-made headers; `type` is the Content-Type, undefined for an answer without a body. */
export type Heads = (type: string | undefined, origin: string | undefined) => Headers

const floor: Headers = {
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  // Binds no-cors loads only: a listed origin fetches with CORS and is not hindered (Fetch §3.7).
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Permissions-Policy': 'camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()',
  Vary: 'Origin',
}

/** The floor on this site. Whether https is spoken, the configuration says and never a request. */
export const floorOf = (site: Site): Headers =>
  site.https && site.hsts > 0
    ? { ...floor, 'Strict-Transport-Security': `max-age=${site.hsts}; includeSubDomains` }
    : floor

/** What a page with scripts has over an answer without: its own policy, and no window of another origin holds it. */
export const pageHeaders = (type: string, csp: string | undefined): Headers => ({
  ...(csp === undefined ? {} : { 'Content-Security-Policy': csp }),
  ...(type.startsWith('text/html') ? { 'Cross-Origin-Opener-Policy': 'same-origin' } : {}),
})

const shared = (origin: string): Headers => ({
  'Access-Control-Allow-Origin': origin,
  'Access-Control-Allow-Credentials': 'true',
  // By Date a page learns how far its own clock is off.
  'Access-Control-Expose-Headers': 'Date, Retry-After',
})

/** An origin that is not listed gets what no origin gets. */
export function openHeads(site: Site, listed: ReadonlySet<string>): Heads {
  const base = floorOf(site)
  const made = new Map<string | undefined, Map<string | undefined, Headers>>()
  return (type, origin) => {
    const known = origin !== undefined && listed.has(origin) ? origin : undefined
    const ofType = made.get(type) ?? new Map<string | undefined, Headers>()
    made.set(type, ofType)
    const ready = ofType.get(known) ?? {
      ...base,
      ...(type === undefined ? {} : { 'Content-Type': type }),
      ...(known === undefined ? {} : shared(known)),
    }
    ofType.set(known, ready)
    return ready
  }
}

/** For what everybody may read, from any page and without credentials: no origin is looked at. */
export function openHeadsForAll(site: Site): Heads {
  const base = {
    ...floorOf(site),
    'Cross-Origin-Resource-Policy': 'cross-origin',
    'Access-Control-Allow-Origin': '*',
  }
  return type => (type === undefined ? base : { ...base, 'Content-Type': type })
}

/** RFC 9110 §10.2.3: whole seconds, and at least one. */
export const waits = ({ retryAfter }: Pick<Refusal, 'retryAfter'>): Headers =>
  retryAfter === undefined ? {} : { 'Retry-After': String(Math.max(1, Math.ceil(retryAfter))) }

/** What every 401 says where bearer tokens are taken (RFC 6750 §3). */
export const challenge = (status: number): Headers => (status === 401 ? { 'WWW-Authenticate': 'Bearer' } : {})

/** What a listed origin is told before it calls; undefined `names`: nothing. Ten minutes, so that a change is soon seen. */
export const preflightHeaders = (methods: string, names: string): Headers => ({
  'Access-Control-Allow-Methods': methods,
  ...(names === '' ? {} : { 'Access-Control-Allow-Headers': names }),
  'Access-Control-Max-Age': '600',
  Vary: 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers',
})
