// Calls that are answered by something else while it is not yet known who makes them, a time-out; and what a program throws
// where it is called back. No caller ends a service by it. Over real sockets, in each framework.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { getRequestListener } from '@hono/node-server'
import express from 'express'
import Fastify from 'fastify'
import { Hono } from 'hono'
import { signedIn as inExpress } from '../src/express.ts'
import { signedIn as inFastify } from '../src/fastify.ts'
import { signedIn as inHono } from '../src/hono.ts'
import type { Verifier } from '../src/index.ts'
import { openIssuer, until } from './issuer.ts'

/** Begins the answer in the route's place, and ends it. */
type Late = { begin(): void; end(): void }

type Scene = {
  readonly verifier: Verifier
  /** Each call hands over how it can be answered before its verdict is there. */
  readonly called: (late: Late) => void
  /** The route has been reached. */
  readonly reached: () => void
}

const lateIn = (response: ServerResponse): Late => ({
  begin: () => void response.writeHead(503).write('slow'),
  end: () => void response.end(),
})

async function listen(t: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const services: Readonly<Record<string, (t: TestContext, scene: Scene) => Promise<string>>> = {
  'node:http': (t, { verifier, called, reached }) =>
    listen(t, (request, response) => {
      called(lateIn(response))
      inExpress(verifier)(request, response, error => {
        assert.ifError(error)
        reached()
        response.end('fine')
      })
    }),
  Express: (t, { verifier, called, reached }) => {
    const service = express()
    service.use((_request, response, next) => {
      called(lateIn(response))
      next()
    })
    service.use(inExpress(verifier))
    service.get('/', (_request, response) => {
      reached()
      response.send('fine')
    })
    return listen(t, service)
  },
  Fastify: async (t, { verifier, called, reached }) => {
    const service = Fastify()
    service.addHook('onRequest', async (_request, reply) => called(lateIn(reply.raw)))
    service.addHook('onRequest', inFastify(verifier))
    service.get('/', async () => {
      reached()
      return 'fine'
    })
    t.after(() => {
      service.server.closeAllConnections()
      return service.close()
    })
    return service.listen({ host: '127.0.0.1', port: 0 })
  },
  Hono: (t, { verifier, called, reached }) => {
    const service = new Hono()
      .use(async (c, next) => {
        const late = Promise.withResolvers<void>()
        called({ begin: late.resolve, end: () => undefined })
        const slow = late.promise.then(() => {
          c.res = new Response('slow', { status: 503 })
        })
        await Promise.race([next(), slow])
      })
      .use(inHono(verifier))
      .get('/', c => {
        reached()
        return c.text('fine')
      })
    return listen(t, getRequestListener(service.fetch))
  },
}

for (const [framework, open] of Object.entries(services)) {
  for (const who of ['anybody', 'somebody who is signed in']) {
    test(`${framework}: a call of ${who} that is answered before the verdict is left alone, and the service lives`, async t => {
      const issuer = await openIssuer(t)
      const held: (() => void)[] = []
      issuer.answers.keys = (response, asked) => held.push(() => issuer.well.keys(response, asked))
      const verifier = issuer.verifier()
      const lates: Late[] = []
      let reached = 0
      const url = await open(t, {
        verifier,
        called: late => lates.push(late),
        reached: () => reached++,
      })
      const good = { authorization: `Bearer ${issuer.token()}` }
      const call = (headers: Readonly<Record<string, string>>) => fetch(url, { headers })

      const answer = call(who === 'anybody' ? { authorization: 'Bearer a.b.c' } : good)
      await until(() => held.length === 1, 'the verdict waits for Rusk')
      lates[0]?.begin()
      const { status, body } = await answer
      assert.equal(status, 503)
      assert.ok(body)
      held[0]?.()
      await verifier.ready()
      assert.ok((await verifier.verify(issuer.token())).verified)
      await turn()
      lates[0]?.end()
      assert.equal(await new Response(body).text(), 'slow')
      assert.equal(reached, 0)

      const next = await call(good)
      assert.deepEqual([next.status, await next.text(), reached], [200, 'fine', 1])
    })
  }
}

test('what `next` throws, at once or later, is said on stderr, and the service lives', async t => {
  const issuer = await openIssuer(t)
  const verifier = issuer.verifier()
  const said = t.mock.method(console, 'error', () => undefined).mock
  const handlers: ((response: ServerResponse) => unknown)[] = [
    response => {
      response.end('first')
      throw new Error('at once')
    },
    async response => {
      response.end('second')
      throw new Error('later')
    },
    response => response.end('third'),
  ]
  const guard = inExpress(verifier)
  const url = await listen(t, (request: IncomingMessage, response) =>
    guard(request, response, () => handlers.shift()?.(response)),
  )
  const headers = { authorization: `Bearer ${issuer.token()}` }
  for (const text of ['first', 'second', 'third'])
    assert.equal(await (await fetch(url, { headers })).text(), text)
  const errors = said.calls.map(({ arguments: [about, error] }) => [about, String(error)])
  assert.deepEqual(errors, [
    ['@rusk/verify: next has thrown', 'Error: at once'],
    ['@rusk/verify: next has thrown', 'Error: later'],
  ])
})
