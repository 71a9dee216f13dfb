import assert from 'node:assert/strict'
import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { test } from 'node:test'
import { type AccessClaims, type Expectation, readAccessToken } from '@rusk/verify/floor'
import fc from 'fast-check'
import { decodeProtectedHeader, jwtVerify, SignJWT } from 'jose'
import { signAccessToken } from './jwt.ts'
import { makeSigningKey, openSigningKey, type SigningKey, sharedSigningKey } from './keys.ts'

const es256 = openSigningKey({ ...makeSigningKey('ES256'), algorithm: 'ES256' })
const eddsa = openSigningKey({ ...makeSigningKey('EdDSA'), algorithm: 'EdDSA' })
const shared = sharedSigningKey('a secret that services share, of more than 32 bytes')
const keys = [es256, eddsa, shared]

const seconds = 1_800_000_000
const issuer = 'https://auth.example'
const claims = {
  iss: issuer,
  sub: 'jack',
  sid: 'c2Vzc2lvbi1pZC0xNmJ5dA',
  iat: seconds,
  exp: seconds + 600,
  jti: 'one',
} satisfies AccessClaims
const expectation: Expectation = {
  key: kid => (kid === undefined ? undefined : [es256, eddsa].find(key => key.id === kid)),
  issuer,
  audience: undefined,
  now: seconds * 1000,
  skew: 60_000,
  longest: 3_600_000,
}
const expectShared: Expectation = { ...expectation, key: kid => (kid === undefined ? shared : undefined) }
const read = (text: string, expect: Partial<Expectation> = {}) =>
  readAccessToken(text, { ...expectation, ...expect })
const expectOf = (key: SigningKey): Expectation => (key === shared ? expectShared : expectation)

const encode = (part: unknown): string =>
  Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url')
const es = (key: KeyObject) => (data: Buffer) => sign('sha256', data, { key, dsaEncoding: 'ieee-p1363' })
const ed = (key: KeyObject) => (data: Buffer) => sign(null, data, key)
const hmac = (secret: string | Buffer) => (data: Buffer) => createHmac('sha256', secret).update(data).digest()
type Sign = (data: Buffer) => Buffer | string

/** Strings are taken as they stand, as JSON text. */
function forge(header: unknown, payload: unknown = claims, signed: Sign = es(es256.sign)): string {
  const data = `${encode(header)}.${encode(payload)}`
  return `${data}.${Buffer.from(signed(Buffer.from(data))).toString('base64url')}`
}
const head = { alg: 'ES256', typ: 'at+jwt', kid: es256.id }
const valid = forge(head)
const [h = '', p = '', s = ''] = valid.split('.')

for (const key of keys) {
  test(`${key.algorithm}: what is signed is read as it was`, () => {
    const text = signAccessToken(key, { ...claims, user_id: 7, é: ['ü', null] })
    assert.deepEqual(readAccessToken(text, expectOf(key)), {
      claims: { ...claims, user_id: 7, é: ['ü', null] },
    })
  })

  test(`${key.algorithm}: another library accepts our token and we accept its`, async () => {
    const currentDate = new Date(seconds * 1000)
    const text = signAccessToken(key, claims)
    const options = { typ: 'at+jwt', issuer, algorithms: [key.algorithm], currentDate }
    const { payload } = await jwtVerify(text, key.verify, options)
    assert.deepEqual(payload, claims)
    const kid = key === shared ? {} : { kid: key.id }
    assert.deepEqual(decodeProtectedHeader(text), { alg: key.algorithm, typ: 'at+jwt', ...kid })
    const theirs = await new SignJWT({ ...claims })
      .setProtectedHeader({ alg: key.algorithm, typ: 'application/at+jwt', ...kid })
      .sign(key.sign)
    assert.deepEqual(readAccessToken(theirs, expectOf(key)), { claims })
  })
}

