// Who is signed in, as the client tells it: what settles it, what puts it in doubt, what other tabs and late answers do to it.
// In Node, against a real app with Rusk in it; two clients on one jar are two tabs.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { ada, bob } from '../test/app.ts'
import { codeOf, openRoom, type Room } from '../test/room.ts'
import type { Client, State } from './contract.ts'

/** The next state that is so. */
const becomes = (client: Client<unknown>, status: State['status']): Promise<State<unknown>> =>
  new Promise(resolve => {
    const off = client.subscribe(async state => {
      if (state.status !== status) return
      resolve(state)
      // It may be so at once.
      await null
      off()
    })
  })

const emailIn = ({ state }: Client<unknown>): unknown =>
  state.status === 'signed-in' ? Object(state.user).email : state.status

const signInAs = (client: Client<unknown>, who: typeof ada) =>
  client.signIn({ login: who.email, password: who.password })

/** Ada is signed in in two tabs; Bob has an account. */
async function openTabs(t: TestContext): Promise<Room & { readonly other: Client<unknown> }> {
  const room = await openRoom(t)
  await room.client.signUp(bob)
  await signInAs(room.client, ada)
  const other = room.tab()
  await becomes(other, 'signed-in')
  room.browsing.forget()
  return { ...room, other }
}

/** A script of the page tells the tabs. */
function say(t: TestContext, url: string, ...said: readonly unknown[]): void {
  const channel = new BroadcastChannel(`rusk ${url}/`)
  t.after(() => channel.close())
  for (const each of said) channel.postMessage(each)
}

/** Some tests take it away. */
const Channel = BroadcastChannel

/** What is on its way between tabs has arrived. */
async function heard(): Promise<void> {
  const [from, to] = [new Channel('heard'), new Channel('heard')]
  // What was said before is delivered before.
  await new Promise(resolve => {
    to.onmessage = resolve
    from.postMessage('')
  })
  from.close()
  to.close()
  await new Promise(resolve => setTimeout(resolve, 50))
}

test('a visitor whom nobody knows is signed out', async t => {
  const { browsing, client } = await openRoom(t, { empty: true })
  assert.deepEqual(client.state, { status: 'unknown' })
  assert.equal(await client.session(), null)
  assert.deepEqual(client.state, { status: 'signed-out', reason: 'nobody' })
  assert.deepEqual(browsing.calls(), ['GET /auth/session 401', 'POST /auth/refresh 401'])
})

test('the first subscriber makes the client ask, once; each is told the state at once, and then what changes', async t => {
  const { browsing, tab } = await openRoom(t)
  const client = tab()
  const seen: State<unknown>[] = []
  client.subscribe(() => {})()
  client.subscribe(state => seen.push(state))
  assert.deepEqual(seen, [{ status: 'unknown' }], 'before subscribe returns')
  await becomes(client, 'signed-in')
  const before = client.state
  await client.session()
  assert.equal(client.state, before, 'the same object')
  assert.deepEqual(seen, [{ status: 'unknown' }, before])
  const late: unknown[] = []
  client.subscribe(state => late.push(state))
  assert.equal(late[0], before)
  assert.equal(late.length, 1)
  assert.equal(seen.length, 2, 'nobody else is told again')
  assert.deepEqual(browsing.calls(), ['GET /auth/session 200', 'GET /auth/session 200'])
})

test('a subscriber that changes the state itself leaves the others with the last one', async t => {
  const { client } = await openRoom(t, { empty: true })
  const seen: string[] = []
  let leave = true
  client.subscribe(({ status }) => {
    if (status === 'signed-in' && leave) {
      leave = false
      void client.signOut()
    }
  })
  client.subscribe(({ status }) => seen.push(status))
  await client.signUp(ada)
  await becomes(client, 'signed-out')
  assert.equal(seen.at(-1), 'signed-out')
})

test('signed in, seen, signed out; and the second sign-out is fine', async t => {
  const { client, browsing, notes } = await openRoom(t, { empty: true })
  const user = await client.signUp(ada)
  assert.equal(Object(user).email, ada.email)
  assert.deepEqual(client.state, { status: 'signed-in', user })
  assert.equal(await notes(), 200)
  await client.signOut()
  assert.deepEqual(client.state, { status: 'signed-out', reason: 'signed-out' })
  assert.equal(await notes(), 401)
  assert.equal(await client.session(), null)
  await client.signOut()
  assert.deepEqual(await signInAs(client, ada), user)
  assert.deepEqual(
    browsing.calls().filter(call => call.startsWith('GET /auth/session')),
    [],
    'its answers say who it is',
  )
})

