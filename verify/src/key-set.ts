// The keys that Rusk has published (RFC 7517): which of them are ours to use, and when the set is asked for again. One
// question at a time; a name nobody knows does not become a flood of them.
import { createPublicKey, randomUUID, type webcrypto } from 'node:crypto'
import { type Ask, asUnreachable, Unreachable } from './ask.ts'
import type { VerifyingKey } from './jws.ts'
import { isKeyId } from './token.ts'

/** RFC 7518 §6.2, RFC 8037 §2. The curve says the algorithm; what the document says may only agree. */
const curves = {
  'EC P-256': { algorithm: 'ES256', members: ['kty', 'crv', 'x', 'y'] },
  'OKP Ed25519': { algorithm: 'EdDSA', members: ['kty', 'crv', 'x'] },
} as const

const isCurve = (name: string): name is keyof typeof curves => Object.hasOwn(curves, name)

/**
 * Undefined for whatever is not the public half of a key pair that signs access tokens: a shared secret (`oct`), another
 * curve, a key for encryption, one without a name, a point that is not on its curve.
 */
export function readKey(jwk: unknown): VerifyingKey | undefined {
  if (typeof jwk !== 'object' || jwk === null) return undefined
  const { kty, crv, alg, use, key_ops: uses, kid, d } = jwk as Readonly<Record<string, unknown>>
  const curve = `${kty} ${crv}`
  if (!isCurve(curve) || !isKeyId(kid) || d !== undefined) return undefined
  const { algorithm, members } = curves[curve]
  if ((alg !== undefined && alg !== algorithm) || (use !== undefined && use !== 'sig')) return undefined
  if (uses !== undefined && !(Array.isArray(uses) && uses.includes('verify'))) return undefined
  const key = Object.fromEntries(members.map(name => [name, Reflect.get(jwk, name)])) as webcrypto.JsonWebKey
  try {
    return { id: kid, algorithm, verify: createPublicKey({ key, format: 'jwk' }) }
  } catch {
    // Node refuses points that are not on the curve and members of another type: this is no key.
    return undefined
  }
}

/** By id; undefined: no JWK set, or one in which a name stands twice. What is not for us to use is left out. */
export function readKeySet(
  document: Readonly<Record<string, unknown>>,
): ReadonlyMap<string, VerifyingKey> | undefined {
  if (!Array.isArray(document.keys)) return undefined
  const keys = document.keys.map(readKey).filter(key => key !== undefined)
  const byId = new Map(keys.map(key => [key.id, key]))
  return byId.size === keys.length ? byId : undefined
}

/** Milliseconds. Rusk publishes a key 15 minutes before it signs. */
export const freshFor = 5 * 60_000

/** What was had is used for so long while nothing newer can be had. */
const usedFor = 60 * 60_000

/** Between two questions that an unknown name asks for, whoever makes names up. */
const pause = 10_000

/** Nobody waits for an answer that has just failed to come. */
const failurePause = 1000

export type KeySet = {
  /** Asks nobody. Undefined: not known, or not known any more. */
  key(id: string): VerifyingKey | undefined
  /** Known not to be accepted any more. */
  isGone(id: string): boolean
  /** Whether what is known was had lately, so that nothing has to be asked. */
  isFresh(): boolean
  /** Resolves when there are keys, fresh ones where they can be had. Rejects with `Unreachable`. */
  ready(): Promise<void>
  /**
   * A token names a key that is not known: asks again unless that was just done. True: the set has been read anew. Rejects
   * with `Unreachable` when nobody can tell whether there is such a key.
   */
  miss(id: string): Promise<boolean>
  /** The feed says which keys are accepted at this moment: no other is from here on. Asks for those that are not known. */
  accept(ids: readonly string[]): void
}

export type KeySetOptions = {
  readonly ask: Ask
  /** Milliseconds since some moment; only ever goes forwards. */
  readonly passed: () => number
  /** These keys are no longer good. */
  readonly onLost: (ids: readonly string[]) => void
  /** Whether the feed's last word still holds. */
  readonly isTold?: () => boolean
  readonly onTrouble: (error: Unreachable) => void
  /** A set has been read. */
  readonly onRead: () => void
}

const older = new Unreachable('What Rusk publishes comes from a cache that is older than what it accepts')

