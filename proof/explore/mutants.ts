// The rule with one thing weakened, one to a row, each with the promise that breaks and a small world that shows it; and the
// rule as it is beyond its bounds. A row whose promise holds after all shows that the walk would miss such a mistake.

import type { Change } from '../../server/src/core/change.ts'
import type { Line } from '../../server/src/core/model.ts'
import { decideStep, lineOf, type Step } from '../../server/src/core/session.ts'
import { takeStep } from '../../server/src/operations/session.ts'
import { walk } from './explore.ts'
import type { Told } from './result.ts'
import { type Rule, shipped } from './rule.ts'
import type { PromiseName, Scene } from './scene.ts'
import { calm } from './scenes.ts'
import { tellStory } from './story.ts'
import { openWorld } from './world.ts'

/** A rule, a world and the promise that breaks there. */
export type Mutant = {
  readonly name: string
  readonly rule: Rule
  readonly scene: Omit<Scene, 'name' | 'promises'>
  readonly breaks: PromiseName
}

type Steps = (line: Line, n: number, now: number, grace: number) => Step

/** The shipped refresh with another step. */
const stepping = (step: Steps): Rule => ({
  ...shipped,
  refresh: (facts, input, at) => {
    const { choice } = facts
    if (typeof choice !== 'object') return shipped.refresh(facts, input, at)
    return takeStep(choice, step(lineOf(choice.holder.session), choice.n, at.now, at.policy.grace), at)
  },
})

/** The shipped refresh, where a quiet answer sends a refresh token too. */
const sending = (number: (line: Line, n: number) => number): Rule => ({
  ...shipped,
  refresh: (facts, input, at) => {
    const decision = shipped.refresh(facts, input, at)
    const { choice } = facts
    if ('refusal' in decision || decision.changes.length > 0 || typeof choice !== 'object') return decision
    return { ...decision, mint: { ...decision.mint, refresh: number(choice.holder.session, choice.n) } }
  },
})

const isQuiet = (line: Line, now: number, grace: number) => now - line.changedAt <= grace

/** What the rule says when the row is not quiet. */
const later = (line: Line, n: number, now: number): Step => decideStep(line, n, now, Number.NEGATIVE_INFINITY)

const end: Step = { step: 'end' }
const quiet: Step = { step: 'quiet' }

const scene: Mutant['scene'] = { ...calm, atOnce: 2 }
const leaving: Mutant['scene'] = { ...scene, does: ['refresh', 'sign-out', 'sign-in'] }
const restoring: Mutant['scene'] = { ...scene, restores: 1 }
const stealing: Mutant['scene'] = { ...scene, thief: 'once' }

