// How the command line talks: data to standard output, as a table or as JSON; everything else to standard error. What
// people typed elsewhere (names, browsers) is shown so that a terminal obeys none of it.
import { styleText } from 'node:util'
import { controls } from '../core/controls.ts'
import type { Finding } from '../core/fault.ts'

/** Messages for people, never data. */
export const say = (text: string): void => {
  process.stderr.write(`${text}\n`)
}

const marks = {
  error: { sign: '✗', colour: 'red' },
  risk: { sign: '!', colour: 'yellow' },
  fine: { sign: '✓', colour: 'green' },
} as const

/** `✗ about: wrong. → instead`; coloured on a terminal. */
export function writeFinding(mark: 'error' | 'risk', finding: Finding, stream: NodeJS.WriteStream): string {
  const { about, wrong, instead } = finding
  return `${signOf(mark, stream)} ${visible(about)}: ${visible(wrong)}. → ${visible(instead)}`
}

export const signOf = (mark: keyof typeof marks, stream: NodeJS.WriteStream): string =>
  styleText(marks[mark].colour, marks[mark].sign, { stream })

/** To standard error, one line each. */
export const sayFindings = (mark: 'error' | 'risk', findings: readonly Finding[]): void => {
  for (const finding of findings) say(writeFinding(mark, finding, process.stderr))
}

const obeyed = new RegExp(controls, 'gu')

/** Control characters and bidirectional overrides as `\u001b`. */
export const visible = (text: string): string =>
  text.replace(obeyed, character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)

export type Cell = string | number | boolean | null
export type Row = Readonly<Record<string, Cell>>

/** ISO 8601, UTC, for people and programs alike. */
export const writeTime = (at: number | null): string | null =>
  at === null ? null : new Date(at).toISOString()

/** The rows as a JSON array of objects, or as a table whose columns are named by `columns`; `none` when there are no rows. */
export function showRows(
  rows: readonly Row[],
  { json, columns, none }: { json: boolean; columns: readonly string[]; none: string },
): void {
  if (json) showJson(rows)
  else if (rows.length === 0) say(none)
  else showTable(rows, columns)
}

function showTable(rows: readonly Row[], columns: readonly string[]): void {
  const lines = [columns, ...rows.map(row => columns.map(column => writeCell(row[column] ?? null)))]
  const widths = columns.map((_, column) => Math.max(...lines.map(line => [...(line[column] ?? '')].length)))
  for (const line of lines) {
    const padded = line.map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - [...cell].length))
    process.stdout.write(`${padded.join('  ').trimEnd()}\n`)
  }
}

const isTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

function writeCell(cell: Cell): string {
  if (cell === null) return '–'
  if (typeof cell === 'boolean') return cell ? 'yes' : 'no'
  const text = visible(String(cell))
  return isTime.test(text) ? `${text.slice(0, 10)} ${text.slice(11, 19)}Z` : text
}

/** Still JSON, of the same value. Its only line breaks are its layout; those in texts are escaped already. */
export const writeJson = (value: unknown): string =>
  JSON.stringify(value, null, 2).split('\n').map(visible).join('\n')

export const showJson = (value: unknown): void => {
  process.stdout.write(`${writeJson(value)}\n`)
}
