// What every store promises (server/src/store/port.ts), over each of them.
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Change } from '../../src/core/change.ts'
import { Fault } from '../../src/core/fault.ts'
import { lineOf } from '../../src/core/session.ts'
import type { Committed, Store } from '../../src/store/port.ts'
import {
  moveOf,
  newEvent,
  newExchange,
  newKey,
  newLetter,
  newSession,
  newUser,
  nextLine,
  noon,
} from './people.ts'
import { eachStore } from './stores.ts'

const day = 86_400_000

async function write(store: Store, ...changes: Change[]): Promise<Extract<Committed, { committed: true }>> {
  const outcome = await store.commit(changes)
  assert.ok(outcome.committed, 'it commits')
  return outcome
}

const refused = (guard: Change['change']): Committed => ({ committed: false, guard })

eachStore('a user is read back as written, by each of its keys', async (_, open) => {
  const store = await open()
  const user = newUser('ada', {
    email: 'Ada@Example.com',
    username: 'Ada',
    usernameKey: 'ada',
    name: 'Ada Lovelace ☃',
    profile: { age: 36, tags: ['x', null, '\u0000'] },
    superuser: true,
    epoch: 3,
    lastSignInAt: noon + 1,
  })
  const { numbers } = await write(store, { change: 'createUser', user, password: '$argon2id$record' })
  const { emailKey, usernameKey, ...rest } = user
  const want = { user: { ...rest, number: 1 }, password: '$argon2id$record' }
  assert.deepEqual([...numbers], [['ada', 1]])
  assert.deepEqual(await store.account({ id: 'ada' }), want)
  assert.deepEqual(await store.account({ number: 1 }), want)
  assert.deepEqual(await store.account({ emailKey }), want)
  assert.deepEqual(await store.account({ usernameKey: usernameKey ?? '' }), want)
})

eachStore('keys are exact: nothing else finds a user', async (_, open) => {
  const store = await open()
  await write(store, { change: 'createUser', user: newUser('ada'), password: null })
  const strangers = [
    { emailKey: 'ADA@example.com' },
    { emailKey: 'ada@example.com\0' },
    { emailKey: '%' },
    { emailKey: "' or 1=1 --" },
    { emailKey: '\ud800' },
    { usernameKey: '' },
    { usernameKey: 'ada' },
    { id: 'ada\0' },
    { number: 0 },
    { number: 1.5 },
    { number: Number.NaN },
    { number: Number.MAX_SAFE_INTEGER + 1 },
    { number: 2 },
  ]
  for (const key of strangers) assert.equal(await store.account(key), undefined, JSON.stringify(key))
  assert.equal(await store.holder('nobody'), undefined)
})

eachStore('a user without a password has none', async (_, open) => {
  const store = await open()
  await write(store, { change: 'createUser', user: newUser('ada'), password: null })
  assert.equal((await store.account({ id: 'ada' }))?.password, null)
})

eachStore('users are numbered in order and paged by number', async (_, open) => {
  const store = await open()
  for (const id of ['a', 'b', 'c']) {
    await write(store, { change: 'createUser', user: newUser(id), password: null })
  }
  const ids = async (after: number, limit: number) =>
    (await store.users({ after, limit })).map(({ id, number }) => `${number}${id}`)
  assert.deepEqual(await ids(0, 2), ['1a', '2b'])
  assert.deepEqual(await ids(2, 2), ['3c'])
  assert.deepEqual(await ids(3, 2), [])
})

eachStore(
  'an e-mail or a username that is taken is refused, and nothing of the commit stays',
  async (_, open) => {
    const store = await open()
    const ada = newUser('ada', { username: 'Ada', usernameKey: 'ada' })
    await write(store, { change: 'createUser', user: ada, password: null })
    const sameEmail = newUser('b', { emailKey: ada.emailKey })
    const sameName = newUser('c', { username: 'ADA', usernameKey: 'ada' })
    for (const user of [sameEmail, sameName]) {
      const outcome = await store.commit([
        { change: 'record', event: newEvent('signed_up') },
        { change: 'createUser', user, password: 'x' },
      ])
      assert.deepEqual(outcome, refused('createUser'))
    }
    assert.deepEqual(await store.events({ limit: 9 }), [])
    assert.equal((await store.users({ after: 0, limit: 9 })).length, 1)
  },
)

