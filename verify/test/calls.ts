// Calls as they come, byte for byte, and who each is let in as: one table for every framework. Knows none of them.
import type { Options, Verifier } from '../src/index.ts'
import { type Issuer, reasonOf, until } from './issuer.ts'
import { app } from './services.ts'

export const host = '__Host-rusk_access'

/** `200 NAME`: the call is NAME's; else status and code of the refusal. */
export type Want = `200 ${'jack' | 'jill'}` | `${401 | 403 | 503} ${string}`

export type Row = readonly [
  sentence: string,
  method: string,
  lines: (people: People) => readonly string[],
  want: Want,
]

export type People = Awaited<ReturnType<typeof openPeople>>

/** Two who are signed in, and what else may be presented. */
export async function openPeople(issuer: Issuer, verifier: Verifier) {
  const now = Math.floor(issuer.clock.now() / 1000)
  const jack = issuer.token({ sub: 'jack', sid: 'sid-of-jack' })
  const people = {
    url: issuer.url,
    jack,
    jackAgain: issuer.token({ sub: 'jack', sid: 'sid-of-jack' }),
    jill: issuer.token({ sub: 'jill', sid: 'sid-of-jill' }),
    expired: issuer.token({ sub: 'jack', sid: 'sid-of-jack', iat: now - 700, exp: now - 100 }),
    ended: issuer.token({ sub: 'jack', sid: 'an earlier one' }),
    forged: `${jack.slice(0, -8)}AAAAAAAA`,
  }
  issuer.end('an earlier one')
  await until(async () => reasonOf(await verifier.verify(people.ended)) === 'access_revoked', 'known')
  return people
}

export const bearer = (token: string) => `Authorization: Bearer ${token}`
export const cookie = (token: string) => `Cookie: ${host}=${token}`
const handshake = [
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
] as const
const foreign = 'Origin: https://evil.example'
const listed = `Origin: ${app}`
const junk = Array.from({ length: 8 }, (_, at) => `${host}=${at}`).join('; ')

