// Rotation under load: browsers of two dialects that live on while days go by, while access, refresh and sealing keys are
// replaced beneath them again and again, and a service that checks access tokens by a key set it keeps for five minutes.
import assert from 'node:assert/strict'
import { createPublicKey, randomBytes, type webcrypto } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { readAccessToken, type VerifyingKey } from '@rusk/verify/floor'
import { longestAccess } from '../src/core/policy.ts'
import type { Options } from '../src/index.ts'
import type { Seams, System } from '../src/system.ts'
import { openAssembled } from './assembled.ts'
import { freshDatabase } from './store/stores.ts'

const [second, minute, hour, day] = [1000, 60_000, 3_600_000, 86_400_000]
const password = 'seven brave otters sing'

const wants: Options = {
  pages: false,
  keys: { rotate: '20d' },
  session: { idle: '60d' },
  proxies: ['127.0.0.1'],
  throttle: { signIn: '100000/1m' },
  port: 0,
  log: { level: 'silent' },
}

const open = (t: TestContext, options: Options, seams: Seams): Promise<System> =>
  openAssembled(t, { ...wants, ...options }, seams)

/** The one clock of this world, which no test waits for. */
class Clock {
  now = Date.UTC(2026, 0, 1)
  readonly read = () => this.now
}

/** What went otherwise than an honest client may expect. */
type Account = { calls: number; checks: number; signIns: number; readonly wrong: string[] }

/** `urls`: servers of one dialect; the first is the issuer of them all. */
type Ground = { readonly clock: Clock; readonly urls: readonly string[]; readonly account: Account }

type Cookie = { readonly value: string; readonly until: number }

let callers = 0

/** A browser, as far as cookies go: they are dropped when their Max-Age is over. */
class Jar {
  readonly cookies = new Map<string, Cookie>()
  readonly ground: Ground
  constructor(ground: Ground) {
    this.ground = ground
  }

  get(name: string): string | undefined {
    const cookie = this.cookies.get(name)
    return cookie && cookie.until > this.ground.clock.now ? cookie.value : undefined
  }

  async call(line: string, want: number, more: { json?: object; headers?: Record<string, string> } = {}) {
    const { clock, urls, account } = this.ground
    const [method = '', path = ''] = line.split(' ')
    callers += 1
    const live = [...this.cookies].filter(([, { until }]) => until > clock.now)
    const answer = await fetch(`${urls[callers % urls.length]}${path}`, {
      method,
      headers: {
        cookie: live.map(([name, { value }]) => `${name}=${value}`).join('; '),
        // Everybody calls from elsewhere: throttles are not what is tried here.
        'x-forwarded-for': `10.${(callers >> 16) & 255}.${(callers >> 8) & 255}.${callers & 255}`,
        ...(more.json ? { 'content-type': 'application/json' } : {}),
        ...more.headers,
      },
      ...(more.json ? { body: JSON.stringify(more.json) } : {}),
    })
    for (const set of answer.headers.getSetCookie()) {
      const [, name = '', value = '', age = ''] = /^([^=]+)=([^;]*); Max-Age=(\d+)/.exec(set) ?? []
      this.cookies.set(name, { value, until: clock.now + Number(age) * second })
    }
    account.calls += 1
    const text = await answer.text()
    if (answer.status !== want)
      account.wrong.push(`${new Date(clock.now).toISOString()} ${line}: ${answer.status} ${text}`)
    return text
  }
}

/** Knows the keys as a service does that asks for them every five minutes, and not because a token names another. */
class Service {
  readonly #ground: Ground
  #keys = new Map<string, VerifyingKey>()
  #readAt = Number.NEGATIVE_INFINITY
  constructor(ground: Ground) {
    this.#ground = ground
  }

