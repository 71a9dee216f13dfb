// Listens on node:http: calls out of requests, answers onto sockets, limits of time and size. Decides nothing about a call
// but whether its target and host are ones that only one reader could mean. Whose turn it is on a socket is turns.ts.
import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { misuse } from '../core/fault.ts'
import { type Answer, type Body, type Call, type Log, splitTarget } from './call.ts'
import { openGathering } from './gather.ts'
import type { Http } from './handle.ts'
import { openTurns } from './turns.ts'

export type ListenOptions = {
  readonly http: Pick<Http, 'call' | 'hot' | 'floor'>
  readonly host: string
  /** 0: any that is free. */
  readonly port: number
  readonly log: Log
  /** In place of what is usual; tests have less patience. */
  readonly patience?: Partial<Patience>
}

/** Milliseconds; beyond them a connection is let go. */
export type Patience = {
  /** Until the head of a call is there; also until the first begins to come. */
  readonly head: number
  /** Until all of it is there. */
  readonly call: number
  /** How late the two above may be. */
  readonly check: number
  /** While an answer waits to be read and nothing of it is. What the kernel still took in between makes it twice as long. */
  readonly unread: number
}

export type Listening = {
  readonly host: string
  readonly port: number
  /** `http://127.0.0.1:8000` */
  readonly url: string
  /** Stops accepting, lets what is in flight finish for at most nine seconds, then closes every socket. */
  readonly close: () => Promise<void>
}

const second = 1000

/** From the last answer in flight to the end of the process there are ten seconds; one is left for the store. */
const farewell = 9 * second

/** `unread` is the longest: a body that stops half way is told so before the connection goes. */
const usual: Patience = { head: 15 * second, call: 30 * second, check: second, unread: 35 * second }

const limits = {
  maxHeaderSize: 16 * 1024,
  /** Longer than proxies keep theirs (60 s), so that none sends a call into a socket that is being closed. */
  keepAliveTimeout: 65 * second,
  joinDuplicateHeaders: true,
  /** Looked at below, and refused with the floor's headers. */
  requireHostHeader: false,
} as const

const mostConnections = 10_000

const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0

/** At most `most` bytes. */
function readBody(request: IncomingMessage, most: number): Promise<Body> {
  const announced = Number(request.headers['content-length'] ?? 0)
  if (announced > most) return Promise.resolve('too_large')
  if (!hasBody(request)) return Promise.resolve(new Uint8Array())
  return new Promise(resolve => {
    const gathering = openGathering(most)
    let refused = false
    request.on('data', (chunk: Buffer) => {
      // What still comes until the refusal is written is let go of, not kept.
      if (refused || gathering.add(chunk)) return
      refused = true
      resolve('too_large')
    })
    request.on('end', () => resolve(gathering.bytes()))
    request.on('close', () => resolve('cut_short'))
  })
}

/** `target`: what readTarget gave. */
const readCall = (request: IncomingMessage, target: string): Call => ({
  id: randomUUID(),
  method: request.method ?? '',
  ...splitTarget(target),
  header: name => {
    const value = request.headers[name]
    return Array.isArray(value) ? value.join(', ') : value
  },
  address: request.socket.remoteAddress,
  body: most => readBody(request, most),
})

const authority = /^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::(\d{1,5}))?$/

/** A host that came twice is joined by a comma, and so is none. HTTP/1.0 alone knows calls without one. */
const isHost = (host: string | undefined, version: string): boolean => {
  if (host === undefined) return version === '1.0'
  const match = authority.exec(host)
  return match !== null && Number(match[1] ?? 0) <= 65_535
}

/**
 * The path of a request target (RFC 9112 §3.2), undefined when the target and Host contradict each other or there is no
 * path in it. With its query, if it has one.
 */
