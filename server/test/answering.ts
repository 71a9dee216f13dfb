// A server of a test that answers each Request with a Response, on loopback, until the test ends. Knows nothing of Rusk.
import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'

/** `Response.error()` breaks the connection. */
export type Answering = (request: Request) => Promise<Response>

async function requestOf(call: IncomingMessage, scheme: string): Promise<Request> {
  const chunks: Buffer[] = []
  for await (const chunk of call) chunks.push(chunk)
  const { method = 'GET' } = call
  const headers = Object.entries(call.headers).map(([name, value]): [string, string] => [name, String(value)])
  const body = method === 'GET' || method === 'HEAD' ? null : Buffer.concat(chunks)
  return new Request(`${scheme}://${call.headers.host}${call.url}`, { method, headers, body })
}

async function write(answer: Response, reply: ServerResponse): Promise<void> {
  const body = Buffer.from(await answer.arrayBuffer())
  reply.writeHead(answer.status, [...answer.headers].flat()).end(body)
}

export type Where = {
  /** Default: `localhost`. */
  readonly host?: string
  /** Key and certificate; with them it speaks TLS. */
  readonly pem?: Buffer
}

/** Its port, which is a free one. */
export async function serveAnswers(
  t: TestContext,
  answering: Answering,
  { host = 'localhost', pem }: Where = {},
): Promise<number> {
  const take: RequestListener = (call, reply) => {
    requestOf(call, pem ? 'https' : 'http')
      .then(answering)
      .then(answer => (answer.type === 'error' ? void call.socket.destroy() : write(answer, reply)))
      // A call that its page has given up has nobody to be told.
      .catch(() => call.socket.destroy())
  }
  const server = pem ? createTlsServer({ key: pem, cert: pem }, take) : createServer(take)
  server.listen(0, host)
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}
