// The `detail` body: where each finding stands, and what is said without any.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Issue, RefusalCode } from '../core/refusal.ts'
import { detailRefusals } from './detail.ts'

const missing: Issue = { field: 'password', type: 'missing', message: 'Field required' }
const email: Issue = { field: 'email', type: 'value_error', message: 'Invalid email address' }
const body: Issue = { field: '', type: 'dict_type', message: 'Input should be an object' }

const lists: readonly [string, 'input_invalid' | 'password_weak' | 'body_malformed', Issue[], unknown][] = [
  [
    'a missing field is listed under its place in the body',
    'input_invalid',
    [missing],
    [{ type: 'missing', loc: ['body', 'password'], msg: 'Field required' }],
  ],
  [
    'every finding is listed at once, in order',
    'input_invalid',
    [missing, email],
    [
      { type: 'missing', loc: ['body', 'password'], msg: 'Field required' },
      { type: 'value_error', loc: ['body', 'email'], msg: 'Invalid email address' },
    ],
  ],
  [
    'a finding about the whole body has the body as its place',
    'input_invalid',
    [body],
    [{ type: 'dict_type', loc: ['body'], msg: 'Input should be an object' }],
  ],
  [
    'without findings the body as a whole is wrong',
    'password_weak',
    [],
    [{ type: 'value_error', loc: ['body'], msg: 'The password is too weak' }],
  ],
  [
    'broken JSON is one finding about the body',
    'body_malformed',
    [],
    [{ type: 'json_invalid', loc: ['body'], msg: 'JSON decode error' }],
  ],
]

for (const [sentence, refused, issues, want] of lists) {
  test(sentence, () => {
    const reply = detailRefusals[refused]({ refused, callId: 'c', issues })
    assert.deepEqual(reply, { status: 422, body: { detail: want } })
  })
}

const others: readonly [RefusalCode, number, unknown][] = [
  ['not_json', 415, { detail: 'Send application/json' }],
  ['body_too_large', 413, { detail: 'The body is larger than 64 KiB' }],
  ['throttled', 429, { detail: 'Too many attempts' }],
  ['fault', 500, { detail: 'Something went wrong here', call_id: 'c' }],
]

for (const [refused, status, want] of others) {
  test(`${refused} without a wording of its own is ${status} with its title`, () => {
    assert.deepEqual(detailRefusals.otherwise({ refused, callId: 'c' }), { status, body: want })
  })
}
