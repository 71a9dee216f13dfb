// A service in Go that checks Rusk's tokens, as people would write it, against a real Rusk.
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { byClaims, freshClaims, honest, publishing } from './forged.ts'
import { holdUpNobody, useOldKeys } from './made-up.ts'
import { drip, play, playKeys } from './played.ts'
import { type Program, start } from './program.ts'
import { outlive, type Service, statusOf, walk } from './walk.ts'

const folder = fileURLToPath(new URL('.', import.meta.url))

const made = await mkdtemp(join(tmpdir(), 'rusk-go-'))
after(() => rm(made, { recursive: true, force: true }))

/** Built anew, with what it is built of in a folder that goes with the tests. Nothing is fetched. */
const inGo: Service = {
  command: process.env.GO ?? '/usr/bin/go',
  args: ['run', 'check.go'],
  cwd: folder,
  env: {
    GOCACHE: join(made, 'cache'),
    GOPATH: join(made, 'path'),
    GO111MODULE: 'off',
    GOTOOLCHAIN: 'local',
  },
  patience: 5 * 60_000,
}

const startGo = (t: TestContext, url: string, cwd = folder): Promise<Program> =>
  start(t, { ...inGo, cwd, env: { ...inGo.env, RUSK_URL: url } })

for (const algorithm of ['ES256', 'EdDSA']) {
  test(`Go greets whoever is signed in, by ${algorithm}, until the token is over`, async t => {
    const env = { RUSK_JWT_ALGORITHM: algorithm, RUSK_SESSION_ACCESS: '6s' }
    const { service, person } = await walk(t, inGo, { env })
    await person.signOut()
    assert.equal(await statusOf(service, person.accessToken), 200, 'it has not heard of the end')
    await outlive(person.accessToken)
    assert.equal(await statusOf(service, person.accessToken), 401)
  })
}

test('Go wants more than a good signature: an access token, of this issuer, of now', async t => {
  const issuer = publishing()
  const { url } = await playKeys(t, [issuer.jwk])
  const service = await startGo(t, url)
  const claims = freshClaims(url)
  assert.equal(await statusOf(service, honest(issuer, claims)), 200, 'forging is not what fails')
  for (const [sentence, token] of byClaims(issuer, claims))
    assert.equal(await statusOf(service, token), 401, sentence)
})

test('Go says that it cannot tell, when it has never reached Rusk', async t => {
  const { person } = await walk(t, inGo)
  const lost = await startGo(t, 'http://127.0.0.1:9')
  for (const time of ['first', 'second'])
    assert.equal(await statusOf(lost, person.accessToken), 503, `the ${time} time`)
})

test('Go believes keys that are all there in time and of some size, and asks nobody else for them', async t => {
  const issuer = publishing()
  const keys = { keys: [issuer.jwk] }
  // [sentence, how it is answered, status]
  const rows: [string, (response: ServerResponse) => unknown, number][] = [
    ['elsewhere', response => response.writeHead(302, { location: '/elsewhere' }).end(), 503],
    ['a closed door', response => response.writeHead(404).end(JSON.stringify(keys)), 503],
    [
      'more than is read',
      response => response.end(JSON.stringify({ pad: ' '.repeat(2 ** 20), ...keys })),
      503,
    ],
    ['a head that drips', response => drip(response, 'H'), 503],
    ['the keys', response => response.end(JSON.stringify(keys)), 200],
  ]
  const asked: (string | undefined)[] = []
  let answer: (response: ServerResponse) => unknown = response => response.end()
  const url = await play(t, (request, response) => {
    asked.push(request.url)
    if (request.url === '/elsewhere') response.end(JSON.stringify(keys))
    else answer(response)
  })
  const service = await startGo(t, url)
  for (const [sentence, answering, status] of rows) {
    answer = answering
    const begun = performance.now()
    assert.equal(await statusOf(service, honest(issuer, freshClaims(url))), status, sentence)
    // Two seconds, and those of a busy machine; a head that drips never ends.
    assert.ok(performance.now() - begun < 10_000, sentence)
    await sleep(1100)
  }
  assert.equal(asked.length, rows.length)
  assert.equal(new Set(asked).size, rows.length, 'no two questions are alike')
  assert.ok(!asked.includes('/elsewhere'))
})

test('in Go made-up names of keys hold up nobody, and make no flood of questions', async t => {
  const issuer = publishing()
  const rusk = await playKeys(t, [issuer.jwk])
  const service = await startGo(t, rusk.url)
  await holdUpNobody(rusk, issuer, token => statusOf(service, token))
})

test('in Go keys are had anew, and used for a while when they cannot be had', async t => {
  const issuer = publishing()
  const rusk = await playKeys(t, [issuer.jwk])
  const source = await readFile(join(folder, 'check.go'), 'utf8')
  const hurried = source.replace('= 5 * time.Minute, time.Hour, ', '= time.Second, 4 * time.Second, ')
  assert.ok(hurried !== source)
  await writeFile(join(made, 'check.go'), hurried)
  const service = await startGo(t, rusk.url, made)
  await useOldKeys(rusk, issuer, token => statusOf(service, token))
})
