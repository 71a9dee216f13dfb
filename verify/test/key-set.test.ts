// The set of keys over real sockets: from an issuer that answers badly, late, or not at all, and how long keys are good.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { forge } from './forge.ts'
import { json, makeKey, openIssuer, type Reply, reasonOf, silent, text, until } from './issuer.ts'
import { live, lived } from './lived.ts'

const offline = { revocation: 'none' } as const
const minute = 60_000

const one = makeKey('ES256', 'one')
const bytes = 10 * 1024 * 1024

/** Answers without an end, ten megabytes of which are sent at most. */
const endless: Reply = response => {
  response.writeHead(200, { 'content-type': 'application/json' })
  const chunk = ' '.repeat(64 * 1024)
  for (let sent = 0; sent < bytes; sent += chunk.length) response.write(chunk)
  response.end('{"keys":[]}')
}

const bad: readonly (readonly [sentence: string, reply: Reply, says: RegExp])[] = [
  ['an error', text('Internal Server Error', 500), /GET http:\S+\/jwks\.json answered 500$/],
  ['nothing for ten seconds', silent, /jwks\.json failed: /],
  ['ten megabytes', endless, /answered something that is not ours$/],
  [
    'a page',
    text('<!doctype html><title>Sign in</title>', 200, { 'content-type': 'text/html' }),
    /not ours$/,
  ],
  ['a way to elsewhere', text('', 302, { location: '/elsewhere' }), /failed: /],
  ['a permanent way to elsewhere', text('', 308, { location: 'http://evil.example/' }), /failed: /],
  ['nothing of that name', text('', 404), /answered 404: is this where Rusk is/],
  ['no content', text('', 204), /answered 204$/],
  ['a set without keys', json({ keys: [] }), /publishes no key: it signs with JWT_SECRET_KEY/],
  [
    'only keys that are not for us',
    json({ keys: [{ kty: 'oct', k: 'AAAA', kid: 'one' }] }),
    /publishes no key/,
  ],
  ['two keys of one name', json({ keys: [one.jwk, makeKey('EdDSA', 'one').jwk] }), /is not a set of keys$/],
  ['a set that names `keys` twice', text(`{"keys":[],"keys":[${JSON.stringify(one.jwk)}]}`), /not ours$/],
  [
    'a key that names a member twice',
    text(`{"keys":[{"kid":"x",${JSON.stringify(one.jwk).slice(1)}]}`),
    /not ours$/,
  ],
  ['a list', json([one.jwk]), /not ours$/],
  ['half an answer', response => response.writeHead(200, { 'content-length': 99 }).write('{'), /failed: /],
  ['a broken connection', response => response.destroy(), /failed: /],
]

// Most of what these do is to wait.
describe('a bad answer:', { concurrency: true }, () => {
  for (const [sentence, reply, says] of bad) {
    test(`where ${sentence} stands for the keys nobody is let in, nor told that the token is wrong; when they are back it works`, async t => {
      const issuer = await openIssuer(t)
      issuer.published = [one]
      issuer.answers.keys = reply
      const verifier = issuer.verifier(offline)
      const token = issuer.token()
      const began = lived()
      assert.deepEqual(await verifier.verify(token), { rejected: 'unavailable', status: 503 })
      assert.ok(lived() - began < 7000)
      await assert.rejects(verifier.ready(), says)
      assert.match(verifier.troubles[0]?.message ?? '', says)
      assert.equal(verifier.troubles.length, 1)
      assert.ok(issuer.asked.every(({ path }) => path === '/.well-known/jwks.json'))

      issuer.answers.keys = issuer.well.keys
      issuer.clock.advance(1000)
      assert.equal(reasonOf(await verifier.verify(token)), 'verified')
      await verifier.ready()
    })
  }
})

test('a service that cannot be connected to is said by its name', async t => {
  const issuer = await openIssuer(t)
  issuer.down()
  const verifier = issuer.verifier(offline)
  await assert.rejects(verifier.ready(), { name: 'Unreachable', message: /jwks\.json failed: ECONNREFUSED$/ })
})

test('fifty first calls at once are one question', async t => {
  const issuer = await openIssuer(t)
  issuer.answers.keys = (response, asked) => void setTimeout(() => issuer.well.keys(response, asked), 100)
  const verifier = issuer.verifier(offline)
  const verdicts = await Promise.all(Array.from({ length: 50 }, () => verifier.verify(issuer.token())))
  assert.deepEqual([...new Set(verdicts.map(reasonOf))], ['verified'])
  assert.equal(issuer.keysAsked(), 1)
})

test('fifty first calls at once while nothing answers are one question, and in the next second none', async t => {
  const issuer = await openIssuer(t)
  issuer.answers.keys = text('', 500)
  const verifier = issuer.verifier(offline)
  const all = () => Promise.all(Array.from({ length: 50 }, () => verifier.verify(issuer.token())))
  assert.deepEqual([...new Set((await all()).map(reasonOf))], ['unavailable'])
  assert.deepEqual([...new Set((await all()).map(reasonOf))], ['unavailable'])
  assert.equal(issuer.keysAsked(), 1)
  issuer.clock.advance(1000)
  await all()
  assert.equal(issuer.keysAsked(), 2)
})

