// The README's section for newcomers: what is to be pasted is a whole file of five-minutes/, and every other block stands in
// the example. Tests run both.
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const here = fileURLToPath(new URL('.', import.meta.url))
const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
const section = readme.split('\n## ').find(each => each.startsWith('Your front end in five minutes')) ?? ''
const blocks = [...section.matchAll(/^```tsx?\n(.*?)^```/gms)].map(([, block = '']) => block)

/** A block that is a whole file says so itself: its first line names the file. */
const fileOf = (block: string): string | undefined => /^\/\/ ([\w./]+): /.exec(block)?.[1]

test('what "Your front end in five minutes" has people paste are the files that the tests run', () => {
  const pasted = blocks.filter(block => fileOf(block) !== undefined)
  assert.deepEqual(pasted.map(fileOf), ['vite.config.ts', './src/client.ts', 'src/App.tsx'])
  for (const block of pasted)
    assert.equal(block, readFileSync(`${here}/five-minutes/${fileOf(block)}`, 'utf8'))
})

/** A fragment begins where it likes in its file: how far it stands from the margin is not compared. */
const lines = (text: string) => text.trim().replace(/^[ \t]+/gm, '')

test('every other block stands so in the example', () => {
  const files = globSync(['*.ts', 'src/*'], { cwd: here, exclude: ['*.test.ts'] }).map(file =>
    lines(readFileSync(`${here}/${file}`, 'utf8')),
  )
  const fragments = blocks.filter(block => fileOf(block) === undefined).map(lines)
  assert.equal(fragments.length, 3)
  for (const fragment of fragments) {
    assert.ok(
      files.some(text => `\n${text}\n`.includes(`\n${fragment}\n`)),
      `no file of the example has:\n${fragment}`,
    )
  }
})
