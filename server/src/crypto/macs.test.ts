import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import { sameText } from '@rusk/verify/floor'
import fc from 'fast-check'
import { type MacKey, readCsrfToken, readRefreshToken, writeCsrfToken, writeRefreshToken } from './macs.ts'

const key: MacKey = { id: 'k1', bytes: Uint8Array.from({ length: 32 }, (_, at) => at) }
const other: MacKey = { id: 'k2', bytes: key.bytes }
const another: MacKey = { id: 'k1', bytes: new Uint8Array(32).fill(7) }
const session = 'c2Vzc2lvbi1pZC0xNmJ5dA'
const token = writeRefreshToken(key, session, 7)
const csrf = writeCsrfToken(key, session)
const anyone = writeCsrfToken(key, null)

test('a refresh token is the same text for ever: sessions survive an upgrade', () => {
  const mac = createHmac('sha256', key.bytes)
    .update(`20:rusk refresh token 1,2:k1,22:${session},1:7`)
    .digest('base64url')
  assert.equal(token, `${session}.7.${mac}`)
  assert.equal(writeRefreshToken(key, 'a', 0), 'a.0.3OZWdQYLOiMwhddYTIkYtikGBErp5LWYw6r1B0zgVbQ')
})

test('what was written is read, by any of the keys', () => {
  for (const n of [0, 1, 7, Number.MAX_SAFE_INTEGER]) {
    const text = writeRefreshToken(key, session, n)
    assert.deepEqual(readRefreshToken([another, key], text), { sessionId: session, n })
    assert.match(text, /^[\w.-]{1,131}$/)
  }
  assert.deepEqual(readCsrfToken([another, key], csrf), { sessionId: session })
  assert.deepEqual(readCsrfToken([key], anyone), { sessionId: null })
  assert.notEqual(writeCsrfToken(key, session), csrf)
})

const [sid = '', , mac = ''] = token.split('.')
const [, random = '', csrfMac = ''] = csrf.split('.')
const last = (text: string): string => {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return text.slice(0, -1) + alphabet[alphabet.indexOf(text.at(-1) ?? '') ^ 1]
}

// [sentence, text]
const strangers: [string, string][] = [
  ['the empty text', ''],
  ['another number', `${sid}.8.${mac}`],
  ['another session', `${sid.slice(1)}.7.${mac}`],
  ['a number with a leading zero', `${sid}.07.${mac}`],
  ['a number with a sign', `${sid}.+7.${mac}`],
  ['a number with a fraction', `${sid}.7.0.${mac}`],
  ['a number with an exponent', `${sid}.7e0.${mac}`],
  ['a hexadecimal number', `${sid}.0x7.${mac}`],
  ['a full-width digit', `${sid}.７.${mac}`],
  ['a number that is no safe integer', `${sid}.9007199254740993.${mac}`],
  ['a negative number', `${sid}.-7.${mac}`],
  ['padding', `${token}=`],
  ['the other alphabet', token.replaceAll('-', '+').replaceAll('_', '/')],
  ['stray trailing bits', last(token)],
  ['white space behind', `${token}\n`],
  ['white space before', ` ${token}`],
  ['quotes', `"${token}"`],
  ['a MAC cut short', token.slice(0, -1)],
  ['no MAC', `${sid}.7.`],
  ['a part more', `${token}.`],
  ['upper case', token.toUpperCase()],
  ['a CSRF token', csrf],
  ['an unbound CSRF token', anyone],
  ['a megabyte', 'a'.repeat(1 << 20)],
  ['a hundred thousand dots', '.'.repeat(100_000)],
]
for (const [what, text] of strangers) {
  test(`a refresh token is not ${what}`, () => assert.equal(readRefreshToken([key], text), undefined))
}

