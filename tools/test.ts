// Runs the tests: finds their files, finds the browser or program that some need, hands them to `node --test`. `npm test
// -- races --test-name-pattern=refresh` runs the files whose path contains `races`; what begins with `-` goes to Node.
import { spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Browser, chromium, firefox, needBrowser } from './browsers.ts'

const places = ['verify', 'server/src', 'server/test', 'client', 'examples', 'bench', 'proof', 'tools']

/** Longer than the slowest file takes on a slow machine: a test that hangs ends instead of holding up everything. */
const longest = 15 * 60_000

/** `npm run check` has run it, and `npm test` begins with that. */
const checked = 'tools/house.test.ts'

/** Every test file whose path contains one of `words`; without words all but the one that is checked by itself. */
function testFiles(words: readonly string[]): readonly string[] {
  const files = places.flatMap(place =>
    globSync(`${place}/**/*.test.ts`, { exclude: ['**/node_modules/**', '**/dist/**'] }),
  )
  return words.length === 0
    ? files.filter(file => file !== checked)
    : files.filter(file => words.some(word => file.includes(word)))
}

type Need = {
  /** The tests whose path contains this, unless an earlier need has them. */
  readonly part: string
  /** Tests find the program's path in this variable of the environment. */
  readonly variable: string
  /** The path of a program that does, or undefined. */
  find(): string | undefined
  /** Without it nothing runs; else only these tests are left out. */
  readonly required: boolean
  /** What is said where none is to be had. */
  readonly without: string
}

const inBrowser = (browser: Browser): Pick<Need, 'variable' | 'find'> => ({
  variable: browser.named[0],
  find: () => needBrowser(browser, process.env),
})

/** The program that the environment names, the system's, the first on the PATH: whichever `does`. */
const inProgram = (
  variable: string,
  path: string,
  does: (path: string) => boolean,
): Pick<Need, 'variable' | 'find'> => ({
  variable,
  find: () => [process.env[variable] || path, path, basename(path)].find(does),
})

const ask = (path: string, args: readonly string[]) => spawnSync(path, args, { timeout: 20_000 })

const inPython = (...modules: readonly string[]) =>
  inProgram(
    'PYTHON',
    '/usr/bin/python3',
    path => ask(path, ['-c', `import ${modules.join(', ')}`]).status === 0,
  )

const inGo = inProgram('GO', '/usr/bin/go', path => ask(path, ['version']).status === 0)

const inNginx = inProgram('NGINX', '/usr/sbin/nginx', path =>
  String(ask(path, ['-V']).stderr).includes('http_auth_request'),
)

const needs: readonly Need[] = [
  {
    part: '/browser/firefox',
    ...inBrowser(firefox),
    required: false,
    without:
      'No Firefox that starts: its tests are LEFT OUT. To have them: apt-get install firefox-esr, or FIREFOX=/path/to/firefox npm test',
  },
  {
    part: '/browser/',
    ...inBrowser(chromium),
    required: true,
    without: [
      'There is still no Chromium that starts. Do one of these and run the tests again:',
      '  apt-get install chromium                     (Debian, Ubuntu; as root)',
      '  npx playwright-core install --with-deps chromium',
      '  CHROMIUM=/path/to/chromium npm test     (any Chromium or Chrome)',
    ].join('\n'),
  },
  {
    part: 'fastapi-service/python',
    ...inPython('fastapi', 'uvicorn', 'jwt', 'cryptography'),
    required: false,
    without:
      'No Python with FastAPI, uvicorn, PyJWT and cryptography: tests of the chat service in Python are LEFT OUT. To have them: ' +
      'apt-get install python3-fastapi uvicorn python3-jwt python3-cryptography, or PYTHON=/path/to/python npm test',
  },
  {
    part: 'checks/python',
    ...inPython('flask', 'rest_framework', 'jwt', 'cryptography'),
    required: false,
    without:
      'No Python with Flask, Django REST framework, PyJWT and cryptography: their tests are LEFT OUT. To have them: ' +
      'apt-get install python3-flask python3-djangorestframework python3-jwt python3-cryptography, or PYTHON=/path/to/python npm test',
  },
  {
    part: '/python',
    ...inPython('jwt', 'cryptography'),
    required: false,
    without:
      'No Python with PyJWT and cryptography: its tests are LEFT OUT. To have them: apt-get install python3-jwt ' +
      'python3-cryptography, or PYTHON=/path/to/python npm test',
  },
  {
    part: '/golang',
    ...inGo,
    required: false,
    without:
      'No Go: its tests are LEFT OUT. To have them: apt-get install golang-go, or GO=/path/to/go npm test',
  },
  {
    part: '/nginx',
    ...inNginx,
    required: false,
    without:
      'No nginx with auth_request: its tests are LEFT OUT. To have them: apt-get install nginx-light, or ' +
      'NGINX=/path/to/nginx npm test',
  },
]

const needOf = (file: string): Need | undefined => needs.find(({ part }) => file.includes(part))

const args = process.argv.slice(2)
let files = testFiles(args.filter(arg => !arg.startsWith('-')))
if (files.length === 0) {
  console.error('No test file has that in its path.')
  process.exit(1)
}

// A test file is a process, and many start more of them: what Node makes of the sources is made once.
const compiled = fileURLToPath(new URL('../node_modules/.cache/node', import.meta.url))
const env: NodeJS.ProcessEnv = { NODE_COMPILE_CACHE: compiled, ...process.env }
for (const need of needs) {
  if (!files.some(file => needOf(file) === need)) continue
  const found = need.find()
  if (found !== undefined) {
    env[need.variable] = found
    continue
  }
  console.error(need.without)
  files = files.filter(file => needOf(file) !== need)
  // Without any file, Node would look for some by itself.
  if (need.required || files.length === 0) process.exit(1)
}

const finished = fileURLToPath(new URL('finished.ts', import.meta.url))
const flags = [
  '--test',
  `--import=${finished}`,
  '--test-reporter=spec',
  '--test-concurrency=2',
  `--test-timeout=${longest}`,
]
const run = spawnSync(process.execPath, [...flags, ...args.filter(arg => arg.startsWith('-')), ...files], {
  stdio: 'inherit',
  env,
})
if (run.error) console.error(run.error.message)
process.exitCode = run.status ?? 1
