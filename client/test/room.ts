// A page of an app with Rusk in it, in Node: a browser's jar, a proxy that can hold and drop, a client that is somebody's or
// nobody's. Arranges; asserts nothing.
import type { TestContext } from 'node:test'
import type { Options } from '../../server/src/index.ts'
import { type HoldingProxy, startProxy } from '../../server/test/late/proxy.ts'
import { createClient } from '../src/client.ts'
import type { Client, ClientOptions } from '../src/contract.ts'
import { type App, ada, openApp } from './app.ts'
import { type Browsing, withJar } from './jar.ts'

export type Room = {
  readonly app: App
  /** The page's own origin: what goes there reaches the app. */
  readonly proxy: HoldingProxy
  readonly browsing: Browsing
  readonly client: Client<unknown>
  /** Another page of the same browser. */
  tab(options?: ClientOptions<unknown>): Client<unknown>
  /** The access cookie has gone; the client does not know. */
  expire(): void
  /** How the calls to refresh were answered, as the client heard it. */
  refreshes(): readonly number[]
  /** A call that the app wants somebody signed in for; its status. */
  notes(): Promise<number>
}

export type RoomOptions = {
  readonly client?: ClientOptions<unknown>
  readonly rusk?: Options
  /** Ada is signed in unless it says so. */
  readonly empty?: true
  /** The origin of the page, if it is not the app's. */
  readonly page?: string
}

export async function openRoom(t: TestContext, options: RoomOptions = {}): Promise<Room> {
  const app = await openApp(t, {}, options.rusk)
  const proxy = await startProxy(app.url)
  t.after(proxy.close)
  const browsing = withJar(t, options.page ?? proxy.url)
  const tab: Room['tab'] = more => {
    const there = options.page === undefined ? {} : { baseUrl: proxy.url }
    const { dialect, delivery, ...rest } = { ...there, ...options.client, ...more }
    const client = dialect ? createClient({ ...rest, dialect }) : createClient({ ...rest, delivery })
    t.after(client.close)
    return client
  }
  const client = tab()
  if (!options.empty) await client.signUp(ada)
  browsing.forget()
  return {
    app,
    proxy,
    browsing,
    client,
    tab,
    expire: () => browsing.jar.drop('rusk_access'),
    refreshes: () => browsing.answers('POST /auth/refresh'),
    notes: async () => (await client.fetch(`${proxy.url}/api/notes`)).status,
  }
}

/** The code that a promise rejects with. */
export const codeOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'resolved',
    error => error.code ?? error,
  )
