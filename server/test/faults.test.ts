// What breaks between a commit and its answer: the server is killed, or the store breaks off and nobody knows whether it has
// committed. Nobody is signed out by it, and nobody is told that he is when he is not.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Fault } from '../src/core/fault.ts'
import type { EventType } from '../src/core/model.ts'
import type { OperationName, Tokens } from '../src/operations/contract.ts'
import type { Store } from '../src/store/port.ts'
import {
  call,
  callsOf,
  lineOf,
  makeAccount,
  openSocket,
  personCalled,
  signIn,
  whoIsIn,
} from './late/calls.ts'
import { startProxy } from './late/proxy.ts'
import { refreshSent } from './late/walk.ts'
import { serve } from './serving.ts'
import { asJack, carry, idOf, jack, later, refusedOf, type Sys, system, tokensOf } from './system.ts'

// The server is killed after the commit, before its answer has reached the browser.

const rounds = 4
const grace = 400
const native = callsOf('native')

/** A signed-in browser behind a proxy, and a server that can be killed while the answer is held. */
async function openKillable(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'rusk-killed-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const proxy = await startProxy()
  t.after(() => proxy.close())
  const env = { RUSK_SESSION_GRACE: `${grace}ms`, RUSK_THROTTLE_SIGN_IN: '1000/1m', RUSK_URL: proxy.url }
  const start = async () => {
    const serving = await serve({ args: ['--database', 'sqlite:./rusk.db'], cwd: folder, env })
    proxy.to(serving.url)
    return serving
  }
  let serving = await start()
  t.after(() => serving.end('SIGKILL'))
  const front = openSocket(native, proxy, proxy.url, personCalled('ada'))
  await makeAccount(front)
  return {
    front,
    /** Kills the server when it has answered this call and the browser has heard nothing; starts it again. */
    async killAfter(does: string) {
      const held = proxy.hold(lineOf(native, does))
      const lost = assert.rejects(call(front, does), { code: 'ECONNRESET' })
      const answer = await held.answered
      assert.ok(answer.status < 300, `${does}: ${answer.status}`)
      await serving.end('SIGKILL')
      held.drop()
      await lost
      serving = await start()
      return answer
    },
  }
}

test(`killed after the commit of a refresh, ${rounds} times in a row: still signed in`, async t => {
  const { front, killAfter } = await openKillable(t)
  const session = await signIn(front)
  for (let round = 0; round < rounds; round++) {
    await sleep(grace + 50)
    assert.ok(refreshSent(native, await killAfter('refresh')), 'what was lost is a new refresh cookie')
    assert.equal((await call(front, 'refresh')).status, 200, 'at once')
    assert.equal(await whoIsIn(front), session)
  }
  await sleep(grace + 50)
  assert.equal((await call(front, 'refresh')).status, 200, 'after the grace')
  assert.equal(await whoIsIn(front), session)
})

test(`killed after the commit of a sign-out, ${rounds} times: signed out`, async t => {
  const { front, killAfter } = await openKillable(t)
  for (let round = 0; round < rounds; round++) {
    await signIn(front)
    await killAfter('signOut')
    assert.equal((await call(front, 'whoAmI')).status, 401)
    assert.equal((await call(front, 'refresh')).status, 401)
  }
})

test(`killed after the commit of a sign-in, ${rounds} times: the session before has ended, signing in again works`, async t => {
  const { front, killAfter } = await openKillable(t)
  await signIn(front)
  for (let round = 0; round < rounds; round++) {
    await killAfter('signIn')
    assert.equal(await whoIsIn(front), undefined)
    const session = await signIn(front)
    assert.equal(await whoIsIn(front), session)
  }
})

// The store breaks off: the operation learns of a fault, not of what became of its commit.

/** Breaks off at the next commit, once: when it is made, or before it is. */
type Moment = 'committed' | 'not committed'

