// For Fastify 5: who calls stands on the request.
import type { onRequestAsyncHookHandler } from 'fastify'
import type { AccessClaims } from './token.ts'
import { writeRefusal } from './verdict.ts'
import type { Verifier } from './verifier.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Who calls, behind `signedIn`. */
    auth?: AccessClaims
  }
}

/** `app.addHook('onRequest', signedIn(verifier))`: lets through whoever is signed in, with the claims as `request.auth`. */
export const signedIn =
  (verifier: Verifier): onRequestAsyncHookHandler =>
  async (request, reply) => {
    const verdict = await verifier.check(request.raw)
    // Something else has answered meanwhile, past Fastify: without this it would go on to the route.
    if (reply.raw.headersSent) return reply.hijack()
    if ('rejected' in verdict) {
      const { status, headers, body } = writeRefusal(verdict)
      return reply.code(status).headers(headers).send(body)
    }
    request.auth = verdict.verified
  }
