// Changing one's password. It ends every session of the user, this one too, and opens a new one here: whoever copied this
// browser's cookies is out at once, and no late answer can undo what no late answer can undo after a sign-in.
import type { Holder } from '../core/model.ts'
import { type Issue, type Refusal, refuse } from '../core/refusal.ts'
import { lineOf } from '../core/session.ts'
import type { Account } from '../store/port.ts'
import { endNamed, holdersOf, openFor } from './account.ts'
import { forgetTries, makeRecord, type NewRecord, type Tried, type Try, tryPassword } from './credential.ts'
import { type At, type Decision, letter, no, type Operation, record } from './engine.ts'
import { loadCaller } from './signed-in.ts'

type PasswordFacts = Tried & {
  /** As the store has it, not as memory does. */
  readonly caller: Holder
  readonly account: Account
  /** Undefined: the current password was not proved. Then nothing is said of the new one: a guess tells the same beside any. */
  readonly made: NewRecord | undefined
  readonly named: readonly Holder[]
  readonly sessionId: string
}

export const changePassword: Operation<'changePassword', PasswordFacts | Refusal> = {
  async load(engine, asked) {
    const { input, presented, manner } = asked
    const caller = await loadCaller(engine, asked)
    if ('refused' in caller) return caller
    const account = await engine.store.account({ id: caller.user.id })
    if (!account) return refuse('user_gone')
    const { id: name } = account.user
    const trying: Try = { account, name, password: input.current, known: caller.session.id }
    const tried = await tryPassword(engine, manner.policy.rates, trying)
    const facts = { ...tried, caller, account, made: undefined, named: [], sessionId: engine.newId() }
    if ('busy' in tried.checked || !tried.checked.matches) return facts
    const made = await makeRecord(engine, input.new, account.user, manner.policy.password)
    // Only for a change that will be asked of the store: beside a weak new password a right guess is a guess like any other.
    if (made.issues.length === 0 && typeof made.record === 'string') await forgetTries(engine, trying)
    return {
      ...facts,
      made,
      named: await holdersOf(engine, presented.namedByCookies),
    }
  },
  decide(facts, _input, at) {
    if ('refused' in facts) return no(facts)
    const { throttled, checked, made, account } = facts
    if (throttled !== undefined) return no(refuse('throttled', { retryAfter: throttled }))
    if ('busy' in checked) return no(checked.busy)
    if (made === undefined || account.password === null) return refuseWrong(facts, checked.malformed, at)
    if (made.issues.length > 0) return refuseWeak(facts, made.issues, at)
    if (typeof made.record !== 'string') return no(made.record.busy)
    return decideChange(facts, { was: account.password, record: made.record }, at)
  },
}

const wrong = refuse('password_wrong', {
  issues: [{ field: 'current', type: 'value_error', message: 'Current password is wrong' }],
})

function refuseWrong({ caller: { session, user } }: PasswordFacts, malformed: boolean, at: At) {
  const about = { userId: user.id, sessionId: session.id }
  return no(wrong, [
    ...(malformed ? [record('password_record_malformed', at, { userId: user.id })] : []),
    record('password_change_refused', at, about),
  ])
}

/** Written down too: it tells whoever guesses that the current password was right. */
const refuseWeak = ({ caller: { session, user } }: PasswordFacts, issues: readonly Issue[], at: At) =>
  no(refuse('password_weak', { issues: issues.map(issue => ({ ...issue, field: 'new' })) }), [
    record('password_change_refused', at, {
      userId: user.id,
      sessionId: session.id,
      detail: { because: 'weak' },
    }),
  ])

/** First everything ends, then one session opens: the other way round it would end too. */
function decideChange(
  { caller: { session }, account, named, sessionId }: PasswordFacts,
  records: { readonly was: string; readonly record: string },
  at: At,
): Decision<Holder> {
  const { user } = account
  const because = 'password_changed' as const
  const opened = openFor({ ...user, epoch: user.epoch + 1 }, sessionId, session.delivery, at)
  return {
    changes: [
      // It meets every sign-in and every disabling on the user's row: what comes second decides again.
      { change: 'changePassword', userId: user.id, epoch: user.epoch, ...records },
      // Guarded: a sign-out that came first is not undone by the session that opens below.
      { change: 'endSession', sessionId: session.id, because, at: at.now, was: lineOf(session) },
      { change: 'endSessionsOf', userId: user.id, except: null, because, at: at.now },
      ...endNamed(
        named.filter(each => each.user.id !== user.id),
        'signed_in_anew',
        at,
      ),
      ...opened.changes,
      record('password_changed', at, {
        userId: user.id,
        sessionId: session.id,
        detail: { opened: sessionId },
      }),
      record('session_ended', at, { userId: user.id, detail: { because, all: true } }),
      letter('password_changed', at, user),
    ],
    done: opened.holder,
    mint: opened.mint,
  }
}
