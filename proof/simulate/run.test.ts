import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { readOptions } from './options.ts'

const run = (...args: string[]) =>
  spawnSync(process.execPath, [fileURLToPath(new URL('./run.ts', import.meta.url)), ...args], {
    encoding: 'utf8',
    timeout: 60_000,
  })

test('options have defaults, and all rules are meant when none is named', () => {
  const wanted = readOptions([])
  assert.ok(!('wrong' in wanted))
  assert.deepEqual([wanted.browsers, wanted.seed, wanted.keep, wanted.rules.length], [10_000, 1, false, 11])
})

test('rules come in their own order, once', () => {
  const wanted = readOptions(['--rules', 'this-rule,strict,strict', '--seed=5', '--browsers', '20'])
  assert.ok(!('wrong' in wanted))
  assert.deepEqual(
    wanted.rules.map(rule => rule.name),
    ['strict', 'this-rule'],
  )
  assert.deepEqual([wanted.seed, wanted.browsers], [5, 20])
})

// [sentence, arguments, what each line must name]
const wrong: [string, string[], RegExp[]][] = [
  ['a number of none', ['--browsers', '0'], [/--browsers 10000/]],
  ['a number in words', ['--browsers=many'], [/--browsers 10000/]],
  ['no number at all', ['--browsers'], [/--browsers 10000/]],
  ['a seed below 0', ['--seed=-1'], [/--seed 1/]],
  ['a rule that is not there', ['--rules', 'strict,lax'], [/"lax".*strict,strict-clearing,/]],
  ['an option that is not there', ['--browser', '5'], [/--browser is not known/, /5 belongs to no option/]],
  ['a word', ['strict'], [/write --rules strict/]],
  ['keeping a part', ['--keep', '--rules', 'strict'], [/leave out --rules/]],
  ['keep with a value', ['--keep=yes'], [/write --keep/]],
  ['several at once', ['--seed', 'x', '--rules', ''], [/--seed 1/, /no rule ""/]],
]
for (const [sentence, args, lines] of wrong)
  test(`${sentence} is refused, with what to write instead`, () => {
    const read = readOptions(args)
    assert.ok('wrong' in read)
    assert.equal(read.wrong.length, lines.length, read.wrong.join('\n'))
    lines.forEach((line, i) => {
      assert.match(read.wrong[i] ?? '', line)
    })
  })

test('the command says what is wrong and exits with 2', () => {
  const { status, stderr, stdout } = run('--rules', 'lax')
  assert.deepEqual([status, stdout], [2, ''])
  assert.match(stderr, /^there is no rule "lax"/)
})

test('the command tells of each rule in one line when nobody watches, then prints the tables; twice the same', () => {
  const args = ['--browsers', '60', '--seed', '3', '--rules', 'strict,this-rule']
  const { status, stdout, stderr } = run(...args)
  assert.equal(status, 0, stderr)
  assert.deepEqual(
    stderr
      .trimEnd()
      .split('\n')
      .map(line => line.split(':')[0]),
    ['strict', 'this-rule'],
  )
  assert.match(stdout, /^60 browsers .*`npm run simulate -- --browsers 60 --seed 3 --rules strict,this-rule`/)
  assert.match(stdout, /\| this rule \| none seen, so below /)
  assert.equal(run(...args).stdout, stdout)
})
