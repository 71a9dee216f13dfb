// The walk's store, jar and clock are models. Here random ways through the world are walked by the shipped engine on a real
// SQLite database too, commits held back as the way says: after every step the rows and the answers must be the same.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { defaultPolicy } from '../../server/src/core/policy.ts'
import { endSession } from '../../server/src/operations/administer.ts'
import type { Carried, Result, Tokens } from '../../server/src/operations/contract.ts'
import type { Committed, Store } from '../../server/src/store/port.ts'
import { jack, system } from '../../server/test/system.ts'
import { shipped } from './rule.ts'
import type { Scene, Telling } from './scene.ts'
import type { State } from './state.ts'
import { chooseWay } from './way.ts'
import { openWorld } from './world.ts'

const tick = 1_000
const grace = 2

const scene: Scene = {
  name: 'faithful',
  atOnce: 3,
  grace,
  leg: null,
  skew: 0,
  does: ['refresh', 'sign-out', 'sign-in', 'password change'],
  access: true,
  losses: true,
  ends: true,
  thief: 'never',
  restores: 0,
  behind: 4,
  promises: ['H2'],
}

type Jar = { refresh: string | undefined; signIn: string | undefined; access: string | undefined }

/** A call of the browser on its way through the real engine. */
type Call = {
  readonly carried: Partial<Carried>
  readonly ask: string
  started?: Promise<Result>
  answer?: Tokens
}

/** A store whose commits wait at a gate, one to a call. */
function gated(waiting: (() => Promise<void>)[], open: () => boolean) {
  return (store: Store): Store => ({
    ...store,
    now: () => store.now(),
    commit: changes =>
      open()
        ? store.commit(changes)
        : new Promise<Committed>((resolve, reject) => {
            waiting.push(async () => resolve(await store.commit(changes).catch(reject as () => never)))
          }),
  })
}

/** How often a way takes a step of this kind, where there is a choice: rows that change are what matters. */
const weights: Readonly<Record<string, number>> = {
  'time passes': 6,
  decides: 12,
  commits: 8,
  'ends as reused': 8,
  arrives: 3,
  'is lost': 0.5,
  'ends elsewhere': 0.1,
  'the cookies of the sign-in expire': 0.2,
  'sign-out': 0.4,
  'sign-in': 0.4,
  'password change': 0.3,
  refresh: 3,
}

const weigh = ([did, , ask]: Telling): number => weights[String(did === 'composes' ? ask : did)] ?? 1

