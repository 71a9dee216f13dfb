// Forged access tokens, sent to services that use @rusk/verify with a real Rusk behind them: by cookie and as bearer.
// Whatever is not said otherwise is a 401 that tells nothing.
import assert from 'node:assert/strict'
import { generateKeyPairSync, sign } from 'node:crypto'
import { after, test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import {
  bytesOf,
  ed25519,
  encode,
  es256,
  es384,
  forge,
  hs256,
  numberOf,
  orders,
  partsOf,
  twice,
  withStrayBit,
} from './forge.ts'
import { assertAlive, codeOf, openWorld, ways } from './world.ts'

const secret = 'a secret that services share, of more than 32 bytes'
const es = await openWorld({ after })
const ed = await openWorld({ after }, { jwt: { algorithm: 'EdDSA' } })
const hs = await openWorld({ after }, { jwt: { key: secret } }, { key: secret })
const meant = await openWorld({ after }, { audience: 'chat' }, { audience: 'chat' })
const worlds = { es, ed, hs, meant }

const attacker = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey
const attackerJwk = attacker.publicKey.export({ format: 'jwk' })
const publicPem = es.key.verify.export({ type: 'spki', format: 'pem' }).toString()
const publicJwk = JSON.parse(es.key.published ?? '')

const { header, claims } = es
const now = Number(claims.iat)
const [h, p, s] = partsOf(es.token)
const bytes = Buffer.from(s, 'base64url')
const resigned = (signature: Uint8Array): string =>
  `${h}.${p}.${Buffer.from(signature).toString('base64url')}`
const saying = (more: object): string => es.forge(header, { ...claims, ...more })
const named = (more: object): string => es.forge({ ...header, ...more })
/** A token under this header, signed by whoever attacks. */
const theirs = (more: object): string => es.forge({ ...header, ...more }, claims, es256(attacker.privateKey))
const text = (name: string, value: string): string =>
  es.forge(header, JSON.stringify(claims).replace(new RegExp(`"${name}":[^,}]+`), `"${name}":${value}`))

const [edHeader, edPayload, edSignature] = partsOf(ed.token)
const edBytes = Buffer.from(edSignature, 'base64url')
const edResigned = (signature: Uint8Array): string =>
  `${edHeader}.${edPayload}.${Buffer.from(signature).toString('base64url')}`
const edPlusOrder = (): Buffer => {
  const scalar = numberOf(Buffer.from(edBytes.subarray(32)).reverse()) + orders.ed25519
  return Buffer.concat([edBytes.subarray(0, 32), bytesOf(scalar).reverse()])
}
const hsHeader = { alg: 'HS256', typ: 'at+jwt' }

type Attack = readonly [sentence: string, token: string, world?: keyof typeof worlds]

const n = orders.p256
const numbers: Readonly<Record<string, bigint>> = { 0: 0n, 1: 1n, 'n-1': n - 1n, n, 'n+1': n + 1n }
const oddSignatures = Object.entries(numbers).flatMap(([r, first]) =>
  Object.entries(numbers).map(
    ([second, value]): Attack => [
      `r = ${r}, s = ${second}`,
      resigned(Buffer.concat([bytesOf(first), bytesOf(value)])),
    ],
  ),
)

const attacks: readonly Attack[] = [
  ...['none', 'None', 'NONE', 'nOnE'].map(
    (alg): Attack => [`alg ${alg}, no signature`, `${encode({ ...header, alg })}.${p}.`],
  ),
  ['alg none, some signature', named({ alg: 'none' })],
  ['alg none, two segments', `${encode({ ...header, alg: 'none' })}.${p}`],
  ['the signature cut off', `${h}.${p}`],
  ['no alg', es.forge({ ...header, alg: undefined })],
  ...[null, 0, ['none'], ['ES256'], {}, '', 'ES256 '].map(
    (alg): Attack => [`alg ${JSON.stringify(alg)}`, named({ alg })],
  ),
  ...Object.entries({
    'the published key in PEM': publicPem,
    'the published key in PEM without its last newline': publicPem.trimEnd(),
    'the published key in DER': es.key.verify.export({ type: 'spki', format: 'der' }),
    'the published key as JWK': JSON.stringify(publicJwk),
    'the published point': Buffer.concat([
      Buffer.from(publicJwk.x, 'base64url'),
      Buffer.from(publicJwk.y, 'base64url'),
    ]),
  }).flatMap(([what, key]): readonly Attack[] => [
    [`HS256 under ${what}`, es.forge({ ...header, alg: 'HS256' }, claims, hs256(key))],
    [`HS256 under ${what}, no kid`, es.forge(hsHeader, claims, hs256(key))],
  ]),
  ['HS256 with an empty key', es.forge({ ...header, alg: 'HS256' }, claims, hs256(''))],
  ['HS256 with an empty key, unknown kid', es.forge({ ...hsHeader, kid: 'x' }, claims, hs256(''))],
  ['HS256 with an empty key to a service with a secret', hs.forge(hsHeader, hs.claims, hs256('')), 'hs'],
  ['HS256 by the secret, under some kid', hs.forge({ ...hsHeader, kid: 'x' }), 'hs'],
  ['HS256 by another secret', hs.forge(hsHeader, hs.claims, hs256(`${secret}.`)), 'hs'],
  ['a good signature under an unknown kid', named({ kid: 'unknown' })],
  ['a good signature under no kid', es.forge({ alg: 'ES256', typ: 'at+jwt' })],
  [
    'ES256 of the attacker to a service with a secret',
    forge({ alg: 'ES256', typ: 'at+jwt' }, hs.claims, es256(attacker.privateKey)),
    'hs',
  ],
  [
    'an ES256 signature under the name of an Ed25519 key',
    ed.forge({ ...ed.header, alg: 'ES256' }, ed.claims, es256(es.key.sign)),
    'ed',
  ],
  ['an Ed25519 signature said to be ES256', ed.forge({ ...ed.header, alg: 'ES256' }), 'ed'],
  [
    'an Ed25519 signature under the name of a P-256 key',
    es.forge({ ...header, alg: 'EdDSA' }, claims, ed25519(ed.key.sign)),
  ],
  ['ES256 said to be EdDSA', named({ alg: 'EdDSA' })],
  ['ES384 said of a P-256 key', es.forge({ ...header, alg: 'ES384' }, claims, es384(es.key.sign))],
  ['ES384 of another curve', es.forge({ ...header, alg: 'ES384' }, claims, es384(p384))],
  ['Ed25519, as RFC 9864 calls it', ed.forge({ ...ed.header, alg: 'Ed25519' }), 'ed'],
  ...[
    '../../../../dev/null',
    '/dev/null',
    'file:///dev/null',
    "' OR 1=1--",
    "x' UNION SELECT 'k'--",
    '__proto__',
    'constructor',
  ].flatMap((kid): readonly Attack[] => [
    [`kid ${kid}, HS256 with an empty key`, es.forge({ ...hsHeader, kid }, claims, hs256(''))],
    [`kid ${kid}, signed by the attacker`, theirs({ kid })],
    [`kid ${kid}, to a service with a secret`, forge({ ...hsHeader, kid }, hs.claims, hs256('')), 'hs'],
  ]),
  ['the attacker’s key in the header', theirs({ jwk: attackerJwk })],
  [
    'the attacker’s key in the header, no kid',
    es.forge({ alg: 'ES256', typ: 'at+jwt', jwk: attackerJwk }, claims, es256(attacker.privateKey)),
  ],
  ['the true key in the header', named({ jwk: publicJwk })],
  [
    'a certificate in the header',
    theirs({ x5c: [attacker.publicKey.export({ type: 'spki', format: 'der' }).toString('base64')] }),
  ],
  ['the attacker’s signature', theirs({})],
  ...oddSignatures,
  ['r and s all ones', resigned(Buffer.alloc(64, 0xff))],
  ['Ed25519 with S + L', edResigned(edPlusOrder()), 'ed'],
  ['Ed25519, 63 bytes', edResigned(edBytes.subarray(0, 63)), 'ed'],
  ['Ed25519, 65 bytes', edResigned(Buffer.concat([edBytes, Buffer.alloc(1)])), 'ed'],
  ['Ed25519, garbage behind', `${ed.token}AAAA`, 'ed'],
  ['Ed25519, all zeros', edResigned(Buffer.alloc(64)), 'ed'],
  [
    'Ed25519, the identity point and zero',
    edResigned(Buffer.concat([Buffer.from([1]), Buffer.alloc(63)])),
    'ed',
  ],
  ['the signature in DER', es.forge(header, claims, data => sign('sha256', data, es.key.sign))],
  ['a byte of zero behind', resigned(Buffer.concat([bytes, Buffer.alloc(1)]))],
  ['a byte of zero before', resigned(Buffer.concat([Buffer.alloc(1), bytes]))],
  ['the first half', resigned(bytes.subarray(0, 32))],
  ['a refresh token', es.jack.refresh],
  ...['JWT', 'jwt', 'id+jwt', 'logout+jwt', 'dpop+jwt', 'secevent+jwt', 'at+jwt ', 'at', '', null, 1].map(
    (typ): Attack => [`Rusk’s signature under typ ${JSON.stringify(typ)}`, named({ typ })],
  ),
  ['Rusk’s signature without typ', es.forge({ ...header, typ: undefined })],
  ...Object.entries({
    missing: undefined,
    empty: [],
    'another’s': 'shop',
    'the beginning of ours': 'cha',
    'longer than ours': 'chat2',
    'in another case': 'Chat',
    'a list without ours': ['shop', 'cha'],
    'ours beside a number': ['chat', 1],
    'ours in a list in a list': [['chat']],
    'a number': 1,
    'an object': { chat: 'chat' },
    null: null,
  }).map(
    ([what, aud]): Attack => [`aud ${what}`, meant.forge(meant.header, { ...meant.claims, aud }), 'meant'],
  ),
  ['an aud where none is configured', saying({ aud: 'chat' })],
  ...Object.entries({
    missing: undefined,
    'with a slash': `${claims.iss}/`,
    'by another scheme': String(claims.iss).replace('http:', 'https:'),
    'in upper case': String(claims.iss).toUpperCase(),
    'of a subdomain': String(claims.iss).replace('127', 'a.127'),
    'in a list': [claims.iss],
    'with a space': `${claims.iss} `,
    empty: '',
  }).map(([what, iss]): Attack => [`iss ${what}`, saying({ iss })]),
  [
    'an attacker who shares the kid',
    forge(header, { ...claims, iss: 'https://evil.example' }, es256(attacker.privateKey)),
  ],
  ['exp as text', saying({ exp: '9999999999' })],
  ['exp 1e10', text('exp', '1e10')],
  ['exp with a fraction', saying({ exp: now + 300.5 })],
  ['exp 1e400', text('exp', '1e400')],
  ['exp beyond the safe integers', text('exp', '9007199254740993')],
  ['no exp', saying({ exp: undefined })],
  ...['null', 'true', '[9999999999]', '{}', 'NaN', '-1', '""'].map(
    (value): Attack => [`exp ${value}`, text('exp', value)],
  ),
  ['exp at iat', saying({ exp: now })],
  ['a longer life than a day', saying({ exp: now + 86_401 })],
  ['nbf in an hour', saying({ nbf: now + 3600 })],
  ...['"0"', 'null', 'true', '[]', '-1', '1.5'].map(
    (value): Attack => [
      `nbf ${value}`,
      es.forge(header, `${JSON.stringify(claims).slice(0, -1)},"nbf":${value}}`),
    ],
  ),
  ['iat in a year', saying({ iat: now + 31_536_000, exp: now + 31_536_600 })],
  ['iat in two minutes', saying({ iat: now + 120 })],
  ['no iat', saying({ iat: undefined })],
  ...[`"${now}"`, 'null', 'true', '[]', '-1', `${now}.5`].map(
    (value): Attack => [`iat ${value}`, text('iat', value)],
  ),
  ...['sub', 'sid', 'jti'].flatMap((name): readonly Attack[] => [
    [`no ${name}`, saying({ [name]: undefined })],
    ...['', 7, { $ne: 1 }, ['jack'], null, true].map(
      (value): Attack => [`${name} ${JSON.stringify(value)}`, saying({ [name]: value })],
    ),
  ]),
  ['two alg', es.forge(twice('alg', 'none', 'ES256', header))],
  ['two kid', es.forge(twice('kid', 'x', header.kid, header))],
  ['two typ', es.forge(twice('typ', 'JWT', 'at+jwt', header))],
  ...['exp', 'sub', 'sid', 'iss', 'aud'].map(
    (name): Attack => [`two ${name}`, es.forge(header, twice(name, 1, claims[name] ?? 1, claims))],
  ),
  ['two sub, one escaped', es.forge(header, `${JSON.stringify(claims).slice(0, -1)},"\\u0073ub":"x"}`)],
  [
    'a JWE that unpacks to much',
    `${encode({ alg: 'dir', enc: 'A256GCM', zip: 'DEF' })}..${'A'.repeat(16)}.${'A'.repeat(4000)}.${'A'.repeat(22)}`,
  ],
  [
    'a JWE with a costly password',
    `${encode({ alg: 'PBES2-HS256+A128KW', enc: 'A128GCM', p2c: 2 ** 31, p2s: 'AA' })}.AA.AA.AA.AA`,
  ],
  ['zip in the header', named({ zip: 'DEF' })],
  ['a costly password in the header', named({ alg: 'PBES2-HS256+A128KW', p2c: 2 ** 31 })],
  ['the flattened serialisation', JSON.stringify({ protected: h, payload: p, signature: s })],
  ['the general serialisation', JSON.stringify({ payload: p, signatures: [{ protected: h, signature: s }] })],
  ['padding', `${es.token}==`],
  ['padding inside', `${h}=.${p}.${s}`],
  ['the other alphabet', `${h}.${p}.${s.replace(/./, '+')}`],
  ['a slash of the other alphabet', `${h}.${p}.${s.replace(/./, '/')}`],
  ['a space inside', `${h}.${p}. ${s}`],
  ['a tab inside', `${h}.${p}.\t${s}`],
  ['dots by percent', `${h}%2E${p}%2E${s}`],
  ['stray bits', withStrayBit(es.token)],
  ['a dot behind', `${es.token}.`],
  ['a dot before', `.${es.token}`],
  ['four segments', `${es.token}.${s}`],
  ['in quotes', `"${es.token}"`],
  ['an empty payload', `${h}..${s}`],
  ['no header', `.${p}.${s}`],
  ['two dots', '..'],
  ['nothing', ''],
  ['a letter beyond ASCII', `${h}.${p}.é${s}`],
  ['longer than any cookie', saying({ more: 'a'.repeat(9000) })],
  ['ten thousand dots', '.'.repeat(10_000)],
  ['a header that nests ten thousand deep', es.forge('['.repeat(10_000))],
  ['a header that nests as deep as fits', es.forge(`${'['.repeat(2500)}${']'.repeat(2500)}`)],
  ['a payload that nests as deep as fits', es.forge(header, `${'{"a":'.repeat(900)}1${'}'.repeat(900)}`)],
  ['b64: false without crit', named({ b64: false })],
  ['b64: false with crit', named({ b64: false, crit: ['b64'] })],
  ['crit of something', named({ crit: ['exp'], exp: now })],
  ['empty crit', named({ crit: [] })],
  ...['[]', '"text"', '1', 'null', 'true', '[{}]', `[${JSON.stringify(claims)}]`].map(
    (payload): Attack => [`a payload that is ${payload.slice(0, 12)}`, es.forge(header, payload)],
  ),
  ['a list as header', es.forge([header])],
  ['null as header', es.forge('null')],
  ['a byte order mark before the payload', es.forge(header, `\ufeff${JSON.stringify(claims)}`)],
]

/** By code, as first seen. */
const bodies = new Map<string, string>()

/** Milliseconds, of the fastest of three. Whoever unpacks, derives or searches for what a forger says takes far longer. */
const quick = 500

for (const [sentence, token, name = 'es'] of attacks) {
  test(`${sentence}`, async () => {
    const world = worlds[name]
    for (const [way, ask] of Object.entries(ways)) {
      const answers = [await ask(world, token)]
      while (answers.every(({ took }) => took >= quick) && answers.length < 3)
        answers.push(await ask(world, token))
      const [answer = assert.fail()] = answers
      assert.equal(answer.status, 401, `${way}: ${answer.body}`)
      assert.ok(
        answers.some(({ took }) => took < quick),
        `${way}: ${answers.map(({ took }) => took)} ms`,
      )
      assert.match(answer.head, /\r\nCache-Control: no-store\r\n/)
      assert.match(answer.head, /\r\nWWW-Authenticate: Bearer/)
      assert.doesNotMatch(answer.head, /set-cookie/i)
      // One body for every reason; a header that is not even of the form of one has another.
      const code = codeOf(answer)
      assert.ok(
        code === 'access_invalid' || (way === 'bearer' && code === 'access_malformed'),
        `${way}: ${code}`,
      )
      assert.equal(answer.body, bodies.get(String(code)) ?? answer.body)
      bodies.set(String(code), answer.body)
    }
  })
}

/** What would be thrown away with the forgeries if everything were refused. */
const honest: readonly Attack[] = [
  ['the media type in full', named({ typ: 'application/at+jwt' })],
  ['the media type in capitals', named({ typ: 'AT+JWT' })],
  ['aud exactly ours', meant.forge(meant.header, { ...meant.claims, aud: 'chat' }), 'meant'],
  ['aud a list with ours', meant.forge(meant.header, { ...meant.claims, aud: ['chat', 'shop'] }), 'meant'],
  ['exp in half a minute', saying({ iat: now - 60, exp: Math.floor(Date.now() / 1000) + 30 })],
  ['a life of a day', saying({ exp: now + 86_400 })],
  ['nbf now', saying({ nbf: now })],
  ['iat ahead by less than the skew', saying({ iat: now + 30 })],
  ['Ed25519 as it was signed', ed.token, 'ed'],
  ['HS256 as it was signed', hs.token, 'hs'],
]
for (const [sentence, token, name = 'es'] of honest) {
  test(`beside the forgeries: ${sentence} is let in`, async () => {
    for (const ask of Object.values(ways)) {
      const answer = await ask(worlds[name], token)
      assert.equal(answer.status, 200, answer.body)
    }
  })
}

// [sentence, token, statuses; 0: the connection was cut while it was still being sent]
const unsendable: readonly [string, string, readonly number[]][] = [
  ['a newline inside', `${h}.${p}.\n${s}`, [400]],
  ['a line folded inside', `${h}.${p}.\r\n ${s}`, [400]],
  ['NUL inside', `${h}.${p}.\0${s}`, [400]],
  ['a megabyte', 'a'.repeat(1 << 20), [431, 0]],
  ['a megabyte of header before a good rest', `${'A'.repeat(1 << 20)}.${p}.${s}`, [431, 0]],
  ['a hundred thousand dots', '.'.repeat(100_000), [431, 0]],
]
for (const [sentence, token, want] of unsendable) {
  test(`${sentence} is not even a request`, async () => {
    for (const ask of Object.values(ways)) {
      const { status, took } = await ask(es, token)
      assert.ok(want.includes(status), `${status}`)
      assert.ok(took < 5000, `${took}`)
    }
    await assertAlive(es)
  })
}

test('at exp a token is over, without any skew, and that is said', async () => {
  const seconds = Math.floor(Date.now() / 1000)
  for (const exp of [seconds, seconds - 1, seconds - 3600]) {
    for (const ask of Object.values(ways)) {
      const answer = await ask(es, saying({ iat: exp - 600, exp }))
      assert.equal(answer.status, 401)
      assert.equal(codeOf(answer), 'access_expired')
    }
  }
})

test('thousands of the largest forgeries leave the heap as it was', async () => {
  setFlagsFromString('--expose-gc')
  const collect: () => void = runInNewContext('gc')
  const largest = es.forge(`${'['.repeat(2500)}${']'.repeat(2500)}`)
  const send = async (times: number) => {
    for (let i = 0; i < times; i++)
      assert.ok('rejected' in (await es.cookie.verifier.verify(`${largest.slice(0, -8)}${i + 1e7}`)))
    collect()
    return process.memoryUsage().heapUsed
  }
  const before = await send(1000)
  const grown = (await send(4000)) - before
  // Whoever kept them would hold 28 MB.
  assert.ok(grown < 4 * 1024 * 1024, `${grown}`)
})

test('after all of it whoever is honest is still let in', async () => {
  for (const world of Object.values(worlds)) await assertAlive(world)
})
