import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type ClaimField,
  claimKey,
  emailKey,
  isSpelt,
  loginKey,
  passwordIssues,
  usernameKey,
} from './admission.ts'
import { readInput } from './input.ts'
import { defaultPolicy } from './policy.ts'

// [sentence, one spelling, another]
const same: [string, string, string][] = [
  ['case', 'Jack', 'jACK'],
  ['full-width letters', 'ｊａｃｋ', 'jack'],
  ['the Kelvin sign', '\u212Aevin', 'kevin'],
  ['the sharp s', 'straße', 'STRASSE'],
  ['the dotless i', 'ılk', 'ilk'],
  ['the fi ligature', 'ﬁn', 'fin'],
  ['composed and decomposed letters', 'rené', 'rene\u0301'],
]
for (const [what, one, other] of same) {
  test(`usernames that differ in ${what} are one name`, () =>
    assert.equal(usernameKey(one), usernameKey(other)))
}

test('addresses that differ in case are one address', () =>
  assert.equal(emailKey('A@X.Example'), emailKey('a@x.example')))

test('a login with an @ is an e-mail address, any other a username', () => {
  assert.deepEqual(loginKey(' A@x.example '), { emailKey: 'a@x.example' })
  assert.deepEqual(loginKey('Jack'), { usernameKey: 'jack' })
})

// [sentence, field, what the claim holds, whom it names]
const claims: [string, ClaimField, unknown, object | undefined][] = [
  ['an address is found as at sign-in', 'email', 'Ada@X.example', { emailKey: 'ada@x.example' }],
  ['a username is found as at sign-in', 'username', 'ADA', { usernameKey: 'ada' }],
  ['an id is taken as it is', 'id', ' aB-_ ', { id: ' aB-_ ' }],
  ['a number may be a number', 'number', 7, { number: 7 }],
  ['or digits', 'number', '7', { number: 7 }],
  ['digits up to what can be counted to', 'number', '9007199254740991', { number: Number.MAX_SAFE_INTEGER }],
  ['and no further', 'number', '9007199254740993', undefined],
  ['nor further as a number', 'number', 2 ** 53, undefined],
  ['nobody has the number 0', 'number', 0, undefined],
  ['nor the digit 0', 'number', '0', undefined],
  ['nor a number below', 'number', -1, undefined],
  ['a fraction is no number of anybody', 'number', 1.5, undefined],
  ['digits with a zero in front are not either', 'number', '07', undefined],
  ['nor with a sign', 'number', '+7', undefined],
  ['nor with space', 'number', ' 7', undefined],
  ['nor in another script', 'number', '７', undefined],
  ['nor with an exponent', 'number', '1e3', undefined],
  ['an empty text is no number', 'number', '', undefined],
  ['true is no number', 'number', true, undefined],
  ['null is no number', 'number', null, undefined],
  ['a list is no number', 'number', ['7'], undefined],
  ['a number is no address', 'email', 7, undefined],
  ['an object is no address', 'email', { $ne: 1 }, undefined],
  ['a list is no username', 'username', ['ada'], undefined],
  ['an empty text is no username', 'username', '', undefined],
  ['a number is no id', 'id', 7, undefined],
  ['what is not there names nobody', 'id', undefined, undefined],
]
for (const [sentence, field, claim, want] of claims) {
  test(`in a claim of another system ${sentence}`, () => assert.deepEqual(claimKey(field, claim), want))
}

// [sentence, field, what the claim holds, whether it spells Kim <kim@x.example>]
const spellings: [string, ClaimField, unknown, boolean][] = [
  ['a name as it is written', 'username', 'Kim', true],
  ['a name in capitals', 'username', 'KIM', true],
  ['an address in capitals', 'email', 'KIM@X.example', true],
  ['a name with the Kelvin sign', 'username', '\u212Aim', false],
  ['a full-width name', 'username', 'Ｋｉｍ', false],
  ['a name with a space behind', 'username', 'Kim ', false],
  ['a name with a no-break space in front', 'username', '\u00A0Kim', false],
  ['an address with a line break behind', 'email', 'kim@x.example\n', false],
  ['somebody without a username, by an empty one', 'username', '', false],
]
for (const [sentence, field, claim, want] of spellings) {
  test(`a claim of another system ${want ? 'means' : 'does not mean'} ${sentence}`, () =>
    assert.equal(isSpelt(field, claim, { email: 'kim@x.example', username: 'Kim' }), want))
}

