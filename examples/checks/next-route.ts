// A route handler of Next.js: a function of a Web-standard Request, for people who are signed in at Rusk.
import { createVerifier, respond, type Verifier } from '@rusk/verify'

let verifier: Verifier | undefined

/** With the first call: a build loads this file too, and has no Rusk. */
function open(): Verifier {
  verifier ??= createVerifier({
    issuer: process.env.RUSK_URL,
    serviceKey: process.env.RUSK_SERVICE_KEY,
  })
  return verifier
}

export async function GET(request: Request): Promise<Response> {
  const verdict = await open().check(request)
  if ('rejected' in verdict) return respond(verdict)
  return Response.json({ notes: [`Hello ${verdict.verified.sub}`] })
}
