// Which key writes, which are accepted, and what a rotation or the schedule makes of them: new keys, ends, rows to
// erase. Rows and a moment in, a plan out; knows neither where keys are kept nor what they are.
import type { KeyRow, KeyUse } from './model.ts'
import { defaultPolicy, longestAccess, type Policy } from './policy.ts'

const minute = 60_000
const day = 24 * 60 * minute

/**
 * From a key's publication to its first use. Longer than any verifier keeps a key set (jose fetches again after 10
 * minutes, our own answer says 5) and than a server that has lost the store goes without reading keys.
 */
export const publishAhead = 15 * minute

/** For clocks that differ and for calls that are under way. */
const margin = 5 * minute

/** From a key's end to its erasure: whoever looks into a complaint finds the row. */
export const eraseAfter = day

/** So long before a replaced key ends it is asked whether a session still lives on it, and so much longer it is kept then. */
const nearEnd = 7 * day

export type RotationPolicy = {
  /** From one key to the next; undefined: not by schedule. */
  readonly every: number | undefined
  /** The one that new keys have; undefined: there are none of that use, because a shared key signs. */
  readonly algorithms: { readonly sign: 'ES256' | 'EdDSA' | undefined; readonly mac: 'HS256' }
  /** How long after its replacement what a key has made may still be presented. */
  readonly lives: Readonly<Record<KeyUse, number>>
}

/** A replaced signing key outlives every token it has signed, whatever this process knows of the others' settings. */
export const lifeOfSigned = longestAccess + margin

/**
 * How long refresh and CSRF tokens of these dialects are presented, at the longest: a sign-in cookie as long as its
 * session, a CSRF cookie as long as it says (seconds). Never less than the default, for sessions from before an operator
 * set a shorter life.
 */
export const lifeOfMacs = (
  spoken: readonly { readonly policy: Pick<Policy, 'lifetime'>; readonly csrfMaxAge: number | undefined }[],
): number =>
  margin +
  Math.max(
    defaultPolicy.lifetime,
    ...spoken.flatMap(({ policy, csrfMaxAge = 0 }) => [policy.lifetime, csrfMaxAge * 1000]),
  )

export type NewKey = Pick<KeyRow, 'use' | 'algorithm' | 'createdAt' | 'signsFrom'> & {
  /** The newest of its use; undefined: it is the first. */
  readonly after: KeyRow | undefined
}

export type Plan = {
  readonly add: readonly NewKey[]
  readonly retire: readonly { readonly row: KeyRow; readonly retiresAt: number }[]
  readonly erase: readonly KeyRow[]
}

export const isIdle = ({ add, retire, erase }: Plan): boolean =>
  add.length + retire.length + erase.length === 0

/** The key made last writes as soon as it may, and none made before it ever does again. */
export const newestFirst = (a: KeyRow, b: KeyRow): number =>
  b.createdAt - a.createdAt || Number(a.id < b.id) - Number(b.id < a.id)

export const isAccepted = (row: KeyRow, now: number): boolean => row.retiresAt === null || now < row.retiresAt

/** The next moment at which a key begins or ends; endless if there is none. */
export const nextTurn = (rows: readonly KeyRow[], now: number): number =>
  rows
    .flatMap(({ signsFrom, retiresAt }) => [signsFrom, retiresAt ?? now])
    .filter(moment => moment > now)
    .reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY)

const ofUse = (rows: readonly KeyRow[], use: KeyUse): readonly KeyRow[] =>
  rows.filter(row => row.use === use).sort(newestFirst)

/** The key that writes at this moment: of the algorithm that is wanted; while none of that has begun, of another. */
export function writerOf(
  rows: readonly KeyRow[],
  use: KeyUse,
  now: number,
  algorithm: KeyRow['algorithm'] | undefined,
): KeyRow | undefined {
  const begun = ofUse(rows, use).filter(row => row.signsFrom <= now && isAccepted(row, now))
  return begun.find(row => row.algorithm === algorithm) ?? begun[0]
}

