// Draws the session rule from what the shipped function answers: each kind of number asked while the row is quiet and
// later. The picture and the manual's table cannot say anything that the code does not do.
import { decideStep, type Step } from '../server/src/core/session.ts'

const line = { previous: 3, current: 5, successor: 8, changedAt: 0 }
const grace = 10

/** Every kind of number there is, by one of its kind. */
const kinds = [
  { kind: 'below previous', numbers: [2] },
  { kind: 'replaced', numbers: [3, 4, 6, 7] },
  { kind: 'current', numbers: [5] },
  { kind: 'successor', numbers: [8] },
  { kind: 'beyond successor', numbers: [9, 20] },
] as const

export type RuleRow = {
  readonly kind: (typeof kinds)[number]['kind']
  readonly quiet: Step['step']
  readonly later: Step['step']
}

/** What all numbers of a kind get at that age of the row; throws when they are no kind. */
function stepOf(numbers: readonly number[], age: number): Step['step'] {
  const [step, ...others] = new Set(numbers.map(n => decideStep(line, n, age, grace).step))
  if (step === undefined || others.length > 0)
    throw new Error(`Numbers ${numbers.join()} are not treated alike`)
  return step
}

export const ruleRows = (): readonly RuleRow[] =>
  kinds.map(({ kind, numbers }) => ({
    kind,
    quiet: stepOf(numbers, grace),
    later: stepOf(numbers, grace + 1),
  }))

const words: Readonly<Record<Step['step'], string>> = { quiet: 'access only', change: 'change', end: 'end' }

const escapeText = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')

const text = (x: number, y: number, what: string, more = ''): string =>
  `<text x="${x}" y="${y}"${more === '' ? '' : ` ${more}`}>${escapeText(what)}</text>`

const box = (x: number, y: number, width: number, height: number, look: string): string =>
  `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="8" class="${look}"/>`

const arrow = (path: string): string => `<path d="${path}" class="way" marker-end="url(#tip)"/>`

/** `a`, `a or b`, `a, b or c`. */
const list = (all: readonly string[]): string =>
  all.length < 2 ? all.join('') : `${all.slice(0, -1).join(', ')} or ${all.at(-1)}`

const kindsThat = (when: 'quiet' | 'later', step: Step['step']): string =>
  list(ruleRows().flatMap(row => (row[when] === step ? [row.kind] : [])))

const style = `
    svg { font: 14px system-ui, -apple-system, "Segoe UI", sans-serif; }
    text { fill: #1d2430; text-anchor: middle; }
    .small { font-size: 12px; fill: #4a5568; }
    .left { text-anchor: start; }
    .big { font-weight: 600; font-size: 15px; }
    .quiet { fill: #e3edfb; stroke: #3b6fb6; }
    .change { fill: #e2f4e6; stroke: #2f7d46; }
    .end { fill: #fbe6e3; stroke: #b0382a; }
    .way { fill: none; stroke: #4a5568; stroke-width: 1.5; }
    .tip { fill: #4a5568; }
    @media (prefers-color-scheme: dark) {
      text { fill: #e8ecf3; }
      .small { fill: #b3bdcc; }
      .quiet { fill: #1c2f4a; stroke: #7fb0ee; }
      .change { fill: #17372a; stroke: #74c991; }
      .end { fill: #47211c; stroke: #f0978a; }
      .way { stroke: #b3bdcc; }
      .tip { fill: #b3bdcc; }
    }`

/** The three states of a session and what leads from one to the other. */
function drawStates(): string {
  return [
    box(40, 90, 190, 70, 'quiet'),
    text(135, 120, 'quiet', 'class="big"'),
    text(135, 142, 'changed within the grace', 'class="small"'),
    box(570, 90, 190, 70, 'change'),
    text(665, 120, 'settled', 'class="big"'),
    text(665, 142, 'the grace is over', 'class="small"'),
    box(305, 262, 190, 70, 'end'),
    text(400, 292, 'ended', 'class="big"'),
    text(400, 314, 'for owner and thief', 'class="small"'),
    arrow('M230 142 H564'),
    text(400, 162, 'the grace passes', 'class="small"'),
    arrow('M570 108 H236'),
    text(400, 76, `${kindsThat('later', 'change')}: change`),
    text(400, 96, 'the answer alone carries the new successor', 'class="small"'),
    arrow('M100 90 C 80 40, 190 40, 170 84'),
    text(40, 24, `${kindsThat('quiet', 'quiet')}:`, 'class="left"'),
    text(40, 42, 'access token only', 'class="small left"'),
    arrow('M135 160 V 297 H 299'),
    text(145, 215, kindsThat('quiet', 'end'), 'class="left"'),
    arrow('M665 160 V 297 H 501'),
    text(655, 215, kindsThat('later', 'end'), 'style="text-anchor: end"'),
    text(
      400,
      352,
      'also: sign-out, a newer sign-in, revocation, a disabled user, a password change, idle or absolute end',
      'class="small"',
    ),
  ].join('\n  ')
}

/** Under each kind of number what it gets. */
function drawTable(): string {
  const width = 128
  const left = 128
  const cells = ruleRows().flatMap(({ kind, quiet, later }, i) => {
    const x = left + i * (width + 4)
    return [
      text(x + width / 2, 400, kind, 'class="small"'),
      box(x, 410, width, 34, quiet),
      text(x + width / 2, 432, words[quiet]),
      box(x, 450, width, 34, later),
      text(x + width / 2, 472, words[later]),
    ]
  })
  return [
    text(40, 400, 'number n is', 'class="small left"'),
    text(40, 432, 'quiet', 'class="left"'),
    text(40, 472, 'settled', 'class="left"'),
    ...cells,
  ].join('\n  ')
}

/** The picture as an SVG document, 810 × 500, readable in light and dark. */
export const drawRule =
  (): string => `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 810 500" role="img" aria-labelledby="title about">
  <title id="title">The session rule</title>
  <desc id="about">${escapeText(
    ruleRows()
      .map(({ kind, quiet, later }) => `${kind}: ${words[quiet]} while quiet, ${words[later]} later`)
      .join('; '),
  )}</desc>
  <style>${style}
  </style>
  <defs><marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" orient="auto"><path d="M0 0 L10 5 L0 10 z" class="tip"/></marker></defs>
  ${drawStates()}
  ${drawTable()}
</svg>
`
