// The README's section for newcomers is made of this example: each of its blocks stands in a file that the tests run.
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const here = fileURLToPath(new URL('.', import.meta.url))
const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
const section = readme.split('\n## ').find(each => each.startsWith('Your front end in five minutes')) ?? ''

/** A block begins where it likes in its file: how far it stands from the margin is not compared. */
const lines = (text: string) => text.trim().replace(/^[ \t]+/gm, '')

const files = globSync(['*.ts', 'src/*'], { cwd: here, exclude: ['*.test.ts'] }).map(file => ({
  file,
  text: lines(readFileSync(`${here}/${file}`, 'utf8')),
}))

test('every block of "Your front end in five minutes" stands so in the example', () => {
  const blocks = [...section.matchAll(/^```tsx?\n(.*?)^```/gms)].map(([, block = '']) => lines(block))
  assert.ok(blocks.length >= 6, 'the section has its blocks')
  for (const block of blocks) {
    assert.ok(
      files.some(({ text }) => `\n${text}\n`.includes(`\n${block}\n`)),
      `no file of the example has:\n${block}`,
    )
  }
})
