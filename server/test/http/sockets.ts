// The http room behind a real socket: what is sent and what comes back, byte for byte.
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { type Listening, listen, type Patience } from '../../src/http/node.ts'
import { session, type Tries, tryHttp, user } from './tiny.ts'

export const holder = { user, session }
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
  return { ...tried, listening, dial, raw: (text: string) => raw(listening, text) }
}

/** Sends exactly this and returns everything that comes back until the server closes, or until half a second of silence. */
export async function raw({ port }: Listening, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  let got = ''
  socket.setEncoding('latin1').on('data', chunk => {
    got += chunk
  })
  socket.setTimeout(500, () => socket.destroy())
  socket.on('error', () => socket.destroy())
  socket.write(text, 'latin1')
  await once(socket, 'close')
  return got
}

export const lines = (...head: readonly string[]) => `${head.join('\r\n')}\r\n\r\n`
export const get = (...more: readonly string[]) => lines('GET /me HTTP/1.1', 'Host: x', ...more)
export const statuses = (text: string) =>
  [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(match => Number(match[1]))
