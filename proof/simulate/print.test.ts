import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { type Crowd, liveTogether } from './crowd.ts'
import { assumptions, span } from './parameters.ts'
import { drawSimulation, place } from './picture.ts'
import { figure, lifeInWords, neverFoundInWords, printSimulation, signOutsInWords } from './print.ts'
import { type Result, resultOf, summarize } from './result.ts'
import { rules } from './rules.ts'

const minute = 60_000

const crowd = (signOuts: readonly number[], lives: readonly (number | null)[]): Crowd => ({
  signOuts: { within: signOuts.map(() => 0), delayed: signOuts, rough: signOuts },
  thiefLives: { 'own-pace': lives, behind: lives.map(() => null), asleep: lives },
})

/** Ten weeks: strict signs out ten times in each, the others once in all. */
const result = resultOf(
  5,
  10,
  rules.map(rule =>
    summarize(
      rule,
      crowd(
        Array.from({ length: 10 }, (_, i) => (rule.name === 'strict' ? 10 : Number(i === 0))),
        Array.from({ length: 10 }, (_, i) => (i + 1) * minute),
      ),
    ),
  ),
)

const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8')
const kept: Result = JSON.parse(read('../simulation.json'))

test('figures have three digits that count', () =>
  assert.deepEqual([96_432, 3405, 999.6, 54.55, 0.3689, 1_234_567].map(figure), [
    '96 400',
    '3410',
    '1000',
    '54.5',
    '0.369',
    '1 230 000',
  ]))

test('spans are said in the largest unit that gives at least one', () =>
  assert.deepEqual([60, 5000, 90_000, 3_600_000, 43_200_000, 129_600_000].map(span), [
    '60 ms',
    '5 s',
    '1.5 min',
    '1 h',
    '12 h',
    '1.5 d',
  ]))

test('nothing seen is printed with what may be behind it', () => {
  const [strict] = result.rules
  assert.ok(strict)
  assert.equal(signOutsInWords(strict.signOuts.within), 'none seen, so below 369')
  assert.equal(signOutsInWords(strict.signOuts.delayed), '10 000 (8140 to 12 200)')
  assert.equal(neverFoundInWords(strict.thieves['own-pace'].neverFound), 'none seen, so below 27.8 %')
  assert.equal(neverFoundInWords(strict.thieves.behind.neverFound), '100 % (72.2 % to 100 %)')
  assert.equal(lifeInWords(strict.thieves['own-pace'].median), '5 min (1 min to 10 min)')
  assert.equal(lifeInWords(strict.thieves.behind.p99), 'to the end')
})

test('no cell of a table is a bare 0', () => {
  for (const each of [result, kept]) assert.doesNotMatch(printSimulation(each), /\| 0(\.0+)?( %)? [|(]/)
})

test('the report has a row for each rule in each table, all that was assumed, and the command', () => {
  const text = printSimulation(result)
  for (const rule of rules) assert.equal(text.split(`\n| ${rule.title} |`).length - 1, 4, rule.name)
  for (const { what, value } of assumptions()) assert.ok(text.includes(`| ${what} | ${value} |`))
  assert.ok(text.includes('`npm run simulate -- --browsers 10 --seed 5`'))
})

test('the kept result was made under the rules and assumptions of today, and the picture is drawn from it', () => {
  assert.deepEqual(
    kept.rules.map(({ rule, title, says }) => [rule, title, says]),
    rules.map(({ name, title, says }) => [name, title, says]),
  )
  assert.deepEqual(kept.assumptions, assumptions())
  assert.deepEqual(kept.weathers, result.weathers)
  assert.equal(read('../../docs/pictures/simulation.svg'), drawSimulation(kept))
})

test('the kept result is what the code of today gives', () => {
  for (const { rule: name, firstOnes } of kept.rules) {
    const rule = rules.find(each => each.name === name)
    assert.ok(rule)
    const { signOuts } = liveTogether(rule, kept.seed, { from: 0, to: 20 })
    assert.equal(signOuts.rough.join(' '), firstOnes, `${name}: run \`${kept.command} --keep\` again`)
  }
})

/** The names of elements that are open at the end; throws at one that closes another. */
function openElements(xml: string): readonly string[] {
  const open: string[] = []
  for (const [, closes, name, empty] of xml.matchAll(/<(\/?)([a-z]+)(?: [a-zA-Z0-9:-]+="[^"<&]*")*(\/?)>/g)) {
    if (closes) assert.equal(open.pop(), name)
    else if (!empty && name !== undefined) open.push(name)
  }
  return open
}

test('the picture is well-formed, has a title and a description, and asks for nothing from elsewhere', () => {
  const svg = drawSimulation(result)
  assert.deepEqual(openElements(svg), [])
  const outsideOfTags = svg.replaceAll(/<(\/?)([a-z]+)(?: [a-zA-Z0-9:-]+="[^"<&]*")*(\/?)>/g, '')
  assert.doesNotMatch(outsideOfTags, /[<&](?!lt;|gt;|amp;)/)
  assert.match(svg, /<svg [^>]*role="img" aria-labelledby="title description"/)
  assert.match(svg, /<title id="title">.+<\/title>\n<desc id="description">.+<\/desc>/)
  assert.doesNotMatch(svg.replace('http://www.w3.org/2000/svg', ''), /https?:|url\(|@import|<image|<script/)
  assert.match(svg, /prefers-color-scheme: dark/)
})

test('an axis is logarithmic, and what is off it stands at its end', () => {
  const axis = { from: 1, to: 10_000, start: 88 }
  const end = place(axis, 10_000)
  assert.ok(end > 400)
  assert.deepEqual(
    [0, 1, 10, 100, 1e9].map(value => place(axis, value)),
    [88, 88, 88 + (end - 88) / 4, 88 + (end - 88) / 2, end],
  )
})

test('nothing counted has a mark of its own at 0, and a line to what may be behind it', () => {
  const svg = drawSimulation(result)
  const none = svg.split('\n').filter(line => line.includes('none seen: below 369'))
  assert.equal(none.length, 7)
  for (const line of none) assert.match(line, /<line x1="36" .*<circle cx="36" .*class="a open"/)
})
