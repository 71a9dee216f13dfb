// Keys that are replaced at a real Rusk, by its own command in a process of its own, while a verifier in this one goes on.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { emptyFolder, run, serve } from '../../server/test/cli/binary.ts'
import { signUp } from '../../server/test/following.ts'
import { post } from '../../server/test/serving.ts'
import { createVerifier } from '../src/index.ts'
import { reasonOf } from './issuer.ts'

const bound = 5000

test('a key that is given up is no key here within the bound, and whoever renews goes on', async t => {
  const serviceKey = randomBytes(32).toString('base64url')
  const env = { RUSK_SERVICE_KEYS: serviceKey, RUSK_URL: 'https://auth.example', RUSK_LOG_LEVEL: 'error' }
  const where = { folder: emptyFolder(t), env }
  const { url } = await serve(t, where)
  const troubles: Error[] = []
  const verifier = createVerifier({
    issuer: env.RUSK_URL,
    url,
    serviceKey,
    onTrouble: error => troubles.push(error),
  })
  t.after(verifier.close)

  const before = await signUp(url, 'jack', 'memory')
  assert.equal(reasonOf(await verifier.verify(before.accessToken)), 'verified')

  const ended = await run(where, ['keys', 'rotate', '--compromised'])
  assert.equal(ended.code, 0, ended.stderr)
  const began = performance.now()
  let said = 'verified'
  while (said === 'verified') {
    assert.ok(performance.now() - began < bound)
    said = reasonOf(await verifier.verify(before.accessToken))
    await sleep(5)
  }
  assert.equal(said, 'access_invalid')
  t.diagnostic(`${(performance.now() - began).toFixed(0)} ms after the command`)

  const renewed = await post(`${url}/auth/refresh`, { cookies: before.cookies })
  assert.equal(renewed.status, 200)
  const { accessToken } = (await renewed.json()) as { accessToken: string }
  assert.equal(reasonOf(await verifier.verify(accessToken)), 'verified', 'at the first call')
  assert.deepEqual(troubles, [])
})
