// A service in Go that checks Rusk's tokens, as people would write it, against a real Rusk.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { byClaims, freshClaims, honest, publishing } from './forged.ts'
import { start } from './program.ts'
import { outlive, type Service, statusOf, walk } from './walk.ts'

const folder = fileURLToPath(new URL('.', import.meta.url))

/** Built anew, with what it is built of in a folder that goes with the test. Nothing is fetched. */
async function inGo(t: TestContext): Promise<Service> {
  const made = await mkdtemp(join(tmpdir(), 'rusk-go-'))
  t.after(() => rm(made, { recursive: true, force: true }))
  const env = {
    GOCACHE: join(made, 'cache'),
    GOPATH: join(made, 'path'),
    GO111MODULE: 'off',
    GOTOOLCHAIN: 'local',
  }
  return {
    command: process.env.GO ?? '/usr/bin/go',
    args: ['run', 'check.go'],
    cwd: folder,
    env,
    patience: 5 * 60_000,
  }
}

for (const algorithm of ['ES256', 'EdDSA']) {
  test(`Go greets whoever is signed in, by ${algorithm}, until the token is over`, async t => {
    const env = { RUSK_JWT_ALGORITHM: algorithm, RUSK_SESSION_ACCESS: '6s' }
    const { service, person } = await walk(t, await inGo(t), { env })
    await person.signOut()
    assert.equal(await statusOf(service, person.accessToken), 200, 'it has not heard of the end')
    await outlive(person.accessToken)
    assert.equal(await statusOf(service, person.accessToken), 401)
  })
}

test('Go wants more than a good signature: an access token, of this issuer, of now', async t => {
  const issuer = publishing()
  const server = createServer((_, response) => response.end(JSON.stringify({ keys: [issuer.jwk] })))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.after(() => server.close())
  const address = server.address()
  assert.ok(typeof address === 'object' && address)
  const url = `http://127.0.0.1:${address.port}`
  const program = await inGo(t)
  const service = await start(t, { ...program, env: { ...program.env, RUSK_URL: url } })
  const claims = freshClaims(url)
  assert.equal(await statusOf(service, honest(issuer, claims)), 200, 'forging is not what fails')
  for (const [sentence, token] of byClaims(issuer, claims))
    assert.equal(await statusOf(service, token), 401, sentence)
})

test('Go says that it cannot tell, when it has never reached Rusk', async t => {
  const program = await inGo(t)
  const { person } = await walk(t, program)
  const lost = await start(t, { ...program, env: { ...program.env, RUSK_URL: 'http://127.0.0.1:9' } })
  for (const time of ['first', 'second'])
    assert.equal(await statusOf(lost, person.accessToken), 503, `the ${time} time`)
})
