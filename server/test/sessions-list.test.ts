// The sessions of a person as that person sees and ends them, on a real store, in both deliveries: which are listed and in
// which order, which one is this, what ending one or all others ends, that nobody reaches somebody else's; and the list that
// operators see.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Delivery, Session } from '../src/core/model.ts'
import { defaultPolicy } from '../src/core/policy.ts'
import { openSession } from '../src/core/session.ts'
import type { Carried, Tokens } from '../src/operations/contract.ts'
import { emptyFolder, run, serve } from './cli/binary.ts'
import { asJack, carry, idOf, jack, later, refusedOf, type Sys, system, tokensOf } from './system.ts'

const jill = { email: 'jill@example.com', username: 'jill', password: jack.password }
const asJill = { login: jill.username, password: jill.password }
const deliveries: readonly Delivery[] = ['cookies', 'memory']

/** What a browser of that delivery sends. */
const carrying = (delivery: Delivery, ...all: readonly Tokens[]): Partial<Carried> => {
  const { access = [], ...cookies } = carry(...all)
  return delivery === 'cookies' ? { access, ...cookies } : { bearer: access[0], ...cookies }
}

const signIn = async ({ ask }: Sys, as: typeof asJack, delivery: Delivery = 'cookies'): Promise<Tokens> =>
  tokensOf(await ask('signIn', { ...as, delivery }))

async function peopled() {
  const sys = await system()
  await sys.make(jack)
  await sys.make(jill)
  return sys
}

async function listed({ ask }: Sys, carried: Partial<Carried>) {
  const result = await ask('listSessions', {}, carried)
  assert.ok('done' in result, refusedOf(result))
  const { sessions, current } = result.done
  return { ids: sessions.map(({ id }) => id), current: current.id }
}

/** Sessions of the same person that were last used at these times, without their sign-ins. */
async function openAt({ engine }: Sys, as: Tokens, times: readonly number[]): Promise<readonly Session[]> {
  const holder = await engine.store.holder(idOf(as))
  assert.ok(holder)
  const { user } = holder
  const opening = { user, delivery: 'cookies', userAgent: '', address: '' } as const
  const sessions = times.map(at => openSession({ ...opening, id: engine.newId() }, defaultPolicy, at))
  const opened = await engine.store.commit(sessions.map(session => ({ change: 'openSession', session })))
  assert.ok(opened.committed)
  return sessions
}

for (const delivery of deliveries) {
  test(`with delivery in ${delivery}, a list says of one session that it is this one, to each its own`, async () => {
    const sys = await peopled()
    const all = [await signIn(sys, asJack, delivery), await signIn(sys, asJack, delivery)]
    await signIn(sys, asJill, delivery)
    const ids = all.map(idOf).toSorted()
    for (const each of all) {
      const seen = await listed(sys, carrying(delivery, each))
      assert.deepEqual([seen.ids.toSorted(), seen.current], [ids, idOf(each)])
    }
  })

  test(`with delivery in ${delivery}, ending one session ends exactly that one, at once`, async () => {
    const sys = await peopled()
    const here = await signIn(sys, asJack, delivery)
    const phone = await signIn(sys, asJack, delivery)
    const desk = await signIn(sys, asJack, delivery)
    const jills = await signIn(sys, asJill, delivery)
    // Remembered, so that it is the ending that must be heard of.
    for (const each of [here, phone, desk]) tokensOf(await sys.ask('whoAmI', {}, carrying(delivery, each)))
    const done = await sys.ask('endSession', { id: idOf(phone) }, carrying(delivery, here))
    assert.deepEqual(tokensOf(done), {}, 'no cookie of this browser is touched')
    assert.equal(refusedOf(await sys.ask('whoAmI', {}, carrying(delivery, phone))), 'access_revoked')
    assert.equal(refusedOf(await sys.ask('refresh', {}, carrying(delivery, phone))), 'refresh_invalid')
    for (const each of [here, desk, jills]) {
      tokensOf(await sys.ask('whoAmI', {}, carrying(delivery, each)))
      tokensOf(await sys.ask('refresh', {}, carrying(delivery, each)))
    }
    const seen = await listed(sys, carrying(delivery, here))
    assert.deepEqual(seen.ids.toSorted(), [here, desk].map(idOf).toSorted())
  })

  test(`with delivery in ${delivery}, ending all others keeps this one and everybody else's`, async () => {
    const sys = await peopled()
    const here = await signIn(sys, asJack, delivery)
    const others = [await signIn(sys, asJack, delivery), await signIn(sys, asJack, 'cookies')]
    const jills = await signIn(sys, asJill, delivery)
    await openAt(
      sys,
      here,
      Array.from({ length: 120 }, () => sys.engine.store.now()),
    )
    assert.deepEqual(tokensOf(await sys.ask('endOtherSessions', {}, carrying(delivery, here))), {})
    for (const each of others) {
      assert.equal(refusedOf(await sys.ask('whoAmI', {}, carry(each))), 'access_revoked')
      assert.equal(refusedOf(await sys.ask('refresh', {}, carry(each))), 'refresh_invalid')
    }
    assert.deepEqual(await listed(sys, carrying(delivery, here)), { ids: [idOf(here)], current: idOf(here) })
    tokensOf(await sys.ask('refresh', {}, carrying(delivery, here)))
    tokensOf(await sys.ask('whoAmI', {}, carrying(delivery, jills)))
  })

  test(`with delivery in ${delivery}, to end this session clears its cookies, and only this one ends`, async () => {
    const sys = await peopled()
    const here = await signIn(sys, asJack, delivery)
    const other = await signIn(sys, asJack, delivery)
    const done = await sys.ask('endSession', { id: idOf(here) }, carrying(delivery, here))
    assert.deepEqual(tokensOf(done), { clear: true })
    assert.equal(refusedOf(await sys.ask('whoAmI', {}, carrying(delivery, here))), 'access_revoked')
    assert.equal(refusedOf(await sys.ask('refresh', {}, carrying(delivery, here))), 'refresh_invalid')
    tokensOf(await sys.ask('whoAmI', {}, carrying(delivery, other)))
  })
}

