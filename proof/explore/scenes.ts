// The worlds that are walked, as data: what can happen in each, what is promised there, and how far the quick and the deep
// walk go. Each runs dry.
import type { Scene } from './scene.ts'

export const calm: Omit<Scene, 'name' | 'atOnce' | 'promises'> = {
  grace: 2,
  leg: 1,
  skew: 0,
  does: ['refresh'],
  access: false,
  losses: true,
  ends: false,
  thief: 'never',
  restores: 0,
  behind: 4,
}

const leaving = ['refresh', 'sign-out', 'sign-in'] as const
export const everything = ['refresh', 'sign-out', 'sign-in', 'password change'] as const

/** All that a browser without a thief is promised. */
const browser = ['H1', 'H2', 'H3', 'H4', 'T2', 'G1', 'L1', 'X1'] as const

/** What is promised where there is a thief. */
const robbed = ['T1', 'T2', 'G1', 'X1'] as const

export type Walkable = {
  /** What happens there, in a sentence for people. */
  readonly says: string
  readonly scene: Omit<Scene, 'atOnce'>
  /** Calls and answers under way at once, quick and deep. */
  readonly quick: number
  readonly deep: number
}

export const walkables: readonly Walkable[] = [
  {
    says: 'tabs that refresh whenever they like; answers lost, delayed within the bound, overtaken; load and commit apart',
    scene: { ...calm, name: 'tabs', promises: ['H1', 'H3', 'T2', 'G1', 'L1', 'X1'] },
    quick: 5,
    deep: 8,
  },
  {
    says: 'the same by a finer clock: the grace is 4 ticks, a leg up to 2',
    scene: { ...calm, name: 'tabs, finer', grace: 4, leg: 2, promises: ['H1', 'H3', 'T2', 'G1', 'L1', 'X1'] },
    quick: 4,
    deep: 6,
  },
  {
    says: 'the same on servers whose clocks stand one tick apart: the grace is 5 ticks, a leg up to 2',
    scene: {
      ...calm,
      name: 'tabs, skewed',
      grace: 5,
      leg: 2,
      skew: 1,
      promises: ['H1', 'H3', 'T2', 'G1', 'L1', 'X1'],
    },
    quick: 3,
    deep: 5,
  },
  {
    says: 'sign-outs, sign-ins and password changes among the refreshes',
    scene: { ...calm, name: 'last wins', does: everything, promises: browser },
    quick: 2,
    deep: 3,
  },
  {
    says: 'the same on servers whose clocks stand one tick apart',
    scene: { ...calm, name: 'last wins, skewed', grace: 3, skew: 1, does: everything, promises: browser },
    quick: 2,
    deep: 2,
  },
  {
    says: 'with access cookies, which expire or lose their key',
    scene: { ...calm, name: 'last wins, access', does: leaving, access: true, promises: browser },
    quick: 2,
    deep: 3,
  },
  {
    says: 'sessions idle out, are revoked, their user is disabled, cookies expire',
    scene: { ...calm, name: 'last wins, ends', does: everything, ends: true, promises: browser },
    quick: 2,
    deep: 3,
  },
  {
    says: 'all of that at once',
    scene: { ...calm, name: 'last wins, all', does: everything, access: true, ends: true, promises: browser },
    quick: 2,
    deep: 2,
  },
  {
    says: 'the network takes as long as it likes',
    scene: {
      ...calm,
      name: 'late',
      leg: null,
      does: everything,
      promises: ['H2', 'H4', 'T2', 'G1', 'L1', 'X1'],
    },
    quick: 2,
    deep: 2,
  },
  {
    says: 'the same with one call at a time',
    scene: { ...calm, name: 'one by one', leg: null, does: everything, promises: browser },
    quick: 1,
    deep: 1,
  },
  {
    says: 'a thief with a copy, who presents what he holds whenever he likes, in either cookie, or signs out',
    scene: { ...calm, name: 'thief', thief: 'once', promises: robbed },
    quick: 2,
    deep: 4,
  },
  {
    says: 'the same while the network takes as long as it likes',
    scene: { ...calm, name: 'thief, late', leg: null, thief: 'once', promises: robbed },
    quick: 2,
    deep: 3,
  },
  {
    says: 'one call at a time, and the owner signs out, signs in and changes the password',
    scene: { ...calm, name: 'thief, all', does: everything, thief: 'once', promises: robbed },
    quick: 1,
    deep: 1,
  },
  {
    says: 'a thief who copies the cookies again and again',
    scene: { ...calm, name: 'thief, often', thief: 'often', promises: robbed },
    quick: 2,
    deep: 3,
  },
  {
    says: 'the same while the network takes as long as it likes',
    scene: { ...calm, name: 'thief, often, late', leg: null, thief: 'often', promises: robbed },
    quick: 1,
    deep: 2,
  },
  {
    says: 'a thief with a copy, on servers whose clocks stand one tick apart',
    scene: { ...calm, name: 'thief, skewed', grace: 3, skew: 1, thief: 'once', promises: robbed },
    quick: 1,
    deep: 2,
  },
  {
    says: 'the store goes back to an earlier copy, four numbers behind at most, twice, more than two graces apart',
    scene: { ...calm, name: 'restores', restores: 2, promises: ['H1', 'H3', 'T2', 'G1', 'L1', 'X1'] },
    quick: 2,
    deep: 3,
  },
  {
    says: 'the same with a copy twelve numbers behind at most',
    scene: {
      ...calm,
      name: 'restores, far',
      restores: 2,
      behind: 12,
      promises: ['H1', 'H3', 'T2', 'G1', 'L1', 'X1'],
    },
    quick: 1,
    deep: 2,
  },
  {
    says: 'the same, four behind, on servers whose clocks stand one tick apart',
    scene: {
      ...calm,
      name: 'restores, skewed',
      grace: 3,
      skew: 1,
      restores: 2,
      promises: ['H1', 'H3', 'T2', 'G1', 'L1', 'X1'],
    },
    quick: 1,
    deep: 3,
  },
  {
    says: 'the store goes back after a sign-out and brings the session back',
    scene: {
      ...calm,
      name: 'revived',
      does: ['refresh', 'sign-out'],
      access: true,
      restores: 1,
      promises: ['H1', 'H2', 'H3', 'T2', 'G1', 'L1', 'X1'],
    },
    quick: 1,
    deep: 2,
  },
]
