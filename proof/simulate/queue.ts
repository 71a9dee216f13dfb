// What is to happen, in the order of time; at the same moment in the order of asking. Knows nothing of what happens.

type Due = { readonly at: number; readonly act: () => void }

export type Queue = {
  /** The moment that is being lived. */
  now(): number
  /** Never is Infinity, and is forgotten at once. */
  at(moment: number, act: () => void): void
  /** Lives on until nothing is due before `end`, or `enough` says so after something has happened. */
  live(end: number, enough: () => boolean): void
}

/** Few things are due at a time: a sorted list, the soonest last. */
export function openQueue(): Queue {
  const due: Due[] = []
  let now = 0
  return {
    now: () => now,
    at(moment, act) {
      if (moment === Number.POSITIVE_INFINITY) return
      let place = due.length
      while (place > 0 && (due[place - 1]?.at ?? 0) <= moment) place--
      due.splice(place, 0, { at: moment, act })
    },
    live(end, enough) {
      for (let next = due.pop(); next && next.at < end; next = due.pop()) {
        now = Math.max(now, next.at)
        next.act()
        if (enough()) return
      }
    },
  }
}
