// The engine on a real store, without HTTP, for the tests of what is decided, minted and remembered: a clock that only
// the test moves, calls as a browser's jar makes them. Knows no dialect.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type { ChangeName } from '../src/core/change.ts'
import type { Event, Session, User } from '../src/core/model.ts'
import { defaultPolicy } from '../src/core/policy.ts'
import { lifeOfMacs, lifeOfSigned, type RotationPolicy } from '../src/core/rotation.ts'
import { openSealer } from '../src/crypto/keys.ts'
import { newId } from '../src/crypto/new-id.ts'
import { createPasswords } from '../src/crypto/password.ts'
import { createAccount, type NewAccount } from '../src/operations/administer.ts'
import type { Caller, Carried, Manner, OperationName, Result, Tokens } from '../src/operations/contract.ts'
import type { Engine } from '../src/operations/engine.ts'
import { openKeyring } from '../src/operations/keyring.ts'
import { createMemory } from '../src/operations/memory.ts'
import { createRecall, createRun } from '../src/operations/run.ts'
import { openStore } from '../src/store/open.ts'
import type { Store } from '../src/store/port.ts'
import { createThrottle } from '../src/store/throttle.ts'

const nothing: Carried = {
  access: [],
  bearer: undefined,
  refresh: [],
  signIn: [],
  csrf: undefined,
  conflict: false,
}
export const manner: Manner = {
  policy: defaultPolicy,
  delivery: 'cookies',
  subject: 'id',
  claims: undefined,
  csrf: undefined,
  mintsCsrf: false,
}
export const caller: Caller = { callId: 'c', address: '127.0.0.1', userAgent: 'test' }

export const jack = { email: 'jack@example.com', username: 'jack', password: 'a much better password' }
export const asJack = { login: jack.username, password: jack.password }

export const rotationPolicy: RotationPolicy = {
  every: undefined,
  algorithms: { sign: 'ES256', mac: 'HS256' },
  lives: { sign: lifeOfSigned, mac: lifeOfMacs([]) },
}

/** Past the grace: a refresh changes the row again. */
export const later = defaultPolicy.grace + 1

/** The default policy with other rates. */
export const ratesOf = (rates: Partial<Manner['policy']['rates']>): Partial<Manner> => ({
  policy: { ...defaultPolicy, rates: { ...defaultPolicy.rates, ...rates } },
})

/** What a test puts between the operations and their parts. */
export type Between = {
  readonly store?: (store: Store) => Store
  readonly passwords?: Engine['passwords']
  readonly bridge?: Engine['bridge']
}

export type Sys = Awaited<ReturnType<typeof system>>

/** A system on an empty database in memory. */
export async function system({ store: over = each => each, passwords, bridge }: Between = {}) {
  let now = Date.UTC(2026, 0, 1)
  const store = over(await openStore({ kind: 'sqlite', path: null, label: 'memory' }, { clock: () => now }))
  await store.migrate()
  const sealer = openSealer(randomBytes(32))
  const memory = createMemory()
  const keyring = await openKeyring({
    store,
    sealer: async () => sealer,
    shared: undefined,
    policy: rotationPolicy,
    onChange: memory.forgetAll,
  })
  const told: Event[] = []
  const engine: Engine = {
    store,
    keyring,
    throttle: createThrottle(),
    passwords: passwords ?? createPasswords({ scheme: 'argon2id' }),
    bridge,
    isCommonPassword: async () => false,
    memory,
    issuer: 'http://127.0.0.1:8000',
    audience: undefined,
    newId,
    onEvent: event => told.push(event),
  }
  const run = createRun(engine)
  return {
    engine,
    recall: createRecall(engine),
    /** Every event that was told as durable. */
    told: told as readonly Event[],
    pass: (span: number) => {
      now += span
    },
    /** An account as an operator makes it, whatever its password. */
    async make(account: NewAccount): Promise<User> {
      const made = await createAccount(engine, account, { superuser: false, policy: undefined })
      assert.ok('user' in made)
      return made.user
    },
    /** The password record as it stands in the store. */
    recordOf: async (userId: string) => (await engine.store.account({ id: userId }))?.password,
    ask: <O extends OperationName>(
      does: O,
      input: Record<string, unknown> = {},
      carried: Partial<Carried> = {},
      how: Partial<Manner> = {},
      who: Partial<Caller> = {},
    ): Promise<Result<O>> =>
      run({
        does,
        input,
        carried: { ...nothing, ...carried },
        caller: { ...caller, ...who },
        manner: { ...manner, ...how },
      }),
  }
}

