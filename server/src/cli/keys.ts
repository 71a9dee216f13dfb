// `rusk keys`: which keys write, which are still accepted and when the next ones come; never what they are.
import { misuse } from '../core/fault.ts'
import type { KeyRow, KeyUse } from '../core/model.ts'
import type { How } from '../core/rotation.ts'
import type { Keyring } from '../operations/keyring.ts'
import type { System } from '../system.ts'
import { type Globals, withSystem } from './open.ts'
import { say, showJson, showRows, writeTime } from './output.ts'

/** Asked of the keyring, so that what is told here is what happens. */
function stateOf(row: KeyRow, keyring: Keyring, now: number): string {
  if (row.retiresAt !== null && row.retiresAt <= now) return 'retired'
  // With a shared key no pair is.
  if (row.use === 'sign' && !keyring.verifying(row.id, now)) return 'unused'
  const writer = row.use === 'sign' ? keyring.signing(now) : keyring.macs(now)[0]
  if (writer.id === row.id) return 'signs'
  return row.signsFrom > now && row.retiresAt === null ? 'published' : 'accepted'
}

const uses: Readonly<Record<KeyUse, string>> = { sign: 'access tokens', mac: 'refresh and CSRF tokens' }

/** When the next one takes over: the one that lies ready, or the schedule's. Null: that has happened, or is not to be seen. */
function rotatesAt(row: KeyRow, keyring: Keyring, now: number): number | null {
  const ofUse = keyring.rows().filter(each => each.use === row.use)
  const newer = ofUse.slice(ofUse.findIndex(each => each.id === row.id) + 1)
  if (newer.length === 0) return row.retiresAt === null ? (keyring.replacedAt(row.use) ?? null) : null
  const next = Math.min(...newer.map(each => each.signsFrom))
  return next > now ? next : null
}

const rowOf = (row: KeyRow, keyring: Keyring, now: number) => ({
  id: row.id,
  use: uses[row.use],
  algorithm: row.algorithm,
  state: stateOf(row, keyring, now),
  createdAt: writeTime(row.createdAt),
  signsFrom: writeTime(row.signsFrom),
  rotatesAt: writeTime(rotatesAt(row, keyring, now)),
  retiresAt: writeTime(row.retiresAt),
})

const columns = ['id', 'use', 'algorithm', 'state', 'signsFrom', 'rotatesAt', 'retiresAt']

export const listKeys = (globals: Globals): Promise<void> =>
  withSystem(globals, async ({ store, keyring, sealedBy }, settings) => {
    const now = store.now()
    showRows(
      keyring.rows().map(row => rowOf(row, keyring, now)),
      { json: globals.json === true, columns, none: 'There are no keys.' },
    )
    if (settings.jwt.key !== undefined) say('Access tokens are signed with the shared key (JWT_SECRET_KEY).')
    if (settings.rotateKeysEvery === undefined) say('Keys are rotated by command alone (keys.rotate).')
    const { secrets, behind } = await keyring.sealing()
    if (behind > 0) say(`Keys are sealed with an earlier secret than ${sealedBy}.`)
    else if (secrets > 1) say(`Keys are sealed with ${sealedBy}; another secret is kept that nothing needs.`)
    else say(`Keys are sealed with ${sealedBy}.`)
  })

export type RotateFlags = {
  readonly use: keyof typeof rotations
  readonly now?: boolean
  readonly compromised?: boolean
  readonly signEverybodyOut?: boolean
}

const howOf = ({ now, compromised }: RotateFlags): How =>
  compromised ? 'compromised' : now ? 'at_once' : 'ahead'

