// The last thing the user did wins, in every order in which calls under way reach the server and their answers arrive: over
// sockets, with a proxy that holds answers back, for every dialect and its fixed cookie names. No script helps: a call
// carries what the jar held when it was composed, and the jar takes each answer's cookies when it arrives.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { DialectName } from '../../src/dialects/index.ts'
import { type Rusk, rusk } from '../../src/index.ts'
import {
  type Calls,
  call,
  callsOf,
  copyOf,
  dialectNames,
  type Front,
  lineOf,
  makeAccount,
  openSocket,
  type Person,
  personCalled,
  type Socket,
  sessionIn,
  signIn,
  whoIsIn,
} from './calls.ts'
import { type Call, type Order, ordersOf } from './orders.ts'
import { type Answer, startProxy } from './proxy.ts'
import { accessSent, refreshSent, type Walked, walk } from './walk.ts'

const grace = 300
const pastGrace = () => sleep(grace + 30)

const refresh: Call = { does: 'refresh' }
const signOut: Call = { does: 'signOut' }
const entering: Call = { does: 'signIn' }
const newPassword: Call = { does: 'changePassword' }

/** The session that the browser is to end in: none, that of a call by its number, or of the sign-in that arrived last. */
type Ending = 'nobody' | number | 'the last'

// [sentence, what the browser has under way while it is signed in, the ending]
const scenarios: [string, readonly Call[], Ending][] = [
  ['a refresh and a sign-out: signed out', [refresh, signOut], 'nobody'],
  ['refreshes in two tabs and a sign-out: signed out', [refresh, refresh, signOut], 'nobody'],
  ['a refresh, a sign-out, then a sign-in: in the new one', [refresh, signOut, { ...entering, after: 1 }], 2],
  ['a refresh and a newer sign-in: in the new one', [refresh, entering], 1],
  ['refreshes in two tabs and a newer sign-in: in the new one', [refresh, refresh, entering], 2],
  [
    'a refresh, a newer sign-in, then its sign-out: out',
    [refresh, entering, { ...signOut, after: 1 }],
    'nobody',
  ],
  ['a sign-out and a newer sign-in: in the new one', [signOut, entering], 1],
  ['a refresh, a sign-out and a sign-in at once: in the new one', [refresh, signOut, entering], 2],
  ['overlapping sign-ins: in the one answered last', [entering, entering], 'the last'],
  ['a refresh and overlapping sign-ins: in the one answered last', [refresh, entering, entering], 'the last'],
  [
    'overlapping sign-ins and a refresh of the first: in the one answered last',
    [entering, entering, { ...refresh, after: 0, rested: true }],
    'the last',
  ],
  ['a refresh and a new password: in the new session', [refresh, newPassword], 1],
  ['refreshes in two tabs and a new password: in the new session', [refresh, refresh, newPassword], 2],
]

function endOf(ending: Ending, { opened, arrived }: Walked): string | undefined {
  if (ending === 'nobody') return undefined
  const call = ending === 'the last' ? [...arrived.keys()].findLast(each => opened.has(each)) : ending
  const session = opened.get(call ?? -1)
  assert.ok(session, 'the call opened no session')
  return session
}

/** The browser that took the first sign-in, and one for each refresh token that was sent in that session since. */
function copiesOf(first: Socket, session: string, answers: Iterable<Answer>): readonly Front[] {
  const { calls } = first
  const later = [...answers].flatMap(answer => {
    const token = refreshSent(calls, answer)
    if (token === undefined || sessionIn(token) !== session) return []
    const [access] = accessSent(calls, answer)
    const copy = copyOf(first)
    const { browser } = copy
    const plant = (name: string, value: string) => browser.jar.plant(browser.at, name, value, { path: '/' })
    plant(calls.names.refresh, token)
    if (access !== undefined && calls.names.access !== undefined) plant(calls.names.access, access)
    return [{ ...copy, token: calls.names.access === undefined ? access : undefined }]
  })
  return [first, ...later]
}

/** Whether the last thing that came was a new refresh cookie. */
function cameLate(calls: Calls, { arrived }: Walked, plan: readonly Call[]): boolean {
  const last = [...arrived].at(-1)
  return last !== undefined && plan[last[0]]?.does === 'refresh' && refreshSent(calls, last[1]) !== undefined
}

const tell = (plan: readonly Call[], order: Order): string =>
  order.map(({ call, what }) => `${plan[call]?.does} (${call}) ${what}`).join(', ')

/** As another process that writes and does not come to an end. Returns the end, which may come twice. */
function lockDatabase(file: string): () => void {
  const other = new DatabaseSync(file)
  other.exec('begin immediate')
  return () => {
    if (other.isOpen) other.close()
  }
}

