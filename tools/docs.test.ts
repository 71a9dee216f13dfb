// Holds docs/ to the tables in the code, and the table of options to its size.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { optionRows } from '../server/src/config.ts'
import { printDocs } from './docs.ts'

for (const [path, text] of printDocs()) {
  test(`${path} says what the code says (npm run docs)`, () =>
    assert.equal(readFileSync(new URL(`../${path}`, import.meta.url), 'utf8'), text))
}

test('there are at most forty options', () => assert.ok(optionRows().length <= 40))

test('every option says in one sentence what it does and who needs it', () => {
  for (const { name, sentence, neededBy } of optionRows()) {
    assert.match(sentence, /^[A-Z].*\.$/, name)
    assert.ok(neededBy.length > 0, name)
  }
})
