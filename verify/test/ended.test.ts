// Ended sessions followed over real sockets: how soon an end is known, to whom it is told, and that what is remembered has
// a bound.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Issuer, json, listen, openIssuer, reasonOf, serviceKey, signIn, until } from './issuer.ts'
import { lived } from './lived.ts'

const minute = 60_000
const hour = 60 * minute

/** Until a question that is put from here on has been answered: there is one verifier, and it asks one after another. */
async function heard(issuer: Issuer): Promise<void> {
  const before = issuer.feedAsked()
  await until(() => issuer.feedAsked() >= before + 2, 'heard')
}

test('the end of a session is known at once, and of that session alone', async t => {
  const issuer = await openIssuer(t)
  // Rusk may hold its answer back for 20 seconds: what is known at once is news.
  const verifier = issuer.verifier({ within: minute })
  const jack = await signIn(issuer, verifier, 'one')
  const jill = await signIn(issuer, verifier, 'two')
  await until(() => issuer.waiting() === 1, 'somebody waits at Rusk')
  const began = lived()
  issuer.end('one')
  await until(async () => reasonOf(await verifier.verify(jack.token)) === 'access_revoked', 'known')
  assert.ok(lived() - began < 500, `${lived() - began} ms`)
  assert.equal(
    reasonOf(await verifier.verify(issuer.token({ sid: 'one' }))),
    'access_revoked',
    'seen for the first time',
  )
  assert.equal(reasonOf(await verifier.verify(jill.token)), 'verified')
})

test('what had ended before the service began is known from the first answer', async t => {
  const issuer = await openIssuer(t)
  issuer.end('one')
  const verifier = issuer.verifier()
  assert.equal(reasonOf(await verifier.verify(issuer.token({ sid: 'one' }))), 'access_revoked')
})

test('fifty first calls at once are one question', async t => {
  const issuer = await openIssuer(t)
  let asked = 0
  issuer.answers.feed = (response, about) =>
    void setTimeout(() => {
      asked ||= issuer.feedAsked()
      issuer.well.feed(response, about)
    }, 50)
  const verifier = issuer.verifier()
  const verdicts = await Promise.all(Array.from({ length: 50 }, () => verifier.verify(issuer.token())))
  assert.deepEqual([...new Set(verdicts.map(reasonOf))], ['verified'])
  assert.equal(asked, 1, 'until the first answer')
})

// [the bound in milliseconds, seconds that Rusk is asked to wait]
for (const [within, wait] of [
  [1000, 0],
  [3000, 1],
  [5000, 1],
  [12_000, 4],
  [60_000, 20],
] as const) {
  test(`within ${within} ms: the first question waits for nothing, those after it ${wait} s, from the last answer's cursor on`, async t => {
    const issuer = await openIssuer(t)
    let answers = 0
    issuer.answers.feed = (response, asked) => {
      const cursor = `a&b=${answers++}/ü+`
      const told = {
        cursor,
        ended: [],
        not_before: 0,
        keys: issuer.published.map(({ kid }) => kid),
        remember: 86_400,
      }
      json(told)(response, asked)
    }
    const verifier = issuer.verifier({ within })
    await verifier.ready()
    await until(() => issuer.feedAsked() >= 3, 'asked again')
    const feed = issuer.asked.filter(({ path }) => path === '/auth/revocations')
    const questions = feed.slice(0, 3).map(({ query }) => Object.fromEntries(query))
    assert.deepEqual(
      questions.map(({ once: _, ...question }) => question),
      [{ wait: '0' }, { wait: String(wait), after: 'a&b=0/ü+' }, { wait: String(wait), after: 'a&b=1/ü+' }],
    )
    const once = feed.map(({ query }) => query.get('once'))
    assert.equal(new Set(once).size, once.length, 'no two are alike')
    assert.ok(once.every(each => each))
    assert.ok(feed.every(({ authorization }) => authorization === `Bearer ${serviceKey}`))
  })
}

test('a Rusk that answers at once although it was asked to wait is asked four times a second', async t => {
  const issuer = await openIssuer(t)
  issuer.answers.feed = (response, asked) => {
    asked.query.set('wait', '0')
    issuer.well.feed(response, asked)
  }
  await issuer.verifier().ready()
  await sleep(2000)
  assert.ok(issuer.feedAsked() <= 10, `${issuer.feedAsked()} questions in two seconds`)
})

test('ends that are told over and over are told once to whoever listens', async t => {
  const issuer = await openIssuer(t)
  const verifier = issuer.verifier({ within: 1000 })
  const { claims, token } = await signIn(issuer, verifier, 'one')
  const told = listen(verifier, claims)
  issuer.answers.feed = (response, asked) => {
    asked.query.delete('after')
    issuer.well.feed(response, asked)
  }
  issuer.end('one', 'one', 'two', 'one')
  const before = issuer.feedAsked()
  await until(() => issuer.feedAsked() >= before + 4, 'told again')
  assert.deepEqual([told.times, told.why], [1, 'access_revoked'])
  assert.equal(reasonOf(await verifier.verify(token)), 'access_revoked')
})

test('tokens from before `not_before` are refused, whosever they are; once said it holds', async t => {
  const issuer = await openIssuer(t)
  const verifier = issuer.verifier({ within: 1000 })
  const now = Math.floor(issuer.clock.now() / 1000)
  const old = await signIn(issuer, verifier, 'one', { iat: now - 100, exp: now + 500 })
  const young = await signIn(issuer, verifier, 'two', { iat: now - 50, exp: now + 550 })
  const told = [listen(verifier, old.claims), listen(verifier, young.claims)]
  issuer.notBefore = now - 50
  await until(async () => reasonOf(await verifier.verify(old.token)) === 'access_revoked', 'known')
  assert.equal(reasonOf(await verifier.verify(young.token)), 'verified', 'made at that second')
  assert.equal(reasonOf(await verifier.verify(issuer.token({ sid: 'one' }))), 'verified', 'renewed')
  issuer.notBefore = 0
  await heard(issuer)
  assert.equal(reasonOf(await verifier.verify(old.token)), 'access_revoked')
  assert.deepEqual(
    told.map(({ times }) => times),
    [1, 0],
  )
})

