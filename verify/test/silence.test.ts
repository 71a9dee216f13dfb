// What becomes of calls and streams while Rusk cannot be heard, or what comes is not what it says: over real sockets.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type Issuer,
  json,
  listen,
  openIssuer,
  type Reply,
  reasonOf,
  serviceKey,
  signIn,
  silent,
  text,
  until,
} from './issuer.ts'
import { live, lived } from './lived.ts'

const minute = 60_000
const hour = 60 * minute

/** Most of what these do is to wait. */
const together = { concurrency: true }

// Connections are refused, or stand and nothing comes.
const breaks: readonly (readonly [
  sentence: string,
  lose: (issuer: Issuer) => void,
  restore: (issuer: Issuer) => Promise<void>,
])[] = [
  ['is gone', issuer => issuer.down(), issuer => issuer.up()],
  [
    'hangs',
    issuer => {
      issuer.answers.feed = silent
    },
    async issuer => {
      issuer.answers.feed = issuer.well.feed
    },
  ],
  [
    'has lost its store',
    issuer => {
      issuer.answers.feed = text('{}', 503, { 'retry-after': '1' })
      issuer.wake()
    },
    async issuer => {
      issuer.answers.feed = issuer.well.feed
    },
  ],
]

describe('Rusk is not heard:', together, () => {
  for (const [sentence, lose, restore] of breaks) {
    test(`when Rusk ${sentence}, calls are refused and streams end within the bound; it comes back by itself`, async t => {
      const issuer = await openIssuer(t)
      const verifier = issuer.verifier({ within: 1000 })
      const { token, claims } = await signIn(issuer, verifier, 'one')
      const told = listen(verifier, claims)
      const began = lived()
      lose(issuer)
      assert.equal(reasonOf(await verifier.verify(token)), 'verified', 'it was heard a moment ago')
      await until(() => told.times > 0, 'the stream has ended')
      assert.ok(told.at - began < 1500, `${told.at - began} ms`)
      assert.equal(told.why, 'unavailable')
      assert.deepEqual(await verifier.verify(token), { rejected: 'unavailable', status: 503 })
      await restore(issuer)
      await until(async () => reasonOf(await verifier.verify(token)) === 'verified', 'back')
      assert.equal(told.times, 1)
      assert.ok(verifier.troubles.length <= 2, verifier.troubles.map(({ message }) => message).join('\n'))
      issuer.end('one')
      await until(async () => reasonOf(await verifier.verify(token)) === 'access_revoked', 'followed again')
    })

    test(`when Rusk ${sentence} and that is accepted, calls and streams go on until their tokens expire`, async t => {
      const issuer = await openIssuer(t)
      const verifier = issuer.verifier({ within: 1000, whenUnreachable: 'accept' })
      issuer.end('ended before')
      const { token, claims } = await signIn(issuer, verifier, 'one')
      const told = listen(verifier, claims)
      lose(issuer)
      await live(1500)
      const began = lived()
      assert.equal(reasonOf(await verifier.verify(token)), 'verified')
      assert.equal(reasonOf(await verifier.verify(issuer.token())), 'verified')
      assert.equal(reasonOf(await verifier.verify(issuer.token({ sid: 'ended before' }))), 'access_revoked')
      assert.ok(lived() - began < 500, 'nobody waits')
      assert.equal(told.times, 0)
      issuer.end('one')
      await restore(issuer)
      await until(() => told.times === 1, 'what has ended meanwhile is told')
      assert.equal(told.why, 'access_revoked')
      issuer.clock.advance(11 * minute)
      assert.equal(reasonOf(await verifier.verify(issuer.token({ sid: 'one' }))), 'access_revoked')
    })
  }

  test('a connection that dies in silence is given up while there is time to ask anew: every call goes on', async t => {
    const issuer = await openIssuer(t)
    const verifier = issuer.verifier({ within: 3000 })
    await verifier.ready()
    await until(() => issuer.waiting() === 1, 'somebody waits at Rusk')
    const heard = lived()
    let died = 0
    issuer.answers.feed = (response, asked) => {
      silent(response, asked)
      died = lived()
      issuer.answers.feed = issuer.well.feed
    }
    const stream = listen(verifier, (await signIn(issuer, verifier, 'one')).claims)
    for (; issuer.feedAsked() < 4; await sleep(20)) {
      assert.equal(reasonOf(await verifier.verify(issuer.token({ sid: 'one' }))), 'verified')
    }
    const asked = lived()
    assert.ok(died - heard > 500, 'the question before it has waited: it cannot be worse')
    assert.ok(asked - heard < 3000, `${asked - heard} ms`)
    assert.equal(stream.times, 0)
  })

  test('after a break Rusk is not asked to wait: it is back at once', async t => {
    const issuer = await openIssuer(t)
    const verifier = issuer.verifier({ within: 60_000 })
    await verifier.ready()
    await until(() => issuer.feedAsked() === 2, 'somebody waits at Rusk')
    issuer.answers.feed = text('', 503)
    issuer.wake()
    await until(() => issuer.feedAsked() === 3, 'it is lost')
    issuer.clock.advance(2 * minute)
    issuer.answers.feed = issuer.well.feed
    const began = lived()
    await until(async () => reasonOf(await verifier.verify(issuer.token())) === 'verified', 'back')
    assert.ok(lived() - began < 4000, `${lived() - began} ms`)
    await until(() => issuer.asked.at(-1)?.query.get('wait') === '20', 'then it may wait again')
  })

  test('a call that comes just before Rusk is back waits for it', async t => {
    const issuer = await openIssuer(t)
    const verifier = issuer.verifier({ within: 5000 })
    const { token } = await signIn(issuer, verifier, 'one')
    issuer.answers.feed = (response, asked) => void setTimeout(() => issuer.well.feed(response, asked), 100)
    issuer.wake()
    issuer.clock.advance(hour)
    const honest = issuer.token({ sid: 'two' })
    assert.equal(reasonOf(await verifier.verify(honest)), 'verified')
    assert.equal(reasonOf(await verifier.verify(token)), 'access_expired')
  })

  // One clock shows what the other hides.
  for (const [sentence, passes, by] of [
    ['the clock on the wall is set back by an hour', 1001, -hour],
    ['the clock on the wall is set forward by a minute', 0, minute],
  ] as const) {
    test(`${sentence} while Rusk is silent: that is not to have heard it`, async t => {
      const issuer = await openIssuer(t)
      const verifier = issuer.verifier({ within: 1000 })
      const sid = 'one'
      const exp = Math.floor(issuer.clock.now() / 1000) + 600
      const { claims } = await signIn(issuer, verifier, sid, { iat: exp - 2 * 3600 - 600, exp })
      const told = listen(verifier, claims)
      issuer.answers.feed = silent
      issuer.wake()
      issuer.clock.advance(passes)
      issuer.clock.set(by)
      const token = issuer.token({ sid, iat: exp - 2 * 3600 - 600, exp })
      assert.equal(reasonOf(await verifier.verify(token)), 'unavailable')
      await until(() => told.times === 1, 'the stream has ended')
    })
  }

  test('a machine that has slept for an hour asks before it believes what it knew', async t => {
    const issuer = await openIssuer(t)
    const verifier = issuer.verifier({ within: 5000 })
    const exp = Math.floor(issuer.clock.now() / 1000) + 7200
    const { token } = await signIn(issuer, verifier, 'one', { exp })
    await until(() => issuer.feedAsked() === 2, 'somebody waits at Rusk')
    issuer.answers.feed = silent
    issuer.wake()
    issuer.clock.set(hour)
    assert.equal(reasonOf(await verifier.verify(token)), 'unavailable')
  })
})

