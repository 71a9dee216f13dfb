// Walks every state that can be reached, breadth first, until there are no more; a broken promise is told by the shortest
// way to it. Knows neither the rule nor the world.

import type { Broken, Emit, Telling } from './scene.ts'
import { decode, type State } from './state.ts'

export type World = {
  readonly start: State
  expand(state: State, emit: Emit): void
  check(state: State): Broken | undefined
  /** Equal for states that differ in nothing that can ever matter. */
  key(state: State): string
}

export type Walked = {
  /** Different states that were reached. */
  readonly states: number
  /** Ways from one state to the next that were tried. */
  readonly steps: number
  /** Steps to the state that is furthest from the start. */
  readonly depth: number
  /** Undefined: nothing was left to walk. */
  readonly broken: (Broken & { readonly path: readonly Telling[] }) | undefined
}

export type Walk = {
  /** Which broken promises end the walk. */
  readonly promises: ReadonlySet<string>
  readonly onLevel?: (progress: { states: number; steps: number; depth: number; frontier: number }) => void
}

/** A Set of texts holds 2^24 at most: they are spread over many. */
const shards = 64

class Seen {
  readonly #sets = Array.from({ length: shards }, () => new Set<string>())
  size = 0

  /** False: it was there. */
  add(text: string): boolean {
    let hash = 0
    for (let i = 0; i < text.length; i += 3) hash = (hash * 31 + text.charCodeAt(i)) | 0
    const set = this.#sets[(hash >>> 0) % shards]
    if (!set || set.has(text)) return false
    set.add(text)
    this.size++
    return true
  }
}

export function walk(world: World, { promises, onLevel }: Walk): Walked {
  const seen = new Seen()
  const levels: string[][] = [[world.key(world.start)]]
  seen.add(levels[0]?.[0] ?? '')
  let steps = 0
  let found: { broken: Broken; last: string; next: string } | undefined
  const ended = (): Walked => ({
    states: seen.size,
    steps,
    depth: levels.length - 1,
    broken: found && { ...found.broken, path: retrace(world, levels, found) },
  })

  for (let depth = 0; ; depth++) {
    const frontier: string[] = []
    for (const text of levels[depth] ?? []) {
      world.expand(decode(text), (next, _, broken) => {
        steps++
        const to = world.key(next)
        if (broken && promises.has(broken.promise)) found ??= { broken, last: text, next: to }
        if (!seen.add(to)) return
        frontier.push(to)
        const kept = world.check(next)
        if (kept && promises.has(kept.promise)) found ??= { broken: kept, last: text, next: to }
      })
      if (found) return ended()
    }
    if (frontier.length === 0) return ended()
    levels.push(frontier)
    onLevel?.({ states: seen.size, steps, depth: depth + 1, frontier: frontier.length })
  }
}

type Found = { readonly broken: Broken; readonly last: string; readonly next: string }

/** The way to a broken promise, walked once more without renumbering, so that the story's numbers are the true ones. */
function retrace(
  world: World,
  levels: readonly (readonly string[])[],
  { broken, last, next }: Found,
): Telling[] {
  const keys = [next, last]
  for (let depth = levels.length - 2; depth >= 0; depth--) {
    const before = levels[depth]?.find(text => leadsTo(world, text, keys.at(-1) ?? ''))
    if (before !== undefined) keys.push(before)
  }
  const path: Telling[] = []
  let at = world.start
  for (const key of keys.reverse().slice(1)) {
    const step = stepTo(world, at, key, key === next ? broken.promise : undefined)
    path.push(step.telling)
    at = step.state
  }
  return path
}

function leadsTo(world: World, text: string, key: string): boolean {
  let leads = false
  world.expand(decode(text), state => {
    leads ||= world.key(state) === key
  })
  return leads
}

function stepTo(world: World, from: State, key: string, promise: string | undefined) {
  const fitting: { state: State; telling: Telling; breaks: boolean }[] = []
  world.expand(from, (state, telling, broken) => {
    if (world.key(state) === key) fitting.push({ state, telling, breaks: broken?.promise === promise })
  })
  const step = fitting.find(each => each.breaks) ?? fitting[0]
  if (!step) throw new Error('The way to a state could not be walked a second time')
  return step
}
