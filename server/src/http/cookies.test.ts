import assert from 'node:assert/strict'
import { test } from 'node:test'
import { double, securely, site, tiny } from '../../test/http/tiny.ts'
import { Fault } from '../core/fault.ts'
import { clearCookie, openJar, readCookies, writeCookie } from './cookies.ts'

const read: readonly [sentence: string, header: string | undefined, want: readonly string[]][] = [
  ['no header, no values', undefined, []],
  ['one pair', 'at=v', ['v']],
  ['a name that is sent twice has two values, in their order', 'at=1; x=y; at=2', ['1', '2']],
  ['space and tab around a pair are not part of it', 'x=y; \t at=v \t; z=1', ['v']],
  ['the space after the semicolon may be missing', 'x=y;at=v', ['v']],
  ['a name in another case is another name', 'AT=1; At=2; aT=3', []],
  ['a name after NBSP is another name', '\u00a0at=v', []],
  ['a name after a byte order mark is another name', '\ufeffat=v', []],
  ['a name after VT or FF is another name', '\u000bat=v; \u000cat=w', []],
  ['a name that is percent-encoded is another name', '%61t=v; %20at=w', []],
  ['a name with a tab behind it is another name', 'at\t=v', []],
  ['a longer name is another name', 'xat=1; atx=2; at.x=3', []],
  ['quotes are part of the value', 'at="v"', ['"v"']],
  ['quotes do not hide a semicolon', 'a="x; at=v; y"', ['v']],
  ['nothing is decoded', 'at=%41\\b,c', ['%41\\b,c']],
  ['a comma does not part pairs', 'x=y, at=v', []],
  ['an ampersand does not part pairs', 'x=y&at=v', []],
  ['a value may hold equals signs', 'at=a=b==', ['a=b==']],
  ['a value may be empty', 'at=; x', ['']],
  ['a name without an equals sign is no cookie', 'at; x=at', []],
  ['empty pairs are nothing', ';;; ;at=v;;', ['v']],
  ['chunks are not put together', 'at.0=a; at.1=b; at=__chunked__999999', ['__chunked__999999']],
]

for (const [sentence, header, want] of read) {
  test(sentence, () => assert.deepEqual(readCookies(header, ['rt', 'at'])[1], want))
}

test('names of the prototype are names like any other', () => {
  const header = '__proto__=1; constructor=2; hasOwnProperty=3; at=v'
  assert.deepEqual(readCookies(header, ['at', 'toString', 'constructor']), [['v'], [], ['2']])
  assert.equal(Reflect.get({}, '1'), undefined)
})

test('a header of 180 cookies is read in linear time', () => {
  const pairs = (count: number) =>
    `${Array.from({ length: count }, (_, i) => `c${i}=${'; '.repeat(9)}`).join('; ')}; at=v`
  const started = performance.now()
  assert.deepEqual(readCookies(pairs(20_000), ['at'])[0], ['v'])
  assert.ok(performance.now() - started < 500)
})

const written: readonly [sentence: string, got: () => string, want: string][] = [
  [
    'over plain http a token cookie is HttpOnly',
    () => writeCookie(openJar(tiny.cookies, site).refresh, 'v', 900.7),
    'rt=v; Max-Age=900; Path=/; HttpOnly; SameSite=Strict',
  ],
  [
    'over https it is Secure and, if the dialect says so, __Host-',
    () => writeCookie(openJar(tiny.cookies, securely).refresh, 'v', 900),
    '__Host-rt=v; Max-Age=900; Path=/; HttpOnly; Secure; SameSite=Strict',
  ],
  [
    'the sign-in cookie has the attributes of the refresh cookie',
    () => writeCookie(openJar(double.cookies, securely).signIn, 'v', 9),
    'signin=v; Max-Age=9; Path=/api/; HttpOnly; Secure; SameSite=Lax',
  ],
  [
    'the prefix moves the path',
    () => writeCookie(openJar(double.cookies, { ...site, prefix: '/x' }).refresh, 'v', 9),
    'refresh_token=v; Max-Age=9; Path=/x/api/; HttpOnly; SameSite=Lax',
  ],
  [
    'across sites token cookies are SameSite=None and Secure',
    () => writeCookie(openJar(double.cookies, { ...site, crossSite: true }).refresh, 'v', 9),
    'refresh_token=v; Max-Age=9; Path=/api/; HttpOnly; Secure; SameSite=None',
  ],
  [
    'the Domain is on the readable cookie',
    () => {
      const { csrf } = openJar(double.cookies, { ...securely, csrfDomain: 'example.com' })
      return csrf ? writeCookie(csrf, 'v', 9) : ''
    },
    'csrftoken=v; Max-Age=9; Path=/; Domain=example.com; Secure; SameSite=Lax',
  ],
  [
    'and on no token cookie',
    () => clearCookie(openJar(double.cookies, { ...securely, csrfDomain: 'example.com' }).refresh),
    'refresh_token=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/api/; HttpOnly; Secure; SameSite=Lax',
  ],
]

for (const [sentence, got, want] of written) test(sentence, () => assert.equal(got(), want))

test('a cookie that a browser would drop is not written', () => {
  const { refresh } = openJar(tiny.cookies, site)
  assert.match(writeCookie(refresh, 'v'.repeat(4094), 1), /^rt=v{4094};/)
  assert.throws(() => writeCookie(refresh, 'v'.repeat(4095), 1), Fault)
  for (const value of ['a b', 'a;b', 'a,b', 'a"b', 'a\\b', 'a\r\nb', 'ä']) {
    assert.throws(() => writeCookie(refresh, value, 1), Fault, value)
  }
})
