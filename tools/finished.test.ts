// A file whose process ends before its tests do fails; one that ends as it should does not.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const preload = `--import=${fileURLToPath(new URL('finished.ts', import.meta.url))}`

const files: readonly [sentence: string, second: string, isFine: boolean][] = [
  ['whose tests are all over', '', true],
  ['whose process ends before them, as if all were well', 'process.exit(0)', false],
]

for (const [sentence, second, isFine] of files) {
  test(`a test file ${sentence}: ${isFine ? 'it has passed' : 'it has failed'}`, t => {
    const folder = mkdtempSync(join(tmpdir(), 'rusk-finished-'))
    t.after(() => rmSync(folder, { recursive: true, force: true }))
    const file = join(folder, 'some.test.mjs')
    writeFileSync(
      file,
      `import { test } from 'node:test'\ntest('one', () => {})\ntest('two', () => { ${second} })`,
    )
    // What this test itself runs under is not for those that it runs.
    const { NODE_TEST_CONTEXT: _, ...env } = process.env
    const { status, stdout } = spawnSync(process.execPath, ['--test', preload, file], {
      env,
      encoding: 'utf8',
    })
    assert.equal(status === 0, isFine, stdout)
    assert.equal(stdout.includes('has ended before its tests'), !isFine, stdout)
  })
}