const kid = es256.id
const pem = es256.verify.export({ type: 'spki', format: 'pem' })
const raw = Buffer.from(String(JSON.parse(es256.published ?? '').x), 'base64url')
const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey
const attacker = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const attackerJwk = attacker.publicKey.export({ format: 'jwk' })
const order = 'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551'
const twice = (name: string, one: unknown, two: unknown, of: object): string => {
  const rest = JSON.stringify({ ...of, [name]: undefined }).slice(1)
  return `{"${name}":${JSON.stringify(one)},"${name}":${JSON.stringify(two)},${rest}`
}
const edHead = { ...head, alg: 'EdDSA', kid: eddsa.id }
const edText = signAccessToken(eddsa, claims)
const edSigned = edText.slice(0, edText.lastIndexOf('.'))
const edBytes = Buffer.from(edText.slice(edSigned.length + 1), 'base64url')
const edOrder = BigInt('0x1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed')
const edPlusOrder = () => {
  const scalar = BigInt(`0x${Buffer.from(edBytes.subarray(32)).reverse().toString('hex')}`) + edOrder
  return Buffer.concat([
    edBytes.subarray(0, 32),
    Buffer.from(scalar.toString(16).padStart(64, '0'), 'hex').reverse(),
  ]).toString('base64url')
}
const flip = (text: string) => {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return text.slice(0, -1) + alphabet[alphabet.indexOf(text.at(-1) ?? '') ^ 1]
}

