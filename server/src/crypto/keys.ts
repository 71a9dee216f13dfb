// Makes keys, opens them and seals them for keeping: which key is a sound one is decided here. Knows neither when a key
// signs nor where it is kept.
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
  randomBytes,
  sign,
  verify,
  type webcrypto,
} from 'node:crypto'
import type { VerifyingKey } from '@rusk/verify/floor'
import { shortestMacKey } from './macs.ts'

/** The key was sealed with another secret, or has been changed since. */
export class SealedOtherwise extends Error {
  override name = 'SealedOtherwise'
}

export type Secret = string | Uint8Array

export type Sealer = {
  /** How many secrets there are to open with. */
  readonly secrets: number
  /** Text that `open` takes with the same context. `by`: which secret seals, the first unless said otherwise. */
  seal(plain: Uint8Array, context: string, by?: number): string
  /** Throws `SealedOtherwise` when none of the secrets or another context sealed it, or the text was changed. */
  open(sealed: string, context: string): Uint8Array
  /** Which of the secrets has sealed it; undefined: none of them. */
  sealedBy(sealed: string, context: string): number | undefined
}

const sealVersion = 'v1'
const ivBytes = 12
const tagBytes = 16

const sealedGrammar = /^v1\.([\w-]+)$/

const bound = (context: string) => Buffer.from(`${sealVersion}:${context}`)

/** An empty secret is refused. */
function sealingKey(secret: Secret): KeyObject {
  if (secret.length === 0) throw new RangeError('The secret that seals keys must not be empty')
  return createSecretKey(
    new Uint8Array(hkdfSync('sha256', secret, new Uint8Array(), 'rusk sealed keys 1', 32)),
  )
}

/** Undefined: another key or context sealed it, or it was changed. */
function unseal(key: KeyObject, bytes: Buffer, context: string): Uint8Array | undefined {
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, ivBytes), {
    authTagLength: tagBytes,
  })
    .setAAD(bound(context))
    .setAuthTag(bytes.subarray(-tagBytes))
  const plain = decipher.update(bytes.subarray(ivBytes, -tagBytes))
  try {
    return Buffer.concat([plain, decipher.final()])
  } catch {
    // The one thing that `final` can say: the tag does not fit.
    return undefined
  }
}

/**
 * AES-256-GCM (NIST SP 800-38D, random 96-bit IVs) under a key that HKDF-SHA-256 (RFC 5869) draws from a secret. The
 * context says what is sealed and is authenticated with it, so that no sealed text can stand in for another. The first
 * secret seals unless another is asked for, all of them open.
 */
export function openSealer(first: Secret, ...others: readonly Secret[]): Sealer {
  const keys = [first, ...others].map(sealingKey)
  const opened = (sealed: string, context: string) => {
    const bytes = Buffer.from(sealedGrammar.exec(sealed)?.[1] ?? '', 'base64url')
    if (bytes.length < ivBytes + tagBytes) throw new Error(`The key ${context} is stored in an unknown form`)
    for (const [by, key] of keys.entries()) {
      const plain = unseal(key, bytes, context)
      if (plain) return { plain, by }
    }
    return undefined
  }
  return {
    secrets: keys.length,
    seal(plain, context, by = 0) {
      const key = keys[by]
      if (!key) throw new RangeError(`There are ${keys.length} secrets, and no number ${by}`)
      const iv = randomBytes(ivBytes)
      const cipher = createCipheriv('aes-256-gcm', key, iv, { authTagLength: tagBytes }).setAAD(
        bound(context),
      )
      const bytes = Buffer.concat([iv, cipher.update(plain), cipher.final(), cipher.getAuthTag()])
      return `${sealVersion}.${bytes.toString('base64url')}`
    },
    open(sealed, context) {
      const found = opened(sealed, context)
      if (!found) throw new SealedOtherwise(`The key ${context} was sealed with another secret`)
      return found.plain
    },
    sealedBy: (sealed, context) => opened(sealed, context)?.by,
  }
}

export type SigningKey = VerifyingKey & {
  readonly sign: KeyObject
  /** The public JWK as JSON; null for a shared secret. */
  readonly published: string | null
}

type PairAlgorithm = 'ES256' | 'EdDSA'

