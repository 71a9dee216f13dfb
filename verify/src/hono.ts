// For Hono: who calls stands in the context.
import type { MiddlewareHandler } from 'hono'
import type { AccessClaims } from './token.ts'
import { writeRefusal } from './verdict.ts'
import type { Verifier } from './verifier.ts'

/** Lets through whoever is signed in, with the claims as `c.get('auth')`; answers everybody else. CORS goes before it. */
export const signedIn =
  (verifier: Verifier): MiddlewareHandler<{ Variables: { auth: AccessClaims } }> =>
  async (c, next) => {
    const verdict = await verifier.check(c.req.raw)
    // Something else has answered meanwhile, a time-out: what comes behind would be done for nobody.
    if (c.finalized) return
    if ('rejected' in verdict) {
      const { headers, body } = writeRefusal(verdict)
      // With what has been set before by `c.header`, which a Response of our own would not have.
      return c.body(body, verdict.status, headers)
    }
    c.set('auth', verdict.verified)
    await next()
  }
