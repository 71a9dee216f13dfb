// Making an account and signing in. Unknown user, wrong password, disabled user and a user without a password take one
// path, do the same work and get the same refusal.
import { emailKey, loginKey, usernameKey } from '../core/admission.ts'
import type { Change } from '../core/change.ts'
import type { Delivery, Event, Holder, NewUser, Session, User } from '../core/model.ts'
import type { PasswordPolicy } from '../core/policy.ts'
import { type Refusal, refuse } from '../core/refusal.ts'
import { openSession } from '../core/session.ts'
import type { Account } from '../store/port.ts'
import type { Done, Input } from './contract.ts'
import {
  forgetTries,
  makeRecord,
  type NewRecord,
  type Tried,
  type Try,
  tryPassword,
  unlessBusy,
} from './credential.ts'
import {
  type Asked,
  type At,
  type Decision,
  type Engine,
  type Mint,
  no,
  type Operation,
  record,
} from './engine.ts'

/** Those of the named sessions that there are. A new sign-in ends all that its cookies name, whatever their numbers. */
export const holdersOf = async (engine: Engine, sessionIds: readonly string[]): Promise<readonly Holder[]> =>
  (await Promise.all([...new Set(sessionIds)].map(id => engine.store.holder(id)))).filter(
    holder => holder !== undefined,
  )

/**
 * Ends the named sessions that have not ended yet, each with its event. In one order, whatever that of the cookies: two
 * calls that end the same sessions never wait for each other.
 */
export const endNamed = (
  named: readonly Holder[],
  because: 'signed_out' | 'signed_in_anew',
  at: At,
): readonly Change[] =>
  named
    .filter(({ session }) => session.endedAt === null)
    .toSorted((a, b) => (a.session.id < b.session.id ? -1 : 1))
    .flatMap(({ session, user }): Change[] => [
      { change: 'endSession', sessionId: session.id, because, at: at.now },
      record(because === 'signed_out' ? 'signed_out' : 'session_ended', at, {
        userId: user.id,
        sessionId: session.id,
        detail: { because },
      }),
    ])

type Opened = { readonly changes: readonly Change[]; readonly holder: Holder; readonly mint: Mint }

export function openFor(
  user: User,
  sessionId: string,
  delivery: Delivery | null | undefined,
  at: At,
): Opened {
  const { userAgent, address } = at.caller
  const session = openSession(
    { id: sessionId, user, delivery: delivery ?? at.manner.delivery, userAgent, address },
    at.policy,
    at.now,
  )
  const holder = { session, user }
  return {
    holder,
    changes: [{ change: 'openSession', session }],
    mint: {
      access: holder,
      refresh: session.successor,
      signIn: true,
      ...(at.manner.mintsCsrf ? { csrf: { sessionId } } : {}),
    },
  }
}

type Entry = {
  /** As the store has the user: of that epoch or nobody is let in. */
  readonly user: User
  readonly sessionId: string
  readonly delivery: Delivery | null | undefined
  /** The sessions that the call's cookies name. */
  readonly named: readonly Holder[]
  /** What is done with the sign-in, after the user's row was taken. */
  readonly besides?: readonly Change[]
  readonly detail?: Event['detail']
}

/** What every sign-in does once it is sure of the user, whatever made it sure. */
export function letIn(entry: Entry, at: At): Decision<Done['signIn']> {
  const { sessionId, delivery, named, besides = [], detail } = entry
  const user = { ...entry.user, lastSignInAt: at.now }
  const opened = openFor(user, sessionId, delivery, at)
  return {
    changes: [
      { change: 'recordSignIn', userId: user.id, epoch: user.epoch, at: at.now },
      ...besides,
      ...endNamed(named, 'signed_in_anew', at),
      ...opened.changes,
      record('signed_in', at, { userId: user.id, sessionId, ...(detail ? { detail } : {}) }),
    ],
    done: opened.holder,
    mint: opened.mint,
  }
}

export type AdmissionFacts = NewRecord & {
  readonly emailTaken: boolean
  readonly usernameTaken: boolean
  readonly named: readonly Holder[]
  readonly userId: string
  readonly sessionId: string
}

/** `cookies`: ids of the sessions that the call's cookies name. */
export async function loadAdmission(
  engine: Engine,
  { email, username, name, password }: Input<'register'>,
  policy: PasswordPolicy,
  cookies: readonly string[],
): Promise<AdmissionFacts> {
  const [byEmail, byUsername, named] = await Promise.all([
    engine.store.account({ emailKey: emailKey(email) }),
    username ? engine.store.account({ usernameKey: usernameKey(username) }) : undefined,
    holdersOf(engine, cookies),
  ])
  const person = { email, username: username ?? null, name: name ?? null }
  return {
    emailTaken: byEmail !== undefined,
    usernameTaken: byUsername !== undefined,
    // Hashed also when the name is taken: the time must not tell.
    ...(await makeRecord(engine, password, person, policy)),
    named,
    userId: engine.newId(),
    sessionId: engine.newId(),
  }
}

