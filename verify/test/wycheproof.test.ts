// Vectors that others made to find the mistakes of those who check signatures, held to what we answer.
import assert from 'node:assert/strict'
import { createPublicKey, createSecretKey, type webcrypto } from 'node:crypto'
import { test } from 'node:test'
import { isSignedBy, readCompact, type VerifyingKey } from '../src/jws.ts'
import { readKey, readKeySet } from '../src/key-set.ts'
import { compactOf, readVectors, type SignatureVector, type Vector } from './vectors.ts'

type Key = Pick<VerifyingKey, 'algorithm' | 'verify'>
type Said = Vector & { readonly said: 'valid' | 'invalid' }

const say = (vector: Vector, good: boolean): Said => ({ ...vector, said: good ? 'valid' : 'invalid' })

/** The vectors of which we say something else than their makers. */
const otherwise = (answers: readonly Said[]): readonly string[] =>
  answers
    .filter(({ said, result }) => said !== result)
    .map(({ tcId, comment, said }) => `${tcId} ${comment}: ${said}`)

const publicKey = (der: string, algorithm: Key['algorithm']): Key => ({
  algorithm,
  verify: createPublicKey({ key: Buffer.from(der, 'hex'), format: 'der', type: 'spki' }),
})

// [algorithm, file, how many]
const signatures: readonly ['ES256' | 'EdDSA', string, number][] = [
  ['ES256', 'ecdsa_secp256r1_sha256_p1363', 262],
  ['EdDSA', 'ed25519', 151],
]
for (const [algorithm, file, count] of signatures) {
  test(`${algorithm}: every one of ${count} signatures is judged as its makers say`, () => {
    const answers = readVectors<{ der: string }, SignatureVector>(file).flatMap(({ der, tests }) => {
      const key = publicKey(der, algorithm)
      return tests.map(vector => say(vector, isSignedBy(key, compactOf(vector.msg, vector.sig))))
    })
    assert.deepEqual(otherwise(answers), [])
    assert.equal(answers.length, count)
  })
}

test('HS256: every one of 87 whole tags is judged as its makers say', () => {
  type Mac = Vector & { readonly key: string; readonly msg: string; readonly tag: string }
  const answers = readVectors<object, Mac>('hmac_sha256').flatMap(({ tests }) =>
    tests.map(vector => {
      const key = { algorithm: 'HS256', verify: createSecretKey(Buffer.from(vector.key, 'hex')) } as const
      return say(vector, isSignedBy(key, compactOf(vector.msg, vector.tag)))
    }),
  )
  assert.deepEqual(otherwise(answers), [])
  assert.equal(answers.length, 87)
})

type Jwk = webcrypto.JsonWebKey
type Jws = Vector & { readonly jws: string }

const groups = readVectors<{ jwk: Jwk }, Jws>('json_web_signature')
const jwsOf = (tcId: number): string =>
  groups.flatMap(({ tests }) => tests).find(vector => vector.tcId === tcId)?.jws ?? assert.fail()

const verifies = (key: Key, jws: string): boolean => {
  const compact = readCompact(jws)
  return compact !== undefined && isSignedBy(key, compact)
}

/** A shared secret as a service is configured with it, a public key as the key set reads it; undefined: not for us. */
function keyOf(jwk: Jwk): Key | undefined {
  if (jwk.alg === 'HS256') return { algorithm: jwk.alg, verify: createSecretKey(String(jwk.k), 'base64url') }
  return readKey(jwk)
}

test('JWS: in our algorithms all 81 are judged as their makers say, but for four', () => {
  const ours = groups.filter(({ jwk }) => jwk.alg === 'HS256' || jwk.crv === 'P-256')
  const answers = ours.flatMap(({ jwk, tests }) => {
    const key = keyOf(jwk)
    return tests.map(vector => say(vector, key !== undefined && verifies(key, vector.jws)))
  })
  assert.equal(answers.length, 81)
  assert.deepEqual(otherwise(answers), [
    // They are said to have padding, and have none: letter for letter they are the valid 357.
    '367 invalidBase64Padding: valid',
    '370 invalidBase64PaddingInPayload: valid',
    // They hold a `?`, which is in no alphabet of base64 (RFC 7515 §2: no other characters).
    '372 InvalidCharacterInsertedInHeader: invalid',
    '373 InvalidCharacterInsertedInPayload: invalid',
  ])
  assert.equal(jwsOf(367), jwsOf(357))
  assert.equal(jwsOf(370), jwsOf(357))
  for (const tcId of [372, 373]) assert.match(jwsOf(tcId), /\?/)
})

test('JWS: all 320 in algorithms that we do not have are refused, and would be if their keys were taken for ours', () => {
  const foreign = groups.filter(({ jwk }) => jwk.kty === 'RSA' || jwk.crv === 'P-521')
  const vectors = foreign.flatMap(({ jwk, tests }) => {
    assert.equal(readKey({ ...jwk, kid: 'named' }), undefined)
    const { alg: _alg, ...key } = jwk
    const verify = createPublicKey({ key, format: 'jwk' })
    return tests.map(vector => ({ ...vector, verify }))
  })
  assert.equal(vectors.length, 320)
  for (const { verify, jws, tcId } of vectors) {
    for (const algorithm of ['ES256', 'EdDSA'] as const)
      assert.equal(verifies({ algorithm, verify }, jws), false, `${tcId}`)
  }
  // What their makers call valid is refused with the rest: RS256 and its like, and 346 and 350, which are PS384 under a
  // key that says PS256.
  const valid = vectors.filter(({ result }) => result === 'valid').map(({ tcId }) => tcId)
  assert.equal(valid.length, 34)
  assert.ok(valid.includes(346) && valid.includes(350))
})

const readHeader = (jws: string): { kid: string } =>
  JSON.parse(Buffer.from(jws.split('.', 1)[0] ?? '', 'base64url').toString())

test('JWK: of 26 tokens under hostile and odd sets of keys none is good, not even the five that need a secret or RSA', () => {
  const sets = readVectors<{ about: string; keys: Jwk[] }, Jws>('json_web_key')
  const answers = sets.flatMap(({ keys, tests }) => {
    const set = readKeySet({ keys })
    return tests.map(vector => {
      const key = set?.get(readHeader(vector.jws).kid)
      return say(vector, key !== undefined && verifies(key, vector.jws))
    })
  })
  assert.equal(answers.length, 26)
  assert.deepEqual(otherwise(answers), [
    // `oct` in a published set: a secret that everybody knows.
    '2 acceptsValid: invalid',
    '5 acceptsValid: invalid',
    '13 long_key: invalid',
    '14 long_key: invalid',
    '15 long_key: invalid',
  ])
  // Of all the keys in them one is ours to use: the one of P-256 that stands beside a secret.
  assert.deepEqual(
    sets.flatMap(({ about, keys }) => [...(readKeySet({ keys })?.keys() ?? [])].map(id => `${about} ${id}`)),
    ['jws_mixedSymmetryKeyset kid-ec-sign'],
  )
})