const presented: readonly Row[] = [
  ['nobody is signed in without anything', 'GET', () => [], '401 not_signed_in'],
  ['a bearer token says who calls', 'GET', ({ jack }) => [bearer(jack)], '200 jack'],
  ['the access cookie says who calls', 'GET', ({ jack }) => [cookie(jack)], '200 jack'],
  ['among other cookies too', 'GET', ({ jack }) => [`Cookie: a=b; ${host}=${jack}; c=d`], '200 jack'],
  [
    'a cookie of another name does not',
    'GET',
    ({ jack }) => [`Cookie: rusk_access=${jack}`],
    '401 not_signed_in',
  ],
  [
    'a cookie in another case does not',
    'GET',
    ({ jack }) => [`Cookie: ${host.toUpperCase()}=${jack}`],
    '401 not_signed_in',
  ],
  [
    'a header of somebody’s own does not',
    'GET',
    ({ jack }) => [`X-Rusk-Session: ${jack}`, `X-Access-Token: ${jack}`],
    '401 not_signed_in',
  ],
  ['the scheme has no case', 'GET', ({ jack }) => [`authorization: bEARER ${jack}`], '200 jack'],
  [
    'space around the header is not part of it',
    'GET',
    ({ jack }) => [`Authorization:   Bearer ${jack}  `],
    '200 jack',
  ],
  [
    'two spaces are no bearer token',
    'GET',
    ({ jack }) => [`Authorization: Bearer  ${jack}`],
    '401 access_malformed',
  ],
  ['a tab is no space', 'GET', ({ jack }) => [`Authorization: Bearer\t${jack}`], '401 access_malformed'],
  ['a scheme alone is no bearer token', 'GET', () => ['Authorization: Bearer'], '401 access_malformed'],
  [
    'a token alone is no bearer token',
    'GET',
    ({ jack }) => [`Authorization: ${jack}`],
    '401 access_malformed',
  ],
  ['an empty header is no bearer token', 'GET', () => ['Authorization:'], '401 access_malformed'],
  [
    'a password is no bearer token',
    'GET',
    () => ['Authorization: Basic amFjazpqaWxs'],
    '401 access_malformed',
  ],
  ['another scheme is none', 'GET', ({ jack }) => [`Authorization: Token ${jack}`], '401 access_malformed'],
  [
    'two tokens in one header are none',
    'GET',
    ({ jack, jill }) => [`Authorization: Bearer ${jack}, Bearer ${jill}`],
    '401 access_malformed',
  ],
  [
    'quotes are not part of a token',
    'GET',
    ({ jack }) => [`Authorization: Bearer "${jack}"`],
    '401 access_malformed',
  ],
  [
    'two headers are none, even of one person',
    'GET',
    ({ jack }) => [bearer(jack), bearer(jack)],
    '401 access_malformed',
  ],
  [
    'two headers are none: the first does not win',
    'GET',
    ({ jack, jill }) => [bearer(jack), bearer(jill)],
    '401 access_malformed',
  ],
  [
    'two headers are none: the last does not win',
    'GET',
    ({ jack }) => ['Authorization: Basic amFjazpqaWxs', bearer(jack)],
    '401 access_malformed',
  ],
  [
    'a good cookie does not mend a malformed header',
    'GET',
    ({ jack }) => ['Authorization: Bearer', cookie(jack)],
    '401 access_malformed',
  ],
  [
    'cookie and bearer token of one session are that session',
    'GET',
    ({ jack, jackAgain }) => [bearer(jack), cookie(jackAgain)],
    '200 jack',
  ],
  [
    'cookie and bearer token of two people are nobody',
    'GET',
    ({ jack, jill }) => [bearer(jack), cookie(jill)],
    '401 cookie_conflict',
  ],
  [
    'and the other way about',
    'POST',
    ({ jack, jill }) => [bearer(jill), cookie(jack)],
    '401 cookie_conflict',
  ],
  [
    'a cookie that has expired does not harm a bearer token',
    'GET',
    ({ jill, expired }) => [bearer(jill), cookie(expired)],
    '200 jill',
  ],
  ['nor does one that is forged', 'GET', ({ jill, forged }) => [bearer(jill), cookie(forged)], '200 jill'],
  [
    'a bearer token that has expired is not mended by a cookie',
    'GET',
    ({ jack, expired }) => [bearer(expired), cookie(jack)],
    '401 access_expired',
  ],
  [
    'a cookie with the prefix stands once',
    'GET',
    ({ jack }) => [`Cookie: ${host}=${jack}; ${host}=${jack}`],
    '401 cookie_conflict',
  ],
  [
    'in two headers as in one',
    'GET',
    ({ jack, jill }) => [cookie(jack), cookie(jill)],
    '401 cookie_conflict',
  ],
  [
    'with a bearer token too',
    'GET',
    ({ jack }) => [bearer(jack), `Cookie: ${host}=${jack}; ${host}=x`],
    '401 cookie_conflict',
  ],
  ['a bearer token that has expired', 'GET', ({ expired }) => [bearer(expired)], '401 access_expired'],
  ['a cookie that has expired', 'GET', ({ expired }) => [cookie(expired)], '401 access_expired'],
  ['a bearer token whose session has ended', 'GET', ({ ended }) => [bearer(ended)], '401 access_revoked'],
  ['a cookie whose session has ended', 'GET', ({ ended }) => [cookie(ended)], '401 access_revoked'],
  ['a bearer token that is forged', 'GET', ({ forged }) => [bearer(forged)], '401 access_invalid'],
  ['a cookie that is forged', 'GET', ({ forged }) => [cookie(forged)], '401 access_invalid'],
  ['an empty cookie', 'GET', () => [`Cookie: ${host}=`], '401 access_invalid'],
  ['a cookie in quotes', 'GET', ({ jack }) => [`Cookie: ${host}="${jack}"`], '401 access_invalid'],
  ['a bearer token of nonsense', 'GET', () => [bearer('nonsense')], '401 access_invalid'],
]

