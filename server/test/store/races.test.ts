// One race for each guard: however many meet on one row, exactly as many win as may.
import assert from 'node:assert/strict'
import type { Change } from '../../src/core/change.ts'
import type { Committed, Store } from '../../src/store/port.ts'
import { moveOf, newEvent, newKey, newSession, newUser, noon } from './people.ts'
import { eachStore, type Open } from './stores.ts'

/** Two servers on one database. */
const openTwo = async (open: Open): Promise<readonly [Store, Store]> => [await open(), await open()]

const won = (outcomes: readonly Committed[]): number => outcomes.filter(({ committed }) => committed).length

/** All at once, half on each server. */
const meet = (
  stores: readonly [Store, Store],
  count: number,
  changes: (i: number) => readonly Change[],
): Promise<Committed[]> =>
  Promise.all(Array.from({ length: count }, (_, i) => stores[i % 2 === 0 ? 0 : 1].commit(changes(i))))

eachStore('of 100 sign-ups with one e-mail address one is committed', async (_, open) => {
  const stores = await openTwo(open)
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
})

eachStore('of 100 sign-ups with one username one is committed', async (_, open) => {
  const stores = await openTwo(open)
  const outcomes = await meet(stores, 100, i => [
    { change: 'createUser', user: newUser(`u${i}`, { username: 'One', usernameKey: 'one' }), password: null },
  ])
  assert.equal(won(outcomes), 1)
})

eachStore('of 200 moves of one line one is committed', async (_, open) => {
  const stores = await openTwo(open)
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
})

eachStore('moving and ending a session as reused: one of the two is committed', async (_, open) => {
  const stores = await openTwo(open)
  await stores[0].commit([{ change: 'createUser', user: newUser('ada'), password: null }])
  for (let round = 0; round < 20; round++) {
    const session = newSession(`s${round}`, 'ada')
    await stores[0].commit([{ change: 'openSession', session }])
    const move = moveOf(session, noon + 1)
    const outcomes = await meet(stores, 2, i => [
      i === round % 2
        ? move
        : { change: 'endSession', sessionId: session.id, because: 'reused', at: noon + 1, was: move.was },
    ])
    assert.equal(won(outcomes), 1)
  }
})

eachStore('signing out wins over moving, whichever comes first', async (_, open) => {
  const stores = await openTwo(open)
  await stores[0].commit([{ change: 'createUser', user: newUser('ada'), password: null }])
  for (let round = 0; round < 20; round++) {
    const session = newSession(`s${round}`, 'ada')
    await stores[0].commit([{ change: 'openSession', session }])
    await meet(stores, 2, i => [
      i === round % 2
        ? moveOf(session, noon + 1)
        : { change: 'endSession', sessionId: session.id, because: 'signed_out', at: noon + 1 },
    ])
    assert.equal((await stores[0].holder(session.id))?.session.endedBecause, 'signed_out')
  }
})

eachStore('a user who is being disabled has no session left, whichever comes first', async (_, open) => {
  const stores = await openTwo(open)
  for (let round = 0; round < 20; round++) {
    const id = `u${round}`
    await stores[0].commit([{ change: 'createUser', user: newUser(id), password: null }])
    await meet(stores, 2, i =>
      i === round % 2
        ? [
            { change: 'setActive', userId: id, active: false },
            { change: 'endSessionsOf', userId: id, except: null, because: 'user_disabled', at: noon + 1 },
          ]
        : [
            { change: 'recordSignIn', userId: id, epoch: 0, at: noon + 1 },
            { change: 'openSession', session: newSession(`s${round}`, id) },
          ],
    )
    assert.deepEqual(await stores[0].sessionsOf(id, { now: noon + 1, limit: 9 }), [])
  }
})

eachStore('of 50 new records for one password one is committed', async (_, open) => {
  const stores = await openTwo(open)
  await stores[0].commit([{ change: 'createUser', user: newUser('ada'), password: 'old' }])
  const outcomes = await meet(stores, 50, i => [
    { change: 'replacePasswordRecord', userId: 'ada', was: 'old', record: `new ${i}` },
  ])
  assert.equal(won(outcomes), 1)
  const winner = outcomes.findIndex(({ committed }) => committed)
  assert.equal((await stores[0].account({ id: 'ada' }))?.password, `new ${winner}`)
})

eachStore('of many first keys, and of many next keys, one is committed', async (_, open) => {
  const stores = await openTwo(open)
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
})

eachStore('commits that take two rows in opposite orders all succeed', async (_, open) => {
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
})

eachStore('servers that migrate at once both find it done', async (_, open) => {
  const stores = await Promise.all(Array.from({ length: 4 }, () => open({ migrated: false })))
  const applied = await Promise.all(stores.map(store => store.migrate()))
  assert.equal(applied.flat().length, 1)
  for (const store of stores) await store.ready()
})
