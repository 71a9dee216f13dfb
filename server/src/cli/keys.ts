// `rusk keys`: which keys sign and which are still accepted; never what they are.
import { Misuse } from '../core/fault.ts'
import type { KeyRow } from '../core/model.ts'
import type { Keyring } from '../operations/keyring.ts'
import { type Globals, withSystem } from './open.ts'
import { say, showJson, showRows, writeTime } from './output.ts'

/** Asked of the keyring, so that what is told here is what happens. */
function stateOf(row: KeyRow, keyring: Keyring, now: number): string {
  if (row.retiresAt !== null && row.retiresAt <= now) return 'retired'
  if (row.use === 'mac') return keyring.macs(now)[0].id === row.id ? 'signs' : 'accepted'
  // With a shared key no pair is.
  if (!keyring.verifying(row.id, now)) return 'unused'
  if (keyring.signing(now).id === row.id) return 'signs'
  return row.signsFrom > now && row.retiresAt === null ? 'published' : 'accepted'
}

const rowOf = (row: KeyRow, keyring: Keyring, now: number) => ({
  id: row.id,
  use: row.use === 'sign' ? 'access tokens' : 'refresh tokens',
  algorithm: row.algorithm,
  state: stateOf(row, keyring, now),
  createdAt: writeTime(row.createdAt),
  signsFrom: writeTime(row.signsFrom),
  retiresAt: writeTime(row.retiresAt),
})

const columns = ['id', 'use', 'algorithm', 'state', 'createdAt', 'signsFrom', 'retiresAt']

export const listKeys = (globals: Globals): Promise<void> =>
  withSystem(globals, async ({ store, keyring }, settings) => {
    const now = store.now()
    showRows(
      keyring.rows().map(row => rowOf(row, keyring, now)),
      { json: globals.json === true, columns, none: 'There are no keys.' },
    )
    if (settings.jwt.key !== undefined) say('Access tokens are signed with the shared key (JWT_SECRET_KEY).')
  })

export type RotateFlags = { readonly now?: boolean; readonly compromised?: boolean }

export const rotateKeys = (globals: Globals, flags: RotateFlags): Promise<void> =>
  withSystem(globals, async (system, settings) => {
    if (settings.jwt.key !== undefined) {
      throw new Misuse([
        {
          about: 'keys rotate',
          wrong: 'access tokens are signed with the shared key',
          instead: 'Change JWT_SECRET_KEY here and in the services that share it, and start Rusk again',
        },
      ])
    }
    const compromised = flags.compromised === true
    const now = compromised || flags.now === true
    const row = await system.rotateKeys({ now, compromised })
    if (globals.json) showJson(rowOf(row, system.keyring, system.store.now()))
    else {
      say(`Key ${row.id} is published and signs ${now ? 'from now on' : `from ${writeTime(row.signsFrom)}`}.`)
      say(
        compromised
          ? 'No older key is accepted any more: every access token must be renewed. Refresh tokens stay good.'
          : 'Older keys go on being accepted until their tokens have expired.',
      )
    }
  })
