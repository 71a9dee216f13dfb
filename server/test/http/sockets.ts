// The http room behind a real socket: what is sent and what comes back, byte for byte.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { type Listening, listen, type Patience } from '../../src/http/node.ts'
import { session, type Tries, tryHttp, user } from './tiny.ts'

export const holder = { user, session, accessEndsAt: 600_000 }
export const recall = (access: string) => (access === 'good' ? holder : undefined)
export const silent = { info: () => undefined, warn: () => undefined, error: () => undefined }

/** Listens on some port until the test ends. The access token `good` is remembered. */
export async function open(t: TestContext, tries: Tries = {}, patience: Partial<Patience> = {}) {
  const tried = tryHttp({ recall, script: () => ({ done: holder, tokens: {} }), ...tries })
  const listening = await listen({ http: tried.http, host: '127.0.0.1', port: 0, log: silent, patience })
  const dialled: Socket[] = []
  t.after(() => {
    for (const socket of dialled) socket.destroy()
    return listening.close()
  })
  /** A connection whose client never closes its half. */
  const dial = (): Socket => {
    const socket = connect({ port: listening.port, host: '127.0.0.1', allowHalfOpen: true })
    dialled.push(socket)
    return socket.on('error', () => undefined)
  }
  return { ...tried, listening, dial, raw: (text: string, answers?: number) => raw(listening, text, answers) }
}

/** Milliseconds until something that must happen is taken not to; far more than it takes on the busiest machine. */
const longest = 20_000

/**
 * Whether `got` holds so many whole answers. After one that is the last of its connection only the close tells. Every answer
 * of the server's says how long it is; `HEAD` has no body whatever it says.
 */
function isWhole(got: string, answers: number, toHead: boolean): boolean {
  let rest = got
  for (let left = answers; left > 0; ) {
    const head = rest.slice(0, rest.indexOf('\r\n\r\n') + 4)
    if (!head.endsWith('\r\n\r\n') || /^Connection: close\r$/im.test(head)) return false
    const length = toHead ? 0 : Number(/^Content-Length: (\d+)\r$/im.exec(head)?.[1] ?? 0)
    if (rest.length < head.length + length) return false
    rest = rest.slice(head.length + length)
    if (!/^HTTP\/1\.1 1/.test(head)) left -= 1
  }
  return true
}

/** Sends exactly this and returns everything that comes back until the server closes, or until so many answers are there. */
export async function raw({ port }: Pick<Listening, 'port'>, text: string, answers = 1): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  let got = ''
  let isLate = false
  socket.setEncoding('latin1').on('data', chunk => {
    got += chunk
    if (isWhole(got, answers, text.startsWith('HEAD '))) socket.destroy()
  })
  socket.setTimeout(longest, () => {
    isLate = true
    socket.destroy()
  })
  socket.on('error', () => socket.destroy())
  socket.write(text, 'latin1')
  await once(socket, 'close')
  if (isLate) throw new Error(`Neither ${answers} answers nor the end, but: ${got}`)
  return got
}

/** The server's end of the next connection of this process. */
export function nextAccepted(): Promise<Socket> {
  return new Promise(resolve => {
    const take = (message: unknown) => {
      unsubscribe('net.server.socket', take)
      resolve((message as { socket: Socket }).socket)
    }
    subscribe('net.server.socket', take)
  })
}

/** Resolves when this has happened to the socket; rejects when it does not. */
export const happened = (socket: Socket, event: 'close' | 'data' | 'end' | 'error'): Promise<unknown> =>
  once(socket, event, { signal: AbortSignal.timeout(longest) })

export const lines = (...head: readonly string[]) => `${head.join('\r\n')}\r\n\r\n`
export const get = (...more: readonly string[]) => lines('GET /me HTTP/1.1', 'Host: x', ...more)
export const statuses = (text: string) =>
  [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(match => Number(match[1]))
