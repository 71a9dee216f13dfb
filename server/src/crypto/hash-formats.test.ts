import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formats, readPasswordRecord, type Scheme, todays } from './hash-formats.ts'

const phrase = 'correct horse battery staple'

// [source, password, record]
const knownAnswers: [string, string, string][] = [
  [
    'Django 3.2, tests of Argon2PasswordHasher',
    'secret',
    '$argon2id$v=19$m=102400,t=2,p=8$Y041dExhNkljRUUy$TMa6A8fPJhCAUXRhJXCXdw',
  ],
  [
    'Django 3.2, tests of Argon2PasswordHasher',
    'secret',
    '$argon2i$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$YC9+jJCrQhs5R6db7LlN8Q',
  ],
  [
    'Ory Kratos, tests of its hash comparators',
    'test',
    '$argon2id$v=19$m=32,t=2,p=4$cm94YnRVOW5jZzFzcVE4bQ$MNzk5BtR2vUhrp6qQEjRNw',
  ],
  [
    'argon2-cffi, by passlib 1.7.4',
    phrase,
    '$argon2id$v=19$m=65536,t=3,p=4$AAECAwQFBgcICQoLDA0ODw$TtGtzb+0zeY1/OhH4sz69w',
  ],
  [
    'PHP 8.2, password_hash',
    phrase,
    '$argon2id$v=19$m=65536,t=4,p=1$UWs4VTNIUE5HS1NMMjBsYw$EcBezI2xWSMWfRPLcgrR/uQxyHw30VCwImyw8bI+DVs',
  ],
  [
    'PHP 8.2, password_hash',
    phrase,
    '$argon2i$v=19$m=65536,t=4,p=1$TGhiMEhqS2xrcXNwNFNoVA$17mlx2dHTyDWDoXA+qI2RH6LOahcv3jbhQWd94zPScE',
  ],
  ['PHP 8.2, password_hash', phrase, '$2y$12$abcdefghijklmnopqrstuu0sDWleciW5uGBGYwxpcgAsh9WK4bWNy'],
  ['crypt_blowfish, its own tests', 'U*U', '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW'],
  ['crypt_blowfish, its own tests', 'U*U*U', '$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a'],
  ['jBCrypt, its own tests', 'abc', '$2a$06$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i'],
  [
    'Ory Kratos, tests of its hash comparators',
    'test',
    '$2a$12$o6hx.Wog/wvFSkT/Bp/6DOxCtLRTDj7lm9on9suF/WaCGNVHbkfL6',
  ],
]
for (const [source, password, record] of knownAnswers) {
  test(`${record.slice(0, 32)} of ${source} knows its password and no other`, async () => {
    const read = readPasswordRecord(record)
    assert.ok(read)
    const { format, parts } = read
    assert.equal(await format.verify(record, parts, password), true)
    assert.equal(await format.verify(record, parts, `${password}!`), false)
    assert.equal(await format.verify(record, parts, `x${password}`), false)
  })
}

const salt = 'c2FsdHNhbHQ'
const tag = 'YC9+jJCrQhs5R6db7LlN8Q'
const argon2 = (costs: string, of = salt, to = tag, head = '$argon2id$v=19') => `${head}$${costs}$${of}$${to}`
const bcryptRest = 'abcdefghijklmnopqrstuuBzzIgyKkz7xMWYSzkIjUSnxEQFQ0WNe'

// [sentence, record]
const acceptable: [string, string][] = [
  ['the smallest memory', argon2('m=8,t=1,p=1')],
  ['the dearest', argon2('m=262144,t=10,p=8')],
  ['the longest salt and tag', argon2('m=8,t=1,p=1', `${'A'.repeat(86)}`, `${'A'.repeat(86)}`)],
  ['bcrypt 4', `$2b$04$${bcryptRest}`],
  ['bcrypt 15', `$2a$15$${bcryptRest}`],
]
for (const [what, record] of acceptable) {
  test(`a record may have ${what}`, () => assert.equal(readPasswordRecord(record)?.record, record))
}

