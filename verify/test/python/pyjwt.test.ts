// PyJWT, the library that most services in Python take: it reads Rusk's tokens by Rusk's published keys or the shared
// secret, and what it writes as Rusk would is read here.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createPublicKey, randomUUID } from 'node:crypto'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { sharedSigningKey } from '../../../server/src/crypto/keys.ts'
import type { VerifyingKey } from '../../src/jws.ts'
import { readKey } from '../../src/key-set.ts'
import { readAccessToken } from '../../src/token.ts'
import { type Running, runRusk } from '../rusk.ts'

const secret = 'a secret that services share, of more than 32 bytes'
const issuer = 'https://auth.example'

type Answer = {
  readonly claims?: Readonly<Record<string, unknown>>
  readonly refused?: string
  readonly token?: string
  readonly key?: string
}

/** What PyJWT says. While it thinks Rusk must be able to answer it: no waiting in place. */
async function ask(question: string, about: Readonly<Record<string, unknown>>): Promise<Answer> {
  const script = fileURLToPath(new URL('pyjwt.py', import.meta.url))
  const child = spawn(process.env.PYTHON ?? '/usr/bin/python3', [script])
  child.stdin.end(JSON.stringify({ question, ...about }))
  const [said, complaint] = await Promise.all([text(child.stdout), text(child.stderr)])
  assert.equal(complaint, '')
  return JSON.parse(said)
}

const setOf = ({ url }: Running): string => `${url}/.well-known/jwks.json`

/** The same text, but for the signature's first character. */
const damaged = (token: string): string =>
  token.replace(/\.([^.])([^.]*)$/, (_, first, rest) => `.${first === 'A' ? 'B' : 'A'}${rest}`)

const claimsNow = () => {
  const iat = Math.floor(Date.now() / 1000)
  return { iss: issuer, sub: 'jack', sid: 'one session', iat, exp: iat + 600, jti: randomUUID() }
}

const read = (token: string, key: VerifyingKey) =>
  readAccessToken(token, {
    key: id => (key.algorithm === 'HS256' || id === key.id ? key : undefined),
    issuer,
    audience: undefined,
    now: Date.now(),
    skew: 60_000,
    longest: 3_600_000,
  })

for (const algorithm of ['ES256', 'EdDSA'] as const) {
  test(`${algorithm}: what Rusk signs PyJWT verifies by the set it fetches from Rusk`, async t => {
    const rusk = await runRusk(t, { jwt: { algorithm }, audience: 'chat' })
    const { access: token, id } = await rusk.signUp('jack')
    const about = { url: setOf(rusk), algorithm, issuer: rusk.url, audience: 'chat' }
    const { claims } = await ask('by_set', { ...about, token })
    assert.equal(claims?.sub, id)
    assert.equal(claims?.iss, rusk.url)

    const refusals: readonly [what: string, asked: object, refused: string][] = [
      ['a signature that has been changed', { token: damaged(token) }, 'InvalidSignatureError'],
      ['another audience', { token, audience: 'shop' }, 'InvalidAudienceError'],
      ['another issuer', { token, issuer: 'https://other.example' }, 'InvalidIssuerError'],
    ]
    for (const [what, asked, refused] of refusals)
      assert.deepEqual(await ask('by_set', { ...about, ...asked }), { refused }, what)
  })

  test(`${algorithm}: what PyJWT signs is read under its key`, async () => {
    const claims = claimsNow()
    const written = await ask('write', { algorithm, claims, kid: 'of-python' })
    const jwk = createPublicKey(written.key ?? '').export({ format: 'jwk' })
    const key = readKey({ ...jwk, kid: 'of-python' })
    assert.equal(key?.algorithm, algorithm)
    assert.deepEqual(read(written.token ?? '', key), { claims })
    assert.equal(read(damaged(written.token ?? ''), key), undefined)
  })
}

test('HS256: what Rusk signs PyJWT verifies in one line, jwt.decode(token, key, algorithms=["HS256"])', async t => {
  const rusk = await runRusk(t, { jwt: { key: secret } })
  const { access: token, id } = await rusk.signUp('jack')
  assert.equal((await ask('by_secret', { token, key: secret })).claims?.sub, id)
  const refused = 'InvalidSignatureError'
  assert.deepEqual(await ask('by_secret', { token, key: `${secret}.` }), { refused })
  assert.deepEqual(await ask('by_secret', { token: damaged(token), key: secret }), { refused })
})

test('HS256: what PyJWT signs with the shared secret is read under it', async () => {
  const claims = claimsNow()
  const { token = '' } = await ask('write_shared', { claims, key: secret })
  assert.deepEqual(read(token, sharedSigningKey(secret)), { claims })
  assert.equal(read(damaged(token), sharedSigningKey(secret)), undefined)
})
