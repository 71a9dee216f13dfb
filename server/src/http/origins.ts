// Which origins may call: lists read once, compared exactly, never by pattern. Decides who is listed; what a
// listed one may do is verify/src/guard.ts.
import type { Site } from './site.ts'

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
