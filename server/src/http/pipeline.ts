// The pipeline, in its order: preflight, origin, double submit, count, body, rename, run, write. Decides what is asked
// first; each answer to it lives in a file of its own. Knows no socket, no store and no dialect by name.
import { Fault } from '../core/fault.ts'
import { type Refusal, refuse } from '../core/refusal.ts'
import type { Caller, OperationName, Request, Result } from '../operations/contract.ts'
import type { Throttle } from '../store/port.ts'
import { networkOf } from './address.ts'
import { answerDone, answerRefusal, type Refused, refuseFault } from './answer.ts'
import { type Fields, readFields } from './body.ts'
import { type Answer, type Call, type Log, largestBody, largestIgnoredBody } from './call.ts'
import { readCarried } from './carried.ts'
import type { Jarful } from './cookies.ts'
import { isDoublySubmitted, isSafe, mayChange, readRequestedHeaders } from './guard.ts'
import { type Headers, preflightHeaders } from './headers.ts'
import { answerServed } from './pages.ts'
import { type Found, type Place, takesHead } from './places.ts'
import type { Site } from './site.ts'
import type { Spoken, Way } from './way.ts'
import { toInput, toWire } from './wire.ts'

export type Run = <O extends OperationName>(request: Request<O>) => Promise<Result<O>>

export type Pipes = {
  readonly site: Site
  readonly run: Run
  readonly throttle: Throttle
  /** Whether the MAC of a CSRF token is ours, whatever the token is bound to. */
  readonly csrfAuthentic: (text: string) => boolean
  readonly log: Log
  readonly find: (path: string) => Found | undefined
  /** Says no where there is no place. */
  readonly first: Spoken
  readonly clientOf: (call: Pick<Call, 'header' | 'address'>) => string
}

/** Who calls, for events and for people's lists of sessions. */
export const callerOf = (call: Pick<Call, 'header' | 'id'>, address: string): Caller => ({
  callId: call.id,
  address,
  userAgent: (call.header('user-agent') ?? '').slice(0, 256),
})

function refuseCsrf(
  { spoken, route }: Way,
  call: Call,
  cookies: Jarful,
  authentic: Pipes['csrfAuthentic'],
): Refusal | undefined {
  const { csrf } = spoken.dialect.cookies
  if (!csrf || !route.csrf) return undefined
  if (csrf.onlyWithCookie && cookies.refresh.length + cookies.signIn.length === 0) return undefined
  return isDoublySubmitted(call.header(csrf.header), cookies.csrf, authentic)
    ? undefined
    : refuse('csrf_refused')
}

/** Every count is counted, also when an earlier one has already said no. */
async function refuseThrottled(
  { limits }: Way,
  address: string,
  throttle: Throttle,
): Promise<Refusal | undefined> {
  const waits = await Promise.all(
    limits.map(({ name, by, rate }) =>
      throttle.take(name, by === 'address' ? address : networkOf(address), rate),
    ),
  )
  const longest = Math.max(0, ...waits.map(wait => wait?.retryAfter ?? 0))
  return longest > 0 ? refuse('throttled', { retryAfter: longest }) : undefined
}

/** What a browser asks before it calls. Who is not listed, or asks for what is no header name, is told nothing. */
function answerPreflight(place: Place, asked: string, call: Call): Answer {
  const origin = call.header('origin')
  const heads = place.ways.get(asked)?.spoken.heads ?? (place.served ? place.heads : place.spoken.heads)
  const headers = heads(undefined, origin)
  const names = readRequestedHeaders(call.header('access-control-request-headers'))
  const granted = 'Access-Control-Allow-Origin' in headers && names !== undefined
  return {
    status: 204,
    headers: granted
      ? { ...headers, ...preflightHeaders(place.methods, names) }
      : heads(undefined, undefined),
    cookies: [],
    body: '',
  }
}

