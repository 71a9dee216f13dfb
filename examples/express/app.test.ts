import { once } from 'node:events'
import { after, test } from 'node:test'
import { origin, walk } from '../walk.ts'
import { openApp } from './app.ts'

test('an Express app lets in whoever is signed in, and nobody after sign-out', async () => {
  const { app, auth } = await openApp({ url: origin, database: 'sqlite::memory:', log: { level: 'silent' } })
  const server = app.listen(0, '127.0.0.1')
  after(async () => {
    server.close()
    await auth.close()
  })
  await once(server, 'listening')
  await walk(server)
})