function walkDialect(dialect: DialectName): void {
  const calls = callsOf(dialect)
  let auth: Rusk
  let api: string
  let folder: string
  let people = 0
  const shared = personCalled('ada')

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rusk-late-'))
    const many = '100000/1m'
    auth = await rusk({
      dialect: [dialect],
      database: `sqlite:${join(folder, 'late.db')}`,
      port: 0,
      session: { grace: `${grace}ms` },
      throttle: { signIn: many, signUp: many },
      log: { level: 'error' },
      secret: 'known to this test and to nobody else',
    })
    api = (await auth.listen()).url
    const front = await open(shared)
    await makeAccount(front)
    await front.proxy.close()
  })
  after(async () => {
    await auth.close()
    await rm(folder, { recursive: true, force: true })
  })

  /** A browser behind a proxy of its own. */
  const open = async (person: Person): Promise<Socket> =>
    openSocket(calls, await startProxy(api), `http://localhost:${new URL(api).port}`, person)

  /** A browser that is signed in. `own`: as somebody who has no other. */
  async function enter({ own = false } = {}): Promise<{ front: Socket; session: string }> {
    people += 1
    const front = await open(own ? personCalled(`jack${people}`) : shared)
    if (own) await makeAccount(front)
    return { front, session: await signIn(front) }
  }

  /** For one test alone. */
  async function enterFor(t: TestContext): Promise<{ front: Socket; session: string }> {
    const entered = await enter()
    t.after(() => entered.front.proxy.close())
    return entered
  }

  async function walkOrder(plan: readonly Call[], ending: Ending, order: Order): Promise<Walked> {
    const { front, session } = await enter({ own: plan.includes(newPassword) })
    try {
      const first = copyOf(front)
      await pastGrace()
      const walked = await walk(front, plan, order, pastGrace)
      const told = tell(plan, order)
      const end = endOf(ending, walked)
      // Of two sessions that both live a tab may hold a token of either; where the browser is signed in, its cookies say.
      if (ending === 'the last') front.token = undefined
      for (const when of ['at once', 'after a sleep']) {
        assert.equal(await whoIsIn(front), end, `${when}: ${told}`)
        await pastGrace()
        assert.equal((await call(front, 'refresh')).status, end === undefined ? 401 : 200, told)
      }
      assert.equal(await whoIsIn(front), end, told)
      for (const copy of copiesOf(first, session, walked.arrived.values())) {
        assert.equal(await whoIsIn(copy), undefined, `the session before is not accepted: ${told}`)
      }
      return walked
    } finally {
      await front.proxy.close()
    }
  }

  for (const [sentence, plan, ending] of scenarios) {
    if (plan.some(({ does }) => calls.find(does) === undefined)) continue
    test(sentence, async t => {
      const orders = ordersOf(plan)
      const walks = await Promise.allSettled(orders.map(order => walkOrder(plan, ending, order)))
      const walked = walks.map(each => {
        if (each.status === 'rejected') throw each.reason
        return each.value
      })
      const late = walked.filter(each => cameLate(calls, each, plan)).length
      t.diagnostic(`${orders.length} orders; in ${late} of them a new refresh cookie came last`)
      assert.ok(
        late > 0 || plan.every(({ does }) => does !== 'refresh'),
        'no late answer had anything to undo',
      )
    })
  }

  /** One call, and its answer as the server wrote it. */
  async function askedOf(front: Front, does: string): Promise<Answer> {
    const held = front.proxy.hold(lineOf(calls, does))
    held.release()
    await call(front, does)
    return held.answered
  }

  /** The server has answered, the browser never hears of it. */
  async function lose(front: Front, does: string): Promise<Answer> {
    const held = front.proxy.hold(lineOf(calls, does))
    const lost = assert.rejects(call(front, does), { code: 'ECONNRESET' })
    const answer = await held.answered
    held.drop()
    await lost
    return answer
  }

  test('four lost refresh answers in a row sign nobody out', async t => {
    const { front, session } = await enterFor(t)
    for (let i = 0; i < 4; i++) {
      await pastGrace()
      const answer = await lose(front, 'refresh')
      assert.equal(answer.status, 200)
      assert.ok(refreshSent(calls, answer), 'what was lost is a new refresh cookie')
    }
    for (let i = 0; i < 2; i++) {
      await pastGrace()
      const answer = await askedOf(front, 'refresh')
      assert.equal(answer.status, 200)
      assert.ok(refreshSent(calls, answer))
      assert.equal(await whoIsIn(front), session)
    }
  })

  test('a lost sign-out answer: the next call is refused, and signing in again works', async t => {
    const { front, session } = await enterFor(t)
    assert.ok((await lose(front, 'signOut')).status < 300)
    assert.equal((await call(front, 'whoAmI')).status, 401)
    assert.equal((await call(front, 'refresh')).status, 401)
    const again = await signIn(front)
    assert.notEqual(again, session)
    assert.equal(await whoIsIn(front), again)
  })

  test('a lost sign-in answer: the session before has ended, and signing in again works', async t => {
    const { front } = await enterFor(t)
    assert.equal((await lose(front, 'signIn')).status, 200)
    assert.equal(await whoIsIn(front), undefined)
    const again = await signIn(front)
    await pastGrace()
    assert.equal(await whoIsIn(front), again)
  })

  test('a refresh that is refused for an ended session sets no cookie', async t => {
    const { front } = await enterFor(t)
    const copy = copyOf(front)
    assert.ok((await call(front, 'signOut')).status < 300)
    const { status, set } = await askedOf(copy, 'refresh')
    assert.deepEqual([status, set], [401, []])
  })

  test('a refresh that cannot be decided is 503, sets no cookie, and may be tried again', async t => {
    const { front, session } = await enterFor(t)
    await pastGrace()
    const release = lockDatabase(join(folder, 'late.db'))
    t.after(release)
    const { status, set, retryAfter } = await askedOf(front, 'refresh')
    assert.deepEqual([status, set], [503, []])
    assert.match(retryAfter ?? '', /^[1-9]\d*$/)
    release()
    assert.ok(refreshSent(calls, await askedOf(front, 'refresh')))
    assert.equal(await whoIsIn(front), session)
  })
}

describe('every order of late answers', { concurrency: true }, () => {
  for (const dialect of dialectNames) describe(dialect, { concurrency: 1 }, () => walkDialect(dialect))
})
