// The rules that are compared, identical in shape: what becomes of a session's row when a number is presented, and which
// cookie decides. The last is the shipped one, called where it stands; each other is the kindest form of one that is in use.
import type { Holder, Line, User } from '../../server/src/core/model.ts'
import { defaultPolicy } from '../../server/src/core/policy.ts'
import {
  type Choice,
  chooseSession,
  decideStep,
  firstLine,
  openSession,
  type Presented,
} from '../../server/src/core/session.ts'

/** What a browser holds. Only the shipped rule writes the sign-in cookie. */
export type Cookies = { readonly refresh?: Presented; readonly signIn?: Presented }

export type Verdict =
  | { readonly is: 'refused' }
  /** An access token, and no new refresh cookie. */
  | { readonly is: 'access' }
  | { readonly is: 'renewed'; readonly refresh: Presented }

/** The server, for one browser. Times are milliseconds. */
export type Server = {
  /** Ends every session that the cookies name; returns the jar of a new one. */
  signIn(carried: Cookies, now: number): Cookies
  refresh(carried: Cookies, now: number): Verdict
  isLive(sessionId: string): boolean
}

export type Rule = {
  readonly name: string
  /** For people. */
  readonly title: string
  /** One sentence. */
  readonly says: string
  /** What a refused refresh does to the jar. */
  readonly refusalClears: boolean
  open(): Server
}

type Step<Row> = 'end' | { readonly row: Row; readonly sends?: number }

type Described<Row> = Omit<Rule, 'open'> & {
  /** The row of a new session, whose sign-in sends number 1. */
  readonly first: (now: number) => Row
  readonly step: (row: Row, n: number, now: number) => Step<Row>
  readonly signInCookie: boolean
}

const user: User = {
  id: 'somebody',
  number: 1,
  email: 'somebody@example.com',
  username: null,
  name: null,
  profile: {},
  active: true,
  superuser: false,
  epoch: 0,
  createdAt: 0,
  lastSignInAt: null,
}

/** Choosing a session is the shipped function for all of them: without a sign-in cookie the refresh cookie decides. */
function serve<Row>({ first, step, signInCookie }: Described<Row>): Server {
  const holders = new Map<string, Holder>()
  const rows = new Map<string, Row>()
  const end = (id: string, now: number) => {
    const holder = holders.get(id)
    if (holder)
      holders.set(id, { user, session: { ...holder.session, endedAt: now, endedBecause: 'reused' } })
  }
  const take = ({ sessionId, n, first: bySignIn }: Choice, now: number): Verdict => {
    const row = rows.get(sessionId)
    const taken = row === undefined ? 'end' : step(row, n, now)
    if (taken === 'end') {
      if (!bySignIn) end(sessionId, now)
      return { is: 'refused' }
    }
    rows.set(sessionId, taken.row)
    return taken.sends === undefined
      ? { is: 'access' }
      : { is: 'renewed', refresh: { sessionId, n: taken.sends } }
  }
  return {
    signIn(carried, now) {
      for (const cookie of [carried.refresh, carried.signIn]) if (cookie) end(cookie.sessionId, now)
      const id = String(holders.size + 1)
      const session = openSession(
        { id, user, delivery: 'cookies', userAgent: '', address: '' },
        defaultPolicy,
        now,
      )
      holders.set(id, { user, session })
      rows.set(id, first(now))
      const token = { sessionId: id, n: 1 }
      return signInCookie ? { refresh: token, signIn: token } : { refresh: token }
    },
    refresh({ refresh, signIn }, now) {
      const jar = { refresh: refresh ? [refresh] : [], signIn: signIn ? [signIn] : [], holders }
      const choice = chooseSession(jar, now)
      return typeof choice === 'object' ? take(choice, now) : { is: 'refused' }
    },
    isLive: id => holders.get(id)?.session.endedAt === null,
  }
}

const rule = <Row>(described: Described<Row>): Rule => ({
  name: described.name,
  title: described.title,
  says: described.says,
  refusalClears: described.refusalClears,
  open: () => serve(described),
})

type Latest = { readonly last: number }

const strict: Described<Latest> = {
  name: 'strict',
  title: 'strict',
  says: 'A token works once; one that comes again ends the session.',
  refusalClears: false,
  signInCookie: false,
  first: () => ({ last: 1 }),
  step: ({ last }, n) => (n === last ? { row: { last: last + 1 }, sends: last + 1 } : 'end'),
}

/** `good`: not used yet. `used`: those first used within the grace. */
type Branches = Latest & {
  readonly good: readonly number[]
  readonly used: readonly { readonly n: number; readonly at: number }[]
}

