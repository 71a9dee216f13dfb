// Makes ways out of a dialect: one for each route, with everything worked out that no call changes. Looks at no call and
// does not ask whether dialects go together (mount.ts).
import { misuse } from '../core/fault.ts'
import { defaultPolicy, type Policy, type Rate } from '../core/policy.ts'
import type { Manner, OperationName } from '../operations/contract.ts'
import { type Jar, type Jarful, openJar, openJarReader } from './cookies.ts'
import type { Dialect, DialectOf, Method, Route } from './dialect.ts'
import { type Heads, openHeads } from './headers.ts'
import { listOrigins } from './origins.ts'
import type { PageDialect, PageRoute } from './shown.ts'
import type { Site } from './site.ts'

/** A dialect with the numbers it runs on: defaults, its own, the operator's. */
export type Mounted<D extends DialectOf = Dialect> = { readonly dialect: D; readonly policy: Policy }

/** Whatever can be mounted: what programs speak, and what people are shown. */
export type Mountable = Mounted<Dialect | PageDialect>

/** A dialect as it is spoken on this site. */
export type Spoken = Mountable & {
  readonly jar: Jar
  readonly listed: ReadonlySet<string>
  readonly heads: Heads
  readonly readJar: (header: string | undefined) => Jarful
}

/** One count that an attempt goes to before it is looked at. */
export type Limit = { readonly name: string; readonly by: 'network' | 'address'; readonly rate: Rate }

/** One route of one dialect, ready to be gone. */
export type Way<R = Route | PageRoute> = {
  readonly spoken: Spoken
  readonly method: Method
  /** As written, prefix included; `:id` is a parameter. */
  readonly path: string
  readonly route: R
  readonly manner: Manner
  readonly limits: readonly Limit[]
  /** Whether the operation takes anything from the body. */
  readonly takesBody: boolean
}

export const isPageRoute = (route: Route | PageRoute): route is PageRoute => 'show' in route

/** One whose answers are for programs. */
export const isJsonWay = (way: Way): way is Way<Route> => !isPageRoute(way.route)

type Counted = 'signIn' | 'signUp' | 'other' | undefined

/** Refresh counts by session, which only the operation knows; the others without a count change nothing and are cheap. */
const counted: Readonly<Record<OperationName, Counted>> = {
  register: 'signUp',
  signUp: 'signUp',
  signIn: 'signIn',
  exchange: 'signIn',
  refresh: undefined,
  // Nobody is ever kept from leaving.
  signOut: undefined,
  whoAmI: undefined,
  listSessions: 'other',
  endSession: 'other',
  endOtherSessions: 'other',
  // A guess at a password like any other.
  changePassword: 'signIn',
  csrf: undefined,
  health: undefined,
}

/** An operator who allows more from an address allows it from its network too. */
const larger = (a: Rate, b: Rate): Rate => (a.points / a.per > b.points / b.per ? a : b)

function limitsOf(does: OperationName, { rates }: Policy): readonly Limit[] {
  const name = counted[does]
  if (name === undefined) return []
  if (name !== 'signIn' || rates.signInBy === 'network') return [{ name, by: 'network', rate: rates[name] }]
  // Counting by address adds to the floor's count by network, or one IPv6 network would have 2^64 counts.
  return [
    { name, by: 'address', rate: rates.signIn },
    { name: 'signInNetwork', by: 'network', rate: larger(rates.signIn, defaultPolicy.rates.signIn) },
  ]
}

function mannerOf({ dialect, policy }: Mountable, route: Route | PageRoute): Manner {
  return {
    policy,
    delivery: dialect.delivery,
    subject: dialect.subject,
    claims: dialect.claims,
    csrf: route.csrf,
    mintsCsrf: dialect.cookies.csrf !== undefined,
  }
}

const isMethod = (text: string): text is Method => /^(?:GET|POST|PUT|PATCH|DELETE)$/.test(text)

/** `POST /auth/login` in its two parts. */
export function splitRoute(name: string): { readonly method: Method; readonly path: string } {
  const [method = '', path = ''] = name.split(' ')
  if (!isMethod(method) || !path.startsWith('/')) {
    throw misuse(name, 'this is not a route', 'Write it as POST /auth/login')
  }
  return { method, path }
}

/** The paths under which a route answers. */
export function spellings(path: string, slash: DialectOf['slash']): readonly string[] {
  if (slash === 'exact' || path === '/') return [path]
  const bare = path.replace(/\/$/, '')
  return [bare, `${bare}/`]
}

/** Who may read answers by script: whoever is listed; of pages nobody, they are for people to see. */
const readers = ({ dialect }: Mountable, listed: ReadonlySet<string>): ReadonlySet<string> =>
  dialect.reads === 'form' ? new Set() : listed

export function speak(mounted: Mountable, site: Site): Spoken {
  const listed = listOrigins(site, [mounted.dialect])
  const jar = openJar(mounted.dialect.cookies, site)
  const heads = openHeads(site, readers(mounted, listed))
  return { ...mounted, jar, listed, heads, readJar: openJarReader(jar) }
}

export function waysOf(spoken: Spoken, site: Site): readonly Way[] {
  return Object.entries(spoken.dialect.routes).map(([name, route]) => {
    const { method, path } = splitRoute(name)
    return {
      spoken,
      method,
      path: `${site.prefix}${path}`,
      route,
      manner: mannerOf(spoken, route),
      limits: limitsOf(route.does, spoken.policy),
      takesBody: Object.keys(route.takes).some(wire => !wire.startsWith(':')),
    }
  })
}
