// Tokens that no service may take, made from a good one by whoever has none of the keys, or one key too many. Knows no
// service: each is a sentence and a text.
import {
  createHmac,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  type webcrypto,
} from 'node:crypto'
import { claimsOf, type Published } from './rusk.ts'

type Json = Readonly<Record<string, unknown>>

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

function write(header: Json, claims: Json, signed: (data: Buffer) => Buffer): string {
  const data = `${encode(header)}.${encode(claims)}`
  return `${data}.${signed(Buffer.from(data)).toString('base64url')}`
}

const byKey =
  (key: string | Buffer, hash = 'sha256') =>
  (data: Buffer) =>
    createHmac(hash, key).update(data).digest()

const byPair = (key: KeyObject) => (data: Buffer) =>
  sign(key.asymmetricKeyType === 'ec' ? 'sha256' : null, data, { key, dsaEncoding: 'ieee-p1363' })

export type Forged = readonly [sentence: string, token: string]

/** Of whoever has seen a token and the published keys. `refresh`: the refresh token of the same session. */
export function bySignature(good: string, jwk: Published, refresh: string): readonly Forged[] {
  const claims = claimsOf(good)
  const [header = '', payload = '', signature = ''] = good.split('.')
  const head = { alg: jwk.alg, typ: 'at+jwt', kid: jwk.kid }
  const shared = { ...head, alg: 'HS256' }
  const published = createPublicKey({ key: jwk as webcrypto.JsonWebKey, format: 'jwk' })
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const ed = generateKeyPairSync('ed25519')
  return [
    ['no signature', write({ ...head, alg: 'none' }, claims, () => Buffer.alloc(0))],
    [
      'no signature, and a name for that of its own',
      write({ ...head, alg: 'NONE' }, claims, () => Buffer.alloc(0)),
    ],
    ['its signature cut off', `${header}.${payload}.`],
    ['its signature on other claims', `${header}.${encode({ ...claims, sub: 'another' })}.${signature}`],
    [
      'the published key as a shared one, in PEM',
      write(shared, claims, byKey(published.export({ type: 'spki', format: 'pem' }))),
    ],
    [
      'the published key as a shared one, in DER',
      write(shared, claims, byKey(published.export({ type: 'spki', format: 'der' }))),
    ],
    ['the published key as a shared one, in JSON', write(shared, claims, byKey(JSON.stringify(jwk)))],
    ['an empty shared key', write(shared, claims, byKey(''))],
    [
      'another ES256 key under the name of ours',
      write({ ...head, alg: 'ES256' }, claims, byPair(ec.privateKey)),
    ],
    [
      'another Ed25519 key under the name of ours',
      write({ ...head, alg: 'EdDSA' }, claims, byPair(ed.privateKey)),
    ],
    [
      'another key that it brings along',
      write({ ...head, jwk: ec.publicKey.export({ format: 'jwk' }) }, claims, byPair(ec.privateKey)),
    ],
    ['a key of nobody’s name', write({ ...head, kid: 'nobody' }, claims, byPair(ec.privateKey))],
    ['no name of a key', write({ alg: head.alg, typ: head.typ }, claims, byPair(ec.privateKey))],
    ['a header that is nested without end', `${Buffer.from('['.repeat(4000)).toString('base64url')}.e30.e30`],
    ['the refresh token', refresh],
    ['no token', 'Bearer'],
  ]
}

/** An issuer that a test plays itself. `header`: of the tokens that it signs. */
export type Issuer = {
  readonly header: Json
  signed(data: Buffer): Buffer
  /** The public half of its key; a shared one has none. */
  readonly jwk?: Json
}

export const sharing = (key: string, bits: 256 | 512 = 256): Issuer => ({
  header: { alg: `HS${bits}`, typ: 'at+jwt' },
  signed: byKey(key, `sha${bits}`),
})

export function publishing(kid = 'of-this-test'): Required<Issuer> {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const header = { alg: 'ES256', typ: 'at+jwt', kid }
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid, alg: header.alg, use: 'sig' }
  return { header, signed: byPair(privateKey), jwk }
}

/** As Rusk would write it, for whoever wants to see that forging works at all. */
export const honest = ({ header, signed }: Issuer, claims: Json, changed: Json = {}): string =>
  write(header, { ...claims, ...changed }, signed)

/** Claims that every service takes, of a token that has been made now. */
export function freshClaims(iss: string): Json {
  const now = Math.floor(Date.now() / 1000)
  return { iss, sub: 'ada', sid: 'a-session', jti: 'a-token', iat: now, exp: now + 300 }
}

/** Of whoever has the key too, as another service that shares it may. `claims` are those of a good token. */
export function byClaims(issuer: Issuer, claims: Json): readonly Forged[] {
  const { sid: _, ...sessionless } = claims
  const { exp: __, ...endless } = claims
  const { jti: ____, ...nameless } = claims
  const now = Math.floor(Date.now() / 1000)
  const head = issuer.header
  const { typ: ___, ...kindless } = head
  const of = (changed: Json, header: Json = head) => write(header, changed, issuer.signed)
  return [
    ['expired this second', of({ ...claims, iat: now - 300, exp: now })],
    ['no end', of(endless)],
    ['an end that is a text', of({ ...claims, exp: String(claims.exp) })],
    ['made in an hour', of({ ...claims, iat: now + 3600, exp: now + 7200 })],
    ['a life of more than a day', of({ ...claims, iat: now, exp: now + 86_401 })],
    ['another issuer', of({ ...claims, iss: 'https://auth.example.com' })],
    ['the issuer with a slash behind', of({ ...claims, iss: `${claims.iss}/` })],
    ['the beginning of the issuer', of({ ...claims, iss: String(claims.iss).slice(0, -1) })],
    ['another audience', of({ ...claims, aud: 'another' })],
    ['no session', of(sessionless)],
    ['no name of its own', of(nameless)],
    ['a session that is no text', of({ ...claims, sid: ['a'] })],
    ['a user that is no text', of({ ...claims, sub: 1 })],
    ['a token of another kind', of(claims, { ...head, typ: 'JWT' })],
    ['a token of no kind', of(claims, kindless)],
    ['another algorithm than it is signed by', of(claims, { ...head, alg: 'HS512' })],
    ['an extension that must be understood', of(claims, { ...head, crit: ['b64'], b64: true })],
    ['claims that are no object', of([claims] as unknown as Json)],
  ]
}
