// A service of somebody's own behind @rusk/verify, on loopback, and how an attacker asks it: byte for byte.
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { createVerifier, type Options, type Verifier, writeRefusal } from '../src/index.ts'
import type { Ending } from './rusk.ts'

export type Answer = {
  /** 0: the connection was closed without one. */
  readonly status: number
  readonly head: string
  readonly body: string
  /** Milliseconds until the connection was closed. */
  readonly took: number
}

export type Sample = {
  readonly verifier: Verifier
  /** Sends a GET with these header lines, each as it stands, and resolves with all that comes back. */
  ask(...lines: readonly string[]): Promise<Answer>
}

/** Ends with the test. Answers with `sub` and `sid` of whoever calls. */
export async function runSample(t: Ending, options: Options): Promise<Sample> {
  const verifier = createVerifier(options)
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const verdict = await verifier.check(request)
    const write = (status: number, headers: Readonly<Record<string, string>>, body: string) =>
      response.writeHead(status, { ...headers, 'Content-Length': Buffer.byteLength(body) }).end(body)
    if ('rejected' in verdict) {
      const { status, headers, body } = writeRefusal(verdict)
      write(status, headers, body)
      return
    }
    const { sub, sid } = verdict.verified
    write(200, { 'Content-Type': 'application/json' }, JSON.stringify({ sub, sid }))
  }
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      response.destroy()
      // Unhandled on purpose: nothing that a call carries may make the verifier throw.
      throw error
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    verifier.close()
    server.closeAllConnections()
    server.close()
  })
  await verifier.ready()
  const { port } = server.address() as AddressInfo
  return { verifier, ask: (...lines) => ask(port, lines) }
}

async function ask(port: number, lines: readonly string[]): Promise<Answer> {
  const began = performance.now()
  const socket = connect(port, '127.0.0.1')
  let got = ''
  socket.setEncoding('latin1').on('data', chunk => {
    got += chunk
  })
  // A server that has read enough closes while we still write.
  socket.on('error', () => socket.destroy())
  const request = ['GET /notes HTTP/1.1', 'Host: sample', 'Connection: close', ...lines]
  socket.write(`${request.join('\r\n')}\r\n\r\n`, 'latin1')
  await new Promise(resolve => socket.once('close', resolve))
  const [head = '', body = ''] = got.split('\r\n\r\n', 2)
  return {
    status: Number(/^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1] ?? 0),
    head,
    body,
    took: performance.now() - began,
  }
}