/** As the table of `mayChange` has it; the columns are what Origin says. */
const same = { listed: true, own: true, foreign: true, null: true, none: true } as const
const other = { listed: true, own: true, foreign: false, null: false, none: false } as const
const sites = {
  'same-origin': same,
  'same-site': other,
  'cross-site': other,
  none: other,
  nonsense: other,
  '': other,
  absent: { ...other, none: true },
} as const

const unsafe: readonly Row[] = Object.entries(sites).flatMap(([site, origins]) =>
  Object.entries(origins).map(
    ([origin, may]): Row => [
      `a POST by cookie, Sec-Fetch-Site ${site || 'empty'}, Origin ${origin}`,
      'POST',
      ({ jack, url }) => [
        cookie(jack),
        ...(site === 'absent' ? [] : [`Sec-Fetch-Site: ${site}`]),
        ...({
          listed: [listed],
          own: [`Origin: ${url}`],
          foreign: [foreign],
          null: ['Origin: null'],
          none: [],
        }[origin] ?? []),
      ],
      may ? '200 jack' : '403 origin_refused',
    ],
  ),
)

const methods: readonly Row[] = [
  ...['GET', 'HEAD', 'OPTIONS'].map(
    (method): Row => [
      `a ${method} by cookie from elsewhere changes nothing`,
      method,
      ({ jack }) => [cookie(jack), foreign],
      '200 jack',
    ],
  ),
  ...['POST', 'PUT', 'PATCH', 'DELETE'].flatMap((method): Row[] => [
    [
      `a ${method} by cookie from elsewhere is refused`,
      method,
      ({ jack }) => [cookie(jack), foreign],
      '403 origin_refused',
    ],
    [
      `a ${method} by cookie from a listed page is let in`,
      method,
      ({ jack }) => [cookie(jack), listed],
      '200 jack',
    ],
    [
      `a ${method} by bearer token from elsewhere is let in`,
      method,
      ({ jack }) => [bearer(jack), foreign, 'Sec-Fetch-Site: cross-site'],
      '200 jack',
    ],
  ]),
]

const odd: readonly Row[] = [
  [
    'two Origins, of which one is listed',
    'POST',
    ({ jack }) => [cookie(jack), listed, foreign],
    '403 origin_refused',
  ],
  [
    'two Origins that are both listed',
    'POST',
    ({ jack }) => [cookie(jack), listed, listed],
    '403 origin_refused',
  ],
  [
    'an Origin that begins like a listed one',
    'POST',
    ({ jack }) => [cookie(jack), `${listed}.evil.example`],
    '403 origin_refused',
  ],
  ['an Origin with a slash', 'POST', ({ jack }) => [cookie(jack), `${listed}/`], '403 origin_refused'],
  [
    'an Origin over http',
    'POST',
    ({ jack }) => [cookie(jack), 'Origin: http://app.example'],
    '403 origin_refused',
  ],
  [
    'Sec-Fetch-Site twice',
    'POST',
    ({ jack }) => [cookie(jack), 'Sec-Fetch-Site: same-origin', 'Sec-Fetch-Site: cross-site'],
    '403 origin_refused',
  ],
  [
    'a browser without Origin, by its Referer',
    'POST',
    ({ jack }) => [cookie(jack), 'Referer: https://app.example/'],
    '403 origin_refused',
  ],
  [
    'a browser without Origin, by Sec-Fetch-Dest',
    'POST',
    ({ jack }) => [cookie(jack), 'Sec-Fetch-Dest: document'],
    '403 origin_refused',
  ],
  [
    'a POST that says it is a GET',
    'POST',
    ({ jack }) => [cookie(jack), foreign, 'X-HTTP-Method-Override: GET'],
    '403 origin_refused',
  ],
  ['whoever is not signed in is told so first', 'POST', () => [foreign], '401 not_signed_in'],
  ['where from counts before who', 'POST', ({ expired }) => [cookie(expired), foreign], '403 origin_refused'],
  [
    'a handshake by cookie from elsewhere is refused',
    'GET',
    ({ jack }) => [cookie(jack), foreign, ...handshake],
    '403 origin_refused',
  ],
  [
    'a handshake by cookie without Origin from another site',
    'GET',
    ({ jack }) => [cookie(jack), 'Sec-Fetch-Site: same-site', ...handshake],
    '403 origin_refused',
  ],
  [
    'a handshake by cookie from a listed page is let in',
    'GET',
    ({ jack }) => [cookie(jack), listed, ...handshake],
    '200 jack',
  ],
  [
    'a handshake by bearer token is let in',
    'GET',
    ({ jack }) => [bearer(jack), foreign, ...handshake],
    '200 jack',
  ],
  [
    'the name of the protocol has no case',
    'GET',
    ({ jack }) => [cookie(jack), foreign, 'upgrade: h2c, WebSocket'],
    '403 origin_refused',
  ],
]