/** An id that the caller may not end. */
type Absent = (sys: Sys, delivery: Delivery) => Promise<string>

// [sentence, the id]
const absent: [string, Absent][] = [
  ["somebody else's session", async (sys, delivery) => idOf(await signIn(sys, asJill, delivery))],
  [
    "somebody else's session that has ended",
    async (sys, delivery) => {
      const jills = await signIn(sys, asJill, delivery)
      tokensOf(await sys.ask('signOut', {}, carrying(delivery, jills)))
      return idOf(jills)
    },
  ],
  [
    "one's own session that was signed out",
    async (sys, delivery) => {
      const mine = await signIn(sys, asJack, delivery)
      tokensOf(await sys.ask('signOut', {}, carrying(delivery, mine)))
      return idOf(mine)
    },
  ],
  [
    "one's own session that nobody used for too long",
    async (sys, delivery) => {
      const mine = await signIn(sys, asJack, delivery)
      sys.pass(defaultPolicy.idle)
      return idOf(mine)
    },
  ],
  ['a session that never was', async ({ engine }) => engine.newId()],
  ['garbage', async () => "' OR 1=1 --\u0000\u202e€"],
  ['a name that every object has', async () => '__proto__'],
]

for (const delivery of deliveries) {
  for (const [sentence, make] of absent) {
    test(`with delivery in ${delivery}, ${sentence} is not to be found, and nothing is written`, async () => {
      const sys = await peopled()
      const id = await make(sys, delivery)
      const here = carrying(delivery, await signIn(sys, asJack, delivery))
      const before = await sys.engine.store.holder(id)
      const events = await sys.engine.store.events({ limit: 100 })
      assert.deepEqual(await sys.ask('endSession', { id }, here), {
        refusal: { refused: 'session_not_found' },
      })
      assert.deepEqual(await sys.engine.store.holder(id), before)
      assert.deepEqual(await sys.engine.store.events({ limit: 100 }), events)
    })
  }
}

test('sessions are listed by their last use, and a refresh moves one to the front', async () => {
  const sys = await peopled()
  const oldest = await signIn(sys, asJack)
  sys.pass(1)
  const middle = await signIn(sys, asJack)
  sys.pass(1)
  const newest = await signIn(sys, asJack)
  assert.deepEqual((await listed(sys, carry(newest))).ids, [newest, middle, oldest].map(idOf))
  sys.pass(later)
  const moved = tokensOf(await sys.ask('refresh', {}, carry(oldest)))
  assert.ok(moved.refresh)
  assert.deepEqual((await listed(sys, carry(newest))).ids, [oldest, newest, middle].map(idOf))
})

test('a quiet refresh does not show in the list: it writes nothing', async () => {
  const sys = await peopled()
  const first = await signIn(sys, asJack)
  sys.pass(1)
  const second = await signIn(sys, asJack)
  sys.pass(1)
  assert.equal(tokensOf(await sys.ask('refresh', {}, carry(first))).refresh, undefined)
  assert.deepEqual((await listed(sys, carry(first))).ids, [second, first].map(idOf))
})

