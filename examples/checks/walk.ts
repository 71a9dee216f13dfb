// The one walk of every service that checks tokens: strangers and forgers are refused, whoever is signed in is greeted.
// Knows no language; what a service hears of a session's end is said by its test.
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { bySignature } from './forged.ts'
import { type Program, type ProgramOptions, start } from './program.ts'
import { claimsOf, keyOf, openRusk, type Person, type Rusk, type RuskOptions } from './rusk.ts'

/** `env` comes on top of what tells the service where Rusk is. */
export type Service = Omit<ProgramOptions, 'env'> & { readonly env?: ProgramOptions['env'] }

/** The status of `GET /notes` with this token. */
export const statusOf = async ({ url }: Program, token: string, method = 'GET'): Promise<number> => {
  const answer = await fetch(`${url}/notes`, { method, headers: { authorization: `Bearer ${token}` } })
  await answer.body?.cancel()
  return answer.status
}

export type Walked = { readonly rusk: Rusk; readonly service: Program; readonly person: Person }

/** Starts both, and leaves somebody signed in. */
export async function walk(
  t: TestContext,
  { env, ...service }: Service,
  options?: RuskOptions,
): Promise<Walked> {
  const rusk = await openRusk(t, options)
  const known = { RUSK_URL: rusk.url, RUSK_SERVICE_KEY: rusk.serviceKey, ...env }
  const program = await start(t, { ...service, env: known })
  const person = await rusk.signIn()
  const { accessToken } = person
  const greeting = { notes: [`Hello ${claimsOf(accessToken).sub}`] }
  const ask = (authorization?: string) =>
    fetch(`${program.url}/notes`, { headers: authorization === undefined ? {} : { authorization } })

  const nobody = await ask()
  assert.equal(nobody.status, 401)
  assert.match(nobody.headers.get('www-authenticate') ?? '', /^Bearer/)
  assert.deepEqual(await (await ask(`Bearer ${accessToken}`)).json(), greeting)
  assert.equal((await ask(`bearer ${accessToken}`)).status, 200, 'the scheme in any case')
  assert.equal((await ask(`Basic ${accessToken}`)).status, 401)
  assert.equal((await ask(accessToken)).status, 401)

  const refresh = person.cookies.get('rusk_refresh') ?? ''
  for (const [sentence, token] of bySignature(accessToken, await keyOf(rusk), refresh))
    assert.equal(await statusOf(program, token), 401, sentence)
  assert.equal(await statusOf(program, accessToken), 200, 'and none of them has broken anything')
  return { rusk, service: program, person }
}

/** Resolves when the token is refused, with the milliseconds that it took; fails after five seconds. */
export async function untilRefused(service: Program, token: string): Promise<number> {
  const started = performance.now()
  for (;;) {
    const status = await statusOf(service, token)
    const passed = performance.now() - started
    if (status === 401) return passed
    assert.ok(passed < 5000, `after ${Math.round(passed)} ms the answer is still ${status}`)
    await sleep(20)
  }
}

/** Waits until the token is over. */
export const outlive = (token: string): Promise<void> =>
  sleep(Math.max(0, Number(claimsOf(token).exp) * 1000 - Date.now()) + 10)
