// The schedule and the rotations as decisions: rows and a moment in, a plan out; and what must hold over any sequence of
// them, on two servers whose clocks differ.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { KeyRow, KeyUse } from './model.ts'
import { defaultPolicy, longestAccess } from './policy.ts'
import {
  decideMissing,
  decideRotation,
  decideSchedule,
  dueAt,
  eraseAfter,
  type How,
  isAccepted,
  lifeOfMacs,
  lifeOfSigned,
  nearlyOver,
  newestFirst,
  nextTurn,
  type Plan,
  publishAhead,
  type RotationPolicy,
  writerOf,
} from './rotation.ts'

const minute = 60_000
const day = 24 * 60 * minute
const noon = Date.UTC(2026, 0, 1, 12)

const policy: RotationPolicy = {
  every: 90 * day,
  algorithms: { sign: 'ES256', mac: 'HS256' },
  lives: { sign: lifeOfSigned, mac: lifeOfMacs([]) },
}
const never: RotationPolicy = { ...policy, every: undefined }
const shared: RotationPolicy = { ...policy, algorithms: { sign: undefined, mac: 'HS256' } }
const edDsa: RotationPolicy = { ...policy, algorithms: { sign: 'EdDSA', mac: 'HS256' } }

const key = (id: string, more: Partial<KeyRow> = {}): KeyRow => ({
  id,
  use: 'sign',
  algorithm: 'ES256',
  sealed: '',
  published: null,
  createdAt: noon,
  signsFrom: noon,
  retiresAt: null,
  ...more,
})
const mac = (id: string, more: Partial<KeyRow> = {}): KeyRow =>
  key(id, { use: 'mac', algorithm: 'HS256', ...more })

/** A plan in few words: times are told from noon. */
const tell = ({ add, retire, erase }: Plan): readonly string[] => [
  ...add.map(
    each =>
      `add ${each.use} ${each.algorithm} after ${each.after?.id ?? 'none'}, from ${spanOf(each.signsFrom)}`,
  ),
  ...retire.map(({ row, retiresAt }) => `${row.id} ends at ${spanOf(retiresAt)}`),
  ...erase.map(({ id }) => `erase ${id}`),
]
function spanOf(moment: number): string {
  const minutes = Math.round((moment - noon) / minute)
  return `${Math.trunc(minutes / 1440)}d${minutes % 1440}m`
}

/** After the first look: the next MAC key lies ready. */
const both = [
  key('s'),
  mac('m', { retiresAt: noon + 180 * day + 5 * minute }),
  mac('n', { createdAt: noon + 1, signsFrom: noon + 90 * day }),
]
const none: ReadonlySet<string> = new Set()

// [sentence, rows, days since noon, policy, keys on which a session lives, what is planned]
const schedules: [string, readonly KeyRow[], number, RotationPolicy, ReadonlySet<string>, string[]][] = [
  [
    'an empty store gets both keys, to be used at once',
    [],
    0,
    policy,
    none,
    ['add sign ES256 after none, from 0d0m', 'add mac HS256 after none, from 0d0m'],
  ],
  ['with a shared key none that signs', [], 0, shared, none, ['add mac HS256 after none, from 0d0m']],
  [
    'the next MAC key is made when the present one begins, for a whole span later',
    [key('s'), mac('m')],
    0,
    policy,
    none,
    ['add mac HS256 after m, from 90d0m', 'm ends at 180d5m'],
  ],
  [
    'where a MAC key is older than the span, the next is used as soon as everybody knows it',
    [key('s'), mac('m', { signsFrom: noon - 100 * day })],
    0,
    policy,
    none,
    ['add mac HS256 after m, from 0d15m', 'm ends at 90d20m'],
  ],
  ['nothing before the time', both, 89.999, policy, none, []],
  [
    'both when they are due, and the earlier ones stay as long as what they have made',
    both,
    90,
    policy,
    none,
    [
      'add sign ES256 after s, from 90d15m',
      'add mac HS256 after n, from 180d0m',
      's ends at 91d20m',
      'n ends at 270d5m',
    ],
  ],
  ['never, if so told', [key('s'), mac('m')], 9000, never, none, []],
  [
    'with a shared key the MAC keys alone, and no pair is touched',
    both,
    90,
    shared,
    none,
    ['add mac HS256 after n, from 180d0m', 'n ends at 270d5m'],
  ],
  [
    'what was published a moment ago is not replaced again',
    [
      key('s', { retiresAt: noon + 91 * day }),
      key('t', { createdAt: noon + 90 * day }),
      mac('m', { signsFrom: noon + 91 * day }),
    ],
    90.001,
    { ...policy, every: 90.5 * day },
    none,
    [],
  ],
  [
    'what ended a day ago is erased, and nothing sooner',
    [
      ...both,
      key('old', { createdAt: noon - 9, retiresAt: noon + 9 * day }),
      mac('older', { createdAt: noon - 9, retiresAt: noon + 9.001 * day }),
    ],
    10,
    never,
    none,
    ['erase old'],
  ],
  [
    'another algorithm is published ahead, and the present keys go on',
    both,
    1,
    edDsa,
    none,
    ['add sign EdDSA after s, from 1d15m'],
  ],
  [
    'where all have ended, one is used at once',
    [key('s', { retiresAt: noon }), mac('m', { signsFrom: noon + day })],
    0.5,
    policy,
    none,
    ['add sign ES256 after s, from 0d720m'],
  ],
  [
    'a MAC key that somebody with shorter sessions has replaced is kept as long as ours live',
    [key('s'), mac('m', { retiresAt: noon + 9 * day }), mac('n', { createdAt: noon + 1 })],
    1,
    never,
    none,
    ['m ends at 90d5m'],
  ],
  [
    'a MAC key on which a session still lives is kept a week longer',
    [key('s'), mac('m', { retiresAt: noon + 95 * day }), mac('n', { createdAt: noon + 1 })],
    89,
    never,
    new Set(['m']),
    ['m ends at 102d0m'],
  ],
  [
    'a key that got out is kept by nobody, whose clock is behind or not',
    [
      key('s'),
      mac('m', { retiresAt: noon + 2 * minute }),
      mac('n', { createdAt: noon + 2 * minute, signsFrom: noon + 2 * minute }),
    ],
    0,
    policy,
    new Set(['m']),
    [],
  ],
]

