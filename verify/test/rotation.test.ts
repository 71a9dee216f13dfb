// Keys that are replaced at a real Rusk, by its own command in a process of its own, while a verifier in this one goes on.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { emptyFolder, run, serve } from '../../server/test/cli/binary.ts'
import { setCookies } from '../../server/test/serving.ts'
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

  const post = async (path: string, cookie: string, body: object) => {
    const headers = { 'content-type': 'application/json', ...(cookie ? { cookie } : {}) }
    const answer = await fetch(`${url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
    const { accessToken } = (await answer.json()) as { accessToken?: string }
    assert.ok(answer.ok && accessToken, `${path} answered ${answer.status}`)
    return { accessToken, refresh: `__Host-rusk_refresh=${setCookies(answer).get('__Host-rusk_refresh')}` }
  }
  const about = { email: 'jack@example.com', password: 'correct horse battery staple', delivery: 'memory' }
  const before = await post('/auth/sign-up', '', about)
  assert.equal(reasonOf(await verifier.verify(before.accessToken)), 'verified')

  const ended = await run(where, ['keys', 'rotate', '--compromised'])
  assert.equal(ended.code, 0, ended.stderr)
  const began = performance.now()
  let said = 'verified'
  while (said === 'verified') {
    assert.ok(performance.now() - began < bound)
    said = reasonOf(await verifier.verify(before.accessToken))
    await new Promise(resolve => setTimeout(resolve, 5))
  }
  assert.equal(said, 'access_invalid')
  t.diagnostic(`${(performance.now() - began).toFixed(0)} ms after the command`)

  const after = await post('/auth/refresh', before.refresh, {})
  assert.equal(reasonOf(await verifier.verify(after.accessToken)), 'verified', 'at the first call')
  assert.deepEqual(troubles, [])
})
