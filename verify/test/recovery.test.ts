// That trouble is over is told too: once, and not while anything else is wrong. And what a program without types hands over.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createVerifier, type Verifier } from '../src/index.ts'
import { openIssuer, reasonOf, serviceKey, text, until } from './issuer.ts'
import { live } from './lived.ts'

const broken = text('', 500)

test('after trouble it is told once that all of it is over, and again after the next', async t => {
  const issuer = await openIssuer(t)
  const told: string[] = []
  const verifier = issuer.verifier({
    within: 1000,
    onTrouble: ({ message }) => told.push(/revocations|jwks/.exec(message)?.[0] ?? message),
    onRecovery: () => told.push('over'),
  })
  await verifier.ready()
  assert.deepEqual(told, [], 'it began well')
  for (const times of [1, 2]) {
    issuer.answers.feed = broken
    await until(() => told.at(-1) === 'revocations', 'trouble')
    issuer.answers.feed = issuer.well.feed
    await until(() => told.at(-1) === 'over', 'over')
    assert.equal(told.length, 2 * times, told.join())
  }
  await live(500)
  assert.equal(told.length, 4, told.join())
})

test('nothing is over while keys or ended sessions cannot be had', async t => {
  const issuer = await openIssuer(t)
  const told: string[] = []
  const verifier = issuer.verifier({
    within: 1000,
    onTrouble: ({ message }) => told.push(/revocations|jwks/.exec(message)?.[0] ?? message),
    onRecovery: () => told.push('over'),
  })
  issuer.answers.keys = broken
  assert.equal(reasonOf(await verifier.verify(issuer.token())), 'unavailable')
  issuer.answers.feed = broken
  await until(() => told.length === 2, 'both are told')
  issuer.answers.feed = issuer.well.feed
  await until(
    () =>
      verifier.ready().then(
        () => false,
        ({ message }) => /jwks/.test(message),
      ),
    'the feed is heard',
  )
  await live(300)
  assert.deepEqual(told.toSorted(), ['jwks', 'revocations'])
  issuer.answers.keys = issuer.well.keys
  await until(async () => reasonOf(await verifier.verify(issuer.token())) === 'verified', 'keys are there')
  await until(() => told.at(-1) === 'over', 'over')
  assert.equal(told.length, 3, told.join())
})

// [sentence, who takes trouble over, the lines on stderr]
for (const [sentence, options, lines] of [
  ['nobody else is told', {}, 2],
  ['a program takes trouble over', { onTrouble: () => undefined }, 0],
  ['it takes what is over alone', { onRecovery: () => undefined }, 1],
] as const) {
  test(`where ${sentence}, ${lines} lines on stderr tell of trouble and its end`, async t => {
    const issuer = await openIssuer(t)
    const warn = t.mock.method(console, 'warn', () => undefined).mock
    const verifier = createVerifier({ issuer: issuer.url, serviceKey, within: 1000, ...options })
    t.after(() => verifier.close())
    issuer.answers.feed = broken
    await assert.rejects(verifier.ready())
    issuer.answers.feed = issuer.well.feed
    await until(async () => reasonOf(await verifier.verify(issuer.token())) === 'verified', 'it works')
    await live(100)
    const said = warn.calls.map(each => String(each.arguments[0]))
    const all = [
      /^@rusk\/verify: GET .* answered 500\. It is asked/,
      /^@rusk\/verify: Rusk is heard again, and nothing is wrong any more$/,
    ]
    assert.equal(said.length, lines, said.join('\n'))
    for (const [at, line] of said.entries()) assert.match(line, all[at] ?? assert.fail(line))
  })
}

test('what is no text is no token, and makes no error', async t => {
  const issuer = await openIssuer(t)
  const verifier = issuer.verifier()
  const verify = verifier.verify as (token: unknown) => ReturnType<Verifier['verify']>
  for (const token of [undefined, null, 5, {}, ['a.b.c'], true])
    assert.deepEqual(await verify(token), { rejected: 'not_signed_in', status: 401 })
  assert.equal(reasonOf(await verify('')), 'access_invalid')
})

test('what is no call, and nobody to tell, are said at once', async t => {
  const issuer = await openIssuer(t)
  const verifier = issuer.verifier()
  const check = verifier.check as (call: unknown) => Promise<unknown>
  for (const call of [undefined, null, {}, 'GET /']) {
    await assert.rejects(check(call), { name: 'TypeError', message: /^check\(call\): a Request/ })
  }
  const { verified } = await verifier.verify(issuer.token())
  const whenEnded = verifier.whenEnded as (claims: unknown, ended: unknown) => unknown
  for (const ended of [undefined, null, 'close'])
    assert.throws(() => whenEnded(verified, ended), { name: 'TypeError', message: /^whenEnded\(/ })
})
