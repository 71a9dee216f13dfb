// The route table: which path is whose, and which methods it takes. Finds; answers nothing.
import { RegExpRouter } from 'hono/router/reg-exp-router'
import { SmartRouter } from 'hono/router/smart-router'
import { TrieRouter } from 'hono/router/trie-router'
import type { Fields } from './body.ts'
import { type Heads, openHeads, openHeadsForAll } from './headers.ts'
import type { Mount } from './mount.ts'
import { listOrigins } from './origins.ts'
import { methodOf, readersOf, type Served } from './served.ts'
import type { Site } from './site.ts'
import { isPageRoute, type Spoken, spellings, type Way } from './way.ts'

/** One path with everything that answers it. */
export type Place = {
  readonly ways: ReadonlyMap<string, Way>
  readonly served: Served | undefined
  /** Says no to what the path does not take. */
  readonly spoken: Spoken
  /** For what is served beside the dialects; they have heads of their own. */
  readonly heads: Heads
  /** As Allow lists them. */
  readonly methods: string
}

export type Found = { readonly place: Place; readonly params: Fields }

/** HEAD is GET without a body, where GET tells nothing that is worth a second way to ask; and what links lead to. */
export const takesHead = ({ ways, served }: Pick<Place, 'ways' | 'served'>): boolean => {
  const get = ways.get('GET')
  return (
    (served !== undefined && methodOf(served) === 'GET') ||
    (get !== undefined && (get.route.does === 'whoAmI' || isPageRoute(get.route)))
  )
}

const decode = (segment: string): string => {
  try {
    return decodeURIComponent(segment)
  } catch (error) {
    if (error instanceof URIError) return segment
    throw error
  }
}

type Open = { ways: Map<string, Way>; served: Served | undefined }

export function openPlaces(
  { spoken, ways }: Mount,
  served: readonly Served[],
  site: Site,
): (path: string) => Found | undefined {
  const open = new Map<string, Open>()
  const at = (path: string): Open => {
    const place = open.get(path) ?? { ways: new Map<string, Way>(), served: undefined }
    open.set(path, place)
    return place
  }
  for (const way of ways) {
    for (const path of spellings(way.path, way.spoken.dialect.slash)) at(path).ways.set(way.method, way)
  }
  for (const each of served) at(each.path).served = each

  const heads = openHeads(
    site,
    listOrigins(
      site,
      spoken.map(each => each.dialect),
    ),
  )
  const headsFor = { all: openHeadsForAll(site), none: openHeads(site, new Set()), listed: heads }
  const router = new SmartRouter<Place>({ routers: [new RegExpRouter(), new TrieRouter()] })
  for (const [path, place] of open) {
    const [way] = place.ways.values()
    const methods = [...(place.served ? [methodOf(place.served)] : []), ...place.ways.keys()]
    router.add('ALL', path, {
      ...place,
      spoken: way?.spoken ?? spoken[0],
      heads: headsFor[(place.served && readersOf(place.served)) ?? 'listed'],
      methods: (takesHead(place) ? ['HEAD', ...methods] : methods).sort().join(', '),
    })
  }

  return path => {
    const [matches, stash] = router.match('ALL', path)
    const [match] = matches
    if (!match) return undefined
    const [place, found] = match
    const params = Object.entries(found).map(([name, value]) => [
      name,
      decode(typeof value === 'number' ? (stash?.[value] ?? '') : value),
    ])
    return { place, params: Object.fromEntries(params) }
  }
}
