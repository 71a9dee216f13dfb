// Finds the browsers that tests drive, or installs them. What differs between browsers is a field; drives none itself.
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, globSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

export type Browser = {
  readonly name: string
  /** Variables of the environment that may name one; the first comes first. */
  readonly named: readonly [string, ...string[]]
  readonly commands: readonly string[]
  /** Where browsers live that are on nobody's PATH, as patterns. */
  readonly places: readonly string[]
  /** Its package in Debian. */
  readonly debian: string
  /** Its name with Playwright, and its program in Playwright's cache. Absent: what Playwright has is not this browser. */
  readonly playwright?: { readonly name: string; readonly program: string }
}

export const chromium: Browser = {
  name: 'Chromium',
  named: ['CHROMIUM', 'PLAYWRIGHT_CHROMIUM_EXECUTABLE_PATH'],
  commands: ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome', 'chrome'],
  places: [
    join(homedir(), '.cache/ms-playwright/chromium-*/chrome-linux*/chrome'),
    join(homedir(), 'Library/Caches/ms-playwright/chromium-*/chrome-mac*/*.app/Contents/MacOS/*'),
    '/Applications/{Google Chrome,Chromium}.app/Contents/MacOS/{Google Chrome,Chromium}',
  ],
  debian: 'chromium',
  playwright: { name: 'chromium', program: 'chromium-*/chrome-*/chrome' },
}

export const firefox: Browser = {
  name: 'Firefox',
  named: ['FIREFOX'],
  commands: ['firefox-esr', 'firefox'],
  places: ['/opt/firefox*/firefox', '/Applications/Firefox*.app/Contents/MacOS/firefox'],
  debian: 'firefox-esr',
}

type Environment = Readonly<Record<string, string | undefined>>

function candidates(browser: Browser, env: Environment): readonly string[] {
  const { PATH, PLAYWRIGHT_BROWSERS_PATH } = env
  const { named, commands, places, playwright } = browser
  const found = (PATH ?? '').split(':').flatMap(folder => commands.map(command => join(folder, command)))
  const cached =
    PLAYWRIGHT_BROWSERS_PATH && playwright ? [join(PLAYWRIGHT_BROWSERS_PATH, playwright.program)] : []
  return [
    ...named.map(name => env[name] ?? '').filter(path => path !== ''),
    ...found.filter(path => existsSync(path)),
    ...[...cached, ...places].flatMap(pattern => globSync(pattern)),
  ]
}

const runs = (path: string): boolean => spawnSync(path, ['--version'], { timeout: 20_000 }).status === 0

/** The path of one that starts, the one named by the environment first; undefined if there is none. */
export const findBrowser = (browser: Browser, env: Environment): string | undefined =>
  candidates(browser, env).find(runs)

type Command = readonly [program: string, ...args: string[]]

const isDebianRoot = (): boolean => process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')

/** What installs one: the system's own for root on Debian and its like, else Playwright's into the user's cache, if it has any. */
const installing = ({ debian, playwright }: Browser): readonly Command[] => {
  if (isDebianRoot()) {
    return [
      ['apt-get', 'update', '-q'],
      ['apt-get', 'install', '-qy', '--no-install-recommends', debian],
    ]
  }
  return playwright ? [['npx', '--no-install', 'playwright-core', 'install', playwright.name]] : []
}

/** The path of one that starts, installed if need be; undefined if none is to be had. Says on stderr what it does. */
export function needBrowser(browser: Browser, env: Environment): string | undefined {
  const found = findBrowser(browser, env)
  const commands = installing(browser)
  if (found !== undefined || commands.length === 0) return found
  console.error(`The browser tests need a ${browser.name} and found none: installing one.`)
  try {
    for (const [program, ...args] of commands) {
      const given = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
      execFileSync(program, args, { stdio: ['ignore', 'inherit', 'inherit'], env: given })
    }
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
  }
  return findBrowser(browser, env)
}
