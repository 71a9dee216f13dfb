// The same check in Node's frameworks, by @rusk/verify: each hears of a session's end within five seconds.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inNode } from './in-node.ts'
import { type Service, statusOf, untilRefused, walk } from './walk.ts'

// [sentence, service]
const services: [string, Service][] = [
  ['Express', inNode(`(await import('./express.ts')).server`)],
  ['Fastify', inNode(`(await import('./fastify.ts')).server`)],
  ['Hono', inNode(`(await import('./hono.ts')).server`)],
  [
    'a route of Next.js',
    inNode(`(await import('@hono/node-server')).serve({
      fetch: (await import('./next-route.ts')).GET,
      port: 0,
      hostname: '127.0.0.1',
    })`),
  ],
]

for (const [sentence, service] of services) {
  test(`${sentence} greets whoever is signed in, by header or cookie, and knows an end within five seconds`, async t => {
    const { rusk, service: program, person } = await walk(t, service)
    const other = await rusk.signIn()
    await person.signOut()
    t.diagnostic(`refused after ${Math.round(await untilRefused(program, person.accessToken))} ms`)
    assert.equal(await statusOf(program, other.accessToken), 200, 'only that session has ended')

    const call = (cookie: string) => fetch(`${program.url}/notes`, { headers: { cookie } })
    assert.equal((await call(`rusk_access=${other.accessToken}`)).status, 200)
    assert.equal((await call(`rusk_access=${person.accessToken}`)).status, 401)
  })
}

const page = 'https://app.example.com'

for (const [sentence, service] of services.filter(([name]) => !name.includes('Next'))) {
  test(`${sentence} lets the page of a front end elsewhere call and read, and no other page`, async t => {
    const { service: program, person } = await walk(t, service)
    const { accessToken } = person
    const call = async (origin: string, method: string, headers: Record<string, string>) => {
      const answer = await fetch(`${program.url}/notes`, { method, headers: { origin, ...headers } })
      await answer.body?.cancel()
      return answer
    }
    const asking = {
      'access-control-request-method': 'DELETE',
      'access-control-request-headers': 'authorization,content-type',
    }
    const bearer = { authorization: `Bearer ${accessToken}` }
    const cookie = { cookie: `rusk_access=${accessToken}` }
    const evil = 'https://evil.example'
    // [sentence, origin, method, headers, status]
    const rows: [string, string, string, Record<string, string>, number][] = [
      ['asks whether it may', page, 'OPTIONS', asking, 204],
      ['is refused', page, 'GET', {}, 401],
      ['reads', page, 'GET', bearer, 200],
      ['changes something by its cookie', page, 'POST', cookie, 404],
      ['does so from elsewhere', evil, 'POST', cookie, 403],
      ['asks from elsewhere', evil, 'OPTIONS', asking, 204],
      ['reads from elsewhere', evil, 'GET', bearer, 200],
    ]
    for (const [what, origin, method, headers, status] of rows) {
      const answer = await call(origin, method, headers)
      assert.equal(answer.status, status, what)
      // A browser compares it with the page's own, to the letter.
      const allowed = answer.headers.get('access-control-allow-origin')
      assert.equal(allowed === origin, origin === page, `${what}: ${allowed}`)
      assert.notEqual(allowed, '*')
      if (origin === page) assert.equal(answer.headers.get('access-control-allow-credentials'), 'true', what)
      if (method !== 'OPTIONS' || origin !== page) continue
      const list = (name: string) => (answer.headers.get(name) ?? '').toLowerCase().split(/, ?/)
      assert.ok(list('access-control-allow-methods').includes('delete'))
      for (const name of ['authorization', 'content-type'])
        assert.ok(list('access-control-allow-headers').includes(name), name)
    }
  })
}
