// What is wrong with dialects on this site before any call: routes that collide, cookies that miss the routes that need
// them, rules that browsers would break in silence. Pure: finds, throws nothing.
import { isSafe, readOrigin } from '@rusk/verify/floor'
import type { Finding } from '../core/fault.ts'
import type { OperationName } from '../operations/contract.ts'
import { openProxies } from './address.ts'
import type { Cookie } from './cookies.ts'
import type { CookieSpec } from './dialect.ts'
import { opensSession } from './effects.ts'
import { isLocalToBrowsers, type Site } from './site.ts'
import { type Spoken, spellings, type Way } from './way.ts'

/** What answers beside the dialects, and how it is asked. */
export type ServedAt = { readonly method: string; readonly path: string }

type Taken = ServedAt & { readonly about: string }

const isParameter = (segment: string) => segment.startsWith(':')

/** Whether some path goes both ways. */
function meet(a: Taken, b: Taken): boolean {
  const [left, right] = [a.path.split('/'), b.path.split('/')]
  return (
    a.method === b.method &&
    left.length === right.length &&
    left.every((segment, i) => {
      const other = right[i] ?? ''
      return (
        segment === other || (isParameter(segment) && other !== '') || (isParameter(other) && segment !== '')
      )
    })
  )
}

function collisions(ways: readonly Way[], served: readonly ServedAt[]): Finding[] {
  const taken: Taken[] = [
    ...served.map(({ method, path }) => ({ about: 'a page of Rusk', method, path })),
    ...ways.flatMap(({ spoken, method, path }) =>
      spellings(path, spoken.dialect.slash).map(each => ({ about: spoken.dialect.name, method, path: each })),
    ),
  ]
  return taken.flatMap((one, i) =>
    taken
      .slice(i + 1)
      .filter(other => meet(one, other))
      .map(other => ({
        about: `${other.method} ${other.path}`,
        wrong: `${one.about} and ${other.about} both answer it${one.path === other.path ? '' : ` (as ${one.path})`}`,
        instead: 'Mount only one of them, or start a second server for the other',
      })),
  )
}

/** RFC 6265 §5.1.4. */
const covers = (cookie: string, path: string): boolean =>
  path === cookie || (path.startsWith(cookie) && (cookie.endsWith('/') || path[cookie.length] === '/'))

/** What reads the refresh and the sign-in cookie. */
const readsRefresh: readonly OperationName[] = ['refresh', 'signOut', 'csrf']

function pathFindings(spoken: Spoken, ways: readonly Way[]): Finding[] {
  const { dialect, jar } = spoken
  const missed = ways
    .filter(way => readsRefresh.includes(way.route.does))
    .flatMap(way => spellings(way.path, dialect.slash).map(path => ({ method: way.method, path })))
    .filter(({ path }) => !covers(jar.refresh.path, path))
  return missed.map(({ method, path }) => ({
    about: dialect.name,
    wrong: `${method} ${path} needs the cookies ${jar.refresh.name} and ${jar.signIn.name}, whose path ${jar.refresh.path} does not cover it`,
    instead: 'Give the refresh cookie the path /, or one that begins all routes that read it',
  }))
}

function clearFindings(spoken: Spoken, ways: readonly Way[]): Finding[] {
  const { dialect, jar } = spoken
  if (!ways.some(way => opensSession(way.route.does))) return []
  const ends = ways.filter(way => way.route.does === 'signOut')
  const cleared = (cookie: Cookie) =>
    ends.some(way => spellings(way.path, dialect.slash).some(path => covers(cookie.path, path)))
  return [jar.access, jar.refresh]
    .filter(cookie => cookie !== undefined)
    .filter(cookie => !cleared(cookie))
    .map(({ name, path }) => ({
      about: dialect.name,
      wrong: `the cookie ${name} is set and never cleared: no signOut route lies under ${path}`,
      instead: 'Add a signOut route under the path of the cookie',
    }))
}

/** What changes something for whoever the access token names. */
const signedIn: readonly OperationName[] = ['endSession', 'endOtherSessions', 'changePassword']

/** Whether it acts for whoever the cookies name. Sign-in, sign-up, exchange and sign-out need nobody. */
function isByCookie(does: OperationName, { jar }: Spoken): boolean {
  if (does === 'refresh') return true
  return signedIn.includes(does) && jar.access !== undefined
}

