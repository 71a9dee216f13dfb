// A Rusk that does as a test tells it, well or badly: a set of keys and the feed of ended sessions over real sockets, and
// tokens that its keys have signed. Knows the contract of both, and nothing of who reads them.
import assert from 'node:assert/strict'
import { generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '../src/ended.ts'
import type { AccessClaims, Options, Unreachable, Verdict, Verifier } from '../src/index.ts'
import { openVerifier } from '../src/verifier.ts'
import { ed25519, es256, forge, type Sign } from './forge.ts'
import { lived } from './lived.ts'

export const serviceKey = 'a-service-key-of-more-than-thirty-two-bytes'

export type Asked = {
  readonly path: string
  readonly query: URLSearchParams
  readonly authorization: string | undefined
}

export type Reply = (response: ServerResponse, asked: Asked) => void

export type Key = { readonly kid: string; readonly jwk: object; readonly sign: Sign; readonly alg: string }

export type Issuer = {
  readonly url: string
  readonly clock: MovableClock
  /** Every call that has come. */
  readonly asked: Asked[]
  keysAsked(): number
  feedAsked(): number
  /** How many questions are held back until there is news. */
  waiting(): number
  /** How the two places answer from now on; `well` as they should. */
  readonly answers: { keys: Reply; feed: Reply }
  readonly well: { readonly keys: Reply; readonly feed: Reply }
  /** What is published, and which of it the feed names; undefined: all of it. */
  published: readonly Key[]
  accepted: readonly string[] | undefined
  /** What else the feed says: of itself, as a Rusk of today does. Nothing until a test says so, as an older one. */
  tells: () => object
  /** Seconds. */
  notBefore: number
  remember: number
  end(...sessions: readonly string[]): void
  /** Whoever waits is answered. */
  wake(): void
  /** No connection gets through until `up`. */
  down(): void
  up(): Promise<void>
  token(claims?: Partial<AccessClaims>, key?: Key): string
  /** Closed with the test. */
  verifier(options?: Partial<Options>): Verifier & { readonly troubles: Unreachable[] }
}

export function makeKey(algorithm: 'ES256' | 'EdDSA' = 'ES256', kid: string = randomUUID()): Key {
  const pair: { readonly publicKey: KeyObject; readonly privateKey: KeyObject } =
    algorithm === 'ES256'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : generateKeyPairSync('ed25519')
  const jwk = { ...pair.publicKey.export({ format: 'jwk' }), kid, alg: algorithm, use: 'sig' }
  return { kid, jwk, alg: algorithm, sign: (algorithm === 'ES256' ? es256 : ed25519)(pair.privateKey) }
}

export type MovableClock = Clock & {
  /** Both clocks, in milliseconds. */
  advance(by: number): void
  /** Somebody sets the clock on the wall. */
  set(by: number): void
}

/** Time as it is lived, from which it can be moved. */
export function movableClock(): MovableClock {
  const began = Date.now() - lived()
  let passed = 0
  let wall = 0
  return {
    now: () => began + lived() + passed + wall,
    passed: () => lived() + passed,
    advance(by) {
      passed += by
    },
    set(by) {
      wall += by
    },
  }
}

export const json =
  (body: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): Reply =>
  response =>
    void response
      .writeHead(status, { 'content-type': 'application/json', ...headers })
      .end(JSON.stringify(body))

export const text =
  (body: string, status = 200, headers: Readonly<Record<string, string>> = {}): Reply =>
  response =>
    void response.writeHead(status, headers).end(body)

/** The connection stands, and nothing comes. */
export const silent: Reply = () => undefined

/** Waits until it holds, ten seconds at most. */
export async function until(holds: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadline = lived() + 10_000
  while (!(await holds())) {
    assert.ok(lived() < deadline, `not within ten seconds: ${what}`)
    await sleep(5)
  }
}

export const reasonOf = (verdict: Verdict): string => ('rejected' in verdict ? verdict.rejected : 'verified')

/** Ends with the test. */
export async function openIssuer(t: Pick<TestContext, 'after'>): Promise<Issuer> {
  const asked: Asked[] = []
  const ended: string[] = []
  const waiting = new Set<() => void>()
  const clock = movableClock()
  const count = (path: string) => asked.filter(each => each.path === path).length
  const keysPath = '/.well-known/jwks.json'
  const feedPath = '/auth/revocations'

  /** The cursor is how many had ended when it was given. */
  const feed: Reply = (response, { query }) => {
    const after = query.get('after')
    const seen = Number(after ?? 0)
    const tell = () => {
      clearTimeout(timer)
      waiting.delete(tell)
      json({
        cursor: String(ended.length),
        ended: ended.slice(seen),
        not_before: issuer.notBefore,
        keys: issuer.accepted ?? issuer.published.map(({ kid }) => kid),
        remember: issuer.remember,
        ...issuer.tells(),
      })(response, { path: feedPath, query, authorization: undefined })
    }
    const wait = Number(query.get('wait') ?? 0)
    const timer = setTimeout(tell, wait * 1000)
    waiting.add(tell)
    response.on('close', () => {
      clearTimeout(timer)
      waiting.delete(tell)
    })
    if (wait === 0 || ended.length > seen) tell()
  }
  const well = {
    keys: ((response, about) =>
      json({ keys: issuer.published.map(({ jwk }) => jwk) })(response, about)) as Reply,
    feed,
  }

  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost')
    const call: Asked = {
      path: url.pathname,
      query: url.searchParams,
      authorization: request.headers.authorization,
    }
    asked.push(call)
    const reply = { [keysPath]: issuer.answers.keys, [feedPath]: issuer.answers.feed }[url.pathname]
    ;(reply ?? text('', 404))(response, call)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const down = () => {
    server.closeAllConnections()
    server.close()
  }
  t.after(down)

  const issuer: Issuer = {
    url: `http://127.0.0.1:${port}`,
    clock,
    asked,
    keysAsked: () => count(keysPath),
    feedAsked: () => count(feedPath),
    waiting: () => waiting.size,
    answers: { ...well },
    well,
    published: [makeKey()],
    accepted: undefined,
    tells: () => ({}),
    notBefore: 0,
    remember: 24 * 60 * 60,
    end(...sessions) {
      ended.push(...sessions)
      issuer.wake()
    },
    wake() {
      for (const tell of [...waiting]) tell()
    },
    down,
    async up() {
      server.listen(port, '127.0.0.1')
      await once(server, 'listening')
    },
    token(claims = {}, key = issuer.published[0] ?? assert.fail()) {
      const iat = Math.floor(clock.now() / 1000)
      const said = {
        iss: issuer.url,
        sub: 'jack',
        sid: randomUUID(),
        iat,
        exp: iat + 600,
        jti: randomUUID(),
        ...claims,
      }
      return forge({ alg: key.alg, typ: 'at+jwt', kid: key.kid }, said, key.sign)
    },
    verifier(options = {}) {
      const troubles: Unreachable[] = []
      const follows = 'serviceKey' in options || 'revocation' in options ? {} : { serviceKey }
      const verifier = openVerifier(
        { issuer: issuer.url, onTrouble: error => troubles.push(error), ...follows, ...options },
        clock,
      )
      t.after(() => verifier.close())
      return { ...verifier, troubles }
    },
  }
  return issuer
}

/** A token of this session, and its claims as the verifier has read them. */
export async function signIn(
  issuer: Issuer,
  verifier: Verifier,
  sid: string,
  more: Partial<AccessClaims> = {},
) {
  const token = issuer.token({ sid, ...more })
  const verdict = await verifier.verify(token)
  assert.ok(verdict.verified, JSON.stringify(verdict))
  return { token, claims: verdict.verified }
}

/** How often it was told, why, and when for the last time (as `lived()` has it). */
export function listen(verifier: Verifier, claims: AccessClaims) {
  const told = { times: 0, at: 0, why: '' }
  const stop = verifier.whenEnded(claims, why => {
    told.times++
    told.why = why
    told.at = lived()
  })
  return Object.assign(told, { stop })
}