for (const [sentence, rows, days, by, lingering, want] of schedules) {
  test(`by schedule: ${sentence}`, () =>
    assert.deepEqual(tell(decideSchedule(rows, { now: noon + days * day, lingering }, by)), want))
}

const replaced = [
  key('a', { createdAt: noon - 9, retiresAt: noon + day }),
  key('b'),
  key('c', { createdAt: noon + 1, signsFrom: noon + publishAhead }),
  mac('m'),
]

// [sentence, use, how, what is planned a minute later]
const rotations: [string, KeyUse, How, string[]][] = [
  [
    'ahead: all that nothing had replaced end when what they signed has expired',
    'sign',
    'ahead',
    ['add sign ES256 after c, from 0d16m', 'c ends at 1d21m', 'b ends at 1d20m'],
  ],
  [
    'at once: so do they, sooner',
    'sign',
    'at_once',
    ['add sign ES256 after c, from 0d1m', 'c ends at 1d6m', 'b ends at 1d6m'],
  ],
  [
    'after a theft: all end at once, those that were replaced too',
    'sign',
    'compromised',
    ['add sign ES256 after c, from 0d1m', 'c ends at 0d1m', 'b ends at 0d1m', 'a ends at 0d1m'],
  ],
  [
    'of MAC keys: no pair is touched',
    'mac',
    'ahead',
    ['add mac HS256 after m, from 0d16m', 'm ends at 90d21m'],
  ],
  ['of stolen MAC keys', 'mac', 'compromised', ['add mac HS256 after m, from 0d1m', 'm ends at 0d1m']],
]

for (const [sentence, use, how, want] of rotations) {
  test(`rotated ${sentence}`, () =>
    assert.deepEqual(tell(decideRotation(replaced, { use, how, now: noon + minute }, policy)), want))
}

test('with a shared key no pair is made, whoever asks', () =>
  assert.deepEqual(tell(decideRotation(both, { use: 'sign', how: 'ahead', now: noon }, shared)), []))

test('the key made last writes as soon as it may; while none of the wanted algorithm may, another does', () => {
  const rows = [...replaced, key('e', { algorithm: 'EdDSA', createdAt: noon + 2, signsFrom: noon + minute })]
  const writer = (minutes: number, algorithm: KeyRow['algorithm']) =>
    writerOf(rows, 'sign', noon + minutes * minute, algorithm)?.id
  assert.deepEqual([writer(0, 'ES256'), writer(15, 'ES256'), writer(16, 'EdDSA')], ['b', 'c', 'e'])
  assert.equal(writer(0, 'EdDSA'), 'b')
  assert.equal(writerOf(rows, 'sign', noon - day, 'ES256'), undefined)
})

test('a key is due by its own birthday; one that was replaced, and one of no use, is not', () => {
  assert.equal(dueAt(both, 'sign', policy), noon + 90 * day)
  assert.equal(dueAt(replaced, 'sign', policy), noon + 1 + 90 * day)
  assert.equal(dueAt(both, 'sign', shared), undefined)
  assert.equal(dueAt(both, 'mac', never), undefined)
  assert.equal(dueAt([], 'mac', policy), undefined)
})

