// Whether a browser on another site could be behind a call (CSRF, Fetch Metadata), and what a preflight may be told
// (CORS). Pure: headers in, verdict out.
import { timingSafeEqual } from 'node:crypto'
import type { Call } from './call.ts'

/** GET, HEAD and OPTIONS change nothing here, whatever they carry. */
export const isSafe = (method: string): boolean =>
  method === 'GET' || method === 'HEAD' || method === 'OPTIONS'

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
export function mayChange(header: Call['header'], listed: ReadonlySet<string>): boolean {
  const site = header('sec-fetch-site')
  const origin = header('origin')
  if (site?.includes(',') || origin?.includes(',')) return false
  if (origin !== undefined && listed.has(origin)) return true
  if (site === 'same-origin') return true
  return site === undefined && origin === undefined && !browserTraces.some(name => header(name) !== undefined)
}

/** A browser from which somebody took the Origin still shows by these. Node's fetch sends Sec-Fetch-Mode, and is none. */
const browserTraces = ['sec-fetch-dest', 'referer'] as const

const sameText = (a: string, b: string): boolean => {
  const [left, right] = [Buffer.from(a), Buffer.from(b)]
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

/** All names together, in characters. */
const longestHeaderList = 2048

const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/

/** The names as they were asked for, if each is a token (RFC 9110 §5.6.2); undefined: grant nothing. Linear. */
export function readRequestedHeaders(text: string | undefined): string | undefined {
  if (text === undefined || text === '') return ''
  if (text.length > longestHeaderList) return undefined
  const names = text.split(',').map(name => name.trim())
  return names.every(name => token.test(name)) ? names.join(', ') : undefined
}
