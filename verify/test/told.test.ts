// What a service was told of Rusk, held against what Rusk says of itself: where no token of its would ever be good, that is
// said at start, in a sentence, and once.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createVerifier, type Options, type Unreachable } from '../src/index.ts'
import { type Issuer, json, openIssuer, reasonOf, serviceKey, text, until } from './issuer.ts'
import { live } from './lived.ts'
import { runRusk } from './rusk.ts'

/** Most of what these do is to wait. */
const together = { concurrency: true }

const key = 'a-shared-key-of-more-than-thirty-two-bytes'

const messages = (troubles: readonly Unreachable[]) => troubles.map(({ message }) => message)

/** Until the feed has been asked so many times more. */
async function heard(issuer: Issuer, times: number): Promise<void> {
  const before = issuer.feedAsked()
  await until(() => issuer.feedAsked() >= before + times, 'heard')
}

// [sentence, what Rusk tells of itself, what the service was told, what is said, how Rusk is put right]
const fakes: readonly (readonly [
  sentence: string,
  tells: object,
  options: Partial<Options>,
  says: RegExp,
  mend: (issuer: Issuer) => void,
])[] = [
  [
    'Rusk has another url',
    { issuer: 'http://localhost:8000' },
    {},
    /^Rusk signs as http:\/\/localhost:8000 \(its url\), and issuer is http:\/\/127\.0\.0\.1:\d+ here: none of its tokens is valid$/,
    issuer => {
      issuer.tells = () => ({ issuer: issuer.url })
    },
  ],
  [
    'Rusk alone has an audience',
    { audience: 'chat' },
    {},
    /^Rusk’s audience is chat, and audience is none here: none of its tokens is valid$/,
    issuer => {
      issuer.tells = () => ({ audience: null })
    },
  ],
  [
    'the service alone has an audience',
    { audience: null },
    { audience: 'chat' },
    /^Rusk’s audience is none, and audience is chat here: none of its tokens is valid$/,
    issuer => {
      issuer.tells = () => ({ audience: 'chat' })
    },
  ],
  [
    'they have two audiences',
    { audience: 'chat' },
    { audience: 'Chat' },
    /^Rusk’s audience is chat, and audience is Chat here: none of its tokens is valid$/,
    issuer => {
      issuer.tells = () => ({ audience: 'Chat' })
    },
  ],
  [
    'the service has a shared key, and Rusk keys of its own',
    {},
    { key },
    /^Rusk signs with keys of its own and not with a shared one: leave `key` out, or set JWT_SECRET_KEY there too$/,
    issuer => {
      issuer.accepted = []
    },
  ],
]

describe('what contradicts Rusk:', together, () => {
  for (const [sentence, tells, options, says, mend] of fakes) {
    test(`where ${sentence}, ready() says so, callers get 503, it is told once, and mended it works by itself`, async t => {
      const issuer = await openIssuer(t)
      issuer.tells = () => tells
      const verifier = issuer.verifier(options)
      await assert.rejects(verifier.ready(), { name: 'Unreachable', message: says })
      assert.deepEqual(await verifier.verify(issuer.token()), { rejected: 'unavailable', status: 503 })
      await heard(issuer, 5)
      assert.equal(verifier.troubles.length, 1, messages(verifier.troubles).join('\n'))
      // No word of asking again: that does not help.
      assert.match(messages(verifier.troubles)[0] ?? '', says)

      mend(issuer)
      await until(
        () =>
          verifier.ready().then(
            () => true,
            () => false,
          ),
        'mended',
      )
      issuer.tells = () => ({ issuer: 'https://elsewhere.example' })
      issuer.wake()
      await until(() => verifier.troubles.length === 2, 'told again, because it had worked in between')
      assert.match(messages(verifier.troubles)[1] ?? '', /^Rusk signs as https:\/\/elsewhere\.example /)
    })
  }

  for (const [sentence, whenUnreachable, tail] of [
    ['is refused, a 503 is announced', 'refuse', '; after 5 s without an answer callers get 503'],
    ['is accepted, nobody is promised a 503', 'accept', ''],
  ] as const) {
    test(`where silence ${sentence}`, async t => {
      const issuer = await openIssuer(t)
      issuer.answers.feed = text('', 401)
      const verifier = issuer.verifier({ whenUnreachable })
      await assert.rejects(verifier.ready())
      const [trouble = ''] = messages(verifier.troubles)
      const end = `: is serviceKey one of RUSK_SERVICE_KEYS there? It is asked again by itself${tail}`
      assert.ok(trouble.endsWith(end), trouble)
    })
  }
})