test('of more than a hundred sessions the hundred most recently used are listed', async () => {
  const sys = await peopled()
  const now = sys.engine.store.now()
  const seed = await signIn(sys, asJack)
  const opened = await openAt(
    sys,
    seed,
    Array.from({ length: 105 }, (_, i) => now - 1 - i),
  )
  const want = [idOf(seed), ...opened.slice(0, 99).map(({ id }) => id)]
  assert.deepEqual(await listed(sys, carry(seed)), { ids: want, current: idOf(seed) })
})

// [sentence, milliseconds before now when it was last used, whether it is listed]
const { idle } = defaultPolicy
const ages: [string, number, boolean][] = [
  ['is listed until the last millisecond before it has idled too long', idle - 1, true],
  ['is listed no more once it has idled too long', idle, false],
]

for (const [sentence, age, want] of ages) {
  test(`a session ${sentence}`, async () => {
    const sys = await peopled()
    const here = await signIn(sys, asJack)
    const [session] = await openAt(sys, here, [sys.engine.store.now() - age])
    assert.equal((await listed(sys, carry(here))).ids.includes(session?.id ?? ''), want)
  })
}

test('operators see the device by name in the table, and as JSON what the browser said too', async t => {
  const where = { folder: emptyFolder(t) }
  const { url, stop } = await serve(t, where)
  const enter = async (path: string, body: object, userAgent: string) => {
    const headers = { 'content-type': 'application/json', 'user-agent': userAgent }
    const answer = await fetch(`${url}/auth/${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
    assert.ok(answer.ok, `${answer.status}`)
  }
  const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0'
  await enter('sign-up', jack, firefox)
  await enter('sign-in', asJack, 'Call 555 0100/1.0 (x)')
  const rows = JSON.parse((await run(where, ['sessions', 'list', '--json'])).stdout) as { openedAt: string }[]
  assert.partialDeepStrictEqual(
    rows.toSorted((a, b) => (a.openedAt < b.openedAt ? -1 : 1)),
    [
      { device: 'Firefox on Linux', userAgent: firefox },
      { device: 'Unknown device', userAgent: 'Call 555 0100/1.0 (x)' },
    ],
  )
  const { stdout } = await run(where, ['sessions', 'list'])
  const [head = '', ...lines] = stdout.trimEnd().split('\n')
  assert.match(head, / device$/)
  assert.equal(lines.filter(line => / (Firefox on Linux|Unknown device)$/.test(line)).length, 2)
  assert.doesNotMatch(stdout, /555|Mozilla/)
  assert.equal((await stop()).code, 0)
})

test('where the dialect wants a CSRF token of the session, sessions end with no other', async () => {
  const sys = await peopled()
  const [here, there] = [await signIn(sys, asJack), await signIn(sys, asJack)]
  const how = { csrf: 'session', mintsCsrf: true } as const
  const tokenOf = async (tokens: Tokens) => {
    const { csrf } = tokensOf(await sys.ask('csrf', {}, carry(tokens), { mintsCsrf: true }))
    return { csrf: { header: csrf, cookie: csrf } }
  }
  for (const [does, input] of [
    ['endSession', { id: idOf(there) }] as const,
    ['endOtherSessions', {}] as const,
  ]) {
    const call = async (csrf: Partial<Carried>) => sys.ask(does, input, { ...carry(here), ...csrf }, how)
    assert.equal(refusedOf(await call({})), 'csrf_refused')
    assert.equal(refusedOf(await call(await tokenOf(there))), 'csrf_refused')
  }
  assert.equal((await listed(sys, carry(here))).ids.length, 2, 'and nothing has ended')
  const done = await sys.ask('endOtherSessions', {}, { ...carry(here), ...(await tokenOf(here)) }, how)
  assert.ok('done' in done)
  assert.deepEqual((await listed(sys, carry(here))).ids, [idOf(here)])
})

test('however many sessions were used since, the list shows which one this is', async () => {
  const sys = await peopled()
  const here = await signIn(sys, asJack)
  const now = sys.engine.store.now()
  await openAt(
    sys,
    here,
    Array.from({ length: 105 }, (_, i) => now + i),
  )
  const { ids, current } = await listed(sys, carry(here))
  assert.equal(ids.length, 100)
  assert.ok(ids.includes(current))
})
