// Time as this process has lived it: seconds in which the machine did something else count for moments. What a test says of
// time is then about what it tries. No measure of work: that counts for moments too.
import { setTimeout as sleep } from 'node:timers/promises'

/** Milliseconds: as much of what has passed between two looks counts. */
const most = 10

let past = 0
let lookedAt = performance.now()

/** Milliseconds since some moment; never more than have passed. */
export function lived(): number {
  const now = performance.now()
  past += Math.min(most, now - lookedAt)
  lookedAt = now
  return past
}

setInterval(lived, most / 2).unref()

/** Resolves when so many milliseconds have been lived. */
export async function live(milliseconds: number): Promise<void> {
  for (const began = lived(); lived() - began < milliseconds; ) await sleep(most / 2)
}
