// The pipeline, in its order: preflight, origin, double submit, count, body, rename, run, write. Decides what is asked
// first; each answer to it lives in a file of its own. Knows no socket, no store and no dialect by name.

import { randomBytes } from 'node:crypto'
import { isDoublySubmitted, isSafe, mayChange } from '@rusk/verify/floor'
import { Fault } from '../core/fault.ts'
import { type Refusal, refuse } from '../core/refusal.ts'
import type { Caller, OperationName, Request, Result } from '../operations/contract.ts'
import type { Throttle } from '../store/port.ts'
import { networkOf } from './address.ts'
import { answerDone, answerFirst, answerPage, answerRefusal, type Refused, refuseFault } from './answer.ts'
import { type Fields, readFields } from './body.ts'
import { type Answer, type Call, type Log, largestBody, largestIgnoredBody } from './call.ts'
import { readCarried } from './carried.ts'
import type { Jarful } from './cookies.ts'
import { readFormBody, readQuery } from './form.ts'
import { type Headers, preflightHeaders } from './headers.ts'
import { type Found, type Place, takesHead } from './places.ts'
import { readRequestedHeaders } from './preflight.ts'
import { problemOf } from './problem.ts'
import { seeCall } from './seen.ts'
import { answerServed, methodOf, readersOf, writeJson } from './served.ts'
import type { Seen } from './shown.ts'
import type { Site } from './site.ts'
import { isPageRoute, type Spoken, type Way } from './way.ts'
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
  /** Says no to programs where there is no place. */
  readonly first: Spoken
  /** Says it to people, where there are pages. */
  readonly pages: Spoken | undefined
  readonly clientOf: (call: Pick<Call, 'header' | 'address'>) => string
}

/** Who calls, for events and for people's lists of sessions. */
export const callerOf = (call: Pick<Call, 'header' | 'id'>, address: string): Caller => ({
  callId: call.id,
  address,
  userAgent: (call.header('user-agent') ?? '').slice(0, 256),
})

/** Somebody has opened an address, and is shown what comes. Browsers that say nothing of it are known by what they accept. */
const isOpened = ({ header }: Pick<Call, 'header'>): boolean =>
  (header('sec-fetch-dest') ?? 'document') === 'document' && (header('accept') ?? '').includes('text/html')

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

/** What stands there is for programs, whatever dialect their users speak. */
const isForPrograms = ({ served }: Place): boolean => served !== undefined && readersOf(served) === 'none'

/** Whether what stands beside the dialects there answers that method. */
const isServed = (place: Place, method: string): boolean =>
  place.served !== undefined && (method === methodOf(place.served) || (method === 'HEAD' && takesHead(place)))

/** The fields of a call. Of one that changes nothing only forms have any, in the query. */
async function readSent(way: Way, call: Call): Promise<ReturnType<typeof readFields>> {
  const form = way.spoken.dialect.reads === 'form'
  if (isSafe(way.method)) return form ? readQuery(call.query) : { fields: {} }
  // A form carries fields for its page also where the operation takes none.
  const body = await call.body(form || way.takesBody ? largestBody : largestIgnoredBody)
  const type = call.header('content-type')
  return form ? readFormBody(body, type) : readFields(body, type, way.takesBody)
}

const withoutBody = (answer: Answer): Answer => ({ ...answer, body: '' })

/** In development, a page that this server itself has served. */
const isPlayground = (site: Site, { header }: Call): boolean =>
  site.environment === 'development' && header('sec-fetch-site') === 'same-origin'

/** So many origins are told of, once each: whoever makes them up fills no log. */
const mostUnlisted = 20

/** In development the log says why a page hears nothing: the browser does not. */
function openUnlisted(site: Site, log: Pipes['log']): (origin: string | undefined) => void {
  const told = new Set<string>()
  return origin => {
    if (site.environment !== 'development' || origin === undefined) return
    if (told.has(origin) || told.size >= mostUnlisted) return
    told.add(origin)
    log.warn({ origin }, 'a page of an origin that is not listed may not call: add it to ALLOWED_ORIGINS')
  }
}

