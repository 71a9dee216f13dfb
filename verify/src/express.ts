// For Express 4 and 5, and for whatever else takes `(request, response, next)`: who calls stands on the request.
import type { Call } from './call.ts'
import { callBack } from './callback.ts'
import type { AccessClaims } from './token.ts'
import { type Verdict, writeRefusal } from './verdict.ts'
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
  readonly headersSent?: boolean
  writeHead(status: number, headers: Readonly<Record<string, string>>): { end(body: string): unknown }
}

/**
 * Lets through whoever is signed in, with the claims as `request.auth`; answers everybody else. CORS goes before it. What
 * `next` throws, which Express's own never does, is said on stderr.
 */
export const signedIn =
  (verifier: Verifier) =>
  (request: Request, response: Response, next: (error?: unknown) => void): void => {
    const go = (verdict: Verdict) => {
      // Something else has answered meanwhile, a time-out: another answer would throw, and nobody is let through unanswered.
      if (response.headersSent) return
      if ('rejected' in verdict) {
        const { status, headers, body } = writeRefusal(verdict)
        response
          .writeHead(status, { ...headers, 'Content-Length': String(Buffer.byteLength(body)) })
          .end(body)
        return
      }
      request.auth = verdict.verified
      // A promise, should it be one, is waited for: what it rejects with is said too.
      return next()
    }
    callBack('next', () => verifier.check(request).then(go, next))
  }
