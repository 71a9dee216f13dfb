// What the compiler knows of who calls, in each framework: nothing here runs, `npm run check` reads it. A type that is lost
// (`any`), or found where it is not, stops it.
import type { IncomingMessage } from 'node:http'
import express from 'express'
import Fastify, { type FastifyRequest } from 'fastify'
import { Hono } from 'hono'
import type { RefusalCode } from '../../server/src/core/refusal.ts'
import { signedIn as inExpress } from '../src/express.ts'
import { signedIn as inFastify } from '../src/fastify.ts'
import { signedIn as inHono } from '../src/hono.ts'
import type { AccessClaims, Reason, Rejected, Verdict, Verifier } from '../src/index.ts'

/** True for one type and the very same alone: `any` is nothing but `any`. */
type Same<One, Other> =
  (<T>() => T extends One ? 1 : 2) extends <T>() => T extends Other ? 1 : 2 ? true : false

/** Compiles where the value's type is exactly this one. */
const is =
  <Want>() =>
  <Found>(_value: Found, _same: Same<Found, Want>) =>
    undefined

export function inEachFramework(verifier: Verifier): void {
  const hono = new Hono().use(inHono(verifier)).get('/', c => {
    is<AccessClaims>()(c.get('auth'), true)
    is<string>()(c.get('auth').sub, true)
    is<AccessClaims>()(c.var.auth, true)
    return c.json(c.get('auth').sid)
  })
  hono.post('/on-the-route', inHono(verifier), c => {
    is<string>()(c.get('auth').sub, true)
    return c.body(null)
  })

  express()
    .use(inExpress(verifier))
    .get('/', inExpress(verifier), (request, response) => {
      is<AccessClaims | undefined>()(request.auth, true)
      is<string | undefined>()(request.auth?.sub, true)
      response.json(request.auth?.sid)
    })

  const fastify = Fastify()
  fastify.addHook('onRequest', inFastify(verifier))
  fastify.get('/', { onRequest: inFastify(verifier) }, async request => {
    is<AccessClaims | undefined>()(request.auth, true)
    is<string | undefined>()(request.auth?.sub, true)
    return request.auth?.sid
  })
}

export function inEachCall(
  verifier: Verifier,
  calls: readonly [Request, IncomingMessage, express.Request, FastifyRequest, FastifyRequest['raw']],
): readonly Promise<Verdict>[] {
  return calls.map(verifier.check)
}

/** Before it is known which of the two it is, and by a name of one's own. */
export function readAtOnce(verdict: Verdict): Reason | AccessClaims {
  const { verified } = verdict
  is<AccessClaims | undefined>()(verified, true)
  if (verdict.verified) {
    is<AccessClaims>()(verdict.verified, true)
    return verdict.verified
  }
  is<Rejected>()(verdict, true)
  return verdict.rejected
}

export function inEachVerdict(verdict: Verdict): string {
  if ('rejected' in verdict) {
    is<Reason>()(verdict.rejected, true)
    is<401 | 403 | 503>()(verdict.status, true)
    return verdict.rejected
  }
  is<number>()(verdict.verified.exp, true)
  is<unknown>()(verdict.verified.user_id, true)
  is<string | readonly string[] | undefined>()(verdict.verified.aud, true)
  return verdict.verified.sub
}

/** The verifier's reasons are Rusk's own codes. */
export const codes = (reason: Reason): RefusalCode => reason
