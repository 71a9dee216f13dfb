// Each wire as the client describes it, held to what the server says of itself, and walked from sign-up to sign-out: on the
// page's own origin and from a listed one beside it.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { z } from 'zod'
import { defaultPolicy } from '../../server/src/core/policy.ts'
import { type DialectName, dialects as spoken } from '../../server/src/dialects/index.ts'
import { gates } from '../test/app.ts'
import { openRoom, type RoomOptions } from '../test/room.ts'
import type { Call, Dialect } from './dialect.ts'
import * as known from './dialects.ts'
import { RuskError } from './error.ts'

const dialects: Readonly<Record<DialectName, Dialect>> = {
  native: known.native,
  fastapi: known.fastapi,
  flask: known.flask,
  django: known.django,
  'fastapi-minimal': known.fastapiMinimal,
  'fastapi-production': known.fastapiProduction,
}
const names = Object.keys(spoken) as readonly DialectName[]

const signUpFields = ['email', 'password', 'username', 'name']

/** Each call: what it does on the server, and the fields that the client sends, by the client's names. */
const calls: [
  keyof Dialect & ('signUp' | 'exchange' | 'changePassword' | 'signIn' | 'signOut' | 'refresh' | 'session'),
  readonly string[],
  readonly string[],
][] = [
  ['signUp', ['signUp', 'register'], signUpFields],
  ['signIn', ['signIn'], ['login', 'password']],
  ['signOut', ['signOut'], []],
  ['refresh', ['refresh'], []],
  ['session', ['whoAmI'], []],
  ['exchange', ['exchange'], ['token']],
  ['changePassword', ['changePassword'], ['current', 'new']],
]

const schemaOf = (answer: z.ZodType | null): Record<string, unknown> =>
  answer ? Object(z.toJSONSchema(answer, { io: 'input' }).properties) : {}

for (const name of names) {
  const dialect = dialects[name]
  const server = spoken[name]
  const routeOf = ({ line }: Call) => {
    const route = Object.entries(server.routes).find(([each]) => each === line)?.[1]
    assert.ok(route, `${name} has no ${line}`)
    return route
  }

  test(`${name}: each call is where the server has it, and its fields are called as the server calls them`, () => {
    for (const [which, does, fields] of calls) {
      const call = dialect[which]
      if (!call) {
        assert.ok(
          !Object.values(server.routes).some(route => does.includes(route.does)),
          `${which} is missing`,
        )
        continue
      }
      const route = routeOf(call)
      assert.ok(does.includes(route.does), `${call.line} does ${route.does}`)
      const wires = fields.map(field => [call.names?.[field] ?? field, field] as const)
      for (const [wire, field] of wires) {
        if (wire in route.takes) assert.equal(route.takes[wire], field, `${call.line}: ${wire}`)
      }
      const sent = wires.map(([wire]) => wire)
      for (const wire of route.requires) assert.ok(sent.includes(wire), `${call.line} wants ${wire}`)
      for (const field of new Set(Object.values(route.takes))) {
        if (signUpFields.includes(field) && which !== 'signUp') continue
        if (field === 'delivery') continue
        assert.ok(
          wires.some(([wire]) => route.takes[wire] === field),
          `${call.line}: nothing is sent for ${field}`,
        )
      }
    }
  })

  test(`${name}: where the access token stands and how long it lives is what the server says`, () => {
    const { cookies, policy } = server
    assert.equal(dialect.memoryOnly ?? false, cookies.access === undefined)
    const answers = [dialect.signIn, dialect.refresh, dialect.exchange].map(call =>
      schemaOf(routeOf(call).answer),
    )
    for (const answer of answers) assert.equal(dialect.token !== undefined, `${dialect.token}` in answer)
    const fixed = dialect.life({}, new Response())
    if (typeof fixed === 'number' && !Number.isNaN(fixed)) {
      assert.equal(fixed * 1000, policy.access ?? defaultPolicy.access)
    }
    const user = dialect.user({ user: { id: 1, uid: 1 }, id: 1, uid: 1 })
    const told = schemaOf(routeOf(dialect.session).answer)
    const members = 'user' in told ? Object(told.user).properties : told
    assert.ok((dialect.id ?? 'id') in Object(members) && user !== undefined)
    assert.equal(dialect.csrf !== undefined, cookies.csrf !== undefined)
    const opens = Object.values(server.routes).some(({ does }) => does === 'signUp')
    assert.equal(
      dialect.signUp.login === undefined,
      opens,
      'after a sign-up that opens no session a sign-in follows',
    )
  })
}

const person = {
  email: 'ada@example.com',
  username: 'ada',
  name: 'Ada Lovelace',
  password: 'Correct horse 1 battery',
}