  async check(token: string): Promise<void> {
    const { clock, urls, account } = this.#ground
    if (clock.now >= this.#readAt + 5 * minute) {
      const answer = await fetch(`${urls[0]}/.well-known/jwks.json`)
      assert.equal(answer.headers.get('cache-control'), 'public, max-age=300')
      const { keys } = (await answer.json()) as { keys: (webcrypto.JsonWebKey & { kid: string })[] }
      this.#keys = new Map(
        keys.map(jwk => [
          jwk.kid,
          { id: jwk.kid, algorithm: 'ES256', verify: createPublicKey({ key: jwk, format: 'jwk' }) },
        ]),
      )
      this.#readAt = clock.now
    }
    account.checks += 1
    const read = readAccessToken(token, {
      key: id => this.#keys.get(id ?? ''),
      issuer: urls[0] ?? '',
      audience: undefined,
      now: clock.now,
      skew: minute,
      longest: longestAccess,
    })
    if (!read || !('claims' in read))
      account.wrong.push(`${new Date(clock.now).toISOString()} a service: ${token}`)
  }
}

/** A token and when it is over; beyond that nobody presents it. */
type Held = { readonly token: string; readonly until: number }

const held = (token: string): Held => {
  const { exp } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as {
    exp: number
  }
  return { token, until: exp * second }
}

/** What a dialect's front end calls. */
type Manner = {
  signIn(jar: Jar, login: string): Promise<string>
  refresh(jar: Jar): Promise<string>
  me(jar: Jar, token: string): Promise<unknown>
  leave(jar: Jar): Promise<unknown>
}

const accessIn = (jar: Jar): string => jar.get('rusk_access') ?? ''

const native: Manner = {
  async signIn(jar, login) {
    await jar.call('POST /auth/sign-in', 200, { json: { login, password } })
    return accessIn(jar)
  },
  async refresh(jar) {
    await jar.call('POST /auth/refresh', 200)
    return accessIn(jar)
  },
  me: jar => jar.call('GET /auth/session', 200),
  leave: jar => jar.call('POST /auth/sign-out', 204),
}

/** Asks for a CSRF token when there is none, and else goes on with the one it has. */
async function csrf(jar: Jar): Promise<Record<string, string>> {
  if (jar.get('csrftoken') === undefined) await jar.call('GET /api/csrf/', 204)
  return { 'x-csrftoken': jar.get('csrftoken') ?? '' }
}

const accessOf = (text: string): string => (JSON.parse(text) as { access?: string }).access ?? ''

const django: Manner = {
  async signIn(jar, login) {
    const json = { username: login, password }
    return accessOf(await jar.call('POST /api/token/pair', 200, { json, headers: await csrf(jar) }))
  },
  refresh: async jar =>
    accessOf(await jar.call('POST /api/token/refresh/', 200, { headers: await csrf(jar) })),
  me: (jar, token) => jar.call('GET /api/me/', 200, { headers: { authorization: `Bearer ${token}` } }),
  leave: async jar => jar.call('POST /api/logout/', 204, { headers: await csrf(jar) }),
}

const any = (most: number): number => Math.random() * most

/** Somebody who comes now and then, leaves now and then, and stays away for as long as their session may be idle. */
class Person {
  readonly jar: Jar
  readonly #manner: Manner
  readonly #login: string
  readonly #ground: Ground
  readonly #service: Service
  #tokens: readonly Held[] = []
  #signedInAt: number | undefined
  #awayUntil: number
  constructor(manner: Manner, login: string, ground: Ground, service: Service) {
    this.jar = new Jar(ground)
    this.#manner = manner
    this.#login = login
    this.#ground = ground
    this.#service = service
    this.#awayUntil = ground.clock.now + any(20 * day)
  }

