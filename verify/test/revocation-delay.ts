// Measures how long a token is still good in a service after its session has ended: real `rusk serve` processes, a verifier
// in this one, and one end after another at random moments. `node verify/test/revocation-delay.ts --count 1000`
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { bin, type Serving, serve, setCookies } from '../../server/test/serving.ts'
import { createVerifier } from '../src/index.ts'

type Person = { readonly email: string; readonly access: string; readonly refresh: string }

export type Field = {
  /** One end after another, each of a new session; milliseconds until `verify` says so, in their order. */
  measure(by: Way, count: number): Promise<readonly number[]>
  close(): Promise<void>
}

/** Ends somebody's session; resolves when whoever has asked for that is told that it is done. */
type End = (who: Person) => Promise<void>

/** By a sign-out, or by a command in a process of its own. */
export type Way = 'signOut' | 'command'

const issuer = 'https://auth.example'

/** `nodes`: how many serve this database; people sign out at the first, and the verifier follows the last. */
export async function openField(database: string | undefined, nodes: number): Promise<Field> {
  const folder = await mkdtemp(join(tmpdir(), 'rusk-delay-'))
  const serviceKey = randomBytes(32).toString('base64url')
  const env = {
    RUSK_URL: issuer,
    RUSK_SERVICE_KEYS: serviceKey,
    RUSK_DATABASE: database ?? `sqlite:${join(folder, 'rusk.db')}`,
    RUSK_SECRET: randomBytes(32).toString('base64url'),
    // Everybody comes from a network of their own, so that none is throttled.
    RUSK_PROXIES: '127.0.0.1',
  }
  const serving: Serving[] = []
  for (let node = 0; node < nodes; node++) serving.push(await serve({ args: [], cwd: folder, env }))
  const near = serving[0]?.url ?? assert.fail()
  const verifier = createVerifier({ issuer, url: serving.at(-1)?.url, serviceKey })
  await verifier.ready()
  let people = 0

  const post = (path: string, headers: Readonly<Record<string, string>>, body?: object) =>
    fetch(`${near}${path}`, {
      method: 'POST',
      headers: {
        'x-forwarded-for': `10.${(people >> 16) & 255}.${(people >> 8) & 255}.${people & 255}`,
        ...headers,
      },
      ...(body ? { body: JSON.stringify(body) } : {}),
    })

  const signUp = async (): Promise<Person> => {
    const email = `person-${++people}-${randomBytes(4).toString('hex')}@example.com`
    const about = { email, password: randomBytes(16).toString('hex'), delivery: 'memory' }
    const answer = await post('/auth/sign-up', { 'content-type': 'application/json' }, about)
    const { accessToken } = (await answer.json()) as { accessToken: string }
    assert.equal(answer.status, 201)
    return {
      email,
      access: accessToken,
      refresh: setCookies(answer).get('__Host-rusk_refresh') ?? assert.fail(),
    }
  }

  const ways: Readonly<Record<Way, End>> = {
    async signOut({ refresh }) {
      const answer = await post('/auth/sign-out', { cookie: `__Host-rusk_refresh=${refresh}` })
      assert.equal(answer.status, 204)
    },
    async command({ email }) {
      const args = [bin, 'sessions', 'revoke', '--user', email]
      const child = spawn(process.execPath, args, { cwd: folder, env: { PATH: process.env.PATH, ...env } })
      const [code] = await once(child, 'exit')
      assert.equal(code, 0)
    },
  }

  const delay = async (end: End): Promise<number> => {
    const who = await signUp()
    const before = await verifier.verify(who.access)
    assert.ok('verified' in before, JSON.stringify(before))
    await sleep(Math.random() * 250)
    await end(who)
    const told = performance.now()
    for (;;) {
      const verdict = await verifier.verify(who.access)
      const took = performance.now() - told
      if ('rejected' in verdict) {
        assert.equal(verdict.rejected, 'access_revoked')
        return took
      }
      assert.ok(took < 60_000, 'the end is not known after a minute')
      await sleep(1)
    }
  }

  return {
    async measure(by, count) {
      const delays: number[] = []
      while (delays.length < count) delays.push(await delay(ways[by]))
      return delays
    },
    async close() {
      verifier.close()
      await Promise.all(serving.map(each => each.end('SIGTERM')))
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** The value below which this part of them lies. */
const part = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN

export function summarise(delays: readonly number[]) {
  const sorted = delays.toSorted((a, b) => a - b)
  return { count: sorted.length, median: part(sorted, 0.5), p99: part(sorted, 0.99), worst: part(sorted, 1) }
}

const print = (sentence: string, delays: readonly number[]) => {
  const { count, median, p99, worst } = summarise(delays)
  const figures = [median, p99, worst].map(each => `${each.toFixed(0)} ms`)
  console.log(`${sentence}, ${count}: median ${figures[0]}, p99 ${figures[1]}, worst ${figures[2]}`)
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { count: { type: 'string', default: '1000' }, database: { type: 'string' } },
  })
  const nodes = values.database?.startsWith('postgres') ? 2 : 1
  const field = await openField(values.database, nodes)
  print(
    nodes === 2 ? 'Sign-outs at another node' : 'Sign-outs',
    await field.measure('signOut', Number(values.count)),
  )
  print('rusk sessions revoke', await field.measure('command', Math.min(20, Number(values.count))))
  await field.close()
}
