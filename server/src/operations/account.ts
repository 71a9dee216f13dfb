// Making an account and signing in. Unknown user, wrong password, disabled user and a user without a password take one
// path, do the same work and get the same refusal.
import { emailKey, loginKey, passwordIssues, usernameKey } from '../core/admission.ts'
import type { Change } from '../core/change.ts'
import type { Delivery, Holder, NewUser, User } from '../core/model.ts'
import type { PasswordPolicy, Rate } from '../core/policy.ts'
import { type Issue, type Refusal, refuse } from '../core/refusal.ts'
import { openSession } from '../core/session.ts'
import { decoyId } from '../crypto/macs.ts'
import { HashQueueFull } from '../crypto/password.ts'
import type { Account } from '../store/port.ts'
import type { Done, Input } from './contract.ts'
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

/** Hashing is bounded and queued; beyond the queue the honest answer is "not now". */
async function unlessBusy<T>(work: () => Promise<T>): Promise<T | { readonly busy: Refusal }> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof HashQueueFull) return { busy: refuse('busy', { retryAfter: error.retryAfter }) }
    throw error
  }
}

/** The sessions that the call's cookies name: a new sign-in ends every one of them, whatever its number. */
export const holdersOf = async (engine: Engine, sessionIds: readonly string[]): Promise<readonly Holder[]> =>
  (await Promise.all([...new Set(sessionIds)].map(id => engine.store.holder(id)))).filter(
    holder => holder !== undefined,
  )

/** Ends the named sessions that have not ended yet, each with its event. */
export const endNamed = (
  named: readonly Holder[],
  because: 'signed_out' | 'signed_in_anew',
  at: At,
): readonly Change[] =>
  named
    .filter(({ session }) => session.endedAt === null)
    .flatMap(({ session, user }): Change[] => [
      { change: 'endSession', sessionId: session.id, because, at: at.now },
      record(because === 'signed_out' ? 'signed_out' : 'session_ended', at, {
        userId: user.id,
        sessionId: session.id,
        detail: { because },
      }),
    ])

type Opened = { readonly changes: readonly Change[]; readonly holder: Holder; readonly mint: Mint }

