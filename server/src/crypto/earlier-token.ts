// Tokens of the old system (JWS compact, RFC 7515, under one HS256 key): which texts it has made and what they claim.
// Knows neither whom a claim means nor whether the token was presented before.
import { createHash } from 'node:crypto'
import { isSignedBy, isTime, readCompact, readJsonObject } from '@rusk/verify/floor'
import type { SigningKey } from './keys.ts'

export type EarlierToken = {
  readonly claims: Readonly<Record<string, unknown>>
  /** Epoch milliseconds: at that instant it is over. */
  readonly expiresAt: number
  /** SHA-256 of the text, base64url. There is one way to write a token, so this names it and gives nothing away. */
  readonly digest: string
}

export type EarlierExpectation = {
  /** The other system's; its algorithm decides, and a header may only agree. */
  readonly key: SigningKey
  /** Epoch milliseconds. */
  readonly now: number
  /** Milliseconds that `iat` and `nbf` may be ahead. `exp` has none. */
  readonly skew: number
}

const plainType = /^(?:application\/)?jwt$/i
const accessType = /^(?:application\/)?at\+jwt$/i

/**
 * `alg`, `typ`, `kid` and no other member: what `crit`, `jwk`, `jku`, `x5u`, `x5c`, `zip` or `b64` ask for is not done
 * here. `kid` chooses nothing, because there is one key.
 */
function readHeader(bytes: Uint8Array, algorithm: string): { readonly isAccessToken: boolean } | undefined {
  const header = readJsonObject(bytes)
  if (!header) return undefined
  const { alg, typ, kid, ...others } = header
  if (alg !== algorithm || Object.keys(others).length > 0) return undefined
  if ('kid' in header && typeof kid !== 'string') return undefined
  if (!('typ' in header)) return { isAccessToken: false }
  if (typeof typ !== 'string' || !(plainType.test(typ) || accessType.test(typ))) return undefined
  return { isAccessToken: accessType.test(typ) }
}

/** Why a text is no good token of the old system: for the operator's log, never for whoever presents it. */
export type Unfit =
  /** Quotes or `Bearer` around it, an empty text: no three parts of base64url. */
  | 'not_a_jwt'
  /** Another algorithm than the key's, a type that is none, a member that is not understood. */
  | 'header'
  /** Made with another key than this one. */
  | 'signature'
  | 'expired'
  /** No `exp`, a time that is none or yet to come, not JSON, an access token of ours. */
  | 'claims'

const unfit = (why: Unfit): { readonly unfit: Unfit } => ({ unfit: why })

/** `exp` is required, `nbf` and `iat` may be absent; all are whole seconds. Neither `iss` nor `aud` is looked at. */
function readExpiry(
  { exp, nbf = 0, iat = 0 }: EarlierToken['claims'],
  { now, skew }: EarlierExpectation,
): { readonly expiresAt: number } | { readonly unfit: Unfit } {
  if (!isTime(exp) || !isTime(nbf) || !isTime(iat)) return unfit('claims')
  const expiresAt = exp * 1000
  const latest = (now + skew) / 1000
  if (!Number.isSafeInteger(expiresAt) || nbf > latest || iat > latest) return unfit('claims')
  return now < expiresAt ? { expiresAt } : unfit('expired')
}

/**
 * Never throws, whatever the text. Where both systems share a key, an access token of ours is none of its: it would buy a
 * whole session.
 */
export function readEarlierToken(
  text: string,
  expect: EarlierExpectation,
): { readonly token: EarlierToken } | { readonly unfit: Unfit } {
  const compact = readCompact(text)
  if (!compact) return unfit('not_a_jwt')
  const header = readHeader(compact.header, expect.key.algorithm)
  if (!header) return unfit('header')
  if (!isSignedBy(expect.key, compact)) return unfit('signature')
  const claims = readJsonObject(compact.payload)
  if (!claims || (header.isAccessToken && 'sid' in claims)) return unfit('claims')
  const read = readExpiry(claims, expect)
  if ('unfit' in read) return read
  const digest = createHash('sha256').update(text).digest('base64url')
  return { token: { claims, expiresAt: read.expiresAt, digest } }
}
