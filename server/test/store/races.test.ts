// Races for every guard: however many meet on one row, exactly as many win as may. Which guards there are, the statements
// say; each must have lost a race here, on every store.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { DummyDriver, Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from 'kysely'
import type { Change, ChangeName } from '../../src/core/change.ts'
import type { Session } from '../../src/core/model.ts'
import { lineOf } from '../../src/core/session.ts'
import { pendingMigrations } from '../../src/store/migrations.ts'
import type { Committed, Store } from '../../src/store/port.ts'
import { openWrites } from '../../src/store/writes.ts'
import {
  moveOf,
  newEvent,
  newExchange,
  newKey,
  newLetter,
  newSession,
  newUser,
  noon,
  oneOfEach,
} from './people.ts'
import { eachStore, type Open, withDeadlocks } from './stores.ts'

/** Two servers on one database. */
const openTwo = async (open: Open): Promise<readonly [Store, Store]> => [await open(), await open()]

const raced = new Set<ChangeName>()

/** A race that is lost to these guards and to no other: to which of several, chance decides. `body` tells how all fared. */
function raceFor(
  guards: readonly ChangeName[],
  sentence: string,
  body: (stores: readonly [Store, Store]) => Promise<readonly Committed[]>,
): void {
  eachStore(sentence, async (_, open) => {
    const outcomes = await body(await openTwo(open))
    const lost = outcomes.flatMap(each => (each.committed ? [] : [each.guard]))
    assert.notEqual(lost.length, 0, 'somebody loses')
    assert.deepEqual(
      lost.filter(guard => !guards.includes(guard)),
      [],
    )
    for (const guard of lost) raced.add(guard)
  })
}

/** So many rounds after each other, and more while nobody has lost; who starts first changes with each. */
async function rounds(
  count: number,
  round: (number: number, first: number) => Promise<readonly Committed[]>,
): Promise<readonly Committed[]> {
  const outcomes: Committed[] = []
  const isOpen = () => outcomes.every(({ committed }) => committed)
  for (let i = 0; i < count || (i < 20 * count && isOpen()); i++) outcomes.push(...(await round(i, i % 2)))
  return outcomes
}

const won = (outcomes: readonly Committed[]): number => outcomes.filter(({ committed }) => committed).length

/** All at once, half on each server. */
const meet = (
  stores: readonly [Store, Store],
  count: number,
  changes: (i: number) => readonly Change[],
): Promise<Committed[]> =>
  Promise.all(Array.from({ length: count }, (_, i) => stores[i % 2 === 0 ? 0 : 1].commit(changes(i))))

raceFor(['createUser'], 'of 100 sign-ups with one e-mail address one is committed', async stores => {
  const outcomes = await meet(stores, 100, i => [
    { change: 'createUser', user: newUser(`u${i}`, { emailKey: 'one@example.com' }), password: 'x' },
    { change: 'openSession', session: newSession(`s${i}`, `u${i}`) },
    { change: 'record', event: newEvent('signed_up') },
  ])
  assert.equal(won(outcomes), 1)
  const [store] = stores
  assert.equal((await store.users({ after: 0, limit: 200 })).length, 1)
  assert.equal((await store.sessions({ now: noon, limit: 200 })).length, 1)
  assert.equal((await store.events({ limit: 200 })).length, 1)
  return outcomes
})

raceFor(['createUser'], 'of 100 sign-ups with one username one is committed', async stores => {
  const outcomes = await meet(stores, 100, i => [
    { change: 'createUser', user: newUser(`u${i}`, { username: 'One', usernameKey: 'one' }), password: null },
  ])
  assert.equal(won(outcomes), 1)
  return outcomes
})

raceFor(['moveSession'], 'of 200 moves of one line one is committed', async stores => {
  const session = newSession('s', 'ada')
  await stores[0].commit([
    { change: 'createUser', user: newUser('ada'), password: null },
    { change: 'openSession', session },
  ])
  const outcomes = await meet(stores, 200, i => [
    moveOf(session, noon + 1 + i),
    { change: 'record', event: newEvent('signed_in') },
  ])
  assert.equal(won(outcomes), 1)
  const winner = outcomes.findIndex(({ committed }) => committed)
  assert.equal((await stores[0].holder('s'))?.session.changedAt, noon + 1 + winner)
  assert.equal((await stores[0].events({ limit: 9 })).length, 1)
  return outcomes
})