/** The way a method goes at a place; HEAD goes GET's where it may. */
const wayOf = (place: Place, method: string): Way | undefined =>
  place.ways.get(method === 'HEAD' && takesHead(place) ? 'GET' : method)

const withoutBody = (answer: Answer): Answer => ({ ...answer, body: '' })

/** In development, a page that this server itself has served. */
const isPlayground = (site: Site, { header }: Call): boolean =>
  site.environment === 'development' && header('sec-fetch-site') === 'same-origin'

/** Never rejects, unless a dialect cannot even say that something went wrong. */
export function openPipeline(pipes: Pipes): (call: Call) => Promise<Answer> {
  const { site, run, throttle, csrfAuthentic, log, find, first, clientOf } = pipes

  /** What stops a call before its body is looked at. */
  const refuseEarly = async (way: Way, call: Call, cookies: Jarful, address: string) =>
    (isSafe(way.method) || mayChange(call.header, way.spoken.listed)
      ? undefined
      : refuse('origin_refused')) ??
    refuseCsrf(way, call, cookies, csrfAuthentic) ??
    (await refuseThrottled(way, address, throttle))

  const go = async (way: Way, call: Call, params: Fields): Promise<Answer> => {
    const { spoken, route, manner } = way
    const origin = call.header('origin')
    const about: Refused = { callId: call.id, origin, route }
    const address = clientOf(call)
    const cookies = spoken.readJar(call.header('cookie'))
    const early = await refuseEarly(way, call, cookies, address)
    if (early) return answerRefusal(spoken, early, about)

    const most = way.takesBody ? largestBody : largestIgnoredBody
    const body = isSafe(way.method) ? new Uint8Array() : await call.body(most)
    const read = readFields(body, call.header('content-type'), way.takesBody)
    if ('refusal' in read) return answerRefusal(spoken, read.refusal, about)
    const renamed = toInput(route, read.fields, params)
    if ('refusal' in renamed) return answerRefusal(spoken, renamed.refusal, about)

    const result = await run({
      does: route.does,
      input: renamed.input,
      carried: readCarried(way, cookies, call.header, csrfAuthentic),
      caller: callerOf(call, address),
      manner,
    })
    const named: Refused = { ...about, toWire: issues => toWire(route, issues, read.fields, params) }
    if ('refusal' in result) return answerRefusal(spoken, result.refusal, named)
    return answerDone(way, site, result.done, result.tokens, { origin, cookies: isPlayground(site, call) })
  }

  /** A fault tells its call id and nothing else; what it was stands in the log. */
  const answerFault = (spoken: Spoken, call: Call, error: unknown): Answer => {
    const retryAfter = error instanceof Fault ? error.retryAfter : undefined
    const told = { callId: call.id, method: call.method, err: error }
    if (retryAfter === undefined) log.error(told, 'a call failed')
    else log.warn(told, 'a call could not be decided')
    return answerRefusal(spoken, refuseFault(retryAfter), { callId: call.id, origin: call.header('origin') })
  }

  const answer = async (call: Call): Promise<Answer> => {
    const about: Refused = { callId: call.id, origin: call.header('origin') }
    const found = find(call.path)
    if (!found) return answerRefusal(first, refuse('not_found'), about)
    const { place, params } = found
    const asked = call.header('access-control-request-method')
    if (call.method === 'OPTIONS' && about.origin !== undefined && asked !== undefined) {
      return answerPreflight(place, asked, call)
    }
    try {
      const way = wayOf(place, call.method)
      if (way) return await go(way, call, params)
      if (place.served && isSafe(call.method) && call.method !== 'OPTIONS') {
        return await answerServed(place.served, call, place.heads)
      }
    } catch (error) {
      return answerFault(place.spoken, call, error)
    }
    const headers: Headers = { Allow: place.methods }
    return answerRefusal(place.spoken, refuse('method_not_allowed'), { ...about, headers })
  }

  return async call => (call.method === 'HEAD' ? withoutBody(await answer(call)) : answer(call))
}
