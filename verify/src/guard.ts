// Whether a browser on another site could be behind a call (CSRF, Fetch Metadata). Pure: headers in, verdict out.
import { timingSafeEqual } from 'node:crypto'

/** By lower-case name. A header that came more than once is joined by `, `, cookies by `; `. */
export type Header = (name: string) => string | undefined

/** GET, HEAD and OPTIONS change nothing here, whatever they carry. */
export const isSafe = (method: string): boolean =>
  method === 'GET' || method === 'HEAD' || method === 'OPTIONS'

/**
 * The handshake of a WebSocket (RFC 6455 §4.1): a GET, which opens a way to change things. Proxies take Upgrade out, and leave
 * the others.
 */
export const isHandshake = (header: Header): boolean =>
  ['upgrade', 'sec-websocket-key', 'sec-websocket-version'].some(name => header(name) !== undefined)

/**
 * Whether an unsafe call may go on.
 *
 * | Sec-Fetch-Site | Origin listed | Origin not listed | no Origin |
 * |---|---|---|---|
 * | `same-origin` | yes | yes | yes |
 * | `none`, `same-site`, `cross-site`, anything else | yes | no | no |
 * | absent | yes | no | only without Sec-Fetch-Dest and without Referer: not a browser |
 *
 * A header that came twice is never right.
 */
export function mayChange(header: Header, listed: ReadonlySet<string>): boolean {
  const site = header('sec-fetch-site')
  const origin = header('origin')
  if (site?.includes(',') || origin?.includes(',')) return false
  if (origin !== undefined && listed.has(origin)) return true
  if (site === 'same-origin') return true
  return site === undefined && origin === undefined && !browserTraces.some(name => header(name) !== undefined)
}

/** A browser from which somebody took the Origin still shows by these. Node's fetch sends Sec-Fetch-Mode, and is none. */
const browserTraces = ['sec-fetch-dest', 'referer'] as const

/** In time that depends on the lengths alone. UTF-16, because two different lone surrogates are one text in UTF-8. */
export function sameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a, 'utf16le'), Buffer.from(b, 'utf16le')]
  return left.length === right.length && timingSafeEqual(left, right)
}

/**
 * The double submit: the header is authentic and one of the cookie's values is the same. More than one value comes from
 * a left-over of the old system, and is no reason to refuse.
 */
export const isDoublySubmitted = (
  header: string | undefined,
  cookies: readonly string[],
  authentic: (text: string) => boolean,
): boolean => header !== undefined && cookies.some(value => sameText(value, header)) && authentic(header)