raceFor(
  ['moveSession', 'endSession'],
  'moving and ending a session as reused: one of the two is committed',
  async stores => {
    await stores[0].commit([{ change: 'createUser', user: newUser('ada'), password: null }])
    return rounds(20, async (round, first) => {
      const session = newSession(`s${round}`, 'ada')
      await stores[0].commit([{ change: 'openSession', session }])
      const move = moveOf(session, noon + 1)
      const outcomes = await meet(stores, 2, i => [
        i === first
          ? move
          : { change: 'endSession', sessionId: session.id, because: 'reused', at: noon + 1, was: move.was },
      ])
      assert.equal(won(outcomes), 1)
      return outcomes
    })
  },
)

raceFor(['endSession'], 'of 50 who end one session as reused one is committed', async stores => {
  const session = newSession('s', 'ada')
  await stores[0].commit([
    { change: 'createUser', user: newUser('ada'), password: null },
    { change: 'openSession', session },
  ])
  const outcomes = await meet(stores, 50, () => [
    { change: 'endSession', sessionId: 's', because: 'reused', at: noon + 1, was: lineOf(session) },
    { change: 'queueLetter', letter: newLetter('ada') },
  ])
  assert.equal(won(outcomes), 1)
  assert.equal((await stores[0].letters({ limit: 99 })).length, 1, 'one letter is written')
  return outcomes
})

raceFor(['moveSession'], 'signing out wins over moving, whichever comes first', async stores => {
  await stores[0].commit([{ change: 'createUser', user: newUser('ada'), password: null }])
  return rounds(20, async (round, first) => {
    const session = newSession(`s${round}`, 'ada')
    await stores[0].commit([{ change: 'openSession', session }])
    const outcomes = await meet(stores, 2, i => [
      i === first
        ? moveOf(session, noon + 1)
        : { change: 'endSession', sessionId: session.id, because: 'signed_out', at: noon + 1 },
    ])
    assert.equal((await stores[0].holder(session.id))?.session.endedBecause, 'signed_out')
    return outcomes
  })
})

const disabling = (userId: string): readonly Change[] => [
  { change: 'setActive', userId, active: false },
  { change: 'endSessionsOf', userId, except: null, because: 'user_disabled', at: noon + 1 },
]

const signingIn = (userId: string, sessionId: string): readonly Change[] => [
  { change: 'recordSignIn', userId, epoch: 0, at: noon + 1 },
  { change: 'openSession', session: newSession(sessionId, userId) },
]

/** As the operation writes it: everything ends, then one session opens. */
const changing = (userId: string, sessionId: string, record = 'new'): readonly Change[] => [
  { change: 'changePassword', userId, epoch: 0, was: 'old', record },
  { change: 'endSessionsOf', userId, except: null, because: 'password_changed', at: noon + 1 },
  { change: 'openSession', session: newSession(sessionId, userId) },
]

const liveOf = async (store: Store, userId: string): Promise<readonly string[]> =>
  (await store.sessionsOf(userId, { now: noon + 1, limit: 99 })).map(({ id }) => id)

raceFor(
  ['recordSignIn'],
  'a user who is being disabled has no session left, whichever comes first',
  async stores =>
    rounds(20, async (round, first) => {
      const id = `u${round}`
      await stores[0].commit([{ change: 'createUser', user: newUser(id), password: null }])
      const outcomes = await meet(stores, 2, i => (i === first ? disabling(id) : signingIn(id, `s${round}`)))
      assert.deepEqual(await liveOf(stores[0], id), [])
      return outcomes
    }),
)

raceFor(['changePassword'], 'of 50 changes of one password one is committed', async stores => {
  await stores[0].commit([{ change: 'createUser', user: newUser('ada'), password: 'old' }])
  const outcomes = await meet(stores, 50, i => changing('ada', `s${i}`, `new ${i}`))
  assert.equal(won(outcomes), 1)
  const winner = outcomes.findIndex(({ committed }) => committed)
  const account = await stores[0].account({ id: 'ada' })
  assert.deepEqual([account?.password, account?.user.epoch], [`new ${winner}`, 1])
  assert.deepEqual(await liveOf(stores[0], 'ada'), [`s${winner}`])
  return outcomes
})

raceFor(
  ['recordSignIn'],
  'no session that the old password opened outlives a password change, whichever comes first',
  async stores =>
    rounds(20, async (round, first) => {
      const id = `u${round}`
      await stores[0].commit([{ change: 'createUser', user: newUser(id), password: 'old' }])
      const outcomes = await meet(stores, 2, i =>
        i === first ? changing(id, `new ${round}`) : signingIn(id, `old ${round}`),
      )
      assert.equal(outcomes[first]?.committed, true, 'the change')
      assert.deepEqual(await liveOf(stores[0], id), [`new ${round}`])
      return outcomes
    }),
)