/** What nobody has caught, until the end of the test: the runner does not hear of it meanwhile. */
function uncaught(t: TestContext): readonly unknown[] {
  const errors: unknown[] = []
  const runners = process.listeners('unhandledRejection')
  process.removeAllListeners('unhandledRejection')
  process.on('unhandledRejection', error => errors.push(error))
  t.after(() => {
    process.removeAllListeners('unhandledRejection')
    for (const runner of runners) process.on('unhandledRejection', runner)
  })
  return errors
}

test('a subscriber that throws keeps nothing from the others, nor from whoever signs in or out, nor from other tabs', async t => {
  const { client, tab } = await openRoom(t)
  const other = tab()
  await becomes(other, 'signed-in')
  const errors = uncaught(t)
  const bug = new Error('of the app')
  const told: string[] = []
  client.subscribe(() => {
    throw bug
  })
  client.subscribe(({ status }) => told.push(status))
  const out = becomes(other, 'signed-out')
  await client.signOut()
  await out
  const back = becomes(other, 'signed-in')
  assert.equal(Object(await signInAs(client, ada)).email, ada.email)
  await back
  assert.deepEqual(told, ['signed-in', 'signed-out', 'signed-in'])
  assert.deepEqual(errors, [bug, bug, bug])
})

test('nobody is told to be signed out when the server did not do it', async t => {
  const { app, client } = await openRoom(t)
  const before = client.state
  for (const answer of ['breaks', 503, 500] as const) {
    app.answer('POST /auth/sign-out', answer)
    assert.match(String(await codeOf(client.signOut())), /offline|unavailable/)
    assert.equal(client.state, before)
  }
})

test('a changed password opens a new session here; a wrong one changes nothing', async t => {
  const { client, notes } = await openRoom(t)
  const before = client.state
  const change = (current: string) => client.changePassword({ current, new: 'thirteen white storks' })
  assert.equal(await codeOf(change('not hers')), 'password_wrong')
  assert.equal(client.state, before)
  await change(ada.password)
  assert.equal(emailIn(client), ada.email)
  assert.equal(await notes(), 200)
})

test('a refresh that is answered after a sign-out changes nothing', async t => {
  const { proxy, client, expire, notes } = await openRoom(t, { client: { delivery: 'memory' } })
  expire()
  const held = proxy.hold('POST /auth/refresh')
  const renewed = client.recover((await client.prepare(proxy.url, 'GET'))?.mark ?? { era: 0, renewals: 0 })
  await held.answered
  await client.signOut()
  held.release()
  assert.equal(await renewed, false)
  assert.deepEqual(client.state, { status: 'signed-out', reason: 'signed-out' })
  assert.equal((await client.prepare(proxy.url, 'GET'))?.headers.authorization, undefined)
  assert.equal(await notes(), 401)
})

test('a refresh that is under way during a sign-in neither stops it nor undoes it', async t => {
  const { proxy, client, expire, notes } = await openRoom(t)
  expire()
  const held = proxy.hold('POST /auth/refresh')
  const call = notes()
  await held.answered
  await signInAs(client, ada)
  held.release()
  assert.equal(await call, 401, 'it was somebody’s who was there before')
  assert.equal(emailIn(client), ada.email)
  assert.equal(await notes(), 200)
})

test('an answer about who was there before is asked for again', async t => {
  const { proxy, client, other } = await openTabs(t)
  const held = proxy.hold('GET /auth/session')
  const asked = other.session()
  await held.answered
  await client.signOut()
  await signInAs(client, bob)
  await heard()
  held.release()
  assert.equal(Object(await asked).email, bob.email)
  assert.equal(emailIn(other), bob.email)
})

test('sign-in and sign-out in one tab are seen in the other', async t => {
  const { client, other } = await openTabs(t)
  const out = becomes(other, 'signed-out')
  await client.signOut()
  assert.deepEqual(await out, { status: 'signed-out', reason: 'signed-out' })
  await heard()
  const back = becomes(other, 'signed-in')
  await signInAs(client, bob)
  await back
  assert.equal(emailIn(other), bob.email)
})

/** As in a browser that has none. */
function withoutChannels(t: TestContext): void {
  const { BroadcastChannel } = globalThis
  Object.assign(globalThis, { BroadcastChannel: undefined })
  t.after(() => Object.assign(globalThis, { BroadcastChannel }))
}

test('a tab that hears nothing asks when somebody comes back to it', async t => {
  withoutChannels(t)
  const { browsing, client, other } = await openTabs(t)
  await client.signOut()
  await heard()
  assert.equal(emailIn(other), ada.email)
  browsing.fire('visibilitychange')
  await becomes(other, 'signed-out')
  await signInAs(client, bob)
  browsing.fire('visibilitychange')
  await becomes(other, 'signed-in')
  assert.equal(emailIn(other), bob.email)
})

