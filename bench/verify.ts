// What it costs to check an access token, side by side: the bare signature, @rusk/verify, jose, fast-jwt. Run by itself it
// measures this alone; `npm run bench` does it before the rest. Rounds are interleaved, and the best of each counts.
import assert from 'node:assert/strict'
import {
  createHmac,
  type KeyObject,
  randomBytes,
  randomUUID,
  timingSafeEqual,
  verify,
  type webcrypto,
} from 'node:crypto'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createVerifier } from '@rusk/verify'
import { type Expectation, readAccessToken } from '@rusk/verify/floor'
import { type Algorithm, createVerifier as createFastJwt } from 'fast-jwt'
import { jwtVerify } from 'jose'
import { signAccessToken } from '../server/src/crypto/jwt.ts'
import {
  makeSigningKey,
  openSigningKey,
  type SigningKey,
  sharedSigningKey,
} from '../server/src/crypto/keys.ts'

const rounds = Number(process.env.BENCH_ROUNDS ?? 12)
/** Milliseconds of each contender in each round, at least. */
const roundLength = 60
/** Fewer than any cache here holds. */
const count = 500

const shared = randomBytes(32).toString('base64url')
const pair = (algorithm: 'ES256' | 'EdDSA') => openSigningKey({ ...makeSigningKey(algorithm), algorithm })
const keys: readonly SigningKey[] = [pair('ES256'), pair('EdDSA'), sharedSigningKey(shared)]

/** Checks every token once; throws when one is not good. */
type Pass = (tokens: readonly string[]) => void | Promise<void>

type Contender = {
  readonly what: string
  /** Opened for each pass anew: it must not have seen the tokens. The others have seen them once. */
  readonly fresh: boolean
  open(): Pass | Promise<Pass>
}

const bare: Readonly<
  Record<SigningKey['algorithm'], (key: KeyObject, data: Buffer, made: Buffer) => boolean>
> = {
  ES256: (key, data, made) => verify('sha256', data, { key, dsaEncoding: 'ieee-p1363' }, made),
  EdDSA: (key, data, made) => verify(null, data, key, made),
  HS256: (key, data, made) => timingSafeEqual(createHmac('sha256', key).update(data).digest(), made),
}

function* tokensOf(key: SigningKey, issuer: string): Generator<string> {
  const iat = Math.floor(Date.now() / 1000)
  const sub = randomBytes(16).toString('base64url')
  for (let i = 0; i < count; i++) {
    const sid = randomBytes(16).toString('base64url')
    yield signAccessToken(key, { iss: issuer, sub, sid, iat, exp: iat + 3600, jti: randomUUID() })
  }
}

const split = (token: string): readonly [data: Buffer, made: Buffer] => {
  const dot = token.lastIndexOf('.')
  return [Buffer.from(token.slice(0, dot), 'latin1'), Buffer.from(token.slice(dot + 1), 'base64url')]
}

/** What WebCrypto makes of the key: jose works with it. */
const cryptoKeyOf = ({ algorithm, verify: key }: SigningKey): webcrypto.CryptoKey => {
  const named = {
    ES256: { name: 'ECDSA', namedCurve: 'P-256' },
    EdDSA: { name: 'Ed25519' },
    HS256: { name: 'HMAC', hash: 'SHA-256' },
  } as const
  return key.toCryptoKey(named[algorithm], false, ['verify'])
}