eachStore('two users without a username do not clash', async (_, open) => {
  const store = await open()
  await write(
    store,
    { change: 'createUser', user: newUser('a'), password: null },
    { change: 'createUser', user: newUser('b'), password: null },
  )
})

eachStore('a session is read back as written, with whose it is', async (_, open) => {
  const store = await open()
  const session = newSession('s', 'ada', {
    delivery: 'memory',
    userAgent: 'x'.repeat(256),
    successor: 2 ** 40,
  })
  await write(
    store,
    { change: 'createUser', user: newUser('ada'), password: null },
    { change: 'openSession', session },
  )
  const account = await store.account({ id: 'ada' })
  assert.deepEqual(await store.holder('s'), { session, user: account?.user })
})

eachStore('a sign-in is recorded only for an active user of that epoch', async (_, open) => {
  const store = await open()
  await write(store, { change: 'createUser', user: newUser('ada', { epoch: 1 }), password: null })
  const signIn = (epoch: number): Change => ({ change: 'recordSignIn', userId: 'ada', epoch, at: noon + 5 })
  assert.deepEqual(await store.commit([signIn(0)]), refused('recordSignIn'))
  await write(store, signIn(1))
  assert.equal((await store.account({ id: 'ada' }))?.user.lastSignInAt, noon + 5)
  await write(store, { change: 'setActive', userId: 'ada', active: false })
  const user = (await store.account({ id: 'ada' }))?.user
  assert.deepEqual([user?.active, user?.epoch], [false, 2])
  assert.deepEqual(await store.commit([signIn(2)]), refused('recordSignIn'))
})

eachStore('a password record is replaced only while it is as it was', async (_, open) => {
  const store = await open()
  await write(store, { change: 'createUser', user: newUser('ada'), password: 'one' })
  const replace = (was: string, record: string): Change => ({
    change: 'replacePasswordRecord',
    userId: 'ada',
    was,
    record,
  })
  await write(store, replace('one', 'two'))
  assert.deepEqual(await store.commit([replace('one', 'three')]), refused('replacePasswordRecord'))
  assert.equal((await store.account({ id: 'ada' }))?.password, 'two')
})

eachStore(
  'a password changes only for an active user of that epoch whose record is as it was',
  async (_, open) => {
    const store = await open()
    await write(store, { change: 'createUser', user: newUser('ada', { epoch: 1 }), password: 'one' })
    const change = (more: object = {}): Change => ({
      change: 'changePassword',
      userId: 'ada',
      epoch: 1,
      was: 'one',
      record: 'two',
      ...more,
    })
    const strangers = [{ userId: 'bob' }, { epoch: 0 }, { epoch: 2 }, { was: 'other' }]
    for (const more of strangers) {
      const noted: Change = { change: 'record', event: newEvent('password_changed') }
      assert.deepEqual(
        await store.commit([noted, change(more)]),
        refused('changePassword'),
        JSON.stringify(more),
      )
    }
    const state = async () => {
      const account = await store.account({ id: 'ada' })
      return [account?.password, account?.user.epoch]
    }
    assert.deepEqual(await state(), ['one', 1])
    await write(store, change())
    assert.deepEqual(await state(), ['two', 2])
    await write(store, { change: 'setActive', userId: 'ada', active: false })
    const whileDisabled = change({ epoch: 3, was: 'two', record: 'three' })
    assert.deepEqual(await store.commit([whileDisabled]), refused('changePassword'))
    assert.deepEqual([await state(), await store.events({ limit: 9 })], [['two', 3], []])
  },
)

eachStore('a user without a password record has none to change', async (_, open) => {
  const store = await open()
  await write(store, { change: 'createUser', user: newUser('ada'), password: null })
  const change: Change = { change: 'changePassword', userId: 'ada', epoch: 0, was: '', record: 'two' }
  assert.deepEqual(await store.commit([change]), refused('changePassword'))
  assert.equal((await store.account({ id: 'ada' }))?.user.epoch, 0)
})

