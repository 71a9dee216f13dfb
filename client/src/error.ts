// What a call of the client rejects with: one class, a stable code, a sentence for people.

/** What is wrong with one field, by the name it has on the wire. */
export type Issue = {
  readonly field: string
  /** Stable: what programs decide by, and other languages (`missing`, `string_type`, `value_error`, …). */
  readonly type: string
  readonly message: string
}

export type RuskErrorCode =
  /** No answer of Rusk's came back: no network, a server that is away, an origin that is not listed, a gate in between. */
  | 'offline'
  /** Nothing came back within 15 seconds. */
  | 'timeout'
  /** Signed in, but the browser does not send the cookies back. */
  | 'cookies_blocked'
  /** Somebody else has signed in in another tab: this call was somebody's who is gone, and was not made. */
  | 'signed_in_anew'
  /** Of Rusk's refusals (docs/refusals.md); in dialects without codes, the one that its status stands for. */
  | 'credentials_wrong'
  | 'email_taken'
  | 'username_taken'
  | 'password_weak'
  | 'password_wrong'
  | 'token_refused'
  | 'not_signed_in'
  | 'input_invalid'
  | 'origin_refused'
  | 'not_found'
  | 'throttled'
  | 'busy'
  /** `stream` was answered with no 2xx: `cause` is the JSON that came, if any. */
  | 'stream_refused'
  /** A "no" without a code: of a dialect, or of something on the way. */
  | 'refused'
  | 'unavailable'
  | (string & {})

/** What an answer says of a refusal, as far as it says it. */
export type Explained = {
  readonly code?: RuskErrorCode
  /** For people. */
  readonly detail?: string
  /** Of the answer; 0 where there was none. */
  readonly status?: number
  readonly issues?: readonly Issue[]
  /** Seconds. */
  readonly retryAfter?: number
}

/** `declare`: the constructor makes the fields, and no page carries their names twice. */
export class RuskError extends Error {
  override readonly name = 'RuskError'
  declare readonly code: RuskErrorCode
  /** Of the answer; 0 where there was none. */
  declare readonly status: number
  /** Each wrong field, where the server names them. */
  declare readonly issues: readonly Issue[]
  /** Seconds to wait; 0 where the server does not say. */
  declare readonly retryAfter: number

  constructor(
    code: RuskErrorCode,
    { detail = code, status = 0, issues = [], retryAfter = 0 }: Explained = {},
    cause?: unknown,
  ) {
    super(detail, { cause })
    this.code = code
    this.status = status
    this.issues = issues
    this.retryAfter = retryAfter
  }
}

/** What an answer refuses, when that is read as `said`. `code`: what it is for the client, where the answer names none or another. */
export const refusalOf = (
  { status, headers }: Response,
  said: Explained,
  code = said.code ?? 'unavailable',
  cause?: unknown,
): RuskError => {
  // Where it is a date, a wrong clock would make any wait of it.
  const retryAfter = Math.max(0, Number(headers.get('retry-after')) || 0)
  return new RuskError(code, { ...said, status, retryAfter }, cause)
}
