// Rusk inside a Hono app: its routes beside yours, one of which needs somebody signed in. Keeps no session of its own.
import { serve } from '@hono/node-server'
import { getConnInfo } from '@hono/node-server/conninfo'
import { Hono } from 'hono'
import { type Options, rusk } from 'rusk'

export async function openApp(options: Options = {}) {
  const auth = await rusk(options)
  const app = new Hono()
    .all('/auth/*', c => auth.fetch(c.req.raw, { address: getConnInfo(c).remote.address }))
    .get('/notes', async c => {
      const who = await auth.session(c.req.raw)
      if (!who) return c.json({ error: 'Sign in first' }, 401)
      return c.json({ notes: [`Hello ${who.user.email}`] })
    })
  return { app, auth }
}

if (import.meta.main) {
  const { app } = await openApp({ url: 'http://localhost:3000' })
  serve({ fetch: app.fetch, hostname: 'localhost', port: 3000 }, () =>
    console.log('http://localhost:3000/notes'),
  )
}