const told = (issuer: Issuer, audience: string | null = null) => ({
  issuer: issuer.url,
  audience,
  now: Math.floor(issuer.clock.now() / 1000),
})

const fitting: readonly (readonly [string, (issuer: Issuer) => object, Partial<Options>])[] = [
  ['all of it fits', issuer => told(issuer), {}],
  ['the audience fits too', issuer => told(issuer, 'chat'), { audience: 'chat' }],
  ['issuer is written with a slash', issuer => told(issuer), { issuer: 'with a slash' }],
  ['it tells none of it, as an older one', () => ({}), {}],
  ['it tells none of it, and an audience is known here', () => ({}), { audience: 'chat' }],
  ['it tells what nobody here understands', () => ({ issuer: 1, now: 'noon', more: [] }), {}],
]

describe('nothing is said where', together, () => {
  for (const [sentence, tells, options] of fitting) {
    test(sentence, async t => {
      const issuer = await openIssuer(t)
      issuer.tells = () => tells(issuer)
      const verifier = issuer.verifier({
        ...options,
        ...(options.issuer ? { issuer: `${issuer.url}/` } : {}),
      })
      await verifier.ready()
      const { audience: aud } = options
      const token = issuer.token(aud === undefined ? {} : { aud })
      assert.equal(reasonOf(await verifier.verify(token)), 'verified')
      await heard(issuer, 3)
      assert.deepEqual(messages(verifier.troubles), [])
    })
  }
})

/** What a newcomer gets wrong, with a Rusk that is real; undefined: nothing. */
const real: readonly (readonly [
  sentence: string,
  rusk: Parameters<typeof runRusk>[1],
  options: (url: string) => Partial<Options>,
  says: RegExp | undefined,
])[] = [
  ['all of it fits', {}, () => ({}), undefined],
  ['an audience fits', { audience: 'chat' }, () => ({ audience: 'chat' }), undefined],
  ['a shared key fits', { jwt: { key } }, () => ({ key }), undefined],
  [
    'issuer is localhost, and url 127.0.0.1',
    {},
    url => ({ issuer: url.replace('127.0.0.1', 'localhost'), url }),
    /^Rusk signs as http:\/\/127\.0\.0\.1:\d+ \(its url\), and issuer is http:\/\/localhost:\d+ here/,
  ],
  [
    'an audience is there',
    { audience: 'chat' },
    () => ({}),
    /^Rusk’s audience is chat, and audience is none here/,
  ],
  [
    'an audience is here',
    {},
    () => ({ audience: 'chat' }),
    /^Rusk’s audience is none, and audience is chat here/,
  ],
  ['a shared key is here', {}, () => ({ key }), /^Rusk signs with keys of its own and not with a shared one/],
  [
    'a shared key is there',
    { jwt: { key } },
    () => ({}),
    /^Rusk publishes no key: it signs with JWT_SECRET_KEY/,
  ],
]

describe('with a Rusk that is real:', together, () => {
  for (const [sentence, given, options, says] of real) {
    test(`${sentence}: ${says ? 'that is said' : 'whoever is signed in is let in, and nothing is said'}`, async t => {
      const rusk = await runRusk(t, { service: { keys: [serviceKey] }, ...given })
      const troubles: Unreachable[] = []
      const onTrouble = (error: Unreachable) => troubles.push(error)
      const verifier = createVerifier({ issuer: rusk.url, serviceKey, onTrouble, ...options(rusk.url) })
      t.after(() => verifier.close())
      const jack = await rusk.signUp('jack')
      if (says) {
        await assert.rejects(verifier.ready(), { name: 'Unreachable', message: says })
        assert.deepEqual(await verifier.verify(jack.access), { rejected: 'unavailable', status: 503 })
      } else {
        await verifier.ready()
        assert.equal(reasonOf(await verifier.verify(jack.access)), 'verified')
      }
      await sleep(1500)
      assert.equal(troubles.length, says ? 1 : 0, messages(troubles).join('\n'))
    })
  }
})