async function withSession(store: Store) {
  const session = newSession('s', 'ada')
  await write(
    store,
    { change: 'createUser', user: newUser('ada'), password: null },
    { change: 'openSession', session },
  )
  return session
}

eachStore('a session moves only from the line it has', async (_, open) => {
  const store = await open()
  const session = await withSession(store)
  const move = moveOf(session, noon + 5)
  const columns = ['previous', 'current', 'successor', 'changedAt'] as const
  for (const column of columns) {
    const was = { ...move.was, [column]: move.was[column] + 1 }
    assert.deepEqual(await store.commit([{ ...move, was }]), refused('moveSession'), column)
  }
  assert.deepEqual((await store.holder('s'))?.session, session)
  await write(store, move)
  assert.deepEqual((await store.holder('s'))?.session, {
    ...session,
    ...nextLine(session, noon + 5),
    idleEndsAt: noon + 5 + 14 * day,
    lastUsedAt: noon + 5,
    userAgent: 'Firefox 2',
    address: '192.0.2.2',
  })
})

eachStore('a session that has ended neither moves nor ends again', async (_, open) => {
  const store = await open()
  const session = await withSession(store)
  const end = { change: 'endSession', sessionId: 's', because: 'signed_out', at: noon + 1 } as const
  await write(store, end)
  assert.deepEqual(await store.commit([{ ...end, because: 'revoked', at: noon + 2 }]), refused('endSession'))
  assert.deepEqual(await store.commit([moveOf(session, noon + 5)]), refused('moveSession'))
  const reused = { ...end, because: 'reused', at: noon + 3, was: lineOf(session) } as const
  assert.deepEqual(await store.commit([reused]), refused('endSession'))
  const ended = (await store.holder('s'))?.session
  assert.deepEqual([ended?.endedAt, ended?.endedBecause], [noon + 1, 'signed_out'])
})

eachStore('a session ends as reused only while its line is as it was', async (_, open) => {
  const store = await open()
  const session = await withSession(store)
  await write(store, moveOf(session, noon + 5))
  const end = { change: 'endSession', sessionId: 's', because: 'reused', at: noon + 6 } as const
  assert.deepEqual(await store.commit([{ ...end, was: lineOf(session) }]), refused('endSession'))
  await write(store, { ...end, was: nextLine(session, noon + 5) })
  assert.equal((await store.holder('s'))?.session.endedBecause, 'reused')
})

eachStore('a session that is not there does not end', async (_, open) => {
  const store = await open()
  const end = { change: 'endSession', sessionId: 'none', because: 'revoked', at: noon } as const
  assert.deepEqual(await store.commit([end]), refused('endSession'))
})

eachStore('a session that is required as it was must be just that', async (_, open) => {
  const store = await open()
  const session = await withSession(store)
  const require: Change = { change: 'requireLive', userId: 'ada', sessionId: 's' }
  const asItWas: Change = { ...require, was: lineOf(session) }
  await write(store, require, asItWas)
  assert.deepEqual((await store.holder('s'))?.session, session, 'nothing is changed by it')
  await write(store, moveOf(session, noon + 5))
  await write(store, require)
  assert.deepEqual(await store.commit([asItWas]), refused('requireLive'))
  const now: Change = { ...require, was: nextLine(session, noon + 5) }
  await write(store, now)
  await write(store, { change: 'endSession', sessionId: 's', because: 'signed_out', at: noon + 6 })
  assert.deepEqual(await store.commit([require]), refused('requireLive'))
  assert.deepEqual(await store.commit([now]), refused('requireLive'))
})