// [sentence, whether tabs can tell each other, how the other tab learns of it, what becomes of its call]
const switches: [string, boolean, (room: Room) => unknown, string][] = [
  ['it was told so', true, heard, 'signed_in_anew'],
  ['somebody comes back to it', false, ({ browsing }) => browsing.fire('visibilitychange'), 'signed_in_anew'],
  ['its call is refused', false, ({ expire }) => expire(), '401'],
]

for (const [sentence, tells, learn, want] of switches) {
  test(`another user signs in in another tab and no call of the former is made as theirs: ${sentence}`, async t => {
    if (!tells) withoutChannels(t)
    const room = await openTabs(t)
    const { app, proxy, client, other } = room
    await signInAs(client, bob)
    const held = proxy.hold('GET /auth/session')
    await learn(room)
    const call = other.fetch(`${proxy.url}/api/notes`, { method: 'POST', body: 'by Ada' })
    const came = codeOf(
      call.then(({ status }) => Promise.reject(Object.assign(new Error(), { code: `${status}` }))),
    )
    await held.answered
    held.release()
    assert.equal(await came, want)
    assert.deepEqual(
      app.seen.map(({ email }) => email),
      want === '401' ? [null] : [],
    )
    await becomes(other, 'signed-in')
    assert.equal(emailIn(other), bob.email)
  })
}

test('while nobody can say whether it is still the same person, a call is not made', async t => {
  const { app, client, other, proxy } = await openTabs(t)
  app.answer('GET /auth/session', 503)
  await signInAs(client, bob)
  await heard()
  assert.equal(other.state.status, 'unknown')
  assert.equal(await codeOf(other.fetch(`${proxy.url}/api/notes`)), 'unavailable')
  assert.equal(app.seen.length, 0)
})

const nonsense: [string, unknown][] = [
  ['nothing', undefined],
  ['null', null],
  ['a text', 'signed-out'],
  ['a number', 7],
  ['a list', [{ signedIn: false }]],
  ['another type', { signedIn: 'no', until: '0' }],
  ['another name', { type: 'signed-out', status: 'signed-out' }],
]

for (const [what, said] of nonsense) {
  test(`what another script says to the tabs is ignored when it is ${what}`, async t => {
    const { proxy, browsing, client } = await openRoom(t)
    const before = client.state
    say(t, proxy.url, said)
    await heard()
    assert.equal(client.state, before)
    assert.deepEqual(browsing.calls(), [])
  })
}

// [what is said, the line that is asked]
const forged: [object, string][] = [
  [{ signedIn: false }, 'POST /auth/refresh'],
  [{ signedIn: true }, 'GET /auth/session'],
]

for (const [said, line] of forged) {
  test(`a forged ${JSON.stringify(said)} only makes the client ask: the server’s word counts`, async t => {
    const { proxy, browsing, client, notes } = await openRoom(t)
    client.subscribe(() => {})
    say(t, proxy.url, said)
    await heard()
    await becomes(client, 'signed-in')
    assert.equal(emailIn(client), ada.email)
    assert.ok(browsing.calls().includes(`${line} 200`))
    assert.equal(await notes(), 200)
  })
}

// [sentence, what reaches a page of Ada's that was left behind, its state then, what becomes of its call, who is there then]
const stirs: [string, (room: Room, t: TestContext) => unknown, State['status'], unknown, string?][] = [
  ['a sign-out in another tab', ({ client }) => client.signOut(), 'unknown', 401],
  ['a sign-in in another tab', ({ client }) => signInAs(client, bob), 'unknown', 'signed_in_anew', bob.email],
  ['a forged sign-out', ({ proxy }, t) => say(t, proxy.url, { signedIn: false }), 'unknown', 200, ada.email],
  [
    'a renewal of other hands',
    ({ proxy }, t) => say(t, proxy.url, { until: 1, who: '?' }),
    'unknown',
    200,
    ada.email,
  ],
  ['a person who comes back', ({ browsing }) => browsing.fire('visibilitychange'), 'unknown', 200, ada.email],
  ['the network', ({ browsing }) => browsing.fire('online'), 'signed-in', 200, ada.email],
]

