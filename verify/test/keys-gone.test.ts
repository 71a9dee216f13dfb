// Keys that Rusk has given up, over real sockets: what they have signed is over, calls and streams alike, also where the set
// that is published is older than the feed's word, and where nobody has looked for long.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { AccessClaims, Options, Verifier } from '../src/index.ts'
import { type Issuer, json, type Key, listen, makeKey, openIssuer, reasonOf, text, until } from './issuer.ts'
import { live, lived } from './lived.ts'

const minute = 60_000

/** Most of what these do is to wait. */
const together = { concurrency: true }

/** Rusk may hold its answer back for 20 seconds: time that is moved by a few seconds is not silence. */
const patient = { within: minute }

type Held = { readonly issuer: Issuer; readonly verifier: Verifier; readonly stolen: Key; readonly kept: Key }

const ways: readonly (readonly [
  sentence: string,
  options: Partial<Options>,
  giveUp: (held: Held) => Promise<unknown>,
])[] = [
  [
    'the feed no longer names',
    patient,
    async ({ issuer, kept }) => {
      await until(() => issuer.waiting() === 1, 'it waits at Rusk')
      issuer.published = [kept]
      issuer.wake()
    },
  ],
  [
    'the set no longer has, where there is no feed,',
    { revocation: 'none' },
    async ({ issuer, kept, verifier }) => {
      issuer.published = [kept]
      issuer.clock.advance(5 * minute)
      // Anybody's call has the set asked for behind.
      await verifier.verify(issuer.token({}, kept))
    },
  ],
]

/** Two keys, and who calls by each: claims as they were handed out. */
async function enter(t: Parameters<typeof openIssuer>[0], options: Partial<Options>) {
  const issuer = await openIssuer(t)
  const [stolen, kept] = [makeKey(), makeKey('EdDSA')]
  issuer.published = [stolen, kept]
  const verifier = issuer.verifier(options)
  const token = (key: Key) => issuer.token({ exp: Math.floor(issuer.clock.now() / 1000) + 7200 }, key)
  const claimsOf = async (key: Key): Promise<AccessClaims> => {
    const verdict = await verifier.verify(token(key))
    return verdict.verified ?? assert.fail(verdict.rejected)
  }
  const held = { issuer, verifier, stolen, kept }
  /** Resolves when calls by the stolen key are refused. */
  const gone = () =>
    until(async () => reasonOf(await verifier.verify(token(stolen))) === 'access_invalid', 'it is gone')
  return { ...held, held, token, gone, theirs: await claimsOf(stolen), ours: await claimsOf(kept) }
}

describe('a key is given up:', together, () => {
  for (const [sentence, options, giveUp] of ways) {
    test(`streams that were opened by a key that ${sentence} end, and those of other keys go on`, async t => {
      const { verifier, held, gone, theirs, ours } = await enter(t, options)
      const over = [listen(verifier, theirs), listen(verifier, theirs)]
      const stopped = listen(verifier, theirs)
      const goesOn = listen(verifier, ours)
      stopped.stop()
      await giveUp(held)
      await until(() => over.every(({ times }) => times > 0), 'told')
      await gone()
      await live(500)
      assert.deepEqual(
        over.map(({ times, why }) => [times, why]),
        [
          [1, 'access_revoked'],
          [1, 'access_revoked'],
        ],
      )
      assert.deepEqual([stopped.times, goesOn.times], [0, 0])
    })

    test(`whose claims were copied, nobody knows by which key they are good: when one goes that ${sentence} they are over`, async t => {
      const { verifier, held, theirs, ours } = await enter(t, options)
      const copies = [{ ...theirs }, JSON.parse(JSON.stringify(theirs)), { ...ours }]
      const over = copies.map(copy => listen(verifier, copy))
      await giveUp(held)
      await until(() => over.every(({ times }) => times > 0), 'told')
      assert.deepEqual([...new Set(over.map(({ why }) => why))], ['access_revoked'])
    })

    test(`a key that ${sentence} may go between check and whenEnded: whoever listens is told at once`, async t => {
      const { verifier, held, issuer, gone, theirs, ours } = await enter(t, options)
      await giveUp(held)
      await gone()
      const [over, copied, goesOn] = [theirs, { ...theirs }, ours].map(claims => listen(verifier, claims))
      assert.deepEqual([over?.times, copied?.times], [0, 0], 'not before whenEnded has returned')
      await sleep(0)
      assert.deepEqual([over?.times, over?.why], [1, 'access_revoked'])
      assert.deepEqual([copied?.times, copied?.why], [1, 'access_revoked'])
      assert.equal(goesOn?.times, 0)

      issuer.clock.advance(10_000)
      const later = [theirs, { ...ours }].map(claims => listen(verifier, claims))
      await sleep(0)
      assert.deepEqual(
        later.map(({ times }) => times),
        [1, 0],
        'whose copy is made later has been checked since',
      )
    })
  }

  test('with a shared key there is none to go: streams and their copies go on', async t => {
    const { verifier, issuer, ours } = await enter(t, patient)
    const shared = issuer.verifier({ key: 'a-shared-key-of-more-than-thirty-two-bytes', revocation: 'none' })
    const [copied, handed] = [listen(shared, { ...ours }), listen(verifier, ours)]
    issuer.wake()
    await live(500)
    assert.deepEqual([copied.times, handed.times], [0, 0])
  })
})

