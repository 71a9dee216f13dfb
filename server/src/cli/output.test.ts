// What the command line prints as JSON: the same value for a program, and nothing for a terminal to obey.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { writeJson } from './output.ts'

// [what it holds, the text, how it stands there]
const rows: [string, string, string][] = [
  ['a control of the C0 block', 'a\u001b[2Jb', 'a\\u001b[2Jb'],
  ['a control of the C1 block', 'a\u009b2Jb', 'a\\u009b2Jb'],
  ['DEL', 'a\u007fb', 'a\\u007fb'],
  ['a bidirectional override', 'a\u202eb', 'a\\u202eb'],
  ['a bidirectional isolate', 'a\u2067b', 'a\\u2067b'],
  ['a line separator', 'a\u2028b', 'a\\u2028b'],
  ['a line break', 'a\nb', 'a\\nb'],
  ['letters, an emoji and a backslash', 'é € 🦀 \\u009b', 'é € 🦀 \\\\u009b'],
]

for (const [sentence, text, want] of rows) {
  test(`JSON with ${sentence} reads as the same value`, () => {
    const value = [{ [text]: text }]
    const written = writeJson(value)
    assert.equal(written, `[\n  {\n    "${want}": "${want}"\n  }\n]`)
    assert.deepEqual(JSON.parse(written), value)
  })
}
