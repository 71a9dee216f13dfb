import assert from 'node:assert/strict'
import {
  createHash,
  createHmac,
  createSecretKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
} from 'node:crypto'
import { test } from 'node:test'
import { SignJWT, UnsecuredJWT } from 'jose'
import { type EarlierExpectation, readEarlierToken, type Unfit } from './earlier-token.ts'
import { signAccessToken } from './jwt.ts'
import { sharedSigningKey } from './keys.ts'

const secret = 'what the old system signed its tokens with'
const key = sharedSigningKey(secret)
const seconds = 1_800_000_000
const expectation: EarlierExpectation = { key, now: seconds * 1000, skew: 60_000 }
const claims = { sub: 'ada@example.com', iat: seconds - 60, exp: seconds + 600 }
const head = { alg: 'HS256', typ: 'JWT' }

const judge = (text: string, expect: Partial<EarlierExpectation> = {}) =>
  readEarlierToken(text, { ...expectation, ...expect })

const read = (text: string, expect: Partial<EarlierExpectation> = {}) => {
  const judged = judge(text, expect)
  return 'token' in judged ? judged.token : undefined
}

const encode = (part: unknown): string =>
  Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url')
const hmac =
  (by: string | Buffer, hash = 'sha256') =>
  (data: Buffer) =>
    createHmac(hash, by).update(data).digest()

/** Strings are taken as they stand, as JSON text. */
function forge(header: unknown, payload: unknown = claims, signed: (data: Buffer) => Buffer = hmac(secret)) {
  const data = `${encode(header)}.${encode(payload)}`
  return `${data}.${signed(Buffer.from(data)).toString('base64url')}`
}

const jose = (
  header: Record<string, unknown>,
  payload = claims,
  by: KeyObject = createSecretKey(Buffer.from(secret)),
) => new SignJWT({ ...payload }).setProtectedHeader({ alg: 'HS256', ...header }).sign(by)

test('what another library has made is read as it was, with its end and a name of its own', async () => {
  const text = await jose({ typ: 'JWT' })
  const digest = createHash('sha256').update(text).digest('base64url')
  assert.deepEqual(read(text), { claims, expiresAt: claims.exp * 1000, digest })
})

for (const typ of [undefined, 'JWT', 'jwt', 'application/jwt', 'at+jwt', 'AT+JWT', 'application/at+jwt']) {
  test(`the media type ${typ} will do`, async () =>
    assert.deepEqual(read(await jose(typ === undefined ? {} : { typ }))?.claims, claims))
}

// [sentence, header, claims, whether it is read]
const bounds: [string, object, object, boolean][] = [
  ['any key id may be named', { kid: '../x' }, {}, true],
  [
    'claims that nobody here knows are kept',
    {},
    { roles: ['admin'], iss: 'https://old.example', aud: 'old' },
    true,
  ],
  ['a session id in a token that is no access token is theirs', {}, { sid: 'theirs' }, true],
  ['neither iat nor nbf need be there', {}, { iat: undefined }, true],
  ['it lives until the second after now', {}, { exp: seconds + 1 }, true],
  ['at exp it is over, without any skew', {}, { exp: seconds }, false],
  ['iat may be ahead by the skew', {}, { iat: seconds + 60 }, true],
  ['and by no more', {}, { iat: seconds + 61 }, false],
  ['nbf may be ahead by the skew', {}, { nbf: seconds + 60 }, true],
  ['and that by no more either', {}, { nbf: seconds + 61 }, false],
  ['a life of ten years is theirs to give', {}, { exp: seconds + 315_360_000 }, true],
]
for (const [sentence, header, more, want] of bounds) {
  test(sentence, () => {
    const payload = JSON.parse(JSON.stringify({ ...claims, ...more }))
    assert.deepEqual(read(forge({ ...head, ...header }, payload))?.claims, want ? payload : undefined)
  })
}

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const pem = rsa.publicKey.export({ type: 'spki', format: 'pem' })
const valid = forge(head)
const [h = '', p = '', s = ''] = valid.split('.')
const twice = (name: string, one: unknown, two: unknown, of: object) =>
  `{"${name}":${JSON.stringify(one)},"${name}":${JSON.stringify(two)},${JSON.stringify({ ...of, [name]: undefined }).slice(1)}`
/** The last character of a MAC holds four bits; the lowest two of its six are nobody's. */
const stray = (text: string) => {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return text.slice(0, -1) + alphabet[alphabet.indexOf(text.at(-1) ?? '') ^ 1]
}
const ours = { iss: 'https://auth.example', sid: 'c2Vzc2lvbg', jti: 'one' }