function openFor(user: User, sessionId: string, delivery: Delivery | null | undefined, at: At): Opened {
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

export type AdmissionFacts = {
  readonly emailTaken: boolean
  readonly usernameTaken: boolean
  readonly issues: readonly Issue[]
  readonly record: string | { readonly busy: Refusal }
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
  const [byEmail, byUsername, common, named] = await Promise.all([
    engine.store.account({ emailKey: emailKey(email) }),
    username ? engine.store.account({ usernameKey: usernameKey(username) }) : undefined,
    policy.refuseCommon && engine.isCommonPassword(password),
    holdersOf(engine, cookies),
  ])
  const person = { email, username: username ?? null, name: name ?? null }
  const issues = passwordIssues(password, person, policy, common)
  return {
    emailTaken: byEmail !== undefined,
    usernameTaken: byUsername !== undefined,
    issues,
    // Hashed also when the name is taken: the time must not tell.
    record: issues.length > 0 ? '' : await unlessBusy(() => engine.passwords.hash(password)),
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
  at: Pick<At, 'now' | 'caller'> & { readonly superuser?: boolean },
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
    epoch: 0,
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
    const user = { ...admitted.user, lastSignInAt: at.now }
    const opened = openFor(user, facts.sessionId, input.delivery, at)
    return {
      changes: [
        ...admitted.changes,
        { change: 'recordSignIn', userId: user.id, epoch: user.epoch, at: at.now },
        ...endNamed(facts.named, 'signed_in_anew', at),
        ...opened.changes,
        record('signed_in', at, { userId: user.id, sessionId: facts.sessionId }),
      ],
      done: opened.holder,
      mint: opened.mint,
    }
  },
}

type SignInFacts = {
  readonly account: Account | undefined
  readonly throttled: number | undefined
  readonly checked: { matches: boolean; stale: boolean; malformed: boolean } | { readonly busy: Refusal }
  /** A stronger record of the same password, when the stored one is weaker than today's. */
  readonly rehashed: string | undefined
  readonly named: readonly Holder[]
  readonly sessionId: string
}

/**
 * Counts attempts on one account, soft, so that nobody can lock another out: beyond the rate one try per pause; a browser
 * that was signed in to this account before is counted by itself.
 */
async function openAccountCount(engine: Engine, asked: Asked<'signIn'>, account: Account | undefined) {
  const { account: rate, accountPause, ceiling, ceilingPause } = asked.manner.policy.rates
  const holders = await holdersOf(
    engine,
    asked.presented.signIn.map(each => each.sessionId),
  )
  const known = holders.find(holder => holder.user.id === account?.user.id)
  const who = account?.user.id ?? JSON.stringify(loginKey(asked.input.login))
  const key = known ? `${who}:${known.session.id}` : who
  // Invented names are counted alike and apart: however many there are, they crowd out nobody's count.
  const counts = ['account', 'pause', 'ceiling', 'ceilingPause'] as const
  const named = (count: (typeof counts)[number]) => (account ? count : `${count} of nobody`)
  const take = (count: (typeof counts)[number], limit: Rate) => engine.throttle.take(named(count), key, limit)
  return {
    /** Counts one attempt; seconds to wait if it is one too many. Only what will be compared counts towards the ceiling. */
    take: async (): Promise<number | undefined> => {
      const over = await take('account', rate)
      const wait = over && (await take('pause', { points: 1, per: accountPause }))
      if (wait) return wait.retryAfter
      const beyond = await take('ceiling', ceiling)
      return beyond && (await take('ceilingPause', { points: 1, per: ceilingPause }))?.retryAfter
    },
    /** A success clears its own count and the one that strangers share. */
    forget: () =>
      Promise.all(
        counts.flatMap(count => [key, who].map(each => engine.throttle.forget(named(count), each))),
      ),
  }
}

export const signIn: Operation<'signIn', SignInFacts> = {
  async load(engine, asked) {
    const { login, password } = asked.input
    // Whoever has no record is answered in the time that somebody else's takes: formats differ in cost.
    const [account, decoy] = await Promise.all([
      engine.store.account(loginKey(login)),
      engine.store.anyRecord(
        decoyId(engine.keyring.macs(engine.store.now())[0], JSON.stringify(loginKey(login))),
      ),
    ])
    // A disabled user's password is compared with nothing: the right one takes the time of a wrong one.
    const active = account?.user.active === true
    const count = await openAccountCount(engine, asked, account)
    let throttled: number | undefined
    // Counted when its turn has come and before anything is compared: many guesses at once are counted one by one, and
    // many honest sign-ins at once do not wait in each other's count.
    const mayCheck = async () => {
      throttled = await count.take()
      return throttled === undefined
    }
    const checked = await unlessBusy(() =>
      engine.passwords.verify(active ? account.password : null, password, {
        mayCheck,
        decoy: account?.password ?? decoy,
      }),
    )
    const facts = { account, checked, throttled, named: [], sessionId: engine.newId(), rehashed: undefined }
    if ('busy' in checked || !checked.matches) return facts
    await count.forget()
    const rehashed = checked.stale ? await unlessBusy(() => engine.passwords.hash(password)) : undefined
    return {
      ...facts,
      // A full queue postpones the stronger record, it does not turn the person away.
      rehashed: typeof rehashed === 'string' ? rehashed : undefined,
      named: await holdersOf(engine, asked.presented.namedByCookies),
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
    const user = { ...account.user, lastSignInAt: at.now }
    const opened = openFor(user, facts.sessionId, input.delivery, at)
    return {
      changes: [
        { change: 'recordSignIn', userId: user.id, epoch: user.epoch, at: at.now },
        ...decideRehash(account, facts.rehashed, at),
        ...endNamed(facts.named, 'signed_in_anew', at),
        ...opened.changes,
        record('signed_in', at, { userId, sessionId: facts.sessionId }),
      ],
      done: opened.holder,
      mint: opened.mint,
    }
  },
}

const decideRehash = (account: Account, rehashed: string | undefined, at: At): readonly Change[] =>
  rehashed === undefined || account.password === null
    ? []
    : [
        { change: 'replacePasswordRecord', userId: account.user.id, was: account.password, record: rehashed },
        record('password_rehashed', at, { userId: account.user.id }),
      ]
