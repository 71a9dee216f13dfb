// What becomes of a call: who makes it, or why nobody does, and how that is said over HTTP (RFC 6750 §3, RFC 9457). The
// reasons are Rusk's own codes, so that a front end reads both alike.
import type { AccessClaims } from './token.ts'

type Status = 401 | 403 | 503

/** `error`: the challenge's (RFC 6750 §3.1); null: none, because nothing was presented or another token would not help. */
const reasons = {
  not_signed_in: { status: 401, error: null, detail: 'Not signed in' },
  access_malformed: {
    status: 401,
    error: 'invalid_request',
    detail: 'The Authorization header is malformed',
  },
  access_invalid: { status: 401, error: 'invalid_token', detail: 'The access token is not valid' },
  access_expired: { status: 401, error: 'invalid_token', detail: 'The access token has expired' },
  access_revoked: { status: 401, error: 'invalid_token', detail: 'The session has ended' },
  cookie_conflict: { status: 401, error: 'invalid_token', detail: 'The call names two sessions' },
  origin_refused: { status: 403, error: null, detail: 'Pages of this origin may not call' },
  csrf_refused: { status: 403, error: null, detail: 'The CSRF token is missing or wrong' },
  unavailable: { status: 503, error: null, detail: 'Who calls cannot be told at the moment' },
} as const satisfies Record<string, { status: Status; error: string | null; detail: string }>

/** Stable: what programs decide by. */
export type Reason = keyof typeof reasons

export type Rejected = {
  readonly rejected: Reason
  readonly status: Status
  /** Never there; so that `verdict.verified` can be read before it is known which of the two it is. */
  readonly verified?: undefined
}

/** Who calls, or why not. A value, not an exception: `verdict.verified`, or `'rejected' in verdict`, tells them apart. */
export type Verdict = { readonly verified: AccessClaims } | Rejected

/** One of each is enough: nothing in it is of a call. */
const made = Object.fromEntries(
  Object.entries(reasons).map(([reason, { status }]) => [
    reason,
    Object.freeze({ rejected: reason, status }),
  ]),
) as Readonly<Record<Reason, Rejected>>

export const reject = (reason: Reason): Rejected => made[reason]

const phrases: Readonly<Record<Status, string>> = {
  401: 'Unauthorized',
  403: 'Forbidden',
  503: 'Service Unavailable',
}

function challenge(reason: Reason): string {
  const { error, detail } = reasons[reason]
  return error === null ? 'Bearer' : `Bearer error="${error}", error_description="${detail}"`
}

/** A refusal as it goes over the wire. `body` is JSON. */
export type Refusal = {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** The problem document of a refusal; `WWW-Authenticate` with 401, `Retry-After` with 503. */
export function writeRefusal({ rejected, status }: Rejected): Refusal {
  return {
    status,
    headers: {
      'Content-Type': 'application/problem+json',
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
      ...(status === 401 ? { 'WWW-Authenticate': challenge(rejected) } : {}),
      ...(status === 503 ? { 'Retry-After': '1' } : {}),
    },
    body: JSON.stringify({
      type: 'about:blank',
      title: phrases[status],
      status,
      code: rejected,
      detail: reasons[rejected].detail,
    }),
  }
}

/** The same for whoever answers with a Web-standard Response. */
export function respond(rejected: Rejected): Response {
  const { status, headers, body } = writeRefusal(rejected)
  return new Response(body, { status, headers })
}
