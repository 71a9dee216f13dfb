// The same check in Node's frameworks, by @rusk/verify: each hears of a session's end within five seconds.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type Service, statusOf, untilRefused, walk } from './walk.ts'

/** A process of its own, which says where it listens. `line`: how this framework is made to listen. */
const inNode = (line: string): Service => ({
  command: process.execPath,
  args: [
    '--input-type=module',
    '-e',
    `const say = ({ port }) => console.log('http://127.0.0.1:' + port)\n${line}`,
  ],
  cwd: fileURLToPath(new URL('.', import.meta.url)),
})

// [sentence, service]
const services: [string, Service][] = [
  [
    'Express',
    inNode(`
      const { app } = await import('./express.ts')
      const server = app.listen(0, '127.0.0.1', () => say(server.address()))`),
  ],
  [
    'Fastify',
    inNode(`
      const { app } = await import('./fastify.ts')
      await app.listen({ port: 0, host: '127.0.0.1' })
      say(app.server.address())`),
  ],
  [
    'Hono',
    inNode(`
      const { app } = await import('./hono.ts')
      const { serve } = await import('@hono/node-server')
      serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, say)`),
  ],
  [
    'a route of Next.js',
    inNode(`
      const { GET } = await import('./next-route.ts')
      const { serve } = await import('@hono/node-server')
      serve({ fetch: GET, port: 0, hostname: '127.0.0.1' }, say)`),
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
