// The picture of a simulation, for light and dark pages and narrow screens: two panels with logarithmic axes, text as
// text. Judges nothing: the figures come as they were found.
import { span } from './parameters.ts'
import { figure, signOutsInWords } from './print.ts'
import type { Result, RuleResult, SignOuts, ThiefLife } from './result.ts'
import { thieves } from './thieves.ts'

/** Those of the usual grace are in the tables only. */
const pictured = [
  'strict',
  'strict-clearing',
  'new-child',
  'new-child-kills',
  'same-successor',
  'one-behind',
  'this-rule',
]

const width = 600
const left = 24
const right = width - 118
const lineHeight = 16
const labelHeight = 22
const gap = 8

const style = `
  text { font: 12px system-ui, sans-serif; fill: #1f2328 }
  .title { font-size: 15px; font-weight: 600 } .label { font-weight: 600 } .note { fill: #59636e }
  .page { fill: #ffffff } .grid { stroke: #d1d9e0 } .ours { fill: #ddf4ff }
  .a { stroke: #0969da; fill: #0969da } .b { stroke: #bc4c00; fill: #bc4c00 } .c { stroke: #8250df; fill: #8250df }
  .open { fill: #ffffff }
  line { stroke-width: 2 } .grid { stroke-width: 1 }
  @media (max-width: 480px) { text { font-size: 15px } .title { font-size: 18px } }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc } .note { fill: #9198a1 } .page, .open { fill: #0d1117 } .grid { stroke: #3d444d } .ours { fill: #10233c }
    .a { stroke: #4493f8; fill: #4493f8 } .b { stroke: #f0883e; fill: #f0883e } .c { stroke: #ab7df8; fill: #ab7df8 }
    .open { fill: #0d1117 }
  }`

const escapeText = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

type Anchor = 'start' | 'middle' | 'end'

const round = (at: number): number => Math.round(at * 10) / 10
const text = (x: number, y: number, words: string, kind = '', anchor: Anchor = 'start') =>
  `<text x="${round(x)}" y="${round(y)}" class="${kind}" text-anchor="${anchor}">${escapeText(words)}</text>`
const stroke = (x1: number, y1: number, x2: number, y2: number, kind: string) =>
  `<line x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}" class="${kind}"/>`
const dot = (x: number, y: number, kind: string) =>
  `<circle cx="${round(x)}" cy="${round(y)}" r="4" class="${kind}"/>`

type Axis = { readonly from: number; readonly to: number; readonly start: number }

/** Where a value stands; what is off the axis stands at its end. */
export const place = ({ from, to, start }: Axis, value: number): number =>
  start + (right - start) * Math.min(1, Math.max(0, Math.log(value / from) / Math.log(to / from)))

/** Drawn at this height. */
type Mark = (y: number) => string
type Panel = {
  readonly title: string
  readonly note: string
  readonly legend: readonly { readonly kind: string; readonly words: string }[]
  readonly axis: Axis
  readonly ticks: readonly { readonly at: number; readonly words: string }[]
  readonly marks: (rule: RuleResult) => readonly Mark[]
}

/** Room for a clear 0, left of where the axis begins. */
const counts: Axis = { from: 0.1, to: 200_000, start: left + 60 }

const weathersShown = [
  { name: 'within', kind: 'a', words: 'each way takes a minute at most' },
  { name: 'delayed', kind: 'b', words: 'some ways take longer' },
] as const

const signOuts: Panel = {
  title: 'Spurious sign-outs per 1000 person-weeks',
  note: 'with 95 % intervals',
  legend: [...weathersShown],
  axis: counts,
  ticks: [
    { at: 0, words: '0' },
    ...[0.1, 1, 10, 100, 1000, 10_000, 100_000].map(at => ({ at, words: figure(at) })),
  ],
  marks: ({ signOuts }) =>
    weathersShown.map(
      ({ name, kind }) =>
        y =>
          drawCount(signOuts[name], y, kind),
    ),
}

function drawCount({ counted, per1000, low, high }: SignOuts, y: number, kind: string): string {
  const none = counted === 0
  const at = none ? left + 12 : place(counts, per1000)
  const end = place(counts, high)
  return [
    stroke(none ? at : place(counts, low), y, end, y, kind),
    dot(at, y, none ? `${kind} open` : kind),
    text(Math.max(at, end) + 9, y + 4, none ? `none seen: below ${figure(high)}` : figure(per1000)),
  ].join('')
}