raceFor(
  ['changePassword'],
  'a password change opens nothing for a user who is being disabled, whichever comes first',
  async stores =>
    rounds(20, async (round, first) => {
      const id = `u${round}`
      await stores[0].commit([{ change: 'createUser', user: newUser(id), password: 'old' }])
      const outcomes = await meet(stores, 2, i => (i === first ? disabling(id) : changing(id, `s${round}`)))
      assert.deepEqual(await liveOf(stores[0], id), [])
      return outcomes
    }),
)

raceFor(
  ['changePassword', 'replacePasswordRecord'],
  'a new password and a stronger record of the old one: one of the two is committed',
  async stores =>
    rounds(20, async (round, first) => {
      const id = `u${round}`
      await stores[0].commit([{ change: 'createUser', user: newUser(id), password: 'old' }])
      const outcomes = await meet(stores, 2, i =>
        i === first
          ? changing(id, `s${round}`)
          : [{ change: 'replacePasswordRecord', userId: id, was: 'old', record: 'stronger' }],
      )
      assert.equal(won(outcomes), 1)
      return outcomes
    }),
)

raceFor(['replacePasswordRecord'], 'of 50 new records for one password one is committed', async stores => {
  await stores[0].commit([{ change: 'createUser', user: newUser('ada'), password: 'old' }])
  const outcomes = await meet(stores, 50, i => [
    { change: 'replacePasswordRecord', userId: 'ada', was: 'old', record: `new ${i}` },
  ])
  assert.equal(won(outcomes), 1)
  const winner = outcomes.findIndex(({ committed }) => committed)
  assert.equal((await stores[0].account({ id: 'ada' }))?.password, `new ${winner}`)
  return outcomes
})

raceFor(['addKey'], 'of many first keys, and of many next keys, one is committed', async stores => {
  const first = await meet(stores, 20, i => [{ change: 'addKey', key: newKey(`a${i}`), after: null }])
  assert.equal(won(first), 1)
  const [newest] = await stores[0].keys()
  const next = await meet(stores, 20, i => [
    {
      change: 'addKey',
      key: newKey(`b${i}`, { createdAt: noon + (i % 3) }),
      after: newest?.id ?? null,
    },
  ])
  assert.equal(won(next), 1)
  assert.equal((await stores[0].keys()).length, 2)
  return [...first, ...next]
})

const retiring = (was: number | null, retiresAt: number): Change => ({
  change: 'retireKeys',
  keys: [{ id: 'k', was }],
  retiresAt,
})

raceFor(['retireKeys'], 'of many ends of one key one is committed', async stores => {
  await stores[0].commit([{ change: 'addKey', key: newKey('k'), after: null }])
  const outcomes = await meet(stores, 20, i => [retiring(null, noon + i)])
  assert.equal(won(outcomes), 1)
  const [key] = await stores[0].keys()
  assert.equal(key?.retiresAt, noon + outcomes.findIndex(({ committed }) => committed))
  return outcomes
})

raceFor(['eraseKeys'], 'a key is erased once', async stores => {
  await stores[0].commit([{ change: 'addKey', key: newKey('k'), after: null }, retiring(null, noon)])
  const outcomes = await meet(stores, 20, () => [{ change: 'eraseKeys', ids: ['k'], retiredBy: noon }])
  assert.equal(won(outcomes), 1)
  assert.deepEqual(await stores[0].keys(), [])
  return outcomes
})

raceFor(['resealKeys'], 'of many who seal the keys anew one has done it', async stores => {
  await stores[0].commit([{ change: 'addKey', key: newKey('k'), after: null }])
  const outcomes = await meet(stores, 20, i => [
    { change: 'resealKeys', keys: [{ id: 'k', was: 'sealed k', sealed: `anew ${i}` }] },
  ])
  assert.equal(won(outcomes), 1)
  const [key] = await stores[0].keys()
  assert.equal(key?.sealed, `anew ${outcomes.findIndex(({ committed }) => committed)}`)
  return outcomes
})