const jack = { email: 'jackson@x.example', username: 'jack', name: 'Jack von Example' }
const strict = { ...defaultPolicy.password, classes: ['upper', 'lower', 'digit'] as const }
// [sentence, password, policy, common, how many findings]
const passwords: [string, string, typeof defaultPolicy.password, boolean, number][] = [
  ['eight code points will do', 'zq!pw4x7', defaultPolicy.password, false, 0],
  ['seven will not', 'zq!pw4x', defaultPolicy.password, false, 1],
  ['length is counted in code points, not in UTF-16 units', '😀😀😀😀', defaultPolicy.password, false, 1],
  ['any character is allowed', 'ünï \t\u0000 ☂☂', defaultPolicy.password, false, 0],
  ['a common password is refused', 'password1', defaultPolicy.password, true, 1],
  [
    'a common password passes where no list is asked for',
    'password1',
    { ...defaultPolicy.password, refuseCommon: false },
    true,
    0,
  ],
  ['the username inside is refused', 'xxJACKxx', defaultPolicy.password, false, 1],
  ['the name inside is refused', 'my-example-word', defaultPolicy.password, false, 1],
  ['a short word of the name is not', 'vonvonvon', defaultPolicy.password, false, 0],
  ['every finding is told at once', 'a', strict, false, 3],
]
for (const [sentence, password, policy, common, count] of passwords) {
  test(sentence, () => {
    const issues = passwordIssues(password, jack, policy, common)
    assert.equal(issues.length, count, JSON.stringify(issues))
    assert.ok(issues.every(issue => issue.field === 'password'))
  })
}

const good = { email: 'a@x.example', password: 'zq!pw4x7' }
// [sentence, what is sent, the findings as field:type]
const inputs: [string, Record<string, unknown>, string[]][] = [
  ['an address and a password will do', good, []],
  ['null is an absent username', { ...good, username: null }, []],
  ['unknown fields are dropped', { ...good, is_superuser: true }, []],
  ['missing fields are all named', {}, ['email:missing', 'password:missing']],
  ['a number is not a password', { ...good, password: 12345678 }, ['password:string_type']],
  ['an array is not an address', { ...good, email: ['a@x.example'] }, ['email:string_type']],
  ['an object is not an address', { ...good, email: { $ne: 1 } }, ['email:string_type']],
  ['no address without an @', { ...good, email: 'jack' }, ['email:value_error']],
  ['no address with two', { ...good, email: 'a@x,b@y.example' }, ['email:value_error']],
  [
    'no address with a line break',
    { ...good, email: 'a@x.example\r\nBcc: b@y.example' },
    ['email:value_error'],
  ],
  ['no full-width @', { ...good, email: 'a＠x.example' }, ['email:value_error']],
  [
    'no address beyond 254 characters',
    { ...good, email: `a@${'x'.repeat(250)}.example` },
    ['email:string_too_long'],
  ],
  ['no local part beyond 64', { ...good, email: `${'a'.repeat(65)}@x.example` }, ['email:value_error']],
  ['no username with an @', { ...good, username: 'a@b' }, ['username:value_error']],
  ['no username with a space', { ...good, username: 'a b' }, ['username:value_error']],
  ['no username with a variation selector', { ...good, username: 'ada\ufe0f' }, ['username:value_error']],
  ['no username of an invisible letter', { ...good, username: '\u3164' }, ['username:value_error']],
  ['no invisible name', { ...good, name: '\u3164' }, ['name:value_error']],
  ['no name with a bidirectional override', { ...good, name: 'a\u202eb' }, ['name:value_error']],
  ['no empty password', { ...good, password: '' }, ['password:string_too_short']],
  ['no password beyond 1024 bytes', { ...good, password: 'ü'.repeat(513) }, ['password:value_error']],
  ['no lone surrogate', { ...good, password: 'abcdefgh\ud800' }, ['password:value_error']],
]
for (const [sentence, raw, want] of inputs) {
  test(sentence, () => {
    const read = readInput('register', raw)
    const found =
      'refusal' in read ? (read.refusal.issues ?? []).map(issue => `${issue.field}:${issue.type}`) : []
    assert.deepEqual(found, want)
    if ('input' in read) assert.equal('is_superuser' in read.input, false)
  })
}

test('surrounding space belongs to a password, never to an address', () => {
  const read = readInput('register', { email: ' a@x.example ', password: ' zq!pw4x7 ' })
  assert.deepEqual('input' in read && read.input, { email: 'a@x.example', password: ' zq!pw4x7 ' })
})