/** On the page's own origin, and from a listed origin beside it. */
const pages: [string, Pick<RoomOptions, 'page'>][] = [
  ['on one origin', {}],
  ['from another port', { page: 'http://localhost:3000' }],
]

const optionsOf = (name: DialectName, page: Pick<RoomOptions, 'page'>): RoomOptions => ({
  ...page,
  client: { dialect: dialects[name] },
  rusk: {
    dialect: [name],
    origins: ['http://localhost:3000'],
    throttle: { signIn: '3/1m', signUp: '1000/1m' },
  },
  empty: true,
})

const loginOf = (name: DialectName): string =>
  dialects[name].signUp.login === 'username' ? person.username : person.email

async function open(t: TestContext, name: DialectName, page: Pick<RoomOptions, 'page'>) {
  const room = await openRoom(t, optionsOf(name, page))
  const { client, proxy } = room
  const me = `${proxy.url}${dialects[name].session.line.slice('GET '.length)}`
  return {
    ...room,
    /** The status of "who am I", asked for as an app would. */
    me: async () => (await client.fetch(me)).status,
    signIn: (password: string) => client.signIn({ login: loginOf(name), password }),
    refreshes: () => room.browsing.answers(dialects[name].refresh.line),
  }
}

const rejected = (promise: Promise<unknown>): Promise<RuskError> =>
  promise.then(
    () => assert.fail('it resolved'),
    error => {
      assert.ok(error instanceof RuskError, String(error))
      return error
    },
  )

for (const name of names) {
  for (const [where, page] of pages) {
    test(`${name}, ${where}: sign up, be seen, sign out, sign in, be renewed, be seen after a reload`, async t => {
      t.mock.timers.enable({ apis: ['Date'], now: Date.now() })
      const { client, tab, me, signIn, refreshes } = await open(t, name, page)
      client.subscribe(() => {})
      assert.equal(await client.session(), null)
      const user = await client.signUp(person)
      assert.equal(Object(user).email, person.email)
      assert.deepEqual(client.state, { status: 'signed-in', user })
      assert.equal(client.userId, Object(user)[dialects[name].id ?? 'id'])
      assert.equal(await me(), 200)
      assert.deepEqual(await client.session(), user)

      await client.signOut()
      assert.equal(await me(), 401)
      assert.equal(await client.session(), null)
      const again = await signIn(person.password)
      assert.equal(Object(again).email, person.email)

      const before = refreshes().length
      t.mock.timers.setTime(Date.now() + 2 * 3_600_000)
      assert.deepEqual(await Promise.all([me(), me(), me()]), [200, 200, 200])
      assert.deepEqual(refreshes().slice(before), [200])

      const reloaded = tab()
      assert.deepEqual(await reloaded.session(), again)
      await reloaded.signOut()
      await new Promise(resolve => setTimeout(resolve, 50))
      assert.deepEqual(client.state, { status: 'signed-out', reason: 'signed-out' })
      assert.equal(await me(), 401)
    })

    test(`${name}, ${where}: what is refused says why`, async t => {
      const { client, signIn } = await open(t, name, page)
      const malformed = await rejected(client.signUp({ ...person, email: 'nobody' }))
      assert.equal(malformed.code, 'input_invalid')
      assert.ok([400, 422].includes(malformed.status))
      if (name !== 'flask')
        assert.deepEqual(
          malformed.issues.map(({ field, type }) => [field, type]),
          [['email', 'value_error']],
        )
      assert.notEqual(malformed.message, malformed.code)

      const unknown = await rejected(signIn('Wrong horse 1 battery'))
      assert.deepEqual([unknown.code, unknown.status], ['credentials_wrong', 401])
      assert.match(unknown.message, /[Ii]nvalid|[Ww]rong|[Ii]ncorrect|No active account/)
      assert.equal(client.state.status === 'signed-in', false)

      const refused = [unknown]
      while (refused.at(-1)?.status === 401 && refused.length < 10) {
        refused.push(await rejected(signIn('Wrong horse 1 battery')))
      }
      const throttled = refused.at(-1)
      assert.deepEqual([throttled?.code, throttled?.status], ['throttled', 429])
      assert.ok(throttled && throttled.retryAfter > 0 && throttled.retryAfter <= 60)
    })
  }

  for (const [sentence, gate] of gates) {
    test(`${name}: what something on the way says for Rusk signs nobody out: ${sentence}`, async t => {
      t.mock.timers.enable({ apis: ['Date'], now: Date.now() })
      const { app, browsing, client, me } = await open(t, name, {})
      const { session, refresh } = dialects[name]
      await client.signUp(person)
      const before = client.state
      app.answer(session.line, gate)
      assert.match((await rejected(client.session())).code, /^(unavailable|offline)$/)
      assert.equal(client.state, before)

      t.mock.timers.setTime(Date.now() + 2 * 3_600_000)
      // Where a 200 is taken for a renewal, it is asked whose.
      app.answer(session.line, 503)
      app.answer(refresh.line, gate)
      assert.match((await rejected(me())).code, /^(unavailable|offline)$/)
      assert.equal(client.state, before)

      for (const { line } of [session, refresh]) app.answer(line, undefined)
      browsing.fire('online')
      assert.equal(await me(), 200)
      assert.equal(client.state, before)
    })
  }

  test(`${name}: what is no answer of Rusk's is no sign-out: it rejects, and no other tab is told`, async t => {
    const { app, client, me, tab } = await open(t, name, {})
    await client.signUp(person)
    const other = tab()
    const told: string[] = []
    other.subscribe(({ status }) => told.push(status))
    await other.session()
    const before = client.state
    const { line } = dialects[name].signOut
    const portals = gates.filter(([, gate]) => gate !== gates.at(-1)?.[1])
    for (const [sentence, gate] of [['nothing at all', 200] as const, ...portals]) {
      app.answer(line, gate)
      assert.match((await rejected(client.signOut())).code, /^(unavailable|offline)$/, sentence)
      assert.equal(client.state, before)
    }
    await new Promise(resolve => setTimeout(resolve, 50))
    assert.deepEqual(told, ['unknown', 'signed-in'])
    assert.equal(await me(), 200)
    app.answer(line, undefined)
    await client.signOut()
    assert.equal(await me(), 401)
  })

  test(`${name}: a page whose origin is not listed hears nothing, and nobody is signed in or out by that`, async t => {
    const { client, browsing } = await open(t, name, { page: 'http://localhost:3999' })
    assert.equal((await rejected(client.signUp(person))).code, 'offline')
    assert.equal((await rejected(client.session())).code, 'offline')
    assert.deepEqual(client.state, { status: 'unknown' })
    assert.ok(!browsing.jar.names().includes(spoken[name].cookies.refresh.name))
  })
}