// [sentence, number]
const numbers: [string, string][] = [
  ['a leading zero', '07'],
  ['no safe integer', '9007199254740993'],
  ['a fraction', '7.5'],
]
for (const [what, number] of numbers) {
  test(`not even its own key can vouch for a number with ${what}`, () => {
    const text = `20:rusk refresh token 1,2:k1,1:a,${number.length}:${number}`
    const vouched = createHmac('sha256', key.bytes).update(text).digest('base64url')
    assert.equal(readRefreshToken([key], `a.${number}.${vouched}`), undefined)
  })
}

const csrfStrangers: [string, string][] = [
  ['the empty text', ''],
  ['bound to another session', `${sid.slice(1)}.${random}.${csrfMac}`],
  ['made unbound', `.${random}.${csrfMac}`],
  ['an unbound one made bound', `${sid}${anyone}`],
  ['of another random part', `${sid}.${last(random)}.${csrfMac}`],
  ['two, joined by a comma', `${csrf}, ${csrf}`],
  ['padded', `${csrf}=`],
  ['with stray trailing bits', last(csrf)],
  ['a refresh token', token],
  ['a refresh token with a random-looking number', writeRefreshToken(key, session, 1e15)],
]
for (const [what, text] of csrfStrangers) {
  test(`a CSRF token is not ${what}`, () => assert.equal(readCsrfToken([key], text), undefined))
}

test('another key, or the same bytes under another id, vouch for nothing', () => {
  for (const stranger of [other, another]) {
    assert.equal(readRefreshToken([stranger], token), undefined)
    assert.equal(readCsrfToken([stranger], csrf), undefined)
  }
  assert.equal(readRefreshToken([], token), undefined)
})

test('a key shorter than 32 bytes, the empty one first of all, is refused', () => {
  for (const length of [0, 16, 31]) {
    const short = { id: 'k', bytes: new Uint8Array(length) }
    assert.throws(() => writeRefreshToken(short, session, 1), RangeError)
    assert.throws(() => readRefreshToken([short], token), RangeError)
  }
})

test('a number or a session id that could not be read back is not written', () => {
  for (const n of [-1, 1.5, Number.NaN, 2 ** 53])
    assert.throws(() => writeRefreshToken(key, session, n), RangeError)
  for (const id of ['', 'a.b', 'a b', 'é', 'a'.repeat(65)]) {
    assert.throws(() => writeRefreshToken(key, id, 1), RangeError)
    assert.throws(() => writeCsrfToken(key, id), RangeError)
  }
})

test('no text but the one that was written names that session and number', () => {
  const id = fc.stringMatching(/^[\w-]{1,64}$/)
  const number = fc.nat({ max: Number.MAX_SAFE_INTEGER })
  fc.assert(
    fc.property(id, number, fc.nat(), fc.constantFrom(...'A.-_0=+ \n\u0000é'), (sessionId, n, at, sign) => {
      const text = writeRefreshToken(key, sessionId, n)
      assert.deepEqual(readRefreshToken([key], text), { sessionId, n })
      const place = at % text.length
      for (const changed of [
        text.slice(0, place) + sign + text.slice(place + 1),
        text.slice(0, place) + sign + text.slice(place),
        text.slice(0, place) + text.slice(place + 1),
      ]) {
        if (changed !== text) assert.equal(readRefreshToken([key], changed), undefined)
      }
    }),
  )
})

test('no text makes a reader throw', () =>
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), text => {
      assert.equal(readRefreshToken([key], text), undefined)
      assert.equal(readCsrfToken([key], text), undefined)
    }),
  ))

// [sentence, one, other, want]
const texts: [string, string, string, boolean][] = [
  ['equal texts are the same', 'abc', 'abc', true],
  ['empty texts are the same', '', '', true],
  ['a prefix is another text', 'abc', 'ab', false],
  ['case counts', 'abc', 'abC', false],
  ['two lone surrogates are two texts', '\ud800', '\udbff', false],
]
for (const [sentence, one, two, want] of texts) test(sentence, () => assert.equal(sameText(one, two), want))
