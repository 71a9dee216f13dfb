// Express: whatever stands behind `signedIn` is for people who are signed in at Rusk.
import { createVerifier } from '@rusk/verify'
import { signedIn } from '@rusk/verify/express'
import express from 'express'

const page = 'https://app.example.com' // the origin of a front end that is not on this host
const verifier = createVerifier({
  issuer: process.env.RUSK_URL,
  serviceKey: process.env.RUSK_SERVICE_KEY,
  origins: [page],
})

const app = express()
// Before `signedIn`: a browser asks without a token whether it may call, and lets its page read refusals too.
app.use((request, response, next) => {
  response.set({
    'Access-Control-Allow-Origin': page,
    'Access-Control-Allow-Credentials': 'true',
    'Access-Control-Allow-Headers': 'Authorization, Content-Type', // and the one of the option `csrf`, where you have it
    'Access-Control-Allow-Methods': 'GET, POST, PUT, PATCH, DELETE',
  })
  if (request.method === 'OPTIONS') response.sendStatus(204)
  else next()
})
app.use(signedIn(verifier))
app.get('/notes', (request, response) => {
  response.json({ notes: [`Hello ${request.auth?.sub}`] })
})

export const server = app.listen(Number(process.env.PORT ?? 3001), '127.0.0.1')
