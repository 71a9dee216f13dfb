// A "no" of what belongs to no dialect, as a problem document (RFC 9457). Which "no" it is, others decide.
import { phrases, type Refusal, refusals } from '../core/refusal.ts'
import type { JsonAnswer } from './served.ts'

/** RFC 9457 §4.2.1: its title is the phrase of its status; `code` says the rest, and `detail` says it to people. */
export function problemOf(
  { refused, retryAfter }: Refusal,
  about: { readonly detail?: string; readonly callId?: string } = {},
): JsonAnswer {
  const { status, title } = refusals[refused]
  const { detail = title, callId } = about
  return {
    status,
    type: 'application/problem+json',
    body: {
      type: 'about:blank',
      title: phrases[status],
      status,
      code: refused,
      detail,
      ...(refused === 'fault' ? { callId } : {}),
    },
    headers: {
      ...(status === 401 ? { 'WWW-Authenticate': 'Bearer' } : {}),
      ...(retryAfter === undefined ? {} : { 'Retry-After': String(Math.max(1, Math.ceil(retryAfter))) }),
    },
  }
}