export function openKeySet({
  ask,
  passed,
  onLost,
  onTrouble,
  onRead,
  isTold = () => false,
}: KeySetOptions): KeySet {
  let keys: ReadonlyMap<string, VerifyingKey> = new Map()
  /** By the feed's last word: whoever asks for the set may be shown an older one. */
  let accepted: ReadonlySet<string> = new Set()
  let dropped: ReadonlySet<string> = new Set()
  /** A key has been named since the set was last asked for. */
  let named = false
  let readAt = Number.NEGATIVE_INFINITY
  let askedAt = Number.NEGATIVE_INFINITY
  let failure: { readonly at: number; readonly error: Unreachable } | undefined
  let asking: Promise<void> | undefined

  const read = async () => {
    const document = await ask(`/.well-known/jwks.json?once=${randomUUID()}`)
    const found = readKeySet(document)
    if (!found) throw new Unreachable('What Rusk publishes is not a set of keys')
    if (found.size === 0) {
      throw new Unreachable(
        'Rusk publishes no key: it signs with JWT_SECRET_KEY. Give createVerifier that as `key`',
      )
    }
    const before = keys
    // What the feed names at this moment is good: a set without it comes from a cache that is older.
    keys = new Map([...[...before].filter(([id]) => isTold() && accepted.has(id)), ...found])
    const lost = [...before.keys()].filter(id => !keys.has(id))
    readAt = passed()
    failure = undefined
    if (lost.length > 0) onLost(lost)
    // Told once, and not with every reading: so this is no end of trouble.
    if (Array.isArray(document.keys) && found.size < document.keys.length)
      onTrouble(new Unreachable('Of the keys that Rusk publishes some are of no use here, and left out'))
    else onRead()
  }
  /** One at a time: whoever comes while one is under way waits for it. */
  const refresh = (): Promise<void> => {
    if (asking) return asking
    askedAt = passed()
    named = false
    asking = read()
      .catch((error: unknown) => {
        failure = { at: passed(), error: asUnreachable(error) }
        throw failure.error
      })
      .finally(() => {
        asking = undefined
      })
    return asking
  }
  const isUsable = () => keys.size > 0 && passed() - readAt < usedFor
  const isFresh = () => isUsable() && passed() - readAt < freshFor
  const isRested = () => passed() - askedAt >= pause
  const hasJustFailed = () => failure !== undefined && passed() - failure.at < failurePause
  const refreshBehind = () => void refresh().catch(onTrouble)

  /** The set may come from a cache that is older than the feed's word: that word counts. */
  const isDropped = (id: string) => dropped.has(id) || (accepted.size > 0 && isTold() && !accepted.has(id))
  /** The feed accepts it, and what is published does not show it yet: nobody can tell. */
  const isOwed = (id: string) => isTold() && accepted.has(id) && !keys.has(id)

  return {
    key: id => (isUsable() && !isDropped(id) ? keys.get(id) : undefined),
    isGone: id => isDropped(id) || (isUsable() && !keys.has(id)),
    isFresh,
    async ready() {
      if (isUsable()) {
        if (isFresh()) return
        // After a silence nobody has looked for long: what has been given up since must not be believed once more.
        if (passed() - readAt >= 2 * freshFor && !hasJustFailed()) await refresh().catch(onTrouble)
        else if (!asking && !hasJustFailed()) refreshBehind()
        return
      }
      if (failure && hasJustFailed()) throw failure.error
      await refresh()
    },
    async miss(id) {
      if (isDropped(id)) return false
      if (!asking && !isRested()) {
        if (failure) throw failure.error
        if (isOwed(id)) throw older
        return false
      }
      await refresh()
      if (isOwed(id)) throw older
      return true
    },
    accept(ids) {
      const before = dropped
      const known = [...dropped, ...accepted, ...keys.keys()]
      const unknown = ids.filter(id => !keys.has(id))
      if (unknown.some(id => !accepted.has(id))) named = true
      accepted = new Set(ids)
      dropped = new Set(known.filter(id => !accepted.has(id)))
      const lost = [...dropped].filter(id => !before.has(id))
      if (lost.length > 0) onLost(lost)
      if (!asking && unknown.length > 0 && (named || isRested())) refreshBehind()
    },
  }
}