async function rotateAccess(system: System, globals: Globals, flags: RotateFlags): Promise<void> {
  if (system.settings.jwt.key !== undefined) {
    throw misuse(
      'keys rotate',
      'access tokens are signed with the shared key',
      'Change JWT_SECRET_KEY here and in the services that share it, and start Rusk again',
    )
  }
  const how = howOf(flags)
  const row = await system.rotateKeys({ use: 'sign', how })
  if (tell(row, system, globals)) return
  const from = how === 'ahead' ? `from ${writeTime(row.signsFrom)}` : 'from now on'
  say(`Key ${row.id} is published and signs ${from}.`)
  say(
    how === 'compromised'
      ? 'No older key is accepted any more: every access token must be renewed. Refresh tokens stay good.'
      : 'Older keys go on being accepted until their tokens have expired.',
  )
  if (how === 'at_once')
    say(
      'Services that keep the earlier key set refuse new tokens until they ask again: 5 to 10 minutes, those with @rusk/verify at once.',
    )
}

async function rotateRefresh(system: System, globals: Globals, flags: RotateFlags): Promise<void> {
  const how = howOf(flags)
  const row = await system.rotateKeys({ use: 'mac', how })
  if (tell(row, system, globals)) return
  if (how === 'compromised') {
    say(`Key ${row.id} makes refresh and CSRF tokens from now on, and no older key is accepted any more.`)
    say('Every session has ended: everybody has to sign in anew.')
    return
  }
  const last = system.keyring
    .rows()
    .flatMap(({ use, retiresAt }) => (use === 'mac' && retiresAt !== null ? [retiresAt] : []))
  say(
    `Key ${row.id} is read by every server and makes refresh and CSRF tokens from ${writeTime(row.signsFrom)}.`,
  )
  say(
    `Older keys go on being accepted until ${writeTime(Math.max(...last))}, when the last token they made has expired. Nobody is signed out.`,
  )
}

/** True: as JSON, and there is nothing more to say. */
function tell(row: KeyRow, { keyring, store }: System, { json }: Globals): boolean {
  if (json) showJson(rowOf(row, keyring, store.now()))
  return json === true
}

async function rotateSealing(system: System, globals: Globals): Promise<void> {
  const resealed = await system.rotateSealing()
  const { sealedBy } = system
  if (globals.json) return showJson({ resealed, sealedBy })
  say(
    resealed === 0
      ? `Every key is sealed with ${sealedBy} already.`
      : `${resealed} ${resealed === 1 ? 'key is' : 'keys are'} sealed anew with ${sealedBy}.`,
  )
  if (system.settings.previousSecret !== undefined)
    say('Nothing needs RUSK_SECRET_PREVIOUS any more: leave it out at the next start.')
  say('Copies of the database from before need the earlier secret: keep it as long as them.')
}

const rotations = { access: rotateAccess, refresh: rotateRefresh, sealing: rotateSealing } as const

/** What does not go together, before any database is looked at. Throws `Misuse`. */
function judge({ use, now, compromised, signEverybodyOut }: RotateFlags): void {
  if (signEverybodyOut && !(use === 'refresh' && compromised)) {
    throw misuse('--sign-everybody-out', 'nothing here does that', 'It goes with --use refresh --compromised')
  }
  if (use === 'refresh' && compromised && !signEverybodyOut) {
    throw misuse(
      '--compromised',
      'without the present keys every session ends, and everybody has to sign in anew',
      'If that is meant, add --sign-everybody-out; without --compromised nobody is signed out',
    )
  }
  if (use === 'refresh' && now && !compromised) {
    throw misuse(
      '--now',
      'a server that does not know the new key yet would take its tokens for forged and sign people out',
      'Leave it out; after a theft write --compromised',
    )
  }
  if (use === 'sealing' && (now || compromised)) {
    throw misuse(
      now ? '--now' : '--compromised',
      'keys are always sealed anew at once; whoever had the secret and the database has the keys themselves',
      'Leave it out. After a theft also run: rusk keys rotate --compromised and, which signs everybody out, rusk keys rotate --use refresh --compromised --sign-everybody-out',
    )
  }
}

export async function rotateKeys(globals: Globals, flags: RotateFlags): Promise<void> {
  judge(flags)
  await withSystem(globals, system => rotations[flags.use](system, globals, flags))
}
