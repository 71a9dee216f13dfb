// A Rusk with somebody signed in, and two services that trust it: one takes the access cookie, one bearer tokens alone.
import assert from 'node:assert/strict'
import type { SigningKey } from '../../server/src/crypto/keys.ts'
import type { Options as RuskOptions } from '../../server/src/index.ts'
import type { Options } from '../src/index.ts'
import { asRusk, decode, forge, partsOf, type Sign } from './forge.ts'
import { type Ending, type Running, runRusk, type SignedIn } from './rusk.ts'
import { type Answer, runSample, type Sample } from './sample.ts'

export type World = {
  readonly rusk: Running
  readonly jack: SignedIn
  /** Jack's access token, and what it says. */
  readonly token: string
  readonly header: Readonly<Record<string, unknown>>
  readonly claims: Readonly<Record<string, unknown>>
  readonly key: SigningKey
  readonly cookie: Sample
  readonly bearer: Sample
  /** What Rusk would have signed. Without arguments the same as `token`, signed anew. */
  forge(header?: unknown, payload?: unknown, signed?: Sign): string
}

export async function openWorld(
  t: Ending,
  about: RuskOptions = {},
  options: Partial<Options> = {},
): Promise<World> {
  const rusk = await runRusk(t, about)
  const jack = await rusk.signUp('jack')
  const [head, payload] = partsOf(jack.access)
  const [header, claims] = [decode(head), decode(payload)]
  const key = rusk.signing()
  const settings: Options = { issuer: rusk.url, revocation: 'none', ...options }
  const cookie = await runSample(t, settings)
  const bearer = await runSample(t, { ...settings, cookie: false })
  const write = (head: unknown = header, payload: unknown = claims, signed: Sign = asRusk(key)): string =>
    forge(head, payload, signed)
  return { rusk, jack, token: jack.access, header, claims, key, cookie, bearer, forge: write }
}

/** The two ways in which a service is handed a token. */
export const ways: Readonly<Record<'cookie' | 'bearer', (world: World, token: string) => Promise<Answer>>> = {
  cookie: ({ cookie }, token) => cookie.ask(`Cookie: rusk_access=${token}`),
  bearer: ({ bearer }, token) => bearer.ask(`Authorization: Bearer ${token}`),
}

/** The stable code of a refusal. */
export const codeOf = ({ body }: Answer): unknown => (body === '' ? undefined : JSON.parse(body).code)

/** That somebody honest is still let in. */
export async function assertAlive(world: World): Promise<void> {
  for (const ask of Object.values(ways)) {
    const answer = await ask(world, world.token)
    assert.equal(answer.status, 200, answer.body)
    assert.equal(JSON.parse(answer.body).sub, world.claims.sub)
  }
}
