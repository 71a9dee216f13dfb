// Finds browsers among files that it makes: no real one is started.
import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { chromium, findBrowser, firefox } from './browsers.ts'

const folder = mkdtempSync(join(tmpdir(), 'rusk-browsers-'))
after(() => rmSync(folder, { recursive: true }))

function place(name: string, exit: number): string {
  const path = join(folder, name)
  mkdirSync(join(path, '..'), { recursive: true })
  writeFileSync(path, `#!/bin/sh\nexit ${exit}\n`)
  chmodSync(path, 0o755)
  return path
}
const works = place('works', 0)
const broken = place('broken', 1)
const cached = place('cache/chromium-1/chrome-linux/chrome', 0)
const cache = join(folder, 'cache')

for (const browser of [chromium, firefox]) {
  const [variable] = browser.named
  const [command = ''] = browser.commands
  const onPath = place(command, 0)

  // [sentence, environment, which]
  const table: [string, Record<string, string>, string][] = [
    ['the named one comes first', { [variable]: works, PATH: folder }, works],
    ['a named one that does not start gives way', { [variable]: broken, PATH: folder }, onPath],
    ['an empty name names none', { [variable]: '', PATH: folder }, onPath],
    ['a name that is no file gives way', { [variable]: join(folder, 'none'), PATH: folder }, onPath],
    ['what Playwright keeps comes last', { PLAYWRIGHT_BROWSERS_PATH: cache, PATH: folder }, onPath],
  ]

  for (const [sentence, env, want] of table) {
    test(`${browser.name}: ${sentence}`, () => assert.equal(findBrowser(browser, env), want))
  }
}

test('a Chromium that Playwright keeps is found, and is no Firefox', () => {
  const env = { PLAYWRIGHT_BROWSERS_PATH: cache, PATH: '' }
  const nowhere = { places: [] }
  assert.equal(findBrowser({ ...chromium, ...nowhere }, env), cached)
  assert.equal(findBrowser({ ...firefox, ...nowhere }, env), undefined)
})
