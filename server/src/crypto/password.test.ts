import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readPasswordRecord, todays } from './hash-formats.ts'
import { createPasswords, decideHashPlan, HashQueueFull } from './password.ts'

const passwords = createPasswords({ scheme: 'argon2id' })
const inBcrypt = createPasswords({ scheme: 'bcrypt' })
const phrase = 'correct horse battery staple'
const written = await passwords.hash(phrase)

const cheap = '$argon2i$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$YC9+jJCrQhs5R6db7LlN8Q'
const bcrypt5 = '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW'
const bcrypt72 = '$2b$04$abcdefghijklmnopqrstuuBzzIgyKkz7xMWYSzkIjUSnxEQFQ0WNe'
const yes = { matches: true, stale: false, malformed: false }
const no = { matches: false, stale: false, malformed: false }
const long = 'ü'.repeat(512)

test('a new record is Argon2id of 19 MiB, two passes, one lane', () =>
  assert.match(written, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22}\$[\w+/]{43}$/))

// [sentence, record, password, want]
const checks: [string, string | null, string, typeof no][] = [
  ['the right password matches', written, phrase, yes],
  ['a wrong one does not', written, `${phrase}!`, no],
  ['the empty one does not', written, '', no],
  ['surrounding space is part of a password', written, ` ${phrase}`, no],
  ['case is part of a password', written, phrase.toUpperCase(), no],
  ['a weaker record matches and is stale', cheap, 'secret', { ...yes, stale: true }],
  ['a weaker record that does not match is not stale', cheap, 'Secret', no],
  ['a bcrypt record matches and is stale', bcrypt5, 'U*U', { ...yes, stale: true }],
  ['72 bytes match a bcrypt record', bcrypt72, 'a'.repeat(72), { ...yes, stale: true }],
  ['73 bytes of which bcrypt would see 72 do not', bcrypt72, 'a'.repeat(73), no],
  ['nor do 73 bytes in 72 characters', bcrypt72, `${'a'.repeat(71)}ü`, no],
  ['a NUL does not match a bcrypt record', bcrypt5, 'U*U\0', no],
  ['nobody has no password', null, phrase, no],
  ['nobody has not even the empty password', null, '', no],
  ['a malformed record is "no" and says so', '$argon2id$v=19$m=8', phrase, { ...no, malformed: true }],
  ['an empty record is "no"', '', '', { ...no, malformed: true }],
  ['an unusable mark is "no"', '!', '!', { ...no, malformed: true }],
  [
    'a record dearer than any server should pay is "no"',
    '$argon2id$v=19$m=8388608,t=1,p=1$c2FsdHNhbHQ$YC9+jJCrQhs5R6db7LlN8Q',
    'secret',
    { ...no, malformed: true },
  ],
  ['a lone surrogate is "no"', written, `${phrase}\ud800`, no],
  ['a megabyte is "no"', written, 'a'.repeat(1 << 20), no],
]
for (const [sentence, record, password, want] of checks) {
  test(sentence, async () => assert.deepEqual(await passwords.verify(record, password), want))
}

test('a password is never cut short, normalised or trimmed', async () => {
  for (const [one, other] of [
    [long, `${long.slice(0, -1)}u`],
    ['\u00e9t\u00e9s!!!', 'e\u0301te\u0301s!!!'],
    ['abc\0def', 'abc'],
    ['tail ', 'tail'],
  ] as const) {
    const record = await passwords.hash(one)
    assert.deepEqual(await passwords.verify(record, one), yes)
    assert.deepEqual(await passwords.verify(record, other), no)
  }
})

test('the same password has another record each time', async () =>
  assert.notEqual(await passwords.hash(phrase), written))

test('a check that may not be made compares nothing, and is asked about when its turn has come', async () => {
  const single = createPasswords({ scheme: 'argon2id', concurrency: 1 })
  let release = () => {}
  const held = new Promise<boolean>(resolve => {
    release = () => resolve(true)
  })
  const asked: string[] = []
  const ask = (name: string, answer: Promise<boolean> | boolean) => async () => {
    asked.push(name)
    return answer
  }
  const first = single.verify(written, phrase, { mayCheck: ask('first', held) })
  const second = single.verify(written, phrase, { mayCheck: ask('second', false) })
  await new Promise(resolve => setImmediate(resolve))
  assert.deepEqual(asked, ['first'])
  release()
  assert.deepEqual(await first, yes)
  assert.deepEqual(await second, no)
  assert.deepEqual(asked, ['first', 'second'])
  assert.deepEqual(await single.verify(written, phrase, { mayCheck: async () => true }), yes)
  await assert.rejects(
    single.verify(written, phrase, { mayCheck: () => Promise.reject(new Error('no store')) }),
    /no store/,
  )
  assert.deepEqual(await single.verify(written, phrase), yes)
})

