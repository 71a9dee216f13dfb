// Every expected "no", as a closed table. A refusal is a value: it travels through the same commit as a "yes".
// Dialects render refusals; the status here is what a dialect without an opinion sends.

export const refusals = {
  // the call itself
  body_malformed: { status: 400, title: 'The body is not valid JSON' },
  body_too_large: { status: 413, title: 'The body is larger than 64 KiB' },
  not_json: { status: 415, title: 'Send application/json' },
  not_form: { status: 415, title: 'Send application/x-www-form-urlencoded' },
  input_invalid: { status: 422, title: 'Some fields are missing or wrong' },
  not_found: { status: 404, title: 'There is nothing here' },
  method_not_allowed: { status: 405, title: 'This path does not take that method' },
  // the floor
  origin_refused: { status: 403, title: 'Calls from this origin are refused' },
  csrf_refused: { status: 403, title: 'CSRF token missing or incorrect' },
  throttled: { status: 429, title: 'Too many attempts' },
  // who calls
  not_signed_in: { status: 401, title: 'Not signed in' },
  access_malformed: { status: 401, title: 'The Authorization header is malformed' },
  access_invalid: { status: 401, title: 'The access token is not valid' },
  access_expired: { status: 401, title: 'The access token has expired' },
  access_revoked: { status: 401, title: 'The session has ended' },
  user_gone: { status: 401, title: 'The user no longer exists' },
  cookie_conflict: { status: 401, title: 'The cookies contradict each other' },
  refresh_missing: { status: 401, title: 'There is no refresh token' },
  refresh_invalid: { status: 401, title: 'The refresh token is not valid' },
  // which service calls
  service_refused: { status: 401, title: 'This needs one of the service keys as a bearer token' },
  // the operations
  credentials_wrong: { status: 401, title: 'The login or the password is wrong' },
  token_refused: { status: 401, title: 'The token cannot be exchanged' },
  email_taken: { status: 409, title: 'This e-mail address is already registered' },
  username_taken: { status: 409, title: 'This username is already registered' },
  // Not 401: a client that is told so would refresh, and send the same again.
  password_wrong: { status: 403, title: 'The current password is wrong' },
  password_weak: { status: 422, title: 'The password is too weak' },
  session_not_found: { status: 404, title: 'There is no such session' },
  // honest failure
  busy: { status: 503, title: 'Too busy just now' },
  unavailable: { status: 503, title: 'The service cannot decide this just now' },
  fault: { status: 500, title: 'Something went wrong here' },
} as const satisfies Record<string, { status: number; title: string }>

export type RefusalCode = keyof typeof refusals

/** What each status is called (RFC 9110 §15, RFC 6585 §4). */
export const phrases: Readonly<Record<(typeof refusals)[RefusalCode]['status'], string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  409: 'Conflict',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  422: 'Unprocessable Content',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
}

/** What is wrong with one field, by the operation's own name for it. */
export type Issue = {
  readonly field: string
  /** Pydantic-like: missing, string_type, string_too_short, string_too_long, value_error, json_invalid. */
  readonly type: string
  readonly message: string
}

export type Refusal = {
  readonly refused: RefusalCode
  /** For `input_invalid`, `password_weak` and `password_wrong`: every finding at once. */
  readonly issues?: readonly Issue[]
  /** Seconds, for `throttled`, `busy` and `unavailable`. */
  readonly retryAfter?: number
}

export const refuse = (refused: RefusalCode, more?: Omit<Refusal, 'refused'>): Refusal => ({
  refused,
  ...more,
})

/**
 * A refusal as a problem document (RFC 9457). §4.2.1: without a type of its own its title is the phrase of the status; `code`
 * says the rest to programs and `detail` to people. `callId` names the log line of a fault and is told of nothing else.
 */
export function writeProblem(
  { refused, issues, callId }: Refusal & { readonly callId?: string | undefined },
  detail: string = refusals[refused].title,
) {
  const { status } = refusals[refused]
  const body = {
    type: 'about:blank' as const,
    title: phrases[status],
    status,
    code: refused,
    detail,
    ...(issues === undefined ? {} : { issues: [...issues] }),
    ...(refused === 'fault' && callId !== undefined ? { callId } : {}),
  }
  return { status, body, type: 'application/problem+json' }
}
