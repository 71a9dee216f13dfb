// When a server looks whether keys are due. What is due is decided in core/rotation.ts and done by the keyring.
import type { Engine } from './engine.ts'

/** About how often a server looks whether keys are due: often beside the shortest span, and rarely enough to cost nothing. */
const lookEvery = 60 * 60_000

/** The first look: by then a machine that starts with a wrong clock has set it right. */
const firstLookAfter = 10 * 60_000

/** A clock that has moved by more than this beside what has passed was set meanwhile, in milliseconds. */
const steady = 60_000

export type KeepOptions = {
  /** Milliseconds, about. */
  readonly every?: number | undefined
  /** Told what went wrong; the present keys go on, and the next look comes. */
  readonly onFault: (error: unknown) => void
}

/**
 * Rotates keys when they are due. Of several servers one does it: the others' commits touch no row. Looks some minutes after
 * the start, and then after spans that differ, so that a fleet does not look in step. Returns the stop, which waits for a look.
 */
export function keepKeys(
  { keyring, store, onEvent }: Pick<Engine, 'keyring' | 'store' | 'onEvent'>,
  { every = lookEvery, onFault }: KeepOptions,
): () => Promise<void> {
  let looking: Promise<void> | undefined
  let timer: NodeJS.Timeout | undefined
  let stopped = false
  let last = { now: store.now(), passed: performance.now() }
  /** What a clock says that was just set decides nothing that cannot be undone. */
  const isSteady = (): boolean => {
    const before = last
    last = { now: store.now(), passed: performance.now() }
    return Math.abs(last.now - before.now - (last.passed - before.passed)) <= steady
  }
  const look = async () => {
    try {
      if (isSteady()) for (const event of await keyring.keepUp(store.now())) onEvent(event)
    } catch (error) {
      onFault(error)
    }
    if (!stopped) lookIn(every * (0.5 + Math.random()))
  }
  const lookIn = (span: number) => {
    timer = setTimeout(() => {
      looking = look()
    }, span).unref()
  }
  lookIn(Math.min(every, firstLookAfter))
  return async () => {
    stopped = true
    clearTimeout(timer)
    await looking
  }
}
