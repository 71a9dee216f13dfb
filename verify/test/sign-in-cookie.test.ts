// The access cookie beside the sign-in cookie, which says what session the browser means: a late answer, or a sibling host,
// may have put back the access cookie of another. Judged as a real Rusk judges the same call.
import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { post, setCookies } from '../../server/test/serving.ts'
import { type Call, createVerifier } from '../src/index.ts'
import { asRusk, decode, forge, partsOf } from './forge.ts'
import { openIssuer, reasonOf, serviceKey, until } from './issuer.ts'
import { runRusk } from './rusk.ts'

const rusk = await runRusk({ after }, { dialect: ['fastapi'], service: { keys: [serviceKey] } })
const verifier = createVerifier({ issuer: rusk.url, serviceKey, cookie: 'access_token' })
after(() => verifier.close())

const password = 'correct horse battery staple'

async function enter(name: string) {
  const body = { username: name, email: `${name}@example.com`, password }
  assert.equal((await post(`${rusk.url}/auth/register`, { body })).status, 201)
  const answer = await post(`${rusk.url}/auth/login`, { body: { username_or_email: name, password } })
  const cookies = setCookies(answer)
  const access = cookies.get('access_token') ?? assert.fail()
  const signIn = cookies.get('rusk_signin') ?? assert.fail()
  return { cookies, access, signIn, claims: decode(partsOf(access)[1]) }
}

const [jack, jill, gone] = [await enter('jack'), await enter('jill'), await enter('gone')]
assert.equal((await post(`${rusk.url}/auth/logout`, { cookies: gone.cookies })).status, 200)
await until(async () => reasonOf(await verifier.verify(gone.access)) === 'access_revoked', 'its end is known')

const now = Math.floor(Date.now() / 1000)
const [header] = partsOf(jack.access)
const expired = forge(
  decode(header),
  { ...jack.claims, iat: now - 1000, exp: now - 100 },
  asRusk(rusk.signing()),
)

const own = `access_token=${jack.access}`
const [sid] = jill.signIn.split('.')
const mac = 'A'.repeat(43)

// [sentence, headers, what becomes of the call]
const rows: readonly (readonly [string, Readonly<Record<string, string>>, string])[] = [
  ['beside one’s own', { cookie: `${own}; rusk_signin=${jack.signIn}` }, 'verified'],
  ['alone', { cookie: own }, 'verified'],
  ['beside that of another session', { cookie: `${own}; rusk_signin=${jill.signIn}` }, 'access_expired'],
  [
    'the other way about',
    { cookie: `rusk_signin=${jack.signIn}; access_token=${jill.access}` },
    'access_expired',
  ],
  [
    'planted where one’s own has expired',
    { cookie: `access_token=${jill.access}; access_token=${expired}; rusk_signin=${jack.signIn}` },
    'access_expired',
  ],
  ['beside that of a session that has ended', { cookie: `${own}; rusk_signin=${gone.signIn}` }, 'verified'],
  [
    'beside two, of its own session and of one that has ended',
    { cookie: `${own}; rusk_signin=${gone.signIn}; rusk_signin=${jack.signIn}` },
    'verified',
  ],
  [
    'whose own session has ended, beside that of one that lives',
    { cookie: `access_token=${gone.access}; rusk_signin=${jack.signIn}` },
    'access_revoked',
  ],
  ...[
    '',
    'junk',
    `"${jill.signIn}"`,
    `${sid}`,
    `${sid}.0.`,
    `${sid}.0.${mac}A`,
    `${sid}.x.${mac}`,
    `.0.${mac}`,
  ].map(
    junk =>
      [
        `beside junk (${junk.replace(sid ?? '', 'SID').slice(0, 20)})`,
        { cookie: `${own}; rusk_signin=${junk}` },
        'verified',
      ] as const,
  ),
  ['beside one under another name', { cookie: `${own}; __Host-rusk_signin=${jill.signIn}` }, 'verified'],
  [
    'in place of which a bearer token comes',
    { cookie: `rusk_signin=${jill.signIn}`, authorization: `Bearer ${jack.access}` },
    'verified',
  ],
  [
    'beside a bearer token of its session',
    { cookie: `${own}; rusk_signin=${jill.signIn}`, authorization: `Bearer ${jack.access}` },
    'verified',
  ],
]

describe('an access cookie', () => {
  for (const [sentence, headers, want] of rows) {
    test(`${sentence}: ${want}, here as at Rusk`, async () => {
      const answer = await fetch(`${rusk.url}/auth/forward`, {
        headers: { ...headers, 'x-original-method': 'GET' },
      })
      const there = answer.status === 204 ? 'verified' : JSON.parse(await answer.text()).code
      const verdict = await verifier.check({ method: 'GET', headers })
      assert.deepEqual([reasonOf(verdict), there], [want, want])
      if (verdict.verified) assert.equal(verdict.verified.sid, jack.claims.sid)
    })
  }

  test('of another session opens no socket and writes nothing, wherever the page is', async () => {
    const cookie = `access_token=${jill.access}; rusk_signin=${jack.signIn}`
    const listed = { cookie, origin: rusk.url }
    const calls: readonly Call[] = [
      { method: 'GET', headers: { ...listed, upgrade: 'websocket', 'sec-websocket-version': '13' } },
      { method: 'POST', headers: listed },
    ]
    for (const call of calls) assert.equal(reasonOf(await verifier.check(call)), 'access_expired')
  })
})

// [sentence, the access cookie, the sign-in cookie that counts, one that does not]
for (const [sentence, issuer, access, counts, not] of [
  ['over https', 'https://auth.example', '__Host-rusk_access', '__Host-rusk_signin', 'rusk_signin'],
  ['over http', 'http://localhost:8000', 'rusk_access', 'rusk_signin', '__Host-rusk_signin'],
] as const) {
  test(`${sentence} it is ${counts} that counts, until its session is known to have ended`, async t => {
    const there = await openIssuer(t)
    const native = there.verifier({ issuer, url: there.url })
    const token = there.token({ iss: issuer, sid: 'one' })
    const check = async (name: string, value: string) => {
      const headers = { cookie: `${access}=${token}; ${name}=${value}` }
      return reasonOf(await native.check({ method: 'GET', headers }))
    }
    const another = `another.12.${mac}`
    assert.deepEqual(
      [await check(counts, `one.0.${mac}`), await check(not, another), await check(counts, another)],
      ['verified', 'verified', 'access_expired'],
    )
    there.end('another')
    await until(async () => (await check(counts, another)) === 'verified', 'it has ended')
  })
}