test('ten thousand tokens of made-up keys are one question in ten seconds', async t => {
  const issuer = await openIssuer(t)
  const verifier = issuer.verifier(offline)
  const honest = issuer.token()
  assert.equal(reasonOf(await verifier.verify(honest)), 'verified')
  const made = issuer.published[0] ?? assert.fail()
  const flood = async (from: number) => {
    for (let at = from; at < from + 10_000; ) {
      const some = Array.from({ length: 500 }, () => issuer.token({}, { ...made, kid: `made-up-${at++}` }))
      const verdicts = await Promise.all(some.map(each => verifier.verify(each)))
      assert.deepEqual([...new Set(verdicts.map(reasonOf))], ['access_invalid'])
    }
  }
  await flood(0)
  assert.equal(issuer.keysAsked(), 1, 'the set had been read just before')
  issuer.clock.advance(10_000)
  await flood(10_000)
  assert.equal(issuer.keysAsked(), 2)
  assert.equal(reasonOf(await verifier.verify(honest)), 'verified')
})

test('a token that names no key, or one in a form that is none, asks for nothing', async t => {
  const issuer = await openIssuer(t)
  const verifier = issuer.verifier(offline)
  await verifier.ready()
  issuer.clock.advance(minute)
  const { sign } = issuer.published[0] ?? assert.fail()
  const claims = { iss: issuer.url }
  for (const kid of [undefined, '', '../../dev/null', "' OR 1=1--", 1, null, ['one'], 'k'.repeat(129)]) {
    const token = forge({ alg: 'ES256', typ: 'at+jwt', kid }, claims, sign)
    assert.equal(reasonOf(await verifier.verify(token)), 'access_invalid')
  }
  assert.equal(reasonOf(await verifier.verify('nonsense')), 'access_invalid')
  assert.equal(issuer.keysAsked(), 1)
})

test('keys that cannot be had anew are good for an hour, then nobody can be told, and it comes back by itself', async t => {
  const issuer = await openIssuer(t)
  const verifier = issuer.verifier(offline)
  const kept = issuer.token({ exp: Math.floor(issuer.clock.now() / 1000) + 5 * 3600 })
  assert.equal(reasonOf(await verifier.verify(kept)), 'verified')
  issuer.answers.keys = text('', 500)
  for (let passed = 5; passed < 60; passed += 5) {
    issuer.clock.advance(5 * minute)
    assert.equal(reasonOf(await verifier.verify(issuer.token())), 'verified', `after ${passed} minutes`)
    assert.equal(reasonOf(await verifier.verify(kept)), 'verified', `after ${passed} minutes`)
    await until(() => issuer.keysAsked() === 1 + passed / 5, 'asked again behind')
    // Let the answer come in: whoever comes meanwhile waits for it.
    await live(50)
  }
  assert.equal(verifier.troubles.length, 1, 'told once')
  issuer.clock.advance(5 * minute)
  for (let passed = 60; passed < 240; passed += 60) {
    const fresh = issuer.token()
    assert.deepEqual(
      await verifier.verify(fresh),
      { rejected: 'unavailable', status: 503 },
      `after ${passed} minutes`,
    )
    assert.deepEqual(
      await verifier.verify(kept),
      { rejected: 'unavailable', status: 503 },
      `after ${passed} minutes`,
    )
    issuer.clock.advance(60 * minute)
  }
  issuer.answers.keys = issuer.well.keys
  assert.equal(reasonOf(await verifier.verify(kept)), 'verified')
  assert.equal(reasonOf(await verifier.verify(issuer.token())), 'verified')

  issuer.answers.keys = text('', 500)
  issuer.clock.advance(5 * minute)
  await verifier.verify(issuer.token())
  await until(() => verifier.troubles.length === 2, 'told once more, because it had worked in between')
})

test('while keys cannot be had, a token of a key that may be new is not said to be wrong', async t => {
  const issuer = await openIssuer(t)
  const verifier = issuer.verifier(offline)
  await verifier.ready()
  const [old] = issuer.published
  const next = makeKey()
  issuer.published = [next, ...(old ? [old] : [])]
  issuer.answers.keys = text('', 500)
  issuer.clock.advance(10_000)
  for (let call = 0; call < 3; call++) {
    assert.equal(reasonOf(await verifier.verify(issuer.token({}, next))), 'unavailable')
    assert.equal(reasonOf(await verifier.verify(issuer.token({}, old))), 'verified')
  }
  assert.equal(issuer.keysAsked(), 2)
  issuer.answers.keys = issuer.well.keys
  issuer.clock.advance(10_000)
  assert.equal(reasonOf(await verifier.verify(issuer.token({}, next))), 'verified')
})

