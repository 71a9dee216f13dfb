// Rusk inside a program: what the package exports.
import { randomUUID } from 'node:crypto'
import { loadSettings } from './config/files.ts'
import type { Options } from './config.ts'
import { Misuse } from './core/fault.ts'
import type { Session, User } from './core/model.ts'
import { dialects } from './dialects/index.ts'
import type { Listening } from './http/node.ts'
import { createLog } from './log.ts'
import { openSystem } from './system.ts'

export type { Options } from './config.ts'
export { Fault, Misuse } from './core/fault.ts'
export type { Session, User } from './core/model.ts'
export type { Listening } from './http/node.ts'
export { version } from './system.ts'

/** Rusk inside a program. */
export type Rusk = {
  /** Where browsers reach it, as configured. */
  readonly url: string
  /**
   * A Web-standard handler for every route of the mounted dialects. `address` is the client's (the socket's peer);
   * without it all clients are throttled as one. Never rejects: a fault is a 500 or a 503.
   */
  fetch(request: Request, info?: { readonly address?: string | undefined }): Promise<Response>
  /**
   * Who makes this request to a route of yours: by access cookie or bearer token, revocation checked. Null: nobody, or a
   * page of a foreign site made the browser send it. Rejects with a `Fault` when the store cannot tell: answer 503, not 401.
   */
  session(request: Request): Promise<{ readonly user: User; readonly session: Session } | null>
  /** Listens on `host` and `port`. Rejects with `Misuse` when they cannot be had. */
  listen(): Promise<Listening>
  /** Ends what `listen` began, lets calls in flight finish, closes the store. */
  close(): Promise<void>
}

/**
 * Opens the store, the keys and the dialects that `options` and the environment name (docs/options.md). Rejects with
 * `Misuse`, all findings at once, or with a `Fault` when the database does not answer.
 */
export async function rusk(options: Options = {}): Promise<Rusk> {
  const { settings, errors, risks } = await loadSettings({
    options,
    env: process.env,
    folder: process.cwd(),
    // A program reads its own .env, and may already have.
    envFile: null,
    dialectNames: Object.keys(dialects),
    dialects,
  })
  if (!settings) throw new Misuse(errors)
  const log = createLog(settings.log)
  for (const { about, wrong, instead } of risks) log.warn({ about, instead }, wrong)
  const system = await openSystem(settings, { serving: true, log })
  const { http } = system
  const listening = new Set<Listening>()
  return {
    url: system.settings.site.url,
    fetch: http.fetch,
    async session(request) {
      const { headers, method } = request
      const header = (name: string) => headers.get(name) ?? undefined
      const result = await http.whoCalls({ id: randomUUID(), method, header, address: undefined })
      return 'done' in result ? result.done : null
    },
    async listen() {
      const opened = await system.listen()
      listening.add(opened)
      return opened
    },
    async close() {
      await Promise.all([...listening].map(each => each.close()))
      await system.close()
    },
  }
}
