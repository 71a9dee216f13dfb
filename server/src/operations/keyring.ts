// The keys as they are used: opened, sealed, added, ended and erased in the store. Which key writes and what a rotation
// means is decided in core/rotation.ts; where the sealing secret comes from others know.
import type { Change } from '../core/change.ts'
import { Fault } from '../core/fault.ts'
import type { Event, EventType, KeyRow, KeyUse } from '../core/model.ts'
import {
  decideMissing,
  decideRotation,
  decideSchedule,
  dueAt,
  type How,
  isAccepted,
  isIdle,
  type NewKey,
  nearlyOver,
  newestFirst,
  nextTurn,
  type Plan,
  type RotationPolicy,
  replacedAt,
  writerOf,
} from '../core/rotation.ts'
import {
  makeMacKey,
  makeSigningKey,
  openSigningKey,
  SealedOtherwise,
  type Sealer,
  type SigningKey,
} from '../crypto/keys.ts'
import type { MacKey } from '../crypto/macs.ts'
import type { Store } from '../store/port.ts'

export type Keyring = {
  /** The key that signs at this moment. */
  signing(now: number): SigningKey
  /** The accepted key of that id. Undefined id: the shared key, if there is one. */
  verifying(id: string | undefined, now: number): SigningKey | undefined
  /** The first writes, all of them read, also those that do not write yet: another server may be ahead. */
  macs(now: number): readonly [MacKey, ...MacKey[]]
  /** When what this MAC key has made is no longer accepted; null: no end is in sight. */
  acceptedUntil(id: string): number | null
  /** Ids of the signing keys that are accepted at this moment, the oldest first; none with a shared key. */
  accepted(now: number): readonly string[]
  /** The JWK Set document (RFC 7517 §5): the same keys. */
  published(now: number): { readonly keys: readonly unknown[] }
  rows(): readonly KeyRow[]
  /** When the schedule makes another key of this use; undefined: never. */
  dueAt(use: KeyUse): number | undefined
  /** When the schedule has another take over from the newest key of this use; undefined: never. */
  replacedAt(use: KeyUse): number | undefined
  /** Adds a key; resolves with its row. What it says and ends is durable then. */
  rotate(rotation: Rotation): Promise<KeyRow>
  /** Does what the schedule wants at this moment. Resolves with its events, durable. */
  keepUp(now: number): Promise<readonly Event[]>
  /** Seals every key with the first of the secrets. Resolves with how many were sealed with another. */
  reseal(at: number): Promise<number>
  /** How many secrets there are, and how many keys are sealed with another than the first. */
  sealing(): Promise<{ readonly secrets: number; readonly behind: number }>
  /** Reads the store again; true if something has changed but how keys are sealed. */
  reload(): Promise<boolean>
}

export type Rotation = {
  readonly at: number
  readonly use: KeyUse
  readonly how: How
}

export type KeyringOptions = {
  readonly store: Store
  /** The secrets as they are at this moment: they may have been replaced since the last time. */
  readonly sealer: () => Promise<Sealer>
  /** HS256 with this key instead of a pair: it signs, and it alone. */
  readonly shared: SigningKey | undefined
  readonly policy: RotationPolicy
  /** Keys have been added, ended or erased, whoever did it: what they vouched for is to be judged again. */
  readonly onChange?: () => void
}

/** After a failed guard the next round meets other rows; more rounds than these mean that something is wrong. */
const rounds = 5

const contextOf = ({ id, use, algorithm }: Pick<KeyRow, 'id' | 'use' | 'algorithm'>) =>
  `${use}:${algorithm}:${id}`

/** Which of the secrets has sealed it. Throws `SealedOtherwise` when none has. */
function indexOf(sealer: Sealer, row: KeyRow): number {
  const by = sealer.sealedBy(row.sealed, contextOf(row))
  if (by === undefined) throw new SealedOtherwise(`The key ${contextOf(row)} was sealed with another secret`)
  return by
}