const loadOf = (engine: Engine, { input, manner, presented }: Asked<'register' | 'signUp'>) =>
  loadAdmission(engine, input, manner.policy.password, presented.namedByCookies)

type Admitted = { readonly user: User; readonly changes: readonly Change[] }

/** Shared by all ways to make an account; the store gives the number. */
export function decideAdmission(
  facts: AdmissionFacts,
  input: Input<'register'>,
  at: Pick<At, 'now' | 'caller'> & { readonly superuser?: boolean; readonly epoch?: number },
): Admitted | Refusal {
  if (facts.issues.length > 0) return refuse('password_weak', { issues: facts.issues })
  if (typeof facts.record !== 'string') return facts.record.busy
  if (facts.emailTaken) return refuse('email_taken')
  if (facts.usernameTaken) return refuse('username_taken')
  const user: NewUser = {
    id: facts.userId,
    email: input.email,
    emailKey: emailKey(input.email),
    username: input.username ?? null,
    usernameKey: input.username ? usernameKey(input.username) : null,
    name: input.name ?? null,
    profile: {},
    active: true,
    superuser: at.superuser ?? false,
    // Whoever signs up shows no proof of the address: no sign-in of another system may lead to this account.
    epoch: at.epoch ?? 1,
    createdAt: at.now,
    lastSignInAt: null,
  }
  return {
    user: { ...user, number: 0 },
    changes: [
      { change: 'createUser', user, password: facts.record },
      record('signed_up', at, { userId: user.id }),
    ],
  }
}

export const register: Operation<'register', AdmissionFacts> = {
  load: loadOf,
  decide(facts, input, at) {
    const admitted = decideAdmission(facts, input, at)
    return 'refused' in admitted ? no(admitted) : { changes: admitted.changes, done: { user: admitted.user } }
  },
}

export const signUp: Operation<'signUp', AdmissionFacts> = {
  load: loadOf,
  decide(facts, input, at) {
    const admitted = decideAdmission(facts, input, at)
    if ('refused' in admitted) return no(admitted)
    const { sessionId, named } = facts
    const entered = letIn({ user: admitted.user, sessionId, named, delivery: input.delivery }, at)
    return { ...entered, changes: [...admitted.changes, ...entered.changes] }
  },
}

/**
 * By which a browser is known to its user: a session that is live, or came to its end by leaving or by time. One that was
 * ended from elsewhere may have been a thief's: it buys no tries of its own.
 */
const makesKnown = ({ endedBecause }: Session): boolean =>
  endedBecause === null || endedBecause === 'signed_out' || endedBecause === 'signed_in_anew'

type SignInFacts = Tried & {
  readonly account: Account | undefined
  /** A stronger record of the same password, when the stored one is weaker than today's. */
  readonly rehashed: string | undefined
  readonly named: readonly Holder[]
  readonly sessionId: string
}

export const signIn: Operation<'signIn', SignInFacts> = {
  async load(engine, { input, presented, manner }) {
    const { login, password } = input
    const [account, shown] = await Promise.all([
      engine.store.account(loginKey(login)),
      holdersOf(
        engine,
        presented.signIn.map(each => each.sessionId),
      ),
    ])
    const own = shown.find(({ user, session }) => user.id === account?.user.id && makesKnown(session))
    const trying: Try = {
      account,
      name: JSON.stringify(loginKey(login)),
      password,
      known: own?.session.id,
    }
    const tried = await tryPassword(engine, manner.policy.rates, trying)
    const { checked } = tried
    const facts = { ...tried, account, named: [], sessionId: engine.newId(), rehashed: undefined }
    if ('busy' in checked || !checked.matches) return facts
    await forgetTries(engine, trying)
    const rehashed = checked.stale ? await unlessBusy(() => engine.passwords.hash(password)) : undefined
    return {
      ...facts,
      // A full queue postpones the stronger record, it does not turn the person away.
      rehashed: typeof rehashed === 'string' ? rehashed : undefined,
      named: await holdersOf(engine, presented.namedByCookies),
    }
  },
  decide(facts, input, at): Decision<Done['signIn']> {
    const { account, checked } = facts
    if (facts.throttled !== undefined) return no(refuse('throttled', { retryAfter: facts.throttled }))
    if ('busy' in checked) return no(checked.busy)
    const userId = account?.user.id ?? null
    const malformed = checked.malformed ? [record('password_record_malformed', at, { userId })] : []
    if (!account?.user.active || !checked.matches) {
      return no(refuse('credentials_wrong'), [...malformed, record('sign_in_refused', at, { userId })])
    }
    const { sessionId, named } = facts
    const besides = decideRehash(account, facts.rehashed, at)
    return letIn({ user: account.user, sessionId, named, delivery: input.delivery, besides }, at)
  },
}

const decideRehash = (account: Account, rehashed: string | undefined, at: At): readonly Change[] =>
  rehashed === undefined || account.password === null
    ? []
    : [
        { change: 'replacePasswordRecord', userId: account.user.id, was: account.password, record: rehashed },
        record('password_rehashed', at, { userId: account.user.id }),
      ]
