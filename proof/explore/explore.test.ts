// The quick walk of every world, and the proof that the walk would see a mistake: each weakened rule is caught, and its
// story is the one the manual tells.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { beyond, catchMutant, mutants } from './mutants.ts'
import { shipped } from './rule.ts'
import { exploreWorld, readKept } from './run.ts'
import { calm, everything, walkables } from './scenes.ts'
import { decode, encode, type State } from './state.ts'
import { tellStory } from './story.ts'
import { chooseWay } from './way.ts'
import { openWorld } from './world.ts'

const stale = 'the manual tells of another walk: npm run explore -- --deep --keep'

describe('every interleaving', () => {
  for (const walkable of walkables) {
    const { scene, quick, says } = walkable
    test(`${scene.name}, ${quick} at once (${says}): ${scene.promises.join(' ')} hold`, t => {
      const { states, steps, depth, broken } = exploreWorld(walkable, quick)
      assert.equal(broken && tellStory(broken.path, broken).join('\n'), undefined)
      assert.ok(states > 200, 'a walk that goes nowhere proves nothing')
      const kept = readKept().worlds.find(({ world, atOnce }) => world === scene.name && atOnce === quick)
      if (kept) assert.deepEqual([kept.states, kept.steps, kept.depth], [states, steps, depth], stale)
      t.diagnostic(`${states} states, ${steps} steps`)
    })
  }
})

for (const [kind, all] of Object.entries({ mutants, beyond })) {
  describe(kind === 'mutants' ? 'weakened rules' : 'the rule beyond its bounds', () => {
    for (const mutant of all) {
      test(`${mutant.name}: breaks ${mutant.breaks}`, () => {
        const told = catchMutant(mutant)
        assert.ok(told, `${mutant.breaks} holds after all`)
        const keptHere = readKept()[kind === 'mutants' ? 'mutants' : 'beyond']
        assert.deepEqual(
          keptHere.find(each => each.mutant === mutant.name),
          told,
          stale,
        )
      })
    }
  })
}

test('what is kept is of these worlds and these rules', () => {
  const { worlds, mutants: told } = readKept()
  assert.deepEqual(
    worlds.map(({ states, steps, depth, ...world }) => world),
    walkables.map(({ scene, says, deep }) => ({
      world: scene.name,
      says,
      atOnce: deep,
      grace: scene.grace,
      leg: scene.leg,
      promises: scene.promises,
    })),
  )
  assert.deepEqual(
    told.map(({ mutant, breaks }) => ({ mutant, breaks })),
    mutants.map(({ name, breaks }) => ({ mutant: name, breaks })),
  )
})

const busy = {
  ...calm,
  name: 'busy',
  atOnce: 3,
  does: everything,
  access: true,
  ends: true,
  thief: 'often',
  restores: 1,
  promises: ['H1'],
} as const
const world = openWorld(busy, shipped)

/** Some thousand states of a world in which everything happens. */
const someStates = (): readonly State[] =>
  Array.from({ length: 120 }, (_, seed) => chooseWay(world, seed + 1, 40).map(({ state }) => state)).flat()

test('the text of a state says all of it: reading it and writing it again changes nothing', () => {
  for (const state of someStates()) {
    const text = encode(state, false)
    assert.equal(encode(decode(text), false), text)
  }
})

test('states with one text lead to the same states and break the same promises: numbers, sessions and calls are but names', () => {
  const leadsTo = (state: State) => {
    const here = encode(state, false)
    const texts = new Set<string>()
    world.expand(state, (next, _, broken) => {
      const there = encode(next, false)
      // What befalls a session that nobody can name any more leads nowhere.
      if (there !== here || broken) texts.add(JSON.stringify([there, broken, world.check(next)]))
    })
    return [...texts].sort()
  }
  for (const state of someStates()) assert.deepEqual(leadsTo(decode(encode(state, false))), leadsTo(state))
})

const command = fileURLToPath(new URL('run.ts', import.meta.url))
const explore = (...args: readonly string[]) =>
  spawnSync(process.execPath, [command, ...args], { encoding: 'utf8' })

test('the command walks the worlds that were asked for, and tells what it saw', () => {
  const { status, stdout, stderr } = explore('--world', 'finer', '--at-once', '2')
  assert.equal(status, 0, stderr)
  assert.match(stdout, /^tabs, finer, 2 at once: [\d ]+ states, .* dry, H1 .* hold$/m)
  assert.match(stdout, new RegExp(`${mutants.length} weakened rules caught`))
})

// [arguments, what it says]
const misuses: [string[], RegExp][] = [
  [['--at-once', '9'], /--at-once 9: it is a number from 1 to 8/],
  [['--world', 'nowhere'], /--world nowhere: there is none\. There are tabs;/],
  [['--keep'], /--keep: .* Give --deep --keep/],
  [['--fast'], /--fast/],
]
for (const [args, says] of misuses) {
  test(`${args.join(' ')} is refused, and the way to write it is told`, () => {
    const { status, stderr } = explore(...args)
    assert.equal(status, 2)
    assert.match(stderr, says)
    assert.match(stderr, /npm run explore \[-- --deep\]/)
  })
}