// [sentence, token]
const forgeries: [string, string][] = [
  ['alg none, no signature', `${encode({ ...head, alg: 'none' })}.${p}.`],
  ['alg none, two segments', `${encode({ ...head, alg: 'none' })}.${p}`],
  ['alg none, some signature', forge({ ...head, alg: 'none' })],
  ['alg None', forge({ ...head, alg: 'None' })],
  ['alg in lower case', forge({ ...head, alg: 'es256' })],
  ['no alg', forge({ ...head, alg: undefined })],
  ['alg null', forge({ ...head, alg: null })],
  ['alg a number', forge({ ...head, alg: 0 })],
  ['alg a list', forge({ ...head, alg: ['ES256'] })],
  ['alg an object', forge({ ...head, alg: { toString: 'ES256' } })],
  ['alg empty', forge({ ...head, alg: '' })],
  ['alg of a prototype', forge({ ...head, alg: 'constructor' })],
  ['HS256 by the public key as PEM', forge({ ...head, alg: 'HS256' }, claims, hmac(String(pem)))],
  ['HS256 by the public key as JWK', forge({ ...head, alg: 'HS256' }, claims, hmac(es256.published ?? ''))],
  ['HS256 by the public point', forge({ ...head, alg: 'HS256' }, claims, hmac(raw))],
  ['HS256 by an empty key', forge({ ...head, alg: 'HS256' }, claims, hmac(''))],
  ['HS256 by an empty key under an unknown id', forge({ ...head, alg: 'HS256', kid: 'x' }, claims, hmac(''))],
  ['HS256 without an id, where nothing is shared', forge({ alg: 'HS256', typ: 'at+jwt' }, claims, hmac(''))],
  ['no kid', forge({ ...head, kid: undefined })],
  ['kid null', forge({ ...head, kid: null })],
  ['kid a number', forge({ ...head, kid: 1 })],
  ['kid a list', forge({ ...head, kid: [kid] })],
  ['kid empty', forge({ ...head, kid: '' })],
  ['kid a path', forge({ ...head, kid: '../../../../dev/null' })],
  ['kid an SQL text', forge({ ...head, kid: "' OR 1=1--" })],
  ['kid of a prototype', forge({ ...head, kid: '__proto__' })],
  ['kid of the other key', forge({ ...head, kid: eddsa.id })],
  ['EdDSA named, ES256 signed', forge({ ...head, alg: 'EdDSA' })],
  ['ES256 named, EdDSA key', forge({ ...head, kid: eddsa.id }, claims, ed(eddsa.sign))],
  ['EdDSA signed, ES256 key', forge({ ...edHead, kid }, claims, ed(eddsa.sign))],
  ['ES384 named', forge({ ...head, alg: 'ES384' })],
  ['ES384 signed', forge({ ...head, alg: 'ES384' }, claims, data => sign('sha384', data, p384))],
  ['signed by somebody else', forge(head, claims, es(attacker.privateKey))],
  ['jwk of somebody else', forge({ ...head, jwk: attackerJwk }, claims, es(attacker.privateKey))],
  ['jwk', forge({ ...head, jwk: JSON.parse(es256.published ?? '') })],
  ['jku', forge({ ...head, jku: 'http://127.0.0.1:9/jwks.json' })],
  ['x5u', forge({ ...head, x5u: 'file:///etc/hosts' })],
  ['x5c', forge({ ...head, x5c: [] })],
  ['crit', forge({ ...head, crit: [] })],
  ['crit that names what is understood', forge({ ...head, crit: ['exp'], exp: claims.exp })],
  ['zip', forge({ ...head, zip: 'DEF' })],
  ['b64', forge({ ...head, b64: true })],
  ['an unknown header member', forge({ ...head, cty: 'JWT' })],
  ['typ JWT', forge({ ...head, typ: 'JWT' })],
  ['no typ', forge({ ...head, typ: undefined })],
  ['typ of another use', forge({ ...head, typ: 'logout+jwt' })],
  ['typ with a parameter', forge({ ...head, typ: 'at+jwt; a' })],
  ['typ with a prefix of its own', forge({ ...head, typ: 'application/application/at+jwt' })],
  ['typ a list', forge({ ...head, typ: ['at+jwt'] })],
  ['a signature of zeros', `${h}.${p}.${encode('\0'.repeat(64))}`],
  ['r zero, s the order', `${h}.${p}.${Buffer.from('00'.repeat(32) + order, 'hex').toString('base64url')}`],
  ['r and s the order', `${h}.${p}.${Buffer.from(order + order, 'hex').toString('base64url')}`],
  ['a DER signature', forge(head, claims, data => sign('sha256', data, es256.sign))],
  [
    '65 bytes of signature',
    forge(head, claims, data => Buffer.concat([es(es256.sign)(data), Buffer.alloc(1)])),
  ],
  ['63 bytes of signature', forge(head, claims, data => es(es256.sign)(data).subarray(1))],
  ['Ed25519 with S + L', `${edSigned}.${edPlusOrder()}`],
  ['Ed25519, 63 bytes', `${edSigned}.${edBytes.subarray(0, 63).toString('base64url')}`],
  ['Ed25519, 65 bytes', `${edSigned}.${Buffer.concat([edBytes, Buffer.alloc(1)]).toString('base64url')}`],
  ['Ed25519, all zeros', `${edSigned}.${Buffer.alloc(64).toString('base64url')}`],
  ['no issuer', forge(head, { ...claims, iss: undefined })],
  ['an issuer with a slash', forge(head, { ...claims, iss: `${issuer}/` })],
  ['an issuer by http', forge(head, { ...claims, iss: 'http://auth.example' })],
  ['an issuer in upper case', forge(head, { ...claims, iss: 'https://AUTH.example' })],
  ['an issuer in a list', forge(head, { ...claims, iss: [issuer] })],
  ['an audience that nobody configured', forge(head, { ...claims, aud: 'https://api.example' })],
  ['exp a string', forge(head, { ...claims, exp: '9999999999' })],
  ['exp a fraction', forge(head, { ...claims, exp: seconds + 0.5 })],
  ['exp beyond belief', forge(head, { ...claims, exp: 1e10 })],
  ['exp infinite', forge(head, JSON.stringify(claims).replace(`${claims.exp}`, '1e400'))],
  [
    'exp beyond the safe integers',
    forge(head, JSON.stringify(claims).replace(`${claims.exp}`, '9007199254740993')),
  ],
  ['exp null', forge(head, { ...claims, exp: null })],
  ['exp true', forge(head, { ...claims, exp: true })],
  ['exp a list', forge(head, { ...claims, exp: [claims.exp] })],
  ['exp an object', forge(head, { ...claims, exp: {} })],
  ['exp NaN', forge(head, JSON.stringify(claims).replace(`${claims.exp}`, 'NaN'))],
  ['no exp', forge(head, { ...claims, exp: undefined })],
  ['exp negative', forge(head, { ...claims, exp: -1 })],
  ['exp before iat', forge(head, { ...claims, exp: seconds - 1 })],
  ['exp at iat', forge(head, { ...claims, exp: seconds })],
  ['a longer life than anybody gets', forge(head, { ...claims, exp: seconds + 3601 })],
  ['nbf beyond the skew', forge(head, { ...claims, nbf: seconds + 61 })],
  ['nbf a string', forge(head, { ...claims, nbf: '0' })],
  ['nbf null', forge(head, { ...claims, nbf: null })],
  ['iat beyond the skew', forge(head, { ...claims, iat: seconds + 61 })],
  ['iat a string', forge(head, { ...claims, iat: `${seconds}` })],
  ['no iat', forge(head, { ...claims, iat: undefined })],
  ['no sub', forge(head, { ...claims, sub: undefined })],
  ['sub empty', forge(head, { ...claims, sub: '' })],
  ['sub a number', forge(head, { ...claims, sub: 7 })],
  ['sub an object', forge(head, { ...claims, sub: { $ne: 1 } })],
  ['no sid', forge(head, { ...claims, sid: undefined })],
  ['sid a list', forge(head, { ...claims, sid: [claims.sid] })],
  ['no jti', forge(head, { ...claims, jti: undefined })],
  ['two alg', forge(twice('alg', 'none', 'ES256', head))],
  ['two kid', forge(twice('kid', 'x', kid, head))],
  ['two exp', forge(head, twice('exp', 1, claims.exp, claims))],
  ['two sub', forge(head, twice('sub', 'jill', 'jack', claims))],
  ['two aud', forge(head, twice('aud', 'a', 'b', claims))],
  ['two sid, one escaped', forge(head, `${JSON.stringify(claims).slice(0, -1)},"\\u0073id":"x"}`)],
  ['a JWE', `${encode({ alg: 'dir', enc: 'A256GCM', zip: 'DEF' })}..AAAA.AAAA.AAAA`],
  ['a JWE with a costly password', `${encode({ alg: 'PBES2-HS256+A128KW', p2c: 2 ** 31 })}.AA.AA.AA.AA`],
  ['a flattened JSON serialisation', JSON.stringify({ protected: h, payload: p, signature: s })],
  [
    'a general JSON serialisation',
    JSON.stringify({ payload: p, signatures: [{ protected: h, signature: s }] }),
  ],
  ['a detached payload', `${h}..${s}`],
  ['no header', `.${p}.${s}`],
  ['an empty text', ''],
  ['two dots', '..'],
  ['a trailing dot', `${valid}.`],
  ['a leading dot', `.${valid}`],
  ['four segments', `${valid}.${s}`],
  ['padding', `${valid}==`],
  ['padding inside', `${h}=.${p}.${s}`],
  ['the other alphabet', `${h}.${p}.${s.replace(/./, '+')}`],
  ['space before', ` ${valid}`],
  ['space behind', `${valid} `],
  ['a newline behind', `${valid}\n`],
  ['a tab inside', `${h}.${p}.\t${s}`],
  ['dots by percent', `${h}%2E${p}%2E${s}`],
  ['stray trailing bits', flip(valid)],
  ['Bearer in front', `Bearer ${valid}`],
  ['a list as payload', forge(head, [claims])],
  ['a text as payload', forge(head, '"text"')],
  ['a number as payload', forge(head, '1')],
  ['null as payload', forge(head, 'null')],
  ['a list as header', forge([head])],
  ['null as header', forge('null')],
  ['a byte order mark before the payload', forge(head, `\ufeff${JSON.stringify(claims)}`)],
  ['longer than two cookies', forge(head, { ...claims, more: 'a'.repeat(6000) })],
  ['a megabyte', 'a'.repeat(1 << 20)],
  ['a valid one behind a megabyte of header', `${'A'.repeat(1 << 20)}.${p}.${s}`],
  ['a hundred thousand dots', '.'.repeat(100_000)],
  ['a header nested ten thousand deep', forge('['.repeat(10_000))],
  ['a header nested as deep as fits', forge('['.repeat(5_000))],
]
test('the valid token beside the forgeries is accepted', () => assert.deepEqual(read(valid), { claims }))
for (const [what, text] of forgeries) {
  test(`no access token: ${what}`, () => assert.equal(read(text), undefined))
}