function csrfFindings(spoken: Spoken, ways: readonly Way[]): Finding[] {
  if (!spoken.jar.csrf) {
    return ways
      .filter(way => way.route.csrf !== undefined)
      .map(way => ({
        about: spoken.dialect.name,
        wrong: `${way.method} ${way.path} asks for a CSRF token and the dialect has none`,
        instead: 'Give the dialect cookies.csrf, or leave csrf out of the route',
      }))
  }
  return ways
    .filter(way => !spoken.dialect.cookies.csrf?.writtenOnly && !isSafe(way.method))
    .filter(way => way.route.csrf === undefined && isByCookie(way.route.does, spoken))
    .map(way => ({
      about: spoken.dialect.name,
      wrong: `${way.method} ${way.path} is authenticated by a cookie and asks for no CSRF token`,
      instead: "Write csrf: 'session' in the route",
    }))
}

function specFindings({ dialect }: Spoken, site: Site): Finding[] {
  const { access, refresh, csrf } = dialect.cookies
  const specs: readonly (CookieSpec | undefined)[] = [access, refresh, csrf?.cookie]
  return specs
    .filter(spec => spec !== undefined)
    .filter(spec => spec.host === true)
    .flatMap(spec => [
      ...(spec.path === '/'
        ? []
        : [
            {
              about: dialect.name,
              wrong: `the cookie ${spec.name} is to be __Host- and has the path ${spec.path}`,
              instead: 'Give it the path /, or leave host out',
            },
          ]),
      ...(spec === csrf?.cookie && site.csrfDomain !== undefined
        ? [
            {
              about: 'csrf.domain',
              wrong: `the CSRF cookie of ${dialect.name} is to be __Host- and has a Domain`,
              instead: 'Leave csrf.domain unset, or leave host out of the cookie',
            },
          ]
        : []),
    ])
}

/** A name stands for one role with one set of attributes, in all that is mounted: browsers keep them apart by path alone. */
function nameFindings(spoken: readonly Spoken[]): Finding[] {
  const named = spoken.flatMap(({ dialect, jar }) =>
    Object.entries(jar).flatMap(([role, cookie]) =>
      cookie ? [{ dialect: dialect.name, role, cookie }] : [],
    ),
  )
  return named.flatMap((one, i) =>
    named
      .slice(i + 1)
      .filter(
        other =>
          other.cookie.name === one.cookie.name &&
          (other.role !== one.role || other.cookie.attributes !== one.cookie.attributes),
      )
      .map(other => ({
        about: `cookie ${one.cookie.name}`,
        wrong:
          other.role === one.role
            ? `${one.dialect} and ${other.dialect} set it with different attributes`
            : `it is the ${one.role} cookie of ${one.dialect} and the ${other.role} cookie of ${other.dialect}`,
        instead: 'Mount one of them here, and start a second server for the other',
      })),
  )
}

function siteFindings(site: Site, spoken: readonly Spoken[]): Finding[] {
  const listed = site.origins ?? spoken.flatMap(each => each.dialect.origins)
  const misspelt = [...new Set(listed)].flatMap(text => {
    const read = readOrigin(text)
    return 'wrong' in read ? [{ about: 'origins', ...read }] : []
  })
  const insecure =
    site.crossSite && !site.https && !isLocalToBrowsers(new URL(site.url).hostname)
      ? [
          {
            about: 'cookies.crossSite',
            wrong: `SameSite=None needs Secure, and browsers take no Secure cookie from ${site.url}`,
            instead: 'Serve Rusk over https and say so in url',
          },
        ]
      : []
  return [...misspelt, ...insecure, ...openProxies(site.proxies).findings]
}

/** Everything at once, in the order site, dialect by dialect, what they are to each other. */
export function findMisuse(
  site: Site,
  spoken: readonly Spoken[],
  ways: readonly Way[],
  served: readonly ServedAt[],
): readonly Finding[] {
  return [
    ...siteFindings(site, spoken),
    ...spoken.flatMap(each => {
      const own = ways.filter(way => way.spoken === each)
      return [
        ...specFindings(each, site),
        ...pathFindings(each, own),
        ...clearFindings(each, own),
        ...csrfFindings(each, own),
      ]
    }),
    ...collisions(ways, served),
    ...nameFindings(spoken),
  ]
}
