// Who makes a call to a program behind a proxy that asks here first (auth_request of nginx, forwardAuth of Traefik,
// forward_auth of Caddy): the same verdict as for a program that Rusk runs inside of. Knows neither proxy nor program.
import { isHandshake, isSafe } from '@rusk/verify/floor'
import { refusals } from '../core/refusal.ts'
import type { Call, Log } from './call.ts'
import type { Called, WhoCalls } from './handle.ts'
import { problemOf } from './problem.ts'
import type { JsonAnswer, JsonRoute } from './served.ts'

/** Where proxies write the method of the call that they ask about: nginx as it is told to, Traefik and Caddy by themselves. */
const methodHeaders = ['x-original-method', 'x-forwarded-method'] as const

/** Nothing says which method the call has, so it is taken for one that changes something. */
const unknown = ''

/**
 * A caller may have written the header that its proxy does not: each that is there must name a safe method. One that came
 * twice names none.
 */
function methodOf({ header }: Pick<Call, 'header'>): string {
  if (isHandshake(header)) return unknown
  const named = methodHeaders.map(header).filter(method => method !== undefined)
  return named.find(method => !isSafe(method)) ?? named[0] ?? unknown
}

const isNamed = ({ header }: Pick<Call, 'header'>): boolean =>
  methodHeaders.some(name => header(name) !== undefined)

const targetHeaders = ['x-original-uri', 'x-forwarded-uri'] as const

/** Where people sign in and come back from: whoever reads `return_to` judges it. */
function signInAt(page: string, { header }: Pick<Call, 'header'>): string {
  const target = targetHeaders.map(header).find(each => each?.startsWith('/'))
  return target === undefined ? page : `${page}?${new URLSearchParams({ return_to: target })}`
}

/** No address: nobody has proved that it is theirs, and programs behind proxies take it for an account's name. */
const tell = ({ done, subject }: Extract<Called, { done: unknown }>): JsonAnswer => ({
  status: 204,
  headers: { 'Remote-User': subject, 'Remote-Session': done.session.id },
})

export type ForwardParts = {
  readonly whoCalls: WhoCalls
  /** The page on which people sign in, from the root; undefined: there is none. */
  readonly signIn: string | undefined
  readonly log: Pick<Log, 'warn'>
}

/** 204 with who calls in headers; 401 (with the page to sign in on as Location, which the proxy may use), 403 or 503. */
export function forwardRoute({ whoCalls, signIn, log }: ForwardParts): JsonRoute {
  let told = false
  return {
    path: '/auth/forward',
    readers: 'none',
    answer: async call => {
      const named = isNamed(call)
      if (!named && !told) {
        told = true
        log.warn(
          { instead: 'Let the proxy send X-Original-Method (nginx) or X-Forwarded-Method (Traefik, Caddy)' },
          '/auth/forward was asked about a call of an unknown method, which counts as one that changes something',
        )
      }
      const { id, header, address } = call
      const called = await whoCalls({ id, header, address, method: methodOf(call) })
      if ('done' in called) return tell(called)
      const { refusal } = called
      const detail =
        refusal.refused === 'origin_refused' && !named
          ? 'Nothing says which method the call has: let the proxy send X-Original-Method or X-Forwarded-Method'
          : refusals[refusal.refused].title
      const problem = problemOf(refusal, { detail })
      return problem.status === 401 && signIn !== undefined
        ? { ...problem, headers: { ...problem.headers, Location: signInAt(signIn, call) } }
        : problem
    },
  }
}
