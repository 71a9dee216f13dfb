// How soon "sign out everywhere" is in force: at once on the server that was asked, within a second on its sibling on the
// same store. Measured, with everything about every session remembered on both.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Rusk, rusk } from '../src/index.ts'
import { cookieHeader, post, setCookies } from './serving.ts'
import { type RunningPostgres, startPostgres } from './store/stores.ts'

const others = 20
const rounds = 20
/** In milliseconds: what is promised of a sibling. */
const promised = 1000

const jack = { email: 'jack@example.com', username: 'jack', password: 'correct horse battery staple' }

type Cookies = ReadonlyMap<string, string>

let postgres: RunningPostgres
const servers: { auth: Rusk; url: string }[] = []
before(async () => {
  postgres = await startPostgres()
  const database = await postgres.url('revocation')
  for (let i = 0; i < 2; i++) {
    const auth = await rusk({
      database,
      port: 0,
      throttle: { signIn: '100000/1m' },
      // One of them signs: the other must know its tokens.
      url: 'http://localhost:8000',
      secret: 'sealing the keys of this test alone',
      log: { level: 'error' },
    })
    servers.push({ auth, url: (await auth.listen()).url })
  }
})
after(async () => {
  for (const { auth } of servers) await auth.close()
  await postgres.stop()
})

const me = async (url: string, cookies: Cookies): Promise<number> => {
  const answer = await fetch(`${url}/auth/session`, { headers: { cookie: cookieHeader(cookies) } })
  await answer.arrayBuffer()
  return answer.status
}

const all = <T>(each: (i: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: others }, (_, i) => each(i)))

test('sign out everywhere: at once here, within a second on a sibling', async t => {
  const [here, sibling] = [servers[0]?.url ?? '', servers[1]?.url ?? '']
  const signIn = async (): Promise<Cookies> => {
    const body = { login: jack.username, password: jack.password }
    const answer = await post(`${here}/auth/sign-in`, { body })
    assert.equal(answer.status, 200, await answer.clone().text())
    return setCookies(answer)
  }
  const signedUp = await post(`${here}/auth/sign-up`, { body: jack })
  const mine = setCookies(signedUp)

  const worst: number[] = []
  const first: number[] = []
  for (let round = 0; round < rounds; round++) {
    const jars = await all(signIn)
    // Asked all the time, so that the sibling remembers them at the moment of the revocation, whenever it last forgot.
    const refusedAt = jars.map(async (jar): Promise<number> => {
      const deadline = performance.now() + 10 * promised
      while ((await me(sibling, jar)) === 200) {
        assert.ok(performance.now() < deadline, 'the sibling never learns of it')
        await sleep(20)
      }
      return performance.now()
    })
    await sleep(Math.random() * 500)
    assert.deepEqual(new Set(await Promise.all(jars.map(jar => me(here, jar)))), new Set([200]))
    const headers = { cookie: cookieHeader(mine) }
    const answer = await fetch(`${here}/auth/sessions`, { method: 'DELETE', headers })
    const began = performance.now()
    assert.equal(answer.status, 204)
    const next: readonly number[] = await Promise.all(jars.map(jar => me(here, jar)))
    assert.deepEqual(new Set(next), new Set([401]), 'the very next request is refused')
    first.push(performance.now() - began)
    worst.push(Math.max(...(await Promise.all(refusedAt))) - began)
    assert.equal(await me(here, mine), 200)
    assert.equal(await me(sibling, mine), 200)
  }

  const median = (spans: readonly number[]) =>
    spans.toSorted((a, b) => a - b)[Math.floor(spans.length / 2)] ?? 0
  const tell = (spans: readonly number[]) =>
    `median ${median(spans).toFixed(0)} ms, worst ${Math.max(...spans).toFixed(0)} ms`
  t.diagnostic(`${rounds} revocations of ${others} sessions each`)
  t.diagnostic(
    `here: the very next request of each refused; all ${others} were asked and answered after ${tell(first)}`,
  )
  t.diagnostic(`sibling: the last of them refused after ${tell(worst)}`)
  // The promise is one of a machine that is not busy; half of the rounds leave out the moments in which this one is.
  assert.ok(median(worst) <= promised, tell(worst))
  assert.ok(Math.max(...worst) <= 3 * promised, tell(worst))
})
