// The wire of `fastapi`, walked over a socket as its front end does: every row, string, status and cookie attribute.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { floor } from './floor.ts'
import { rotation } from './rotation.ts'
import { enter, isSet, open, says, signUp, type Wire } from './wire.ts'

const detail = (text: string) => ({ detail: text })

const wire: Wire = {
  dialect: 'fastapi',
  page: 'http://localhost:3000',
  signUp: {
    line: 'POST /auth/register',
    json: { username: 'ada', email: 'Ada@example.com', password: 'engine no. 9' },
  },
  signIn: { line: 'POST /auth/login', json: { username_or_email: 'ada', password: 'engine no. 9' } },
  refresh: 'POST /auth/refresh',
  signOut: 'POST /auth/logout',
  me: 'GET /auth/me',
  names: { access: 'access_token', refresh: 'refresh_token', signIn: 'rusk_signin' },
  cookies: {
    access: { maxAge: 900, path: '/', sameSite: 'lax' },
    refresh: { maxAge: 604_800, path: '/', sameSite: 'lax' },
  },
  yes: { refresh: { message: 'Token refreshed' }, signOut: [200, { message: 'Logout successful' }] },
  noes: {
    foreign: detail('Calls from this origin are refused'),
    malformed: [422, { detail: [{ type: 'json_invalid', loc: ['body'], msg: 'JSON decode error' }] }],
    missing: [422, { detail: [{ type: 'missing', loc: ['body', 'password'], msg: 'Field required' }] }],
    wrongType: 422,
    notFound: detail('Not Found'),
    method: detail('Method Not Allowed'),
    credentials: [401, detail('Invalid credentials')],
    notSignedIn: [401, detail('Not authenticated')],
    badAccess: [401, detail('Invalid token')],
    revoked: [401, detail('Invalid token')],
    refreshMissing: [401, detail('Refresh token missing')],
    refreshBad: [401, detail('Invalid refresh token')],
  },
}

floor(wire)
rotation(wire)

const ada = { id: 1, username: 'ada', email: 'Ada@example.com' }

test('register answers with the account and signs nobody in', async t => {
  const { browser } = await open(t, wire)
  const got = await signUp(browser, wire)
  says(got, [201, ada])
  assert.deepEqual(got.set, {})
})

test('ids are counted', async t => {
  const { browser } = await open(t, wire)
  await signUp(browser, wire)
  const json = { username: 'bob', email: 'bob@example.com', password: 'engine no. 9' }
  says(await browser.call(wire.signUp.line, { json }), [
    201,
    { id: 2, username: 'bob', email: 'bob@example.com' },
  ])
})

test('a taken name and a taken address are told apart by nothing', async t => {
  const { browser } = await open(t, wire)
  await signUp(browser, wire)
  for (const other of [{ username: 'ADA' }, { email: 'ada@EXAMPLE.com' }]) {
    const json = { username: 'bob', email: 'bob@example.com', password: 'engine no. 9', ...other }
    says(await browser.call(wire.signUp.line, { json }), [400, detail('Registration failed')])
  }
})

test('sign-in takes the username or the e-mail address', async t => {
  const { browser } = await open(t, wire)
  await signUp(browser, wire)
  for (const username_or_email of ['ada', 'ada@example.com', 'ADA@example.com']) {
    const json = { username_or_email, password: 'engine no. 9' }
    const got = await browser.call(wire.signIn.line, { json })
    says(got, [200, { message: 'Login successful' }])
    assert.deepEqual(Object.keys(got.set).toSorted(), ['access_token', 'refresh_token', 'rusk_signin'])
  }
})

test('who am I answers at both paths, and no script can read a cookie', async t => {
  const { browser } = await open(t, wire)
  await enter(browser, wire)
  says(await browser.call('GET /auth/me'), [200, ada])
  says(await browser.call('GET /users/me'), [200, ada])
  assert.deepEqual([...browser.documentCookie()], [])
})

test('both paths of who am I refuse alike', async t => {
  const { browser } = await open(t, wire)
  says(await browser.call('GET /users/me'), wire.noes.notSignedIn)
})

test('every wrong field of register is named at once', async t => {
  const { browser } = await open(t, wire)
  const got = await browser.call(wire.signUp.line, { json: {} })
  const missing = (field: string) => ({ type: 'missing', loc: ['body', field], msg: 'Field required' })
  assert.equal(got.status, 422)
  assert.deepEqual(
    new Set((got.body as { detail: unknown[] }).detail),
    new Set(['username', 'email', 'password'].map(missing)),
  )
})

test('a weak password is a wrong field', async t => {
  const { browser } = await open(t, wire)
  for (const password of ['short', 'password123', 'ada@example.com!']) {
    const got = await browser.call(wire.signUp.line, { json: { ...wire.signUp.json, password } })
    assert.equal(got.status, 422)
    assert.match(got.text, /"loc":\["body","password"\]/)
  }
})

test('the access cookie of a refresh is as long-lived as that of sign-in', async t => {
  const { browser } = await open(t, wire)
  await enter(browser, wire)
  const got = await browser.call(wire.refresh)
  isSet(got.set.access_token, { maxAge: 900, path: '/', sameSite: 'lax' })
})

test('a trailing slash leads to the same call', async t => {
  const { browser } = await open(t, wire)
  says(await browser.call('GET /auth/me/'), wire.noes.notSignedIn)
  says(await browser.call('GET /auth/nowhere/'), [404, detail('Not Found')])
})

test('wrong fields are named in the order of the form', async t => {
  const { browser } = await open(t, wire)
  const got = await browser.call(wire.signUp.line, { json: { username: 5, email: 'no', password: 7 } })
  const locs = (got.body as { detail: { loc: string[] }[] }).detail.map(each => each.loc[1])
  assert.deepEqual(locs, ['username', 'email', 'password'])
})
