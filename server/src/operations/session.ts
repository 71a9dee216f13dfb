// What a browser does with its session: refresh it, leave it, get a CSRF token for it. The rule is core/session.ts.
import type { Holder } from '../core/model.ts'
import { refuse } from '../core/refusal.ts'
import { type Choice, chooseSession, decideStep, lineOf, type Step } from '../core/session.ts'
import { endNamed, holdersOf } from './account.ts'
import type { Done } from './contract.ts'
import {
  type Asked,
  type At,
  type Decision,
  type Engine,
  letter,
  no,
  type Operation,
  record,
} from './engine.ts'
import type { Presentation } from './presented.ts'

type RefreshFacts = {
  readonly presented: Presentation
  readonly choice: Choice | 'conflict' | undefined
  readonly throttled: number | undefined
}

async function loadChoice(
  engine: Engine,
  { refresh, signIn }: Presentation,
): Promise<RefreshFacts['choice']> {
  const holders = await holdersOf(
    engine,
    [...refresh, ...signIn].map(each => each.sessionId),
  )
  const bySession = new Map(holders.map(holder => [holder.session.id, holder]))
  return chooseSession({ refresh, signIn, holders: bySession }, engine.store.now())
}

export const refresh: Operation<'refresh', RefreshFacts> = {
  async load(engine, { presented, manner }) {
    const choice = await loadChoice(engine, presented)
    const throttled =
      typeof choice === 'object'
        ? await engine.throttle.take('refresh', choice.sessionId, manner.policy.rates.refresh)
        : undefined
    return { presented, choice, throttled: throttled?.retryAfter }
  },
  decide({ presented, choice, throttled }, _input, at) {
    if (choice === 'conflict') return no(refuse('cookie_conflict'))
    if (!choice) return no(refuse(presented.refreshCame ? 'refresh_invalid' : 'refresh_missing'))
    if (at.manner.csrf === 'session' && presented.csrf?.sessionId !== choice.sessionId)
      return no(refuse('csrf_refused'))
    if (throttled !== undefined) return no(refuse('throttled', { retryAfter: throttled }))
    return decideRefresh(choice, at)
  },
}

/** The session rule as changes and tokens. */
const decideRefresh = (choice: Choice, at: At): Decision<Done['refresh']> =>
  takeStep(choice, decideStep(lineOf(choice.holder.session), choice.n, at.now, at.policy.grace), at)

/** Only a change sends a refresh token, and only this answer ever does. */
export function takeStep({ holder, n, first }: Choice, step: Step, at: At): Decision<Done['refresh']> {
  const { session, user } = holder
  const was = lineOf(session)
  const about = { userId: user.id, sessionId: session.id }
  if (step.step === 'quiet') return { changes: [], done: holder, mint: { access: holder } }
  if (step.step === 'end') {
    // An old sign-in cookie proves nothing but that its browser lost a newer one.
    if (first) return no(refuse('refresh_invalid'))
    return no(refuse('refresh_invalid'), [
      { change: 'endSession', sessionId: session.id, because: 'reused', at: at.now, was },
      record('session_reused', at, { ...about, detail: { n, successor: was.successor } }),
      letter('session_reused', at, user),
    ])
  }
  const moved = {
    ...session,
    ...step.line,
    idleEndsAt: Math.min(at.now + at.policy.idle, session.endsAt),
    lastUsedAt: at.now,
    userAgent: at.caller.userAgent,
    address: at.caller.address,
  }
  const { idleEndsAt, lastUsedAt, userAgent, address } = moved
  const after: Holder = { session: moved, user }
  return {
    changes: [
      {
        change: 'moveSession',
        sessionId: session.id,
        was,
        line: step.line,
        idleEndsAt,
        lastUsedAt,
        userAgent,
        address,
      },
      ...(step.wentBack
        ? [record('store_went_back', at, { ...about, detail: { n, successor: was.successor } })]
        : []),
    ],
    done: after,
    mint: { access: after, refresh: step.line.successor },
  }
}

/**
 * Needs no session, works with an expired access token, and twice. The store first, the cookies after. A CSRF token is left
 * alone: that of an ended session opens nothing but the next sign-in, and a new one in a late answer would take the place
 * of a newer sign-in's.
 */
export const signOut: Operation<'signOut', readonly Holder[]> = {
  load: (engine, { presented }) =>
    holdersOf(engine, [...presented.namedByCookies, ...presented.namedByBearer]),
  decide: (named, _input, at) => ({
    changes: endNamed(named, 'signed_out', at),
    done: {},
    mint: { clear: true },
  }),
}

type CsrfFacts = Pick<RefreshFacts, 'presented' | 'choice'>

/** A token bound to the session that the cookies mean, or to none. One that is already right is sent again: other tabs hold it. */
export const csrf: Operation<'csrf', CsrfFacts> = {
  async load(engine: Engine, { presented }: Asked<'csrf'>) {
    return { presented, choice: await loadChoice(engine, presented) }
  },
  decide({ presented, choice }, _input, _at: At) {
    const sessionId = typeof choice === 'object' ? choice.sessionId : null
    const keep = presented.csrf?.sessionId === sessionId ? presented.csrf.text : undefined
    return { changes: [], done: {}, mint: { csrf: { sessionId, keep } } }
  },
}