test('after a hundred thousand ends the oldest are forgotten, and whoever is as old renews once', async t => {
  const issuer = await openIssuer(t)
  const verifier = issuer.verifier({ within: 1000 })
  const second = () => Math.floor(issuer.clock.now() / 1000)
  const begun = second()
  await verifier.ready()
  const told = async (name: string, count: number) => {
    for (let from = 0; from < count; from += 10_000) {
      issuer.end(...Array.from({ length: Math.min(count - from, 10_000) }, (_, at) => `${name} ${from + at}`))
      const last = issuer.token({ sid: `${name} ${from + 1}` })
      await until(async () => reasonOf(await verifier.verify(last)) === 'access_revoked', 'told')
    }
  }
  await told('early', 1000)
  issuer.clock.advance(5 * minute)
  const old = issuer.token({ iat: begun, exp: second() + 600 })
  assert.equal(reasonOf(await verifier.verify(old)), 'verified')
  issuer.clock.advance(5 * minute)
  await told('late', 100_000)

  const from = (sid: string, iat: number) => issuer.token({ sid, iat, exp: second() + 600 })
  assert.equal(reasonOf(await verifier.verify(from('early 7', begun))), 'access_revoked')
  assert.equal(reasonOf(await verifier.verify(from('nobody’s', begun))), 'access_revoked')
  assert.equal(reasonOf(await verifier.verify(old)), 'access_revoked', 'kept verdicts too')
  assert.equal(reasonOf(await verifier.verify(issuer.token())), 'verified', 'whoever renews')
  assert.equal(reasonOf(await verifier.verify(from('early 7', second()))), 'verified', 'that it is forgotten')
  assert.equal(reasonOf(await verifier.verify(issuer.token({ sid: 'late 99999' }))), 'access_revoked')
  assert.equal(reasonOf(await verifier.verify(issuer.token({ sid: 'late 0' }))), 'access_revoked')
})

test('an end is remembered for as long as Rusk says, then no token can be left', async t => {
  const issuer = await openIssuer(t)
  issuer.remember = 3600
  const verifier = issuer.verifier({ within: 1000 })
  await verifier.ready()
  issuer.end('one')
  const known = async (want: string) => reasonOf(await verifier.verify(issuer.token({ sid: 'one' }))) === want
  await until(() => known('access_revoked'), 'known')
  issuer.clock.advance(59 * minute)
  await heard(issuer)
  assert.ok(await known('access_revoked'))
  issuer.clock.advance(minute)
  await until(() => known('verified'), 'forgotten')
})

test('a stream whose token is older than what is remembered ends', async t => {
  const issuer = await openIssuer(t)
  // Where the bound is strict, the silence in between may have ended it already.
  const verifier = issuer.verifier({ within: 1000, whenUnreachable: 'accept' })
  const { claims } = await signIn(issuer, verifier, 'one')
  const stream = listen(verifier, claims)
  issuer.clock.advance(23 * hour)
  await heard(issuer)
  assert.equal(stream.times, 0)
  issuer.clock.advance(2 * hour)
  await until(() => stream.times === 1, 'told')
  assert.equal(stream.why, 'access_expired')
})

test('whoever listens is told once, whoever has stopped is not, and whoever comes late is told at once', async t => {
  const issuer = await openIssuer(t)
  const verifier = issuer.verifier({ within: 1000 })
  const { claims } = await signIn(issuer, verifier, 'one')
  const other = await signIn(issuer, verifier, 'two')
  const [first, stopped, second, elsewhere] = [
    listen(verifier, claims),
    listen(verifier, claims),
    listen(verifier, claims),
    listen(verifier, other.claims),
  ]
  stopped.stop()
  stopped.stop()
  issuer.end('one')
  await until(() => first.times > 0, 'told')
  const late = listen(verifier, claims)
  const lateStopped = listen(verifier, claims)
  lateStopped.stop()
  assert.equal(late.times, 0, 'not before whenEnded has returned')
  await sleep(0)
  assert.equal(late.times, 1, 'and then at once')
  assert.deepEqual([first.why, late.why], ['access_revoked', 'access_revoked'])
  issuer.end('one')
  await heard(issuer)
  assert.deepEqual(
    [first, stopped, second, elsewhere, late, lateStopped].map(({ times }) => times),
    [1, 0, 1, 0, 1, 0],
  )
  first.stop()
  elsewhere.stop()
  issuer.end('two')
  await heard(issuer)
  assert.equal(elsewhere.times, 0)
})

test('without the feed a stream ends when its token expires', async t => {
  const issuer = await openIssuer(t)
  const verifier = issuer.verifier({ revocation: 'none' })
  const exp = Math.floor(issuer.clock.now() / 1000) + 600
  const { claims } = await signIn(issuer, verifier, 'one', { exp })
  issuer.clock.advance(exp * 1000 - issuer.clock.now() - 500)
  const began = performance.now()
  const [told, stopped] = [listen(verifier, claims), listen(verifier, claims)]
  stopped.stop()
  await until(() => told.times > 0, 'told')
  assert.ok(performance.now() - began > 450, 'not before')
  assert.deepEqual([told.times, told.why, stopped.times], [1, 'access_expired', 0])
  const late = listen(verifier, claims)
  assert.equal(late.times, 0, 'not before whenEnded has returned')
  await until(() => late.times === 1, 'told at once')
})