function breaking() {
  let next: Moment | undefined
  return {
    arm: (moment: Moment) => {
      next = moment
    },
    over: (store: Store): Store => ({
      ...store,
      async commit(changes) {
        const moment = next
        next = undefined
        const committed = moment === 'not committed' ? undefined : await store.commit(changes)
        if (moment !== undefined || committed === undefined)
          throw new Fault('the store broke off', { retryAfter: 1 })
        return committed
      },
    }),
  }
}

type Broken = Sys & {
  readonly held: Tokens
  /** This call meets the break: the front end is told to try again, never yes or no. */
  readonly broken: (does: OperationName, input?: Record<string, unknown>) => Promise<void>
  readonly whoAmI: (tokens?: Tokens) => Promise<string>
}

/** Jack, signed in and remembered. */
async function openBreaking(moment: Moment): Promise<Broken> {
  const { arm, over } = breaking()
  const sys = await system({ store: over })
  const held = tokensOf(await sys.ask('signUp', jack))
  const whoAmI = async (tokens = held) => {
    // What a request finds first when everything about it is remembered.
    if (sys.recall(tokens.access?.token ?? '', tokens.signIn)) return 'not refused'
    return refusedOf(await sys.ask('whoAmI', {}, carry(tokens)))
  }
  assert.equal(await whoAmI(), 'not refused')
  return {
    ...sys,
    held,
    whoAmI,
    async broken(does, input = {}) {
      arm(moment)
      // Where waiting may help, the answer is 503 and not 401.
      await assert.rejects(sys.ask(does, input, carry(held)), { name: 'Fault', retryAfter: 1 })
    },
  }
}

const eventsOf = async ({ engine }: Sys, type: EventType): Promise<number> =>
  (await engine.store.events({ limit: 100 })).filter(event => event.type === type).length

const jill = { email: 'jill@example.com', username: 'jill', password: 'a much better password' }
const asJill = { login: jill.username, password: jill.password }
const next = 'another horse, another battery'

