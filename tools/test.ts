// Runs the tests: finds their files, gives browser tests a browser, hands the rest to `node --test`. `npm test -- races
// --test-name-pattern=refresh` runs the files whose path contains `races`; what begins with `-` goes to Node.
import { spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'
import { findChromium, installChromium } from './chromium.ts'

const places = ['server/src', 'server/test', 'client', 'examples', 'bench', 'proof', 'tools']

/** Longer than the slowest file takes on a slow machine: a test that hangs ends instead of holding up everything. */
const longest = 15 * 60_000

/** Every test file whose path contains one of `words`; all when there are none. */
function testFiles(words: readonly string[]): readonly string[] {
  const files = places.flatMap(place =>
    globSync(`${place}/**/*.test.ts`, { exclude: ['**/node_modules/**', '**/dist/**'] }),
  )
  return words.length === 0 ? files : files.filter(file => words.some(word => file.includes(word)))
}

function readyChromium(): string {
  const found = findChromium(process.env)
  if (found !== undefined) return found
  console.error('The browser tests need a Chromium and found none: installing one.')
  try {
    installChromium()
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
  }
  const installed = findChromium(process.env)
  if (installed !== undefined) return installed
  console.error(
    [
      'There is still no Chromium that starts. Do one of these and run the tests again:',
      '  apt-get install chromium                     (Debian, Ubuntu; as root)',
      '  npx playwright-core install --with-deps chromium',
      '  CHROMIUM=/path/to/chromium npm test     (any Chromium or Chrome)',
    ].join('\n'),
  )
  process.exit(1)
}

const args = process.argv.slice(2)
const files = testFiles(args.filter(arg => !arg.startsWith('-')))
if (files.length === 0) {
  console.error('No test file has that in its path.')
  process.exit(1)
}

const env = { ...process.env }
if (files.some(file => file.includes('/browser/'))) env.CHROMIUM = readyChromium()

const flags = ['--test', '--test-reporter=spec', '--test-concurrency=2', `--test-timeout=${longest}`]
const run = spawnSync(process.execPath, [...flags, ...args.filter(arg => arg.startsWith('-')), ...files], {
  stdio: 'inherit',
  env,
})
if (run.error) console.error(run.error.message)
process.exitCode = run.status ?? 1