// [sentence, token]
const sharedForgeries: [string, string][] = [
  ['signed by another secret', forge({ alg: 'HS256', typ: 'at+jwt' }, claims, hmac('another'))],
  ['ES256', forge({ alg: 'ES256', typ: 'at+jwt' })],
  ['an unknown id', forge({ alg: 'HS256', typ: 'at+jwt', kid: 'x' }, claims, hmac(shared.sign.export()))],
  ['HS384', forge({ alg: 'HS384', typ: 'at+jwt' }, claims, hmac(shared.sign.export()))],
  [
    'half a MAC',
    forge({ alg: 'HS256', typ: 'at+jwt' }, claims, d => hmac(shared.sign.export())(d).subarray(16)),
  ],
  ['no MAC', `${encode({ alg: 'HS256', typ: 'at+jwt' })}.${p}.`],
]
for (const [what, text] of sharedForgeries) {
  test(`no access token under a shared secret: ${what}`, () =>
    assert.equal(readAccessToken(text, expectShared), undefined))
}

test('a key under another id than the token names is not used', () =>
  assert.equal(read(valid, { key: () => ({ ...es256, id: 'other' }) }), undefined))

test('a name for no key asks for none that was not asked for', () => {
  const asked: (string | undefined)[] = []
  const key = (id: string | undefined) => {
    asked.push(id)
    return undefined
  }
  for (const id of ['../x', "' OR 1", 'a'.repeat(129), '', null]) read(forge({ ...head, kid: id }), { key })
  assert.deepEqual(asked, [])
})

