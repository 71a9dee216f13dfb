// Tokens that name keys which nobody has, while Rusk is slow or away: they hold up nobody else, and do not make a flood of
// questions. Knows no language.
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { freshClaims, honest, type Issuer } from './forged.ts'
import type { KeysPlayed } from './played.ts'

/** Milliseconds: a service gives up a question after two seconds, and rests for one. */
const [patience, pause] = [2000, 1000]

/** Milliseconds, on a machine that does something else as well. */
const leeway = 900

const takes = async (work: Promise<unknown>): Promise<number> => {
  const begun = performance.now()
  await work
  return performance.now() - begun
}

/** `statusOf`: of a call with this token. */
export async function holdUpNobody(
  rusk: KeysPlayed,
  issuer: Issuer,
  statusOf: (token: string) => Promise<number>,
): Promise<void> {
  const claims = freshClaims(rusk.url)
  const good = honest(issuer, claims)
  let names = 0
  const madeUp = () => honest({ ...issuer, header: { ...issuer.header, kid: `made up ${names++}` } }, claims)
  assert.equal(await statusOf(good), 200)
  // [sentence, milliseconds until Rusk answers, what a made-up name is answered]
  const days: [string, number | undefined, number][] = [
    ['Rusk is away', undefined, 503],
    ['Rusk is slow', 1500, 401],
  ]
  for (const [sentence, slow, status] of days) {
    while ((await statusOf(madeUp())) !== 401) await sleep(pause)
    rusk.slow = slow
    const first = rusk.asked.length
    const until = performance.now() + 2 * (patience + pause)
    let waited = 0
    let heldUp = 0
    const strangers = Array.from({ length: 10 }, async () => {
      while (performance.now() < until) {
        const call = statusOf(madeUp())
        const took = await takes(call)
        assert.ok(took < patience + leeway, `${sentence}: a stranger waits for two questions`)
        if (took > leeway) waited++
        assert.ok([status, 401].includes(await call), `${sentence}: ${await call}`)
        await sleep(50)
      }
    })
    while (performance.now() < until) {
      const call = statusOf(good)
      const took = await takes(call)
      assert.equal(await call, 200, sentence)
      if (took > leeway) heldUp++
      await sleep(100)
    }
    await Promise.all(strangers)
    const asked = rusk.asked.slice(first)
    assert.ok(asked.length >= 2, `${sentence}: asked ${asked.length} times`)
    // Each question would hold one up.
    assert.ok(heldUp < 2, `${sentence}: ${heldUp} good calls were held up`)
    // All ten the first time, when nobody knows, then one for all; else it is ten again.
    if (slow === undefined) assert.ok(waited < 16, `${sentence}: ${waited} strangers waited`)
    for (const [i, at] of asked.entries()) {
      const since = at - (asked[i - 1] ?? Number.NEGATIVE_INFINITY)
      const least = (slow ?? patience) + pause - leeway
      assert.ok(since > least, `${sentence}: asked again after ${Math.round(since)} ms`)
    }
    rusk.slow = 0
  }
}

/**
 * Of a service for which keys are fresh for one second and used for four: a key that is published no more is refused, and
 * one that cannot be had anew is used for those four.
 */
export async function useOldKeys(
  rusk: KeysPlayed,
  issuer: Required<Issuer>,
  statusOf: (token: string) => Promise<number>,
): Promise<void> {
  const good = honest(issuer, freshClaims(rusk.url))
  const until = async (status: number, longest: number) => {
    const begun = performance.now()
    while ((await statusOf(good)) !== status) {
      assert.ok(performance.now() - begun < longest, `still not ${status}`)
      await sleep(20)
    }
    return performance.now() - begun
  }
  assert.equal(await statusOf(good), 200)
  const { keys } = rusk
  rusk.keys = [{ ...issuer.jwk, kid: 'of tomorrow' }]
  await sleep(1500)
  assert.equal(await statusOf(good), 401, 'a key that was given up')
  rusk.keys = keys
  await until(200, 10_000)
  rusk.slow = undefined
  const used = await until(503, 10_000)
  // A question that is under way may hold one call up beyond the end.
  assert.ok(used > 3000 && used < 4000 + patience + leeway, `used for ${Math.round(used)} ms`)
  rusk.slow = 0
  await until(200, pause + patience + leeway)
}
