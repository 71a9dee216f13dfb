// Listens on node:http: calls out of requests, answers onto sockets, limits of time and size. Decides nothing about a call
// but whether its target and host are ones that only one reader could mean.
import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { Misuse } from '../core/fault.ts'
import { type Answer, type Body, type Call, type Log, largestBody } from './call.ts'
import type { Http } from './handle.ts'

export type ListenOptions = {
  readonly http: Pick<Http, 'call' | 'hot' | 'floor'>
  readonly host: string
  /** 0: any that is free. */
  readonly port: number
  readonly log: Log
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
const patience = 9 * second

const limits = {
  maxHeaderSize: 16 * 1024,
  headersTimeout: 15 * second,
  requestTimeout: 30 * second,
  /** How late the two above may be. */
  connectionsCheckingInterval: second,
  /** Longer than proxies keep theirs (60 s), so that none sends a call into a socket that is being closed. */
  keepAliveTimeout: 65 * second,
  joinDuplicateHeaders: true,
  /** Looked at below, and refused with the floor's headers. */
  requireHostHeader: false,
} as const

const mostConnections = 10_000

/** So that connections of long-lived proxies spread anew over several servers. */
const mostCallsPerSocket = 100_000

const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0

function readBody(request: IncomingMessage): Promise<Body> {
  const announced = Number(request.headers['content-length'] ?? 0)
  if (announced > largestBody) return Promise.resolve('too_large')
  if (!hasBody(request)) return Promise.resolve(new Uint8Array())
  return new Promise(resolve => {
    const chunks: Buffer[] = []
    let length = 0
    request.on('data', (chunk: Buffer) => {
      length += chunk.length
      if (length > largestBody) resolve('too_large')
      else chunks.push(chunk)
    })
    request.on('end', () => resolve(Buffer.concat(chunks)))
    request.on('close', () => resolve('cut_short'))
  })
}

const readCall = (request: IncomingMessage, path: string): Call => ({
  id: randomUUID(),
  method: request.method ?? '',
  path,
  header: name => {
    const value = request.headers[name]
    return Array.isArray(value) ? value.join(', ') : value
  },
  address: request.socket.remoteAddress,
  body: () => readBody(request),
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
    if (answer.body !== '') made.push('Content-Length', String(Buffer.byteLength(answer.body)))
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
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy()
    return
  }
  const lines = Object.entries({ ...floor, 'Content-Length': '0', Connection: 'close' })
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  socket.end(`HTTP/1.1 ${badRequests[error.code ?? ''] ?? '400 Bad Request'}\r\n${head}\r\n`)
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
      reject(wrong && instead ? new Misuse([{ about, wrong, instead }]) : error)
    })
    server.listen({ host, port }, () => {
      const address = server.address()
      if (address === null || typeof address === 'string') reject(new Error('There is no port to listen on'))
      else resolve(address)
    })
  })
}

/** Resolves when calls are taken. Rejects with `Misuse` when host or port cannot be had. */
export async function listen({ http, host, port, log }: ListenOptions): Promise<Listening> {
  const { floor } = http
  const flatten = openFlattener()
  let closing = false

  const write = (request: IncomingMessage, response: ServerResponse, answer: Answer): void => {
    // A body that nobody has read would be taken for the next request.
    if (closing || (!request.complete && hasBody(request))) response.shouldKeepAlive = false
    response.writeHead(answer.status, flatten(answer))
    if (answer.body === '') response.end()
    else response.end(answer.body)
  }
  const refuse = (request: IncomingMessage, response: ServerResponse, status: number): void => {
    response.shouldKeepAlive = false
    write(request, response, { status, headers: { ...floor, 'Content-Length': '0' }, cookies: [], body: '' })
  }

  const server = createServer(limits, (request, response) => {
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
    const [path = '/'] = target.split('?', 1)
    http.call(readCall(request, path)).then(
      answer => write(request, response, answer),
      error => {
        log.error({ err: error }, 'a call could not be answered')
        refuse(request, response, 500)
      },
    )
  })
  server.maxConnections = mostConnections
  server.maxRequestsPerSocket = mostCallsPerSocket
  server.on('checkExpectation', (request, response) => refuse(request, response, 417))
  server.on('clientError', (error, socket) => refuseRaw(error, socket as Socket, floor))

  const at = await opened(server, host, port)
  const close = (): Promise<void> => {
    closing = true
    const last = setTimeout(() => server.closeAllConnections(), patience)
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
