// jose, the library that most services in JavaScript take: it reads Rusk's tokens by Rusk's published keys, and what it
// writes as Rusk would is read here.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import * as jose from 'jose'
import { sharedSigningKey } from '../../server/src/crypto/keys.ts'
import type { VerifyingKey } from '../src/jws.ts'
import { readKey, readKeySet } from '../src/key-set.ts'
import { readAccessToken } from '../src/token.ts'
import { runRusk } from './rusk.ts'

const secret = 'a secret that services share, of more than 32 bytes'
const secretBytes = new TextEncoder().encode(secret)
const issuer = 'https://auth.example'

const claimsNow = () => {
  const iat = Math.floor(Date.now() / 1000)
  return { iss: issuer, sub: 'jack', sid: 'one session', iat, exp: iat + 600, jti: randomUUID() }
}

const read = (token: string, key: VerifyingKey, audience?: string) =>
  readAccessToken(token, {
    key: id => (key.algorithm === 'HS256' || id === key.id ? key : undefined),
    issuer,
    audience,
    now: Date.now(),
    skew: 60_000,
    longest: 3_600_000,
  })

const signedByJose = (
  alg: string,
  key: jose.CryptoKey | Uint8Array,
  named: { kid?: string },
  claims: object,
) => new jose.SignJWT({ ...claims }).setProtectedHeader({ alg, typ: 'at+jwt', ...named }).sign(key)

for (const algorithm of ['ES256', 'EdDSA'] as const) {
  test(`${algorithm}: what jose signs with its key is read under that key as its set names it`, async () => {
    const { privateKey, publicKey } = await jose.generateKeyPair(algorithm)
    const jwk = await jose.exportJWK(publicKey)
    const kid = await jose.calculateJwkThumbprint(jwk)
    const key = readKey({ ...jwk, kid, alg: algorithm, use: 'sig' })
    assert.ok(key)
    const claims = claimsNow()
    assert.deepEqual(read(await signedByJose(algorithm, privateKey, { kid }, claims), key), { claims })

    const meant = { ...claims, aud: ['other', 'chat'] }
    assert.deepEqual(read(await signedByJose(algorithm, privateKey, { kid }, meant), key, 'chat'), {
      claims: meant,
    })

    const { privateKey: another } = await jose.generateKeyPair(algorithm)
    assert.equal(read(await signedByJose(algorithm, another, { kid }, claims), key), undefined)
  })

  test(`${algorithm}: what Rusk signs jose verifies by the set that Rusk publishes`, async t => {
    const rusk = await runRusk(t, { jwt: { algorithm }, audience: 'chat' })
    const { access, id } = await rusk.signUp('jack')
    const published = (await (await fetch(`${rusk.url}/.well-known/jwks.json`)).json()) as jose.JSONWebKeySet
    const expected = { issuer: rusk.url, audience: 'chat', typ: 'at+jwt', algorithms: [algorithm] }
    const sets = {
      'as it was fetched': jose.createLocalJWKSet(published),
      'as jose fetches it': jose.createRemoteJWKSet(new URL(`${rusk.url}/.well-known/jwks.json`)),
    }
    for (const [how, set] of Object.entries(sets)) {
      const { payload, protectedHeader } = await jose.jwtVerify(access, set, expected)
      assert.equal(payload.sub, id, how)
      assert.equal(protectedHeader.alg, algorithm, how)
    }
    // jose's set and ours name the same keys.
    const ours = readKeySet({ ...published })
    assert.deepEqual([...(ours?.keys() ?? [])], [jose.decodeProtectedHeader(access).kid])

    const another = await runRusk(t, { jwt: { algorithm } })
    const foreign = await another.signUp('jack')
    await assert.rejects(
      jose.jwtVerify(foreign.access, jose.createLocalJWKSet(published)),
      jose.errors.JWKSNoMatchingKey,
    )
  })
}

test('HS256: what jose signs with the shared secret is read under it', async () => {
  const claims = claimsNow()
  const token = await signedByJose('HS256', secretBytes, {}, claims)
  assert.deepEqual(read(token, sharedSigningKey(secret)), { claims })
  assert.equal(read(token, sharedSigningKey(`${secret}.`)), undefined)
})

test('HS256: what Rusk signs jose verifies with the shared secret, and the published set has nothing for it', async t => {
  const rusk = await runRusk(t, { jwt: { key: secret } })
  const { access, id } = await rusk.signUp('jack')
  const expected = { issuer: rusk.url, typ: 'at+jwt', algorithms: ['HS256'] }
  const { payload } = await jose.jwtVerify(access, secretBytes, expected)
  assert.equal(payload.sub, id)
  await assert.rejects(
    jose.jwtVerify(access, new TextEncoder().encode(`${secret}.`), expected),
    jose.errors.JWSSignatureVerificationFailed,
  )
  assert.deepEqual(await (await fetch(`${rusk.url}/.well-known/jwks.json`)).json(), { keys: [] })
})
