import assert from 'node:assert/strict'
import { test } from 'node:test'
import { double, securely, site, tiny } from '../../test/http/tiny.ts'
import { Fault } from '../core/fault.ts'
import { clearCookie, openJar, writeCookie } from './cookies.ts'

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
