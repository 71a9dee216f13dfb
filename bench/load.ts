// A load generator that costs little: prepared requests over keep-alive connections, one in flight on each.
import { connect } from 'node:net'

export type Load = {
  readonly port: number
  readonly connections: number
  /** The next request, whole; undefined ends the load. */
  readonly next: () => Buffer | undefined
  /** Milliseconds at most. */
  readonly for: number
}

export type Loaded = {
  readonly answers: number
  readonly seconds: number
  /** Milliseconds, sorted. */
  readonly latencies: Float64Array
  readonly statuses: ReadonlyMap<string, number>
}

const separator = Buffer.from('\r\n\r\n')

/** Length of the first answer in `data`, or undefined while it is not whole. Every answer carries Content-Length. */
function answerLength(data: Buffer): number | undefined {
  const end = data.indexOf(separator)
  if (end < 0) return undefined
  const head = data.toString('latin1', 0, end)
  const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0)
  return data.length >= end + 4 + length ? end + 4 + length : undefined
}

export async function load({ port, connections, next, for: most }: Load): Promise<Loaded> {
  const statuses = new Map<string, number>()
  const latencies: number[] = []
  const began = performance.now()
  const one = () =>
    new Promise<void>((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true })
      let data: Buffer = Buffer.alloc(0)
      let sent = 0
      const send = () => {
        const request = performance.now() - began < most ? next() : undefined
        if (!request) return socket.end(resolve)
        sent = performance.now()
        socket.write(request)
      }
      socket.once('connect', send)
      socket.once('error', reject)
      socket.on('data', (chunk: Buffer) => {
        data = data.length === 0 ? chunk : Buffer.concat([data, chunk])
        const length = answerLength(data)
        if (length === undefined) return
        latencies.push(performance.now() - sent)
        const status = data.toString('latin1', 9, 12)
        statuses.set(status, (statuses.get(status) ?? 0) + 1)
        data = data.subarray(length)
        send()
      })
    })
  await Promise.all(Array.from({ length: connections }, one))
  const seconds = (performance.now() - began) / 1000
  return { answers: latencies.length, seconds, latencies: Float64Array.from(latencies).sort(), statuses }
}

export const request = (lines: readonly string[], body = ''): Buffer =>
  Buffer.from(
    [
      ...lines,
      'Host: 127.0.0.1',
      ...(body ? ['Content-Type: application/json', `Content-Length: ${Buffer.byteLength(body)}`] : []),
      '',
      body,
    ].join('\r\n'),
  )