const refused: [string, string][] = [
  ['empty', ''],
  ['an unusable mark', '!'],
  ['another unusable mark', '*'],
  ['Django without a password', '!x8sJ2kfy0bnaYgZ2oEfsVXMUkxYYHB3wJAoQpJtQ'],
  ['a password', phrase],
  ['a raw digest', '5f4dcc3b5aa765d61d8327deb882cf99'],
  ['nothing but dollars', '$'.repeat(10_000)],
  ['a megabyte', 'a'.repeat(1 << 20)],
  ['8 GiB', argon2('m=8388608,t=1,p=1')],
  ['a kibibyte too much', argon2('m=262145,t=1,p=1')],
  ['eleven passes', argon2('m=8,t=11,p=1')],
  ['a thousand passes', argon2('m=8,t=1000,p=1')],
  ['nine lanes', argon2('m=262144,t=1,p=9')],
  ['less memory than its lanes need', argon2('m=63,t=1,p=8')],
  ['no memory', argon2('m=0,t=1,p=1')],
  ['a leading zero', argon2('m=08,t=1,p=1')],
  ['a negative cost', argon2('m=-8,t=1,p=1')],
  ['a hexadecimal cost', argon2('m=0x8,t=1,p=1')],
  ['a full-width cost', argon2('m=８,t=1,p=1')],
  ['a cost missing', argon2('m=8,t=1')],
  ['a cost twice', argon2('m=8,m=8,t=1,p=1')],
  ['costs in another order', argon2('t=1,m=8,p=1')],
  ['further parameters', argon2('m=8,t=1,p=1,keyid=AA')],
  ['no salt', argon2('m=8,t=1,p=1', '')],
  ['a salt of seven bytes', argon2('m=8,t=1,p=1', 'c2FsdHNhbA')],
  ['a salt of 65 bytes', argon2('m=8,t=1,p=1', 'A'.repeat(87))],
  ['a salt that no bytes have', argon2('m=8,t=1,p=1', 'AAAAAAAAAAAAA')],
  ['a salt with stray bits', argon2('m=8,t=1,p=1', 'c2FsdHNhbHR')],
  ['a padded salt', argon2('m=8,t=1,p=1', `${salt}=`)],
  ['a salt in the other alphabet', argon2('m=8,t=1,p=1', 'c2FsdHNhb-_')],
  ['a tag of one byte', argon2('m=8,t=1,p=1', salt, 'AA')],
  ['a tag of fifteen', argon2('m=8,t=1,p=1', salt, 'A'.repeat(20))],
  ['a tag with stray bits', argon2('m=8,t=1,p=1', salt, `${'A'.repeat(21)}B`)],
  ['no tag', '$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ'],
  ['a part too many', `${argon2('m=8,t=1,p=1')}$`],
  ['version 16', argon2('m=8,t=1,p=1', salt, tag, '$argon2id$v=16')],
  ['no version', argon2('m=8,t=1,p=1', salt, tag, '$argon2id')],
  ['an unknown variant', argon2('m=8,t=1,p=1', salt, tag, '$argon2$v=19')],
  ['a variant in upper case', argon2('m=8,t=1,p=1', salt, tag, '$ARGON2ID$v=19')],
  ['a newline behind', `${argon2('m=8,t=1,p=1')}\n`],
  ['bcrypt 3', `$2b$03$${bcryptRest}`],
  ['bcrypt 16', `$2b$16$${bcryptRest}`],
  ['bcrypt 31', `$2b$31$${bcryptRest}`],
  ['bcrypt of the historic bug', `$2x$04$${bcryptRest}`],
  ['bcrypt of the first version', `$2$04$${bcryptRest}`],
  ['bcrypt with one digit', `$2b$4$${bcryptRest}`],
  ['bcrypt cut short', `$2b$04$${bcryptRest.slice(1)}`],
  ['bcrypt too long', `$2b$04$${bcryptRest}e`],
  ['a bcrypt salt with stray bits', `$2b$04$${bcryptRest.replace('uu', 'uv')}`],
  ['a bcrypt hash with stray bits', `$2b$04$${bcryptRest.slice(0, -1)}f`],
]
for (const [what, record] of refused) {
  test(`no record: ${what}`, () => assert.equal(readPasswordRecord(record), undefined))
}