const cookieOf = (name: string) => (token: string) => `Cookie: ${name}=${token}`
const plain = cookieOf('access_token')
const both = (one: string, two: string) => `Cookie: access_token=${one}; access_token=${two}`

/** A cookie that another host below the domain, or an earlier version, may have left: not two people, but one of each. */
const unprefixed: readonly Row[] = [
  ['the cookie says who calls', 'GET', ({ jack }) => [plain(jack)], '200 jack'],
  ['the same cookie twice is one person', 'GET', ({ jack }) => [both(jack, jack)], '200 jack'],
  [
    'two cookies of one session are one person',
    'GET',
    ({ jack, jackAgain }) => [both(jack, jackAgain)],
    '200 jack',
  ],
  [
    'two cookies of two people are nobody',
    'GET',
    ({ jack, jill }) => [both(jack, jill)],
    '401 cookie_conflict',
  ],
  [
    'whatever the bearer token is',
    'GET',
    ({ jack, jill }) => [bearer(jack), both(jack, jill)],
    '401 cookie_conflict',
  ],
  [
    'a left-over that has expired does no harm',
    'GET',
    ({ jill, expired }) => [both(expired, jill)],
    '200 jill',
  ],
  ['nor does one whose session has ended', 'GET', ({ jill, ended }) => [both(jill, ended)], '200 jill'],
  ['nor does nonsense', 'GET', ({ jill }) => [both('nonsense', jill)], '200 jill'],
  [
    'of two that are both wrong the one that a renewal helps is said',
    'GET',
    ({ expired, forged }) => [both(forged, expired)],
    '401 access_expired',
  ],
  [
    'whoever sends more than eight is let in by none',
    'GET',
    ({ jack }) => [`Cookie: ${junk.replaceAll(host, 'access_token')}; access_token=${jack}`],
    '401 cookie_conflict',
  ],
]

const csrfCookie = (token: string, ...values: readonly string[]) =>
  `Cookie: ${[`access_token=${token}`, ...values.map(value => `csrftoken=${value}`)].join('; ')}`
const own = 'sid-of-jack.random.mac'
const others = 'sid-of-jill.random.mac'