function contendersFor(key: SigningKey, issuer: string, tokens: readonly string[]): readonly Contender[] {
  const halves = tokens.map(split)
  const { algorithm } = key
  const expect: Expectation = {
    key: id => (id === (algorithm === 'HS256' ? undefined : key.id) ? key : undefined),
    issuer,
    audience: undefined,
    now: Date.now(),
    skew: 60_000,
    longest: 24 * 60 * 60_000,
  }
  const openOurs = async (): Promise<Pass> => {
    const ours = createVerifier({
      issuer,
      revocation: 'none',
      ...(algorithm === 'HS256' ? { key: shared } : {}),
    })
    await ours.ready()
    return async tokens => {
      for (const token of tokens) assert.ok('verified' in (await ours.verify(token)))
    }
  }
  const openJose = (made: KeyObject | webcrypto.CryptoKey) => (): Pass => {
    const expected = { issuer, typ: 'at+jwt', algorithms: [algorithm] }
    return async tokens => {
      for (const token of tokens) await jwtVerify(token, made, expected)
    }
  }
  const openFastJwt = (cache: boolean) => (): Pass => {
    const pem = algorithm === 'HS256' ? shared : key.verify.export({ format: 'pem', type: 'spki' })
    const algorithms: Algorithm[] = [algorithm]
    const check = createFastJwt({ key: pem, algorithms, allowedIss: issuer, checkTyp: 'at+jwt', cache })
    return tokens => {
      for (const token of tokens) check(token)
    }
  }
  return [
    {
      what: 'bare signature',
      fresh: false,
      open: () => () => {
        for (const [data, made] of halves) assert.ok(bare[algorithm](key.verify, data, made))
      },
    },
    {
      what: '`readAccessToken`, which the verifier calls',
      fresh: false,
      open: () => tokens => {
        for (const token of tokens) assert.ok(readAccessToken(token, expect))
      },
    },
    { what: '`verify`, a token seen for the first time', fresh: true, open: openOurs },
    { what: '`verify`, one seen before', fresh: false, open: openOurs },
    { what: 'jose, KeyObject', fresh: false, open: openJose(key.verify) },
    { what: 'jose, CryptoKey', fresh: false, open: openJose(cryptoKeyOf(key)) },
    { what: 'fast-jwt', fresh: false, open: openFastJwt(false) },
    { what: 'fast-jwt, cache: true', fresh: false, open: openFastJwt(true) },
  ]
}

/** Microseconds each. */
type Cost = { readonly cpu: number; readonly time: number }

/** Texts as they come from the network: of the same letters, and never seen by anybody. */
const copiesOf = (tokens: readonly string[]): readonly string[] =>
  tokens.map(token => Buffer.from(token, 'latin1').toString('latin1'))

async function measure({ fresh, open }: Contender, tokens: readonly string[]): Promise<Cost> {
  let [cpu, time, passes] = [0, 0, 0]
  let pass = await open()
  if (!fresh) await pass(copiesOf(tokens))
  for (; time < roundLength * 1000; passes++) {
    if (fresh && passes > 0) pass = await open()
    const copies = copiesOf(tokens)
    const [used, began] = [process.cpuUsage(), performance.now()]
    await pass(copies)
    time += (performance.now() - began) * 1000
    const { user, system } = process.cpuUsage(used)
    cpu += user + system
  }
  return { cpu: cpu / passes / count, time: time / passes / count }
}

const best = (costs: readonly Cost[]): Cost => ({
  cpu: Math.min(...costs.map(({ cpu }) => cpu)),
  time: Math.min(...costs.map(({ time }) => time)),
})

/** Publishes the keys where the verifier asks for them, as Rusk does. */
async function publish(): Promise<{ readonly url: string; close(): void }> {
  const published = keys.flatMap(key => (key.published === null ? [] : [JSON.parse(key.published)]))
  const body = JSON.stringify({ keys: published })
  const server = createServer((_, response) =>
    response.writeHead(200, { 'content-type': 'application/json' }).end(body),
  )
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const close = () => {
    server.closeAllConnections()
    server.close()
  }
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close }
}

export type Row = Readonly<Record<string, string>>

/** One row for each contender under each algorithm. Takes about half a minute. */
export async function measureVerify(): Promise<readonly Row[]> {
  const { url, close } = await publish()
  try {
    const contenders = keys.flatMap(key => {
      const tokens = [...tokensOf(key, url)]
      return contendersFor(key, url, tokens).map(each => ({ ...each, key, tokens, costs: [] as Cost[] }))
    })
    for (let round = 0; round <= rounds; round++) {
      process.stderr.write(
        `\rchecking tokens, round ${round} of ${rounds}${round === 0 ? ' (warm-up)' : '          '}`,
      )
      for (const contender of contenders) {
        const cost = await measure(contender, contender.tokens)
        if (round > 0) contender.costs.push(cost)
      }
    }
    process.stderr.write('\n')
    return contenders.map(({ what, key, costs }) => {
      const mine = best(costs)
      const [signature] = contenders.filter(each => each.key === key)
      return {
        algorithm: key.algorithm,
        what,
        'CPU µs each': mine.cpu.toFixed(2),
        '× bare signature': (mine.cpu / best(signature?.costs ?? []).cpu).toFixed(3),
        'checks/s': (1e6 / mine.time).toFixed(0),
      }
    })
  } finally {
    close()
  }
}

if (import.meta.main) {
  const rows = await measureVerify()
  console.table(rows)
  if (process.argv.includes('--keep')) {
    const results = new URL('results.json', import.meta.url)
    const kept = JSON.parse(await readFile(results, 'utf8'))
    await writeFile(results, `${JSON.stringify({ ...kept, 'checking access tokens': rows }, null, 2)}\n`)
  }
}
