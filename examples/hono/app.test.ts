import { once } from 'node:events'
import { after, test } from 'node:test'
import { createAdaptorServer } from '@hono/node-server'
import { origin, walk } from '../walk.ts'
import { openApp } from './app.ts'

test('a Hono app lets in whoever is signed in, and nobody after sign-out', async () => {
  const { app, auth } = await openApp({ url: origin, database: 'sqlite::memory:', log: { level: 'silent' } })
  const server = createAdaptorServer({ fetch: app.fetch })
  after(async () => {
    server.close()
    await auth.close()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  await walk(server)
})
