// The calls of one connection take turns: one is answered at a time, a few wait, and none is begun after the last answer
// (RFC 9112 §9.3.2, §9.6). Decides what a client that does not wait for answers may cost; reads and writes nothing itself.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** Calls that came before their turn. No browser and no proxy sends even one; beyond it the connection is dropped. */
const mostWaiting = 16

/** So that connections of long-lived proxies spread anew over several servers. */
const usualCalls = 100_000

type Turn = { readonly response: ServerResponse; readonly begin: () => void }

type Line = {
  calls: number
  /** The latest that was begun. */
  current: ServerResponse | undefined
  readonly waiting: Turn[]
}

export type Turns = {
  /** Begins now, or when the answer before is on its way, or never. `hasBody`: one with a body does not wait. */
  take(request: IncomingMessage, response: ServerResponse, hasBody: boolean, begin: () => void): void
  /** Whether bytes written now would come before, or into, the answer to a call that has come whole. */
  owesAnswer(socket: Socket): boolean
}

function next(line: Line): void {
  // After an answer that is the last, the socket is on its way out: nothing is read or done for it any more.
  if (line.current?.shouldKeepAlive === false) return
  const turn = line.waiting.shift()
  if (!turn) return
  line.current = turn.response
  if (line.waiting.length > 0) turn.response.once('finish', () => next(line))
  turn.begin()
}

const isFree = ({ current, waiting }: Line): boolean =>
  waiting.length === 0 && (current === undefined || (current.writableFinished && current.shouldKeepAlive))

/** `mostCalls`: on one connection; the answer to the last says that it is. */
export function openTurns(mostCalls = usualCalls): Turns {
  const lines = new WeakMap<Socket, Line>()
  return {
    take({ socket }, response, hasBody, begin) {
      const line: Line = lines.get(socket) ?? { calls: 0, current: undefined, waiting: [] }
      if (line.calls === 0) lines.set(socket, line)
      line.calls += 1
      if (line.calls >= mostCalls) response.shouldKeepAlive = false
      if (isFree(line)) {
        line.current = response
        begin()
        return
      }
      // What waits is held: heads, a few of them, but no bodies.
      if (hasBody || line.waiting.length === mostWaiting) {
        socket.destroy()
        return
      }
      line.waiting.push({ response, begin })
      if (line.waiting.length === 1) line.current?.once('finish', () => next(line))
    },
    owesAnswer(socket) {
      const line = lines.get(socket)
      if (!line?.current || (line.waiting.length === 0 && line.current.writableFinished)) return false
      return line.waiting.length > 0 || line.current.headersSent || line.current.req.complete
    },
  }
}
