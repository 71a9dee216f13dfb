import assert from 'node:assert/strict'
import { createHash, createPublicKey, generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { calculateJwkThumbprint, type JWK } from 'jose'
import {
  makeMacKey,
  makeSigningKey,
  openSealer,
  openSigningKey,
  SealedOtherwise,
  sharedSigningKey,
} from './keys.ts'

const sealer = openSealer('correct horse battery staple, and then some')
const plain = Buffer.from('a private key')

test('what is sealed is opened by the same secret and context', () => {
  const sealed = sealer.seal(plain, 'sign:ES256:a')
  assert.match(sealed, /^v1\.[\w-]+$/)
  assert.equal(sealed.includes(plain.toString('base64url')), false)
  assert.deepEqual(
    Buffer.from(openSealer('correct horse battery staple, and then some').open(sealed, 'sign:ES256:a')),
    plain,
  )
  assert.notEqual(sealer.seal(plain, 'sign:ES256:a'), sealed)
  assert.deepEqual(Buffer.from(sealer.open(sealer.seal(new Uint8Array(), ''), '')), Buffer.alloc(0))
})

test('a secret may be bytes', () => {
  const bytes = new Uint8Array(32).fill(9)
  assert.deepEqual(Buffer.from(openSealer(bytes).open(openSealer(bytes).seal(plain, 'x'), 'x')), plain)
})

test('text that was sealed stays readable', () => {
  const sealed = 'v1.AAECAwQFBgcICQoLHtbeyu3VDVapQ1Ex8-jWgVSwuCFRK1GJWsG2a70'
  assert.equal(
    Buffer.from(openSealer('s'.repeat(32)).open(sealed, 'mac:HS256:k1')).toString(),
    'a private key',
  )
})

test('another secret is told from a broken row', () =>
  assert.throws(
    () => openSealer('another secret').open(sealer.seal(plain, 'mac:HS256:k'), 'mac:HS256:k'),
    (error: unknown) =>
      error instanceof SealedOtherwise && /mac:HS256:k was sealed with another secret/.test(error.message),
  ))

test('of several secrets the first seals, and all open', () => {
  const [old, now, other] = ['an older secret', 'the present secret', 'of somebody else']
  const both = openSealer(now, old)
  const sealed = {
    old: openSealer(old).seal(plain, 'x'),
    now: both.seal(plain, 'x'),
    asked: both.seal(plain, 'x', 1),
  }
  assert.equal(both.secrets, 2)
  assert.deepEqual(
    Object.values(sealed).map(text => both.sealedBy(text, 'x')),
    [1, 0, 1],
  )
  for (const text of Object.values(sealed)) assert.deepEqual(Buffer.from(both.open(text, 'x')), plain)
  assert.deepEqual(Buffer.from(openSealer(old).open(sealed.asked, 'x')), plain)
  assert.throws(() => openSealer(old).open(sealed.now, 'x'), SealedOtherwise)
  assert.equal(openSealer(other).sealedBy(sealed.now, 'x'), undefined)
  assert.equal(both.sealedBy(sealed.now, 'y'), undefined)
  assert.throws(() => both.seal(plain, 'x', 2), RangeError)
  assert.throws(() => openSealer(now, ''), RangeError)
})

// [sentence, what becomes of the sealed text]
const changed: [string, (sealed: string) => string][] = [
  ['another version', text => text.replace('v1', 'v2')],
  ['cut short', text => text.slice(0, -4)],
  ['cut to nothing', () => 'v1.'],
  ['empty', () => ''],
  ['with one bit flipped', text => text.slice(0, 20) + (text[20] === 'A' ? 'B' : 'A') + text.slice(21)],
]
for (const [sentence, change] of changed) {
  test(`a sealed key ${sentence} is refused`, () =>
    assert.throws(() => sealer.open(change(sealer.seal(plain, 'x')), 'x')))
}

test('a sealed key does not pass for another one', () =>
  assert.throws(() => sealer.open(sealer.seal(plain, 'sign:ES256:a'), 'sign:ES256:b')))

test('an empty secret seals nothing and signs nothing', () => {
  assert.throws(() => openSealer(''), RangeError)
  assert.throws(() => openSealer(new Uint8Array()), RangeError)
  assert.throws(() => sharedSigningKey(''), RangeError)
})

for (const algorithm of ['ES256', 'EdDSA'] as const) {
  test(`${algorithm}: what is made is opened, and what is published is public`, async () => {
    const made = makeSigningKey(algorithm)
    const key = openSigningKey({ ...made, algorithm })
    const published = JSON.parse(made.published)
    const own = algorithm === 'ES256' ? ['crv', 'kty', 'x', 'y'] : ['crv', 'kty', 'x']
    assert.deepEqual(Object.keys(published), [...own, 'kid', 'alg', 'use'])
    assert.deepEqual([published.kid, published.alg, published.use], [made.id, algorithm, 'sig'])
    assert.equal(await calculateJwkThumbprint(published), made.id)
    assert.equal(key.published, made.published)
    assert.ok(key.verify.equals(createPublicKey({ key: published, format: 'jwk' })))
    assert.notEqual(makeSigningKey(algorithm).id, made.id)
  })
}

// The key pair of RFC 8037, appendix A.1 and A.2, and its thumbprint of appendix A.3.
const rfc8037 = {
  kty: 'OKP',
  crv: 'Ed25519',
  d: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A',
  x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
}
const rfc8037Id = 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k'

const row = (jwk: object, published: object, id: string, algorithm: 'ES256' | 'EdDSA' = 'EdDSA') => ({
  id,
  algorithm,
  secret: Buffer.from(JSON.stringify(jwk)),
  published: JSON.stringify(published),
})
const publishedOf = (x: string, more: object = {}) => ({
  crv: 'Ed25519',
  kty: 'OKP',
  x,
  kid: rfc8037Id,
  alg: 'EdDSA',
  use: 'sig',
  ...more,
})

test('the key of RFC 8037, appendix A, has the id that appendix A.3 gives it', () =>
  assert.equal(openSigningKey(row(rfc8037, publishedOf(rfc8037.x), rfc8037Id)).id, rfc8037Id))

const p256 = makeSigningKey('ES256')
const p256Jwk = JSON.parse(Buffer.from(p256.secret).toString())
const p256Open = JSON.parse(p256.published)
const stranger = JSON.parse(Buffer.from(makeSigningKey('ES256').secret).toString())
const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey.export({ format: 'jwk' })
const p384Id = await calculateJwkThumbprint(p384 as JWK)
const { crv, kty, x, y } = p384
const p384Row = row(p384, { crv, kty, x, y, kid: p384Id, alg: 'ES256', use: 'sig' }, p384Id, 'ES256')
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' })
const identity = Buffer.concat([Buffer.from([1]), Buffer.alloc(31)]).toString('base64url')

// [sentence, what is stored]
const unsound: [string, ReturnType<typeof row>][] = [
  ['on another curve', p384Row],
  ['under a name of its own choice', row(rfc8037, publishedOf(rfc8037.x, { kid: 'kPrK' }), 'kPrK')],
  ['of another kind', row(rsa, { ...rsa, d: undefined }, 'rsa', 'ES256')],
  ['of the other algorithm', row(rfc8037, publishedOf(rfc8037.x), rfc8037Id, 'ES256')],
  ['that publishes the identity point', row(rfc8037, publishedOf(identity), rfc8037Id)],
  ['that is the identity point', row({ ...rfc8037, x: identity }, publishedOf(identity), rfc8037Id)],
  ['that publishes its private half', row(rfc8037, publishedOf(rfc8037.x, { d: rfc8037.d }), rfc8037Id)],
  ['under an id that is not its own', row(rfc8037, publishedOf(rfc8037.x), 'kPrK')],
  ['that publishes another algorithm', row(rfc8037, publishedOf(rfc8037.x, { alg: 'none' }), rfc8037Id)],
  ['that publishes the key of somebody else', row(stranger, p256Open, p256.id, 'ES256')],
  ['whose halves do not fit', row({ ...stranger, x: p256Jwk.x, y: p256Jwk.y }, p256Open, p256.id, 'ES256')],
  ['that is off the curve', row({ ...p256Jwk, y: p256Jwk.x }, p256Open, p256.id, 'ES256')],
  ['without a private half', row({ ...p256Jwk, d: undefined }, p256Open, p256.id, 'ES256')],
  ['that is not a JWK', row({}, {}, 'x', 'ES256')],
]
for (const [sentence, stored] of unsound) {
  test(`a signing key ${sentence} is refused`, () =>
    assert.throws(() => openSigningKey(stored), /^Error: The signing key .* is not sound: /))
}

test('a signing key that cannot be read is not quoted', () =>
  assert.throws(
    () => openSigningKey({ ...p256, algorithm: 'ES256', secret: Buffer.from('secret-text {') }),
    (error: Error) => !String(error.stack).includes('secret-text') && error.cause === undefined,
  ))

test('a shared secret signs by its UTF-8 bytes and is never published', () => {
  const key = sharedSigningKey('sécret')
  assert.deepEqual(key.sign.export(), Buffer.from('sécret'))
  assert.equal(key.published, null)
  assert.equal(key.algorithm, 'HS256')
})

test('a MAC key is 32 random bytes, and its id tells nothing of them', () => {
  const made = makeMacKey()
  assert.equal(made.secret.length, 32)
  assert.match(made.id, /^[\w-]{16}$/)
  assert.notEqual(createHash('sha256').update(made.secret).digest('base64url').slice(0, 16), made.id)
  assert.notDeepEqual(makeMacKey().secret, made.secret)
})
