// `rusk sessions`: who is signed in where, and the end of it.
import { Misuse } from '../core/fault.ts'
import type { Holder } from '../core/model.ts'
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
  browser: session.userAgent,
})

const columns = ['id', 'user', 'email', 'openedAt', 'lastUsedAt', 'address', 'browser']

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

export const revokeSession = (
  globals: Globals,
  id: string | undefined,
  login: string | undefined,
): Promise<void> =>
  withSystem(globals, async system => {
    if ((id === undefined) === (login === undefined)) {
      throw new Misuse([
        {
          about: 'sessions revoke',
          wrong: 'it takes either a session or a user',
          instead: 'Give ID, or --user LOGIN',
        },
      ])
    }
    const ended = id === undefined ? await endAll(login ?? '') : await endOne(id)
    if (globals.json) showJson({ ended })
    else say(ended === 1 ? 'The session has ended.' : `${ended} sessions have ended.`)

    async function endOne(sessionId: string): Promise<number> {
      if (await system.endSession(sessionId, 'revoked')) return 1
      throw new Misuse([
        { about: sessionId, wrong: 'there is no such live session', instead: 'See rusk sessions list' },
      ])
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