/** The newest that nothing has replaced yet, whether it has begun or not. */
const latestOf = (rows: readonly KeyRow[], use: KeyUse, algorithm: KeyRow['algorithm']): KeyRow | undefined =>
  ofUse(rows, use).find(row => row.algorithm === algorithm && row.retiresAt === null)

const uses: readonly KeyUse[] = ['sign', 'mac']

/**
 * When the schedule makes another key of this use. Undefined: never, or there is none. The next MAC key is made as soon as
 * the present one writes, and lies ready for a whole span: a copy of the database that is no older has it, so that a restore
 * signs nobody out. A signing key lies ready for no longer than it must: whoever is restored renews an access token.
 */
export function dueAt(rows: readonly KeyRow[], use: KeyUse, policy: RotationPolicy): number | undefined {
  const algorithm = policy.algorithms[use]
  const latest = algorithm && latestOf(rows, use, algorithm)
  if (!latest || policy.every === undefined) return undefined
  return use === 'mac' ? latest.signsFrom : latest.createdAt + policy.every
}

/** When the schedule has another key take over from the newest of this use. */
export function replacedAt(rows: readonly KeyRow[], use: KeyUse, policy: RotationPolicy): number | undefined {
  const due = dueAt(rows, use, policy)
  return due !== undefined && policy.every !== undefined && use === 'mac' ? due + policy.every : due
}

function newKey(
  rows: readonly KeyRow[],
  use: KeyUse,
  algorithm: KeyRow['algorithm'],
  when: { readonly now: number; readonly signsFrom: number },
): NewKey {
  const [after] = ofUse(rows, use)
  // Later than every other, also within one millisecond: the key made last is the one that writes.
  const createdAt = Math.max(when.now, (after?.createdAt ?? 0) + 1)
  return { use, algorithm, createdAt, signsFrom: when.signsFrom, after }
}

export type How =
  /** Published now, used when everybody has had time to see it. */
  | 'ahead'
  /** Used now: who has not seen it yet refuses what it makes until then. */
  | 'at_once'
  /** Used now, and no earlier key is accepted any more. */
  | 'compromised'

/** One new key of a use, and the end of those before it. */
export function decideRotation(
  rows: readonly KeyRow[],
  { use, how, now }: { readonly use: KeyUse; readonly how: How; readonly now: number },
  policy: RotationPolicy,
): Plan {
  const erase = rows.filter(row => isOver(row, now))
  if (how !== 'compromised')
    return {
      ...replaceWith(rows, { use, now, signsFrom: how === 'ahead' ? now + publishAhead : now }, policy),
      erase,
    }
  const algorithm = policy.algorithms[use]
  if (algorithm === undefined) return { add: [], retire: [], erase }
  const ended = ofUse(rows, use).filter(row => isAccepted(row, now))
  return {
    add: [newKey(rows, use, algorithm, { now, signsFrom: now })],
    retire: ended.map(row => ({ row, retiresAt: now })),
    erase,
  }
}

type Wanted = { readonly use: KeyUse; readonly now: number; readonly signsFrom: number }

/** Each that nothing had replaced yet is accepted until what it has made has expired: from when the next one writes. */
function replaceWith(
  rows: readonly KeyRow[],
  { use, now, signsFrom }: Wanted,
  policy: RotationPolicy,
): Pick<Plan, 'add' | 'retire'> {
  const algorithm = policy.algorithms[use]
  if (algorithm === undefined) return { add: [], retire: [] }
  const made = newKey(rows, use, algorithm, { now, signsFrom })
  // Of the same algorithm: a server that wants this one goes on writing with it while there is a newer one of another.
  const alike = ofUse(rows, use).filter(row => row.algorithm === algorithm)
  const begins = (row: KeyRow) => Math.min(signsFrom, successorOf(alike, row)?.signsFrom ?? signsFrom)
  return {
    add: [made],
    retire: ofUse(rows, use)
      .filter(row => row.retiresAt === null)
      .map(row => ({ row, retiresAt: begins(row) + policy.lives[use] })),
  }
}

