import assert from 'node:assert/strict'
import { test } from 'node:test'
import { double, json, mounted, openHttp, site, tiny } from '../../test/http/tiny.ts'
import { defaultPolicy, patchPolicy } from '../core/policy.ts'
import { refuse } from '../core/refusal.ts'
import { native } from '../dialects/native.ts'

const signIn = { mail: 'ada@example.com', word: 'pass' }
const doubly = () => openHttp({ dialects: [mounted(double)] })

const bodies: readonly [
  sentence: string,
  body: string | Uint8Array<ArrayBuffer>,
  type: string | undefined,
  want: number,
][] = [
  ['a form', 'mail=a&word=b', 'application/x-www-form-urlencoded', 415],
  ['JSON under another name', JSON.stringify(signIn), 'text/plain', 415],
  ['JSON without a name', new Uint8Array(Buffer.from(JSON.stringify(signIn))), undefined, 415],
  ['UTF-16', Buffer.from(JSON.stringify(signIn), 'utf16le'), 'application/json', 400],
  ['a name twice', '{"mail":"a","mail":"b","word":"c"}', 'application/json', 400],
  ['a list', '[]', 'application/json', 422],
  ['64 KiB and one byte', JSON.stringify({ ...signIn, x: 'x'.repeat(65_536) }), 'application/json', 413],
  ['no body', '', undefined, 422],
]

for (const [sentence, body, type, want] of bodies) {
  test(`a body that is ${sentence} is answered ${want} and asks no operation`, async () => {
    const { ask, asked } = openHttp()
    const answer = await ask('/in', {
      method: 'POST',
      body,
      headers: type === undefined ? {} : { 'content-type': type },
    })
    assert.deepEqual([answer.status, asked.length], [want, 0])
    assert.deepEqual(answer.headers.getSetCookie(), [])
  })
}

test('64 KiB are taken', async () => {
  const { ask } = openHttp()
  const text = JSON.stringify({ ...signIn, x: '' })
  const body = text.replace('"x":""', `"x":"${'x'.repeat(65_536 - text.length)}"`)
  assert.equal((await ask('/in', { method: 'POST', body, headers: json })).status, 200)
})

test('where no field is taken, 4 KiB are', async () => {
  const { ask, asked } = openHttp()
  const send = (length: number) =>
    ask('/out', { method: 'POST', body: `{"x":"${'x'.repeat(length - 8)}"}`, headers: json })
  assert.deepEqual([(await send(4096)).status, asked.length], [204, 1])
  assert.deepEqual([(await send(4097)).status, asked.length], [413, 1])
})

test('a body that ends too late is not read to its end', async () => {
  const { http, asked } = openHttp()
  let sent = 0
  const endless = new ReadableStream<Uint8Array>({
    pull(controller) {
      sent += 1
      controller.enqueue(new Uint8Array(8192))
    },
  })
  const request = new Request('http://x/in', {
    method: 'POST',
    body: endless,
    headers: json,
    duplex: 'half',
  } as RequestInit)
  assert.equal((await http.fetch(request)).status, 413)
  assert.ok(sent < 16)
  assert.equal(asked.length, 0)
})

test('a body that breaks off is no body', async () => {
  const { http, asked } = openHttp()
  const broken = new ReadableStream<Uint8Array>({
    start: controller => controller.error(new Error('gone')),
  })
  const request = new Request('http://x/in', {
    method: 'POST',
    body: broken,
    headers: json,
    duplex: 'half',
  } as RequestInit)
  assert.deepEqual([(await http.fetch(request)).status, asked.length], [400, 0])
})

test('a body that the program has begun to read itself is a fault, and the log says so', async () => {
  const { http, asked, logged } = openHttp()
  const request = new Request('http://x/in', { method: 'POST', body: '{}', headers: json })
  request.body?.getReader()
  assert.deepEqual([(await http.fetch(request)).status, asked.length], [500, 0])
  assert.match(JSON.stringify(logged.map(([text]) => text)), /a call failed/)
})

test('what is missing is named as the wire names it, all at once', async () => {
  const { post } = openHttp()
  const answer = await post('/in', {})
  assert.equal(answer.status, 422)
  assert.deepEqual(await answer.json(), {
    no: 'input_invalid',
    issues: [
      { field: 'mail', type: 'missing', message: 'Field required' },
      { field: 'word', type: 'missing', message: 'Field required' },
    ],
  })
})

test('issues of the operation are named as the wire names them', async () => {
  const issues = [{ field: 'password', type: 'string_type', message: 'm' }]
  const { post } = openHttp({ script: () => ({ refusal: refuse('input_invalid', { issues }) }) })
  assert.deepEqual(await (await post('/in', signIn)).json(), {
    no: 'input_invalid',
    issues: [{ field: 'word', type: 'string_type', message: 'm' }],
  })
})

test('a call that takes nothing needs no body and no type', async () => {
  const { post, ask, asked } = openHttp()
  assert.equal((await post('/out')).status, 204)
  assert.equal((await post('/out', {})).status, 204)
  assert.equal(
    (await ask('/out', { method: 'POST', body: 'a=b', headers: { 'content-type': 'text/plain' } })).status,
    415,
  )
  assert.equal(asked.length, 2)
})

