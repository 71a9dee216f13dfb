import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type DialectName, dialects } from '../dialects/index.ts'
import { type Traits, traitsOf } from './traits.ts'

const rows: readonly [DialectName, Omit<Traits, 'cookies'>][] = [
  [
    'native',
    { base: '', strict: true, signUp: { username: 'optional', name: 'optional' }, saysWhatIsTaken: true },
  ],
  [
    'fastapi',
    { base: '', strict: false, signUp: { username: 'required', name: 'no' }, saysWhatIsTaken: false },
  ],
  ['flask', { base: '', strict: true, signUp: { username: 'optional', name: 'no' }, saysWhatIsTaken: false }],
  [
    'django',
    { base: '/api', strict: false, signUp: { username: 'required', name: 'no' }, saysWhatIsTaken: false },
  ],
  [
    'fastapi-minimal',
    { base: '', strict: false, signUp: { username: 'required', name: 'no' }, saysWhatIsTaken: true },
  ],
  [
    'fastapi-production',
    { base: '', strict: true, signUp: { username: 'no', name: 'required' }, saysWhatIsTaken: false },
  ],
]

for (const [name, want] of rows) {
  test(`${name}: what pages beside it go by`, () => {
    const { cookies: _, ...traits } = traitsOf(dialects[name])
    assert.deepEqual(traits, want)
  })
}

test('a dialect without an access cookie gets one for the pages, where its refresh cookie is and like it', () => {
  const { access, refresh } = traitsOf(dialects.django).cookies
  assert.deepEqual(access, { ...refresh, name: 'rusk_access' })
  assert.deepEqual(traitsOf(dialects.native).cookies.access, dialects.native.cookies.access)
})

test('a CSRF cookie is written for the front end, and no form is asked for it', () => {
  const { csrf } = traitsOf(dialects.flask).cookies
  assert.deepEqual(csrf, { ...dialects.flask.cookies.csrf, writtenOnly: true })
})

test('a dialect that makes no accounts has no page for it', () => {
  const { routes, ...flask } = dialects.flask
  const { 'POST /register': _, ...others } = routes
  assert.equal(traitsOf({ ...flask, routes: others }).signUp, undefined)
})
