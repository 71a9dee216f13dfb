// One program: serves the built page, has Rusk under /auth, and keeps notes behind it. Keeps no session of its own.
import { randomUUID } from 'node:crypto'
import { EventEmitter } from 'node:events'
import { fileURLToPath } from 'node:url'
import { serve } from '@hono/node-server'
import { getConnInfo } from '@hono/node-server/conninfo'
import { serveStatic } from '@hono/node-server/serve-static'
import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { secureHeaders } from 'hono/secure-headers'
import { streamSSE } from 'hono/streaming'
import { Fault, type Options, rusk, type User } from 'rusk'

type Note = { readonly id: string; readonly text: string; readonly writtenAt: number }

const longestNote = 500

const headers = secureHeaders({
  contentSecurityPolicy: {
    defaultSrc: ["'self'"],
    imgSrc: ["'self'", 'data:'],
    baseUri: ["'none'"],
    formAction: ["'self'"],
    frameAncestors: ["'none'"],
  },
})

/** `pages`: the folder that Vite has built. */
export async function openApp(
  options: Options = {},
  pages = fileURLToPath(new URL('dist', import.meta.url)),
) {
  const auth = await rusk(options)
  const notes = new Map<string, readonly Note[]>()
  /** Tells by a user's id that there is a new note. */
  const news = new EventEmitter().setMaxListeners(0)

  const app = new Hono<{ Variables: { user: User } }>()
    .all('/auth/*', c => auth.fetch(c.req.raw, { address: getConnInfo(c).remote.address }))
    .use(headers)
    .use('/api/*', async (c, next) => {
      const who = await auth.session(c.req.raw)
      if (!who) return c.json({ error: 'Sign in first' }, 401)
      c.set('user', who.user)
      c.header('Cache-Control', 'no-store')
      return next()
    })
    .get('/api/notes', c => c.json(notes.get(c.get('user').id) ?? []))
    .post('/api/notes', bodyLimit({ maxSize: 16 * 1024 }), async c => {
      const { id } = c.get('user')
      const { text }: { text?: unknown } = Object(await c.req.json().catch(() => null))
      if (typeof text !== 'string' || text.trim() === '' || text.length > longestNote)
        return c.json({ error: `Write something, ${longestNote} characters at most` }, 422)
      const note: Note = { id: randomUUID(), text: text.trim(), writtenAt: Date.now() }
      notes.set(id, [note, ...(notes.get(id) ?? [])])
      news.emit(id)
      return c.json(note, 201)
    })
    .get('/api/stream', c =>
      streamSSE(c, async stream => {
        const { id } = c.get('user')
        const tell = () => stream.writeSSE({ event: 'notes', data: '' })
        news.on(id, tell)
        try {
          await tell()
          // Ends with the session, and with the access token that asked: the page comes back with a fresh one.
          while (!stream.aborted && (await auth.session(c.req.raw))) {
            await stream.writeSSE({ event: 'time', data: new Date().toISOString() })
            await stream.sleep(1000)
          }
        } finally {
          news.off(id, tell)
        }
      }),
    )
    .get('/notes', serveStatic({ root: pages, path: 'index.html' }))
    .use(serveStatic({ root: pages }))
    // Nobody can tell who calls while the store is away: that is no "signed out".
    .onError((error, c) => c.json({ error: 'Try again later' }, error instanceof Fault ? 503 : 500))
  return { app, auth }
}

if (import.meta.main) {
  const port = Number(process.env.PORT ?? 8000)
  const url = `http://localhost:${port}`
  const { app } = await openApp({ url })
  serve({ fetch: app.fetch, hostname: 'localhost', port }, () => console.log(url))
}
