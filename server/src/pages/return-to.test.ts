import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readReturn, withField } from './return-to.ts'

const url = 'https://auth.example.com'
const listed: ReadonlySet<string> = new Set([url, 'https://app.example.com', 'http://localhost:3000'])
const read = (text: string) => readReturn(text, url, listed)

const allowed: readonly [sentence: string, text: string, to: string][] = [
  ['a path of this host', '/account', '/account'],
  ['the root', '/', '/'],
  ['with query and fragment', '/a/b?c=d&e=%2F#f', '/a/b?c=d&e=%2F#f'],
  [
    'an address in the query of a path stays there',
    '/a?next=https://evil.example',
    '/a?next=https://evil.example',
  ],
  ['a listed origin', 'https://app.example.com', 'https://app.example.com/'],
  ['a path of a listed origin', 'https://app.example.com/a?b#c', 'https://app.example.com/a?b#c'],
  ['another port, when it is listed', 'http://localhost:3000/x', 'http://localhost:3000/x'],
  ['the default port is no other', 'https://app.example.com:443/x', 'https://app.example.com/x'],
  ['the origin of Rusk itself', 'https://auth.example.com/account', 'https://auth.example.com/account'],
  ['in any case of letters', 'HTTPS://APP.example.COM/x', 'https://app.example.com/x'],
  ['what is not ASCII leaves as ASCII', '/café?ü', '/caf%C3%A9?%C3%BC'],
  ['a path that climbs stays on this host', '/../../a', '/a'],
]

for (const [sentence, text, to] of allowed) {
  test(`allowed: ${sentence}`, () => assert.deepEqual(read(text), { to }))
}

/** Named by what a browser would make of them. */
const attacks: readonly [sentence: string, text: string][] = [
  ['nothing', ''],
  ['another site', 'https://evil.example'],
  ['another site over http', 'http://app.example.com'],
  ['another port', 'https://app.example.com:8443'],
  ['a host of the same beginning', 'https://app.example.com.evil.example'],
  ['a host of the same end', 'https://evilapp.example.com'],
  ['a subdomain', 'https://x.app.example.com'],
  ['the parent domain', 'https://example.com'],
  ['a trailing dot', 'https://app.example.com./'],
  ['no scheme', '//evil.example'],
  ['three slashes', '///evil.example'],
  ['a backslash for a slash', '/\\evil.example'],
  ['two backslashes', '\\\\evil.example'],
  ['backslashes behind the scheme', 'https:\\\\evil.example'],
  ['a slash and a backslash behind the scheme', 'https:/\\evil.example'],
  ['a backslash in the host', 'https://app.example.com\\@evil.example'],
  ['a scheme without slashes', 'https:evil.example'],
  ['a scheme with one slash', 'https:/evil.example'],
  ['a scheme with three slashes', 'https:///evil.example'],
  ['a tab between slashes', '/\t/evil.example'],
  ['a line break between slashes', '/\n/evil.example'],
  ['a tab in the scheme', 'java\tscript:alert(1)'],
  ['a leading space', ' https://evil.example'],
  ['a leading control character', '\u0001https://evil.example'],
  ['a NUL', '/a\0b'],
  ['a header of its own', '/a\r\nSet-Cookie: a=b'],
  ['a no-break space', '/\u00a0/evil.example'],
  ['what .. leaves', '/..//evil.example'],
  ['what . leaves', '/.//evil.example'],
  ['what an encoded .. leaves', '/%2e%2e//evil.example'],
  ['what a folder and .. leave', '/a/..//evil.example'],
  ['a name before the host', 'https://app.example.com@evil.example'],
  ['a name before a listed host', 'https://evil@app.example.com'],
  ['a password before a listed host', 'https://a:b@app.example.com'],
  ['full-width dots of another host', 'https://app。example。com.evil.example'],
  ['full-width slashes', '／／evil.example'],
  ['script', 'javascript:alert(1)'],
  ['script that looks like an address', 'javascript://app.example.com/%0aalert(1)'],
  ['data', 'data:text/html,<script>alert(1)</script>'],
  ['a blob of a listed origin', 'blob:https://app.example.com/1'],
  ['a file', 'file:///etc/passwd'],
  ['another scheme of a listed host', 'ftp://app.example.com'],
  ['a relative path', 'account'],
  ['a query alone', '?x=y'],
  ['no host', 'https://'],
  ['no host but a port', 'https://:443'],
  ['a host that is none', 'https://[::1'],
  ['the origin null', 'null'],
  ['more than 2000 characters', `/${'a'.repeat(2000)}`],
]

for (const [sentence, text] of attacks) {
  test(`refused: ${sentence}`, () => {
    const got = read(text)
    assert.ok('why' in got, JSON.stringify(got))
    assert.match(got.why, /\.$/)
  })
}

test('a percent-encoded slash is no slash: it stays in the path of this host', () => {
  assert.deepEqual(read('/%2F/evil.example'), { to: '/%2F/evil.example' })
  assert.deepEqual(read('/%5Cevil.example'), { to: '/%5Cevil.example' })
})

test('full-width dots are the dots of the host that they spell', () => {
  assert.deepEqual(read('https://app。example。com/x'), { to: 'https://app.example.com/x' })
})

test('a field is put into a path of this host and nowhere else', () => {
  assert.equal(withField('/a', 'n', '2'), '/a?n=2')
  assert.equal(withField('/a?n=1&b=c%2F#d', 'n', '2'), '/a?n=2&b=c%2F#d')
  assert.equal(withField('https://app.example.com/', 'n', '2'), 'https://app.example.com/')
})
