// Fastify: whatever is registered behind the hook is for people who are signed in at Rusk.
import { createVerifier } from '@rusk/verify'
import { signedIn } from '@rusk/verify/fastify'
import fastify from 'fastify'

const page = 'https://app.example.com' // the origin of a front end that is not on this host
const verifier = createVerifier({
  issuer: process.env.RUSK_URL,
  serviceKey: process.env.RUSK_SERVICE_KEY,
  origins: [page],
})

const app = fastify()
// Before `signedIn`: a browser asks without a token whether it may call, and lets its page read refusals too.
app.addHook('onRequest', async (request, reply) => {
  reply.headers({
    'Access-Control-Allow-Origin': page,
    'Access-Control-Allow-Credentials': 'true',
    'Access-Control-Allow-Headers': 'Authorization, Content-Type', // and the one of the option `csrf`, where you have it
    'Access-Control-Allow-Methods': 'GET, POST, PUT, PATCH, DELETE',
  })
  if (request.method === 'OPTIONS') return reply.code(204).send()
})
app.addHook('onRequest', signedIn(verifier))
app.get('/notes', async request => ({ notes: [`Hello ${request.auth?.sub}`] }))

export const { server } = app
await app.listen({ port: Number(process.env.PORT ?? 3001), host: '127.0.0.1' })
