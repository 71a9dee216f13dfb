// Holds the manual to the tables in the code, and the table of options to its size.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { optionRows } from '../server/src/config.ts'
import { printDocs, printInto } from './docs.ts'

for (const [path, text] of await printDocs()) {
  test(`${path} says what the code says (npm run docs)`, () =>
    assert.equal(readFileSync(new URL(`../${path}`, import.meta.url), 'utf8'), text))
}

test('a table goes between its two marks, whatever stood there, and nothing else changes', () => {
  const page = 'a\n<!-- rooms: from here -->\nold\n<!-- /rooms -->\nb\n'
  const want = 'a\n<!-- rooms: from here -->\n\nnew\n\n<!-- /rooms -->\nb\n'
  assert.equal(printInto(page, 'rooms', 'new'), want)
  assert.equal(printInto(want, 'rooms', 'new'), want)
  for (const broken of ['a\nb\n', page.replace('<!-- /rooms -->\n', ''), page + page])
    assert.throws(() => printInto(broken, 'rooms', 'new'), /no place for rooms/)
})

test('there are at most forty options', () => assert.ok(optionRows().length <= 40))

test('every option says in one sentence what it does and who needs it', () => {
  for (const { name, sentence, neededBy } of optionRows()) {
    assert.match(sentence, /^[A-Z].*\.$/, name)
    assert.ok(neededBy.length > 0, name)
  }
})
