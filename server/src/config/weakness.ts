// What a secret gives away about itself: that it was published, that it is made of words or a pattern, that it is short.
// Judges the text alone; what follows from it is decided by config/checks.ts.

/** Published as examples and since then copied; what the other rules find by themselves need not stand here. */
const published: readonly string[] = [
  // FastAPI, tutorial: OAuth2 with password, bearer with JWT
  '09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7',
  // Flask, documentation: configuration handling
  '192b9bdd22ab9ed4d12e236c78afcb9a393ec15f71bbf5dc987d54727823bcbf',
  // Hasura, documentation: authentication using JWT
  '3EK6FD+o0+c7tzBNVfjpMkNDi2yARAAKzQlk8O2IKoxQu4nF7EdAh8s3TwpHwrdWT6R',
  // Bitnami, Airflow image
  '46BKJoQYlPPOexq0OhDZnIlNepKFf87WFwLbfzqDDho=',
  // FIPS 197 and its test vectors, from where tutorials have them
  '00112233445566778899aabbccddeeff',
  '000102030405060708090a0b0c0d0e0f',
  // RFC 7515 appendix A.1
  'AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow',
]

/** Six letters at least: of ten million random secrets hardly one holds such a word by chance. */
const speaksOfItself =
  /secret|password|change.?(?:me|this|it)|placeholder|example|insecure|default.?(?:key|value)/i

const runsOfLetters = /[A-Z]?[a-z]{2,}|[A-Z]{3,}/g

/** What hardly any word has and most runs of random letters do. */
const unspeakable = /[^aeiouy]{4}|[aeiouy]{4}|[jqvz](?![aeiouyz])|^[^aeiouy][^aeiouyhlrtw]/i

/** As far as letters tell: it can be spoken, and has more than hexadecimal digits. */
const isWord = (run: string): boolean => /[aeiouy]/i.test(run) && /[g-z]/i.test(run) && !unspeakable.test(run)

/** One of some ten thousand words is no harder to guess than two random characters, and what stands between them is free. */
const condense = (secret: string): string =>
  secret
    .replace(runsOfLetters, run => (isWord(run) ? run.slice(0, 2) : run))
    .replace(/[\s._-]/g, '')
    .toLowerCase()

/** As fingers and counting go, forwards and backwards. */
const sequences: readonly string[] = [
  '01234567890',
  '0123456789abcdef',
  'abcdefghijklmnopqrstuvwxyz0123456789',
  '1234567890qwertyuiopasdfghjklzxcvbnm1234567890',
  '1q2w3e4r5t6y7u8i9o0p',
  'a1b2c3d4e5f6g7h8i9j0',
].flatMap(each => [each, [...each].reverse().join('')])

/** Whether the character goes on as those before it: a run (aaa), a sequence (123, cba), or a piece that was there before. */
function goesOn(text: string, at: number): boolean {
  const last = text.slice(Math.max(0, at - 2), at + 1)
  if (last.length < 3) return false
  return /^(.)\1\1$/u.test(last) || sequences.some(each => each.includes(last)) || text.indexOf(last) < at - 2
}

/** How many characters of a secret were not to be expected. */
function countSurprises(secret: string): number {
  const text = condense(secret)
  return Array.from({ length: text.length }, (_, at) => at).filter(at => !goesOn(text, at)).length
}

/** 80 bits of hexadecimal digits, 120 of base64. */
const leastSurprises = 20

/**
 * What is wrong with a secret that is to seal or sign; undefined: nothing that can be seen. Of random ones, 16 bytes or
 * more in hexadecimal or 32 or more in base64, fewer than one in a million is refused.
 */
export function weaknessOf(secret: string): string | undefined {
  const text = secret.toLowerCase()
  if (published.some(each => text.includes(each.toLowerCase())) || speaksOfItself.test(secret))
    return 'it is a secret for development, which others know or guess'
  if (Buffer.byteLength(secret) < 32) return 'it is shorter than 32 bytes'
  return countSurprises(secret) < leastSurprises
    ? 'it is made of words or a pattern, which others guess'
    : undefined
}
