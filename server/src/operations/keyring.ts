// Which key signs, which keys are still accepted, which are published. Keys live sealed in the store; a new signing key
// is published well before it signs and stays published until the last token it signed has expired.
import type { Change } from '../core/change.ts'
import { Fault } from '../core/fault.ts'
import type { KeyRow, KeyUse } from '../core/model.ts'
import { longestAccess } from '../core/policy.ts'
import { makeMacKey, makeSigningKey, openSigningKey, type Sealer, type SigningKey } from '../crypto/keys.ts'
import type { MacKey } from '../crypto/macs.ts'
import type { Store } from '../store/port.ts'

/** Longer than any verifier keeps a key set: jose refetches after 10 minutes, our own answer says 5. */
const publishAhead = 15 * 60_000

/** A replaced key outlives every token it has signed, whatever this process knows of the others' settings. */
const acceptedAfter = longestAccess + 5 * 60_000

export type Keyring = {
  /** The key that signs at this moment. */
  signing(now: number): SigningKey
  /** The accepted key of that id. Undefined id: the shared key, if there is one. */
  verifying(id: string | undefined, now: number): SigningKey | undefined
  /** The newest first: it writes, all of them read. */
  macs(now: number): readonly [MacKey, ...MacKey[]]
  /** The JWK Set document (RFC 7517 §5). */
  published(now: number): { readonly keys: readonly unknown[] }
  rows(): readonly KeyRow[]
  /** Publishes a new signing key; resolves with its row. */
  rotate(options: Rotation): Promise<KeyRow>
  /** Reads the store again; true if something has changed. */
  reload(): Promise<boolean>
}

export type Rotation = {
  readonly at: number
  /** The new key signs at once, not after 15 minutes: verifiers that cache the key set may refuse it until they fetch again. */
  readonly now: boolean
  /** Earlier keys are no longer accepted: every access token must be renewed. The new key signs at once. */
  readonly compromised: boolean
}

export type KeyringOptions = {
  readonly store: Store
  readonly sealer: Sealer
  /** For keys that are made from here on. */
  readonly algorithm: 'ES256' | 'EdDSA'
  /** HS256 with this key instead: it signs, and it alone. */
  readonly shared: SigningKey | undefined
}

const contextOf = ({ id, use, algorithm }: Pick<KeyRow, 'id' | 'use' | 'algorithm'>) =>
  `${use}:${algorithm}:${id}`

/** The key made last signs as soon as it may, and none made before it ever does again. */
const newestFirst = (a: KeyRow, b: KeyRow) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1)

/** Opens every key; makes the first ones on an empty store. Rejects when the sealing secret is another one. */
export async function openKeyring(options: KeyringOptions): Promise<Keyring> {
  const { store, sealer, shared } = options
  let rows: readonly KeyRow[] = []
  let signing = new Map<string, SigningKey>()
  let macs: readonly MacKey[] = []

  const seal = (use: KeyUse, at: number, signsFrom: number): KeyRow => {
    const algorithm = use === 'mac' ? 'HS256' : options.algorithm
    const made = use === 'mac' ? { ...makeMacKey(), published: null } : makeSigningKey(options.algorithm)
    const row = {
      id: made.id,
      use,
      algorithm,
      published: made.published,
      createdAt: at,
      signsFrom,
      retiresAt: null,
    } as const
    return { ...row, sealed: sealer.seal(made.secret, contextOf(row)) }
  }
  const newest = (use: KeyUse) => rows.filter(row => row.use === use).sort(newestFirst)[0]
  const told = (type: 'key_added' | 'key_retired', id: string, at: number): Change => ({
    change: 'record',
    event: { type, at, userId: null, sessionId: null, address: '', callId: '', detail: { id } },
  })

  const reload = async (): Promise<boolean> => {
    const read = await store.keys()
    if (JSON.stringify(read) === JSON.stringify(rows)) return false
    const opened = new Map<string, SigningKey>()
    const openedMacs: MacKey[] = []
    for (const row of [...read].sort(newestFirst)) {
      const secret = sealer.open(row.sealed, contextOf(row))
      if (row.use === 'mac') openedMacs.push({ id: row.id, bytes: secret })
      else if (row.algorithm !== 'HS256' && row.published !== null) {
        opened.set(
          row.id,
          openSigningKey({ id: row.id, algorithm: row.algorithm, secret, published: row.published }),
        )
      }
    }
    rows = read
    signing = opened
    macs = openedMacs
    return true
  }

  const ensure = async (use: KeyUse, present: () => boolean) => {
    // Two servers may start at once on an empty store: the guard lets one of them in, the other reads its key.
    while (!present()) {
      const at = store.now()
      const key = seal(use, at, at)
      await store.commit([
        { change: 'addKey', key, after: newest(use)?.id ?? null },
        told('key_added', key.id, at),
      ])
      await reload()
    }
  }

  const accepted = (row: KeyRow, now: number) => row.retiresAt === null || now < row.retiresAt
  const signers = (now: number) =>
    rows.filter(
      row =>
        row.use === 'sign' &&
        row.algorithm === options.algorithm &&
        row.signsFrom <= now &&
        accepted(row, now),
    )

  await reload()
  await ensure('mac', () => rows.some(row => row.use === 'mac'))
  if (!shared) await ensure('sign', () => signers(store.now()).length > 0)

  return {
    signing(now) {
      if (shared) return shared
      const row = signers(now).sort(newestFirst)[0]
      const key = row && signing.get(row.id)
      if (!key) throw new Fault('no key may sign at this moment')
      return key
    },
    verifying(id, now) {
      if (id === undefined || shared) return id === undefined || id === shared?.id ? shared : undefined
      const row = rows.find(each => each.id === id && each.use === 'sign')
      return row && accepted(row, now) ? signing.get(id) : undefined
    },
    macs(now) {
      const live = macs.filter(mac =>
        rows.some(row => row.id === mac.id && row.signsFrom <= now && accepted(row, now)),
      )
      const [first, ...rest] = live
      if (!first) throw new Fault('no key may authenticate refresh tokens at this moment')
      return [first, ...rest]
    },
    published(now) {
      if (shared) return { keys: [] }
      return {
        keys: rows
          .filter(row => row.use === 'sign' && row.published !== null && accepted(row, now))
          .map(row => JSON.parse(row.published ?? '') as unknown),
      }
    },
    rows: () => rows,
    async rotate({ at, now, compromised }) {
      await reload()
      const signsFrom = now || compromised ? at : at + publishAhead
      // Later than every other, also within one millisecond: the key made last is the one that signs.
      const key = seal('sign', Math.max(at, (newest('sign')?.createdAt ?? 0) + 1), signsFrom)
      const retiresAt = compromised ? at : key.signsFrom + acceptedAfter
      const old = rows.filter(
        row => row.use === 'sign' && (row.retiresAt === null || (compromised && row.retiresAt > at)),
      )
      const committed = await store.commit([
        { change: 'addKey', key, after: newest('sign')?.id ?? null },
        { change: 'retireKeys', ids: old.map(row => row.id), retiresAt },
        told('key_added', key.id, at),
        ...old.map(row => told('key_retired', row.id, at)),
      ])
      if (!committed.committed)
        throw new Fault('another rotation came first; list the keys and rotate again if need be')
      await reload()
      return key
    },
    reload,
  }
}