test('that keys are of no use here is told once, however often the set is read, and those that are of use are used', async t => {
  const issuer = await openIssuer(t)
  const keys = [
    ...issuer.published.map(({ jwk }) => jwk),
    { kty: 'AKP', alg: 'ML-DSA-65', kid: 'later', pub: 'x' },
  ]
  issuer.answers.keys = json({ keys })
  const verifier = issuer.verifier({ revocation: 'none' })
  for (let asked = 1; asked < 4; asked++) {
    assert.equal(reasonOf(await verifier.verify(issuer.token())), 'verified')
    await until(() => issuer.keysAsked() === asked, 'read')
    await live(50)
    issuer.clock.advance(5 * 60_000)
  }
  assert.deepEqual(messages(verifier.troubles), [
    'Of the keys that Rusk publishes some are of no use here, and left out',
  ])
})

describe('the clock:', together, () => {
  // [how far it is ahead of Rusk's, in milliseconds, what is said]
  for (const [ahead, says] of [
    [0, undefined],
    [58_000, undefined],
    [-58_000, undefined],
    [65_000, 'about 2 min ahead of Rusk’s'],
    [-65_000, 'about 2 min behind Rusk’s'],
    [3_600_000 - 30_000, 'about 60 min ahead of Rusk’s'],
  ] as const) {
    test(`${ahead} ms ahead of Rusk’s: ${says ? 'that is told once, and once more after it was right' : 'nothing is said'}`, async t => {
      const issuer = await openIssuer(t)
      let by: number = ahead
      issuer.tells = () => ({ now: Math.floor((issuer.clock.now() - by) / 1000) })
      const verifier = issuer.verifier({ within: 1000 })
      await verifier.ready()
      await heard(issuer, 4)
      const sentence = `The clock here is ${says}: good tokens are refused. Set it right`
      const once = says ? [sentence] : []
      assert.deepEqual(messages(verifier.troubles), once)
      by = 0
      await heard(issuer, 2)
      by = ahead
      await heard(issuer, 4)
      assert.deepEqual(messages(verifier.troubles), [...once, ...once])
      assert.equal(reasonOf(await verifier.verify(issuer.token())), 'verified', 'nobody is refused for it')
    })
  }

  // Rusk tells whole seconds: what is measured moves by as much.
  for (const [sentence, ahead] of [
    ['a minute', 60_000],
    ['two minutes', 120_000],
    ['two minutes behind', -120_000],
  ] as const) {
    test(`by ${sentence}, a little more or less from answer to answer: that is told once`, async t => {
      const issuer = await openIssuer(t)
      let answers = 0
      issuer.tells = () => ({ now: (issuer.clock.now() - ahead + (answers++ % 2 === 0 ? -900 : 900)) / 1000 })
      const verifier = issuer.verifier({ within: 1000 })
      await verifier.ready()
      await heard(issuer, 8)
      assert.equal(verifier.troubles.length, 1, messages(verifier.troubles).join('\n'))
    })
  }

  test('that is wrong is no other trouble’s end', async t => {
    const issuer = await openIssuer(t)
    issuer.tells = () => ({ now: Math.floor(issuer.clock.now() / 1000) - 600 })
    const verifier = issuer.verifier({ within: 1000 })
    await verifier.ready()
    issuer.tells = () => ({ audience: 'chat' })
    issuer.wake()
    await live(1500)
    assert.deepEqual(
      messages(verifier.troubles).map(each => each.slice(0, 20)),
      ['The clock here is ab', 'Rusk’s audience is c'],
    )
  })
})
