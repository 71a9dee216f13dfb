// A page's timers that ring sooner than they were set to, so that a test need not wait as long as people do.
import type { TestContext } from 'node:test'

/** Fetch keeps time too, and so does the test's app: whoever calls is the first on the stack but for this file and the mock. */
const isOfClient = (): boolean => {
  const others = new Error().stack?.split('\n').filter(line => !/Error|clock\.ts|test_runner/.test(line))
  return others?.[0]?.includes('/client/src/client.ts') ?? false
}

/**
 * Until the end of the test `setTimeout` is so many times quicker where the client sets it; the clock is as it was. What
 * it was set to, in milliseconds. `kept`: a wait that stays as long as it is, and is not told.
 */
export function hurry(t: TestContext, times: number, kept?: number): readonly number[] {
  const waits: number[] = []
  const { setTimeout } = globalThis
  t.mock.method(globalThis, 'setTimeout', (ring: () => void, wait = 0, ...more: []) => {
    if (wait === kept || !isOfClient()) return setTimeout(ring, wait, ...more)
    waits.push(wait)
    return setTimeout(ring, wait / times, ...more)
  })
  return waits
}
