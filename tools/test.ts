// Runs the tests: finds their files, gives browser tests a browser, hands the rest to `node --test`. `npm test -- races
// --test-name-pattern=refresh` runs the files whose path contains `races`; what begins with `-` goes to Node.
import { spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'
import { type Browser, chromium, firefox, needBrowser } from './browsers.ts'

const places = ['verify', 'server/src', 'server/test', 'client', 'examples', 'bench', 'proof', 'tools']

/** Longer than the slowest file takes on a slow machine: a test that hangs ends instead of holding up everything. */
const longest = 15 * 60_000

/** Every test file whose path contains one of `words`; all when there are none. */
function testFiles(words: readonly string[]): readonly string[] {
  const files = places.flatMap(place =>
    globSync(`${place}/**/*.test.ts`, { exclude: ['**/node_modules/**', '**/dist/**'] }),
  )
  return words.length === 0 ? files : files.filter(file => words.some(word => file.includes(word)))
}

type Need = {
  /** The tests whose path contains this, unless an earlier need has them. */
  readonly part: string
  readonly browser: Browser
  /** Without it nothing runs; else only these tests are left out. */
  readonly required: boolean
  /** What is said where none is to be had. */
  readonly without: string
}

const needs: readonly Need[] = [
  {
    part: '/browser/firefox',
    browser: firefox,
    required: false,
    without:
      'No Firefox that starts: its tests are LEFT OUT. To have them: apt-get install firefox-esr, or FIREFOX=/path/to/firefox npm test',
  },
  {
    part: '/browser/',
    browser: chromium,
    required: true,
    without: [
      'There is still no Chromium that starts. Do one of these and run the tests again:',
      '  apt-get install chromium                     (Debian, Ubuntu; as root)',
      '  npx playwright-core install --with-deps chromium',
      '  CHROMIUM=/path/to/chromium npm test     (any Chromium or Chrome)',
    ].join('\n'),
  },
]

const needOf = (file: string): Need | undefined => needs.find(({ part }) => file.includes(part))

const args = process.argv.slice(2)
let files = testFiles(args.filter(arg => !arg.startsWith('-')))
if (files.length === 0) {
  console.error('No test file has that in its path.')
  process.exit(1)
}

const env = { ...process.env }
for (const need of needs) {
  if (!files.some(file => needOf(file) === need)) continue
  const found = needBrowser(need.browser, process.env)
  if (found !== undefined) {
    env[need.browser.named[0]] = found
    continue
  }
  console.error(need.without)
  files = files.filter(file => needOf(file) !== need)
  // Without any file, Node would look for some by itself.
  if (need.required || files.length === 0) process.exit(1)
}

const flags = ['--test', '--test-reporter=spec', '--test-concurrency=2', `--test-timeout=${longest}`]
const run = spawnSync(process.execPath, [...flags, ...args.filter(arg => arg.startsWith('-')), ...files], {
  stdio: 'inherit',
  env,
})
if (run.error) console.error(run.error.message)
process.exitCode = run.status ?? 1
