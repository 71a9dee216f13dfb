// The door of this room: takes a site, dialects and the operations, gives what answers calls. Puts the parts together and
// decides nothing but what is said only once.
import { isHandshake, isSafe, mayChange, readBearer } from '@rusk/verify/floor'
import { subjectOf } from '../core/model.ts'
import { type Refusal, refuse } from '../core/refusal.ts'
import type { Result } from '../operations/contract.ts'
import type { Throttle } from '../store/port.ts'
import { clientAddress, openProxies } from './address.ts'
import type { Answer, Call, Log } from './call.ts'
import { readCarried } from './carried.ts'
import { type FetchInfo, readCall, writeResponse } from './fetch.ts'
import { floorOf, type Headers } from './headers.ts'
import { type Hot, openHot, type Recall } from './hot.ts'
import { mount } from './mount.ts'
import { callerOf, openPipeline, type Run } from './pipeline.ts'
import { openPlaces } from './places.ts'
import { methodOf, type Served } from './served.ts'
import type { Site } from './site.ts'
import { isJsonWay, type Mountable } from './way.ts'

export type { Answer, Call, Log } from './call.ts'
export type { JsonRoute, Served } from './served.ts'
export type { Mountable, Mounted } from './way.ts'

export type HttpParts = {
  readonly site: Site
  /** The first says no where there is no route. */
  readonly dialects: readonly Mountable[]
  readonly run: Run
  readonly recall: Recall
  readonly throttle: Throttle
  /** Whether the MAC of a CSRF token is ours, whatever the token is bound to. */
  readonly csrfAuthentic: (text: string) => boolean
  readonly log: Log
  /** Pages and plain JSON beside the dialects, at exact paths. */
  readonly served?: readonly Served[]
}

/** What a call needs to tell who makes it. */
export type Asking = Omit<Call, 'path' | 'query' | 'body'>

/** Who makes it, and the `sub` of access tokens that the dialect by which it was told mints; or why nobody does. */
export type Called =
  | (Extract<Result<'whoAmI'>, { done: unknown }> & { readonly subject: string })
  | { readonly refusal: Refusal }

export type WhoCalls = (asking: Asking) => Promise<Called>

export type Http = {
  /** A Web-standard handler. */
  readonly fetch: (request: Request, info?: FetchInfo) => Promise<Response>
  readonly call: (call: Call) => Promise<Answer>
  /** For GET calls without a body; undefined: `call` knows. */
  readonly hot: Hot
  /** What every answer carries; for what never becomes a call. */
  readonly floor: Headers
  /**
   * Who makes a call to some other program's route. Refuses an unsafe one that another site's page could have sent. With
   * several dialects the first that knows somebody counts, unless an earlier one finds its cookies misused. A
   * cookie that only pages have says nothing here.
   */
  readonly whoCalls: WhoCalls
}

/** Throws `Misuse` with every finding when these dialects cannot be spoken on this site. */
export function createHttp(parts: HttpParts): Http {
  const { site, log, run, served = [] } = parts
  const mounted = mount(
    site,
    parts.dialects,
    served.map(each => ({ method: methodOf(each), path: each.path })),
  )
  const { spoken, ways } = mounted
  const { trusts } = openProxies(site.proxies)

  let told = false
  const clientOf = ({ header, address }: Pick<Call, 'header' | 'address'>): string => {
    const forwarded = header('x-forwarded-for')
    if (forwarded !== undefined && !told) {
      const peer = clientAddress(address, undefined, trusts)
      if (!trusts(peer)) {
        told = true
        log.warn({ address: peer }, 'X-Forwarded-For from a peer that is not a trusted proxy is ignored')
      }
    }
    return clientAddress(address, forwarded, trusts)
  }

  const call = openPipeline({
    site,
    run,
    throttle: parts.throttle,
    csrfAuthentic: parts.csrfAuthentic,
    log,
    find: openPlaces(mounted, served, site),
    first: spoken[0],
    pages: spoken.find(({ dialect }) => !('refusals' in dialect)),
    clientOf,
  })

  const whoCalls: WhoCalls = async asking => {
    const { header, method } = asking
    const unsafe = !isSafe(method) || isHandshake(header)
    let answer: Called = { refusal: refuse('not_signed_in') }
    for (const way of ways.filter(isJsonWay).filter(each => each.route.does === 'whoAmI')) {
      const cookies = way.spoken.readJar(header('cookie'))
      const read = readCarried(way, cookies, header, parts.csrfAuthentic)
      // A program's own routes take what any service would, also where the dialect's own read cookies alone.
      const carried = { ...read, bearer: read.bearer ?? readBearer(header('authorization')) ?? read.bearer }
      // A bearer token no browser sends by itself.
      if (carried.bearer === undefined && unsafe && !mayChange(header, way.spoken.listed)) {
        answer = { refusal: refuse('origin_refused') }
        // Another dialect may list the origin, but no second identity stands in for one that was sent from a foreign page.
        if (cookies.access.length + cookies.refresh.length + cookies.signIn.length > 0) return answer
        continue
      }
      const caller = callerOf(asking, clientOf(asking))
      const result = await run({ does: 'whoAmI', input: {}, carried, caller, manner: way.manner })
      if ('done' in result) return { ...result, subject: subjectOf(result.done.user, way.manner) }
      if (result.refusal.refused === 'cookie_conflict') return result
      if (result.refusal.refused !== 'not_signed_in') answer = result
    }
    return answer
  }

  return {
    call,
    fetch: async (request, info) => writeResponse(await call(readCall(request, info))),
    hot: openHot(ways, site, parts.recall),
    floor: floorOf(site),
    whoCalls,
  }
}