eachStore('a token’s sessions are read in the order in which it opened them', async (_, open) => {
  const store = await open()
  const sessions = ['z', 'a', 'm'].map((id, i) => newSession(id, 'ada', { openedAt: noon - i }))
  await write(
    store,
    { change: 'createUser', user: newUser('ada'), password: null },
    ...sessions.map((session): Change => ({ change: 'openSession', session })),
    { change: 'openSession', session: newSession('other', 'ada') },
  )
  const add = (exchange: ReturnType<typeof newExchange>): Change => ({ change: 'addExchange', exchange })
  const openedBy = async (digest: string, limit = 9) =>
    (await store.sessionsOpenedBy(digest, { limit })).map(({ id }) => id)
  for (const [i, { id }] of sessions.entries()) await write(store, add(newExchange(id, { number: i + 1 })))
  await write(store, add(newExchange('other', { digest: 'another' })))
  assert.deepEqual(await store.sessionsOpenedBy('a digest', { limit: 9 }), sessions)
  assert.deepEqual(await openedBy('a digest', 2), ['z', 'a'])
  assert.deepEqual(await openedBy('another'), ['other'])
  for (const digest of ['none', 'a digest\0', 'A DIGEST', '%']) assert.deepEqual(await openedBy(digest), [])
})

eachStore('a token opens one session of each number, and none that there is not', async (_, open) => {
  const store = await open()
  await withSession(store)
  const second: Change = { change: 'openSession', session: newSession('t', 'ada') }
  await write(store, { change: 'addExchange', exchange: newExchange('s') })
  const again: Change = { change: 'addExchange', exchange: newExchange('t') }
  assert.deepEqual(await store.commit([second, again]), refused('addExchange'))
  assert.equal(await store.holder('t'), undefined, 'nothing of it is written')
  await write(store, second, { change: 'addExchange', exchange: newExchange('t', { number: 2 }) })
  const orphan: Change = { change: 'addExchange', exchange: newExchange('none', { digest: 'another' }) }
  await assert.rejects(store.commit([orphan]), Fault)
})

eachStore(
  'tokens that are over are forgotten, twenty with each that comes, and no others',
  async (_, open) => {
    let now = noon
    const store = await open({ clock: () => now })
    await write(store, { change: 'createUser', user: newUser('ada'), password: null })
    const exchange = (id: string, expiresAt: number) =>
      write(
        store,
        { change: 'openSession', session: newSession(id, 'ada') },
        { change: 'addExchange', exchange: newExchange(id, { digest: id, expiresAt }) },
      )
    const ids = Array.from({ length: 30 }, (_, i) => `old ${i}`)
    for (const [i, id] of ids.entries()) await exchange(id, noon + 1 + i)
    await exchange('lasts', noon + 101)
    const left = async () => {
      const found = await Promise.all(ids.map(digest => store.sessionsOpenedBy(digest, { limit: 1 })))
      return found.filter(({ length }) => length > 0).length
    }
    assert.equal(await left(), 30)
    now = noon + 100
    await exchange('new', noon + 1000)
    assert.equal(await left(), 10)
    await exchange('newer', noon + 1000)
    assert.equal(await left(), 0)
    for (const digest of ['lasts', 'new', 'newer']) {
      assert.equal((await store.sessionsOpenedBy(digest, { limit: 1 })).length, 1, digest)
    }
    assert.ok(await store.holder('old 0'), 'the sessions stay')
    now = noon + 101
    await exchange('newest', noon + 1000)
    assert.deepEqual(await store.sessionsOpenedBy('lasts', { limit: 1 }), [], 'at its end it is over')
  },
)

eachStore('all sessions of a user end but one, and nobody else’s', async (_, open) => {
  const store = await open()
  await write(
    store,
    { change: 'createUser', user: newUser('ada'), password: null },
    { change: 'createUser', user: newUser('bob'), password: null },
    ...['a1', 'a2', 'a3'].map(id => ({ change: 'openSession', session: newSession(id, 'ada') }) as const),
    { change: 'openSession', session: newSession('b1', 'bob') },
    { change: 'endSession', sessionId: 'a3', because: 'signed_out', at: noon + 1 },
  )
  const endAll = { change: 'endSessionsOf', userId: 'ada', because: 'revoked', at: noon + 2 } as const
  const live = async (userId: string) =>
    (await store.sessionsOf(userId, { now: noon + 3, limit: 9 })).map(({ id }) => id)
  await write(store, { ...endAll, except: 'a2' })
  assert.deepEqual([await live('ada'), await live('bob')], [['a2'], ['b1']])
  await write(store, { ...endAll, except: null })
  assert.deepEqual([await live('ada'), await live('bob')], [[], ['b1']])
  assert.equal((await store.holder('a3'))?.session.endedBecause, 'signed_out')
})