// [sentence, token]
const forgeries: [string, string][] = [
  ['alg none, as a library writes it', new UnsecuredJWT({ ...claims }).encode()],
  ['alg none, with the right signature', forge({ ...head, alg: 'none' })],
  ['no alg', forge({ typ: 'JWT' })],
  ['alg in lower case', forge({ ...head, alg: 'hs256' })],
  ['alg a list', forge({ ...head, alg: ['HS256'] })],
  ['RS256 named, the MAC right', forge({ ...head, alg: 'RS256' })],
  [
    'RS256 by a key of its own',
    forge({ ...head, alg: 'RS256' }, claims, data => sign('sha256', data, rsa.privateKey)),
  ],
  ['HS256 by somebody’s public key', forge(head, claims, hmac(String(pem)))],
  ['HS512 by the right key', forge({ ...head, alg: 'HS512' }, claims, hmac(secret, 'sha512'))],
  ['HS512 named as HS256', forge(head, claims, hmac(secret, 'sha512'))],
  ['another key', forge(head, claims, hmac(`${secret} `))],
  ['an empty key', forge(head, claims, hmac(''))],
  ['half a MAC', forge(head, claims, data => hmac(secret)(data).subarray(16))],
  ['no MAC', `${h}.${p}.`],
  ['a changed claim', `${h}.${encode({ ...claims, sub: 'eve@example.com' })}.${s}`],
  ['a changed header', `${encode({ typ: 'JWT', alg: 'HS256' })}.${p}.${s}`],
  ['crit', forge({ ...head, crit: ['exp'], exp: claims.exp })],
  ['jwk', forge({ ...head, jwk: { kty: 'oct', k: encode(secret) } })],
  ['jku', forge({ ...head, jku: 'http://127.0.0.1:9/jwks.json' })],
  ['x5u', forge({ ...head, x5u: 'file:///etc/hosts' })],
  ['x5c', forge({ ...head, x5c: [] })],
  ['zip', forge({ ...head, zip: 'DEF' })],
  ['b64', forge({ ...head, b64: false, crit: ['b64'] })],
  ['b64 that changes nothing', forge({ ...head, b64: true })],
  ['an unknown header member', forge({ ...head, cty: 'JWT' })],
  ['kid a number', forge({ ...head, kid: 7 })],
  ['typ of another use', forge({ ...head, typ: 'logout+jwt' })],
  ['typ empty', forge({ ...head, typ: '' })],
  ['typ null', forge({ ...head, typ: null })],
  ['typ a list', forge({ ...head, typ: ['JWT'] })],
  ['no exp', forge(head, { ...claims, exp: undefined })],
  ['exp a fraction', forge(head, { ...claims, exp: seconds + 600.5 })],
  ['exp a string', forge(head, { ...claims, exp: String(claims.exp) })],
  ['exp null', forge(head, { ...claims, exp: null })],
  ['exp negative', forge(head, { ...claims, exp: -1 })],
  ['exp infinite', forge(head, JSON.stringify(claims).replace(`${claims.exp}`, '1e400'))],
  ['exp beyond what milliseconds can be told in', forge(head, { ...claims, exp: 2 ** 50 })],
  ['iat a fraction', forge(head, { ...claims, iat: seconds - 0.5 })],
  ['iat a string', forge(head, { ...claims, iat: `${seconds}` })],
  ['nbf a fraction', forge(head, { ...claims, nbf: seconds - 0.5 })],
  ['nbf null', forge(head, { ...claims, nbf: null })],
  ['two alg', forge(twice('alg', 'none', 'HS256', head))],
  ['two sub', forge(head, twice('sub', 'ada@example.com', 'eve@example.com', claims))],
  [
    'two sub, one escaped',
    forge(head, `${JSON.stringify(claims).slice(0, -1)},"\\u0073ub":"eve@example.com"}`),
  ],
  ['two exp', forge(head, twice('exp', 1, claims.exp, claims))],
  ['a list as payload', forge(head, [claims])],
  ['a text as payload', forge(head, '"text"')],
  ['no JSON as payload', forge(head, '{')],
  [
    'bytes that are no UTF-8',
    forge(head, claims).replace(`.${p}.`, `.${Buffer.from([0xff, 0xfe]).toString('base64url')}.`),
  ],
  ['padding', `${valid}=`],
  ['the other alphabet', `${h}.${p}.${s.replace(/./, '+')}`],
  ['stray trailing bits', stray(valid)],
  ['space before', ` ${valid}`],
  ['a newline behind', `${valid}\n`],
  ['Bearer in front', `Bearer ${valid}`],
  ['two segments', `${h}.${p}`],
  ['four segments', `${valid}.${s}`],
  ['a JWE', `${encode({ alg: 'dir', enc: 'A256GCM' })}..AAAA.AAAA.AAAA`],
  ['an empty text', ''],
  ['longer than two cookies', forge(head, { ...claims, more: 'a'.repeat(6200) })],
  ['a megabyte', 'a'.repeat(1 << 20)],
]
const reasons: readonly [sentence: string, text: string, want: Unfit][] = [
  ['quoted, as JSON.stringify keeps a text', JSON.stringify(valid), 'not_a_jwt'],
  ['with Bearer in front', `Bearer ${valid}`, 'not_a_jwt'],
  ['in another algorithm', forge({ ...head, alg: 'HS512' }, claims, hmac(secret, 'sha512')), 'header'],
  ['by another key', forge(head, claims, hmac(`${secret} `)), 'signature'],
  ['expired', forge(head, { ...claims, exp: seconds }), 'expired'],
  ['without an end', forge(head, { ...claims, exp: undefined }), 'claims'],
  ['of tomorrow', forge(head, { ...claims, nbf: seconds + 300 }), 'claims'],
]
for (const [sentence, text, want] of reasons) {
  test(`whoever keeps the log learns what is wrong with a token ${sentence}: ${want}`, () =>
    assert.deepEqual(judge(text), { unfit: want }))
}

test('the valid token beside the forgeries is read', () => assert.deepEqual(read(valid)?.claims, claims))
for (const [what, text] of forgeries) {
  test(`no token of the old system: ${what}`, () => assert.equal(read(text), undefined))
}

test('where both systems share a key, an access token of ours buys nothing', () => {
  const text = signAccessToken(key, { ...claims, ...ours })
  assert.equal(read(text), undefined)
})

test('one token has one text: whatever is changed in it, it is another or none', () => {
  const digests = new Set([read(valid)?.digest, read(forge({ typ: 'JWT', alg: 'HS256' }))?.digest])
  assert.equal(digests.size, 2, 'another header is another signature')
  for (let i = 0; i < valid.length; i++) {
    const changed = `${valid.slice(0, i)}${valid[i] === 'A' ? 'B' : 'A'}${valid.slice(i + 1)}`
    assert.equal(read(changed), undefined, `${i}`)
  }
})
