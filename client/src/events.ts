// Streams of server-sent events (HTML Standard §9.2.6) by a client's fetch. Owns their reading and their end.
import type { Client } from './contract.ts'
import { refusalOf } from './error.ts'

export type ServerEvent = {
  /** `message` where the server names none. */
  readonly event: string
  readonly data: string
  /** The last id the server named so far; '' if none. */
  readonly id: string
}

/** Each event as it comes; ends with the stream. Leaving the loop early closes it. */
export async function* readEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<ServerEvent, void> {
  const reader = body.getReader()
  const decoder = new TextDecoder()
  let rest = ''
  let halfEnd = false
  let event = ''
  let data = ''
  let id = ''
  try {
    for (;;) {
      const { value, done } = await reader.read()
      if (done) return
      const text = decoder.decode(value, { stream: true })
      if (text === '') continue
      // A carriage return ends its line at once; a line feed after it, in the next piece, ends nothing.
      const lines = (halfEnd ? text.replace(/^\n/, '') : text).split(/\r\n?|\n/)
      halfEnd = text.endsWith('\r')
      // What is left over is not searched again: a line may come in any number of pieces.
      lines[0] = rest + lines[0]
      rest = lines.pop() ?? ''
      for (const line of lines) {
        const [, name, content = ''] = /^([^:]*):? ?(.*)$/s.exec(line) ?? []
        if (line === '') {
          if (data) yield { event: event || 'message', data: data.slice(0, -1), id }
          event = data = ''
        } else if (name === 'data') data += `${content}\n`
        else if (name === 'event') event = content
        else if (name === 'id' && !content.includes('\0')) id = content
      }
    }
  } finally {
    // Whoever stops listening is not to wait for the connection; its failure says nothing any more.
    reader.cancel().catch(() => {})
  }
}

/**
 * Server-sent events by `client.fetch`, with its rules: renewed ahead of time, repeated once after a 401. Ends with the
 * stream, and when its person is not signed in any more. An answer that is no 2xx rejects with `stream_refused`: with its
 * `status` and `retryAfter`, its JSON as `cause`, and the `detail` of that, where it has one, as the sentence.
 */
export async function* stream(
  client: Client<unknown>,
  input: RequestInfo | URL,
  init: RequestInit = {},
): AsyncGenerator<ServerEvent, void> {
  const asked = new Request(input, init)
  const ended = new AbortController()
  const { signal } = ended
  const abort = () => ended.abort(asked.signal.reason)
  asked.signal.addEventListener('abort', abort, { signal })
  let whose = client.userId
  const before = client.state
  const off = client.subscribe(now => {
    whose ??= client.userId
    if (now !== before && (now.status === 'signed-out' || client.userId !== whose)) ended.abort()
  })
  try {
    asked.signal.throwIfAborted()
    asked.headers.set('accept', 'text/event-stream')
    const answer = await client.fetch(asked, { signal })
    if (!answer.ok) {
      const said: unknown = await answer.json().catch(() => asked.signal.throwIfAborted())
      const { detail } = Object(said)
      throw refusalOf(answer, typeof detail === 'string' ? { detail } : {}, 'stream_refused', said)
    }
    if (answer.body) yield* readEvents(answer.body)
  } catch (error) {
    if (asked.signal.aborted || !signal.aborted) throw error
  } finally {
    off()
    ended.abort()
  }
}