test('without the feed a new key is learnt before it signs, because it is published for longer than keys are fresh', async t => {
  const issuer = await openIssuer(t)
  const verifier = issuer.verifier(offline)
  const [old] = issuer.published
  assert.equal(reasonOf(await verifier.verify(issuer.token())), 'verified')
  const next = makeKey()
  issuer.published = [...issuer.published, next]
  issuer.clock.advance(5 * minute)
  assert.equal(reasonOf(await verifier.verify(issuer.token({}, old))), 'verified')
  await until(() => issuer.keysAsked() === 2, 'asked again')
  await live(50)
  assert.equal(reasonOf(await verifier.verify(issuer.token({}, next))), 'verified')
  assert.equal(issuer.keysAsked(), 2)
})

test('without the feed a key that is gone is dropped at the next question, with every token it has signed', async t => {
  const issuer = await openIssuer(t)
  const verifier = issuer.verifier(offline)
  const [old] = issuer.published
  const token = issuer.token({}, old)
  assert.equal(reasonOf(await verifier.verify(token)), 'verified')
  const next = makeKey('EdDSA')
  issuer.published = [next]
  assert.equal(reasonOf(await verifier.verify(token)), 'verified', 'nobody has asked')
  issuer.clock.advance(5 * minute)
  // Whoever comes first is judged by the keys there are; the set is asked for behind.
  await verifier.verify(token)
  await until(async () => reasonOf(await verifier.verify(token)) === 'access_invalid', 'dropped')
  assert.equal(reasonOf(await verifier.verify(issuer.token({}, next))), 'verified')
})

test('the feed names a new key at once: it is asked for before any token comes', async t => {
  const issuer = await openIssuer(t)
  const verifier = issuer.verifier()
  await verifier.ready()
  assert.equal(issuer.keysAsked(), 1)
  const next = makeKey('EdDSA')
  issuer.published = [...issuer.published, next]
  issuer.wake()
  await until(() => issuer.keysAsked() === 2, 'asked for')
  assert.equal(reasonOf(await verifier.verify(issuer.token({}, next))), 'verified')
  assert.equal(issuer.keysAsked(), 2)
})

test('the feed no longer names a key: it is dropped at once, even where the set is an old copy that has it', async t => {
  const issuer = await openIssuer(t)
  const verifier = issuer.verifier()
  const [stolen] = issuer.published
  const token = issuer.token({}, stolen)
  assert.equal(reasonOf(await verifier.verify(token)), 'verified')
  const next = makeKey()
  issuer.accepted = [next.kid]
  issuer.wake()
  await until(async () => reasonOf(await verifier.verify(token)) === 'access_invalid', 'dropped')
  assert.equal(reasonOf(await verifier.verify(issuer.token({}, stolen))), 'access_invalid')

  issuer.published = [...issuer.published, next]
  issuer.clock.advance(10_000)
  await until(async () => reasonOf(await verifier.verify(issuer.token({}, next))) === 'verified', 'learnt')
  assert.equal(reasonOf(await verifier.verify(issuer.token({}, stolen))), 'access_invalid')
})

test('a key that the feed names and the set has not is asked for once in ten seconds', async t => {
  const issuer = await openIssuer(t)
  const verifier = issuer.verifier({ within: 1000 })
  await verifier.ready()
  issuer.accepted = [...issuer.published.map(({ kid }) => kid), 'not-published']
  const before = issuer.feedAsked()
  await until(() => issuer.feedAsked() >= before + 6, 'the feed has been read a few times')
  assert.equal(issuer.keysAsked(), 2)
  issuer.clock.advance(10_000)
  await until(() => issuer.keysAsked() === 3, 'asked for again')
})

test('a key of which the feed could not tell any more is learnt from the set', async t => {
  const issuer = await openIssuer(t)
  const verifier = issuer.verifier({ whenUnreachable: 'accept' })
  await verifier.ready()
  issuer.answers.feed = text('', 401)
  issuer.wake()
  await until(() => verifier.troubles.length > 0, 'the feed is lost')
  const next = makeKey()
  issuer.published = [...issuer.published, next]
  issuer.clock.advance(10_000)
  assert.equal(reasonOf(await verifier.verify(issuer.token({}, next))), 'verified')
})

test('trouble with the keys is told once although the feed is heard all the while', async t => {
  const issuer = await openIssuer(t)
  const verifier = issuer.verifier({ within: 1000 })
  assert.equal(reasonOf(await verifier.verify(issuer.token())), 'verified')
  issuer.answers.keys = text('', 500)
  for (let round = 0; round < 3; round++) {
    issuer.clock.advance(5 * minute)
    const before = issuer.feedAsked()
    await until(() => issuer.feedAsked() >= before + 2, 'heard')
    assert.equal(reasonOf(await verifier.verify(issuer.token())), 'verified')
    await until(() => issuer.keysAsked() === 2 + round, 'asked')
  }
  assert.deepEqual(
    verifier.troubles.map(({ message }) => message.replace(/http:\S+\d/, '')),
    ['GET /.well-known/jwks.json answered 500'],
  )
})

test('where Rusk signs with a shared key, what to give is said', async t => {
  const issuer = await openIssuer(t)
  issuer.published = []
  const verifier = issuer.verifier()
  await assert.rejects(verifier.ready(), /signs with JWT_SECRET_KEY\. Give createVerifier that as `key`$/)
})
