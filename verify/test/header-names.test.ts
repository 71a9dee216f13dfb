// Headers as frameworks hand them over beside Node's own: in a plain object, spelt as somebody wrote them, or in a Headers that
// is not this realm's. A name has no case (RFC 9110 §5.1), and what guards a call must not depend on it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runInNewContext } from 'node:vm'
import { type Call, headerOf } from '../src/call.ts'
import { openIssuer, reasonOf } from './issuer.ts'

const own = 'https://own.example'
const evil = 'https://evil.example'

/** A class of that name that this realm does not know. */
const elsewhere = (values: Readonly<Record<string, string>>): Headers =>
  runInNewContext(
    `new (class Headers {
      get(name) { return new Map(Object.entries(values)).get(name) ?? null }
    })()`,
    { values },
  )

type Row = readonly [sentence: string, method: string, headers: Call['headers'], want: string]

/** `cookie` holds a good access cookie, `bearer` a good token. */
const rowsOf = (cookie: string, bearer: string): readonly Row[] => [
  ['a bearer token', 'GET', { Authorization: bearer }, 'verified'],
  ['a cookie', 'GET', { Cookie: cookie }, 'verified'],
  ['a list of cookies', 'GET', { COOKIE: ['a=1', cookie] }, 'verified'],
  ['a listed origin', 'POST', { Cookie: cookie, Origin: own }, 'verified'],
  ['an origin that is not listed', 'POST', { cookie, Origin: evil }, 'origin_refused'],
  ['an origin in capitals', 'POST', { cookie, ORIGIN: evil }, 'origin_refused'],
  ['Fetch Metadata', 'POST', { cookie, 'Sec-Fetch-Site': 'cross-site' }, 'origin_refused'],
  ['traces of a browser', 'POST', { cookie, Referer: `${evil}/` }, 'origin_refused'],
  ['a handshake', 'GET', { cookie, Upgrade: 'websocket', Origin: evil }, 'origin_refused'],
  ['a handshake behind a proxy', 'GET', { cookie, 'Sec-WebSocket-Key': 'x', Origin: evil }, 'origin_refused'],
  ['an origin twice, in two spellings', 'POST', { cookie, Origin: own, origin: evil }, 'origin_refused'],
  ['the other way about', 'POST', { cookie, Origin: evil, origin: own }, 'origin_refused'],
  [
    'two bearer tokens, in two spellings',
    'GET',
    { Authorization: bearer, authorization: bearer },
    'access_malformed',
  ],
  ['two cookie headers, in two spellings', 'GET', { Cookie: 'a=1', cookie }, 'verified'],
  ['a header without a value', 'GET', { Cookie: cookie, authorization: undefined }, 'verified'],
  ['an empty one', 'GET', { Cookie: cookie, Authorization: '' }, 'access_malformed'],
  ['headers of another realm', 'GET', elsewhere({ authorization: bearer }), 'verified'],
  ['no headers of another realm', 'GET', elsewhere({}), 'not_signed_in'],
  ['an origin in such headers', 'POST', elsewhere({ cookie, origin: evil }), 'origin_refused'],
  ['an origin of one’s own in such headers', 'POST', elsewhere({ cookie, origin: own }), 'verified'],
  ['a header of the name get', 'GET', { get: 'x', Cookie: cookie }, 'verified'],
  ['a method in small letters', 'get', { Cookie: cookie }, 'verified'],
  ['a method in small letters that writes', 'post', { cookie, Origin: evil }, 'origin_refused'],
]

test('as they come:', async t => {
  const issuer = await openIssuer(t)
  const verifier = issuer.verifier({ cookie: 'access_token', origins: [own] })
  const rows = rowsOf(`access_token=${issuer.token()}`, `Bearer ${issuer.token()}`)
  for (const [sentence, method, headers, want] of rows) {
    await t.test(`${sentence}: ${want}`, async () => {
      assert.equal(reasonOf(await verifier.check({ method, headers })), want)
    })
  }
})

test('two spellings of one name are a header that came twice', () => {
  const header = headerOf({ headers: { Cookie: 'a=1', cookie: 'b=2', ACCEPT: 'x', Accept: ['y', 'z'] } })
  assert.deepEqual(['cookie', 'accept', 'origin'].map(header), ['a=1; b=2', 'x, y, z', undefined])
})
