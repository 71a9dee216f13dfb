// Express: whatever stands behind `signedIn` is for people who are signed in at Rusk.
import { createVerifier } from '@rusk/verify'
import { signedIn } from '@rusk/verify/express'
import express from 'express'

const verifier = createVerifier({
  issuer: process.env.RUSK_URL,
  serviceKey: process.env.RUSK_SERVICE_KEY,
})

export const app = express()
app.use(signedIn(verifier))
app.get('/notes', (request, response) => {
  response.json({ notes: [`Hello ${request.auth?.sub}`] })
})
