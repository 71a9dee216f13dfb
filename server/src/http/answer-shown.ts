// Writes what people are shown: a page with a policy of its own, or where to go on. The only place where a page becomes
// headers and a body; what it says the dialect has decided.
import type { Answer } from './call.ts'
import { type Headers, pageHeaders } from './headers.ts'
import type { Seen, Shown } from './shown.ts'
import type { Spoken } from './way.ts'

const html = 'text/html; charset=utf-8'

/**
 * Nothing is inline and nothing comes from elsewhere. A browser holds form-action to the redirect that answers a form too
 * (Chromium), so listed origins stand in it.
 */
const cspOf = ({ nonce, listed }: Seen): string =>
  [
    "default-src 'none'",
    "style-src 'self'",
    "img-src 'self' data:",
    `script-src 'nonce-${nonce}'`,
    `form-action ${["'self'", ...listed].join(' ')}`,
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ].join('; ')

/** With no-referrer a browser would send `Origin: null` with forms (Fetch §3.1), and older ones send nothing better. */
const referrer: Headers = { 'Referrer-Policy': 'same-origin' }

export type Showing = {
  readonly seen: Seen
  /** Unless the page says otherwise. */
  readonly status: number
  readonly headers?: Headers
  readonly cookies?: readonly string[]
}

export function answerShown(
  { heads }: Spoken,
  shown: Shown,
  { seen, status, headers, cookies = [] }: Showing,
): Answer {
  if ('goTo' in shown) {
    const there = { ...heads(undefined, undefined), ...referrer, ...headers, Location: shown.goTo }
    return { status: 303, headers: there, cookies, body: '' }
  }
  return {
    status: shown.status ?? status,
    headers: { ...heads(html, undefined), ...pageHeaders(html, cspOf(seen)), ...referrer, ...headers },
    cookies,
    body: shown.html.toString(),
  }
}