async function walkBoth(seed: number, count: (did: string) => void): Promise<void> {
  const waiting: (() => Promise<void>)[] = []
  let open = true
  const sys = await system({ store: gated(waiting, () => open) })
  const policy = { ...defaultPolicy, grace: grace * tick }
  const ask = (
    does: 'refresh' | 'signOut' | 'signIn' | 'changePassword',
    input: Record<string, unknown>,
    carried: Partial<Carried>,
  ) => sys.ask(does, input, carried, { policy })

  const signedUp = await sys.ask('signUp', jack, {}, { policy })
  assert.ok('tokens' in signedUp)
  const idOf = (text: string | undefined) => text?.split('.')[0] ?? ''
  const sidOf = (jwt: string | undefined): string =>
    jwt === undefined ? '' : JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString()).sid
  const sessions = ['', idOf(signedUp.tokens.refresh)]
  const jar: Jar = { refresh: undefined, signIn: undefined, access: undefined }
  const take = (tokens: Tokens) => {
    if (tokens.clear) Object.assign(jar, { refresh: undefined, access: undefined })
    jar.refresh = tokens.refresh ?? jar.refresh
    jar.signIn = tokens.signIn ?? jar.signIn
    jar.access = tokens.access?.token ?? jar.access
  }
  take(signedUp.tokens)
  const calls = new Map<number, Call>()
  const carry = (): Partial<Carried> => ({
    refresh: jar.refresh === undefined ? [] : [jar.refresh],
    signIn: jar.signIn === undefined ? [] : [jar.signIn],
    access: jar.access === undefined ? [] : [jar.access],
  })
  const held = new Map<number, () => Promise<void>>()

  /** Runs a refresh up to its commit, or to its answer when it has none; a call whose guard failed goes on from there. */
  const decide = async (number: number, call: Call) => {
    const again = held.get(number)
    held.delete(number)
    if (again) await again()
    else call.started = ask('refresh', {}, call.carried)
    let settled = false
    call.started?.finally(() => {
      settled = true
    })
    while (!settled && waiting.length === 0) await turn()
    const gate = waiting.shift()
    if (gate) held.set(number, gate)
  }
  const release = async (number: number) => {
    const gate = held.get(number)
    held.delete(number)
    assert.ok(gate, 'the call waits at its commit')
    await gate()
    return calls.get(number)?.started
  }
  const whole = async (work: () => Promise<Result>) => {
    open = true
    const result = await work()
    open = false
    return result
  }
  let password = jack.password
  const changePassword = async ({ carried }: Call) => {
    const next = `${password}!`
    const result = await ask('changePassword', { current: password, new: next }, carried)
    if ('done' in result) password = next
    return result
  }
  const tokensOf = (result: Result | undefined): Tokens => {
    assert.ok(result && 'tokens' in result, 'it is answered')
    return result.tokens
  }
  const numberOf = (text: string | undefined) => (text === undefined ? -1 : Number(text.split('.')[1]))

  const follow = async ([did, ...rest]: Telling) => {
    const number = Number(rest[0])
    const call = calls.get(number)
    if (did === 'time passes') sys.pass(tick)
    else if (did === 'composes') calls.set(number, { carried: carry(), ask: String(rest[1]) })
    else if (did === 'the cookies of the sign-in expire')
      Object.assign(jar, { signIn: undefined, access: undefined })
    else if (String(did).startsWith('the access token')) jar.access = undefined
    else if (did === 'ends elsewhere') {
      open = true
      await endSession(sys.engine, sessions[number] ?? '', 'revoked')
      open = false
    } else if (call) {
      if (did === 'decides') {
        await decide(number, call)
        assert.ok(held.has(number), 'it waits to commit')
      } else if (did === 'refuses' && call.ask === 'password change') {
        const result = await whole(() => changePassword(call))
        assert.ok('refusal' in result, 'a password change is refused')
      } else if (did === 'refuses' || did === 'answers quietly') {
        await decide(number, call)
        assert.ok(!held.has(number), 'it has nothing to commit')
        const result = await call.started
        assert.ok(result)
        assert.equal('refusal' in result, did === 'refuses')
        if ('tokens' in result) {
          assert.equal(result.tokens.refresh, undefined, 'a quiet answer carries no refresh token')
          call.answer = result.tokens
        }
      } else if (did === 'commits') {
        call.answer = tokensOf(await release(number))
        assert.equal(numberOf(call.answer.refresh), rest[3])
      } else if (did === 'ends as reused') {
        const result = await release(number)
        assert.ok(result && 'refusal' in result)
      } else if (did === 'signs out')
        call.answer = tokensOf(await whole(() => ask('signOut', {}, call.carried)))
      else if (did === 'signs in') {
        const enter = () =>
          call.ask === 'sign-in'
            ? ask('signIn', { login: jack.username, password }, call.carried)
            : changePassword(call)
        call.answer = tokensOf(await whole(enter))
        sessions[Number(rest[1])] = idOf(call.answer.refresh)
      } else if (did === 'arrives') {
        assert.ok(call.answer)
        take(call.answer)
      } else if (did !== 'is lost') throw new Error(`Nobody knows how to follow “${did}”`)
    } else throw new Error(`Nobody knows how to follow “${did}”`)
  }

  const compare = async (state: State) => {
    const now = sys.engine.store.now()
    for (const [sid, row] of state.rows.entries()) {
      const holder = sid === 0 ? undefined : await sys.engine.store.holder(sessions[sid] ?? '')
      if (!holder) continue
      const { session } = holder
      assert.equal(session.endedAt === null, row.live, `session ${sid}: live`)
      if (!row.live) continue
      const age = Math.min((now - session.changedAt) / tick, grace + 1)
      assert.deepEqual(
        [session.previous, session.current, session.successor, age],
        [row.previous, row.current, row.successor, row.age],
        `session ${sid}`,
      )
      assert.equal(
        session.idleEndsAt,
        Math.min(session.changedAt + policy.idle, session.endsAt),
        'its idle end',
      )
    }
    const { refresh, signIn, access } = state.jar
    assert.deepEqual(
      [numberOf(jar.refresh), idOf(jar.refresh), numberOf(jar.signIn), idOf(jar.signIn), sidOf(jar.access)],
      [
        refresh?.n ?? -1,
        sessions[refresh?.sid ?? 0],
        signIn?.n ?? -1,
        sessions[signIn?.sid ?? 0],
        sessions[access ?? 0],
      ],
      'the jar',
    )
  }

  open = false
  const way = chooseWay(openWorld(scene, shipped), seed, 60, weigh)
  for (const { state, telling } of way) {
    await follow(telling)
    await compare(state)
    count(String(telling[0]))
  }
  // What is still held back is let go, so that nothing waits for ever.
  open = true
  for (const gate of [...held.values(), ...waiting]) await gate()
  await Promise.all([...calls.values()].map(({ started }) => started))
  await sys.engine.store.close()
}

test('the engine on a real database walks as the model does', async t => {
  const counts = new Map<string, number>()
  const count = (did: string) => counts.set(did, (counts.get(did) ?? 0) + 1)
  for (let seed = 1; seed <= 160; seed++) {
    try {
      await walkBoth(seed, count)
    } catch (error) {
      throw new Error(`seed ${seed}: ${error instanceof Error ? error.message : error}`, { cause: error })
    }
  }
  t.diagnostic(JSON.stringify(Object.fromEntries(counts)))
  for (const did of ['commits', 'ends as reused', 'answers quietly', 'refuses', 'signs in', 'signs out'])
    assert.ok((counts.get(did) ?? 0) > 20, `${did} often enough to mean something`)
})
