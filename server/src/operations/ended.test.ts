import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Ended } from '../core/model.ts'
import { longestAccess } from '../core/policy.ts'
import { type Facts, isNews, mostTold, startOf, tellNews, viewOf } from './ended.ts'

const second = 1000
const noon = Date.UTC(2026, 10, 21, 12)

/** Newest first, as the store tells them. */
const inOrder = (ended: readonly Ended[]): readonly Ended[] =>
  ended.toSorted((a, b) => b.endedAt - a.endedAt || (a.id < b.id ? 1 : -1))

type Asked = { readonly keys?: readonly string[]; readonly databases?: readonly string[] }

/** One call, as a server with these rows and this clock answers it. */
function ask(
  after: string | undefined,
  rows: readonly Ended[],
  now: number,
  { keys = ['k1'], databases = ['db'] }: Asked = {},
) {
  const start = startOf(after, databases, now)
  const ended = inOrder(rows.filter(({ endedAt }) => endedAt > start.since)).slice(0, mostTold + 1)
  const facts: Facts = { ended, keys }
  const view = viewOf(facts)
  const news = tellNews({ ...facts, view }, start, { now, database: databases[0] ?? '' })
  return { ...news, isNews: isNews(view, start) }
}

const a = { id: 'a', endedAt: noon - 5 * second }
const b = { id: 'b', endedAt: noon + second }
const old = { id: 'old', endedAt: noon - longestAccess + second }
const older = { id: 'older', endedAt: noon - 2 * longestAccess }

const first = ask(undefined, [a, old, older], noon)

test('without a cursor everything is told that a token could outlive, the newest first', () => {
  assert.deepEqual([first.isNews, first.ended], [true, ['a', 'old']])
  assert.deepEqual([first.notBefore, first.keys, first.remember], [0, ['k1'], 86_400])
})

const after: readonly [sentence: string, rows: readonly Ended[], more: Asked, want: string[] | undefined][] =
  [
    ['nothing new', [a, old, older], {}, undefined],
    ['something that has ended since; what is near is told again', [a, b, old], {}, ['b', 'a']],
    [
      'something that ended before the cursor and is visible only now',
      [a, { id: 'late', endedAt: noon - 40 * second }],
      {},
      ['a', 'late'],
    ],
    [
      'something that ended longer ago than a commit can take',
      [a, { ...b, endedAt: noon - 99_000 }],
      {},
      undefined,
    ],
    ['a key was added', [a], { keys: ['k1', 'k2'] }, ['a']],
    ['a key was retired', [a], { keys: [] }, ['a']],
    ['an end that is gone again, as after a restore', [], {}, []],
    ['another database', [a, old], { databases: ['other'] }, ['a', 'old']],
    ['a database that has got another name beside its own', [a], { databases: ['new', 'db'] }, undefined],
  ]
for (const [sentence, rows, more, want] of after) {
  test(`after a cursor: ${sentence}`, () => {
    const next = ask(first.cursor, rows, noon + 2 * second, more)
    assert.deepEqual([next.isNews, next.ended], [want !== undefined, want ?? []])
  })
}

test('keys in another order are the same keys', () => {
  const { cursor } = ask(undefined, [a], noon, { keys: ['k1', 'k2'] })
  assert.equal(ask(cursor, [a], noon, { keys: ['k2', 'k1'] }).isNews, false)
})

const [database = '', since = '', digest = ''] = first.cursor.split('.')
const bad: readonly [sentence: string, cursor: string][] = [
  ['no cursor at all', 'hello'],
  ['nothing', ''],
  ['a cursor cut short', first.cursor.slice(0, -1)],
  ['a cursor with more behind it', `${first.cursor}x`],
  ['a start that is no number', `${database}.1e3.${digest}`],
  ['a start that no integer holds', `${database}.${'9'.repeat(400)}.${digest}`],
  ['a start in the future', `${database}.${Number(since) + 40_000}.${digest}`],
  ['a start before all that is told', `${database}.${Number(since) - 3 * longestAccess}.${digest}`],
  ['a start below zero', `${database}.-1.${digest}`],
]
for (const [sentence, cursor] of bad) {
  test(`${sentence} counts as none`, () => {
    assert.deepEqual(ask(cursor, [a, old, older], noon).ended, ['a', 'old'])
  })
}

test('a cursor that is asked with all the time never grows old', () => {
  let cursor: string | undefined = first.cursor
  for (let now = noon; now < noon + 2 * longestAccess; now += 20 * second) {
    const next = ask(cursor, [a, old], now)
    assert.equal(next.isNews, false, new Date(now).toISOString())
    cursor = next.cursor
  }
})

const crowd = (count: number, endedAt: number): readonly Ended[] =>
  Array.from({ length: count }, (_, i) => ({ id: `c${String(i).padStart(6, '0')}`, endedAt }))

