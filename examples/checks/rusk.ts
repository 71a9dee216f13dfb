// A real Rusk that services of other languages are tried against, and somebody who is signed in there. Knows no service.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { post, type Serving, serve, setCookies } from '../../server/test/serving.ts'

export const secret = (): string => randomBytes(32).toString('base64url')

const ada = { username: 'ada', email: 'ada@example.com', password: 'twelve blue herons' }

type Answer = Readonly<Record<string, string>>

/** What differs between the front ends of two dialects. */
const ways = {
  native: {
    prepare: undefined,
    signUp: '/auth/sign-up',
    signIn: '/auth/sign-in',
    signOut: '/auth/sign-out',
    credentials: { login: ada.username, password: ada.password, delivery: 'memory' },
    tokenOf: (body: Answer) => body.accessToken,
  },
  django: {
    prepare: '/api/csrf/',
    signUp: '/api/register/',
    signIn: '/api/token/pair',
    signOut: '/api/logout/',
    credentials: { username: ada.username, password: ada.password },
    tokenOf: (body: Answer) => body.access,
  },
} as const

export type Person = {
  readonly accessToken: string
  readonly cookies: ReadonlyMap<string, string>
  signOut(): Promise<void>
}

export type Rusk = {
  readonly serving: Serving
  readonly url: string
  readonly folder: string
  readonly serviceKey: string
  /** Signs the one user in, in a browser of its own. */
  signIn(): Promise<Person>
}

export type Published = Readonly<Record<string, string>>

export type RuskOptions = {
  readonly dialect?: keyof typeof ways
  readonly env?: Readonly<Record<string, string>>
}

/** Ends with the test, if it has not ended before. */
export async function openRusk(
  t: TestContext,
  { dialect = 'native', env = {} }: RuskOptions = {},
): Promise<Rusk> {
  const folder = await mkdtemp(join(tmpdir(), 'rusk-checks-'))
  const serviceKey = secret()
  const serving = await serve({
    args: ['--dialect', dialect],
    cwd: folder,
    env: { RUSK_SERVICE_KEYS: serviceKey, ...env },
  })
  t.after(async () => {
    await serving.end('SIGKILL')
    await rm(folder, { recursive: true, force: true })
  })
  const { url } = serving
  const way = ways[dialect]

  /** One browser: what answers set is sent with the next call. */
  const openBrowser = async () => {
    const cookies = new Map<string, string>()
    const keep = (answer: Response) => {
      for (const [name, value] of setCookies(answer)) cookies.set(name, value)
      return answer
    }
    if (way.prepare) keep(await fetch(`${url}${way.prepare}`))
    const call = async (path: string, body?: unknown) => {
      const headers = { 'x-csrftoken': cookies.get('csrftoken') ?? '' }
      const answer = keep(await post(`${url}${path}`, { body, cookies, headers }))
      assert.ok(answer.ok, `${path}: ${answer.status} ${await answer.clone().text()}`)
      return answer
    }
    return { cookies, call }
  }

  await (await openBrowser()).call(way.signUp, ada)
  return {
    serving,
    url,
    folder,
    serviceKey,
    async signIn() {
      const { cookies, call } = await openBrowser()
      const said = (await (await call(way.signIn, way.credentials)).json()) as Answer
      const accessToken = way.tokenOf(said)
      assert.ok(accessToken)
      return { accessToken, cookies, signOut: async () => void (await call(way.signOut)) }
    },
  }
}

/** The key that is published; a new Rusk has one. */
export async function keyOf({ url }: Pick<Rusk, 'url'>): Promise<Published> {
  const answer = await fetch(`${url}/.well-known/jwks.json`)
  const { keys } = (await answer.json()) as { readonly keys: readonly Published[] }
  const [key] = keys
  assert.ok(key)
  return key
}

/** The payload of a token, unchecked. */
export const claimsOf = (token: string): Readonly<Record<string, unknown>> =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
