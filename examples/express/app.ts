// Rusk inside an Express app: its routes beside yours, one of which needs somebody signed in. Keeps no session of its own.
import { Readable } from 'node:stream'
import express from 'express'
import { type Options, rusk } from 'rusk'

/** Express speaks Node's requests, Rusk the Web's: the same call in the other words, its body unread. */
function webRequest(call: express.Request): Request {
  const headers = Object.entries(call.headers).map(([name, value]): [string, string] => [name, String(value)])
  const body = call.method === 'GET' || call.method === 'HEAD' ? null : Readable.toWeb(call)
  return new Request(`http://localhost${call.originalUrl}`, {
    method: call.method,
    headers,
    body,
    duplex: 'half',
  })
}

export async function openApp(options: Options = {}) {
  const auth = await rusk(options)
  const app = express().disable('x-powered-by')
  // Before any body parser: Rusk reads bodies itself, and refuses what it should.
  app.all('/auth/*path', async (call, response) => {
    const answer = await auth.fetch(webRequest(call), { address: call.socket.remoteAddress })
    response
      .status(answer.status)
      .setHeaders(answer.headers)
      .end(await answer.text())
  })
  app.get('/notes', async (call, response) => {
    const who = await auth.session(webRequest(call))
    if (who) response.json({ notes: [`Hello ${who.user.email}`] })
    else response.status(401).json({ error: 'Sign in first' })
  })
  return { app, auth }
}

if (import.meta.main) {
  const { app } = await openApp({ url: 'http://localhost:3000' })
  app.listen(3000, 'localhost', () => console.log('http://localhost:3000/notes'))
}
