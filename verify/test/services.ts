// One small service in each framework that @rusk/verify is for: who calls, and a stream that lasts as long as the session.
// And how it is asked, byte for byte. Knows no rule that says who is let in.
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { type Duplex, PassThrough } from 'node:stream'
import type { TestContext } from 'node:test'
import { getRequestListener } from '@hono/node-server'
import express from 'express'
import Fastify from 'fastify'
import { Hono } from 'hono'
import { streamSSE } from 'hono/streaming'
import { type WebSocket, WebSocketServer } from 'ws'
import { signedIn as inExpress } from '../src/express.ts'
import { signedIn as inFastify } from '../src/fastify.ts'
import { signedIn as inHono } from '../src/hono.ts'
import { type AccessClaims, respond, type Verifier, type Why, writeRefusal } from '../src/index.ts'

export const app = 'https://app.example'

type Until = Pick<TestContext, 'after'>

/** Begins to serve on loopback and resolves with the port. `/me` says who calls, `/events` streams until the session ends. */
export type Service = (t: Until, verifier: Verifier) => Promise<number>

const whoIs = ({ sub, sid }: Pick<AccessClaims, 'sub' | 'sid'>) => ({ sub, sid })

const first = 'data: hello\n\n'

type Listener = (request: IncomingMessage, response: ServerResponse) => void

async function listen(t: Until, listener: Listener): Promise<number> {
  const server = createServer(listener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

/** Server-sent events by Node's own means. */
function streamOver(verifier: Verifier, claims: AccessClaims, response: ServerResponse): void {
  response.writeHead(200, { 'Content-Type': 'text/event-stream' }).write(first)
  response.on(
    'close',
    verifier.whenEnded(claims, () => response.end()),
  )
}

const onNode: Service = (t, verifier) => {
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const verdict = await verifier.check(request)
    if ('rejected' in verdict) {
      const { status, headers, body } = writeRefusal(verdict)
      response.writeHead(status, headers).end(body)
    } else if (request.url === '/events') streamOver(verifier, verdict.verified, response)
    else response.setHeader('Content-Type', 'application/json').end(JSON.stringify(whoIs(verdict.verified)))
  }
  return listen(t, (request, response) => void answer(request, response))
}

const onExpress: Service = (t, verifier) => {
  const service = express()
  service.use((_request, response, next) => {
    response.setHeader('Access-Control-Allow-Origin', app)
    next()
  })
  service.use(inExpress(verifier))
  service.get('/events', ({ auth }, response) => {
    if (auth) streamOver(verifier, auth, response)
  })
  service.all('/me', ({ auth }, response) => void response.json(auth && whoIs(auth)))
  return listen(t, service)
}

const onFastify: Service = async (t, verifier) => {
  const service = Fastify()
  service.addHook(
    'onRequest',
    async (_request, reply) => void reply.header('Access-Control-Allow-Origin', app),
  )
  service.addHook('onRequest', inFastify(verifier))
  service.get('/events', ({ auth }, reply) => {
    const events = new PassThrough()
    events.write(first)
    if (auth) {
      reply.raw.on(
        'close',
        verifier.whenEnded(auth, () => events.end()),
      )
    }
    return reply.header('Content-Type', 'text/event-stream').send(events)
  })
  service.route({
    method: ['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE'],
    url: '/me',
    handler: async ({ auth }) => auth && whoIs(auth),
  })
  await service.listen({ host: '127.0.0.1', port: 0 })
  t.after(() => {
    service.server.closeAllConnections()
    return service.close()
  })
  return (service.server.address() as AddressInfo).port
}

/** Without our hook: Fastify's own request is handed to the verifier. */
const onFastifyByHand: Service = async (t, verifier) => {
  const service = Fastify()
  service.all('/me', async (request, reply) => {
    const verdict = await verifier.check(request)
    if (verdict.verified) return whoIs(verdict.verified)
    const { status, headers, body } = writeRefusal(verdict)
    return reply.code(status).headers(headers).send(body)
  })
  service.get('/events', async (request, reply) => {
    const verdict = await verifier.check(request)
    if ('rejected' in verdict) return reply.code(verdict.status).send()
    reply.hijack()
    streamOver(verifier, verdict.verified, reply.raw)
  })
  await service.listen({ host: '127.0.0.1', port: 0 })
  t.after(() => {
    service.server.closeAllConnections()
    return service.close()
  })
  return (service.server.address() as AddressInfo).port
}

const onHono: Service = (t, verifier) => {
  const service = new Hono()
  service.use((c, next) => {
    c.header('Access-Control-Allow-Origin', app)
    return next()
  })
  const signed = service.use(inHono(verifier))
  signed.get('/events', c =>
    streamSSE(c, async stream => {
      const over = Promise.withResolvers<void>()
      stream.onAbort(verifier.whenEnded(c.get('auth'), () => over.resolve()))
      await stream.write(first)
      await over.promise
    }),
  )
  signed.all('/me', c => c.json(whoIs(c.get('auth'))))
  return listen(t, getRequestListener(service.fetch))
}

/** A handler from Request to Response, as Deno, Bun, Next and service workers take one. */
const onWeb: Service = (t, verifier) => {
  const answer = async (request: Request): Promise<Response> => {
    const verdict = await verifier.check(request)
    if ('rejected' in verdict) return respond(verdict)
    const claims = verdict.verified
    if (new URL(request.url).pathname !== '/events') return Response.json(whoIs(claims))
    let stop = () => {}
    const events = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(Buffer.from(first))
        stop = verifier.whenEnded(claims, () => controller.close())
      },
      cancel: () => stop(),
    })
    return new Response(events, { headers: { 'Content-Type': 'text/event-stream' } })
  }
  return listen(t, getRequestListener(answer))
}

