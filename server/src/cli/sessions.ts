// `rusk sessions`: who is signed in where, and the end of it.
import { misuse } from '../core/fault.ts'
import type { Holder } from '../core/model.ts'
import { readDevice } from '../device.ts'
import { type Globals, withSystem } from './open.ts'
import { say, showJson, showRows, writeTime } from './output.ts'
import { findUser } from './users.ts'

const rowOf = ({ session, user }: Holder) => ({
  id: session.id,
  user: user.number,
  email: user.email,
  openedAt: writeTime(session.openedAt),
  lastUsedAt: writeTime(session.lastUsedAt),
  endsAt: writeTime(Math.min(session.endsAt, session.idleEndsAt)),
  address: session.address,
  device: readDevice(session.userAgent).label,
  userAgent: session.userAgent,
})

const columns = ['id', 'user', 'email', 'openedAt', 'lastUsedAt', 'address', 'device']

export const listSessions = (
  globals: Globals,
  { user, limit }: { user?: string; limit: number },
): Promise<void> =>
  withSystem(globals, async ({ store }) => {
    const now = store.now()
    const holders = user === undefined ? await store.sessions({ now, limit: limit + 1 }) : await ofUser()
    const shown = holders.slice(0, limit)
    showRows(shown.map(rowOf), { json: globals.json === true, columns, none: 'Nobody is signed in.' })
    if (holders.length > shown.length)
      say(`There are more than ${limit}: rusk sessions list --limit ${limit * 10}`)

    async function ofUser(): Promise<readonly Holder[]> {
      const owner = await findUser(store, user ?? '')
      return (await store.sessionsOf(owner.id, { now, limit: limit + 1 })).map(session => ({
        session,
        user: owner,
      }))
    }
  })

/** Which sessions to end: one of these is given. */
export type RevokeFlags = { readonly user?: string; readonly openedBefore?: string }

/** `now`, or ISO 8601 with a zone and no finer than milliseconds, as epoch milliseconds. Throws `Misuse`. */
export function readMoment(text: string, now: number): number {
  if (text === 'now') return now
  const [, day] = /^(\d{4}-\d\d-\d\d)T\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?(?:Z|[+-]\d\d:\d\d)$/.exec(text) ?? []
  const at = Date.parse(text)
  // Date.parse takes the 30th of February for the 2nd of March.
  const isDay = day !== undefined && new Date(`${day}T00:00Z`).toJSON()?.startsWith(day) === true
  if (!isDay || Number.isNaN(at))
    throw misuse(
      '--opened-before',
      `${text} is not a time`,
      `Write it as ${new Date(now).toISOString()}, or now`,
    )
  if (at > now) throw misuse('--opened-before', `${text} is yet to come`, 'Write now to end every session')
  return at
}

export async function revokeSession(
  globals: Globals,
  id: string | undefined,
  { user, openedBefore }: RevokeFlags,
): Promise<void> {
  if ([id, user, openedBefore].filter(each => each !== undefined).length !== 1)
    throw misuse(
      'sessions revoke',
      'it takes one of a session, a user and a time',
      'Give ID, --user LOGIN or --opened-before TIME',
    )
  await withSystem(globals, async system => {
    const ended = await end()
    if (globals.json) showJson({ ended })
    else say(ended === 1 ? 'The session has ended.' : `${ended} sessions have ended.`)

    function end(): Promise<number> {
      if (id !== undefined) return endOne(id)
      if (user !== undefined) return endAll(user)
      const before = readMoment(openedBefore ?? '', system.store.now())
      return system.endSessionsOpenedBefore(before, 'revoked')
    }
    async function endOne(sessionId: string): Promise<number> {
      if (await system.endSession(sessionId, 'revoked')) return 1
      throw misuse(sessionId, 'there is no such live session', 'See rusk sessions list')
    }
    async function endAll(text: string): Promise<number> {
      const owner = await findUser(system.store, text)
      const live = await system.store.sessionsOf(owner.id, {
        now: system.store.now(),
        limit: Number.MAX_SAFE_INTEGER,
      })
      await system.endSessionsOf(owner.id, 'revoked')
      return live.length
    }
  })
}