eachStore(
  'sessions of everybody that were opened before a moment are counted and end, and no others',
  async (_, open) => {
    const store = await open()
    const session = (id: string, userId: string, openedAt: number, more = {}) =>
      ({ change: 'openSession', session: newSession(id, userId, { openedAt, ...more }) }) as const
    await write(
      store,
      { change: 'createUser', user: newUser('ada'), password: null },
      { change: 'createUser', user: newUser('bob'), password: null },
      session('a1', 'ada', noon - 1),
      session('a2', 'ada', noon),
      session('b1', 'bob', noon - day),
      session('signed out', 'bob', noon - 9, { endedAt: noon - 8, endedBecause: 'signed_out' }),
      session('idle', 'bob', noon - 9, { idleEndsAt: noon }),
      session('too old', 'bob', noon - 9, { endsAt: noon }),
    )
    const when = { now: noon, openedBefore: noon }
    assert.equal(await store.sessionsOpenedBefore(when), 2)
    const end = { change: 'endSessionsOpenedBefore', because: 'revoked', at: noon + 1 } as const
    await write(store, { ...end, openedBefore: noon })
    assert.equal(await store.sessionsOpenedBefore(when), 0)
    const ids = ['a1', 'a2', 'b1', 'signed out', 'idle']
    const ends = await Promise.all(ids.map(async id => (await store.holder(id))?.session.endedBecause))
    assert.deepEqual(ends, ['revoked', null, 'revoked', 'signed_out', 'revoked'])
    await write(store, { ...end, openedBefore: noon + 1 })
    assert.equal((await store.holder('a2'))?.session.endedAt, noon + 1)
  },
)

eachStore('what has ended since is told with its moment, the newest end first', async (_, open) => {
  const store = await open()
  await write(
    store,
    { change: 'createUser', user: newUser('ada'), password: null },
    ...['a', 'b', 'c', 'd', 'live'].map(
      id => ({ change: 'openSession', session: newSession(id, 'ada') }) as const,
    ),
    ...[
      ['a', 1],
      ['b', 3],
      ['c', 2],
      ['d', 3],
    ].map(
      ([id, at]) =>
        ({
          change: 'endSession',
          sessionId: String(id),
          because: 'revoked',
          at: noon + Number(at),
        }) as const,
    ),
  )
  const since = async (after: number, limit = 9) =>
    (await store.endedSince({ after, limit })).map(({ id, endedAt }) => `${id} ${endedAt - noon}`)
  assert.deepEqual(await since(0), ['d 3', 'b 3', 'c 2', 'a 1'])
  assert.deepEqual(await since(0, 3), ['d 3', 'b 3', 'c 2'])
  assert.deepEqual(await since(noon + 1), ['d 3', 'b 3', 'c 2'])
  assert.deepEqual(await since(noon + 3), [])
  assert.deepEqual(await since(Number.MAX_SAFE_INTEGER), [])
})

eachStore('letters wait in the outbox as they were written, the newest first', async (_, open) => {
  const store = await open()
  const first = newLetter('ada', { userAgent: 'x'.repeat(256), to: 'Ada Åda@example.com' })
  const second = newLetter('ada', { kind: 'password_changed', at: noon + 1, address: '', userAgent: '' })
  await write(
    store,
    { change: 'createUser', user: newUser('ada'), password: null },
    { change: 'queueLetter', letter: first },
    { change: 'queueLetter', letter: second },
  )
  assert.deepEqual(await store.letters({ limit: 9 }), [second, first])
  assert.deepEqual(await store.letters({ limit: 1 }), [second])
  const undone = await store.commit([
    { change: 'queueLetter', letter: first },
    { change: 'recordSignIn', userId: 'ada', epoch: 7, at: noon },
  ])
  assert.deepEqual(undone, refused('recordSignIn'))
  assert.equal((await store.letters({ limit: 9 })).length, 2, 'none tells of what was not done')
  await assert.rejects(store.commit([{ change: 'queueLetter', letter: newLetter('nobody') }]), Fault)
})

