// Refresh and CSRF tokens: texts that carry their own proof, an HMAC-SHA-256 (RFC 2104), and are never stored. Knows
// nothing of sessions beyond their ids, nor of what a number means or how long a token is good for.
import { createHmac, createSecretKey, type KeyObject, randomBytes } from 'node:crypto'
import { sameText } from '@rusk/verify/floor'

/** 32 random bytes or more; `id` goes into every MAC. */
export type MacKey = { readonly id: string; readonly bytes: Uint8Array }

export const shortestMacKey = 32

const prepared = new WeakMap<MacKey, KeyObject>()

/** An empty key from a failed look-up would verify forgeries: createHmac accepts it, so it is refused here. */
function secretOf(key: MacKey): KeyObject {
  const known = prepared.get(key)
  if (known) return known
  if (key.bytes.length < shortestMacKey)
    throw new RangeError(`A MAC key has at least ${shortestMacKey} bytes`)
  const secret = createSecretKey(key.bytes)
  prepared.set(key, secret)
  return secret
}

const purposes = {
  refresh: 'rusk refresh token 1',
  csrfOfSession: 'rusk CSRF token of a session 1',
  csrfOfNone: 'rusk CSRF token of no session 1',
  decoy: 'rusk decoy 1',
} as const

/** Each field stands behind its length, so that no two lists of fields are one text. Base64url, 43 characters. */
function macOf(key: MacKey, purpose: keyof typeof purposes, fields: readonly string[]): string {
  const text = [purposes[purpose], key.id, ...fields]
    .map(field => `${Buffer.byteLength(field)}:${field}`)
    .join(',')
  return createHmac('sha256', secretOf(key)).update(text).digest('base64url')
}

// The MAC is compared as text with the one spelling that encoding makes: padding, other alphabets and stray trailing
// bits fail like any other wrong MAC.
const refreshGrammar = /^([\w-]{1,64})\.(0|[1-9][0-9]{0,15})\.([\w-]{43})$/
const csrfGrammar = /^([\w-]{0,64})\.([\w-]{22})\.([\w-]{43})$/
const sessionIdGrammar = /^[\w-]{1,64}$/
const longest = 64 + 1 + 22 + 1 + 43

function checkSessionId(sessionId: string): void {
  if (!sessionIdGrammar.test(sessionId))
    throw new RangeError('A session id is 1 to 64 characters of base64url')
}

/** 132 bits that look like a user's id and are always the same for one `text`: nobody outside can tell which. */
export const decoyId = (key: MacKey, text: string): string => macOf(key, 'decoy', [text]).slice(0, 22)

/** `<session id>.<number>.<MAC>`, 125 cookie-safe characters at most. Throws on a number that is not a safe integer from 0 up. */
export function writeRefreshToken(key: MacKey, sessionId: string, n: number): string {
  checkSessionId(sessionId)
  if (!Number.isSafeInteger(n) || n < 0)
    throw new RangeError('The number of a refresh token counts from 0 up')
  const number = String(n === 0 ? 0 : n)
  return `${sessionId}.${number}.${macOf(key, 'refresh', [sessionId, number])}`
}

/** What one of the keys vouches for; undefined for every text that `writeRefreshToken` has not made with one of them. */
export function readRefreshToken(
  keys: readonly MacKey[],
  text: string,
): { sessionId: string; n: number } | undefined {
  if (text.length > longest) return undefined
  const [, sessionId, number, mac] = refreshGrammar.exec(text) ?? []
  if (sessionId === undefined || number === undefined || mac === undefined) return undefined
  const n = Number(number)
  if (!Number.isSafeInteger(n)) return undefined
  const fields = [sessionId, number]
  return keys.some(key => sameText(mac, macOf(key, 'refresh', fields))) ? { sessionId, n } : undefined
}

/** `<session id, or nothing>.<128 random bits>.<MAC>`: another text each time. Null: bound to no session. */
export function writeCsrfToken(key: MacKey, sessionId: string | null): string {
  if (sessionId !== null) checkSessionId(sessionId)
  const random = randomBytes(16).toString('base64url')
  return `${sessionId ?? ''}.${random}.${csrfMac(key, sessionId, random)}`
}

const csrfMac = (key: MacKey, sessionId: string | null, random: string): string =>
  sessionId === null ? macOf(key, 'csrfOfNone', [random]) : macOf(key, 'csrfOfSession', [sessionId, random])

/** The session it is bound to, or null for none; undefined for every text that `writeCsrfToken` has not made with one of the keys. */
export function readCsrfToken(
  keys: readonly MacKey[],
  text: string,
): { sessionId: string | null } | undefined {
  if (text.length > longest) return undefined
  const [, named, random, mac] = csrfGrammar.exec(text) ?? []
  if (named === undefined || random === undefined || mac === undefined) return undefined
  const sessionId = named === '' ? null : named
  return keys.some(key => sameText(mac, csrfMac(key, sessionId, random))) ? { sessionId } : undefined
}