function readTarget(target: string, host: string | undefined): string | undefined {
  if (target.startsWith('/')) return target
  const absolute = /^https?:\/\/([^/?#]*)(\/[^#]*)?$/i.exec(target)
  return absolute && absolute[1]?.toLowerCase() === host?.toLowerCase() ? (absolute[2] ?? '/') : undefined
}

/** Names and values in turn, as writeHead takes them fastest. An answer that is given again is flattened once. */
function openFlattener(): (answer: Answer) => string[] {
  const flat = new WeakMap<Answer, string[]>()
  return answer => {
    const known = flat.get(answer)
    if (known) return known
    const made = Object.entries(answer.headers).flat()
    for (const line of answer.cookies) made.push('Set-Cookie', line)
    if (answer.body.length > 0) made.push('Content-Length', String(Buffer.byteLength(answer.body)))
    flat.set(answer, made)
    return made
  }
}

const badRequests: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
}

/** What the parser would not take: there is no request to answer to, so the answer is written by hand and is the last. */
function refuseRaw(error: NodeJS.ErrnoException, socket: Socket, floor: Http['floor']): void {
  const lines = Object.entries({ ...floor, 'Content-Length': '0', Connection: 'close' })
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  socket.write(`HTTP/1.1 ${badRequests[error.code ?? ''] ?? '400 Bad Request'}\r\n${head}\r\n`)
  // A client that never closes its half would keep the connection for ever.
  socket.destroySoon()
}

const advice: Readonly<Record<string, readonly [wrong: string, instead: string]>> = {
  EADDRINUSE: ['something else listens there already', 'Stop it, or choose another port'],
  EACCES: ['this user may not listen there', 'Choose a port from 1024 up'],
  ENOTFOUND: ['there is no such host', 'Write an address of this machine, as 127.0.0.1 or 0.0.0.0'],
  EADDRNOTAVAIL: ['this machine does not have that address', 'Write one of its own, as 127.0.0.1 or 0.0.0.0'],
}

function opened(server: Server, host: string, port: number): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const [wrong, instead] = advice[error.code ?? ''] ?? []
      const about = `${host}:${port}`
      reject(wrong && instead ? misuse(about, wrong, instead) : error)
    })
    server.listen({ host, port }, () => {
      const address = server.address()
      if (address === null || typeof address === 'string') reject(new Error('There is no port to listen on'))
      else resolve(address)
    })
  })
}

/** Resolves when calls are taken. Rejects with `Misuse` when host or port cannot be had. */
export async function listen({ http, host, port, log, patience }: ListenOptions): Promise<Listening> {
  const { floor } = http
  const { head, call, check, unread } = { ...usual, ...patience }
  const flatten = openFlattener()
  const turns = openTurns()
  let closing = false

  const write = (request: IncomingMessage, response: ServerResponse, answer: Answer): void => {
    // A body that nobody has read would be taken for the next request.
    if (closing || (!request.complete && hasBody(request))) response.shouldKeepAlive = false
    response.writeHead(answer.status, flatten(answer))
    if (answer.body.length === 0) response.end()
    else response.end(answer.body)
  }
  const refuse = (request: IncomingMessage, response: ServerResponse, status: number): void => {
    response.shouldKeepAlive = false
    write(request, response, { status, headers: { ...floor, 'Content-Length': '0' }, cookies: [], body: '' })
  }

  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const { method, headers, httpVersion, url = '' } = request
    const target = isHost(headers.host, httpVersion) ? readTarget(url, headers.host) : undefined
    if (target === undefined) {
      refuse(request, response, 400)
      return
    }
    const hot = method === 'GET' && !hasBody(request) ? http.hot(target, headers) : undefined
    if (hot) {
      write(request, response, hot)
      return
    }
    http.call(readCall(request, target)).then(
      made => write(request, response, made),
      error => {
        log.error({ err: error }, 'a call could not be answered')
        refuse(request, response, 500)
      },
    )
  }

  const times = { headersTimeout: head, requestTimeout: call, connectionsCheckingInterval: check }
  const server = createServer({ ...limits, ...times }, (request, response) =>
    turns.take(request, response, hasBody(request), () => answer(request, response)),
  )
  server.maxConnections = mostConnections
  // Node lets go of a socket on which nothing has moved for so long, unless it is idle between calls.
  server.timeout = unread
  server.on('checkExpectation', (request, response) =>
    turns.take(request, response, hasBody(request), () => refuse(request, response, 417)),
  )
  server.on('clientError', (error: NodeJS.ErrnoException, duplex) => {
    const socket = duplex as Socket
    if (!socket.writable || error.code === 'ECONNRESET' || turns.owesAnswer(socket)) socket.destroy()
    else refuseRaw(error, socket, floor)
  })

  const at = await opened(server, host, port)
  const close = (): Promise<void> => {
    closing = true
    const last = setTimeout(() => server.closeAllConnections(), farewell)
    return new Promise((resolve, reject) => {
      server.close(error => {
        clearTimeout(last)
        if (error) reject(error)
        else resolve()
      })
    })
  }
  const name = at.family === 'IPv6' ? `[${at.address}]` : at.address
  return { host: at.address, port: at.port, url: `http://${name}:${at.port}`, close }
}