/** What is true afterwards, in a sentence, for each of the two moments. */
const table: [string, Moment, (sys: Broken) => Promise<void>][] = [
  [
    'a refresh that was committed: the same browser is answered at once, and later goes on',
    'committed',
    async sys => {
      sys.pass(later)
      await sys.broken('refresh')
      const again = tokensOf(await sys.ask('refresh', {}, carry(sys.held)))
      assert.deepEqual([again.refresh, typeof again.access?.token], [undefined, 'string'])
      sys.pass(later)
      assert.ok(tokensOf(await sys.ask('refresh', {}, carry(sys.held))).refresh)
      assert.equal(await eventsOf(sys, 'session_reused'), 0)
    },
  ],
  [
    'four refreshes in a row that were committed: nobody is signed out',
    'committed',
    async sys => {
      for (let i = 0; i < 4; i++) {
        sys.pass(later)
        await sys.broken('refresh')
      }
      sys.pass(later)
      assert.ok(tokensOf(await sys.ask('refresh', {}, carry(sys.held))).refresh)
      assert.equal(await eventsOf(sys, 'session_reused'), 0)
    },
  ],
  [
    'a refresh that was not committed: the next one is as the first',
    'not committed',
    async sys => {
      sys.pass(later)
      await sys.broken('refresh')
      assert.ok(tokensOf(await sys.ask('refresh', {}, carry(sys.held))).refresh)
      assert.equal((await sys.engine.store.holder(idOf(sys.held)))?.session.successor, 2)
    },
  ],
  [
    'a sign-out that was committed: who am I is refused at once, and signing out again is fine',
    'committed',
    async sys => {
      await sys.broken('signOut')
      assert.equal(await sys.whoAmI(), 'access_revoked')
      assert.equal(tokensOf(await sys.ask('signOut', {}, carry(sys.held))).clear, true)
      assert.equal(await eventsOf(sys, 'signed_out'), 1)
    },
  ],
  [
    'a sign-out that was not committed: nobody is told that he is signed out, and he is not',
    'not committed',
    async sys => {
      await sys.broken('signOut')
      assert.equal(await sys.whoAmI(), 'not refused')
      assert.equal(await eventsOf(sys, 'signed_out'), 0)
      assert.deepEqual(
        sys.told.filter(({ type }) => type === 'signed_out'),
        [],
      )
      assert.equal(tokensOf(await sys.ask('signOut', {}, carry(sys.held))).clear, true)
      assert.equal(await sys.whoAmI(), 'access_revoked')
    },
  ],
  [
    'a sign-in that was committed: the session before has ended, and signing in again works',
    'committed',
    async sys => {
      await sys.broken('signIn', asJack)
      assert.equal(await sys.whoAmI(), 'access_revoked')
      assert.equal(
        await sys.whoAmI(tokensOf(await sys.ask('signIn', asJack, carry(sys.held)))),
        'not refused',
      )
    },
  ],
  [
    'a sign-in that was not committed: the session before goes on',
    'not committed',
    async sys => {
      await sys.broken('signIn', asJack)
      assert.equal(await sys.whoAmI(), 'not refused')
      assert.equal(await eventsOf(sys, 'signed_in'), 1)
    },
  ],
  [
    'a sign-up that was committed: trying again says taken, and the account is whole',
    'committed',
    async sys => {
      await sys.broken('signUp', jill)
      assert.equal(refusedOf(await sys.ask('signUp', jill)), 'email_taken')
      assert.equal(await sys.whoAmI(tokensOf(await sys.ask('signIn', asJill))), 'not refused')
    },
  ],
  [
    'a sign-up that was not committed: there is nothing of it, and trying again succeeds',
    'not committed',
    async sys => {
      await sys.broken('signUp', jill)
      assert.equal(await sys.whoAmI(), 'not refused')
      assert.equal(refusedOf(await sys.ask('signIn', asJill)), 'credentials_wrong')
      assert.equal(await sys.whoAmI(tokensOf(await sys.ask('signUp', jill))), 'not refused')
    },
  ],
  [
    'signing out everywhere else that was committed: the others are refused at once',
    'committed',
    async sys => {
      const other = tokensOf(await sys.ask('signIn', asJack))
      assert.equal(await sys.whoAmI(other), 'not refused')
      await sys.broken('endOtherSessions')
      assert.deepEqual([await sys.whoAmI(other), await sys.whoAmI()], ['access_revoked', 'not refused'])
    },
  ],
  [
    'signing out everywhere else that was not committed: the others go on',
    'not committed',
    async sys => {
      const other = tokensOf(await sys.ask('signIn', asJack))
      await sys.broken('endOtherSessions')
      assert.deepEqual([await sys.whoAmI(other), await sys.whoAmI()], ['not refused', 'not refused'])
    },
  ],
  [
    'a new password that was committed: every session has ended, and it signs in',
    'committed',
    async sys => {
      await sys.broken('changePassword', { current: jack.password, new: next })
      assert.equal(await sys.whoAmI(), 'access_revoked')
      assert.equal(refusedOf(await sys.ask('signIn', asJack)), 'credentials_wrong')
      const again = tokensOf(await sys.ask('signIn', { ...asJack, password: next }, carry(sys.held)))
      assert.equal(await sys.whoAmI(again), 'not refused')
    },
  ],
  [
    'a new password that was not committed: everything is as before',
    'not committed',
    async sys => {
      await sys.broken('changePassword', { current: jack.password, new: next })
      assert.equal(await sys.whoAmI(), 'not refused')
      assert.equal(refusedOf(await sys.ask('signIn', { ...asJack, password: next })), 'credentials_wrong')
      assert.equal(await sys.whoAmI(tokensOf(await sys.ask('signIn', asJack))), 'not refused')
    },
  ],
]

for (const [sentence, moment, afterwards] of table) {
  test(`the store breaks off at ${sentence}`, async () => afterwards(await openBreaking(moment)))
}
