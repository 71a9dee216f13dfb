// What the tabs of one browser do for each other: tell of sign-in and sign-out, and renew one at a time. All of it only
// saves work and time. Absent, frozen or never answering, everything goes on without it.

export type Tabs = {
  /** To every other tab. */
  tell(said: unknown): void
  /** Runs `work` while no other tab runs such work, and after `patience` milliseconds anyway. */
  alone<T>(patience: number, work: () => Promise<T>): Promise<T>
  close(): void
}

/** `hear`: whatever any script of this origin has sent. */
export function openTabs(name: string, hear: (said: unknown) => void): Tabs {
  // A program has no tabs: what runs on a server for one person is nothing to the next.
  const { location, navigator } = globalThis
  let channel: BroadcastChannel | undefined
  try {
    if (location) channel = new BroadcastChannel(name)
  } catch {
    // Some pages may not have one.
  }
  if (channel) channel.onmessage = ({ data }) => hear(data)
  return {
    tell: said => channel?.postMessage(said),
    alone(patience, work) {
      let done: ReturnType<typeof work> | undefined
      const go = () => {
        done ??= work()
        return done
      }
      const waiting =
        location && navigator.locks?.request(name, { signal: AbortSignal.timeout?.(patience) }, go)
      // Not in time, or not at all: then without.
      return waiting ? waiting.catch(go) : go()
    },
    close() {
      channel?.close()
      channel = undefined
    },
  }
}