raceFor(
  ['requireSealed', 'addKey'],
  'a key is added before the others are sealed anew, and then seen, or not at all',
  async stores => {
    await stores[0].commit([{ change: 'addKey', key: newKey('k0'), after: null }])
    let newest = 'k0'
    return rounds(20, async (round, first) => {
      const rows = await stores[0].keys()
      const was = rows.find(({ id }) => id === newest)?.sealed ?? ''
      const key = newKey(`k${round + 1}`, { createdAt: noon + round + 1 })
      const adds: readonly Change[] = [
        { change: 'requireSealed', id: newest, sealed: was },
        { change: 'addKey', key, after: newest },
      ]
      const reseals: readonly Change[] = [
        {
          change: 'resealKeys',
          keys: rows.map(({ id, sealed }) => ({ id, was: sealed, sealed: `${id} anew ${round}` })),
        },
      ]
      // Whoever seals anew reads what there is then: no key is added later that is sealed as before.
      let seen: readonly string[] = []
      const outcomes = await Promise.all(
        stores.map(async (store, i) => {
          if (i === first) {
            // The more keys there are, the longer it takes to seal them anew: now and then that begins well before.
            if (first === 1) await sleep(Math.random() * (2 + round))
            return store.commit(adds)
          }
          const resealed = await store.commit(reseals)
          seen = (await store.keys()).map(({ id }) => id)
          return resealed
        }),
      )
      const added = outcomes[first]?.committed === true
      assert.equal(seen.includes(key.id), added)
      if (added) newest = key.id
      return outcomes
    })
  },
)

const requiring = (sessionId: string): Change => ({ change: 'requireLive', userId: 'ada', sessionId })

raceFor(['requireLive'], 'of two sessions that end each other one is left', async stores => {
  await stores[0].commit([{ change: 'createUser', user: newUser('ada'), password: null }])
  return rounds(20, async (round, first) => {
    const ids = [`a${round}`, `b${round}`]
    await stores[0].commit(ids.map(id => ({ change: 'openSession', session: newSession(id, 'ada') })))
    const outcomes = await meet(stores, 2, i => [
      requiring(ids[i === first ? 0 : 1] ?? ''),
      {
        change: 'endSession',
        sessionId: ids[i === first ? 1 : 0] ?? '',
        because: 'ended_by_user',
        at: noon + 1,
      },
    ])
    assert.equal(won(outcomes), 1)
    const left = await liveOf(stores[0], 'ada')
    assert.equal(left.filter(id => ids.includes(id)).length, 1)
    return outcomes
  })
})

raceFor(['requireLive'], 'of many sessions that end all others one is left', async stores => {
  const ids = Array.from({ length: 20 }, (_, i) => `s${i}`)
  await stores[0].commit([
    { change: 'createUser', user: newUser('ada'), password: null },
    ...ids.map((id): Change => ({ change: 'openSession', session: newSession(id, 'ada') })),
  ])
  const outcomes = await meet(stores, 20, i => [
    requiring(ids[i] ?? ''),
    { change: 'endSessionsOf', userId: 'ada', except: ids[i] ?? '', because: 'ended_by_user', at: noon + 1 },
  ])
  assert.equal(won(outcomes), 1)
  assert.deepEqual(await liveOf(stores[0], 'ada'), [ids[outcomes.findIndex(({ committed }) => committed)]])
  return outcomes
})

/** As the operation writes it. */
const exchanging = (sessionId: string, opened: readonly Session[] = []): readonly Change[] => [
  { change: 'recordSignIn', userId: 'ada', epoch: 0, at: noon + 1 },
  ...opened.map(
    (session): Change => ({
      change: 'requireLive',
      userId: 'ada',
      sessionId: session.id,
      was: lineOf(session),
    }),
  ),
  { change: 'openSession', session: newSession(sessionId, 'ada') },
  {
    change: 'addExchange',
    exchange: newExchange(sessionId, { digest: opened[0]?.id ?? 'a digest', number: opened.length + 1 }),
  },
]

raceFor(['addExchange'], 'of 50 first exchanges of one token one is committed', async stores => {
  await stores[0].commit([{ change: 'createUser', user: newUser('ada'), password: null }])
  const outcomes = await meet(stores, 50, i => exchanging(`s${i}`))
  assert.equal(won(outcomes), 1)
  const winner = outcomes.findIndex(({ committed }) => committed)
  assert.deepEqual(await liveOf(stores[0], 'ada'), [`s${winner}`])
  const opened = await stores[0].sessionsOpenedBy('a digest', { limit: 9 })
  assert.deepEqual(
    opened.map(({ id }) => id),
    [`s${winner}`],
  )
  return outcomes
})

