// What happens when many calls meet on one row, over sockets, on both stores.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { EventType } from '../src/core/model.ts'
import { type Listening, type Rusk, rusk } from '../src/index.ts'
import { openStore } from '../src/store/open.ts'
import type { Store } from '../src/store/port.ts'
import { run } from './cli/binary.ts'
import { bridgeOptions, bring, earlierToken } from './earlier.ts'
import { cookieHeader, post, setCookies } from './serving.ts'
import { databaseAt, type RunningPostgres, startPostgres } from './store/stores.ts'

const grace = 2_000
const secret = 'sealing the keys of this test alone'
const password = 'correct horse battery staple'

type Cookies = ReadonlyMap<string, string>

let postgres: RunningPostgres
let folder: string
before(async () => {
  postgres = await startPostgres()
  folder = await mkdtemp(join(tmpdir(), 'rusk-races-'))
})
after(async () => {
  await postgres.stop()
  await rm(folder, { recursive: true, force: true })
})

const databases: Record<string, () => Promise<string>> = {
  sqlite: async () => `sqlite:${join(folder, 'races.db')}`,
  postgres: () => postgres.url('races'),
}

const many = <T>(count: number, each: (i: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, i) => each(i)))

const sessionIn = (jar: Cookies): string => jar.get('rusk_signin')?.split('.')[0] ?? ''

const statusesOf = (answers: readonly Response[]): ReadonlySet<number> =>
  new Set(answers.map(answer => answer.status))

