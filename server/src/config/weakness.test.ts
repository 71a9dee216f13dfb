// Secrets that people paste are told from random ones, and no random one from another.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { weaknessOf } from './weakness.ts'

test('a secret that others know or guess is told', async t => {
  const table: [sentence: string, secret: string, wrong: RegExp][] = [
    ["FastAPI's", '09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7', /know/],
    ["Flask's", '192b9bdd22ab9ed4d12e236c78afcb9a393ec15f71bbf5dc987d54727823bcbf', /know/],
    ["Flask's in capitals", '192B9BDD22AB9ED4D12E236C78AFCB9A393EC15F71BBF5DC987D54727823BCBF', /know/],
    ["Hasura's", '3EK6FD+o0+c7tzBNVfjpMkNDi2yARAAKzQlk8O2IKoxQu4nF7EdAh8s3TwpHwrdWT6R', /know/],
    [
      "an RFC's",
      'AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow',
      /know/,
    ],
    ['a test vector', '00112233445566778899aabbccddeeff', /know/],
    ["jwt.io's", 'a-string-secret-at-least-256-bits-long', /know/],
    ["jwt.io's older one", 'your-256-bit-secret', /know/],
    ["jwt.io's older one, made longer", 'your-256-bit-secret-your-256-bit-secret', /know/],
    ['one that speaks of itself', 'MY_OWN_SECRET_q8ZkT3vN0aXw5JdLr2YbUe7', /know/],
    ['one that asks to be changed', 'change-me-q8ZkT3vN0aXw5JdLr2YbUe7PcMhGs1', /know/],
    ['counting', '12345678901234567890123456789012', /pattern/],
    ['counting in hexadecimal', '0123456789abcdef0123456789abcdef', /pattern/],
    ['counting down', 'FEDCBA9876543210FEDCBA9876543210', /pattern/],
    ['the alphabet', 'abcdefghijklmnopqrstuvwxyz0123456789', /pattern/],
    ['the keyboard', 'qwertyuiopasdfghjklzxcvbnm123456', /pattern/],
    ['one letter', 'a'.repeat(64), /pattern/],
    ['a random piece over and over', 'x7Kq2Zp9'.repeat(8), /pattern/],
    ['zeros and a one', `${'0'.repeat(31)}1`, /pattern/],
    ['a sentence', 'the quick brown fox jumps over the lazy dog', /words/],
    ['words with dashes', 'my-app-signing-key-for-prod-2024-xyz', /words/],
    ['words with capitals', 'MySuperLongApplicationKeyForProduction2024', /words/],
    ['a random one of 31 bytes', 'q8ZkT3vN0aXw5JdLr2YbUe7PcMhGs1F', /shorter than 32 bytes/],
  ]
  for (const [sentence, secret, wrong] of table) {
    await t.test(sentence, () => assert.match(weaknessOf(secret) ?? 'nothing', wrong))
  }
})

/** As `openssl rand` makes them: without a bias for odd values, and what is shrunk is no longer random. */
const random = (bytes: number) =>
  fc.noShrink(fc.noBias(fc.uint8Array({ minLength: bytes, maxLength: bytes })))

test('a random secret is never refused', async t => {
  const table: [sentence: string, bytes: number, encoding: 'hex' | 'base64' | 'base64url'][] = [
    ['32 bytes in base64', 32, 'base64'],
    ['32 bytes in base64url', 32, 'base64url'],
    ['48 bytes in base64', 48, 'base64'],
    ['32 bytes in hexadecimal', 32, 'hex'],
    ['16 bytes in hexadecimal', 16, 'hex'],
  ]
  for (const [sentence, bytes, encoding] of table) {
    await t.test(sentence, () => {
      fc.assert(
        fc.property(random(bytes), made => weaknessOf(Buffer.from(made).toString(encoding)) === undefined),
        { numRuns: 5000 },
      )
    })
  }
})