// [record, is it current under argon2id, under bcrypt]
const strengths: [string, boolean, boolean][] = [
  [argon2('m=19456,t=2,p=1'), true, true],
  [argon2('m=65536,t=3,p=4'), true, true],
  [argon2('m=19456,t=1,p=1'), false, false],
  [argon2('m=19455,t=2,p=1'), false, false],
  [argon2('m=65536,t=4,p=1', salt, tag, '$argon2i$v=19'), false, false],
  [argon2('m=65536,t=4,p=1', salt, tag, '$argon2d$v=19'), false, false],
  [`$2b$12$${bcryptRest}`, false, true],
  [`$2y$13$${bcryptRest}`, false, true],
  [`$2b$11$${bcryptRest}`, false, false],
]
for (const [record, argon2id, bcrypt] of strengths) {
  test(`${record.slice(0, 30)} is ${argon2id ? '' : 'not '}as strong as today's argon2id, ${bcrypt ? '' : 'not '}as bcrypt`, () => {
    const read = readPasswordRecord(record)
    assert.ok(read)
    assert.equal(read.format.current(read.parts, 'argon2id'), argon2id)
    assert.equal(read.format.current(read.parts, 'bcrypt'), bcrypt)
  })
}

for (const scheme of ['argon2id', 'bcrypt'] as const satisfies Scheme[]) {
  test(`what ${scheme} writes is current, takes today's work and is as dear as its dummy`, async () => {
    const record = await todays[scheme].write(phrase)
    for (const text of [record, todays[scheme].dummy]) {
      const read = readPasswordRecord(text)
      assert.ok(read)
      assert.equal(read.format.name, scheme)
      assert.ok(read.format.current(read.parts, scheme))
      assert.equal(read.format.work(read.parts), todays[scheme].work)
      assert.equal(await read.format.verify(text, read.parts, phrase), text === record)
    }
    assert.notEqual(await todays[scheme].write(phrase), record)
  })
}

test('no two formats claim one record', () => {
  for (const [, , record] of knownAnswers)
    assert.equal(formats.filter(({ grammar }) => grammar.test(record)).length, 1)
})

test('every cheap record that is read can also be checked: nothing in it makes the library throw', async () => {
  const bytes = (least: number, most: number) =>
    fc
      .uint8Array({ minLength: least, maxLength: most })
      .map(all => Buffer.from(all).toString('base64').replace(/=+$/, ''))
  const record = fc
    .tuple(
      fc.constantFrom('argon2id', 'argon2i', 'argon2d'),
      fc.integer({ min: 8, max: 128 }),
      fc.integer({ min: 1, max: 3 }),
      fc.integer({ min: 1, max: 9 }),
      bytes(7, 65),
      bytes(15, 65),
    )
    .map(([name, m, t, p, of, to]) => argon2(`m=${m},t=${t},p=${p}`, of, to, `$${name}$v=19`))
  await fc.assert(
    fc.asyncProperty(record, fc.string({ unit: 'grapheme' }), async (text, password) => {
      const read = readPasswordRecord(text)
      if (read) assert.equal(await read.format.verify(text, read.parts, password), false)
    }),
  )
  await fc.assert(
    fc.asyncProperty(fc.stringMatching(/^\$2[aby]\$04\$[./A-Za-z0-9]{53}$/), async text => {
      const read = readPasswordRecord(text)
      if (read) assert.equal(await read.format.verify(text, read.parts, 'x'), false)
    }),
    { numRuns: 50 },
  )
})
