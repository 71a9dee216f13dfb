// The session rule: a refresh token is sent exactly once, by the answer whose commit made it. Every other live answer
// carries an access token only. Decides which session a browser means and what becomes of it; knows no store, no
// clock and no cookie. docs/sessions.md explains the rule.
import type { Delivery, Holder, Line, Session, User } from './model.ts'
import type { Policy } from './policy.ts'

/** Number `n` of session `sessionId`: what an authentic refresh token says. */
export type Presented = { readonly sessionId: string; readonly n: number }

/** What becomes of a line to which a number is presented. */
export type Step =
  | { readonly step: 'quiet' }
  | { readonly step: 'change'; readonly line: Line; readonly wentBack: boolean }
  | { readonly step: 'end' }

/** The line of a new session; its sign-in sends number 1. */
export const firstLine = (now: number): Line => ({ previous: 0, current: 0, successor: 1, changedAt: now })

/** The whole rule. A `change` is to be guarded by `line` being as it was; its answer alone carries the new successor. */
export function decideStep(line: Line, n: number, now: number, grace: number): Step {
  if (now - line.changedAt <= grace) return n >= line.previous ? { step: 'quiet' } : { step: 'end' }
  if (n !== line.current && n < line.successor) return { step: 'end' }
  return {
    step: 'change',
    // Beyond `successor`: this number was sent once, and the store no longer knows; it went back in time.
    wentBack: n > line.successor,
    line: { previous: line.current, current: n, successor: Math.max(line.successor, n) + 1, changedAt: now },
  }
}

export const isLive = (session: Session, now: number): boolean =>
  session.endedAt === null && now < session.endsAt && now < session.idleEndsAt

/** Live, and no refresh has changed it yet: perhaps nobody ever got the answer that opened it. */
export const isAsOpened = (session: Session, now: number): boolean =>
  isLive(session, now) && session.successor === firstLine(session.openedAt).successor

/** A session that may act: live, and its user active. */
export const mayAct = (holder: Holder | undefined, now: number): holder is Holder =>
  holder?.user.active === true && isLive(holder.session, now)

/** What a browser's cookies say, one number to a session, with the sessions they name as loaded. A name may come twice. */
export type Jar = {
  readonly refresh: readonly Presented[]
  readonly signIn: readonly Presented[]
  readonly holders: ReadonlyMap<string, Holder>
}

export type Choice = Presented & {
  readonly holder: Holder
  /** The number comes from the sign-in cookie: an old one accuses nobody. */
  readonly first: boolean
}

/**
 * The sign-in cookie says which session, the refresh cookie which number of it. Undefined: none names a session that may
 * act. `conflict`: one name came twice, for two sessions that may; what has ended is a left-over and says nothing.
 */
export function chooseSession(
  { refresh, signIn, holders }: Jar,
  now: number,
): Choice | 'conflict' | undefined {
  const live = (all: readonly Presented[]): Choice[] =>
    all.flatMap(each => {
      const holder = holders.get(each.sessionId)
      return mayAct(holder, now) ? [{ ...each, holder, first: all === signIn }] : []
    })
  const [bySignIn, ...otherSignIns] = live(signIn)
  const [byRefresh, ...otherRefreshes] = live(refresh)
  if (otherSignIns.length + otherRefreshes.length > 0) return 'conflict'
  return bySignIn && byRefresh?.sessionId !== bySignIn.sessionId ? bySignIn : byRefresh
}

/** What a call's access tokens say: the sessions they name, each once, of users they fit. */
export type Shown = {
  readonly access: readonly string[]
  readonly by: 'cookie' | 'bearer'
  /** The sessions that the sign-in cookies name. */
  readonly signIn: readonly string[]
  readonly holders: ReadonlyMap<string, Holder>
}

/**
 * Who calls. A token whose session has ended says nothing where another is there. A late answer may have put back the
 * access cookie of an earlier sign-in: where a sign-in cookie names a session that may act, one of another session counts
 * as `expired`. `conflict`: two sessions that may act, and no sign-in cookie says which. Undefined: none may.
 */
export function chooseCaller(
  { access, by, signIn, holders }: Shown,
  now: number,
): Holder | 'conflict' | 'expired' | undefined {
  const acting = (ids: readonly string[]): Holder[] =>
    ids.flatMap(id => {
      const holder = holders.get(id)
      return mayAct(holder, now) ? [holder] : []
    })
  const live = acting(access)
  const [first, ...others] = live
  if (!first) return undefined
  const meant = live.filter(({ session }) => signIn.includes(session.id))
  if (by === 'cookie' && meant.length === 0 && acting(signIn).length > 0) return 'expired'
  if (meant.length === 1) return meant[0]
  return others.length > 0 ? 'conflict' : first
}

export type Opening = {
  readonly id: string
  readonly user: User
  readonly delivery: Delivery
  readonly userAgent: string
  readonly address: string
}

export const openSession = (opening: Opening, policy: Policy, now: number): Session => ({
  ...firstLine(now),
  id: opening.id,
  userId: opening.user.id,
  delivery: opening.delivery,
  openedAt: now,
  endsAt: now + policy.lifetime,
  idleEndsAt: Math.min(now + policy.idle, now + policy.lifetime),
  endedAt: null,
  endedBecause: null,
  lastUsedAt: now,
  userAgent: opening.userAgent,
  address: opening.address,
})

export const lineOf = (session: Session): Line => ({
  previous: session.previous,
  current: session.current,
  successor: session.successor,
  changedAt: session.changedAt,
})