export const mutants: readonly Mutant[] = [
  {
    name: '`<` instead of `≤`: quiet for a moment less',
    rule: stepping((line, n, now, grace) => decideStep(line, n, now, grace - 1)),
    scene,
    breaks: 'H1',
  },
  {
    name: 'the successor advances the row while it is quiet',
    rule: stepping((line, n, now, grace) =>
      n === line.successor ? later(line, n, now) : decideStep(line, n, now, grace),
    ),
    scene,
    breaks: 'H1',
  },
  {
    name: 'a quiet answer sends the successor again',
    rule: sending(line => line.successor),
    scene: stealing,
    breaks: 'T1',
  },
  {
    name: 'a quiet answer sends back the number that came',
    rule: sending((_, n) => n),
    scene,
    breaks: 'H1',
  },
  {
    name: 'within the grace the current number gets a new child',
    rule: stepping((line, n, now, grace) =>
      n === line.current ? later(line, n, now) : decideStep(line, n, now, grace),
    ),
    scene,
    breaks: 'H1',
  },
  { name: 'the guard is dropped', rule: { ...shipped, guards: false }, scene, breaks: 'H1' },
  {
    name: 'a number whose answer was lost ends the session',
    rule: stepping((line, n, now, grace) =>
      n === line.current && !isQuiet(line, now, grace) ? end : decideStep(line, n, now, grace),
    ),
    scene,
    breaks: 'H1',
  },
  {
    name: 'a number beyond the successor is not adopted',
    rule: stepping((line, n, now, grace) => (n > line.successor ? end : decideStep(line, n, now, grace))),
    scene: restoring,
    breaks: 'H1',
  },
  {
    name: 'a number beyond the successor is adopted while the row is quiet',
    rule: stepping((line, n, now, grace) =>
      n > line.successor ? later(line, n, now) : decideStep(line, n, now, grace),
    ),
    scene: restoring,
    breaks: 'H1',
  },
  {
    name: '`previous` is not kept',
    rule: stepping((line, n, now, grace) =>
      isQuiet(line, now, grace) ? (n >= line.current ? quiet : end) : later(line, n, now),
    ),
    scene: restoring,
    breaks: 'H1',
  },
  {
    name: 'replaced numbers stay good',
    rule: stepping((line, n, now, grace) =>
      n >= line.previous && n < line.successor && n !== line.current && !isQuiet(line, now, grace)
        ? {
            step: 'change',
            wentBack: false,
            line: { previous: line.current, current: n, successor: line.successor + 1, changedAt: now },
          }
        : decideStep(line, n, now, grace),
    ),
    scene: stealing,
    breaks: 'T2',
  },
  {
    name: 'no number ever changes the row',
    rule: stepping(() => quiet),
    scene,
    breaks: 'G1',
  },
  {
    name: 'a number that was replaced is refused and ends nothing',
    rule: {
      ...shipped,
      refresh: (facts, input, at) => {
        const { choice } = facts
        const unaccused = typeof choice === 'object' ? { ...choice, first: true } : choice
        return shipped.refresh({ ...facts, choice: unaccused }, input, at)
      },
    },
    scene: stealing,
    breaks: 'T1',
  },
  {
    name: 'a change is guarded by the successor alone, as it will be',
    rule: {
      ...shipped,
      refresh: (facts, input, at) => {
        const decision = shipped.refresh(facts, input, at)
        const changes = decision.changes.map(change =>
          change.change === 'moveSession' ? { ...change, was: change.line } : change,
        )
        return { ...decision, changes }
      },
    },
    scene,
    breaks: 'T2',
  },
  {
    name: 'sign-out ends every session of the user',
    rule: {
      ...shipped,
      signOut: (named, input, at) => ({
        ...shipped.signOut(named, input, at),
        changes: [{ change: 'endSessionsOf', userId: 'u', except: null, because: 'signed_out', at: at.now }],
      }),
    },
    scene: leaving,
    breaks: 'H3',
  },
  {
    name: 'a password change opens its session before it ends the others',
    rule: {
      ...shipped,
      changePassword: (facts, input, at) => {
        const decision = shipped.changePassword(facts, input, at)
        const opens = ({ change }: Change) => change === 'openSession'
        const changes = [...decision.changes.filter(opens), ...decision.changes.filter(each => !opens(each))]
        return { ...decision, changes }
      },
    },
    scene: { ...leaving, does: ['refresh', 'password change'] },
    breaks: 'H3',
  },
  {
    name: 'a password change leaves the session it was made in alive',
    rule: {
      ...shipped,
      changePassword: (facts, input, at) => {
        const decision = shipped.changePassword(facts, input, at)
        const changes = decision.changes.flatMap((each): Change[] => {
          if (each.change === 'endSession') return []
          const except = 'caller' in facts ? facts.caller.session.id : null
          return [each.change === 'endSessionsOf' ? { ...each, except } : each]
        })
        return { ...decision, changes }
      },
    },
    scene: { ...leaving, does: ['refresh', 'password change'] },
    breaks: 'H2',
  },
  {
    name: 'a sign-in writes no sign-in cookie',
    rule: {
      ...shipped,
      signIn: (facts, input, at) => {
        const decision = shipped.signIn(facts, input, at)
        if ('refusal' in decision) return decision
        const { signIn: _, ...mint } = decision.mint ?? {}
        return { ...decision, mint }
      },
    },
    scene: leaving,
    breaks: 'H3',
  },
  {
    name: 'sign-out ends the session of the refresh cookie alone',
    rule: { ...shipped, signOutNames: 'refresh' },
    scene: leaving,
    breaks: 'H2',
  },
  {
    name: 'sign-out clears the sign-in cookie too',
    rule: { ...shipped, signOutClears: 'everything' },
    scene: leaving,
    breaks: 'H3',
  },
  {
    name: 'the refresh cookie decides which session is meant',
    rule: {
      ...shipped,
      choose: (jar, now) =>
        shipped.choose({ ...jar, signIn: [] }, now) ?? shipped.choose({ ...jar, refresh: [] }, now),
    },
    scene: leaving,
    breaks: 'H3',
  },
  {
    name: 'there is no sign-in cookie',
    rule: { ...shipped, choose: (jar, now) => shipped.choose({ ...jar, signIn: [] }, now) },
    scene: leaving,
    breaks: 'H3',
  },
  {
    name: 'a refused refresh clears the cookies',
    rule: { ...shipped, refusalClears: 'everything' },
    scene: leaving,
    breaks: 'H3',
  },
  {
    name: 'a sign-in ends no earlier session',
    rule: { ...shipped, signIn: (facts, input, at) => shipped.signIn({ ...facts, named: [] }, input, at) },
    scene: leaving,
    breaks: 'H2',
  },
  {
    name: 'who-am-I looks at the access cookie alone',
    rule: { ...shipped, caller: (shown, now) => shipped.caller({ ...shown, signIn: [] }, now) },
    scene: { ...leaving, access: true },
    breaks: 'H3',
  },
]

/** The shipped rule beyond what is promised: each bound is as tight as it is said to be. */
export const beyond: readonly Mutant[] = [
  {
    name: 'a thief is believed to be shut out after two new cookies, not three',
    rule: shipped,
    scene: { ...stealing, enough: 2 },
    breaks: 'T1',
  },
  {
    name: 'a thief is believed to be shut out after three new cookies although answers come as late as they like',
    rule: shipped,
    scene: { ...stealing, leg: null, enough: 3 },
    breaks: 'T1',
  },
  {
    name: 'the grace is shorter than two legs',
    rule: shipped,
    scene: { ...scene, leg: 2 },
    breaks: 'H1',
  },
  {
    name: 'the network takes as long as it likes',
    rule: shipped,
    scene: { ...scene, leg: null, losses: false },
    breaks: 'H1',
  },
]

/** The shortest way in which the promise breaks; undefined: it holds, and the walk would miss it. */
export function catchMutant({ name, rule, scene, breaks }: Mutant): Told | undefined {
  const world = openWorld({ ...scene, name, promises: [breaks] }, rule)
  const { broken } = walk(world, { promises: new Set([breaks]) })
  return broken && { mutant: name, breaks, story: tellStory(broken.path, broken) }
}
