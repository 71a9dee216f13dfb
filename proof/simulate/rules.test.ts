import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rules, type Server } from './rules.ts'

const second = 1000

/** What a session that was signed in at 0 answers to numbers that are presented at these seconds. */
function answers(server: Server, calls: readonly (readonly [n: number, at: number])[]): string {
  const sessionId = server.signIn({}, 0).refresh?.sessionId ?? ''
  return calls
    .map(([n, at]) => server.refresh({ refresh: { sessionId, n } }, at * second))
    .map(verdict => (verdict.is === 'renewed' ? String(verdict.refresh.n) : verdict.is))
    .join(' ')
}

type Script = {
  readonly sentence: string
  readonly calls: readonly (readonly [n: number, at: number])[]
  /** By rule; where a rule is not named, `otherwise`. */
  readonly want: Readonly<Record<string, string>>
  readonly otherwise: string
}

const scripts: readonly Script[] = [
  {
    sentence: 'one tab that loses nothing',
    calls: [
      [1, 600],
      [2, 1200],
      [3, 1800],
    ],
    want: {},
    otherwise: '2 3 4',
  },
  {
    sentence: 'two tabs at once',
    calls: [
      [1, 600],
      [1, 600.1],
    ],
    want: {
      strict: '2 refused',
      'strict-clearing': '2 refused',
      'same-successor': '2 2',
      'same-successor-30s': '2 2',
      'one-behind': '2 2',
      'one-behind-bare': '2 2',
      'this-rule': '2 access',
    },
    otherwise: '2 3',
  },
  {
    sentence: 'two tabs at once, and the first answer comes last',
    calls: [
      [1, 600],
      [1, 600.1],
      [2, 1200],
    ],
    want: {
      'new-child': '2 3 4',
      'new-child-30s': '2 3 4',
      'same-successor': '2 2 3',
      'same-successor-30s': '2 2 3',
      'one-behind': '2 2 3',
      'one-behind-bare': '2 2 3',
      'this-rule': '2 access 3',
      'new-child-kills': '2 3 refused',
      'new-child-kills-30s': '2 3 refused',
    },
    otherwise: '2 refused refused',
  },
  {
    sentence: 'a lost answer, and another try after fifteen seconds',
    calls: [
      [1, 600],
      [1, 615],
    ],
    want: {
      strict: '2 refused',
      'strict-clearing': '2 refused',
      'new-child': '2 3',
      'new-child-30s': '2 3',
      'new-child-kills': '2 3',
      'new-child-kills-30s': '2 3',
      'this-rule': '2 access',
    },
    otherwise: '2 2',
  },
  {
    sentence: 'a lost answer, and another try after a minute',
    calls: [
      [1, 600],
      [1, 660],
    ],
    want: {
      'new-child': '2 3',
      'new-child-kills': '2 3',
      'same-successor': '2 2',
      'one-behind': '2 2',
      'one-behind-bare': '2 2',
      'this-rule': '2 access',
    },
    otherwise: '2 refused',
  },
  {
    sentence: 'four lost answers in a row, each with a sleep between',
    calls: [
      [1, 600],
      [1, 1200],
      [1, 1800],
      [1, 2400],
    ],
    want: { 'one-behind': '2 2 2 2', 'one-behind-bare': '2 2 2 2', 'this-rule': '2 3 4 5' },
    otherwise: '2 refused refused refused',
  },
  {
    sentence: 'three tabs one after the other, and the slowest call arrives last',
    calls: [
      [1, 600],
      [2, 600.1],
      [1, 600.2],
    ],
    want: {
      'new-child': '2 3 4',
      'new-child-30s': '2 3 4',
      'new-child-kills': '2 3 4',
      'new-child-kills-30s': '2 3 4',
      'same-successor': '2 3 3',
      'same-successor-30s': '2 3 3',
      'one-behind': '2 3 3',
      'this-rule': '2 access access',
    },
    otherwise: '2 3 refused',
  },
  {
    sentence: 'a late answer puts back an older cookie',
    calls: [
      [1, 600],
      [2, 1200],
      [3, 1800],
      [2, 2400],
    ],
    want: {},
    otherwise: '2 3 4 refused',
  },
  {
    sentence: 'a thief three seconds behind who is given nothing',
    calls: [
      [1, 600],
      [1, 603],
      [2, 1200],
      [1, 1203],
      [3, 1800],
      [1, 1803],
      [4, 2400],
    ],
    want: {
      'this-rule': '2 access 3 access 4 refused refused',
      'new-child': '2 3 4 refused refused refused refused',
      'new-child-30s': '2 3 4 refused refused refused refused',
      'new-child-kills': '2 3 refused refused refused refused refused',
      'new-child-kills-30s': '2 3 refused refused refused refused refused',
      'same-successor': '2 2 3 refused refused refused refused',
      'same-successor-30s': '2 2 3 refused refused refused refused',
      'one-behind': '2 2 3 refused refused refused refused',
      'one-behind-bare': '2 2 3 refused refused refused refused',
    },
    otherwise: '2 refused refused refused refused refused refused',
  },
  {
    sentence: 'a thief three seconds behind who presents what he was given last',
    calls: [
      [1, 600],
      [1, 603],
      [2, 1200],
      [2, 1203],
      [3, 1800],
      [3, 1803],
    ],
    want: {
      'same-successor': '2 2 3 3 4 4',
      'same-successor-30s': '2 2 3 3 4 4',
      'one-behind': '2 2 3 3 4 4',
      'one-behind-bare': '2 2 3 3 4 4',
      'new-child': '2 3 4 5 6 7',
      'new-child-30s': '2 3 4 5 6 7',
      'new-child-kills': '2 3 refused refused refused refused',
      'new-child-kills-30s': '2 3 refused refused refused refused',
      'this-rule': '2 access 3 access 4 access',
    },
    otherwise: '2 refused refused refused refused refused',
  },
]

for (const { sentence, calls, want, otherwise } of scripts)
  for (const rule of rules)
    test(`${rule.name}: ${sentence}`, () =>
      assert.equal(answers(rule.open(), calls), want[rule.name] ?? otherwise))

test('signing in ends the session that the jar names, under every rule', () => {
  for (const rule of rules) {
    const server = rule.open()
    const before = server.signIn({}, 0)
    const after = server.signIn(before, 1)
    assert.equal(
      server.refresh({ refresh: before.refresh ?? { sessionId: '', n: 0 } }, 600_000).is,
      'refused',
    )
    assert.equal(server.refresh(after, 600_000).is, 'renewed', rule.name)
  }
})

test('under this rule a late cookie of the session before does not undo a sign-in', () => {
  const server = rules.find(rule => rule.name === 'this-rule')?.open()
  assert.ok(server)
  const before = server.signIn({}, 0)
  const after = server.signIn(before, 1)
  const { refresh } = before
  assert.ok(refresh)
  assert.equal(server.refresh({ ...after, refresh }, 600_000).is, 'renewed')
})