raceFor(
  ['requireLive'],
  'a token whose session moves or ends opens no other, if that comes first',
  async stores => {
    await stores[0].commit([{ change: 'createUser', user: newUser('ada'), password: null }])
    return rounds(20, async (round, first) => {
      const session = newSession(`s${round}`, 'ada')
      await stores[0].commit([{ change: 'openSession', session }])
      const use: Change =
        round % 4 < 2
          ? moveOf(session, noon + 1)
          : { change: 'endSession', sessionId: session.id, because: 'signed_out', at: noon + 1 }
      const outcomes = await meet(stores, 2, i => (i === first ? [use] : exchanging(`t${round}`, [session])))
      assert.equal(outcomes[first]?.committed, true, 'what is done in the session is done')
      const opened = (await liveOf(stores[0], 'ada')).includes(`t${round}`)
      assert.equal(opened, outcomes[1 - first]?.committed)
      return outcomes
    })
  },
)

test('every guard that the statements have is raced here, and nothing is raced that is none', () => {
  const write = openWrites(
    new Kysely({
      dialect: {
        createAdapter: () => new SqliteAdapter(),
        createDriver: () => new DummyDriver(),
        createIntrospector: db => new SqliteIntrospector(db),
        createQueryCompiler: () => new SqliteQueryCompiler(),
      },
    }),
  )
  const guards = Object.values(oneOfEach)
    .flatMap(change => write(change, noon))
    .flatMap(({ guard }) => guard ?? [])
  assert.deepEqual([...raced].toSorted(), [...new Set(guards)].toSorted())
})

eachStore(
  'commits that take two rows in opposite orders all succeed',
  async (_, open) => {
    const stores = await openTwo(open)
    await stores[0].commit([
      { change: 'createUser', user: newUser('a'), password: null },
      { change: 'createUser', user: newUser('b'), password: null },
    ])
    const signIn = (userId: string): Change => ({ change: 'recordSignIn', userId, epoch: 0, at: noon })
    for (let round = 0; round < 3; round++) {
      const outcomes = await meet(stores, 2, i =>
        i === 0 ? [signIn('a'), signIn('b')] : [signIn('b'), signIn('a')],
      )
      assert.equal(won(outcomes), 2)
    }
  },
  withDeadlocks,
)

eachStore('servers that migrate at once both find it done', async (_, open) => {
  const stores = await Promise.all(Array.from({ length: 4 }, () => open({ migrated: false })))
  const applied = await Promise.all(stores.map(store => store.migrate()))
  assert.deepEqual(applied.flat(), pendingMigrations([]))
  for (const store of stores) await store.ready()
})

eachStore('a sign-in and the end of all sessions: one is wholly before the other', async (_, open) => {
  const stores = await openTwo(open)
  for (let round = 0; round < 20; round++) {
    const id = `u${round}`
    await stores[0].commit([{ change: 'createUser', user: newUser(id), password: null }])
    const note = (type: 'signed_in' | 'session_ended'): Change => ({
      change: 'record',
      event: newEvent(type, { userId: id }),
    })
    const signsIn = [...signingIn(id, `s${round}`), ...Array.from({ length: 5 }, () => note('signed_in'))]
    const ends: readonly Change[] = [
      { change: 'endSessionsOf', userId: id, except: null, because: 'revoked', at: noon + 1 },
      note('session_ended'),
    ]
    const outcomes = await meet(stores, 2, i => (i === round % 2 ? signsIn : ends))
    assert.equal(won(outcomes), 2)
    const told = (await stores[0].events({ limit: 6 })).map(({ type }) => type).toReversed()
    const place = told.indexOf('session_ended')
    assert.ok(place === 0 || place === 5, told.join())
    assert.deepEqual(await liveOf(stores[0], id), place === 0 ? [`s${round}`] : [])
  }
})

eachStore('a password change and the end of all others never wait for each other', async (_, open) => {
  const stores = await openTwo(open)
  for (let round = 0; round < 60; round++) {
    const id = `u${round}`
    const ids = Array.from({ length: 30 }, (_, i) => `s${round} ${i}`)
    await stores[0].commit([
      { change: 'createUser', user: newUser(id), password: 'old' },
      ...ids.map((each): Change => ({ change: 'openSession', session: newSession(each, id) })),
    ])
    const [own = '', other = ''] = ids.toReversed()
    const [move, ...rest] = changing(id, `new ${round}`)
    assert.ok(move)
    const leave = { change: 'endSession', sessionId: own, because: 'password_changed', at: noon + 1 } as const
    const endAll = {
      change: 'endSessionsOf',
      userId: id,
      except: other,
      because: 'revoked',
      at: noon + 1,
    } as const
    const [_change, ends] = await Promise.all([
      stores[0].commit([move, leave, ...rest]),
      // So that it begins while the other is under way.
      sleep(round % 3).then(() => stores[1].commit([endAll])),
    ])
    assert.ok(ends.committed)
  }
})
