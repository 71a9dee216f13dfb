// The wire of `fastapi-minimal`, walked over a socket from the origin of its test page.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { floor } from './floor.ts'
import { rotation } from './rotation.ts'
import { enter, open, says, signUp, type Wire } from './wire.ts'

const detail = (text: string) => ({ detail: text })
const ok = { status: 'ok' }

const wire: Wire = {
  dialect: 'fastapi-minimal',
  page: 'http://127.0.0.1:5500',
  signUp: {
    line: 'POST /auth/signup',
    json: { email: 'jack@example.com', username: 'jack', password: 'password123' },
  },
  signIn: { line: 'POST /auth/signin', json: { email: 'jack@example.com', password: 'password123' } },
  refresh: 'POST /auth/refresh',
  signOut: 'POST /auth/signout',
  me: 'GET /auth/me',
  names: { access: 'access_token', refresh: 'refresh_token', signIn: 'rusk_signin' },
  cookies: {
    access: { maxAge: 900, path: '/', sameSite: 'lax' },
    refresh: { maxAge: 604_800, path: '/', sameSite: 'lax' },
  },
  yes: { refresh: ok, signOut: [200, ok] },
  noes: {
    foreign: detail('Calls from this origin are refused'),
    malformed: [422, { detail: [{ type: 'json_invalid', loc: ['body'], msg: 'JSON decode error' }] }],
    missing: [422, { detail: [{ type: 'missing', loc: ['body', 'password'], msg: 'Field required' }] }],
    wrongType: 422,
    notFound: detail('Not Found'),
    method: detail('Method Not Allowed'),
    credentials: [401, detail('Invalid email or password')],
    notSignedIn: [401, detail('Not authenticated')],
    badAccess: [401, detail('Not authenticated')],
    revoked: [401, detail('Not authenticated')],
    refreshMissing: [401, detail('Not authenticated')],
    refreshBad: [401, detail('Not authenticated')],
  },
}

floor(wire)
rotation(wire)

test('the four calls of the test page, in order, and then nobody is signed in', async t => {
  const { browser } = await open(t, wire)
  const up = await browser.call(wire.signUp.line, { json: wire.signUp.json })
  const { uid } = (up.body as { user: { uid: string } }).user
  says(up, [200, { status: 'ok', user: { uid, email: 'jack@example.com', username: 'jack' } }])
  assert.match(uid, /^[\w-]{22}$/)
  assert.deepEqual(up.set, {})
  says(await browser.call(wire.signIn.line, { json: wire.signIn.json }), [200, ok])
  says(await browser.call(wire.me), [
    200,
    { uid, email: 'jack@example.com', username: 'jack', is_active: true },
  ])
  assert.deepEqual([...browser.documentCookie()], [])
  says(await browser.call(wire.signOut), [200, ok])
  says(await browser.call(wire.me), [401, detail('Not authenticated')])
})

test('a taken address and a taken username are told, each in its words', async t => {
  const { browser } = await open(t, wire)
  await signUp(browser, wire)
  const again = (json: object) => browser.call(wire.signUp.line, { json: { ...wire.signUp.json, ...json } })
  says(await again({ username: 'jill' }), [400, detail('Email already registered.')])
  says(await again({ email: 'jill@example.com' }), [400, detail('Username already registered.')])
})

test('any eight characters are a password here, and seven are none', async t => {
  const { browser } = await open(t, wire)
  const up = (password: string) => browser.call(wire.signUp.line, { json: { ...wire.signUp.json, password } })
  assert.equal((await up('1234567')).status, 422)
  assert.equal((await up('12345678')).status, 200)
})

test('a front end on localhost is another origin than one on 127.0.0.1', async t => {
  const { browser } = await open(t, wire)
  await enter(browser, wire)
  assert.equal((await browser.tab('http://localhost:5500').call(wire.me)).blocked, true)
})