test('without the feed the set is looked at every five minutes while somebody listens, though nobody calls', async t => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const { verifier, issuer, kept, theirs, ours } = await enter(t, { revocation: 'none' })
  const pass = () => {
    issuer.clock.advance(5 * minute)
    t.mock.timers.tick(5 * minute)
  }
  assert.equal(issuer.keysAsked(), 1)
  pass()
  await live(100)
  assert.equal(issuer.keysAsked(), 1, 'nobody listens')

  const [over, goesOn] = [listen(verifier, theirs), listen(verifier, ours)]
  issuer.published = [kept]
  pass()
  await until(() => over.times > 0, 'told')
  assert.deepEqual([over.times, over.why, goesOn.times, issuer.keysAsked()], [1, 'access_revoked', 0, 2])
  goesOn.stop()
  pass()
  await live(100)
  assert.equal(issuer.keysAsked(), 2, 'nobody listens any more')
})

describe('what is published is older than the feed’s word:', together, () => {
  for (const within of [5000, minute]) {
    test(`within ${within} ms: from the first call on a key that the feed does not name is not believed, and one that the set lacks is undecided`, async t => {
      const issuer = await openIssuer(t)
      const [stolen, fresh] = [issuer.published[0] ?? assert.fail(), makeKey()]
      issuer.accepted = [fresh.kid]
      const verifier = issuer.verifier({ within })
      const judge = async (key: Key) => reasonOf(await verifier.verify(issuer.token({}, key)))
      const judged = async () => [await judge(stolen), await judge(fresh), await judge(makeKey())].join(' ')
      const seen = new Set<string>()
      for (const began = lived(); lived() - began < 2000; await sleep(20)) seen.add(await judged())
      assert.deepEqual([...seen], ['access_invalid unavailable access_invalid'])
      assert.ok(issuer.keysAsked() <= 3, `${issuer.keysAsked()} questions`)

      issuer.published = [stolen, fresh]
      issuer.clock.advance(10_000)
      await until(async () => (await judge(fresh)) === 'verified', 'the set has it')
      assert.equal(await judge(stolen), 'access_invalid')
    })
  }

  test('a key that the feed has dropped is not believed when the feed dies, whatever the set shows', async t => {
    const issuer = await openIssuer(t)
    const verifier = issuer.verifier({ within: 1000, whenUnreachable: 'accept' })
    const [stolen, fresh] = [issuer.published[0] ?? assert.fail(), makeKey()]
    const judge = async (key: Key) => reasonOf(await verifier.verify(issuer.token({}, key)))
    assert.equal(await judge(stolen), 'verified')
    issuer.published = [stolen, fresh]
    issuer.accepted = [fresh.kid]
    issuer.wake()
    await until(async () => (await judge(stolen)) === 'access_invalid', 'dropped')
    issuer.answers.feed = json({}, 500)
    issuer.wake()
    for (let passed = 0; passed < 60; passed += 20) {
      issuer.clock.advance(20 * minute)
      assert.deepEqual([await judge(stolen), await judge(fresh)], ['access_invalid', 'verified'])
    }
    assert.ok(issuer.keysAsked() >= 4, 'the set has been read again')
  })

  test('while the feed is heard, a token of a key that it does not name asks for nothing', async t => {
    const issuer = await openIssuer(t)
    const verifier = issuer.verifier(patient)
    await verifier.ready()
    issuer.clock.advance(10_000)
    assert.equal(reasonOf(await verifier.verify(issuer.token({}, makeKey()))), 'access_invalid')
    assert.equal(issuer.keysAsked(), 1)
  })

  test('a set that lacks a key which it had, and which the feed still names, ends nothing', async t => {
    const { verifier, issuer, stolen, kept, ours } = await enter(t, patient)
    const stream = listen(verifier, ours)
    const [calls, third] = [issuer.token({}, kept), makeKey()]
    // A new name has the set asked for.
    await until(() => issuer.waiting() === 1, 'it waits at Rusk')
    issuer.published = [stolen, third]
    issuer.accepted = [stolen.kid, kept.kid, third.kid]
    issuer.wake()
    await until(async () => reasonOf(await verifier.verify(issuer.token({}, third))) === 'verified', 'read')
    const late = listen(verifier, ours)
    await sleep(0)
    assert.deepEqual([stream.times, late.times, reasonOf(await verifier.verify(calls))], [0, 0, 'verified'])

    await until(() => issuer.waiting() === 1, 'it waits at Rusk')
    issuer.accepted = [stolen.kid]
    issuer.wake()
    await until(() => stream.times > 0 && late.times > 0, 'the feed no longer names it')
    assert.deepEqual([stream.why, late.why], ['access_revoked', 'access_revoked'])
    assert.equal(reasonOf(await verifier.verify(calls)), 'access_invalid')
  })
})

