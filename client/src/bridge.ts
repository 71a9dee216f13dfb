// @rusk/client/bridge: out of localStorage, once. Decides when the token of the old system has done its work and is to be
// wiped; reads and removes, and never writes. What the token says is the server's to judge.
import type { Client } from './contract.ts'
import { RuskError } from './error.ts'
import { alone } from './tabs.ts'

/** Enough of `localStorage`. */
export type Stored = Pick<Storage, 'getItem' | 'removeItem'>

/** What became of the token, where that is decided. */
export type Left =
  /** None was there: nobody was asked, and nothing was removed. */
  | 'nothing-stored'
  /** It was not needed, and is wiped. */
  | 'already-signed-in'
  /** Signed in with it; it is wiped. */
  | 'exchanged'
  /** It is worth nothing, and is wiped: its person signs in again. */
  | 'refused'

export type Leaving = {
  /**
   * Its key, or how to find it where it is part of something larger. Null, undefined and '' are none; quotes around it and
   * `Bearer ` before it do not count.
   */
  readonly token: string | ((storage: Stored) => string | null | undefined)
  /** Every key that goes when the token goes, which goes too if it has a key of its own. */
  readonly wipe: readonly string[]
  /** Default: `localStorage`. */
  readonly storage?: Stored
}

/** Of this very token. A 404 is not: Rusk may not have been told the old key yet. */
const definite: readonly number[] = [400, 401, 422]

/** Three parts (RFC 7515 §7.1). Anything else was found in the wrong place, which says nothing about its person. */
const jwt = /^[\w-]+(\.[\w-]+){2}$/

/** Rusk has said no. What has no code came from something else on the way, and decides nothing. */
const isRefusal = (error: unknown): boolean =>
  error instanceof RuskError && definite.includes(error.status) && error.code !== 'unavailable'

/**
 * Signs in with the token that another system left in this browser, and wipes it. To be awaited where the app starts. Rejects
 * while it is undecided (no network, 5xx, throttled, an origin that is not listed) and when what is stored is no JWT
 * (`input_invalid`, nothing is sent): everything stays as it is, and the next start tries again.
 */
export async function leaveLocalStorage(
  client: Client<unknown>,
  { token, wipe, storage = globalThis.localStorage }: Leaving,
): Promise<Left> {
  const keys = typeof token === 'string' ? [token, ...wipe] : wipe
  const find = () =>
    // As `JSON.stringify` and headers have it.
    (typeof token === 'string' ? storage.getItem(token) : token(storage))?.replace(/^"?(bearer )?|"$/gi, '')
  const clear = (left: Left): Left => {
    for (const key of keys) storage.removeItem(key)
    return left
  }
  const leave = async (): Promise<Left> => {
    // Another tab may have been here in the meantime.
    const found = find()
    if (!found) return 'nothing-stored'
    if (await client.session()) return clear('already-signed-in')
    if (!jwt.test(found))
      throw new RuskError('input_invalid', { detail: 'Not a JWT: neither sent nor wiped' })
    try {
      await client.exchange({ token: found })
    } catch (error) {
      if (isRefusal(error)) return clear('refused')
      throw error
    }
    return clear('exchanged')
  }
  if (!find()) return 'nothing-stored'
  return alone('rusk bridge', leave).catch((error: unknown) => {
    // Whoever gets in by other means needs it no more, and must not come back by it after leaving.
    const off = client.subscribe(async ({ status }) => {
      if (status !== 'signed-in') return
      clear('already-signed-in')
      // It may be so at once, and `off` is not there yet.
      await null
      off()
    })
    throw error
  })
}