test('what may never be a password gets no record', async () => {
  for (const bad of ['abcdefgh\ud800', 'a'.repeat(1025), `${long}a`])
    await assert.rejects(passwords.hash(bad), RangeError)
})

test('by option bcrypt 12 is written, and a password that it would cut short gets Argon2id', async () => {
  const record = await inBcrypt.hash(phrase)
  assert.match(record, /^\$2[by]\$12\$/)
  assert.deepEqual(await inBcrypt.verify(record, phrase), yes)
  for (const longer of ['a'.repeat(73), 'abc\0def']) {
    const other = await inBcrypt.hash(longer)
    assert.match(other, /^\$argon2id\$/)
    assert.deepEqual(await inBcrypt.verify(other, longer), yes)
    assert.deepEqual(await inBcrypt.verify(other, `${longer}a`), no)
  }
  assert.deepEqual(await inBcrypt.verify(written, phrase), yes)
  assert.deepEqual(await passwords.verify(record, phrase), { ...yes, stale: true })
})

// Time is spent as decided; here is what is decided. [sentence, record, password]
const refusals: [string, string | null, string][] = [
  ['nobody', null, phrase],
  ['a wrong password', written, 'x'],
  ['a malformed record', '$2b$99$x', phrase],
  ['an unusable mark', '!', phrase],
  ['a cheap record', cheap, 'x'],
  ['a cheap bcrypt record', bcrypt5, 'x'],
  ['a password that bcrypt cannot take', bcrypt5, 'a'.repeat(73)],
  ['a password that nothing takes', written, '\ud800'],
]
for (const scheme of ['argon2id', 'bcrypt'] as const) {
  for (const [sentence, record, password] of refusals) {
    test(`${scheme}: refusing ${sentence} is the same work as refusing any other`, () => {
      const { against, rest } = decideHashPlan(record, password, scheme)
      const work = against.format.work(against.parts) + rest
      assert.ok(Math.abs(work - todays[scheme].work) < 1e-6 * work)
    })
  }
}

test('a dearer record costs its own work and nothing on top', () => {
  const dear = '$argon2id$v=19$m=65536,t=3,p=4$AAECAwQFBgcICQoLDA0ODw$TtGtzb+0zeY1/OhH4sz69w'
  const { against, rest } = decideHashPlan(dear, phrase, 'argon2id')
  assert.equal(rest, 0)
  assert.deepEqual(against, readPasswordRecord(dear))
})

/** The fastest of several, in milliseconds: what else runs can only make it slower. */
async function fastest(work: () => Promise<unknown>): Promise<number> {
  let best = Number.POSITIVE_INFINITY
  for (let round = 0; round < 7; round++) {
    const startedAt = performance.now()
    await work()
    best = Math.min(best, performance.now() - startedAt)
  }
  return best
}

test('no refusal is answered without hashing', async () => {
  const usual = await fastest(() => passwords.verify(written, 'x'))
  for (const [sentence, record, password] of refusals) {
    const took = await fastest(() => passwords.verify(record, password))
    // Whoever hashes nothing is a hundred times as fast; what else runs meanwhile never makes so much of it.
    assert.ok(took > usual / 10, `${sentence}: ${took} ms of ${usual}`)
  }
})

test('beyond the queue the answer is "not now"; new records take half of it', async () => {
  const busy = createPasswords({ scheme: 'argon2id', concurrency: 1, queue: 4 })
  const writes = Array.from({ length: 5 }, () => busy.hash(phrase))
  const checked = Array.from({ length: 3 }, () => busy.verify(written, phrase))
  const settled = await Promise.allSettled([...writes, ...checked])
  const full = settled.map(one => one.status === 'rejected' && one.reason instanceof HashQueueFull)
  assert.deepEqual(full, [false, false, false, true, true, false, false, true])
})

test('who has no record is answered no in the work that somebody else’s record takes', async () => {
  const bcryptRecord = await createPasswords({ scheme: 'bcrypt' }).hash(phrase)
  const plan = decideHashPlan(null, phrase, 'argon2id', bcryptRecord)
  assert.deepEqual([plan.against.format.name, plan.counts, plan.malformed], ['bcrypt', false, false])
  const passwords = createPasswords({ scheme: 'argon2id' })
  assert.equal((await passwords.verify(null, phrase, { decoy: bcryptRecord })).matches, false)
  assert.equal(decideHashPlan(null, phrase, 'argon2id', 'no record at all').against.format.name, 'argon2id')
})