const good = { cursor: 'c', ended: [], not_before: 0, keys: [], remember: 86_400 }
const bad: readonly (readonly [sentence: string, reply: Reply, says: RegExp])[] = [
  [
    'the service key is refused',
    text('', 401),
    /revocations answered 401: is serviceKey one of RUSK_SERVICE_KEYS there\?$/,
  ],
  [
    'it has no such place',
    text('', 404),
    /answered 404: is this where Rusk is, and has it RUSK_SERVICE_KEYS\?$/,
  ],
  ['it cannot tell', text('', 503), /answered 503$/],
  ['it answers with a page', text('<!doctype html>'), /something that is not ours$/],
  ['it points elsewhere', text('', 302, { location: 'http://evil.example/' }), /revocations failed: /],
  [
    'it answers with two megabytes',
    text(JSON.stringify({ ...good, cursor: 'x'.repeat(2 * 1024 * 1024) })),
    /not ours$/,
  ],
  ['it names a member twice', text(JSON.stringify(good).replace('{', '{"ended":["one"],')), /not ours$/],
  ['there is no cursor', json({ ...good, cursor: undefined }), /in a form that this version does not know$/],
  ['sessions are no list', json({ ...good, ended: 'one' }), /in a form/],
  ['a session is a number', json({ ...good, ended: [1] }), /in a form/],
  ['`not_before` is missing', json({ ...good, not_before: undefined }), /in a form/],
  ['`not_before` is a text', json({ ...good, not_before: '0' }), /in a form/],
  ['`not_before` is negative', json({ ...good, not_before: -1 }), /in a form/],
  ['keys are missing', json({ ...good, keys: null }), /in a form/],
  ['`remember` is no number', json({ ...good, remember: 1.5 }), /in a form/],
]

describe('Rusk does not say what it should:', together, () => {
  for (const [sentence, reply, says] of bad) {
    test(`when ${sentence}, that is said and nobody is let in; afterwards it works`, async t => {
      const issuer = await openIssuer(t)
      issuer.answers.feed = reply
      const verifier = issuer.verifier()
      await assert.rejects(verifier.ready(), { name: 'Unreachable', message: says })
      const token = issuer.token({ sid: 'one' })
      assert.deepEqual(await verifier.verify(token), { rejected: 'unavailable', status: 503 })
      assert.equal(verifier.troubles.length, 1, 'told once')
      assert.doesNotMatch(verifier.troubles[0]?.message ?? '', new RegExp(serviceKey))
      issuer.answers.feed = issuer.well.feed
      await until(async () => reasonOf(await verifier.verify(token)) === 'verified', 'it works')
    })
  }

  test('silence costs few questions', async t => {
    const issuer = await openIssuer(t)
    issuer.answers.feed = text('', 500)
    const verifier = issuer.verifier()
    await assert.rejects(verifier.ready())
    await live(3000)
    assert.ok(
      issuer.feedAsked() >= 3 && issuer.feedAsked() <= 12,
      `${issuer.feedAsked()} questions in three seconds`,
    )
  })
})
