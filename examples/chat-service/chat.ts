// A chat beside Rusk: the access token says who calls, and a stream lasts no longer than its session. Keeps what was said in
// memory, by user; how tokens are checked is the verifier's.
import { setTimeout as sleep } from 'node:timers/promises'
import type { AccessClaims, Verifier } from '@rusk/verify'
import { signedIn } from '@rusk/verify/hono'
import { type Context, Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { cors } from 'hono/cors'
import { type SSEMessage, streamSSE } from 'hono/streaming'

type Line = { readonly by: 'you' | 'chat'; readonly text: string }
type Signed = { Variables: { auth: AccessClaims } }
type Events = (signal: AbortSignal) => AsyncIterable<SSEMessage>

const longestMessage = 500

/** Of each user the newest so many are kept. */
const mostLines = 100

/** Nothing but a sign of life, each second. */
const tick: Events = async function* (signal) {
  for (;;) {
    yield { event: 'tick', data: 'still here' }
    await sleep(1000, undefined, { signal })
  }
}

/** Word by word. `stay`: goes on after them. */
const speak = (text: string, stay: boolean): Events =>
  async function* (signal) {
    for (const word of text.split(/(?<= )/)) {
      yield { data: word }
      await sleep(60, undefined, { signal })
    }
    if (stay) yield* tick(signal)
  }

/** `origins`: of the pages that may call, exactly as browsers send them. */
export function openChat(verifier: Verifier, origins: readonly string[]) {
  const said = new Map<string, readonly Line[]>()
  const keep = (user: string, ...lines: readonly Line[]) =>
    said.set(user, [...(said.get(user) ?? []), ...lines].slice(-mostLines))

  /** The events as long as the caller's session lasts; if it ends before they do, the last one says so. */
  const send = (c: Context<Signed>, events: Events) => {
    // nginx would keep words back until it has a few kilobytes of them.
    c.header('X-Accel-Buffering', 'no')
    return streamSSE(c, async stream => {
      const over = new AbortController()
      const stop = verifier.whenEnded(c.get('auth'), () => over.abort())
      stream.onAbort(() => over.abort())
      try {
        for await (const event of events(over.signal)) await stream.writeSSE(event)
      } catch (error) {
        if (!over.signal.aborted) throw error
        // Nobody is left to read it when it was the caller who hung up.
        if (!stream.aborted) await stream.writeSSE({ event: 'end', data: 'not signed in any more' })
      } finally {
        stop()
      }
    })
  }

  return (
    new Hono<Signed>()
      // Before the check: a browser asks without a token whether it may call, and shows a refusal only to listed pages.
      .use(cors({ origin: [...origins], credentials: true, maxAge: 600 }))
      .use(signedIn(verifier))
      .use(async (c, next) => {
        await next()
        c.header('Cache-Control', 'no-store')
      })
      .get('/chat/history', c => c.json(said.get(c.get('auth').sub) ?? []))
      .delete('/chat/history', c => {
        said.delete(c.get('auth').sub)
        return c.body(null, 204)
      })
      .get('/chat/live', c => send(c, tick))
      .post('/chat/stream', bodyLimit({ maxSize: 16 * 1024 }), async c => {
        const asked: { message?: unknown; stay?: unknown } = Object(await c.req.json().catch(() => null))
        const { message, stay = true } = asked
        if (typeof message !== 'string' || message.trim() === '' || message.length > longestMessage)
          return c.json({ detail: `Say something, in ${longestMessage} characters at most` }, 422)
        const answer = `You said “${message}”, and I heard every word of it.`
        keep(c.get('auth').sub, { by: 'you', text: message }, { by: 'chat', text: answer })
        return send(c, speak(answer, stay !== false))
      })
  )
}