const doubly: readonly Row[] = [
  [
    'header and cookie are one',
    'POST',
    ({ jack }) => [csrfCookie(jack, own), `X-CSRFToken: ${own}`],
    '200 jack',
  ],
  [
    'with a bearer token too',
    'POST',
    ({ jack }) => [bearer(jack), `Cookie: csrftoken=${own}`, `x-csrftoken: ${own}`],
    '200 jack',
  ],
  ['no header', 'POST', ({ jack }) => [csrfCookie(jack, own)], '403 csrf_refused'],
  ['no header with a bearer token', 'POST', ({ jack }) => [bearer(jack)], '403 csrf_refused'],
  ['no cookie', 'POST', ({ jack }) => [plain(jack), `X-CSRFToken: ${own}`], '403 csrf_refused'],
  ['an empty header', 'POST', ({ jack }) => [csrfCookie(jack, ''), 'X-CSRFToken:'], '403 csrf_refused'],
  [
    'another cookie',
    'POST',
    ({ jack }) => [csrfCookie(jack, `${own}x`), `X-CSRFToken: ${own}`],
    '403 csrf_refused',
  ],
  [
    'another header',
    'POST',
    ({ jack }) => [csrfCookie(jack, own), `X-CSRFToken: ${own}x`],
    '403 csrf_refused',
  ],
  [
    'both of another session',
    'POST',
    ({ jack }) => [csrfCookie(jack, others), `X-CSRFToken: ${others}`],
    '403 csrf_refused',
  ],
  [
    'both of nobody’s session',
    'POST',
    ({ jack }) => [csrfCookie(jack, '.random.mac'), 'X-CSRFToken: .random.mac'],
    '403 csrf_refused',
  ],
  [
    'both of a session that begins alike',
    'POST',
    ({ jack }) => [csrfCookie(jack, 'sid-of-jackson.r.m'), 'X-CSRFToken: sid-of-jackson.r.m'],
    '403 csrf_refused',
  ],
  [
    'the session alone',
    'POST',
    ({ jack }) => [csrfCookie(jack, 'sid-of-jack'), 'X-CSRFToken: sid-of-jack'],
    '403 csrf_refused',
  ],
  [
    'a cookie that another system left beside it',
    'POST',
    ({ jack }) => [csrfCookie(jack, 'left over', own), `X-CSRFToken: ${own}`],
    '200 jack',
  ],
  [
    'the header twice',
    'POST',
    ({ jack }) => [csrfCookie(jack, own), `X-CSRFToken: ${own}`, `X-CSRFToken: ${own}`],
    '403 csrf_refused',
  ],
  [
    'a header of another name',
    'POST',
    ({ jack }) => [csrfCookie(jack, own), `X-XSRF-Token: ${own}`],
    '403 csrf_refused',
  ],
  ['a DELETE counts too', 'DELETE', ({ jack }) => [csrfCookie(jack, own)], '403 csrf_refused'],
  ['a GET needs none', 'GET', ({ jack }) => [plain(jack)], '200 jack'],
  [
    'a page elsewhere is refused although it has both',
    'POST',
    ({ jack }) => [csrfCookie(jack, own), `X-CSRFToken: ${own}`, foreign],
    '403 origin_refused',
  ],
  [
    'whoever is not signed in is told so',
    'POST',
    () => [`Cookie: csrftoken=${own}`, `X-CSRFToken: ${own}`],
    '401 not_signed_in',
  ],
  [
    'whoever has to renew is told so',
    'POST',
    ({ expired }) => [csrfCookie(expired, own)],
    '401 access_expired',
  ],
  [
    'a handshake cannot carry the header: its Origin counts',
    'GET',
    ({ jack }) => [plain(jack), listed, ...handshake],
    '200 jack',
  ],
  [
    'a handshake from elsewhere is refused',
    'GET',
    ({ jack }) => [csrfCookie(jack, own), foreign, ...handshake],
    '403 origin_refused',
  ],
]

const withoutCookies: readonly Row[] = [
  [
    'a cookie says nothing',
    'GET',
    ({ jack }) => [`Cookie: rusk_access=${jack}; ${host}=${jack}`],
    '401 not_signed_in',
  ],
  ['a bearer token says who calls', 'POST', ({ jack }) => [bearer(jack), foreign], '200 jack'],
  [
    'whatever the cookies are',
    'POST',
    ({ jack, jill }) => [bearer(jack), `Cookie: rusk_access=${jill}; ${host}=x; ${host}=y`],
    '200 jack',
  ],
]

export const tables: readonly (readonly [about: string, options: Partial<Options>, rows: readonly Row[]])[] =
  [
    ['what is presented', { cookie: host }, presented],
    ['from where', { cookie: host }, unsafe],
    ['by which method', { cookie: host }, methods],
    ['oddly', { cookie: host }, odd],
    ['a cookie without a prefix', { cookie: 'access_token' }, unprefixed],
    [
      'double submit',
      { cookie: 'access_token', csrf: { cookie: 'csrftoken', header: 'X-CSRFToken' } },
      doubly,
    ],
    ['bearer tokens alone', { cookie: false }, withoutCookies],
  ]
