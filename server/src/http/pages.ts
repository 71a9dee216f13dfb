// Answers that belong to no dialect: pages and plain JSON, by GET and HEAD alone, with the floor's headers.
import type { Answer, Call } from './call.ts'
import { type Headers, type Heads, pageHeaders } from './headers.ts'
import type { Page } from './page.ts'

/** A JSON answer that knows nothing of the call: health, readiness, public keys. */
export type JsonRoute = {
  /** Exact, from the root: no prefix is put before it. */
  readonly path: string
  readonly answer: () => JsonAnswer | Promise<JsonAnswer>
  /** Every page of every site may read it, without credentials: public keys. */
  readonly open?: true
}

export type JsonAnswer = {
  readonly status: number
  readonly body: unknown
  /** `application/json` unless said otherwise. */
  readonly type?: string
  /** Lower-case names; in place of the floor's headers of the same names. */
  readonly headers?: Headers
}

export type Served = Page | JsonRoute

const isPage = (served: Served): served is Page => 'body' in served

/** Whether every origin gets the same. */
export const isOpen = (served: Served): boolean => !isPage(served) && served.open === true

/** Names differ in case only between floor and page: the page's win. */
function replace(headers: Headers, by: Headers = {}): Headers {
  const replaced = new Set(Object.keys(by).map(name => name.toLowerCase()))
  const kept = Object.entries(headers).filter(([name]) => !replaced.has(name.toLowerCase()))
  return { ...Object.fromEntries(kept), ...by }
}

const etagOf = (headers: Headers): string | undefined =>
  Object.entries(headers).find(([name]) => name.toLowerCase() === 'etag')?.[1]

export async function answerServed(served: Served, call: Call, heads: Heads): Promise<Answer> {
  const origin = call.header('origin')
  if (!isPage(served)) {
    const { status, body, type, headers } = await served.answer()
    const ready = replace(heads(type ?? 'application/json', origin), headers)
    return { status, headers: ready, cookies: [], body: JSON.stringify(body) }
  }
  const { type, csp, headers, body } = served
  const ready = replace(replace(heads(type, origin), pageHeaders(type, csp)), headers)
  const etag = etagOf(ready)
  const fresh = etag !== undefined && call.header('if-none-match') === etag
  return { status: fresh ? 304 : 200, headers: ready, cookies: [], body: fresh ? '' : await body() }
}
