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
  const channel: (BroadcastChannel & { unref?(): void }) | undefined =
    globalThis.BroadcastChannel && new BroadcastChannel(name)
  if (channel) channel.onmessage = ({ data }) => hear(data)
  // In Node an open channel would keep the process alive.
  channel?.unref?.()
  return {
    tell: said => channel?.postMessage(said),
    alone: (patience, work) =>
      new Promise(resolve => {
        let done: ReturnType<typeof work> | undefined
        // Whichever is first: the lock, or the end of patience. A lock that comes later is let go of at once.
        const go = () => {
          clearTimeout(timer)
          done ??= work()
          resolve(done)
          return done.catch(() => {})
        }
        const timer = setTimeout(go, patience)
        const locks = globalThis.navigator?.locks
        // Some pages may not lock at all.
        if (locks) locks.request(name, go).catch(go)
        else go()
      }),
    close: () => channel?.close(),
  }
}
