// Fastify: whatever is registered behind the hook is for people who are signed in at Rusk.
import { createVerifier } from '@rusk/verify'
import { signedIn } from '@rusk/verify/fastify'
import fastify from 'fastify'

const verifier = createVerifier({
  issuer: process.env.RUSK_URL,
  serviceKey: process.env.RUSK_SERVICE_KEY,
})

const app = fastify()
app.addHook('onRequest', signedIn(verifier))
app.get('/notes', async request => ({ notes: [`Hello ${request.auth?.sub}`] }))

export const { server } = app
await app.listen({ port: Number(process.env.PORT ?? 3001), host: '127.0.0.1' })