for (const delivery of ['cookies', 'memory'] as const) {
  for (const [sentence, stir, then, status, there] of stirs) {
    test(`${delivery}: a client nobody listens to asks nothing by itself, and asks before its next call: ${sentence}`, async t => {
      const room = await openRoom(t, { client: { delivery } })
      const { app, browsing, client, proxy, tab } = room
      await client.signUp(bob)
      await signInAs(client, ada)
      const left = tab()
      // Nobody listens any more, and nothing is under way.
      await becomes(left, 'signed-in')
      await heard()
      browsing.forget()
      await stir(room, t)
      for (let n = 0; n < 200 && left.state.status !== then; n++) await heard()
      await heard()
      assert.equal(left.state.status, then)
      const own = browsing.calls().filter(call => !/sign-(in|out)/.test(call))
      assert.deepEqual(own, [])
      const call = left.fetch(`${proxy.url}/api/notes`, { method: 'POST' })
      assert.equal(
        await call.then(
          answer => answer.status,
          error => error.code,
        ),
        status,
      )
      assert.ok(app.seen.every(({ email }) => email === null || email === ada.email))
      assert.equal(Object(await left.session()).email, there)
    })
  }
}

for (const delivery of ['cookies', 'memory'] as const) {
  // [what is said last, whether somebody is signed in, what it ends in]
  const floods: [boolean, boolean, string][] = [
    [false, true, ada.email],
    [true, true, ada.email],
    [false, false, 'signed-out'],
    [true, false, 'signed-out'],
  ]
  for (const [last, signedIn, want] of floods) {
    test(`${delivery}: a flood of forged messages, the last of them ${last}, ends in what the server says: ${want}`, async t => {
      const { browsing, client, proxy, notes } = await openRoom(t, { client: { delivery } })
      if (!signedIn) await client.signOut()
      client.subscribe(() => {})
      browsing.forget()
      const flood = Array.from({ length: 500 }, (_, n) => ({ signedIn: n % 2 === 1 ? last : !last }))
      say(t, proxy.url, ...flood)
      await becomes(client, signedIn ? 'signed-in' : 'signed-out')
      // What it ends in is not left again.
      for (let n = 0; n < 6 || client.state.status === 'unknown'; n++) await heard()
      assert.equal(emailIn(client), want)
      assert.ok(browsing.calls().length < 20, browsing.calls().join())
      assert.equal(await notes(), signedIn ? 200 : 401)
    })
  }
}

for (const until of [0, -1, Number.NaN, Number.MAX_VALUE, Number.POSITIVE_INFINITY]) {
  test(`a forged end of the token (${until}) makes no call fail`, async t => {
    const { proxy, client, expire, notes } = await openRoom(t)
    say(t, proxy.url, { until, who: client.userId })
    await heard()
    assert.equal(await notes(), 200)
    expire()
    await notes()
    assert.equal(await notes(), 200)
    assert.equal(emailIn(client), ada.email)
  })
}

test('a page from the back/forward cache shows nobody until it has asked', async t => {
  const { browsing, proxy, client, tab } = await openRoom(t)
  const held = proxy.hold('GET /auth/session')
  const late = client.session()
  await held.answered
  browsing.fire('pagehide', { persisted: true })
  assert.deepEqual(client.state, { status: 'unknown' })
  const elsewhere = tab()
  await elsewhere.signOut()
  held.release()
  browsing.fire('pageshow', { persisted: true })
  assert.equal(await late, null, 'an answer of before says nothing')
  await becomes(client, 'signed-out')
})

test('a page that is left for good asks nothing more', async t => {
  const { browsing, client } = await openRoom(t)
  const before = client.state
  browsing.fire('pagehide', { persisted: false })
  await heard()
  assert.equal(client.state, before)
  assert.deepEqual(browsing.calls(), [])
})

test('a client that is closed hears nothing, asks nothing and waits for nothing', async t => {
  const { app, browsing, proxy, client, tab } = await openRoom(t)
  const waiting = tab()
  app.answer('GET /auth/session', 503)
  // Undecided for the first time: it would ask again by itself.
  await new Promise<void>(resolve => {
    waiting.subscribe(state => void (state.status === 'unknown' && state.error && resolve()))
  })
  waiting.close()
  client.close()
  const before = client.state
  browsing.forget()
  say(t, proxy.url, { signedIn: false })
  for (const type of ['online', 'visibilitychange', 'pagehide', 'pageshow'])
    browsing.fire(type, { persisted: true })
  await new Promise(resolve => setTimeout(resolve, 1500))
  assert.equal(client.state, before)
  assert.deepEqual(browsing.calls(), [])
})

test('what is no answer of Rusk’s signs nobody out and nobody in', async t => {
  // A gate in front of the network answers every call with a page of its own.
  const { app, client } = await openRoom(t)
  const before = client.state
  for (const line of ['GET /auth/session', 'POST /auth/sign-in']) app.answer(line, 200)
  assert.equal(await codeOf(client.session()), 'offline')
  assert.equal(client.state, before)
})
