// Random ways through a world, the same for the same seed. Chooses; knows nothing of what the steps are.
import type { World } from './explore.ts'
import type { Broken, Telling } from './scene.ts'
import type { State } from './state.ts'

export type Taken = { readonly state: State; readonly telling: Telling; readonly broken: Broken | undefined }

/** Numbers from 0 to 1 (a linear congruential generator; good enough to choose a way). */
function chances(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

/** `weigh`: how often a step is taken, where there is a choice. */
export function chooseWay(
  world: World,
  seed: number,
  length: number,
  weigh: (telling: Telling) => number = () => 1,
): readonly Taken[] {
  const chance = chances(seed)
  const way: Taken[] = []
  let at = world.start
  while (way.length < length) {
    const open: Taken[] = []
    world.expand(at, (state, telling, broken) => open.push({ state, telling, broken }))
    let left = chance() * open.reduce((sum, { telling }) => sum + weigh(telling), 0)
    const chosen = open.find(({ telling }) => {
      left -= weigh(telling)
      return left < 0
    })
    if (!chosen) return way
    way.push(chosen)
    at = chosen.state
  }
  return way
}
