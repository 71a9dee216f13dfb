// Writes answers: what was done by the route, refusals by the dialect, tokens as cookies. The only place where a result
// becomes a status, headers and lines of Set-Cookie.
import { type Issue, type Refusal, refuse } from '../core/refusal.ts'
import type { Done, OperationName, Tokens } from '../operations/contract.ts'
import type { Answer } from './call.ts'
import { clearCookie, writeCookie } from './cookies.ts'
import type { Route } from './dialect.ts'
import type { Headers } from './headers.ts'
import type { Site } from './site.ts'
import type { Spoken, Way } from './way.ts'

const json = 'application/json'

const seconds = (span: number): number => Math.floor(span / 1000)

/** Lines in the order access, refresh, sign-in, CSRF. Cleared are access and refresh only: a late clear of the sign-in cookie would wipe a newer sign-in's. */
export function writeTokens({ jar, dialect, policy }: Spoken, tokens: Tokens): readonly string[] {
  const { access, refresh, signIn, csrf, clear } = tokens
  const kept = tokens.refreshMaxAge ?? seconds(Math.min(policy.idle, policy.lifetime))
  const lines: string[] = []
  if (clear) {
    if (jar.access) lines.push(clearCookie(jar.access))
    lines.push(clearCookie(jar.refresh))
  }
  if (access && jar.access && tokens.delivery !== 'memory') {
    lines.push(writeCookie(jar.access, access.token, seconds(policy.access)))
  }
  // A sign-in that keeps its access token in memory leaves no earlier one in the jar to contradict it.
  if (signIn !== undefined && jar.access && tokens.delivery === 'memory') lines.push(clearCookie(jar.access))
  if (refresh !== undefined) lines.push(writeCookie(jar.refresh, refresh, kept))
  if (signIn !== undefined) lines.push(writeCookie(jar.signIn, signIn, kept))
  if (csrf !== undefined && jar.csrf) {
    lines.push(writeCookie(jar.csrf, csrf, dialect.cookies.csrf?.maxAge ?? kept))
  }
  return lines
}

/** What the answer says beside its body. */
export type Telling = {
  readonly origin: string | undefined
  /** The playground asks: names and attributes of the cookies, which no script can read, without their values. */
  readonly cookies: boolean
}

/** A JSON list of `name; Max-Age=900; …`. */
const tellCookies = (lines: readonly string[]): Headers => ({
  'Rusk-Set-Cookie': JSON.stringify(lines.map(line => line.replace(/=[^;]*/, ''))),
})

/** A page of another site cannot read the CSRF cookie; one of a listed origin can read the header. */
const tellCsrf = ({ dialect }: Spoken, { crossSite }: Site, { csrf }: Tokens): Headers =>
  crossSite && csrf !== undefined && dialect.cookies.csrf
    ? {
        [dialect.cookies.csrf.header]: csrf,
        'Access-Control-Expose-Headers': `Retry-After, ${dialect.cookies.csrf.header}`,
      }
    : {}

/** What was done, as the route writes it. */
export function answerDone(
  { spoken, route }: Way,
  site: Site,
  done: Done[OperationName],
  tokens: Tokens,
  telling: Telling,
): Answer {
  const body = route.answer === null ? '' : JSON.stringify(route.write(done, tokens))
  const cookies = writeTokens(spoken, tokens)
  const headers = spoken.heads(body === '' ? undefined : json, telling.origin)
  return {
    status: route.status,
    headers:
      cookies.length > 0
        ? {
            ...headers,
            ...tellCsrf(spoken, site, tokens),
            ...(telling.cookies ? tellCookies(cookies) : {}),
          }
        : headers,
    cookies,
    body,
  }
}

export type Refused = {
  readonly callId: string
  readonly origin: string | undefined
  /** Undefined: no route was found. */
  readonly route?: Route
  /** By the wire's names. */
  readonly toWire?: (issues: readonly Issue[]) => readonly Issue[]
  readonly headers?: Headers
}

/** A "no" as the route says it, or else the dialect. It never touches a cookie. */
export function answerRefusal({ dialect, heads }: Spoken, refusal: Refusal, about: Refused): Answer {
  const { refused, issues, retryAfter } = refusal
  const render = about.route?.refusals[refused] ?? dialect.refusals[refused] ?? dialect.refusals.otherwise
  const named = issues && about.toWire ? { ...refusal, issues: about.toWire(issues) } : refusal
  const { status, body, type } = render({ ...named, callId: about.callId })
  return {
    status,
    headers: {
      ...heads(type ?? json, about.origin),
      ...(retryAfter === undefined ? {} : { 'Retry-After': String(Math.max(1, Math.ceil(retryAfter))) }),
      ...(status === 401 && dialect.bearer ? { 'WWW-Authenticate': 'Bearer' } : {}),
      ...about.headers,
    },
    cookies: [],
    body: JSON.stringify(body),
  }
}

/** Why a throw became a "no": 503 where waiting may help, else 500. */
export const refuseFault = (retryAfter: number | undefined): Refusal =>
  retryAfter === undefined ? refuse('fault') : refuse('unavailable', { retryAfter })
