// A simulation's result as Markdown, for the terminal and the manual alike. Nothing counted is never printed as a bare 0:
// what may be behind it stands beside it.
import { span, weatherNames } from './parameters.ts'
import type { Result, RuleResult, SignOuts, ThiefLife } from './result.ts'
import type { Quantile } from './statistics.ts'
import { type ThiefName, thieves } from './thieves.ts'

type Row = readonly string[]

const line = (cells: Row): string => `| ${cells.join(' | ')} |`
const table = (head: Row, rows: readonly Row[]): string =>
  [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n')

/** Three digits that count, and no more: `96 400`, `3 410`, `54.5`, `0.37`. */
export function figure(value: number): string {
  const short = Number(value.toPrecision(3))
  return short >= 10_000 ? String(short).replace(/\B(?=(\d{3})+$)/g, ' ') : String(short)
}

/** Per 1000 person-weeks. */
export const signOutsInWords = ({ counted, per1000, low, high }: SignOuts): string =>
  counted === 0
    ? `none seen, so below ${figure(high)}`
    : `${figure(per1000)} (${figure(low)} to ${figure(high)})`

const until = (value: number | null): string => (value === null ? 'the end' : span(value))

export const lifeInWords = ({ value, low, high }: Quantile): string =>
  value === null && low === null ? 'to the end' : `${until(value)} (${until(low)} to ${until(high)})`

export function neverFoundInWords({ counted, share, low, high }: ThiefLife['neverFound']): string {
  const percent = (part: number) => `${figure(part * 100)} %`
  if (counted === 0) return `none seen, so below ${percent(high)}`
  return `${percent(share)} (${percent(low)} to ${percent(high)})`
}

/** While it runs. */
export const inOneLine = ({ rule, signOuts, thieves: lives }: RuleResult): string =>
  [
    `${rule}: per 1000 person-weeks`,
    weatherNames.map(name => `${name} ${signOutsInWords(signOuts[name])}`).join(', '),
    '· thief, median:',
    thieves.map(({ name }) => `${name} ${until(lives[name].median.value)}`).join(', '),
  ].join(' ')

const signOutTable = ({ rules }: Result): string =>
  table(
    ['rule', 'within the bound', 'with delays', 'rough'],
    rules.map(({ title, signOuts }) => [title, ...weatherNames.map(name => signOutsInWords(signOuts[name]))]),
  )

const thiefTable = ({ rules }: Result, thief: ThiefName): string =>
  table(
    ['rule', 'median', '99th percentile', 'never found'],
    rules.map(({ title, thieves: lives }) => [
      title,
      lifeInWords(lives[thief].median),
      lifeInWords(lives[thief].p99),
      neverFoundInWords(lives[thief].neverFound),
    ]),
  )

/** Tables, what was assumed, and the command that gives the same again. */
export function printSimulation(result: Result): string {
  const { browsers, seed, command, weathers, rules, assumptions } = result
  return `${[
    `${figure(browsers)} browsers lived one week under each rule: seed ${seed}, \`${command}\`. In brackets and after ` +
      '“below”: 95 % intervals.',
    '**Spurious sign-outs per 1000 person-weeks.** Nobody had signed out, and a refresh was refused. ' +
      `Within the bound ${weathers.within}; with delays ${weathers.delayed}; rough: ${weathers.rough}.`,
    signOutTable(result),
    '**How long a thief keeps access**, from the copy until he is never let in again, with delays; “to the end”: he still ' +
      'was when the week ended, four to seven days after the copy. A rule that signs its owners out all the time ends its ' +
      'thieves’ sessions too.',
    ...thieves.flatMap(({ name, says }) => [`A thief who calls ${says}:`, thiefTable(result, name)]),
    '**The rules**, each in its kindest form; without another word the grace is ours:',
    rules.map(({ title, says }) => `- *${title}*: ${says}`).join('\n'),
    '**What was assumed**, the same for all; each browser is drawn by itself, and lives through the same under every rule ' +
      'until the rule makes a difference. The server decides one call at a time, tabs know nothing of each other, the ' +
      'cookies of an answer are taken when it arrives and those of a call are as they were when it was sent; signing in is ' +
      'not lost; a thief loses no call.',
    table(
      ['what', 'how much'],
      assumptions.map(({ what, value }) => [what, value]),
    ),
  ].join('\n\n')}\n`
}
