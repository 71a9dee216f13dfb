// What the tabs of one browser do for each other: tell of sign-in and sign-out, and do some work one at a time. All of it only
// saves work and time. Absent, frozen or never answering, everything goes on without it.

/** For a lock that another tab holds, in milliseconds: it may hang, or be frozen. */
const longestLock = 3000

/** `hear`: whatever any script of this origin has sent. Undefined where there is none. */
export function openChannel(name: string, hear: (said: unknown) => void): BroadcastChannel | undefined {
  try {
    const channel = new BroadcastChannel(name)
    channel.onmessage = ({ data }) => hear(data)
    return channel
  } catch {
    // Some pages may not have one.
    return undefined
  }
}

/** Runs `work` while no other tab runs work of that name, and after `longestLock` anyway. */
export function alone<T>(name: string, work: () => Promise<T>): Promise<T> {
  let done: Promise<T> | undefined
  const go = () => {
    done ??= work()
    return done
  }
  const waiting =
    globalThis.location && navigator.locks?.request(name, { signal: AbortSignal.timeout?.(longestLock) }, go)
  // Not in time, or not at all: then without.
  return waiting ? waiting.catch(go) : go()
}
