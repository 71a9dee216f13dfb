// What happens when many calls meet on one row, over sockets, on both stores.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Listening, type Rusk, rusk } from '../src/index.ts'
import { post, setCookies } from './serving.ts'
import { type RunningPostgres, startPostgres } from './store/stores.ts'

const grace = 2_000
const person = { email: 'jack@example.com', username: 'jack', password: 'correct horse battery staple' }

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

for (const [store, database] of Object.entries(databases)) {
  describe(store, () => {
    let auth: Rusk
    let listening: Listening
    before(async () => {
      const many = '100000/1m'
      auth = await rusk({
        dialect: ['fastapi'],
        database: await database(),
        port: 0,
        session: { grace: `${grace}ms` },
        throttle: { signIn: many, signUp: many },
        secret: 'sealing the keys of this test alone',
        log: { level: 'error' },
      })
      listening = await auth.listen()
      const answer = await post(`${listening.url}/auth/register`, { body: person })
      assert.equal(answer.status, 201, await answer.text())
    })
    after(() => auth.close())

    const signIn = async () => {
      const answer = await post(`${listening.url}/auth/login`, {
        body: { username_or_email: person.username, password: person.password },
      })
      assert.equal(answer.status, 200, await answer.text())
      return setCookies(answer)
    }
    const me = (cookies: ReadonlyMap<string, string>) =>
      fetch(`${listening.url}/auth/me`, {
        headers: { cookie: [...cookies].map(pair => pair.join('=')).join('; ') },
      })

    test('two hundred concurrent refreshes of one token make one change and one new refresh token', async () => {
      const jar = await signIn()
      await sleep(grace + 50)
      const answers = await Promise.all(
        Array.from({ length: 200 }, () => post(`${listening.url}/auth/refresh`, { cookies: jar })),
      )
      assert.deepEqual(new Set(answers.map(answer => answer.status)), new Set([200]))
      const names = answers.map(answer => [...setCookies(answer).keys()].sort().join())
      assert.equal(names.filter(each => each === 'access_token,refresh_token').length, 1)
      assert.equal(names.filter(each => each === 'access_token').length, 199)
    })

    test('refreshes and a sign-out race: afterwards nothing of the session is accepted', async () => {
      for (let round = 0; round < 3; round++) {
        const jar = await signIn()
        await sleep(grace + 20)
        const answers = await Promise.all([
          ...Array.from({ length: 10 }, () => post(`${listening.url}/auth/refresh`, { cookies: jar })),
          post(`${listening.url}/auth/logout`, { cookies: jar }),
          ...Array.from({ length: 10 }, () => post(`${listening.url}/auth/refresh`, { cookies: jar })),
        ])
        for (const answer of [...answers, new Response()]) {
          const late = new Map([...jar, ...setCookies(answer)])
          assert.equal((await me(late)).status, 401)
          assert.equal((await post(`${listening.url}/auth/refresh`, { cookies: late })).status, 401)
        }
      }
    })

    test('fifty concurrent sign-ups with one address make one account', async () => {
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_, i) =>
          post(`${listening.url}/auth/register`, {
            body: { ...person, username: `jill${i}`, email: i % 2 ? 'Jill@Example.com' : 'jill@example.com' },
          }),
        ),
      )
      const statuses = answers.map(answer => answer.status)
      assert.equal(statuses.filter(status => status === 201).length, 1)
      assert.equal(statuses.filter(status => status === 400).length, 49)
    })

    test('sixty concurrent sign-ins all succeed, each in a session of its own', async () => {
      const jars = await Promise.all(Array.from({ length: 60 }, signIn))
      const sessions = new Set(jars.map(jar => jar.get('refresh_token')?.split('.')[0]))
      assert.equal(sessions.size, 60)
    })
  })
}
