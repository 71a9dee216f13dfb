// Answers that belong to no dialect: pages by GET and HEAD, plain JSON by one method each, with the floor's headers.
import type { Answer, Call } from './call.ts'
import { type Headers, type Heads, pageHeaders } from './headers.ts'
import type { Page } from './page.ts'

/** A JSON answer: health, readiness, public keys, what other services ask. */
export type JsonRoute = {
  /** Exact, from the root: no prefix is put before it. */
  readonly path: string
  /** GET, and then HEAD too, unless said otherwise. */
  readonly method?: 'POST'
  readonly answer: (call: Call) => JsonAnswer | Promise<JsonAnswer>
  /**
   * Whose pages may read it: `all`, those of every site, without credentials (public keys); `none`: it is for programs. Those
   * of listed origins unless said otherwise.
   */
  readonly readers?: 'all' | 'none'
}

export type JsonAnswer = {
  readonly status: number
  /** Absent: there is none. */
  readonly body?: unknown
  /** `application/json` unless said otherwise. */
  readonly type?: string
  /** In place of the floor's headers of the same names, in whatever case. */
  readonly headers?: Headers
}

export type Served = Page | JsonRoute

const isPage = (served: Served): served is Page => 'body' in served

/** Undefined: the pages of listed origins. */
export const readersOf = (served: Served): JsonRoute['readers'] =>
  isPage(served) ? undefined : served.readers

export const methodOf = (served: Served): 'GET' | 'POST' =>
  isPage(served) ? 'GET' : (served.method ?? 'GET')

/** Names differ in case only between floor and page: the page's win. */
function replace(headers: Headers, by: Headers = {}): Headers {
  const replaced = new Set(Object.keys(by).map(name => name.toLowerCase()))
  const kept = Object.entries(headers).filter(([name]) => !replaced.has(name.toLowerCase()))
  return { ...Object.fromEntries(kept), ...by }
}

const etagOf = (headers: Headers): string | undefined =>
  Object.entries(headers).find(([name]) => name.toLowerCase() === 'etag')?.[1]

export function writeJson(
  { status, body, type = 'application/json', headers }: JsonAnswer,
  call: Call,
  heads: Heads,
): Answer {
  const ready = replace(heads(body === undefined ? undefined : type, call.header('origin')), headers)
  return { status, headers: ready, cookies: [], body: body === undefined ? '' : JSON.stringify(body) }
}

export async function answerServed(served: Served, call: Call, heads: Heads): Promise<Answer> {
  if (!isPage(served)) return writeJson(await served.answer(call), call, heads)
  const origin = call.header('origin')
  const { type, csp, headers, body } = served
  const ready = replace(replace(heads(type, origin), pageHeaders(type, csp)), headers)
  const etag = etagOf(ready)
  const fresh = etag !== undefined && call.header('if-none-match') === etag
  return { status: fresh ? 304 : 200, headers: ready, cookies: [], body: fresh ? '' : await body() }
}
