import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Misuse, type Options, readOptions } from './options.ts'

const secret = 'a-secret-of-more-than-thirty-two-bytes'
const good = { issuer: 'https://auth.example', serviceKey: secret }

/** As a program without types may write them. */
const findings = (options: object): readonly string[] => {
  try {
    readOptions(options as Options)
    return []
  } catch (error) {
    assert.ok(error instanceof Misuse)
    return error.findings
  }
}

const issuerSays = /^issuer: write what Rusk has as url \(RUSK_URL\), as https:/
const keySays = /^key: at least 32 bytes, as Rusk’s JWT_SECRET_KEY$/
const serviceKeySays = /^serviceKey: at least 32 bytes, one of Rusk’s RUSK_SERVICE_KEYS$/
const csrfSays = /^csrf: names of the readable cookie and of the header, as \{ cookie: 'csrftoken'/
const withinSays = /^within: milliseconds, a whole number from 1000 to 60000$/
const cookieSays = /^cookie: the name of the access cookie, or false$/

// [sentence, what is given beside good options, what is said]
const wrong: readonly (readonly [string, object, RegExp])[] = [
  ['no issuer', { issuer: undefined }, issuerSays],
  ['an empty issuer', { issuer: '' }, issuerSays],
  ['an issuer without a scheme', { issuer: 'auth.example' }, issuerSays],
  ['an issuer that is no address of the web', { issuer: 'ftp://auth.example' }, issuerSays],
  ['an issuer that is not a text', { issuer: new URL('https://auth.example') }, issuerSays],
  ['an issuer with a query', { issuer: 'https://auth.example/?a=b' }, issuerSays],
  ['an issuer with a fragment', { issuer: 'https://auth.example/#a' }, issuerSays],
  ['an issuer with a name in it', { issuer: 'https://me@auth.example' }, issuerSays],
  ['an issuer with a password in it', { issuer: 'https://:secret@auth.example' }, issuerSays],
  [
    'an issuer over http that is another machine',
    { issuer: 'http://auth.example' },
    /^issuer: .*Use https, or say by url/,
  ],
  [
    'a url without a scheme',
    { url: 'rusk:8000' },
    /^url: write where Rusk is reached, as http:\/\/rusk:8000$/,
  ],
  ['an empty url', { url: '' }, /^url: /],
  ['an audience that is empty', { audience: '' }, /^audience: a text that is not empty$/],
  ['an audience that is a list', { audience: ['chat'] }, /^audience: /],
  ['a shared key that is too short', { key: 'x'.repeat(31) }, keySays],
  ['a shared key that is empty', { key: '' }, keySays],
  ['a service key that is too short', { serviceKey: 'x'.repeat(31) }, serviceKeySays],
  ['a service key that is empty', { serviceKey: '' }, serviceKeySays],
  ['a service key with a line break', { serviceKey: `${secret}\n` }, /^serviceKey: .* no line break/],
  ['a service key with a blank', { serviceKey: secret.replaceAll('-', ' ') }, /^serviceKey: .* no blank/],
  ['several service keys', { serviceKey: `${secret},${secret}` }, /^serviceKey: one key .* comma/],
  ['a service key with letters beyond ASCII', { serviceKey: `${secret}’` }, /^serviceKey: .*ASCII/],
  [
    'neither a service key nor that none is wanted',
    { serviceKey: undefined },
    /^serviceKey: give one of Rusk’s RUSK_SERVICE_KEYS, .* or say revocation: 'none', and whoever has signed out keeps access/,
  ],
  [
    'a service key, and that none is wanted',
    { revocation: 'none' },
    /^revocation: 'none' says that ended sessions are not/,
  ],
  ['another way of revocation', { revocation: 'feed' }, /^revocation: 'none', or leave it out$/],
  ['a bound below a second', { within: 999 }, withinSays],
  ['a bound above a minute', { within: 60_001 }, withinSays],
  ['a bound with a fraction', { within: 1000.5 }, withinSays],
  ['a bound that is a text', { within: '5000' }, withinSays],
  ['a bound that is no number', { within: Number.NaN }, withinSays],
  ['another answer to silence', { whenUnreachable: 'ignore' }, /^whenUnreachable: 'refuse' or 'accept'$/],
  ['an empty cookie', { cookie: '' }, cookieSays],
  ['a cookie with a space in its name', { cookie: 'access token' }, cookieSays],
  ['a cookie with a value', { cookie: 'access=x' }, cookieSays],
  ['true for a cookie', { cookie: true }, cookieSays],
  ['a number for a cookie', { cookie: 5 }, cookieSays],
  ['one origin instead of a list', { origins: 'https://app.example' }, /^origins: a list of texts$/],
  [
    'an origin with a slash',
    { origins: ['https://app.example/'] },
    /^origins: .*Write https:\/\/app\.example$/,
  ],
  [
    'every origin',
    { origins: ['*'] },
    /^origins: "\*" would let pages of any site call with cookies\. List each origin/,
  ],
  ['no text among the origins', { origins: [undefined] }, /^origins: "undefined" is not an origin/],
  ['csrf without a header', { csrf: { cookie: 'csrftoken' } }, csrfSays],
  ['csrf without a cookie', { csrf: { header: 'x-csrftoken' } }, csrfSays],
  ['csrf with a number', { csrf: { cookie: 'csrftoken', header: 5 } }, csrfSays],
  ['csrf that is true', { csrf: true }, csrfSays],
  ['csrf that is nothing', { csrf: null }, csrfSays],
  ['nothing that can be told', { onTrouble: 'console' }, /^onTrouble: a function$/],
  ['nor told the end', { onRecovery: true }, /^onRecovery: a function$/],
  [
    'an option that there is not',
    { servicekey: secret },
    /^servicekey: there is no such option; there are issuer, url,/,
  ],
]

for (const [sentence, given, says] of wrong) {
  test(`${sentence} is one finding, which names the option`, () => {
    const found = findings({ ...good, ...given })
    assert.equal(found.length, 1, found.join('\n'))
    assert.match(found[0] ?? '', says)
  })
}

test('all that is wrong is found at once, and stands in the message', () => {
  const found = findings({
    ...good,
    issuer: 'x',
    key: 'x',
    within: 1,
    origins: ['*', 'null'],
    csrf: {},
    nonsense: 1,
  })
  assert.deepEqual(
    found.map(each => each.split(':', 1)[0]),
    ['nonsense', 'issuer', 'key', 'within', 'origins', 'origins', 'csrf'],
  )
  assert.equal(new Misuse(found).message.split('\n- ').length, found.length + 1)
})

test('what are no options at all is said in one sentence', () => {
  const read = readOptions as (options: unknown) => unknown
  for (const given of [undefined, null, 'https://auth.example', 5]) {
    assert.throws(() => read(given), {
      name: 'Misuse',
      message: /:\n- options: an object, as \{ issuer: [^\n]*$/,
    })
  }
})

test('no sentence repeats a secret', () => {
  const short = 'Tr0ub4dor&3'
  assert.doesNotMatch(findings({ ...good, key: short, serviceKey: short }).join(), /Tr0ub4dor/)
  assert.doesNotMatch(findings({ ...good, serviceKey: `${secret}\n` }).join(), /thirty-two/)
})

// [sentence, given, what is read of it]
const right: readonly (readonly [string, Partial<Options>, object])[] = [
  [
    'without more, calls carry the native cookie and may change something from Rusk’s own pages',
    {},
    {
      issuer: 'https://auth.example',
      base: 'https://auth.example',
      cookie: '__Host-rusk_access',
      listed: new Set(['https://auth.example']),
      within: 5000,
      strict: true,
      shared: undefined,
      csrf: undefined,
    },
  ],
  [
    'over http the native cookie has no prefix',
    { issuer: 'http://localhost:8000' },
    { cookie: 'rusk_access' },
  ],
  [
    'a machine speaks to itself over http',
    { issuer: 'http://127.3.2.1:8000' },
    { issuer: 'http://127.3.2.1:8000' },
  ],
  ['or by its address of six', { issuer: 'http://[::1]:8000' }, { issuer: 'http://[::1]:8000' }],
  [
    'over http another machine is trusted when that is said',
    { issuer: 'http://auth.example', url: 'http://rusk:8000/' },
    { issuer: 'http://auth.example', base: 'http://rusk:8000' },
  ],
  [
    'Rusk’s url is read as Rusk reads it',
    { issuer: 'https://Auth.example:443/' },
    { issuer: 'https://auth.example' },
  ],
  [
    'with its path',
    { issuer: 'https://auth.example/in/' },
    { issuer: 'https://auth.example/in', listed: new Set(['https://auth.example']) },
  ],
  ['bearer tokens alone', { cookie: false }, { cookie: undefined }],
  [
    'headers have no case',
    { csrf: { cookie: 'c', header: 'X-CSRFToken' } },
    { csrf: { cookie: 'c', header: 'x-csrftoken' } },
  ],
  [
    'silence can be taken for consent',
    { whenUnreachable: 'accept', within: 60_000 },
    { strict: false, within: 60_000 },
  ],
  [
    'listed pages come beside Rusk’s own',
    { origins: ['http://localhost:3000'] },
    { listed: new Set(['https://auth.example', 'http://localhost:3000']) },
  ],
  [
    'what is undefined is not given',
    { key: undefined, url: undefined, csrf: undefined, origins: undefined },
    { shared: undefined },
  ],
]

for (const [sentence, given, want] of right) {
  test(sentence, () => {
    const settings = readOptions({ ...good, ...given })
    assert.deepEqual({ ...settings, ...want }, settings)
  })
}

test('a shared key is one for HS256', () => {
  const { shared } = readOptions({ ...good, key: secret })
  assert.equal(shared?.algorithm, 'HS256')
  assert.equal(shared?.verify.export().toString(), secret)
})