for (const [store, database] of Object.entries(databases)) {
  describe(store, () => {
    let auth: Rusk
    let listening: Listening
    let url: string
    /** Another process's view of the same database. */
    let beside: Store
    before(async () => {
      url = await database()
      const many = '100000/1m'
      auth = await rusk({
        database: url,
        port: 0,
        session: { grace: `${grace}ms` },
        throttle: { signIn: many, signUp: many },
        // So that each browser may come from a network of its own, as browsers do.
        proxies: ['127.0.0.1'],
        secret,
        bridge: bridgeOptions,
        log: { level: 'error' },
      })
      listening = await auth.listen()
      beside = await openStore(databaseAt(url))
    })
    after(async () => {
      await beside.close()
      await auth.close()
    })

    const signUp = async (username: string): Promise<Cookies> => {
      const answer = await post(`${listening.url}/auth/sign-up`, {
        body: { email: `${username}@example.com`, username, password },
      })
      assert.equal(answer.status, 201, await answer.clone().text())
      return setCookies(answer)
    }
    const trySignIn = (login: string) => post(`${listening.url}/auth/sign-in`, { body: { login, password } })
    const signIn = async (login: string): Promise<Cookies> => {
      const answer = await trySignIn(login)
      assert.equal(answer.status, 200, await answer.clone().text())
      return setCookies(answer)
    }
    const me = (cookies: Cookies) =>
      fetch(`${listening.url}/auth/session`, { headers: { cookie: cookieHeader(cookies) } })
    const refresh = (cookies: Cookies) => post(`${listening.url}/auth/refresh`, { cookies })
    const signOut = (cookies: Cookies) => post(`${listening.url}/auth/sign-out`, { cookies })
    /** Ends all others, or one. `i`: the network that the call comes from. */
    const revoke = (cookies: Cookies, i: number, id?: string) =>
      fetch(`${listening.url}/auth/sessions${id === undefined ? '' : `/${id}`}`, {
        method: 'DELETE',
        headers: { cookie: cookieHeader(cookies), 'x-forwarded-for': `198.51.100.${i}` },
      })
    /** Neither what the browser held nor what any of these answers brought it. */
    const nothingIsAccepted = async (jar: Cookies, answers: readonly Response[]) => {
      for (const answer of [...answers, new Response()]) {
        const late = new Map([...jar, ...setCookies(answer)])
        assert.equal((await me(late)).status, 401)
        assert.equal((await refresh(late)).status, 401)
      }
    }

    const timesTold = async (type: EventType, session: string): Promise<number> =>
      (await beside.events({ limit: 1000 })).filter(
        event => event.type === type && event.sessionId === session,
      ).length

    test('two hundred concurrent refreshes of one token make one change and one new refresh token', async () => {
      const jar = await signUp('refreshes')
      await sleep(grace + 50)
      const answers = await many(200, () => refresh(jar))
      assert.deepEqual(statusesOf(answers), new Set([200]))
      const names = answers.map(answer => [...setCookies(answer).keys()].sort().join())
      assert.equal(names.filter(each => each === 'rusk_access,rusk_refresh').length, 1)
      assert.equal(names.filter(each => each === 'rusk_access').length, 199)
      assert.equal((await beside.holder(sessionIn(jar)))?.session.successor, 2)
    })

    test('two hundred concurrent sign-outs of one session are all fine, and it is told once', async () => {
      const jar = await signUp('leaves')
      const answers = await many(200, () => signOut(jar))
      assert.deepEqual(statusesOf(answers), new Set([204]))
      await nothingIsAccepted(jar, answers.slice(0, 1))
      assert.equal(await timesTold('signed_out', sessionIn(jar)), 1)
    })

    test('two hundred concurrent endings of one session end it and no other, and it is told once', async () => {
      const jar = await signUp('ends')
      const other = await signIn('ends')
      const answers = await many(200, i => revoke(jar, i, sessionIn(other)))
      const fine = answers.filter(({ status }) => status === 204).length
      // More than an account may in a while are refused.
      assert.deepEqual(new Set([...statusesOf(answers), 404, 429]), new Set([204, 404, 429]))
      assert.ok(fine > 0)
      await nothingIsAccepted(other, [])
      assert.equal((await me(jar)).status, 200)
      assert.equal(await timesTold('session_ended', sessionIn(other)), 1)
    })

    test('ten browsers that end all others at once, two hundred times: one of them is left at most', async () => {
      const jars = [await signUp('others'), ...(await many(9, () => signIn('others')))]
      const answers = await many(200, i => revoke(jars[i % 10] ?? new Map(), i))
      assert.deepEqual(new Set([...statusesOf(answers), 401, 429]), new Set([204, 401, 429]))
      const left = await Promise.all(jars.map(async jar => (await me(jar)).status))
      assert.ok(left.filter(status => status === 200).length <= 1, left.join())
      assert.deepEqual(new Set([...left, 200, 401]), new Set([200, 401]))
      for (const [i, jar] of jars.entries()) assert.equal((await refresh(jar)).status, left[i])
    })

    test('refreshes and a sign-out race: afterwards nothing of the session is accepted', async () => {
      const jars = [await signUp('leaving'), await signIn('leaving'), await signIn('leaving')]
      await sleep(grace + 20)
      for (const jar of jars) {
        const answers = await many(21, i => (i === 10 ? signOut(jar) : refresh(jar)))
        await nothingIsAccepted(jar, answers)
      }
    })

    test('refreshes and a "sign out everywhere" race: afterwards nothing of the others is accepted', async () => {
      const jar = await signUp('everywhere')
      const others = await many(5, () => signIn('everywhere'))
      await sleep(grace + 20)
      const answers = await many(50, async i => {
        const other = others[i % 5] ?? new Map()
        return i === 20 ? { other, answer: await revoke(jar, 1) } : { other, answer: await refresh(other) }
      })
      for (const other of others) {
        const theirs = answers.filter(each => each.other === other).map(({ answer }) => answer)
        await nothingIsAccepted(other, theirs)
      }
      assert.equal((await me(jar)).status, 200)
    })

    /** The real command in a process of its own. */
    const disable = async (username: string) => {
      const env = { DATABASE_URL: url, RUSK_SECRET: secret }
      const { code, stderr } = await run({ folder, env }, ['users', 'disable', username])
      assert.equal(code, 0, stderr)
    }

    test('refreshes while another process disables the user: within a second nothing is accepted', async () => {
      const jar = await signUp('disabled')
      await sleep(grace + 20)
      let over = false
      const disabling = disable('disabled').finally(() => {
        over = true
      })
      const answers: Response[] = []
      while (!over) {
        answers.push(...(await many(3, () => refresh(jar))))
        // One session may refresh six hundred times a minute.
        await sleep(20)
      }
      await disabling
      assert.equal(answers[0]?.status, 200)
      assert.deepEqual(new Set([...statusesOf(answers), 401]), new Set([200, 401]))
      await sleep(1000)
      // A refresh reads the store: it was refused at once.
      await nothingIsAccepted(jar, answers.filter(answer => setCookies(answer).size > 0).slice(-20))
      assert.equal((await beside.holder(sessionIn(jar)))?.session.endedBecause, 'user_disabled')
    })

    test('fifty who sign in again and again while the user is disabled leave no session', async t => {
      const user = (await signUp('admitted')) && (await beside.account({ usernameKey: 'admitted' }))?.user
      assert.ok(user)
      let admitted = 0
      const disabling = disable('admitted')
      const refused = await many(50, async () => {
        for (;;) {
          const answer = await trySignIn('admitted')
          if (answer.status !== 200) return answer
          admitted += 1
        }
      })
      await disabling
      // What is refused is counted as a guess, and there are only so many of them.
      assert.deepEqual(new Set([...statusesOf(refused), 429]), new Set([401, 429]))
      t.diagnostic(`${admitted} sign-ins before it, 50 refused after it`)
      assert.ok(admitted > 0, 'nobody came before it')
      assert.deepEqual(await beside.sessionsOf(user.id, { now: beside.now(), limit: 100 }), [])
    })

    const exchange = (token: string, cookies: Cookies = new Map()) =>
      post(`${listening.url}/auth/exchange`, { body: { token }, cookies })

    test('twenty concurrent exchanges of one token: each session it opened has a number of its own', async () => {
      await bring(beside, [{ email: 'moves@example.com', username: 'moves', password }])
      const token = await earlierToken('moves@example.com')
      const answers = await many(20, () => exchange(token))
      // Who was overtaken too often is asked to come again.
      assert.deepEqual(new Set([...statusesOf(answers), 401, 503]), new Set([200, 401, 503]))
      const digest = createHash('sha256').update(token).digest('base64url')
      const opened = await beside.sessionsOpenedBy(digest, { limit: 99 })
      const entered = answers.filter(({ status }) => status === 200).map(each => sessionIn(setCookies(each)))
      assert.ok(entered.length > 0 && entered.length <= 8)
      assert.deepEqual(opened.map(({ id }) => id).toSorted(), entered.toSorted())
    })

    test('a token comes again while its owner refreshes: afterwards it is good for nobody', async () => {
      for (let round = 0; round < 3; round++) {
        const email = `mover${round}@example.com`
        await bring(beside, [{ email, username: `mover${round}`, password }])
        const token = await earlierToken(email)
        const jar = setCookies(await exchange(token))
        await sleep(grace + 20)
        const [refreshed, ...copies] = await many(9, i => (i === 0 ? refresh(jar) : exchange(token)))
        assert.equal(refreshed?.status, 200)
        assert.deepEqual(new Set([...statusesOf(copies), 200, 401, 503]), new Set([200, 401, 503]))
        assert.equal((await exchange(token)).status, 401)
        assert.equal((await refresh(jar)).status, 200, 'who refreshed stays signed in')
      }
    })

    test('fifty concurrent sign-ups with one address make one account', async () => {
      const answers = await many(50, i =>
        post(`${listening.url}/auth/sign-up`, {
          body: { email: i % 2 ? 'Jill@Example.com' : 'jill@example.com', username: `jill${i}`, password },
        }),
      )
      const statuses = answers.map(answer => answer.status)
      assert.equal(statuses.filter(status => status === 201).length, 1)
      assert.equal(statuses.filter(status => status === 409).length, 49)
    })

    test('sixty concurrent sign-ins all succeed, each in a session of its own', async () => {
      await signUp('enters')
      const jars = await many(60, () => signIn('enters'))
      assert.equal(new Set(jars.map(sessionIn)).size, 60)
    })
  })
}