test('without the right CSRF token nothing is asked, counted or read', async () => {
  const { post, asked, counted } = doubly()
  const wrong: Record<string, string>[] = [
    {},
    { 'x-csrf': 'ok1' },
    { cookie: 'csrftoken=ok1' },
    { 'x-csrf': 'ok1', cookie: 'csrftoken=ok2' },
    { 'x-csrf': 'bad', cookie: 'csrftoken=bad' },
    { 'x-csrf': 'ok1, ok1', cookie: 'csrftoken=ok1' },
    { 'x-csrf': 'ok1', cookie: 'CSRFTOKEN=ok1' },
  ]
  for (const headers of wrong) {
    for (const path of ['/api/in/', '/api/again', '/api/out/']) {
      const answer = await post(path, { ...signIn, csrftoken: 'ok1', 'x-csrf': 'ok1' }, headers)
      assert.deepEqual([answer.status, await answer.json()], [403, { no: 'csrf_refused' }])
    }
  }
  assert.deepEqual([asked.length, counted.length], [0, 0])
})

test('with it the operation is told header and cookie, and what the route needs', async () => {
  const { post, asked } = doubly()
  await post('/api/again/', undefined, { 'x-csrf': 'ok2', cookie: 'csrftoken=ok1; csrftoken=ok2' })
  assert.deepEqual(asked[0]?.carried.csrf, { header: 'ok2', cookie: 'ok2' })
  assert.deepEqual([asked[0]?.manner.csrf, asked[0]?.manner.mintsCsrf], ['session', true])
})

test('where no token is asked for the header says nothing, and of several cookies the authentic one counts', async () => {
  const { ask, asked } = doubly()
  await ask('/api/csrf/', { headers: { 'x-csrf': 'ok9', cookie: 'csrftoken=left; csrftoken=ok1' } })
  assert.deepEqual(asked[0]?.carried.csrf, { header: undefined, cookie: 'ok1' })
})

test('a dialect may ask for the token only when there is something to forge', async () => {
  const { csrf } = double.cookies
  assert.ok(csrf)
  const cookies = { ...double.cookies, csrf: { ...csrf, onlyWithCookie: true as const } }
  const { post, asked } = openHttp({ dialects: [mounted({ ...double, cookies })] })
  assert.equal((await post('/api/again')).status, 204)
  for (const cookie of ['refresh_token=x', 'signin=x'])
    assert.equal((await post('/api/again', undefined, { cookie })).status, 403)
  assert.equal(asked.length, 1)
})

test('operations are counted by name and network, whatever the path', async () => {
  const { post, ask, counted } = openHttp()
  await post('/in', signIn, {}, '::ffff:192.0.2.1')
  await post('/in?x', signIn, {}, '2001:DB8::1')
  await ask('/all/x', { method: 'DELETE', address: '2001:db8::2' })
  await ask('/all', { address: '192.0.2.1' })
  await ask('/me', { address: '192.0.2.1' })
  await post('/again')
  await post('/out')
  await ask('/nowhere')
  assert.deepEqual(counted, [
    ['signIn', '192.0.2.1'],
    ['signIn', '2001:db8:0:0::/64'],
    ['other', '2001:db8:0:0::/64'],
    ['other', '192.0.2.1'],
  ])
})

test('a guess at the current password counts with those at sign-in', async () => {
  const { post, counted } = openHttp({ dialects: [mounted(native)] })
  await post('/auth/password', { current: 'a', new: 'b' })
  await post('/auth/sign-in', { login: 'ada', password: 'a' })
  assert.deepEqual(counted, Array(2).fill(['signIn', '192.0.2.1']))
})

test('counting by address does not end counting by network', async () => {
  const policy = patchPolicy(defaultPolicy, { rates: { signInBy: 'address' } })
  const { post, counted } = openHttp({ dialects: [mounted(tiny, policy)] })
  await post('/in', signIn, {}, '2001:db8::1')
  assert.deepEqual(counted, [
    ['signIn', '2001:db8::1'],
    ['signInNetwork', '2001:db8:0:0::/64'],
  ])
})

test('too many attempts are 429 with Retry-After, before the body is read', async () => {
  const { post, asked } = openHttp({ full: { signIn: 7 } })
  for (const body of [signIn, { nonsense: 1 }]) {
    const answer = await post('/in', body)
    assert.deepEqual(
      [answer.status, answer.headers.get('retry-after'), await answer.json()],
      [429, '7', { no: 'throttled' }],
    )
  }
  assert.equal(asked.length, 0)
})

test('a forwarded address is believed from trusted proxies only, and told once if not', async () => {
  const distrusting = openHttp()
  for (const forwarded of ['203.0.113.1', '203.0.113.2', '::1']) {
    await distrusting.post('/in', signIn, {
      'x-forwarded-for': forwarded,
      forwarded: `for=${forwarded}`,
      'x-real-ip': forwarded,
    })
  }
  assert.deepEqual(new Set(distrusting.counted.map(([, key]) => key)), new Set(['192.0.2.1']))
  assert.equal(distrusting.logged.length, 1)
  const trusting = openHttp({ site: { ...site, proxies: ['192.0.2.0/24'] } })
  await trusting.post('/in', signIn, { 'x-forwarded-for': '1.1.1.1, 203.0.113.2' })
  assert.deepEqual(trusting.counted, [['signIn', '203.0.113.2']])
  assert.equal(trusting.logged.length, 0)
})

test('no forwarded scheme or host makes a difference', async () => {
  const script = () => ({ done: {}, tokens: { refresh: 'R', refreshMaxAge: 9 } })
  const { post } = openHttp({ script, site: { ...site, proxies: ['192.0.2.1'] } })
  const forged = {
    'x-forwarded-proto': 'https',
    'x-forwarded-host': 'evil.example',
    forwarded: 'proto=https;host=evil',
  }
  const [plain, forwarded] = [await post('/again'), await post('/again', undefined, forged)]
  assert.deepEqual([...forwarded.headers], [...plain.headers])
})
