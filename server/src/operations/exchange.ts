// A token of the old system, for a session here: its holder moves without signing in anew. Whatever is wrong with the
// token or with its user takes one path and gets one refusal. Knows no other way to sign in.
import { claimKey, isSpelt } from '../core/admission.ts'
import type { Change } from '../core/change.ts'
import type { Holder, Session, User } from '../core/model.ts'
import { type Refusal, refuse } from '../core/refusal.ts'
import { isAsOpened, lineOf } from '../core/session.ts'
import { readEarlierToken, type Unfit } from '../crypto/earlier-token.ts'
import type { Account } from '../store/port.ts'
import { holdersOf, letIn } from './account.ts'
import { type At, no, type Operation, record } from './engine.ts'

/** Sessions that one token opens at most: it comes again only when an answer was lost, or from another tab at once. */
const mostOpened = 8

type ExchangeFacts = {
  readonly read: ReturnType<typeof readEarlierToken>
  /** Whom it names. */
  readonly account: Account | undefined
  /** What it has opened before, in order. */
  readonly opened: readonly Session[]
  readonly named: readonly Holder[]
  readonly sessionId: string
}

const refused = refuse('token_refused')

export const exchange: Operation<'exchange', ExchangeFacts | Refusal> = {
  async load(engine, { input, presented, manner }) {
    const { bridge, store } = engine
    if (!bridge) return refuse('not_found')
    const read = readEarlierToken(input.token, {
      key: bridge.key,
      now: store.now(),
      skew: manner.policy.skew,
    })
    const token = 'token' in read ? read.token : undefined
    const key = token && claimKey(bridge.field, token.claims[bridge.claim])
    const [found, opened, named] = await Promise.all([
      key && store.account(key),
      token ? store.sessionsOpenedBy(token.digest, { limit: mostOpened }) : [],
      holdersOf(engine, presented.namedByCookies),
    ])
    const isMeant = found && token && isSpelt(bridge.field, token.claims[bridge.claim], found.user)
    return { read, account: isMeant ? found : undefined, opened, named, sessionId: engine.newId() }
  },
  decide(facts, input, at) {
    if ('refused' in facts) return no(facts)
    const { read, account, opened, named, sessionId } = facts
    if ('unfit' in read) return no(refused, [noteRefused(read.unfit, undefined, at)])
    if (!account) return no(refused, [noteRefused('user_unknown', undefined, at)])
    const { user } = account
    if (!user.active) return no(refused, [noteRefused('user_disabled', user, at)])
    if (user.epoch !== 0) return no(refused, [noteRefused('user_changed', user, at)])
    const touched = opened.find(session => !isAsOpened(session, at.now))
    if (touched || opened.length >= mostOpened) return no(refused, [noteAgain(facts, account, touched, at)])
    const { digest, expiresAt } = read.token
    const number = opened.length + 1
    const entered = letIn(
      {
        user,
        sessionId,
        named,
        delivery: input.delivery,
        besides: whileAsOpened(opened),
        detail: { by: 'exchange' },
      },
      at,
    )
    return {
      ...entered,
      changes: [
        ...entered.changes,
        { change: 'addExchange', exchange: { digest, number, sessionId, expiresAt } },
      ],
    }
  },
}

type Because =
  | Unfit
  | 'user_unknown'
  | 'user_disabled'
  /**
   * A token of the old system is an earlier sign-in, which only epoch 0 remembers: a new password or a disabling has undone
   * it, and who has signed up here had none.
   */
  | 'user_changed'
  /** Its owner has moved. */
  | 'used'

const noteRefused = (because: Because, user: User | undefined, at: At): Change =>
  record('exchange_refused', at, { userId: user?.id ?? null, detail: { because } })

/**
 * An answer was lost if nobody has used what it opened. A refresh of it that comes first must count, or a copy would still
 * be good after its owner has moved. In one order, as everybody takes sessions who takes several.
 */
const whileAsOpened = (opened: readonly Session[]): readonly Change[] =>
  opened
    .toSorted((a, b) => (a.id < b.id ? -1 : 1))
    .map(session => ({
      change: 'requireLive',
      userId: session.userId,
      sessionId: session.id,
      was: lineOf(session),
    }))

/**
 * Its owner has moved, or it came more often than answers get lost; then its first session stands for all. Who comes with the
 * cookies of that move is no thief, but a page that has forgotten nothing.
 */
function noteAgain(
  { opened, named }: ExchangeFacts,
  { user }: Account,
  touched: Session | undefined,
  at: At,
): Change {
  const own = named.some(({ session }) => opened.some(({ id }) => id === session.id))
  const suspect = touched ?? opened[0]
  return suspect && !own
    ? record('exchange_reused', at, { userId: user.id, sessionId: suspect.id })
    : noteRefused('used', user, at)
}