// [sentence, whether the planted one stands in front]
const planted: [string, boolean][] = [
  ['in front', true],
  ['behind', false],
]

for (const name of ['flask', 'django'] as const) {
  const csrf = spoken[name].cookies.csrf ?? assert.fail()
  for (const [where, first] of planted) {
    test(`${name}: a sibling's cookie of the same name, ${where}, keeps nobody in, out, or from being renewed`, async t => {
      t.mock.timers.enable({ apis: ['Date'], now: Date.now() })
      const room = await open(t, name, {})
      const { browsing, client, proxy, me, signIn, tab } = room
      const plant = () =>
        browsing.jar.plant(new URL(proxy.url), csrf.cookie.name, 'planted', {
          domain: 'localhost',
          path: '/',
        })
      const shown = () => document.cookie.split('; ').map(pair => pair.endsWith('=planted'))
      /** Each answer may have set the good one anew, behind the other. */
      const before = () => {
        if (!first) plant()
        assert.equal(shown().indexOf(true), first ? 0 : shown().length - 1)
      }
      plant()
      await client.signUp(person)

      before()
      assert.equal(shown().length, 2)
      await client.signOut()
      assert.equal(await me(), 401)
      before()
      await signIn(person.password)
      assert.equal(await me(), 200)

      before()
      t.mock.timers.setTime(Date.now() + 2 * 3_600_000)
      assert.equal(await me(), 200)
      assert.equal(client.state.status, 'signed-in')
      before()
      const reloaded = tab()
      assert.equal(Object(await reloaded.session()).email, person.email)
      assert.equal(reloaded.state.status, 'signed-in')
    })
  }
}

test('flask: a renewal that is refused for want of a CSRF token signs nobody out', async t => {
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() })
  const { browsing, client, me, signIn, refreshes, tab } = await open(t, 'flask', {})
  const user = await client.signUp(person)
  browsing.jar.drop('csrf_refresh_token')
  t.mock.timers.setTime(Date.now() + 2 * 3_600_000)
  assert.equal((await rejected(me())).code, 'unavailable')
  assert.deepEqual(refreshes(), [401, 401])
  assert.deepEqual(client.state, { status: 'signed-in', user })
  const reloaded = tab()
  assert.equal((await rejected(reloaded.session())).code, 'unavailable')
  assert.equal(reloaded.state.status, 'unknown')
  await signIn(person.password)
  assert.equal(await me(), 200)
})
