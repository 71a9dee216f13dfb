// JWS compact serialisations (RFC 7515 §3.1, RFC 8725): the one spelling of each, and how the algorithms check it. Knows
// neither keys by name nor claims: whose token it is, and what it says, is for others to judge.
import { createHmac, type KeyObject, timingSafeEqual, verify } from 'node:crypto'

/** A key that checks signatures; with a shared secret the same one makes them. */
export type VerifyingKey = {
  readonly id: string
  readonly algorithm: 'ES256' | 'EdDSA' | 'HS256'
  readonly verify: KeyObject
}

/** What the key's algorithm does; identical in shape so that the odd line shows. Signatures as RFC 7518 §3 and RFC 8037 §3.1 spell them. */
const algorithms = {
  ES256: {
    bytes: 64,
    verify: (key: KeyObject, data: Buffer, signature: Buffer) =>
      verify('sha256', data, { key, dsaEncoding: 'ieee-p1363' }, signature),
  },
  EdDSA: {
    bytes: 64,
    verify: (key: KeyObject, data: Buffer, signature: Buffer) => verify(null, data, key, signature),
  },
  HS256: {
    bytes: 32,
    verify: (key: KeyObject, data: Buffer, signature: Buffer) =>
      timingSafeEqual(createHmac('sha256', key).update(data).digest(), signature),
  },
} as const satisfies Record<VerifyingKey['algorithm'], object>

/** Two cookies' worth: no token that a browser can carry is longer. Characters. */
const longestText = 8192

const grammar = /^[\w-]+\.[\w-]+\.[\w-]+$/

/** The one spelling of these bytes: Node's decoder also takes padding, other alphabets and stray trailing bits. */
function readBase64Url(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url')
  return bytes.toString('base64url') === text ? bytes : undefined
}

export type Compact = {
  readonly header: Buffer
  readonly payload: Buffer
  readonly signature: Buffer
  /** What the signature is of. */
  readonly signed: Buffer
}

/** The parts of a text; undefined for every text that is not the one way to write them. Checks no signature. */
export function readCompact(text: string): Compact | undefined {
  if (text.length > longestText || !grammar.test(text)) return undefined
  const [first = '', second = '', third = ''] = text.split('.')
  const [header, payload, signature] = [readBase64Url(first), readBase64Url(second), readBase64Url(third)]
  if (!header || !payload || !signature) return undefined
  return {
    header,
    payload,
    signature,
    signed: Buffer.from(text.slice(0, first.length + 1 + second.length), 'latin1'),
  }
}

/** Whether this key has made the signature; the algorithm is the key's. */
export function isSignedBy(
  key: Pick<VerifyingKey, 'algorithm' | 'verify'>,
  { signature, signed }: Compact,
): boolean {
  const algorithm = algorithms[key.algorithm]
  return signature.length === algorithm.bytes && algorithm.verify(key.verify, signed, signature)
}
