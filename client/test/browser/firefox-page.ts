// The script of a page that has the client in it, for the test's own hands. `#…`: another origin of the app's.
import { createClient, type State, stream } from '../../src/index.ts'

const client = createClient({ origins: location.hash ? [location.hash.slice(1)] : [] })

Object.assign(globalThis, {
  client,
  stream,
  /** A call that the app wants somebody signed in for; its status. */
  notes: async (init?: RequestInit): Promise<number> => (await client.fetch('/api/notes', init)).status,
  /** Resolves when it is so; it may be already. */
  reached: (status: State['status']): Promise<void> =>
    new Promise(resolve => {
      const look = (state: State) => state.status === status && resolve()
      client.subscribe(look)
      look(client.state)
    }),
  codeOf: (promise: Promise<unknown>): Promise<string> =>
    promise.then(
      () => 'resolved',
      error => (error instanceof DOMException ? error.name : error.code),
    ),
})
