// Which origins may call: lists read once, compared exactly, never by pattern. Decides how an origin is spelt and who is
// listed; what a listed one may do is guard.ts.
import type { Site } from './site.ts'

/** How an origin must be written: `https://app.example.com`, the serialisation that browsers send (RFC 6454 §6.2). */
export type OriginRead = { readonly origin: string } | { readonly wrong: string; readonly instead: string }

const example = 'Write each origin out, as https://app.example.com'

const parse = (text: string): URL | undefined => (URL.canParse(text) ? new URL(text) : undefined)

const isWeb = (url: URL | undefined): url is URL => url?.protocol === 'https:' || url?.protocol === 'http:'

/** Takes nothing but the exact serialisation; says of anything else what to write. */
export function readOrigin(text: string): OriginRead {
  if (text.includes('*')) return { wrong: `${text} would let every site in`, instead: example }
  if (text === 'null') return { wrong: 'null is the origin of any sandboxed page', instead: example }
  const url = parse(text)
  if (isWeb(url)) {
    return url.origin === text
      ? { origin: text }
      : { wrong: `${text} is not how browsers write an origin`, instead: `Write ${url.origin}` }
  }
  const guess = text.includes('://') ? undefined : parse(`https://${text}`)
  if (guess)
    return { wrong: `${text} has no scheme`, instead: `Write ${guess.origin} or http://${guess.host}` }
  return { wrong: `${text} is not an origin`, instead: example }
}

/** A dialect's own origins are those of its front ends on a developer's machine. */
type OfDialect = { readonly origins: readonly string[]; readonly keepsOrigins?: true }

/**
 * The origin of `url` always; the operator's; in development the dialect's own where the operator lists none, or beside
 * them where its original keeps them. In production nobody is listed whom nobody has named.
 */
export function listOrigins(site: Site, dialects: readonly OfDialect[]): ReadonlySet<string> {
  const own = (each: OfDialect) =>
    site.environment === 'development' && (site.origins === undefined || each.keepsOrigins)
      ? each.origins
      : []
  return new Set([new URL(site.url).origin, ...(site.origins ?? []), ...dialects.flatMap(own)])
}