test('what is missing is told without what is due', () =>
  assert.deepEqual(tell(decideMissing([key('s')], noon + 900 * day, policy)), [
    'add mac HS256 after none, from 900d0m',
  ]))

test('MAC keys near their end are told with the moment before which sessions may live on them', () => {
  const rows = [
    mac('m', { retiresAt: noon + 90 * day }),
    mac('n', { createdAt: noon + 1, signsFrom: noon + publishAhead }),
  ]
  const near = (days: number) =>
    nearlyOver(rows, noon + days * day).map(({ row, openedBefore }) => [row.id, spanOf(openedBefore)])
  assert.deepEqual(near(82), [])
  assert.deepEqual(near(83), [['m', '0d20m']])
  assert.deepEqual(near(90), [])
})

test('the next turn is the next beginning or end', () => {
  const turn = (minutes: number) => spanOf(nextTurn(replaced, noon + minutes * minute))
  assert.deepEqual([turn(-1), turn(0), turn(15)], ['0d0m', '0d15m', '1d0m'])
  assert.equal(nextTurn(replaced, noon + day), Number.POSITIVE_INFINITY)
})

test('MAC keys live as long as the longest that the dialects promise, and no less than the default', () => {
  const life = (lifetime: number, csrfMaxAge?: number) => lifeOfMacs([{ policy: { lifetime }, csrfMaxAge }])
  const margin = 5 * minute
  assert.equal(life(day), defaultPolicy.lifetime + margin)
  assert.equal(life(400 * day), 400 * day + margin)
  assert.equal(life(day, 31_449_600), 364 * day + margin)
  assert.equal(lifeOfMacs([]), defaultPolicy.lifetime + margin)
})

// The store, two servers and time. Two clocks stand at most five minutes apart; a server that has lost the store goes on
// with what it knows for nine, and reads it anew before it goes on after that.
type Node = { readonly skew: number; known: readonly KeyRow[]; lostAt: number | undefined }
type Token = { readonly use: KeyUse; readonly id: string; readonly from: number; readonly until: number }

const longestLost = 9 * minute
const clocksApart = 5 * minute
const life = { sign: longestAccess, mac: defaultPolicy.lifetime } as const

class World {
  rows: readonly KeyRow[] = []
  now = noon
  readonly nodes: readonly [Node, Node]
  /** When each key was added, by the one clock that is right, and whether it may be used before everybody knows it. */
  readonly added = new Map<string, { readonly at: number; readonly hasty: boolean }>()
  tokens: Token[] = []
  /** Keys that were ended after a theft, and when. */
  readonly stolen = new Map<string, number>()

  constructor(skews: readonly [number, number]) {
    this.nodes = [
      { skew: skews[0], known: [], lostAt: undefined },
      { skew: skews[1], known: [], lostAt: undefined },
    ]
  }

  clock(node: Node): number {
    return this.now + node.skew
  }

  /** As the store does: a guard that touches no row undoes all of it. */
  commit(plan: Plan, hasty: boolean): boolean {
    let rows = this.rows
    for (const { after, ...wanted } of plan.add) {
      const newest = rows.filter(row => row.use === wanted.use).sort(newestFirst)[0]
      if (newest?.id !== after?.id) return false
      const id = `${wanted.use}${this.added.size}`
      this.added.set(id, { at: this.now, hasty: hasty || after === undefined })
      rows = [...rows, { ...wanted, id, sealed: '', published: null, retiresAt: null }]
    }
    for (const { row, retiresAt } of plan.retire) {
      if (!rows.some(each => each.id === row.id && each.retiresAt === row.retiresAt)) return false
      rows = rows.map(each => (each.id === row.id ? { ...each, retiresAt } : each))
    }
    for (const { id } of plan.erase) {
      if (!rows.some(each => each.id === id)) return false
      rows = rows.filter(each => each.id !== id)
    }
    this.rows = rows
    return true
  }

  /** Commands and looks read the store first. */
  plan(node: Node, step: Step): Plan {
    const now = this.clock(node)
    if (step.does === 'rotate')
      return decideRotation(this.rows, { use: step.use, how: step.how, now }, policy)
    return decideSchedule(this.rows, { now, lingering: none }, policy)
  }

