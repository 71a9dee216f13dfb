// Finds the Chromium that browser tests drive, or installs one. Drives nothing itself.
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, globSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

const commands = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome', 'chrome']

/** Where browsers live that are on nobody's PATH. */
const places = [
  join(homedir(), '.cache/ms-playwright/chromium-*/chrome-linux*/chrome'),
  join(homedir(), 'Library/Caches/ms-playwright/chromium-*/chrome-mac*/*.app/Contents/MacOS/*'),
  '/Applications/{Google Chrome,Chromium}.app/Contents/MacOS/{Google Chrome,Chromium}',
]

type Environment = Readonly<Record<string, string | undefined>>

function candidates(env: Environment): readonly string[] {
  const { PATH, PLAYWRIGHT_BROWSERS_PATH } = env
  const named = [env.CHROMIUM, env.PLAYWRIGHT_CHROMIUM_EXECUTABLE_PATH]
  const found = (PATH ?? '').split(':').flatMap(folder => commands.map(command => join(folder, command)))
  const cached = PLAYWRIGHT_BROWSERS_PATH
    ? [join(PLAYWRIGHT_BROWSERS_PATH, 'chromium-*/chrome-*/chrome')]
    : []
  return [
    ...named.filter(path => path !== undefined).filter(path => path !== ''),
    ...found.filter(path => existsSync(path)),
    ...[...cached, ...places].flatMap(pattern => globSync(pattern)),
  ]
}

const runs = (path: string): boolean => spawnSync(path, ['--version'], { timeout: 20_000 }).status === 0

/** The path of a Chromium that starts, the one named by CHROMIUM first; undefined if there is none. */
export const findChromium = (env: Environment): string | undefined => candidates(env).find(runs)

const isDebianRoot = (): boolean => process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')

/** Installs one: the system's own for root on Debian and its like, else Playwright's into the user's cache. Throws if that fails. */
export function installChromium(): void {
  const run = (command: string, ...args: string[]) => {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
    execFileSync(command, args, { stdio: ['ignore', 'inherit', 'inherit'], env })
  }
  if (isDebianRoot()) {
    run('apt-get', 'update', '-q')
    run('apt-get', 'install', '-qy', '--no-install-recommends', 'chromium')
  } else {
    run('npx', '--no-install', 'playwright-core', 'install', 'chromium')
  }
}
