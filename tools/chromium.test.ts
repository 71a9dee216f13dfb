// Finds browsers among files that it makes: no real one is started.
import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { findChromium } from './chromium.ts'

const folder = mkdtempSync(join(tmpdir(), 'rusk-chromium-'))
after(() => rmSync(folder, { recursive: true }))

function place(name: string, exit: number): string {
  const path = join(folder, name)
  writeFileSync(path, `#!/bin/sh\nexit ${exit}\n`)
  chmodSync(path, 0o755)
  return path
}
const works = place('works', 0)
const broken = place('broken', 1)
const onPath = place('chromium', 0)

// [sentence, environment, which]
const table: [string, Record<string, string>, string][] = [
  ['the named one comes first', { CHROMIUM: works, PATH: folder }, works],
  ['a named one that does not start gives way', { CHROMIUM: broken, PATH: folder }, onPath],
  ['an empty name names none', { CHROMIUM: '', PATH: folder }, onPath],
  ['a name that is no file gives way', { CHROMIUM: join(folder, 'none'), PATH: folder }, onPath],
]

for (const [sentence, env, want] of table) {
  test(sentence, () => assert.equal(findChromium(env), want))
}
