import assert from 'node:assert/strict'
import { test } from 'node:test'
import { liveTogether } from './crowd.ts'
import { habits, weathers, week } from './parameters.ts'
import type { Person } from './person.ts'
import { seeded } from './random.ts'
import { type Rule, rules } from './rules.ts'
import { type ThiefName, thieves } from './thieves.ts'
import { liveAWeek } from './week.ts'

const minute = 60_000
const hour = 60 * minute

function named(name: string): Rule {
  const rule = rules.find(each => each.name === name)
  assert.ok(rule)
  return rule
}

/** One tab, awake all week, on a network that loses and holds nothing. */
const calm: Person = {
  device: 'laptop',
  habits: { ...habits.laptop, lost: 0, held: 0 },
  tabs: 1,
  awake: [{ from: 0, to: week - 1 }],
  handOvers: [],
  deploys: [],
}

const live = (rule: Rule, person: Person, name?: ThiefName) => {
  const thief = thieves.find(each => each.name === name)
  return liveAWeek({
    person,
    rule,
    weather: weathers.within,
    random: seeded(1),
    ...(thief && { theft: { thief, copiesAt: 10 * hour + 4 * minute, random: seeded(2) } }),
  })
}

test('one tab on a network that loses nothing is signed out by no rule', () => {
  for (const rule of rules) assert.equal(live(rule, calm).signOuts, 0, rule.name)
})

// [rule, thief, least and most of his access], found; or to the end. One tab that loses nothing
const lives: [string, ThiefName, [number, number] | 'to the end'][] = [
  ['strict', 'behind', [0, 10 * minute]],
  ['strict', 'own-pace', [0, 11 * minute]],
  ['new-child', 'behind', 'to the end'],
  ['new-child', 'own-pace', 'to the end'],
  ['new-child-kills', 'behind', [0, 20 * minute]],
  ['same-successor', 'behind', 'to the end'],
  ['one-behind', 'behind', 'to the end'],
  ['this-rule', 'behind', [20 * minute, 35 * minute]],
  ['this-rule', 'own-pace', [10 * minute, 35 * minute]],
]
for (const [rule, thief, want] of lives)
  test(`${rule}: a thief ${thief} has access ${want === 'to the end' ? want : 'and is found'}`, () => {
    const { thiefLife } = live(named(rule), calm, thief)
    if (want === 'to the end') assert.equal(thiefLife, null)
    else assert.ok(thiefLife !== null && thiefLife >= want[0] && thiefLife <= want[1], String(thiefLife))
  })

const sleep = { from: 10 * hour + 5 * minute, to: 16 * hour }
const sleeper: Person = {
  ...calm,
  awake: [
    { from: 0, to: sleep.from },
    { from: sleep.to, to: week - 1 },
  ],
}

test('a thief who waits for the owner to sleep lives until the owner wakes, and not much longer', () => {
  const { thiefLife } = live(named('this-rule'), sleeper, 'asleep')
  assert.ok(thiefLife !== null && thiefLife > 5 * hour && thiefLife < 7 * hour, String(thiefLife))
})

test('a thief whose token is used up has access until his access token ends, not until he is found', () => {
  const late = { ...sleeper, awake: [{ from: 0, to: 12 * hour }, ...sleeper.awake.slice(1)] }
  const { thiefLife } = live(named('strict'), late, 'asleep')
  assert.ok(thiefLife !== null && thiefLife < 10 * minute, String(thiefLife))
})

/** A tab gives up before any answer is back. */
const slow: Person = { ...calm, habits: { ...calm.habits, leg: 10_000, spread: 0 } }

test('the cookies of an answer that a tab has given up are taken when they come', () => {
  // Were they not, the owner would present number 1 for ever, and so could the thief.
  const { thiefLife } = live(named('this-rule'), slow, 'behind')
  assert.ok(thiefLife !== null && thiefLife < hour, String(thiefLife))
  assert.equal(live(named('this-rule'), slow).signOuts, 0)
})

test('a late refusal that clears the cookies undoes the next sign-in', () => {
  const jumpy: Person = {
    ...calm,
    tabs: 3,
    habits: { ...calm.habits, held: 0.2, holding: [20_000, minute], signIn: [10_000, 20_000] },
  }
  const [clearing, plain] = ['strict-clearing', 'strict'].map(name => live(named(name), jumpy).signOuts)
  assert.ok(clearing !== undefined && plain !== undefined && clearing > plain * 1.05, `${clearing} ${plain}`)
})

test('a thief behind the owner does not stir when the owner is sent the same token again', () => {
  const awake = Array.from({ length: 80 }, (_, i) => ({ from: i * 2 * hour, to: i * 2 * hour + 5 * minute }))
  const pair: Person = { ...calm, tabs: 2, awake, habits: { ...calm.habits, leg: 300, spread: 0 } }
  assert.equal(live(named('same-successor'), pair, 'behind').thiefLife, null)
})

test('what a tab had planned is void once it wakes', () => {
  const counts = { calls: 0 }
  const counting: Rule = {
    ...named('this-rule'),
    open() {
      const server = named('this-rule').open()
      return {
        ...server,
        refresh(carried, now) {
          counts.calls++
          return server.refresh(carried, now)
        },
      }
    },
  }
  const awake = Array.from({ length: 100 }, (_, i) => ({
    from: i * 6 * minute,
    to: i * 6 * minute + 5 * minute,
  }))
  live(counting, { ...calm, awake })
  assert.equal(counts.calls, 99, 'one to a waking; the first is the sign-in')
})

test('tabs that wake together sign people out under strict rules, and not under this one', () => {
  const awake = Array.from({ length: 20 }, (_, i) => ({ from: i * 2 * hour, to: i * 2 * hour + hour }))
  const woken = { ...calm, tabs: 5, awake }
  assert.ok(live(named('strict'), woken).signOuts >= 19)
  assert.equal(live(named('this-rule'), woken).signOuts, 0)
})

test('the same seed gives the same weeks, also to some of the browsers alone; another gives others', () => {
  const rule = named('same-successor')
  const all = liveTogether(rule, 7, { from: 0, to: 12 })
  const some = liveTogether(rule, 7, { from: 8, to: 12 })
  assert.deepEqual(liveTogether(rule, 7, { from: 0, to: 12 }), all)
  assert.deepEqual(some.signOuts.rough, all.signOuts.rough.slice(8))
  assert.deepEqual(some.thiefLives.behind, all.thiefLives.behind.slice(8))
  assert.notDeepEqual(liveTogether(rule, 8, { from: 0, to: 12 }), all)
})

test('no two browsers live the same week', () => {
  const { signOuts } = liveTogether(named('strict'), 7, { from: 0, to: 12 })
  assert.ok(new Set(signOuts.within).size > 9, String(signOuts.within))
})

test('within the bound this rule signs nobody out in two hundred weeks, and strict rotation thousands', () => {
  const sum = (counts: readonly number[]) => counts.reduce((all, count) => all + count, 0)
  const crowd = { from: 0, to: 200 }
  assert.equal(sum(liveTogether(named('this-rule'), 11, crowd).signOuts.within), 0)
  assert.ok(sum(liveTogether(named('strict'), 11, crowd).signOuts.within) > 2000)
})

test('no thief outlives the week under this rule', () => {
  const { thiefLives } = liveTogether(named('this-rule'), 12, { from: 0, to: 100 })
  for (const { name } of thieves) assert.ok(!thiefLives[name].includes(null), name)
})
