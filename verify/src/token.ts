// Access tokens as JWS compact serialisations (RFC 7515, RFC 9068, RFC 8725): which texts are Rusk's and what they claim.
// Knows neither whether the session lives nor which keys are in use; the algorithm is the key's, never the header's.
import { isSignedBy, readCompact, type VerifyingKey } from './jws.ts'
import { readJsonObject } from './strict-json.ts'

/** Times are NumericDates: seconds, integers. */
export type AccessClaims = {
  readonly iss: string
  readonly sub: string
  readonly sid: string
  readonly iat: number
  readonly exp: number
  readonly jti: string
  readonly aud?: string | readonly string[]
  readonly [more: string]: unknown
}

/** How far the clocks of Rusk and of another machine may stand apart, in milliseconds. */
export const clockSkew = 60_000

/**
 * No access token lives longer, whoever says so: Rusk writes none, nobody believes one, and a replaced signing key is
 * accepted for this long. Milliseconds.
 */
export const longestAccess = 24 * 60 * 60_000

export type Expectation = {
  /** The accepted key of that id; undefined id: the token names none, which only a shared key may. */
  key(kid: string | undefined): VerifyingKey | undefined
  readonly issuer: string
  /** Required and exact if given; if not, a token that names any audience is meant for somebody else (RFC 7519 §4.1.3). */
  readonly audience: string | undefined
  /** Epoch milliseconds. */
  readonly now: number
  /** Milliseconds that `iat` and `nbf` may be ahead. `exp` has none: at that instant it is over. */
  readonly skew: number
  /** The longest span from `iat` to `exp` that anybody is believed, in milliseconds. */
  readonly longest: number
}

/** The name of a key, in a token's header and in a key set. */
export const isKeyId = (value: unknown): value is string =>
  typeof value === 'string' && /^[\w-]{1,128}$/.test(value)

const typGrammar = /^(?:application\/)?at\+jwt$/i

type Header = { readonly alg: string; readonly kid: string | undefined }

/**
 * There is one issuer, which writes three members; a token with any other (`crit`, `jku`, `jwk`, `x5u`, `x5c`, `zip`,
 * `b64` …) is not ours. RFC 8725 §3.1, §3.10, §3.11.
 */
function readHeader(bytes: Uint8Array): Header | undefined {
  const header = readJsonObject(bytes)
  if (!header) return undefined
  const { alg, typ, kid, ...others } = header
  if (typeof alg !== 'string' || typeof typ !== 'string' || !typGrammar.test(typ)) return undefined
  if (Object.keys(others).length > 0) return undefined
  if (!('kid' in header)) return { alg, kid: undefined }
  return isKeyId(kid) ? { alg, kid } : undefined
}

/** The key decides; the header may only agree. */
function keyFor(header: Header, expect: Expectation): VerifyingKey | undefined {
  const key = expect.key(header.kid)
  if (!key || key.algorithm !== header.alg) return undefined
  const named = header.kid === undefined ? key.algorithm === 'HS256' : header.kid === key.id
  return named ? key : undefined
}

/** By their text, those of authentic tokens: one to a key, so that hardly any is read twice. */
const read = new Map<string, Header>()

const mostRead = 100

/** The payload, if the key has signed it. */
function readSigned(text: string, expect: Expectation): Buffer | undefined {
  const compact = readCompact(text)
  if (!compact) return undefined
  const written = text.slice(0, text.indexOf('.'))
  const header = read.get(written) ?? readHeader(compact.header)
  const key = header && keyFor(header, expect)
  if (!key || !isSignedBy(key, compact)) return undefined
  if (read.size < mostRead) read.set(written, header)
  return compact.payload
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== ''

/** A NumericDate as we take it (RFC 7519 §2): whole seconds, written as a number. */
export const isTime = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0

const isTexts = (value: unknown): value is readonly string[] => Array.isArray(value) && value.every(isText)

/** Exactly ours, or a list that holds exactly ours (RFC 7519 §4.1.3). */
function meantForUs(aud: unknown, audience: string | undefined): aud is AccessClaims['aud'] {
  if (audience === undefined) return aud === undefined
  return aud === audience || (isTexts(aud) && aud.includes(audience))
}

/** Every claim of the right type and within its bounds, whether or not it has expired. */
function readClaims(payload: Uint8Array, expect: Expectation): AccessClaims | undefined {
  const claims = readJsonObject(payload)
  if (!claims) return undefined
  const { iss, sub, sid, jti, iat, exp, nbf = 0, aud } = claims
  if (iss !== expect.issuer || !isText(iss) || !isText(sub) || !isText(sid) || !isText(jti)) return undefined
  if (!isTime(iat) || !isTime(exp) || !isTime(nbf) || !meantForUs(aud, expect.audience)) return undefined
  const latest = (expect.now + expect.skew) / 1000
  if (iat > latest || nbf > latest || exp <= iat || (exp - iat) * 1000 > expect.longest) return undefined
  return { ...claims, iss, sub, sid, jti, iat, exp, ...(aud === undefined ? {} : { aud }) }
}

/**
 * Undefined for whatever is not an access token of ours, for every reason alike; `expired` for one that was (RFC 7519
 * §4.1.4: from `exp` on). Never throws, whatever the text.
 */
export function readAccessToken(
  text: string,
  expect: Expectation,
): { readonly claims: AccessClaims } | { readonly expired: AccessClaims } | undefined {
  const payload = readSigned(text, expect)
  const claims = payload && readClaims(payload, expect)
  if (!claims) return undefined
  return expect.now < claims.exp * 1000 ? { claims } : { expired: claims }
}
