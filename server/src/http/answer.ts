// Writes answers: what was done by the route, refusals by the dialect, tokens as cookies. The only place where a result
// becomes a status, headers and lines of Set-Cookie; pages are written out by answer-shown.ts.
import { type Issue, type Refusal, refusals, refuse } from '../core/refusal.ts'
import type { Done, OperationName, Tokens } from '../operations/contract.ts'
import { answerShown } from './answer-shown.ts'
import type { Answer } from './call.ts'
import { agesOf, clearCookie, writeCookie } from './cookies.ts'
import type { ErrorReply, Route } from './dialect.ts'
import { challenge, type Headers, waits } from './headers.ts'
import type { NamedRefusal, PageRoute, Seen } from './shown.ts'
import type { Site } from './site.ts'
import { isPageRoute, type Spoken, type Way } from './way.ts'

const json = 'application/json'

/** Lines in the order access, refresh, sign-in, CSRF. Cleared are access and refresh only: a late clear of the sign-in cookie would wipe a newer sign-in's. */
function writeTokens({ jar, dialect, policy }: Spoken, tokens: Tokens): readonly string[] {
  const { access, refresh, signIn, csrf, clear } = tokens
  const ages = agesOf(dialect.cookies, policy, tokens.refreshMaxAge)
  const lines: string[] = []
  if (clear) {
    if (jar.access) lines.push(clearCookie(jar.access))
    lines.push(clearCookie(jar.refresh))
  }
  // Pages hand no token to a script: where the front end keeps its own in memory, they still need theirs in the cookie.
  if (access && jar.access && (tokens.delivery !== 'memory' || dialect.reads === 'form')) {
    lines.push(writeCookie(jar.access, access.token, ages.access))
  }
  // A sign-in that keeps its access token in memory leaves no earlier one in the jar to contradict it.
  if (signIn !== undefined && jar.access && tokens.delivery === 'memory') lines.push(clearCookie(jar.access))
  if (refresh !== undefined) lines.push(writeCookie(jar.refresh, refresh, ages.refresh))
  if (signIn !== undefined) lines.push(writeCookie(jar.signIn, signIn, ages.signIn))
  if (csrf !== undefined && jar.csrf) {
    lines.push(writeCookie(jar.csrf, csrf, Math.min(ages.csrf, tokens.csrfMaxAge ?? ages.csrf)))
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
        'Access-Control-Expose-Headers': `Date, Retry-After, ${dialect.cookies.csrf.header}`,
      }
    : {}

/** What was done, as the route writes it. */
export function answerDone(
  { spoken, route }: Pick<Way<Route>, 'spoken' | 'route'>,
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

/** What was done, as people are shown it. */
export const answerPage = (
  { spoken, route }: Pick<Way<PageRoute>, 'spoken' | 'route'>,
  done: Done[OperationName],
  tokens: Tokens,
  seen: Seen,
): Answer =>
  answerShown(spoken, route.show(done, seen), { seen, status: 200, cookies: writeTokens(spoken, tokens) })

/** What a page shows before anything is asked for it; undefined: nothing. */
export function answerFirst(
  { spoken, route }: Pick<Way<PageRoute>, 'spoken' | 'route'>,
  seen: Seen,
): Answer | undefined {
  const shown = route.first?.(seen)
  return shown && answerShown(spoken, shown, { seen, status: 200 })
}

export type Refused = {
  readonly callId: string
  readonly origin: string | undefined
  /** Undefined: no route was found. */
  readonly route?: Route | PageRoute
  /** By the wire's names. */
  readonly toWire?: (issues: readonly Issue[]) => readonly Issue[]
  readonly headers?: Headers
  /** Asked only where the answer is a page. */
  readonly see: () => Seen
}

/** A "no" as the route says it, or else the dialect. It never touches a cookie. */
export function answerRefusal(spoken: Spoken, refusal: Refusal, about: Refused): Answer {
  const { dialect, heads } = spoken
  const { route, callId } = about
  const { refused, issues } = refusal
  const named: NamedRefusal = {
    ...refusal,
    ...(issues && about.toWire ? { issues: about.toWire(issues) } : {}),
    callId,
  }
  const headers = { ...waits(refusal), ...about.headers }
  if (!('refusals' in dialect)) {
    const seen = about.see()
    const own = route && isPageRoute(route) ? route.refused?.(named, seen) : undefined
    const { status } = refusals[refused]
    return answerShown(spoken, own ?? dialect.refused(named, seen), { seen, status, headers })
  }
  const own = route && !isPageRoute(route) ? route.refusals[refused] : undefined
  const render = own ?? dialect.refusals[refused] ?? dialect.refusals.otherwise
  const { status, body, type }: ErrorReply = render(named)
  return {
    status,
    headers: {
      ...heads(type ?? json, about.origin),
      ...(dialect.bearer ? challenge(status) : {}),
      ...headers,
    },
    cookies: [],
    body: JSON.stringify(body),
  }
}

/** Why a throw became a "no": 503 where waiting may help, else 500. */
export const refuseFault = (retryAfter: number | undefined): Refusal =>
  retryAfter === undefined ? refuse('fault') : refuse('unavailable', { retryAfter })
