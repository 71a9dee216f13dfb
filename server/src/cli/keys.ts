// `rusk keys`: which keys sign and which are still accepted; never what they are.
import { Misuse } from '../core/fault.ts'
import type { KeyRow } from '../core/model.ts'
import { type Globals, withSystem } from './open.ts'
import { say, showJson, showRows, writeTime } from './output.ts'

/** Of one use, the newest that has begun signs; the others are accepted until they retire. */
function stateOf(row: KeyRow, rows: readonly KeyRow[], now: number): string {
  if (row.retiresAt !== null && row.retiresAt <= now) return 'retired'
  if (row.signsFrom > now) return 'published'
  const later = rows.some(
    each => each.use === row.use && each.signsFrom <= now && each.signsFrom > row.signsFrom,
  )
  return later ? 'accepted' : 'signs'
}

const rowOf = (row: KeyRow, rows: readonly KeyRow[], now: number) => ({
  id: row.id,
  use: row.use === 'sign' ? 'access tokens' : 'refresh tokens',
  algorithm: row.algorithm,
  state: stateOf(row, rows, now),
  createdAt: writeTime(row.createdAt),
  signsFrom: writeTime(row.signsFrom),
  retiresAt: writeTime(row.retiresAt),
})

const columns = ['id', 'use', 'algorithm', 'state', 'createdAt', 'signsFrom', 'retiresAt']

export const listKeys = (globals: Globals): Promise<void> =>
  withSystem(globals, async ({ store }, settings) => {
    const now = store.now()
    const rows = await store.keys()
    showRows(
      rows.map(row => rowOf(row, rows, now)),
      { json: globals.json === true, columns, none: 'There are no keys.' },
    )
    if (settings.jwt.key !== undefined) say('Access tokens are signed with the shared key (JWT_SECRET_KEY).')
  })

export const rotateKeys = (globals: Globals, { now }: { now: boolean }): Promise<void> =>
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
    const row = await system.rotateKeys({ now })
    if (globals.json) showJson(rowOf(row, await system.store.keys(), system.store.now()))
    else
      say(`Key ${row.id} is published and signs ${now ? 'from now on' : `from ${writeTime(row.signsFrom)}`}.`)
  })
