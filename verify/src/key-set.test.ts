import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { Unreachable } from './ask.ts'
import { openKeySet, readKey, readKeySet } from './key-set.ts'

const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const { x, y, d } = pair.privateKey.export({ format: 'jwk' })
const ec = { kty: 'EC', crv: 'P-256', x, y, kid: 'one' }
const okp = { ...generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }), kid: 'two' }
const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey.export({ format: 'jwk' })
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'jwk' })
const x25519 = generateKeyPairSync('x25519').publicKey.export({ format: 'jwk' })
const zeros = Buffer.alloc(32).toString('base64url')
const onlyLow = Buffer.alloc(31, 7).toString('base64url')

const taken: readonly (readonly [sentence: string, jwk: object, algorithm: string])[] = [
  ['a point on P-256 is a key for ES256', ec, 'ES256'],
  ['a point on Ed25519 is a key for EdDSA', okp, 'EdDSA'],
  ['a key may name its algorithm', { ...ec, alg: 'ES256' }, 'ES256'],
  ['a key may say that it is for signatures', { ...okp, use: 'sig', alg: 'EdDSA' }, 'EdDSA'],
  [
    'what else a key says of itself says nothing to us',
    { ...ec, x5u: 'https://evil.example', n: 1 },
    'ES256',
  ],
]

for (const [sentence, jwk, algorithm] of taken) {
  test(sentence, () => {
    const key = readKey(jwk)
    assert.equal(key?.algorithm, algorithm)
    assert.equal(key?.id, Reflect.get(jwk, 'kid'))
    assert.equal(key?.verify.type, 'public')
  })
}

const refused: readonly (readonly [sentence: string, jwk: unknown])[] = [
  ['a shared secret', { kty: 'oct', k: Buffer.alloc(32, 1).toString('base64url'), kid: 'one', alg: 'HS256' }],
  ['a shared secret that names a curve', { ...ec, kty: 'oct', k: zeros }],
  ['a key of RSA', { ...rsa, kid: 'one' }],
  ['a key on P-384', { ...p384, kid: 'one' }],
  ['a key on P-384 that says P-256', { ...p384, crv: 'P-256', kid: 'one' }],
  ['a key for agreement on X25519', { ...x25519, kid: 'one' }],
  ['a point of Ed25519 as one of P-256', { ...okp, kty: 'EC', crv: 'P-256' }],
  ['a curve of the wrong type of key', { ...ec, kty: 'OKP' }],
  ['a curve of the prototype', { ...ec, kty: '', crv: 'toString' }],
  ['a curve in a list', { ...ec, kty: ['EC'], crv: ['P-256'] }],
  ['an algorithm of another curve', { ...ec, alg: 'EdDSA' }],
  ['an algorithm of a shared secret', { ...ec, alg: 'HS256' }],
  ['the algorithm none', { ...ec, alg: 'none' }],
  ['an algorithm that is no text', { ...ec, alg: ['ES256'] }],
  ['an algorithm that is null', { ...ec, alg: null }],
  ['a key for encryption', { ...ec, use: 'enc' }],
  ['a key for uses in a list', { ...ec, use: ['sig'] }],
  ['a private key', { ...ec, d }],
  ['a private member that is null', { ...ec, d: null }],
  ['a point that is not on the curve', { ...ec, x: y, y: x }],
  ['a point at zero', { ...ec, x: zeros, y: zeros }],
  ['half a point', { ...ec, y: undefined }],
  ['a point of numbers', { ...ec, x: 1, y: 2 }],
  ['a point of Ed25519 that is too short', { ...okp, x: onlyLow }],
  ['a point of Ed25519 that is too long', { ...okp, x: Buffer.alloc(33, 7).toString('base64url') }],
  ['a key without a name', { ...ec, kid: undefined }],
  ['an empty name', { ...ec, kid: '' }],
  ['a name that is a number', { ...ec, kid: 1 }],
  ['a name that is a path', { ...ec, kid: '../../dev/null' }],
  ['a name beyond 128 characters', { ...ec, kid: 'k'.repeat(129) }],
  ['a name with a line break', { ...ec, kid: 'one\n' }],
  ['null', null],
  ['a text', JSON.stringify(ec)],
  ['a list', [ec]],
  ['nothing', undefined],
]

for (const [sentence, jwk] of refused) {
  test(`${sentence} is no key of ours`, () => assert.equal(readKey(jwk), undefined))
}

test('of a set the keys that are ours are taken, and the others are left', () => {
  const set = readKeySet({
    keys: [{ ...rsa, kid: 'rsa' }, ec, null, okp, { kty: 'oct', k: zeros, kid: 'oct' }],
  })
  assert.deepEqual([...(set?.keys() ?? [])], ['one', 'two'])
})

test('a set that knows no key of ours is an empty one', () =>
  assert.equal(readKeySet({ keys: [{ ...rsa, kid: 'one' }] })?.size, 0))

const noSets: readonly (readonly [sentence: string, document: Readonly<Record<string, unknown>>])[] = [
  ['an object without keys', {}],
  ['a key in place of a list', { keys: ec }],
  ['keys by their names', { keys: { one: ec } }],
  ['keys in a text', { keys: JSON.stringify([ec]) }],
  ['a single key', ec],
  ['a set in which two keys have one name', { keys: [ec, { ...okp, kid: 'one' }] }],
  ['a set in which one key stands twice', { keys: [ec, ec] }],
]

for (const [sentence, document] of noSets) {
  test(`${sentence} is no set`, () => assert.equal(readKeySet(document), undefined))
}

test('whatever else goes wrong when the set has been read is told as what keeps the keys away', async () => {
  const bug = new TypeError('listeners is undefined')
  const keys = openKeySet({
    ask: async () => ({ keys: [ec] }),
    passed: () => 0,
    onLost: () => undefined,
    onTrouble: () => undefined,
    onRead() {
      throw bug
    },
  })
  await assert.rejects(
    keys.ready(),
    (error: unknown) =>
      error instanceof Unreachable && error.cause === bug && /listeners/.test(error.message),
  )
})
