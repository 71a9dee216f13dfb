// How Flask's one string tells several findings.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Issue, Refusal } from '../core/refusal.ts'
import { flask } from './flask.ts'

const issue = (field: string, message: string): Issue => ({ field, type: 'value_error', message })

const rows: readonly [string, Refusal, string][] = [
  [
    'wrong fields are named in one sentence',
    {
      refused: 'input_invalid',
      issues: [issue('email', 'Field required'), issue('password', 'Field required')],
    },
    'email: Field required; password: Field required',
  ],
  [
    'a body that is no object is told without a field',
    { refused: 'input_invalid', issues: [issue('', 'Input should be an object')] },
    'Input should be an object',
  ],
  ['without findings the title is said', { refused: 'input_invalid' }, 'Some fields are missing or wrong'],
  [
    'what is wrong with a password is said in its own words',
    { refused: 'password_weak', issues: [issue('password', 'Password is one of the most common ones')] },
    'Password is one of the most common ones',
  ],
  [
    'a weak password without findings gets the title',
    { refused: 'password_weak' },
    'The password is too weak',
  ],
]

for (const [sentence, refusal, want] of rows) {
  test(sentence, () => {
    const render = flask.refusals[refusal.refused] ?? flask.refusals.otherwise
    assert.deepEqual(render({ ...refusal, callId: 'c' }), { status: 400, body: { error: want } })
  })
}
