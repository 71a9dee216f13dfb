// What docs/services.md has people copy for Node are the files that the tests run, letter for letter.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const here = fileURLToPath(new URL('.', import.meta.url))
const manual = readFileSync(new URL('../../docs/services.md', import.meta.url), 'utf8')
const blocks = [...manual.matchAll(/^```ts\n(.*?)^```/gms)].map(([, block = '']) => block)

for (const file of ['express.ts', 'fastify.ts', 'hono.ts', 'next-route.ts', 'websocket.ts']) {
  test(`the manual has ${file} as it runs`, () => {
    assert.ok(blocks.includes(readFileSync(`${here}/${file}`, 'utf8')))
  })
}

test('the reasons and options that the manual tells of are those there are', () => {
  const verify = new URL('../../verify/src/', import.meta.url)
  const read = (name: string) => readFileSync(new URL(name, verify), 'utf8')
  const namesIn = (text: string, start: string, name: RegExp) =>
    [...(text.split(start)[1]?.split('\n}')[0] ?? '').matchAll(name)].map(([, found]) => found)
  const rowsOf = (head: string) =>
    [...(manual.split(head)[1]?.split('\n\n')[0] ?? '').matchAll(/^\| `(\w+)` \|/gm)].map(
      ([, found]) => found,
    )
  const reasons = namesIn(read('verdict.ts'), 'const reasons = {', /^ {2}(\w+): \{/gm)
  const options = namesIn(read('options.ts'), 'export type Options = {', /^ {2}readonly (\w+)\??:/gm)
  assert.ok(reasons.length > 5 && options.length > 5)
  assert.deepEqual(rowsOf('| `rejected` |'), reasons)
  assert.deepEqual(
    rowsOf('| option | default |'),
    options.filter(name => name !== 'revocation'),
  )
})
