import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultPolicy } from '../core/policy.ts'
import { type Refusal, refusals } from '../core/refusal.ts'
import { sayDone, sayIssue, sayPasswordRules, sayRefusal, sayWait } from './sentences.ts'

const waits: readonly [seconds: number, want: string][] = [
  [0, 'one second'],
  [0.2, 'one second'],
  [1, 'one second'],
  [30, '30 seconds'],
  [59.5, '60 seconds'],
  [60, 'one minute'],
  [61, '2 minutes'],
  [3599, '60 minutes'],
  [3600, 'one hour'],
  [7201, '3 hours'],
]

for (const [seconds, want] of waits) {
  test(`${seconds} s are ${want}`, () => assert.equal(sayWait(seconds), want))
}

test('every refusal is said in whole sentences, without its code', () => {
  for (const code of Object.keys(refusals)) {
    const said = sayRefusal({ refused: code } as Refusal)
    assert.match(said, /^[A-Z].*\.$/)
    assert.ok(!code.includes('_') || !said.includes(code), code)
  }
})

test('where waiting helps, it is said how long', () => {
  assert.match(sayRefusal({ refused: 'throttled', retryAfter: 90 }), /too many attempts\. .* in 2 minutes\.$/)
  assert.match(sayRefusal({ refused: 'busy', retryAfter: 0.4 }), /in one second\.$/)
})

const issues: readonly [sentence: string, field: string, issue: [string, string], want: string][] = [
  [
    'what is missing is asked for',
    'email',
    ['missing', 'Field required'],
    'Please enter your e-mail address.',
  ],
  ['whatever it is', 'x', ['missing', 'Field required'], 'Please fill this in.'],
  [
    'an address that is none is shown one',
    'email',
    ['value_error', 'value is not a valid email address'],
    'Please enter an e-mail address like ada@example.com.',
  ],
  [
    'what core/ finds is said as it is',
    'password',
    ['string_too_short', 'Password must be at least 8 characters long'],
    'Password must be at least 8 characters long.',
  ],
  [
    'but not that it is a string',
    'username',
    ['string_too_long', 'String should have at most 64 characters'],
    'This should have at most 64 characters.',
  ],
]

for (const [sentence, field, [type, message], want] of issues) {
  test(sentence, () => assert.equal(sayIssue({ field, type, message }, field), want))
}

const plain = { minLength: 8, classes: [], refuseCommon: false, refusePersonal: false } as const

const rules: readonly [policy: Parameters<typeof sayPasswordRules>[0], want: string][] = [
  [
    defaultPolicy.password,
    'At least 8 characters. Not one of the most common passwords, nor one with your e-mail address or name in it.',
  ],
  [plain, 'At least 8 characters.'],
  [{ ...plain, minLength: 1 }, 'At least one character.'],
  [
    { ...plain, classes: ['upper', 'lower', 'digit'] },
    'At least 8 characters, with an upper-case letter, a lower-case letter and a digit among them.',
  ],
  [
    { ...plain, refusePersonal: true },
    'At least 8 characters. Not one with your e-mail address or name in it.',
  ],
]

for (const [policy, want] of rules) {
  test(`the rules of passwords are told: ${want}`, () => assert.equal(sayPasswordRules(policy), want))
}

test('only words of the list say that something was done', () => {
  assert.match(sayDone('session-ended') ?? '', /has ended/)
  for (const word of [undefined, '', 'toString', '<b>']) assert.equal(sayDone(word), undefined)
})
