// A proxy in front of a listening server that keeps answers back until the test lets them go: in any order, or never. It
// changes nothing of what passes and knows nothing of what it means.
import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { readSetCookie, type SetCookie } from '../dialects/jar.ts'

/** What the server answered, whether or not the browser ever hears of it. */
export type Answer = {
  readonly status: number
  /** The Cookie header of the call, as the browser composed it. */
  readonly sent: string | undefined
  readonly set: readonly SetCookie[]
  readonly retryAfter: string | undefined
  readonly body: Buffer
}

/** One call that is held. */
export type Held = {
  /** The whole call is here. */
  readonly came: Promise<void>
  /** Lets a call go on to the server whose request was held too. */
  forward(): void
  /** The server has answered, so it has committed; the browser has heard nothing. Rejects when the server broke off. */
  readonly answered: Promise<Answer>
  release(): void
  /** The connection to the browser breaks instead. */
  drop(): void
}

export type HoldingProxy = {
  /** On `localhost`. */
  readonly url: string
  readonly port: number
  /** Where calls go from now on. */
  to(server: string): void
  /** Holds the next call of this line (`POST /auth/login`) that is not held yet. Whatever nobody holds passes at once. */
  hold(line: string, how?: { readonly request: boolean }): Held
  close(): Promise<void>
}

type Slot = {
  readonly line: string
  readonly came: PromiseWithResolvers<void>
  readonly forwarded: PromiseWithResolvers<void>
  readonly answered: PromiseWithResolvers<Answer>
  /** Whether the browser hears the answer. */
  readonly heard: PromiseWithResolvers<boolean>
}

/** They belong to one connection, not to the message (RFC 9110 §7.6.1). */
const ofConnection = ['connection', 'keep-alive', 'transfer-encoding']

const withoutConnection = (raw: readonly string[]): string[] =>
  raw.filter((_, i) => !ofConnection.includes(raw[i - (i % 2)]?.toLowerCase() ?? ''))

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of message) chunks.push(chunk)
  return Buffer.concat(chunks)
}

async function ask(server: URL, call: IncomingMessage, body: Buffer): Promise<[IncomingMessage, Buffer]> {
  const { hostname, port } = server
  const { method = 'GET', url: path = '/' } = call
  const headers = [...withoutConnection(call.rawHeaders), 'Connection', 'close']
  const asked = request({ hostname, port, method, path, headers, agent: false })
  asked.end(body)
  const [answer] = (await once(asked, 'response')) as [IncomingMessage]
  return [answer, await bodyOf(answer)]
}

/**
 * Listens on a free port. `server`: where calls go, an origin; `pages`: documents that the proxy itself serves, by path, for
 * browsers that need a page on its origin.
 */
export async function startProxy(
  server?: string,
  pages: Readonly<Record<string, string>> = {},
): Promise<HoldingProxy> {
  let target = server
  let waiting: readonly Slot[] = []

  const slotFor = (call: IncomingMessage): Slot | undefined => {
    const line = `${call.method} ${call.url?.split('?')[0]}`
    const slot = waiting.find(each => each.line === line)
    waiting = waiting.filter(each => each !== slot)
    return slot
  }

  async function pass(call: IncomingMessage, reply: ServerResponse, slot: Slot | undefined): Promise<void> {
    const asked = await bodyOf(call)
    slot?.came.resolve()
    await slot?.forwarded.promise
    if (target === undefined) throw new Error('The proxy was told no server')
    const [answer, body] = await ask(new URL(target), call, asked)
    const { statusCode: status = 0, headers, rawHeaders } = answer
    slot?.answered.resolve({
      status,
      sent: call.headers.cookie,
      set: (headers['set-cookie'] ?? []).map(readSetCookie),
      retryAfter: headers['retry-after'],
      body,
    })
    if ((await slot?.heard.promise) === false) call.socket.destroy()
    else reply.writeHead(status, withoutConnection(rawHeaders)).end(body)
  }

  const front = createServer((call, reply) => {
    const page = pages[call.url ?? '']
    if (page !== undefined) {
      reply.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(page)
      return
    }
    const slot = slotFor(call)
    pass(call, reply, slot).catch((error: unknown) => {
      // As a browser sees a server that breaks off; whoever waits for the answer is told why.
      slot?.answered.reject(error)
      call.socket.destroy()
    })
  })
  front.listen(0, '127.0.0.1')
  await once(front, 'listening')
  const { port } = front.address() as AddressInfo

  return {
    url: `http://localhost:${port}`,
    port,
    to(next) {
      target = next
    },
    hold(line, how = { request: false }) {
      const slot: Slot = {
        line,
        came: Promise.withResolvers(),
        forwarded: Promise.withResolvers(),
        answered: Promise.withResolvers(),
        heard: Promise.withResolvers(),
      }
      if (!how.request) slot.forwarded.resolve()
      waiting = [...waiting, slot]
      return {
        came: slot.came.promise,
        forward: slot.forwarded.resolve,
        answered: slot.answered.promise,
        release: () => slot.heard.resolve(true),
        drop: () => slot.heard.resolve(false),
      }
    },
    async close() {
      front.closeAllConnections()
      front.close()
      await once(front, 'close')
    },
  }
}