// [sentence, claims, what else is expected, the outcome]
type Outcome = 'claims' | 'expired' | undefined
const ours = 'https://api.example'
const bounds: [string, object, Partial<Expectation>, Outcome][] = [
  ['it lives until the millisecond before exp', {}, { now: claims.exp * 1000 - 1 }, 'claims'],
  ['at exp it has expired, without any skew', {}, { now: claims.exp * 1000 }, 'expired'],
  ['long after, it has still expired only', {}, { now: claims.exp * 2000 }, 'expired'],
  ['iat may be ahead by the skew', { iat: seconds + 60 }, {}, 'claims'],
  ['nbf may be ahead by the skew', { nbf: seconds + 60 }, {}, 'claims'],
  ['nbf in the past is nothing', { nbf: 0 }, {}, 'claims'],
  ['the longest life is allowed', { exp: seconds + 3600 }, {}, 'claims'],
  ['our audience is accepted', { aud: ours }, { audience: ours }, 'claims'],
  ['our audience among others is accepted', { aud: ['x', ours] }, { audience: ours }, 'claims'],
  ['a missing audience is not', {}, { audience: ours }, undefined],
  ['an empty list of audiences is not', { aud: [] }, { audience: ours }, undefined],
  ['another audience is not', { aud: 'https://other.example' }, { audience: ours }, undefined],
  ['the beginning of our audience is not', { aud: ours.slice(0, -1) }, { audience: ours }, undefined],
  ['our audience in another case is not', { aud: ours.toUpperCase() }, { audience: ours }, undefined],
  ['our audience beside a number is not', { aud: [1, ours] }, { audience: ours }, undefined],
  ['our audience in a list of lists is not', { aud: [[ours]] }, { audience: ours }, undefined],
  ['a number is no audience', { aud: 1 }, { audience: ours }, undefined],
  ['what has expired is still checked', { iss: 'x' }, { now: claims.exp * 1000 }, undefined],
]
for (const [sentence, more, expect, outcome] of bounds) {
  test(sentence, () => {
    const payload = { ...claims, ...more }
    const result = read(forge(head, payload), expect)
    assert.deepEqual(result, outcome && { [outcome]: payload })
  })
}

