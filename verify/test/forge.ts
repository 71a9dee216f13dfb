// Writes tokens as an attacker would, or as Rusk would if it were mistaken: any header, any payload, any signature. Knows
// no rule that says which of them are good.
import { createHmac, type KeyObject, sign } from 'node:crypto'
import type { SigningKey } from '../../server/src/crypto/keys.ts'

/** Strings are taken as they stand, as JSON text. */
export const encode = (part: unknown): string =>
  Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url')

export type Sign = (data: Buffer) => Buffer

export const es256 =
  (key: KeyObject): Sign =>
  data =>
    sign('sha256', data, { key, dsaEncoding: 'ieee-p1363' })
export const es384 =
  (key: KeyObject): Sign =>
  data =>
    sign('sha384', data, { key, dsaEncoding: 'ieee-p1363' })
export const ed25519 =
  (key: KeyObject): Sign =>
  data =>
    sign(null, data, key)
export const hs256 =
  (secret: string | Buffer | KeyObject): Sign =>
  data =>
    createHmac('sha256', secret).update(data).digest()

/** As Rusk itself signs with this key. */
export const asRusk = ({ algorithm, sign: key }: SigningKey): Sign =>
  ({ ES256: es256, EdDSA: ed25519, HS256: hs256 })[algorithm](key)

export function forge(header: unknown, payload: unknown, signed: Sign): string {
  const data = `${encode(header)}.${encode(payload)}`
  return `${data}.${signed(Buffer.from(data)).toString('base64url')}`
}

export const partsOf = (token: string): readonly [header: string, payload: string, signature: string] => {
  const [header = '', payload = '', signature = ''] = token.split('.')
  return [header, payload, signature]
}

/** What a part of a token says. */
export const decode = (part: string): Readonly<Record<string, unknown>> =>
  JSON.parse(Buffer.from(part, 'base64url').toString())

/** The JSON of an object that names this member twice. */
export const twice = (name: string, one: unknown, two: unknown, of: object): string =>
  `{"${name}":${JSON.stringify(one)},"${name}":${JSON.stringify(two)},${JSON.stringify({ ...of, [name]: undefined }).slice(1)}`

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** The last character's lowest bit changed: of 64 or 32 bytes it is a bit that says nothing. */
export const withStrayBit = (token: string): string =>
  token.slice(0, -1) + alphabet[alphabet.indexOf(token.at(-1) ?? '') ^ 1]

/** The order of P-256 (FIPS 186-5, SP 800-186 §3.2.1.3) and of edwards25519 (RFC 8032 §5.1). */
export const orders = {
  p256: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
  ed25519: 0x1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3edn,
} as const

export const bytesOf = (number: bigint): Buffer => Buffer.from(number.toString(16).padStart(64, '0'), 'hex')
export const numberOf = (bytes: Uint8Array): bigint => BigInt(`0x${Buffer.from(bytes).toString('hex')}`)

/** Another signature that the same key is taken to have made: `(r, n − s)` for `(r, s)`. */
export function twin(token: string): string {
  const [header, payload, signature] = partsOf(token)
  const bytes = Buffer.from(signature, 'base64url')
  const s = orders.p256 - numberOf(bytes.subarray(32))
  return `${header}.${payload}.${Buffer.concat([bytes.subarray(0, 32), bytesOf(s)]).toString('base64url')}`
}