/** What there must be and is not: the first keys, and the first of another algorithm. Replaces nothing. */
export function decideMissing(rows: readonly KeyRow[], now: number, policy: RotationPolicy): Plan {
  const add = uses.flatMap(use => {
    const algorithm = policy.algorithms[use]
    if (algorithm === undefined || latestOf(rows, use, algorithm)) return []
    const signsFrom = writerOf(rows, use, now, algorithm) ? now + publishAhead : now
    return [newKey(rows, use, algorithm, { now, signsFrom })]
  })
  return { add, retire: [], erase: [] }
}

export type Replaced = { readonly row: KeyRow; readonly openedBefore: number }

/** MAC keys near their end, with the moment before which a session was opened that may live on them. */
export const nearlyOver = (rows: readonly KeyRow[], now: number): readonly Replaced[] =>
  ofUse(rows, 'mac').flatMap(row => {
    const next = successorOf(rows, row)
    return next && row.retiresAt !== null && now < row.retiresAt && row.retiresAt <= now + nearEnd
      ? [{ row, openedBefore: next.signsFrom + margin }]
      : []
  })

/**
 * What the schedule wants at this moment. `lingering`: ids of keys near their end on which a session still lives.
 * Nothing is ended here but what a new key replaces, and what nobody can need any more is erased.
 */
export function decideSchedule(
  rows: readonly KeyRow[],
  { now, lingering }: { readonly now: number; readonly lingering: ReadonlySet<string> },
  policy: RotationPolicy,
): Plan {
  const missing = decideMissing(rows, now, policy)
  const rotations = uses
    .filter(use => (dueAt(rows, use, policy) ?? Number.POSITIVE_INFINITY) <= now)
    .map(use => {
      const ready = replacedAt(rows, use, policy) ?? now
      return replaceWith(rows, { use, now, signsFrom: Math.max(ready, now + publishAhead) }, policy)
    })
  return {
    add: [...missing.add, ...rotations.flatMap(each => each.add)],
    retire: [
      ...rotations.flatMap(({ retire }) => retire),
      ...rows.flatMap(row => keepLonger(rows, row, { now, lingering }, policy)),
    ],
    erase: rows.filter(row => isOver(row, now)),
  }
}

/** Whoever replaced this key knew a shorter life of its tokens than this process does, or a session is still on it. */
function keepLonger(
  rows: readonly KeyRow[],
  row: KeyRow,
  { now, lingering }: { readonly now: number; readonly lingering: ReadonlySet<string> },
  policy: RotationPolicy,
): Plan['retire'] {
  const next = successorOf(rows, row)
  if (!next || row.retiresAt === null || !isAccepted(row, now) || isRevoked(rows, row)) return []
  const retiresAt = Math.max(
    next.signsFrom + policy.lives[row.use],
    lingering.has(row.id) ? row.retiresAt + nearEnd : 0,
  )
  return retiresAt > row.retiresAt ? [{ row, retiresAt }] : []
}

/** The first that took over from this one. */
function successorOf(rows: readonly KeyRow[], row: KeyRow): KeyRow | undefined {
  const newer = ofUse(rows, row.use).filter(each => newestFirst(each, row) < 0)
  return newer.toSorted((a, b) => a.signsFrom - b.signsFrom)[0]
}

/** It ended as another began: that is how `compromised` ends keys, and no other rotation. A clock that is behind still accepts it. */
const isRevoked = (rows: readonly KeyRow[], row: KeyRow): boolean =>
  rows.some(each => each.use === row.use && each.signsFrom === row.retiresAt)

const isOver = (row: KeyRow, now: number): boolean =>
  row.retiresAt !== null && row.retiresAt + eraseAfter <= now
