// A call as any framework hands it over, reduced to what says who makes it. Reads headers; judges nothing.
import type { Header } from './guard.ts'

/** A Web-standard Request, Node's IncomingMessage, a request of Express or of Fastify. */
export type Call = {
  readonly method?: string | undefined
  readonly headers: Headers | Readonly<Record<string, string | readonly string[] | undefined>>
  /** Names and values in turn, as Node has them. Where there are any they count, and what was changed in `headers` does not. */
  readonly rawHeaders?: readonly string[]
  /** Fastify's requests have them here. */
  readonly raw?: { readonly rawHeaders?: readonly string[] }
}

const join = (name: string, values: readonly string[]): string | undefined =>
  values.length === 0 ? undefined : values.join(name === 'cookie' ? '; ' : ', ')

/** Of a header that came twice Node's `headers` keep the first alone: whoever reads those would not know. */
const readRaw =
  (raw: readonly string[]): Header =>
  name =>
    join(
      name,
      raw.filter((_, at) => at % 2 === 1 && raw[at - 1]?.toLowerCase() === name),
    )

/** Also those of another realm or library. */
const isHeaders = (headers: Call['headers']): headers is Headers => typeof headers.get === 'function'

export function headerOf({ headers, raw, rawHeaders = raw?.rawHeaders }: Call): Header {
  // Adapters that make a request of Node's out of something else may leave them empty.
  if (rawHeaders?.length) return readRaw(rawHeaders)
  if (isHeaders(headers)) return name => headers.get(name) ?? undefined
  // Some hand them over as they were written; their names have no case (RFC 9110 §5.1), and two spellings are one header twice.
  return name =>
    join(
      name,
      Object.entries(headers).flatMap(([each, value = []]) => (each.toLowerCase() === name ? value : [])),
    )
}