/** Never rejects, unless a dialect cannot even say that something went wrong. */
export function openPipeline(pipes: Pipes): (call: Call) => Promise<Answer> {
  const { site, run, throttle, csrfAuthentic, log, find, first, pages, clientOf } = pipes
  const tellUnlisted = openUnlisted(site, log)

  /** What stops a call before its body is looked at. */
  const refuseEarly = async (way: Way, call: Call, cookies: Jarful, address: string) =>
    (isSafe(way.method) || mayChange(call.header, way.spoken.listed)
      ? undefined
      : refuse('origin_refused')) ??
    refuseCsrf(way, call, cookies, csrfAuthentic) ??
    (await refuseThrottled(way, address, throttle))

  /** What a page may know of a call with these fields. */
  const see = (spoken: Spoken, call: Call, fields: Fields): Seen => {
    const cookies = spoken.readJar(call.header('cookie'))
    const nonce = randomBytes(16).toString('base64')
    return seeCall({ site, spoken, call, cookies, nonce }, fields)
  }

  const go = async (way: Way, call: Call, params: Fields): Promise<Answer> => {
    const { spoken, route, manner } = way
    const origin = call.header('origin')
    const address = clientOf(call)
    const cookies = spoken.readJar(call.header('cookie'))
    const early = await refuseEarly(way, call, cookies, address)
    // Whoever is only to wait finds in the form again what stood in it.
    const shownAgain = isPageRoute(route) && early?.refused === 'throttled'
    const read = early && !shownAgain ? { fields: {} } : await readSent(way, call)
    const fields = 'fields' in read ? read.fields : {}
    const about: Refused = { callId: call.id, origin, route, see: () => see(spoken, call, fields) }
    const no = early ?? ('refusal' in read ? read.refusal : undefined)
    if (no) return answerRefusal(spoken, no, about)
    const first = isPageRoute(route) ? answerFirst({ spoken, route }, about.see()) : undefined
    if (first) return first
    const renamed = toInput(route, fields, params)
    if ('refusal' in renamed) return answerRefusal(spoken, renamed.refusal, about)

    const result = await run({
      does: route.does,
      input: renamed.input,
      carried: readCarried(way, cookies, call.header, csrfAuthentic),
      caller: callerOf(call, address),
      manner,
    })
    const named: Refused = { ...about, toWire: issues => toWire(route, issues, fields, params) }
    if ('refusal' in result) return answerRefusal(spoken, result.refusal, named)
    const { done, tokens } = result
    if (isPageRoute(route)) return answerPage({ spoken, route }, done, tokens, about.see())
    return answerDone({ spoken, route }, site, done, tokens, { origin, cookies: isPlayground(site, call) })
  }

  /** Where no route was found, or none is to say anything. */
  const aboutOf = (spoken: Spoken, call: Call): Refused => ({
    callId: call.id,
    origin: call.header('origin'),
    see: () => see(spoken, call, {}),
  })

  /** A "no" that no way has said. */
  const refuseAt = (place: Place, refusal: Refusal, call: Call, headers: Headers = {}): Answer => {
    if (!isForPrograms(place))
      return answerRefusal(place.spoken, refusal, { ...aboutOf(place.spoken, call), headers })
    const problem = problemOf(refusal, { callId: call.id })
    return writeJson({ ...problem, headers: { ...problem.headers, ...headers } }, call, place.heads)
  }

  /** A fault tells its call id and nothing else; what it was stands in the log. */
  const answerFault = (place: Place, call: Call, error: unknown): Answer => {
    const retryAfter = error instanceof Fault ? error.retryAfter : undefined
    const told = { callId: call.id, method: call.method, err: error }
    if (retryAfter === undefined) log.error(told, 'a call failed')
    else log.warn(told, 'a call could not be decided')
    return refuseAt(place, refuseFault(retryAfter), call)
  }

  const answer = async (call: Call): Promise<Answer> => {
    const found = find(call.path)
    if (!found) {
      const spoken = pages && isOpened(call) ? pages : first
      return answerRefusal(spoken, refuse('not_found'), aboutOf(spoken, call))
    }
    const { place, params } = found
    const asked = call.header('access-control-request-method')
    if (call.method === 'OPTIONS' && call.header('origin') !== undefined && asked !== undefined) {
      const answered = answerPreflight(place, asked, call)
      const heard = 'Access-Control-Allow-Origin' in answered.headers
      if (!heard && !isForPrograms(place)) tellUnlisted(call.header('origin'))
      return answered
    }
    try {
      const way = wayOf(place, call.method)
      if (way) return await go(way, call, params)
      if (place.served && isServed(place, call.method)) {
        return await answerServed(place.served, call, place.heads)
      }
    } catch (error) {
      return answerFault(place, call, error)
    }
    return refuseAt(place, refuse('method_not_allowed'), call, { Allow: place.methods })
  }

  return async call => (call.method === 'HEAD' ? withoutBody(await answer(call)) : answer(call))
}
