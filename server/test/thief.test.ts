// A thief copies the cookies once and then acts at his own pace. However he times it, he is found out or shut out.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultPolicy } from '../src/core/policy.ts'
import type { Carried, Tokens } from '../src/operations/contract.ts'
import { asJack, jack, type Sys, system } from './system.ts'

/** A jar: what a browser, or a thief, holds of one session. Each answer replaces what it carries. */
type Held = Partial<Carried>

const taking = (held: Held, tokens: Tokens): Held => ({
  ...held,
  ...(tokens.refresh === undefined ? {} : { refresh: [tokens.refresh] }),
  ...(tokens.signIn === undefined ? {} : { signIn: [tokens.signIn] }),
})

/** Refreshes; the jar afterwards, or undefined when it was refused. */
async function refreshing({ ask }: Sys, held: Held): Promise<{ held: Held; sent: boolean } | undefined> {
  const result = await ask('refresh', {}, held)
  return 'tokens' in result
    ? { held: taking(held, result.tokens), sent: result.tokens.refresh !== undefined }
    : undefined
}

const minute = 60_000
const grace = defaultPolicy.grace

// [sentence, milliseconds after each of the owner's refreshes at which the thief comes, whether he takes what he is given]
const paces: [string, readonly number[]][] = [
  ['who keeps three seconds behind the owner', [3_000]],
  ['who keeps three seconds before the end of the grace', [grace - 3_000]],
  ['who comes again and again within the grace', [1_000, 30_000, grace - 1_000]],
  ['who comes just after the grace, before the owner', [grace + 1_000]],
  ['who comes before and after the end of the grace', [grace - 1, grace + 1]],
]

for (const [who, visits] of paces) {
  test(`a thief ${who} is never answered again once the owner holds a third new cookie`, async () => {
    const sys = await system()
    const signedIn = await sys.ask('signUp', jack)
    assert.ok('tokens' in signedIn)
    let owner: Held | undefined = taking({}, signedIn.tokens)
    let thief: Held | undefined = owner
    let taken = 0
    let lateAnswers = 0
    for (let round = 0; round < 12 && owner && thief; round++) {
      sys.pass(10 * minute)
      const renewed: Awaited<ReturnType<typeof refreshing>> = await refreshing(sys, owner)
      owner = renewed?.held
      if (renewed?.sent) taken++
      let spent = 0
      for (const visit of visits) {
        sys.pass(visit - spent)
        spent = visit
        const answered: Awaited<ReturnType<typeof refreshing>> = thief && (await refreshing(sys, thief))
        if (answered && taken >= 3) lateAnswers++
        thief = answered?.held
      }
    }
    assert.equal(lateAnswers, 0)
    assert.ok(!owner || !thief, 'the two never live on side by side')
    const events = await sys.engine.store.events({ limit: 200 })
    assert.equal(events.filter(event => event.type === 'session_reused').length, 1)
    assert.equal(
      refusedOf(await sys.ask('refresh', {}, owner ?? thief ?? {})),
      true,
      'the session has ended for both',
    )
    assert.ok('tokens' in (await sys.ask('signIn', asJack)), 'and the owner signs in again')
  })
}

const refusedOf = (result: object): boolean => 'refusal' in result

test('a thief who has changed the row twice has shut out the owner, whose next try ends it for both', async () => {
  const sys = await system()
  const signedIn = await sys.ask('signUp', jack)
  assert.ok('tokens' in signedIn)
  const owner = taking({}, signedIn.tokens)
  let thief: Held = owner
  for (let i = 0; i < 2; i++) {
    sys.pass(grace + 1)
    const changed = await refreshing(sys, thief)
    assert.ok(changed?.sent)
    thief = changed.held
  }
  sys.pass(grace + 1)
  assert.equal(await refreshing(sys, owner), undefined)
  assert.equal(await refreshing(sys, thief), undefined)
})
