// What the command line asks for, and what to write instead where it asks for nonsense. Runs nothing.
import { parseArgs } from 'node:util'
import { type Rule, rules } from './rules.ts'

export type Wanted = {
  readonly browsers: number
  readonly seed: number
  readonly rules: readonly Rule[]
  /** Write the result and the picture. */
  readonly keep: boolean
}

const options = {
  browsers: { type: 'string', default: '10000' },
  seed: { type: 'string', default: '1' },
  rules: { type: 'string' },
  keep: { type: 'boolean', default: false },
} as const

const names = rules.map(rule => rule.name)

function wholeNumber(text: string, least: number, most: number): number | undefined {
  const number = /^\d+$/.test(text) ? Number(text) : Number.NaN
  return number >= least && number <= most ? number : undefined
}

/** Either what is wanted, or one line for each thing that is wrong. */
export function readOptions(args: readonly string[]): Wanted | { readonly wrong: readonly string[] } {
  const { values, tokens } = parseArgs({ args: [...args], options, strict: false, tokens: true })
  const wrong: string[] = []
  for (const token of tokens) {
    if (token.kind === 'option' && !(token.name in options))
      wrong.push(`${token.rawName} is not known: write --browsers N, --seed S, --rules a,b or --keep`)
    if (token.kind === 'positional')
      wrong.push(`${token.value} belongs to no option: write --rules ${token.value}`)
  }
  const browsers = wholeNumber(String(values.browsers), 1, 1_000_000)
  if (browsers === undefined)
    wrong.push('--browsers takes a number from 1 to 1000000: write --browsers 10000')
  const seed = wholeNumber(String(values.seed), 0, 4_294_967_295)
  if (seed === undefined) wrong.push('--seed takes a number from 0 to 4294967295: write --seed 1')
  const asked = values.rules === undefined ? names : String(values.rules).split(',')
  for (const name of asked)
    if (!names.includes(name))
      wrong.push(`there is no rule "${name}": write one or more of ${names.join(',')}`)
  if (values.keep !== true && values.keep !== false) wrong.push('--keep takes no value: write --keep')
  if (values.keep && values.rules !== undefined)
    wrong.push('--keep keeps the result for all rules: leave out --rules, or --keep')
  if (browsers === undefined || seed === undefined || wrong.length > 0) return { wrong }
  return {
    browsers,
    seed,
    rules: rules.filter(rule => asked.includes(rule.name)),
    keep: values.keep === true,
  }
}