eachStore('only live sessions are listed, in the order asked for', async (_, open) => {
  const store = await open()
  const session = (id: string, opened: number, used: number, more = {}) =>
    ({
      change: 'openSession',
      session: newSession(id, 'ada', { openedAt: noon + opened, lastUsedAt: noon + used, ...more }),
    }) as const
  await write(
    store,
    { change: 'createUser', user: newUser('ada'), password: null },
    session('old, just used', 1, 9),
    session('new, not used', 3, 3),
    session('middle', 2, 5),
    session('absolute end', 4, 4, { endsAt: noon + 10 }),
    session('idle end', 5, 5, { idleEndsAt: noon + 10 }),
    session('ended', 6, 6, { endedAt: noon + 7, endedBecause: 'revoked' }),
  )
  const now = noon + 10
  assert.deepEqual(
    (await store.sessionsOf('ada', { now, limit: 9 })).map(({ id }) => id),
    ['old, just used', 'middle', 'new, not used'],
  )
  const page = await store.sessions({ now, limit: 2 })
  assert.deepEqual(
    page.map(({ session, user }) => [session.id, user.id]),
    [
      ['new, not used', 'ada'],
      ['middle', 'ada'],
    ],
  )
})

eachStore('events are read back, the newest first', async (_, open) => {
  const store = await open()
  const first = newEvent('signed_up', { userId: 'ada', sessionId: 's', detail: { a: 1, b: 'x', c: true } })
  const second = newEvent('signed_out')
  await write(store, { change: 'record', event: first }, { change: 'record', event: second })
  assert.deepEqual(await store.events({ limit: 9 }), [second, first])
  assert.deepEqual(await store.events({ limit: 1 }), [second])
})

eachStore('a key is added only after the newest of its use', async (_, open) => {
  const store = await open()
  const add = (key: ReturnType<typeof newKey>, after: string | null): Change => ({
    change: 'addKey',
    key,
    after,
  })
  const k1 = newKey('k1')
  const k2 = newKey('k0 but newer', { createdAt: noon + 1 })
  const mac = newKey('m', { use: 'mac', algorithm: 'HS256', published: null })
  assert.deepEqual(await store.commit([add(k1, 'none')]), refused('addKey'))
  await write(store, add(k1, null))
  await write(store, add(mac, null))
  assert.deepEqual(await store.commit([add(k2, null)]), refused('addKey'))
  await write(store, add(k2, 'k1'))
  assert.deepEqual(await store.commit([add(newKey('k3'), 'k1')]), refused('addKey'))
  assert.deepEqual(await store.keys(), [k1, mac, k2])
})

eachStore('keys retire and are erased', async (_, open) => {
  const store = await open()
  await write(store, { change: 'addKey', key: newKey('k1'), after: null })
  await write(store, { change: 'addKey', key: newKey('k2', { createdAt: noon + 1 }), after: 'k1' })
  const ends = async () => (await store.keys()).map(({ id, retiresAt }) => [id, retiresAt])
  const retire = (was: number | null, retiresAt: number): Change => ({
    change: 'retireKeys',
    keys: [{ id: 'k1', was }],
    retiresAt,
  })
  const erase = (retiredBy: number, ...ids: string[]): Change => ({ change: 'eraseKeys', ids, retiredBy })
  await write(store, retire(null, noon + 9))
  const both = [
    ['k1', noon + 9],
    ['k2', null],
  ]
  assert.deepEqual(await ends(), both)
  // [what is asked, and has been overtaken]
  const late: [string, Change][] = [
    ['an end where there was none', retire(null, noon + 7)],
    ['an end in the place of another', retire(noon + 8, noon + 7)],
    ['to erase what has not ended', erase(noon + 8, 'k1')],
    ['to erase what is in use', erase(noon + 99, 'k2')],
    ['to erase what is not there', erase(noon + 99, 'k3')],
    ['to erase two of which one is in use', erase(noon + 99, 'k1', 'k2')],
  ]
  for (const [sentence, change] of late) {
    assert.deepEqual(await store.commit([change]), refused(change.change), sentence)
    assert.deepEqual(await ends(), both, sentence)
  }
  await write(store, retire(noon + 9, noon + 5))
  assert.deepEqual((await ends())[0], ['k1', noon + 5])
  await write(store, erase(noon + 5, 'k1'))
  assert.deepEqual(await ends(), [['k2', null]])
  assert.deepEqual(await store.commit([erase(noon + 5, 'k1')]), refused('eraseKeys'))
})

