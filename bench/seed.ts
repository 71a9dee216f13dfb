// Many signed-in browsers at once, without a password hash for each: sessions written straight into the store, with the
// refresh tokens that belong to them.
import { randomBytes } from 'node:crypto'
import { readSettings } from '../server/src/config.ts'
import type { Change } from '../server/src/core/change.ts'
import { defaultPolicy } from '../server/src/core/policy.ts'
import { openSession } from '../server/src/core/session.ts'
import { writeRefreshToken } from '../server/src/crypto/macs.ts'
import { openSystem } from '../server/src/system.ts'

const batch = 2_000

export type Seeded = {
  /** The cookies of a browser that has not refreshed yet; each is given once. */
  next(): string
}

/** `count` sessions of one user, opened ten minutes ago: the next refresh of each changes its row. */
export async function seedSessions(database: string, count: number): Promise<Seeded> {
  const { settings } = readSettings({
    options: { database, log: { level: 'silent' } },
    env: {},
    dialectNames: ['native'],
  })
  if (!settings) throw new Error('the settings of the bench are wrong')
  const system = await openSystem(settings, { serving: false })
  try {
    const made = await system.createUser(
      { email: 'bench@example.com', username: 'bench', password: randomBytes(18).toString('base64url') },
      { skipPolicy: true, superuser: false },
    )
    if ('refusal' in made) throw new Error(made.refusal.refused)
    const opened = system.store.now() - 10 * 60_000
    const [key] = system.keyring.macs(system.store.now())
    const cookies: string[] = []
    for (let done = 0; done < count; done += batch) {
      const changes = Array.from({ length: Math.min(batch, count - done) }, (): Change => {
        const id = randomBytes(16).toString('base64url')
        cookies.push(
          `rusk_refresh=${writeRefreshToken(key, id, 1)}; rusk_signin=${writeRefreshToken(key, id, 1)}`,
        )
        const about = {
          id,
          user: made.user,
          delivery: 'cookies' as const,
          userAgent: 'bench',
          address: '127.0.0.1',
        }
        return { change: 'openSession', session: openSession(about, defaultPolicy, opened) }
      })
      await system.store.commit(changes)
    }
    return {
      next() {
        const next = cookies.pop()
        if (next === undefined) throw new Error('no seeded session is left: seed more')
        return next
      },
    }
  } finally {
    await system.close()
  }
}