for (const typ of ['AT+JWT', 'application/at+jwt', 'Application/AT+jwt']) {
  test(`the media type ${typ} is ours`, () => assert.deepEqual(read(forge({ ...head, typ })), { claims }))
}

test('the other spelling of an ES256 signature names the same token', () => {
  const n = BigInt(`0x${order}`)
  const bytes = Buffer.from(s, 'base64url')
  const twin = n - BigInt(`0x${bytes.subarray(32).toString('hex')}`)
  const text = Buffer.concat([bytes.subarray(0, 32), Buffer.from(twin.toString(16).padStart(64, '0'), 'hex')])
  assert.deepEqual(read(`${h}.${p}.${text.toString('base64url')}`), { claims })
})

test('a claim called __proto__ is a claim', () => {
  const result = read(forge(head, `${JSON.stringify(claims).slice(0, -1)},"__proto__":{"admin":true}}`))
  assert.ok(result && 'claims' in result)
  assert.equal(Object.getPrototypeOf(result.claims), Object.prototype)
  assert.equal(result.claims.admin, undefined)
})

test('no change of one character leaves a token valid', () =>
  fc.assert(
    fc.property(
      fc.constantFrom(...keys),
      fc.nat(),
      fc.constantFrom(...'A-_.0z= +\n\u0000é'),
      (key, at, character) => {
        const text = signAccessToken(key, claims)
        const place = at % text.length
        for (const changed of [
          text.slice(0, place) + character + text.slice(place + 1),
          text.slice(0, place) + character + text.slice(place),
          text.slice(0, place) + text.slice(place + 1),
        ]) {
          if (changed !== text) assert.equal(readAccessToken(changed, expectOf(key)), undefined)
        }
      },
    ),
  ))

test('no text makes the reader throw', () =>
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), text => assert.equal(read(text), undefined)),
  ))

test('no header and no payload, signed as they may be, make the reader throw', () => {
  const value = fc.oneof(fc.jsonValue(), fc.double(), fc.constantFrom(...Object.values(claims)))
  const headerOf = fc.record({
    alg: fc.oneof(fc.constantFrom('ES256', 'HS256', 'none'), value),
    typ: value,
    kid: value,
  })
  const payloadOf = fc.record(
    { iss: value, sub: value, sid: value, iat: value, exp: value, jti: value, nbf: value, aud: value },
    { requiredKeys: [] },
  )
  fc.assert(
    fc.property(headerOf, payloadOf, fc.boolean(), (header, payload, honest) => {
      const result = read(forge(honest ? head : header, { ...claims, ...payload }), { audience: ours })
      if (!result) return
      const found = 'claims' in result ? result.claims : result.expired
      assert.ok(found.iss === issuer && [found.aud].flat().includes(ours) && found.sub !== '')
    }),
  )
})

test('whatever is refused is refused within twenty milliseconds', () => {
  for (const [what, text] of forgeries) {
    const startedAt = process.cpuUsage()
    for (let round = 0; round < 4; round++) read(text)
    assert.ok(process.cpuUsage(startedAt).user / 4000 < 20, what)
  }
})