  async act(): Promise<void> {
    const { clock, account } = this.#ground
    this.#tokens = this.#tokens.filter(({ until }) => until > clock.now)
    for (const { token } of this.#tokens.slice(-2)) {
      await this.#manner.me(this.jar, token)
      await this.#service.check(token)
    }
    if (clock.now < this.#awayUntil) return
    if (this.#signedInAt === undefined || clock.now > this.#signedInAt + 85 * day) {
      // A call that is answered leaves the CSRF token of before in the jar, months old perhaps.
      this.#tokens = [held(await this.#manner.signIn(this.jar, this.#login))]
      this.#signedInAt = clock.now
      account.signIns += 1
    } else this.#tokens = [...this.#tokens, held(await this.#manner.refresh(this.jar))]
    // A service may see it before it has looked at the keys again.
    for (const { token } of this.#tokens.slice(-1)) await this.#service.check(token)
    if (any(1) < 0.015) {
      await this.#manner.leave(this.jar)
      this.#tokens = []
      this.#signedInAt = undefined
      this.#awayUntil = clock.now + any(300 * day)
    } else if (any(1) < 0.04) {
      const ends = (this.#signedInAt ?? 0) + 89 * day
      this.#awayUntil = Math.min(clock.now + any(59 * day), Math.max(clock.now, ends))
    }
  }
}

/** A browser that lies in a drawer: signed in, and then used once, on the last day on which its session may be idle. */
class Drawer {
  readonly #manner: Manner
  readonly #login: string
  readonly #ground: Ground
  #jar: Jar | undefined
  #openAt = 0
  constructor(manner: Manner, login: string, ground: Ground) {
    this.#manner = manner
    this.#login = login
    this.#ground = ground
  }

  async act(): Promise<void> {
    const { now } = this.#ground.clock
    if (this.#jar === undefined) {
      this.#jar = new Jar(this.#ground)
      await this.#manner.signIn(this.#jar, this.#login)
      this.#openAt = now + 58.5 * day
    } else if (now >= this.#openAt) {
      await this.#manner.refresh(this.#jar)
      this.#jar = undefined
    }
  }
}

type Spoken = 'native' | 'django'

const manners: Readonly<Record<Spoken, Manner>> = { native, django }

// [store, the dialects of the servers on it, days]
const worlds: ['sqlite' | 'postgres', readonly Spoken[], number][] = [
  ['sqlite', ['django'], 500],
  ['sqlite', ['native'], 200],
  // They know different lives of tokens, and keep each other's keys.
  ['postgres', ['native', 'native', 'django'], 420],
]

/** Servers of each dialect on one store, and people on them. */
async function openWorld(t: TestContext, kind: 'sqlite' | 'postgres', spoken: readonly Spoken[]) {
  const clock = new Clock()
  const database = await freshDatabase[kind](t)
  const account: Account = { calls: 0, checks: 0, signIns: 0, wrong: [] }
  const seams = { clock: clock.read, keysLookedAt: 10 * day }
  // On SQLite the key file seals.
  const sealing = kind === 'sqlite' ? {} : { secret: randomBytes(32).toString('base64url') }
  const servers: { readonly dialect: Spoken; readonly system: System; readonly url: string }[] = []
  for (const dialect of spoken) {
    const url = servers.find(each => each.dialect === dialect)?.system.settings.site.url
    const options = { database, dialect: [dialect], ...sealing, ...(url === undefined ? {} : { url }) }
    const system = await open(t, options, { ...seams, serving: true })
    const listening = await system.listen()
    t.after(() => listening.close())
    servers.push({ dialect, system, url: listening.url })
  }
  const people: Person[] = []
  const drawers: Drawer[] = []
  for (const dialect of new Set(spoken)) {
    const own = servers.filter(each => each.dialect === dialect)
    const ground = { clock, account, urls: own.map(({ url }) => url) }
    const service = new Service(ground)
    for (let i = 0; i < 12; i++) {
      const login = `${dialect}${i}`
      const made = { email: `${login}@example.com`, username: login, password }
      await own[0]?.system.createUser(made, { skipPolicy: true, superuser: false })
      people.push(new Person(manners[dialect], login, ground, service))
    }
    drawers.push(new Drawer(manners[dialect], `${dialect}0`, ground))
  }
  const command = () => open(t, { database, ...sealing }, { clock: clock.read, serving: false })
  return { clock, account, people, drawers, systems: servers.map(({ system }) => system), command }
}

for (const [kind, spoken, days] of worlds) {
  test(`${kind}, ${spoken.join(' and ')}: for ${days} days nobody is refused or signed out while all keys are replaced`, async t => {
    const { clock, account, people, drawers, systems, command } = await openWorld(t, kind, spoken)
    const [system] = systems
    assert.ok(system)
    const end = clock.now + days * day
    let resealed = 0
    let resealAt = clock.now + 30 * day
    const reseal = async () => {
      if (kind === 'postgres' || clock.now < resealAt) return
      resealAt = clock.now + 30 * day
      const beside = await command()
      if ((await beside.rotateSealing()) > 0) resealed += 1
      await beside.close()
    }
    const onItsWay = () =>
      system.keyring.rows().some(({ signsFrom }) => Math.abs(signsFrom - clock.now) < 20 * minute)
    while (clock.now < end) {
      await Promise.all([
        ...people.map(person => person.act()),
        ...drawers.map(drawer => drawer.act()),
        // All servers look at the same moment.
        ...systems.map(({ keyring }) => keyring.keepUp(clock.now)),
        reseal(),
      ])
      // Within a second of the others, that is before the next step.
      await Promise.all(systems.map(({ keyring }) => keyring.reload()))
      // By the minute while a key is on its way, else by the day.
      clock.now += Math.round(onItsWay() ? minute + any(3 * minute) : 4 * hour + any(26 * hour))
    }

    assert.deepEqual(account.wrong, [])
    const events = await system.store.events({ limit: 100_000 })
    const count = (type: string) => events.filter(event => event.type === type).length
    const left = system.keyring.rows()
    assert.ok(left.length <= 3 + 420 / 20, `${left.length} keys are left`)
    assert.ok(count('key_added') >= 2 * Math.floor(days / 25), `${count('key_added')} keys were added`)
    assert.equal(count('key_added') - count('key_erased'), left.length)
    assert.ok(kind === 'postgres' || resealed >= days / 40, `${resealed} times sealed anew`)
    assert.equal(count('session_reused') + count('store_went_back'), 0)
    t.diagnostic(
      `${account.calls} calls, ${account.checks} tokens checked by services, ${account.signIns} sign-ins, ` +
        `${count('key_added')} keys, ${resealed} secrets`,
    )
  })
}

test('a server rotates by itself when keys are due, and not where that is off', async t => {
  const clock = new Clock()
  const seams = { clock: clock.read, keysLookedAt: 20, serving: true }
  const often = await open(t, { database: 'sqlite::memory:' }, seams)
  const never = await open(t, { database: 'sqlite::memory:', keys: { rotate: 'never' } }, seams)
  const keys = ({ keyring }: System) => keyring.rows().length
  const grown = async (count: number) => {
    const deadline = Date.now() + 10_000
    while (keys(often) < count && Date.now() < deadline) await sleep(20)
  }
  await grown(3)
  // With the MAC key that lies ready.
  assert.deepEqual([keys(often), keys(never)], [3, 2])
  clock.now += 20 * day
  await grown(5)
  assert.deepEqual([keys(often), keys(never)], [5, 2])
})

test('a server that starts after keys were due rotates soon', async t => {
  const clock = new Clock()
  const database = await freshDatabase.sqlite(t)
  const start = () => open(t, { database }, { clock: clock.read, serving: true, keysLookedAt: 20 })
  await (await start()).close()
  clock.now += 400 * day
  const { keyring } = await start()
  const deadline = Date.now() + 10_000
  while (keyring.rows().length < 4 && Date.now() < deadline) await sleep(50)
  assert.ok(keyring.rows().length >= 4)
})

test('a clock that was just set decides nothing: no key is made or erased by it', async t => {
  const clock = new Clock()
  const { keyring } = await open(
    t,
    { database: 'sqlite::memory:' },
    { clock: clock.read, keysLookedAt: 400, serving: true },
  )
  const start = Date.now()
  while (keyring.rows().length < 3 && Date.now() - start < 10_000) await sleep(20)
  const before = keyring.rows()
  assert.equal(before.length, 3)
  // As from a battery that is a year off, until the network has told the time.
  clock.now += 400 * day
  await sleep(100)
  clock.now -= 400 * day
  await sleep(1500)
  assert.deepEqual(keyring.rows(), before)
})
