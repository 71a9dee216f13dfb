// `npm run explore`: walks every world until it runs dry, and tells how each weakened rule is caught. `--deep` goes as far
// as the manual says, `--world TEXT` walks the worlds with that in their name, `--at-once N` another width, `--mutants` the
// weakened rules alone, `--keep` writes what the manual prints. Ends with 1 when a promise is broken, 2 when misused.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { type Walked, walk } from './explore.ts'
import { beyond, catchMutant, mutants } from './mutants.ts'
import { type Explorations, type Explored, grouped, type Told } from './result.ts'
import { shipped } from './rule.ts'
import { promises } from './scene.ts'
import { type Walkable, walkables } from './scenes.ts'
import { tellStory } from './story.ts'
import { openWorld } from './world.ts'

export const kept = fileURLToPath(new URL('../explored.json', import.meta.url))

export const readKept = (): Explorations => JSON.parse(readFileSync(kept, 'utf8'))

/** Walks one world; `onLevel` is told how far it is. */
export function exploreWorld(
  { scene }: Walkable,
  atOnce: number,
  onLevel?: NonNullable<Parameters<typeof walk>[1]['onLevel']>,
): Walked {
  const world = openWorld({ ...scene, atOnce }, shipped)
  return walk(world, { promises: new Set(scene.promises), ...(onLevel ? { onLevel } : {}) })
}

function say(line: string): void {
  process.stdout.write(`${process.stdout.isTTY ? '\r\x1b[2K' : ''}${line}\n`)
}

/** Half of the states of a breadth-first walk lie in its widest level, so there is no honest percentage: it tells counts. */
function progress(name: string): NonNullable<Parameters<typeof walk>[1]['onLevel']> {
  return ({ states, depth, frontier }) => {
    if (process.stdout.isTTY)
      process.stdout.write(
        `\r\x1b[2K${name}: depth ${depth}, ${grouped(states)} states, ${grouped(frontier)} to go on from`,
      )
  }
}

function misused(wrong: string): never {
  process.stderr.write(
    `${wrong}\nnpm run explore [-- --deep] [--world TEXT] [--at-once 1…8] [--mutants] [--keep]\n`,
  )
  process.exit(2)
}

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        deep: { type: 'boolean', default: false },
        world: { type: 'string' },
        'at-once': { type: 'string' },
        mutants: { type: 'boolean', default: false },
        keep: { type: 'boolean', default: false },
      },
    })
    const atOnce = values['at-once']
    if (atOnce !== undefined && !/^[1-8]$/.test(atOnce))
      misused(`--at-once ${atOnce}: it is a number from 1 to 8.`)
    const chosen = walkables.filter(({ scene }) => scene.name.includes(values.world ?? ''))
    if (chosen.length === 0)
      misused(
        `--world ${values.world}: there is none. There are ${walkables.map(({ scene }) => scene.name).join('; ')}.`,
      )
    if (values.keep && (!values.deep || values.world !== undefined || atOnce !== undefined || values.mutants))
      misused('--keep: it keeps the whole deep walk. Give --deep --keep and nothing else.')
    return { ...values, atOnce: atOnce === undefined ? undefined : Number(atOnce), chosen }
  } catch (error) {
    return misused(error instanceof Error ? error.message : String(error))
  }
}

function main(): void {
  const { deep, mutants: only, keep, atOnce, chosen } = readOptions()
  const worlds: Explored[] = []
  for (const walkable of only ? [] : chosen) {
    const { scene, says } = walkable
    const width = atOnce ?? (deep ? walkable.deep : walkable.quick)
    const began = performance.now()
    const { states, steps, depth, broken } = exploreWorld(walkable, width, progress(scene.name))
    const took = ((performance.now() - began) / 1000).toFixed(1)
    say(
      `${scene.name}, ${width} at once: ${grouped(states)} states, ${grouped(steps)} steps, depth ${depth}, ${took} s: ${broken ? 'BROKEN' : `dry, ${scene.promises.join(' ')} hold`}`,
    )
    if (broken) {
      for (const line of tellStory(broken.path, broken)) say(`  ${line}`)
      process.exitCode = 1
    }
    worlds.push({
      world: scene.name,
      says,
      atOnce: width,
      grace: scene.grace,
      leg: scene.leg,
      promises: scene.promises,
      states,
      steps,
      depth,
    })
  }
  const told = { mutants: tell(mutants), beyond: tell(beyond) }
  if (process.exitCode === 1 || only) return
  const states = worlds.reduce((sum, each) => sum + each.states, 0)
  say(
    `\n${Object.keys(promises).length} promises, ${worlds.length} worlds, ${grouped(states)} states; ${told.mutants.length} weakened rules caught.`,
  )
  if (keep) writeFileSync(kept, `${JSON.stringify({ worlds, ...told }, null, 1)}\n`)
}

/** Tells how each breaks; one that does not is a failure. */
function tell(all: typeof mutants): readonly Told[] {
  return all.flatMap(mutant => {
    const caught = catchMutant(mutant)
    say(
      caught
        ? `\n${mutant.name}: breaks ${mutant.breaks}`
        : `\n${mutant.name}: NOT caught, ${mutant.breaks} holds`,
    )
    for (const [i, line] of (caught?.story ?? []).entries()) say(`  ${i + 1}. ${line}`)
    if (!caught) process.exitCode = 1
    return caught ? [caught] : []
  })
}

if (import.meta.main) main()