type Opened = { readonly signing: SigningKey } | { readonly mac: MacKey }

function openKey(row: KeyRow, secret: Uint8Array): Opened {
  const { id, algorithm, published } = row
  if (row.use === 'mac') return { mac: { id, bytes: secret } }
  if (algorithm === 'HS256' || published === null) throw new Fault(`the signing key ${id} is no pair`)
  return { signing: openSigningKey({ id, algorithm, secret, published }) }
}

const eventOf = (type: EventType, at: number, detail: Event['detail']): Event => ({
  type,
  at,
  userId: null,
  sessionId: null,
  address: '',
  callId: '',
  ...(detail ? { detail } : {}),
})

const eventsOf = (plan: Plan, added: readonly KeyRow[], at: number): readonly Event[] => [
  ...added.map(({ id }) => eventOf('key_added', at, { id })),
  // That one goes on longer than was thought is no end.
  ...plan.retire
    .filter(({ row, retiresAt }) => row.retiresAt === null || retiresAt < row.retiresAt)
    .map(({ row: { id } }) => eventOf('key_retired', at, { id })),
  ...plan.erase.map(({ id }) => eventOf('key_erased', at, { id })),
]

/** Keys that end at one moment, together. */
const retiring = ({ retire }: Plan): readonly Change[] =>
  [...new Set(retire.map(({ retiresAt }) => retiresAt))].map(moment => ({
    change: 'retireKeys',
    keys: retire
      .filter(({ retiresAt }) => retiresAt === moment)
      .map(({ row }) => ({ id: row.id, was: row.retiresAt })),
    retiresAt: moment,
  }))

const unsealed = (row: KeyRow): Omit<KeyRow, 'sealed'> & { sealed: '' } => ({ ...row, sealed: '' })
const sameButSeals = (a: readonly KeyRow[], b: readonly KeyRow[]): boolean =>
  JSON.stringify(a.map(unsealed)) === JSON.stringify(b.map(unsealed))

/** What it has made would be taken for forged: nobody is told that. */
const undecided = ({ id }: KeyRow): Fault =>
  new Fault(`the key ${id} is sealed with a secret that this server was not started with`, { retryAfter: 1 })

type Lasting = { readonly from: number; readonly until: number; readonly value: unknown }

