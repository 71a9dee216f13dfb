// What a walk has shown, as it is kept and printed: one row to a world, one story to a weakened rule. Walks nothing.
import type { PromiseName } from './scene.ts'

export type Explored = {
  readonly world: string
  readonly says: string
  readonly atOnce: number
  readonly grace: number
  readonly leg: number | null
  readonly promises: readonly PromiseName[]
  readonly states: number
  readonly steps: number
  readonly depth: number
}

export type Told = {
  readonly mutant: string
  readonly breaks: PromiseName
  readonly story: readonly string[]
}

export type Explorations = {
  readonly worlds: readonly Explored[]
  readonly mutants: readonly Told[]
  /** The shipped rule beyond its bounds. */
  readonly beyond: readonly Told[]
}

/** `1 234 567` */
export const grouped = (count: number): string => String(count).replace(/\B(?=(\d{3})+$)/g, ' ')

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`

/** The table of worlds for the manual. */
export function printWorlds({ worlds }: Explorations): string {
  const states = worlds.reduce((sum, each) => sum + each.states, 0)
  const steps = worlds.reduce((sum, each) => sum + each.steps, 0)
  return [
    row(['world', 'what can happen', 'at once', 'grace, leg', 'promises', 'states', 'steps', 'depth']),
    `|${'---|'.repeat(5)}${'---:|'.repeat(3)}`,
    ...worlds.map(each =>
      row([
        each.world,
        each.says,
        String(each.atOnce),
        `${each.grace}, ${each.leg ?? 'no bound'}`,
        each.promises.join(' '),
        grouped(each.states),
        grouped(each.steps),
        String(each.depth),
      ]),
    ),
    row(['all', '', '', '', '', grouped(states), grouped(steps), '']),
  ].join('\n')
}

/** The stories, each under a heading of its own. */
export const printStories = (told: readonly Told[]): string =>
  told
    .map(({ mutant, breaks, story }) =>
      [
        `### ${mutant[0]?.toUpperCase()}${mutant.slice(1)}`,
        `Breaks ${breaks}.`,
        story.map((line, i) => `${i + 1}. ${line}`).join('\n'),
      ].join('\n\n'),
    )
    .join('\n\n')