type Graced = Pick<Rule, 'name' | 'title' | 'says'> & {
  readonly grace: number
  /** What a token that was used within the grace gets, and what is good from then on. */
  readonly again: (row: Branches) => { readonly sends: number; readonly good: readonly number[] }
}

/** A token that is good works once; one that was used within the grace is used again; any other ends the session. */
const graced = ({ name, title, says, grace, again }: Graced): Described<Branches> => ({
  name,
  title,
  says,
  refusalClears: false,
  signInCookie: false,
  first: () => ({ last: 1, good: [1], used: [] }),
  step(row, n, now) {
    const { last, good } = row
    const used = row.used.filter(each => now - each.at <= grace)
    const place = good.lastIndexOf(n)
    if (place >= 0) {
      const child = last + 1
      return {
        row: { last: child, good: good.with(place, child), used: [...used, { n, at: now }] },
        sends: child,
      }
    }
    if (!used.some(each => each.n === n)) return 'end'
    const more = again(row)
    return { row: { last: Math.max(last, more.sends), good: more.good, used }, sends: more.sends }
  },
})

type Grace = {
  readonly span: number
  readonly words: string
  readonly suffix: string
  readonly ending: string
}

const ours: Grace = { span: defaultPolicy.grace, words: 'two minutes', suffix: '', ending: '' }
/** What servers that have a grace come with is ten to thirty seconds; the longest signs out the fewest. */
const usual: Grace = { span: 30_000, words: 'thirty seconds', suffix: '-30s', ending: ', 30 s' }

const newChild = ({ span, words, suffix, ending }: Grace) =>
  graced({
    name: `new-child${suffix}`,
    title: `new child in the grace${ending}`,
    says: `For ${words} after its first use a token gets another child each time, and every child is good; later it ends the session.`,
    grace: span,
    again: ({ last, good }) => ({ sends: last + 1, good: [...good, last + 1] }),
  })

const newChildKills = ({ span, words, suffix, ending }: Grace) =>
  graced({
    name: `new-child-kills${suffix}`,
    title: `new child kills the earlier${ending}`,
    says: `For ${words} after its first use a token gets another child, and the earlier child is good no more; later it ends the session.`,
    grace: span,
    again: ({ last }) => ({ sends: last + 1, good: [last + 1] }),
  })

const sameSuccessor = ({ span, words, suffix, ending }: Grace) =>
  graced({
    name: `same-successor${suffix}`,
    title: `same successor in the grace${ending}`,
    says: `For ${words} after its first use a token gets the newest one once more; later it ends the session.`,
    grace: span,
    again: ({ last, good }) => ({ sends: last, good }),
  })

const oneBehindBare: Described<Latest> = {
  name: 'one-behind-bare',
  title: 'one behind, without a grace',
  says: 'The token before the newest gets the newest once more, at any time; one before that ends the session.',
  refusalClears: false,
  signInCookie: false,
  first: () => ({ last: 1 }),
  step({ last }, n) {
    if (n === last) return { row: { last: last + 1 }, sends: last + 1 }
    return n === last - 1 ? { row: { last }, sends: last } : 'end'
  },
}

const behindOrGraced = sameSuccessor(ours)

/** Three tabs that wake together can be two behind; only with a grace is this rule as kind as it is meant. */
const oneBehind: Described<Branches> = {
  ...behindOrGraced,
  name: 'one-behind',
  title: 'one behind is always fine',
  says: 'The token before the newest gets the newest once more, at any time, and so does any for two minutes after its first use; any other ends the session.',
  step: (row, n, now) => (n === row.last - 1 ? { row, sends: row.last } : behindOrGraced.step(row, n, now)),
}

const thisRule: Described<Line> = {
  name: 'this-rule',
  title: 'this rule',
  says: 'A token is sent once: for two minutes after a change nothing changes; the shipped functions, as they are.',
  refusalClears: false,
  signInCookie: true,
  first: firstLine,
  step(line, n, now) {
    const step = decideStep(line, n, now, defaultPolicy.grace)
    if (step.step === 'end') return 'end'
    return step.step === 'quiet' ? { row: line } : { row: step.line, sends: step.line.successor }
  },
}

/** In the order of the report. Those of thirty seconds are the same rules with the grace that is usual. */
export const rules: readonly Rule[] = [
  rule(strict),
  rule({
    ...strict,
    name: 'strict-clearing',
    title: 'strict, a 401 clears the cookie',
    says: 'The same, and a refused refresh clears the cookie.',
    refusalClears: true,
  }),
  rule(newChild(ours)),
  rule(newChildKills(ours)),
  rule(sameSuccessor(ours)),
  rule(oneBehind),
  rule(thisRule),
  rule(newChild(usual)),
  rule(newChildKills(usual)),
  rule(sameSuccessor(usual)),
  rule(oneBehindBare),
]
