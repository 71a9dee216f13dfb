// WebSockets, by `ws`: one is opened for whoever is signed in at Rusk, and none outlives its session. A page can send the
// cookie alone, which goes to Rusk's own host; programs may send a bearer token.
import { createServer, type IncomingMessage, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { type AccessClaims, createVerifier, type Rejected, type Why, writeRefusal } from '@rusk/verify'
import { type WebSocket, WebSocketServer } from 'ws'

const verifier = createVerifier({
  issuer: process.env.RUSK_URL,
  serviceKey: process.env.RUSK_SERVICE_KEY,
  origins: ['https://app.example.com'], // pages that may open one, besides those of Rusk's own origin
})

export const server = createServer((_request, response) => response.writeHead(426).end())
const sockets = new WebSocketServer({ noServer: true, maxPayload: 64 * 1024 })

sockets.on('connection', (socket: WebSocket, _request: IncomingMessage, caller: AccessClaims) => {
  socket.on('message', data => {
    for (const each of sockets.clients) each.send(`${caller.sub} says ${data}`)
  })
})

server.on('upgrade', async (request, socket, head) => {
  // Whoever hangs up while `check` waits, or is refused, would else end the process.
  socket.on('error', () => socket.destroy())
  const verdict = await verifier.check(request)
  if ('rejected' in verdict) return refuse(socket, verdict)
  const caller = verdict.verified
  sockets.handleUpgrade(request, socket, head, opened => {
    // So would a frame that is none. The connection is closed by `ws`.
    opened.on('error', () => undefined)
    const stop = verifier.whenEnded(caller, why => end(opened, why))
    opened.on('close', stop)
    sockets.emit('connection', opened, request, caller)
  })
})

function refuse(socket: Duplex, rejected: Rejected): void {
  const { status, headers, body } = writeRefusal(rejected)
  const lines = Object.entries({ ...headers, Connection: 'close' }).map(pair => `${pair.join(': ')}\r\n`)
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n`
  socket.end(head + body, () => socket.destroy())
}

/** 4401: renew or sign in, and open it again. 1013 (RFC 6455 §7.4, IANA): try again in a moment. */
const codes: Readonly<Record<Why, number>> = { access_revoked: 4401, access_expired: 4401, unavailable: 1013 }

/** Whoever takes no notice may go on sending: nobody listens any more, and after two seconds nobody is there. */
function end(socket: WebSocket, why: Why): void {
  socket.removeAllListeners('message')
  socket.close(codes[why], why)
  setTimeout(() => socket.terminate(), 2000).unref()
}

server.listen(Number(process.env.PORT ?? 3001), '127.0.0.1')