test('ten thousand are told one by one, and tokens are refused by their age only beyond', () => {
  const all = ask(undefined, crowd(mostTold, noon), noon + 60 * second)
  assert.deepEqual([all.ended.length, all.notBefore], [mostTold, 0])
  const more = ask(undefined, [...crowd(mostTold, noon), a], noon + 60 * second)
  assert.equal(more.ended.length, mostTold)
  assert.ok(!more.ended.includes('a'))
  // From the end on, tokens can be made until its commit.
  assert.equal(more.notBefore, Math.floor((a.endedAt + 10 * second) / 1000) + 1)
})

test('nobody is refused by the age of a token that is made after the answer', () => {
  const now = noon + 3 * second
  const { notBefore } = ask(undefined, crowd(20_000, noon), now)
  assert.equal(notBefore, Math.floor(now / 1000) + 1)
  assert.equal(ask(undefined, crowd(20_000, noon), noon + 3600 * second).notBefore, noon / 1000 + 11)
})

/** Milliseconds: what overlap stands for. A commit that takes longer is given up (store/postgres-pool.ts). */
const apart = 30 * second
const slowest = 29 * second

test('the slowest commit of the server whose clock is behind is seen after a cursor of the one ahead', () => {
  const late = { id: 'late', endedAt: noon - slowest }
  const { cursor } = ask(undefined, [], noon + apart)
  for (const now of [noon, noon + apart]) assert.deepEqual(ask(cursor, [late], now).ended, ['late'])
})

type Step =
  | { readonly step: 'pass'; readonly span: number }
  | { readonly step: 'end'; readonly node: 0 | 1; readonly took: number }
  | { readonly step: 'ask'; readonly node: 0 | 1 }
  | { readonly step: 'forget' }
  | { readonly step: 'rotate' }

const node = fc.constantFrom(0 as const, 1 as const)
/** Anything up to there, and often the worst there is. */
const upTo = (most: number) => fc.oneof(fc.nat(most), fc.constantFrom(0, most))
const pass = (span: fc.Arbitrary<number>) => fc.record({ step: fc.constant('pass' as const), span })
const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: pass(upTo(slowest - 1)) },
    { weight: 2, arbitrary: pass(fc.constantFrom(1, second, 10 * second)) },
    { weight: 1, arbitrary: pass(fc.nat(90 * second)) },
    { weight: 1, arbitrary: pass(fc.nat(2 * longestAccess)) },
    {
      weight: 6,
      arbitrary: fc.record({ step: fc.constant('end' as const), node, took: upTo(slowest) }),
    },
    { weight: 6, arbitrary: fc.record({ step: fc.constant('ask' as const), node }) },
    { weight: 1, arbitrary: fc.record({ step: fc.constant('forget' as const) }) },
    { weight: 1, arbitrary: fc.record({ step: fc.constant('rotate' as const) }) },
  ),
  { maxLength: 40 },
)

test('no end is missed: commits out of order, two nodes with clocks 30 s apart, restarts on both sides', () => {
  fc.assert(
    fc.property(steps, upTo(apart), (walk, ahead) => {
      const clocks = [0, ahead] as const
      let now = noon
      let count = 0
      let keys = ['k0']
      const rows: (Ended & { readonly visibleAt: number })[] = []
      // What somebody who follows has, between two starts of its own. The servers have nothing but their rows.
      let cursor: string | undefined
      let known = new Set<string>()
      let seen: readonly string[] | undefined
      for (const each of walk) {
        if (each.step === 'pass') now += each.span
        else if (each.step === 'rotate') keys = [`k${++count}`, ...keys.slice(0, 1)]
        else if (each.step === 'end') {
          rows.push({ id: `s${++count}`, endedAt: now + clocks[each.node], visibleAt: now + each.took })
        } else if (each.step === 'forget') {
          cursor = undefined
          known = new Set()
          seen = undefined
        } else {
          const clock = now + clocks[each.node]
          const visible = rows.filter(({ visibleAt }) => visibleAt <= now)
          const answer = ask(cursor, visible, clock, { keys })
          cursor = answer.cursor
          for (const id of answer.ended) known.add(id)
          const due = visible.filter(({ endedAt }) => endedAt > clock - longestAccess)
          const missed = due.filter(({ id }) => !known.has(id))
          assert.deepEqual(missed, [])
          if (seen && seen !== keys) assert.ok(answer.isNews, 'other keys are news')
          seen = keys
        }
      }
    }),
    { numRuns: 5000 },
  )
})

test('what was told is no news until something happens, whichever node is asked next', () => {
  fc.assert(
    fc.property(steps, upTo(apart), fc.array(node, { maxLength: 9 }), (walk, ahead, next) => {
      const clocks = [0, ahead] as const
      let now = noon
      const rows = walk.flatMap((each, i): Ended[] => {
        if (each.step === 'pass') now += each.span
        return each.step === 'end' ? [{ id: `s${i}`, endedAt: now + clocks[each.node] }] : []
      })
      let { cursor } = ask(undefined, rows, now)
      for (const each of next) {
        now += second
        const answer = ask(cursor, rows, now + clocks[each])
        assert.equal(answer.isNews, false)
        assert.deepEqual(answer.ended, [])
        cursor = answer.cursor
      }
    }),
    { numRuns: 500 },
  )
})