const minute = 60_000
const day = 1440 * minute
const lives: Axis = { from: minute, to: 7 * day, start: left }
const kinds = ['a', 'b', 'c'] as const

const thiefLives: Panel = {
  title: 'How long a thief keeps access',
  note: 'dot: median; line: to the 99th percentile; “never”: not found by the end',
  legend: thieves.map(({ says }, i) => ({ kind: kinds[i] ?? '', words: says })),
  axis: lives,
  ticks: [1, 10, 60, 360, 1440, 10_080].map(minutes => ({
    at: minutes * minute,
    words: span(minutes * minute),
  })),
  marks: rule =>
    thieves.map(
      ({ name }, i) =>
        y =>
          drawLife(rule.thieves[name], y, kinds[i] ?? ''),
    ),
}

function drawLife({ median, p99, neverFound }: ThiefLife, y: number, kind: string): string {
  const from = median.value === null ? right : place(lives, median.value)
  const to = p99.value === null ? right : place(lives, p99.value)
  const arrow = `<path d="M${right} ${y - 5}l8 5l-8 5z" class="${kind}"/>`
  const never = `${Number((neverFound.share * 100).toPrecision(2))} % never`
  return [
    stroke(from, y, to, y, kind),
    median.value === null ? '' : dot(from, y, kind),
    p99.value === null ? arrow : stroke(to, y - 4, to, y + 4, kind),
    neverFound.counted === 0 ? '' : text(width - 6, y + 4, never, '', 'end'),
  ].join('')
}

function drawPanel(
  { title, note, legend, axis, ticks, marks }: Panel,
  rules: readonly RuleResult[],
  top: number,
) {
  const parts = [text(left, top + 16, title, 'title'), text(left, top + 36, note, 'note')]
  let y = top + 54
  for (const { kind, words } of legend) {
    parts.push(dot(left + 6, y - 4, kind), text(left + 18, y, words))
    y += lineHeight
  }
  const start = y
  const rows: string[] = []
  y = start
  for (const rule of rules) {
    const drawn = marks(rule)
    const height = labelHeight + drawn.length * lineHeight
    if (rule.rule === 'this-rule')
      rows.push(
        `<rect x="${left - 12}" y="${y}" width="${width - left + 6}" height="${height + 4}" rx="4" class="ours"/>`,
      )
    rows.push(text(left, y + 16, rule.title, 'label'))
    drawn.forEach((mark, i) => {
      rows.push(mark(y + labelHeight + i * lineHeight + lineHeight / 2))
    })
    y += height + gap
  }
  for (const { at, words } of ticks) {
    const x = at === 0 ? left + 12 : place(axis, at)
    rows.push(stroke(x, start, x, y, 'grid'), text(x, y + 16, words, 'note', 'middle'))
  }
  // The grid lies beneath what is drawn on it.
  rows.sort((a, b) => layer(a) - layer(b))
  return { parts: [...parts, ...rows], bottom: y + 28 }
}

const layer = (drawn: string): number =>
  drawn.startsWith('<rect') ? 0 : drawn.includes('class="grid"') ? 1 : 2

/** An SVG document. */
export function drawSimulation(result: Result): string {
  const rules = result.rules.filter(({ rule }) => pictured.includes(rule))
  const first = drawPanel(signOuts, rules, 8)
  const second = drawPanel(thiefLives, rules, first.bottom + 12)
  const description =
    `${rules.length} rules over ${figure(result.browsers)} person-weeks each, seed ${result.seed}. Spurious sign-outs per 1000 ` +
    `person-weeks, with delays: ${rules
      .map(({ title, signOuts }) => `${title}: ${signOutsInWords(signOuts.delayed)}`)
      .join('; ')}.`
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${second.bottom}" width="${width}" height="${second.bottom}" role="img" aria-labelledby="title description">`,
    '<title id="title">Spurious sign-outs, and how long a thief keeps access, under seven rules</title>',
    `<desc id="description">${escapeText(description)}</desc>`,
    `<style>${style}\n</style>`,
    `<rect width="${width}" height="${second.bottom}" class="page"/>`,
    ...first.parts,
    ...second.parts,
    '</svg>',
  ].join('\n')}\n`
}