eachStore('keys are sealed anew only as they were read', async (_, open) => {
  const store = await open()
  await write(store, { change: 'addKey', key: newKey('k1'), after: null })
  await write(store, { change: 'addKey', key: newKey('k2', { createdAt: noon + 1 }), after: 'k1' })
  const seals = async () => (await store.keys()).map(({ sealed }) => sealed)
  const reseal = (...was: readonly string[]): Change => ({
    change: 'resealKeys',
    keys: was.map((each, i) => ({ id: `k${i + 1}`, was: each, sealed: `anew ${i + 1}` })),
  })
  const require = (sealed: string): Change => ({ change: 'requireSealed', id: 'k1', sealed })
  assert.deepEqual(await store.commit([reseal('sealed k1', 'sealed otherwise')]), refused('resealKeys'))
  assert.deepEqual(await seals(), ['sealed k1', 'sealed k2'], 'all or nothing')
  await write(store, require('sealed k1'), reseal('sealed k1', 'sealed k2'))
  assert.deepEqual(await seals(), ['anew 1', 'anew 2'])
  assert.deepEqual(await store.commit([require('sealed k1')]), refused('requireSealed'))
  await write(store, require('anew 1'))
  assert.deepEqual(await seals(), ['anew 1', 'anew 2'])
})

eachStore('a commit of nothing commits', async (_, open) => {
  const store = await open()
  assert.deepEqual(await store.commit([]), { committed: true, numbers: new Map() })
})

eachStore('a commit that breaks a rule of the tables is a fault and leaves nothing', async (_, open) => {
  const store = await open()
  const orphan = [
    { change: 'record', event: newEvent('signed_in') },
    { change: 'openSession', session: newSession('s', 'nobody') },
  ] as const
  await assert.rejects(store.commit(orphan), Fault)
  assert.deepEqual(await store.events({ limit: 9 }), [])
  await write(store, { change: 'record', event: newEvent('signed_in') })
})

eachStore('another server’s commits are told within a second', async (_, open) => {
  const [here, there] = [await open(), await open()]
  let told = 0
  const stop = here.watch(() => {
    told += 1
  })
  await write(there, { change: 'record', event: newEvent('signed_in') })
  // The promise is one of a machine that is not busy.
  const deadline = performance.now() + 3000
  while (told === 0) {
    assert.ok(performance.now() < deadline, 'it is not told')
    await sleep(20)
  }
  stop()
  const before = told
  await write(there, { change: 'record', event: newEvent('signed_in') })
  await sleep(700)
  assert.equal(told, before, 'not after the stop')
})

eachStore('the clock is near this machine’s, or is the one given', async (_, open) => {
  const store = await open()
  assert.ok(Math.abs(store.now() - Date.now()) < 1000)
  assert.ok(Number.isInteger(store.now()))
  assert.equal((await open({ clock: () => noon })).now(), noon)
})

eachStore('before migrating all is pending and the store is not ready', async (_, open) => {
  const store = await open({ migrated: false })
  const pending = await store.pending()
  assert.ok(pending.length > 0)
  await assert.rejects(store.ready(), /run rusk migrate/u)
  await assert.rejects(store.account({ id: 'ada' }), Fault)
  assert.deepEqual(await store.migrate(), pending)
  await store.ready()
  assert.deepEqual(await store.pending(), [])
  assert.deepEqual(await store.migrate(), [])
  assert.equal(await store.account({ id: 'ada' }), undefined)
})

eachStore('what was committed is there when the store is opened again', async (_, open) => {
  const store = await open()
  await write(store, { change: 'createUser', user: newUser('ada'), password: 'x' })
  await store.close()
  await store.close()
  await assert.rejects(store.commit([{ change: 'record', event: newEvent('signed_in') }]), Fault)
  await assert.rejects(store.account({ id: 'ada' }), Fault)
  assert.equal((await (await open()).account({ id: 'ada' }))?.password, 'x')
})