/** Opens every key; makes the first ones on an empty store. Rejects with `SealedOtherwise` when no secret opens them. */
export async function openKeyring(options: KeyringOptions): Promise<Keyring> {
  const { store, shared, policy } = options
  const { sign: algorithm } = policy.algorithms
  /** The newest first. */
  let rows: readonly KeyRow[] = []
  let opened: ReadonlyMap<string, Opened> = new Map()
  const reads = { begun: 0, taken: 0 }
  /** Until then whoever starts it is told what is wrong with the secret. */
  let begun = false
  let moments = new Map<string, Lasting>()

  const reload = async (): Promise<boolean> => {
    reads.begun += 1
    const mine = reads.begun
    const read = (await store.keys()).toSorted(newestFirst)
    // What is open stays open: whoever seals the rows anew meanwhile changes nothing here.
    const unknown = read.filter(row => !opened.has(row.id))
    const sealer = unknown.length > 0 ? await options.sealer() : undefined
    const found = new Map<string, Opened>()
    const sealedOtherwise: SealedOtherwise[] = []
    for (const row of read) {
      const known = opened.get(row.id)
      try {
        if (known) found.set(row.id, known)
        else if (sealer) found.set(row.id, openKey(row, sealer.open(row.sealed, contextOf(row))))
      } catch (error) {
        if (!(error instanceof SealedOtherwise)) throw error
        sealedOtherwise.push(error)
      }
    }
    // A read that began later has been taken already: this one is older.
    if (mine < reads.taken) return false
    reads.taken = mine
    const changed = !sameButSeals(read, rows)
    rows = read
    opened = found
    moments = new Map()
    if (changed) options.onChange?.()
    // Last: that a key has ended counts, whatever cannot be opened beside it.
    const [cause] = sealedOtherwise
    if (cause && !begun) throw cause
    if (cause) throw new Fault(`${cause.message}, which this server was not started with`, { retryAfter: 1 })
    return changed
  }

  /** Every call asks: worked out again only when the next key begins or ends. */
  const lasting = <T>(name: string, work: (now: number) => T) => {
    return (now: number): T => {
      const known = moments.get(name)
      if (known && known.from <= now && now < known.until) return known.value as T
      const value = work(now)
      moments.set(name, { from: now, until: nextTurn(rows, now), value })
      return value
    }
  }

  const signingOf = (row: KeyRow | undefined): SigningKey | undefined => {
    const key = row && opened.get(row.id)
    return key && 'signing' in key ? key.signing : undefined
  }
  const acceptedAt = (now: number): readonly SigningKey[] =>
    shared ? [] : rows.toReversed().flatMap(row => (isAccepted(row, now) ? (signingOf(row) ?? []) : []))
  const macOf = (row: KeyRow | undefined): readonly MacKey[] => {
    const key = row && opened.get(row.id)
    return key && 'mac' in key ? [key.mac] : []
  }

  const seal = (wanted: NewKey, sealer: Sealer, by: number): KeyRow => {
    const { after: _after, ...row } = wanted
    const made =
      row.algorithm === 'HS256' ? { ...makeMacKey(), published: null } : makeSigningKey(row.algorithm)
    const key = { ...row, id: made.id, published: made.published, retiresAt: null }
    return { ...key, sealed: sealer.seal(made.secret, contextOf(key), by) }
  }

  /**
   * New keys are sealed as the newest one is, so that every server that reads that one reads these too; `reseal` alone goes
   * over to another secret. That one is locked until the commit: what is sealed anew and what is added come one after the other.
   */
  const adding = async (wanted: readonly NewKey[]): Promise<{ added: KeyRow[]; changes: Change[] }> => {
    if (wanted.length === 0) return { added: [], changes: [] }
    const sealer = await options.sealer()
    const [newest] = rows
    const by = newest ? indexOf(sealer, newest) : 0
    const made = wanted.map(each => ({ key: seal(each, sealer, by), after: each.after?.id ?? null }))
    return {
      added: made.map(({ key }) => key),
      changes: [
        ...(newest ? [{ change: 'requireSealed', id: newest.id, sealed: newest.sealed } as const] : []),
        ...made.map(({ key, after }) => ({ change: 'addKey', key, after }) as const),
      ],
    }
  }

  type Done = { readonly added: readonly KeyRow[]; readonly events: readonly Event[] }

  /** load → decide → commit, again while another process was first. */
  const carryOut = async (
    at: number,
    decide: () => Plan | Promise<Plan>,
    also: readonly Change[] = [],
  ): Promise<Done> => {
    for (let round = 1; round <= rounds; round++) {
      await reload()
      const plan = await decide()
      if (isIdle(plan)) return { added: [], events: [] }
      const { added, changes } = await adding(plan.add)
      const events = eventsOf(plan, added, at)
      const { committed } = await store.commit([
        ...changes,
        ...retiring(plan),
        ...plan.erase.map(({ id }) => ({ change: 'eraseKeys', ids: [id], retiredBy: at }) as const),
        ...also,
        ...events.map(event => ({ change: 'record', event }) as const),
      ])
      await reload()
      if (committed) return { added, events }
    }
    throw new Fault(`other processes have changed the keys ${rounds} times meanwhile`, { retryAfter: 1 })
  }

  const lingering = async (now: number): Promise<ReadonlySet<string>> => {
    const ids = new Set<string>()
    for (const { row, openedBefore } of nearlyOver(rows, now)) {
      const alive = await store.sessionsOpenedBefore({ now: row.retiresAt ?? now, openedBefore })
      if (alive > 0) ids.add(row.id)
    }
    return ids
  }

  await carryOut(store.now(), () => decideMissing(rows, store.now(), policy))
  begun = true

  return {
    signing: lasting('signing', now => {
      if (shared) return shared
      const openable = rows.filter(({ id }) => opened.has(id))
      const key = signingOf(writerOf(openable, 'sign', now, algorithm))
      if (!key) throw new Fault('no key may sign at this moment', { retryAfter: 1 })
      return key
    }),
    verifying(id, now) {
      if (id === undefined || shared) return id === undefined || id === shared?.id ? shared : undefined
      const row = rows.find(each => each.id === id && each.use === 'sign')
      if (!row || !isAccepted(row, now)) return undefined
      if (!opened.has(row.id)) throw undecided(row)
      return signingOf(row)
    },
    macs: lasting('macs', (now): readonly [MacKey, ...MacKey[]] => {
      const closed = rows.find(
        row => row.use === 'mac' && row.signsFrom <= now && isAccepted(row, now) && !opened.has(row.id),
      )
      if (closed) throw undecided(closed)
      const writer = writerOf(rows, 'mac', now, 'HS256')
      const [first] = macOf(writer)
      if (!first) throw new Fault('no key may authenticate refresh tokens at this moment')
      return [first, ...rows.flatMap(row => (row !== writer && isAccepted(row, now) ? macOf(row) : []))]
    }),
    acceptedUntil: id => rows.find(row => row.id === id)?.retiresAt ?? null,
    accepted: now => acceptedAt(now).map(({ id }) => id),
    published: now => ({
      keys: acceptedAt(now).flatMap(({ published }) =>
        published === null ? [] : [JSON.parse(published) as unknown],
      ),
    }),
    rows: () => rows.toReversed(),
    dueAt: use => dueAt(rows, use, policy),
    replacedAt: use => replacedAt(rows, use, policy),
    async rotate({ at, use, how }) {
      // Whoever has such a key makes refresh tokens of any session: all of them end, in the commit that ends the key.
      const revoking: readonly Change[] =
        use === 'mac' && how === 'compromised'
          ? [
              { change: 'endSessionsOpenedBefore', openedBefore: at + 1, because: 'revoked', at },
              {
                change: 'record',
                event: eventOf('session_ended', at, { because: 'revoked', openedBefore: at + 1 }),
              },
            ]
          : []
      const { added } = await carryOut(
        at,
        () => decideRotation(rows, { use, how, now: at }, policy),
        revoking,
      )
      const [key] = added
      if (!key) throw new Fault('there is no key of this use to replace')
      return key
    },
    async keepUp(now) {
      const { events } = await carryOut(now, async () =>
        decideSchedule(rows, { now, lingering: await lingering(now) }, policy),
      )
      return events
    },
    async reseal(at) {
      let count = 0
      for (let round = 1; round <= rounds; round++) {
        const sealer = await options.sealer()
        const behind = (await store.keys()).filter(row => sealer.sealedBy(row.sealed, contextOf(row)) !== 0)
        // Asked again after each commit: a server may have added a key while this one was under way.
        if (behind.length === 0) return count
        const keys = behind.map(row => ({
          id: row.id,
          was: row.sealed,
          sealed: sealer.seal(sealer.open(row.sealed, contextOf(row)), contextOf(row)),
        }))
        const { committed } = await store.commit([
          { change: 'resealKeys', keys },
          { change: 'record', event: eventOf('keys_resealed', at, { count: keys.length }) },
        ])
        await reload()
        if (committed) count += keys.length
      }
      throw new Fault(`other processes have changed the keys ${rounds} times meanwhile`, { retryAfter: 1 })
    },
    async sealing() {
      const sealer = await options.sealer()
      const read = await store.keys()
      const behind = read.filter(row => sealer.sealedBy(row.sealed, contextOf(row)) !== 0).length
      return { secrets: sealer.secrets, behind }
    },
    reload,
  }
}
