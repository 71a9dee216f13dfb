import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isCommonPassword } from './common-passwords.ts'

// [password, is it common]
const passwords: [string, boolean][] = [
  ['password', true],
  ['12345678', true],
  ['qwertyuiop', true],
  ['1q2w3e4r5t', true],
  ['iloveyou', true],
  ['PASSWORD', true],
  ['PassWord', true],
  ['password1', true],
  ['Password1!', true],
  ['Password123!', true],
  ['Password2024', true],
  ['password@2025!', true],
  ['Monkey_99', true],
  ['dragon!!', true],
  ['football#1', true],
  ['P@ssw0rd', true],
  ['P4$$w0rd2023', true],
  ['m1ch43l!', true],
  ['1etmein!', true],
  ['Qwerty12345', true],
  ['aaaaaaaa', true],
  ['zzzzzzzzzzzzzzzzzzzzzzzz', true],
  ['xyxyxyxyxyxy', true],
  ['x9!kx9!k', true],
  ['23456789', true],
  ['hgfedcba', true],
  ['ijklmnopqrst', true],
  ['😀😀😀😀😀😀😀😀', true],
  ['', false],
  ['zq!pw4x7', false],
  ['correct horse battery staple', false],
  ['tr0ub4dor&3x', false],
  ['gJ7kq2mzW', false],
  ['password of my aunt', false],
  ['8f3k2j9d', false],
  ['monkey-parachute', false],
  ['ünïcödé☂☂', false],
  ['quietharborlantern', false],
]
for (const [password, want] of passwords) {
  test(`${JSON.stringify(password)} is ${want ? 'a common password' : 'a password of its own'}`, async () =>
    assert.equal(await isCommonPassword(password), want))
}

test('a random password of ten characters is not taken for a common one', async () => {
  let state = 1
  const next = () => {
    state = (state * 48_271) % 2_147_483_647
    return 'abcdefghijkmnpqrstuvwxyz23456789'.charAt(state % 32)
  }
  for (let n = 0; n < 2000; n++) {
    const password = Array.from({ length: 10 }, next).join('')
    assert.equal(await isCommonPassword(password), false, password)
  }
})

test('the longest password is judged at once', async () => {
  const startedAt = process.cpuUsage()
  for (const sign of ['a', 'ab!', '1', '!']) await isCommonPassword(`x${sign.repeat(1024)}`.slice(0, 1024))
  assert.ok(process.cpuUsage(startedAt).user < 200_000)
})