/** Where nobody hears that a key has gone; `idle` resolves when that is so. */
const unheard: readonly (readonly [
  sentence: string,
  options: Partial<Options>,
  idle: (issuer: Issuer, troubles: readonly unknown[]) => Promise<unknown>,
])[] = [
  ['without the feed', { revocation: 'none' }, async () => undefined],
  [
    'where a dead feed is accepted',
    { within: 1000, whenUnreachable: 'accept' },
    (issuer, troubles) => {
      issuer.answers.feed = json({}, 500)
      issuer.wake()
      return until(() => troubles.length > 0, 'the feed is dead')
    },
  ],
]

describe('the first calls after a long time:', together, () => {
  for (const [sentence, options, idle] of unheard) {
    for (const passed of [10, 59]) {
      test(`${sentence} those after ${passed} minutes wait for the set before they believe an old key`, async t => {
        const issuer = await openIssuer(t)
        const verifier = issuer.verifier(options)
        const [stolen, fresh] = [issuer.published[0] ?? assert.fail(), makeKey()]
        const exp = Math.floor(issuer.clock.now() / 1000) + 7200
        const known = issuer.token({ exp }, stolen)
        assert.equal(reasonOf(await verifier.verify(known)), 'verified')
        await idle(issuer, verifier.troubles)
        issuer.published = [fresh]
        issuer.answers.keys = (response, asked) =>
          void setTimeout(() => issuer.well.keys(response, asked), 200)
        issuer.clock.advance(passed * minute)
        const tokens = [known, known, issuer.token({}, stolen), issuer.token({}, fresh)]
        const verdicts = await Promise.all(tokens.map(verifier.verify))
        assert.deepEqual(verdicts.map(reasonOf), [
          'access_invalid',
          'access_invalid',
          'access_invalid',
          'verified',
        ])
        assert.equal(issuer.keysAsked(), 2, 'one question')
      })
    }

    test(`${sentence} old keys are used when no new ones can be had, for an hour`, async t => {
      const issuer = await openIssuer(t)
      const verifier = issuer.verifier(options)
      const exp = Math.floor(issuer.clock.now() / 1000) + 7200
      const known = issuer.token({ exp })
      assert.equal(reasonOf(await verifier.verify(known)), 'verified')
      await idle(issuer, verifier.troubles)
      issuer.answers.keys = text('', 500)
      const judged = async () => [
        reasonOf(await verifier.verify(known)),
        reasonOf(await verifier.verify(issuer.token())),
      ]
      for (const passed of [10, 59]) {
        issuer.clock.advance((passed === 10 ? 10 : 49) * minute)
        const asked = issuer.keysAsked()
        assert.deepEqual(await judged(), ['verified', 'verified'], `after ${passed} minutes`)
        assert.equal(issuer.keysAsked(), asked + 1, 'it was tried')
      }
      issuer.clock.advance(minute)
      assert.deepEqual(await judged(), ['unavailable', 'unavailable'])
    })
  }
})