/** RFC 7518 §6.2, RFC 8037 §2. `members` are those of RFC 7638 §3.2, in its order: all that is public, nothing else. */
const kinds = {
  ES256: {
    generate: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
    curve: { kty: 'EC', crv: 'P-256' },
    members: ['crv', 'kty', 'x', 'y'],
    digest: 'sha256',
  },
  EdDSA: {
    generate: () => generateKeyPairSync('ed25519').privateKey,
    curve: { kty: 'OKP', crv: 'Ed25519' },
    members: ['crv', 'kty', 'x'],
    digest: null,
  },
} as const

type Kind = (typeof kinds)[PairAlgorithm]

const publicMembers = (jwk: webcrypto.JsonWebKey, kind: Kind): Record<string, string> =>
  Object.fromEntries(kind.members.map(name => [name, String(jwk[name])]))

/** RFC 7638: SHA-256 over the required members, in lexicographic order, without white space. */
const thumbprint = (members: Record<string, string>): string =>
  createHash('sha256').update(JSON.stringify(members)).digest('base64url')

const publish = (members: Record<string, string>, id: string, algorithm: PairAlgorithm): string =>
  JSON.stringify({ ...members, kid: id, alg: algorithm, use: 'sig' })

/** `id`: RFC 7638 thumbprint. `secret`: the private JWK as UTF-8 JSON, to be sealed. `published`: the public JWK as JSON. */
export function makeSigningKey(algorithm: PairAlgorithm): {
  id: string
  secret: Uint8Array
  published: string
} {
  const kind = kinds[algorithm]
  const jwk = kind.generate().export({ format: 'jwk' })
  const members = publicMembers(jwk, kind)
  const id = thumbprint(members)
  return { id, secret: Buffer.from(JSON.stringify(jwk)), published: publish(members, id, algorithm) }
}

/**
 * Takes what `makeSigningKey` made. Throws on any other: a wrong curve, a public half that does not fit the private one
 * (so no identity point either), an id that is not its thumbprint, members in `published` that do not belong there.
 */
export function openSigningKey(row: {
  readonly id: string
  readonly algorithm: PairAlgorithm
  readonly secret: Uint8Array
  readonly published: string
}): SigningKey {
  const { id, algorithm, published } = row
  const kind = kinds[algorithm]
  const privateKey = openPrivateKey(id, row.secret)
  const publicKey = createPublicKey(privateKey)
  const jwk = publicKey.export({ format: 'jwk' })
  if (jwk.kty !== kind.curve.kty || jwk.crv !== kind.curve.crv) throw unsound(id, `it is no ${algorithm} key`)
  const members = publicMembers(jwk, kind)
  if (thumbprint(members) !== id || publish(members, id, algorithm) !== published)
    throw unsound(id, 'what is published does not fit it')
  // Node 26 refuses such a pair when it reads it, older ones do not.
  const probe = Buffer.from(id)
  if (!verify(kind.digest, probe, publicKey, sign(kind.digest, probe, privateKey)))
    throw unsound(id, 'its halves do not fit each other')
  return { id, algorithm, sign: privateKey, verify: publicKey, published }
}

const unsound = (id: string, why: string): Error =>
  new Error(`The signing key ${id} is not sound: ${why}. Restore it from a backup, or rotate the keys`)

function openPrivateKey(id: string, secret: Uint8Array): KeyObject {
  try {
    return createPrivateKey({ key: JSON.parse(Buffer.from(secret).toString()), format: 'jwk' })
  } catch {
    // Without its cause: what a parser says of a text quotes the text, and this one is a private key.
    throw unsound(id, 'it cannot be read')
  }
}

/** HS256 (RFC 7518 §3.2) under the secret's UTF-8 bytes, as other services configure it. Throws on an empty secret. */
export function sharedSigningKey(secret: string): SigningKey {
  if (secret === '') throw new RangeError('The secret that signs access tokens must not be empty')
  const key = createSecretKey(Buffer.from(secret))
  return { id: 'shared', algorithm: 'HS256', sign: key, verify: key, published: null }
}

/** `id`: 96 random bits, base64url; it says nothing about the secret. */
export const makeMacKey = (): { id: string; secret: Uint8Array } => ({
  id: randomBytes(12).toString('base64url'),
  secret: randomBytes(shortestMacKey),
})