export const services: Readonly<Record<string, Service>> = {
  'node:http': onNode,
  'Express 5': onExpress,
  'Fastify 5': onFastify,
  'Fastify 5, asked by hand': onFastifyByHand,
  Hono: onHono,
  'a Web-standard handler': onWeb,
}

/** The services whose pages are on another origin: refusals must be readable there. */
export const withCors: readonly string[] = ['Express 5', 'Fastify 5', 'Hono']

function refuseUpgrade(socket: Duplex, refusal: ReturnType<typeof writeRefusal>): void {
  const lines = Object.entries({ ...refusal.headers, Connection: 'close' }).map(
    ([name, value]) => `${name}: ${value}`,
  )
  const head = `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status]}\r\n${lines.join('\r\n')}\r\n\r\n`
  // Whoever does not hang up is hung up on.
  socket.end(head + refusal.body, () => socket.destroy())
}

const closing: Readonly<Record<Why, number>> = {
  access_revoked: 4401,
  access_expired: 4401,
  unavailable: 1013,
}

/** Whoever takes no notice is there no longer after two seconds. */
function endSocket(socket: WebSocket, why: Why): void {
  socket.close(closing[why], why)
  setTimeout(() => socket.terminate(), 2000).unref()
}

/** Sockets by `ws`: each says who calls, and is closed with why when the session ends. */
export const onSockets: Service = async (t, verifier) => {
  const sockets = new WebSocketServer({ noServer: true })
  const server = createServer((_request, response) => response.writeHead(426).end())
  const upgrade = async (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    // Nobody else listens for it: a caller who hangs up would end the process.
    socket.on('error', () => socket.destroy())
    const verdict = await verifier.check(request)
    if ('rejected' in verdict) return refuseUpgrade(socket, writeRefusal(verdict))
    const claims = verdict.verified
    sockets.handleUpgrade(request, socket, head, opened => {
      // A frame that is none, which `ws` has closed the connection for.
      opened.on('error', () => undefined)
      opened.on(
        'close',
        verifier.whenEnded(claims, why => endSocket(opened, why)),
      )
      opened.send(JSON.stringify(whoIs(claims)))
    })
  }
  server.on('upgrade', (request, socket, head) => void upgrade(request, socket, head))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    for (const each of sockets.clients) each.terminate()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

export type Answer = {
  readonly status: number
  /** By lower-case name. */
  readonly headers: ReadonlyMap<string, string>
  readonly body: string
}

/** Sends exactly this head and reads until the connection is closed. A line that is empty is not sent. */
export async function send(port: number, method: string, ...lines: readonly string[]): Promise<Answer> {
  const socket = connect(port, '127.0.0.1')
  let got = ''
  socket.setEncoding('latin1').on('data', chunk => {
    got += chunk
  })
  const upgrades = lines.some(line => /^upgrade:/i.test(line))
  const request = [
    `${method} /me HTTP/1.1`,
    'Host: service.example',
    upgrades ? 'Connection: Upgrade, close' : 'Connection: close',
    ...(method === 'GET' || method === 'HEAD' ? [] : ['Content-Length: 0']),
    ...lines,
  ]
  socket.write(`${request.join('\r\n')}\r\n\r\n`, 'latin1')
  await once(socket, 'close')
  const at = got.indexOf('\r\n\r\n')
  const [top = '', ...head] = got.slice(0, at).split('\r\n')
  const headers = new Map(
    head.map(line => [
      line.slice(0, line.indexOf(':')).toLowerCase(),
      line.slice(line.indexOf(':') + 1).trim(),
    ]),
  )
  const rest = got.slice(at + 4)
  const body = headers.get('transfer-encoding') === 'chunked' ? unchunk(rest) : rest
  return { status: Number(/^HTTP\/1\.1 (\d{3})/.exec(top)?.[1]), headers, body }
}

/** RFC 9112 §7.1; of texts without anything beyond ASCII. */
function unchunk(text: string): string {
  let body = ''
  for (let at = 0; ; ) {
    const line = text.indexOf('\r\n', at)
    const size = Number.parseInt(text.slice(at, line), 16)
    if (!(size > 0)) return body
    body += text.slice(line + 2, line + 2 + size)
    at = line + 2 + size + 2
  }
}

/** Opens the stream and waits for its first event. `over`: the response has ended, as it should or by a break. */
export async function openStream(port: number, ...lines: readonly string[]) {
  const socket = connect(port, '127.0.0.1')
  let got = ''
  const begun = Promise.withResolvers<void>()
  const over = Promise.withResolvers<'ended' | 'broken'>()
  socket.setEncoding('latin1').on('data', chunk => {
    got += chunk
    if (got.includes('data: hello')) begun.resolve()
    if (got.endsWith('\r\n0\r\n\r\n')) over.resolve('ended')
  })
  socket.on('error', () => over.resolve('broken'))
  socket.on('close', () => {
    over.resolve('broken')
    begun.reject(new Error(`no stream: ${got}`))
  })
  socket.write(['GET /events HTTP/1.1', 'Host: service.example', ...lines, '', ''].join('\r\n'), 'latin1')
  await begun.promise
  return { over: over.promise, leave: () => socket.destroy() }
}
