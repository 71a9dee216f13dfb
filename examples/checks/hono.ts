// Hono: whatever stands behind `signedIn` is for people who are signed in at Rusk.
import { serve } from '@hono/node-server'
import { createVerifier } from '@rusk/verify'
import { signedIn } from '@rusk/verify/hono'
import { Hono } from 'hono'
import { cors } from 'hono/cors'

const page = 'https://app.example.com' // the origin of a front end that is not on this host
const verifier = createVerifier({
  issuer: process.env.RUSK_URL,
  serviceKey: process.env.RUSK_SERVICE_KEY,
  origins: [page],
})

const app = new Hono()
  // Before `signedIn`: a browser asks without a token whether it may call, and lets its page read refusals too.
  .use(cors({ origin: page, credentials: true }))
  .use(signedIn(verifier))
  .get('/notes', c => c.json({ notes: [`Hello ${c.get('auth').sub}`] }))

export const server = serve({
  fetch: app.fetch,
  port: Number(process.env.PORT ?? 3001),
  hostname: '127.0.0.1',
})
