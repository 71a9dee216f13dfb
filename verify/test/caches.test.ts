// A cache between a service and Rusk that heeds nothing of what either says (`no-store`, `no-cache`, Authorization): what it
// has kept is never taken for news.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { createVerifier } from '../src/index.ts'
import { listen, makeKey, openIssuer, reasonOf, serviceKey, signIn, until } from './issuer.ts'
import { runRusk } from './rusk.ts'

/** Keeps every answer by the address that was asked, for good. `again`: how often one was given twice. */
async function openCache(t: Pick<TestContext, 'after'>, base: string) {
  const kept = new Map<string, string>()
  const seen = { kept, again: 0 }
  const server = createServer(async (request, response) => {
    const path = request.url ?? ''
    const known = kept.get(path)
    if (known !== undefined) seen.again++
    try {
      const { authorization = '' } = request.headers
      const asked = () => fetch(base + path, { headers: { authorization } })
      const body = known ?? (await (await asked()).text())
      kept.set(path, body)
      response.writeHead(200, { 'content-type': 'application/json' }).end(body)
    } catch {
      // Nobody answers behind it: nor does it.
      response.destroy()
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return Object.assign(seen, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
}

test('through a cache an end is known, and a key that is new', async t => {
  const issuer = await openIssuer(t)
  const cache = await openCache(t, issuer.url)
  const verifier = issuer.verifier({ url: cache.url, within: 1000 })
  const { token, claims } = await signIn(issuer, verifier, 'one')
  const stream = listen(verifier, claims)
  const before = issuer.feedAsked()
  await until(() => issuer.feedAsked() >= before + 3, 'it has been asked some times, without news')
  issuer.end('one')
  await until(() => stream.times > 0, 'told')
  assert.equal(stream.why, 'access_revoked')
  assert.equal(reasonOf(await verifier.verify(token)), 'access_revoked')

  const next = makeKey()
  issuer.published = [...issuer.published, next]
  await until(async () => reasonOf(await verifier.verify(issuer.token({}, next))) === 'verified', 'learnt')
  assert.ok(cache.kept.size > 4)
  assert.equal(cache.again, 0)
})

test('what a cache has kept is not to have heard Rusk when it is gone', async t => {
  const issuer = await openIssuer(t)
  const cache = await openCache(t, issuer.url)
  const verifier = issuer.verifier({ url: cache.url, within: 1000 })
  const { token, claims } = await signIn(issuer, verifier, 'one')
  const stream = listen(verifier, claims)
  const before = issuer.feedAsked()
  await until(() => issuer.feedAsked() >= before + 3, 'it has been asked some times, without news')
  issuer.down()
  await until(() => stream.times > 0, 'told')
  assert.equal(stream.why, 'unavailable')
  assert.deepEqual(await verifier.verify(token), { rejected: 'unavailable', status: 503 })
})

test('so with a Rusk that is real: who signs out there is refused here', async t => {
  const rusk = await runRusk(t, { service: { keys: [serviceKey] } })
  const cache = await openCache(t, rusk.url)
  const verifier = createVerifier({ issuer: rusk.url, url: cache.url, serviceKey, within: 1000 })
  t.after(() => verifier.close())
  const jack = await rusk.signUp('jack')
  assert.equal(reasonOf(await verifier.verify(jack.access)), 'verified')
  const before = cache.kept.size
  await until(() => cache.kept.size >= before + 3, 'it has been asked some times, without news')
  await rusk.signOut(jack)
  await until(async () => reasonOf(await verifier.verify(jack.access)) === 'access_revoked', 'known')
  assert.equal(cache.again, 0)
})