/** Jack, signed in by two browsers. */
export async function jackTwice(between: Between = {}) {
  const sys = await system(between)
  const here = tokensOf(await sys.ask('signUp', jack))
  const there = tokensOf(await sys.ask('signIn', asJack))
  const userId = (await sys.engine.store.holder(idOf(here)))?.user.id ?? assert.fail('jack is there')
  return { ...sys, here, there, userId }
}

/** A store that lets something happen right before a commit with this change; once. */
export function overtaking(name: ChangeName) {
  let first: (() => Promise<unknown>) | undefined
  return {
    store: (store: Store): Store => ({
      ...store,
      async commit(changes) {
        const now = first
        if (now && changes.some(({ change }) => change === name)) {
          first = undefined
          await now()
        }
        return store.commit(changes)
      },
    }),
    before: (happens: () => Promise<unknown>) => {
      first = happens
    },
    /** Whether it has happened. */
    overtaken: () => first === undefined,
  }
}

/** The sessions of somebody, by id. */
export const liveOf = async ({
  engine: { store },
  userId,
}: Pick<Sys, 'engine'> & { readonly userId: string }): Promise<readonly string[]> =>
  (await store.sessionsOf(userId, { now: store.now(), limit: 99 })).map(({ id }) => id)

/** As a browser with these cookies is answered: who it is, and whether it can refresh. */
export const answersTo = async ({ ask }: Pick<Sys, 'ask'>, carried: Partial<Carried>) => [
  refusedOf(await ask('whoAmI', {}, carried)),
  refusedOf(await ask('refresh', {}, carried)),
]

/** The browser that has `first` refreshes so many times, each past the grace. Resolves with all that it was given. */
export async function refreshTimes({ ask, pass }: Sys, first: Tokens, times: number): Promise<Tokens[]> {
  const jar = [first]
  for (let i = 0; i < times; i++) {
    pass(later)
    jar.push(tokensOf(await ask('refresh', {}, carry(...jar))))
  }
  return jar
}

/** What the browser sends after these answers, each put over the ones before. */
export const carry = (...all: readonly Tokens[]): Partial<Carried> => {
  const latest = (pick: (tokens: Tokens) => string | undefined) => {
    const text = all.map(pick).findLast(each => each !== undefined)
    return text === undefined ? [] : [text]
  }
  return {
    access: latest(tokens => tokens.access?.token),
    refresh: latest(tokens => tokens.refresh),
    signIn: latest(tokens => tokens.signIn),
  }
}

export const tokensOf = (result: Result): Tokens => {
  assert.ok('tokens' in result, 'refusal' in result ? `refused: ${result.refusal.refused}` : '')
  return result.tokens
}

export const refusedOf = (result: Result) => ('refusal' in result ? result.refusal.refused : 'not refused')

/** The session that an answer is about. */
export const sessionOf = (result: Result<'whoAmI' | 'refresh' | 'signIn' | 'signUp'>): Session => {
  assert.ok('done' in result, 'refusal' in result ? `refused: ${result.refusal.refused}` : '')
  return result.done.session
}

/** The session that a sign-in's tokens name. */
export const idOf = (tokens: Tokens): string => {
  const [id] = tokens.refresh?.split('.') ?? []
  assert.ok(id)
  return id
}

/** A call that carries these sign-in's cookies of one name, in this order. */
export const textsOf = (pick: 'refresh' | 'signIn', ...all: readonly Tokens[]): readonly string[] =>
  all.flatMap(tokens => tokens[pick] ?? [])