  act(step: Step): void {
    if (step.does === 'wait') this.now += step.span
    if (step.does === 'lose') this.nodes[step.node].lostAt ??= this.now
    if (step.does === 'look' || step.does === 'rotate') {
      const node = this.nodes[step.node]
      const before = this.plan(node, step)
      // The other one may have been quicker; then it is decided again.
      if (step.overtaken)
        this.commit(this.plan(this.nodes[(1 - step.node) as 0 | 1], { ...step, does: 'look' }), false)
      const hasty = step.does === 'rotate' && step.how !== 'ahead'
      const had = this.rows
      if (!this.commit(before, hasty)) assert.ok(this.commit(this.plan(node, step), hasty))
      if (step.does === 'rotate' && step.how === 'compromised') {
        this.tokens = this.tokens.filter(({ use }) => use !== step.use)
        for (const { id, use } of had) if (use === step.use) this.stolen.set(id, this.now)
      }
    }
    for (const node of this.nodes) {
      if (node.lostAt !== undefined && this.now - node.lostAt > longestLost) node.lostAt = undefined
      if (node.lostAt === undefined) node.known = this.rows
    }
  }

  check(): void {
    for (const use of ['sign', 'mac'] as const) {
      for (const node of this.nodes) {
        const clock = this.clock(node)
        const begun = node.known.filter(
          row => row.use === use && row.signsFrom <= clock && isAccepted(row, clock),
        )
        const writer = writerOf(node.known, use, clock, policy.algorithms[use])
        assert.ok(
          writer && begun.every(row => newestFirst(writer, row) <= 0),
          'one key writes: the newest that has begun',
        )
        const { at, hasty } = this.added.get(writer.id) ?? { at: Number.POSITIVE_INFINITY, hasty: false }
        assert.ok(hasty || this.now - at >= publishAhead - clocksApart, 'it was published before')
        // One that was ended after a theft is still used by who does not know it yet.
        if (this.rows.some(row => row.id === writer.id && isAccepted(row, this.now + clocksApart)))
          this.tokens.push({ use, id: writer.id, from: clock, until: clock + life[use] })
      }
    }
    for (const node of this.nodes) {
      for (const row of node.known) {
        const at = this.stolen.get(row.id)
        if (at === undefined || node.lostAt !== undefined || this.now < at + clocksApart) continue
        assert.ok(!isAccepted(row, this.clock(node)), `${row.id} was stolen and is accepted`)
      }
    }
    this.tokens = this.tokens.filter(({ until }) => this.now + clocksApart < until)
    for (const { use, id, until } of this.tokens) {
      for (const node of this.nodes) {
        if (this.clock(node) >= until || (node.lostAt !== undefined && this.added.get(id)?.hasty)) continue
        const row = node.known.find(each => each.id === id)
        assert.ok(row && isAccepted(row, this.clock(node)), `a good ${use} token of ${id} is refused`)
      }
    }
  }
}

type Step =
  | { readonly does: 'wait'; readonly span: number }
  | { readonly does: 'lose'; readonly node: 0 | 1 }
  | { readonly does: 'look'; readonly node: 0 | 1; readonly overtaken: boolean }
  | {
      readonly does: 'rotate'
      readonly node: 0 | 1
      readonly overtaken: boolean
      readonly use: KeyUse
      readonly how: How
    }

const node = fc.constantFrom<(0 | 1)[]>(0, 1)
const steps = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        does: fc.constant('wait' as const),
        span: fc.constantFrom(
          1,
          minute,
          4 * minute,
          14 * minute,
          publishAhead,
          day,
          eraseAfter,
          30 * day,
          89 * day,
        ),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({ does: fc.constant('look' as const), node, overtaken: fc.boolean() }),
    },
    { weight: 1, arbitrary: fc.record({ does: fc.constant('lose' as const), node }) },
    {
      weight: 2,
      arbitrary: fc
        .record({
          does: fc.constant('rotate' as const),
          node,
          overtaken: fc.boolean(),
          use: fc.constantFrom<KeyUse[]>('sign', 'mac'),
          how: fc.constantFrom<How[]>('ahead', 'ahead', 'at_once', 'compromised'),
        })
        // The command refuses to use a MAC key before everybody can read it.
        .map(step =>
          step.use === 'mac' && step.how === 'at_once' ? { ...step, how: 'ahead' as const } : step,
        ),
    },
  ),
  { minLength: 10, maxLength: 60, size: 'max' },
)

test('over any sequence on two servers: one key writes, none too early, no good token is refused, nothing needed is erased', () => {
  const half = clocksApart / 2
  const skew = fc.integer({ min: -half, max: half })
  let erased = 0
  fc.assert(
    fc.property(fc.tuple(skew, skew), steps, (skews, sequence) => {
      const world = new World(skews)
      world.act({ does: 'look', node: 0, overtaken: false })
      // The later clock has not begun before the other's key may write.
      world.act({ does: 'wait', span: clocksApart })
      world.check()
      for (const step of sequence) {
        world.act(step)
        world.check()
      }
      erased += world.added.size - world.rows.length
    }),
    { numRuns: 1000 },
  )
  assert.ok(erased > 1000, `only ${erased} keys were erased`)
})
