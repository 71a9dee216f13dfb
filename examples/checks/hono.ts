// Hono: whatever stands behind `signedIn` is for people who are signed in at Rusk.
import { createVerifier } from '@rusk/verify'
import { signedIn } from '@rusk/verify/hono'
import { Hono } from 'hono'

const verifier = createVerifier({
  issuer: process.env.RUSK_URL,
  serviceKey: process.env.RUSK_SERVICE_KEY,
})

export const app = new Hono()
  .use(signedIn(verifier))
  .get('/notes', c => c.json({ notes: [`Hello ${c.get('auth').sub}`] }))
