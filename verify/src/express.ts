// For Express 4 and 5, and for whatever else takes `(request, response, next)`: who calls stands on the request.
import type { Call } from './call.ts'
import type { AccessClaims } from './token.ts'
import { writeRefusal } from './verdict.ts'
import type { Verifier } from './verifier.ts'

declare global {
  namespace Express {
    interface Request {
      /** Who calls, behind `signedIn`. */
      auth?: AccessClaims
    }
  }
}

type Request = Call & { auth?: AccessClaims }

type Response = {
  writeHead(status: number, headers: Readonly<Record<string, string>>): { end(body: string): unknown }
}

/** Lets through whoever is signed in, with the claims as `request.auth`; answers everybody else. CORS goes before it. */
export const signedIn =
  (verifier: Verifier) =>
  (request: Request, response: Response, next: (error?: unknown) => void): void => {
    verifier.check(request).then(verdict => {
      if ('rejected' in verdict) {
        const { status, headers, body } = writeRefusal(verdict)
        response
          .writeHead(status, { ...headers, 'Content-Length': String(Buffer.byteLength(body)) })
          .end(body)
        return
      }
      request.auth = verdict.verified
      next()
    }, next)
  }
