// Writes access tokens (RFC 7515, RFC 9068): which header a key has, and how its algorithm signs. What is taken for one is
// decided where every other service decides it too (verify/src/token.ts).
import { createHmac, type KeyObject, sign } from 'node:crypto'
import type { AccessClaims } from '@rusk/verify/floor'
import type { SigningKey } from './keys.ts'

/** Signatures as RFC 7518 §3 and RFC 8037 §3.1 spell them. */
const signers: Readonly<Record<SigningKey['algorithm'], (key: KeyObject, data: Buffer) => Buffer>> = {
  ES256: (key, data) => sign('sha256', data, { key, dsaEncoding: 'ieee-p1363' }),
  EdDSA: (key, data) => sign(null, data, key),
  HS256: (key, data) => createHmac('sha256', key).update(data).digest(),
}

const headers = new WeakMap<SigningKey, string>()

/** A shared secret has no name that its other holders would know: no `kid`. */
function headerOf(key: SigningKey): string {
  const known = headers.get(key)
  if (known !== undefined) return known
  const named = key.algorithm === 'HS256' ? {} : { kid: key.id }
  const json = JSON.stringify({ alg: key.algorithm, typ: 'at+jwt', ...named })
  const header = Buffer.from(json).toString('base64url')
  headers.set(key, header)
  return header
}

/** JWS compact, `typ: at+jwt` (RFC 9068 §2.1). */
export function signAccessToken(key: SigningKey, claims: AccessClaims): string {
  const text = `${headerOf(key)}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`
  const signature = signers[key.algorithm](key.sign, Buffer.from(text, 'latin1'))
  return `${text}.${signature.toString('base64url')}`
}
