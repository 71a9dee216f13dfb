// Finds the Chromium of this machine, opens pages in it and keeps an account of what they complain about and whom they
// ask. Knows nothing of what a page should show.
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, type TestContext } from 'node:test'
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Page,
} from 'playwright-core'

const usualPlaces = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
]

function findChromium(): string {
  const named = process.env.CHROMIUM
  const found = named ?? usualPlaces.find(place => existsSync(place))
  if (found === undefined || !existsSync(found)) {
    throw new Error(`There is no Chromium at ${named ?? usualPlaces.join(', ')}: name one in CHROMIUM`)
  }
  return found
}

const usualArguments = [
  ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
]

/** By their arguments: one of a kind is enough for a file of tests, because each context is a profile of its own. */
const browsers = new Map<string, Promise<Browser>>()

after(async () => {
  for (const browser of browsers.values()) await (await browser).close()
})

/**
 * The contexts that a test opens in it end with the test. `without`: arguments that Playwright gives by itself, and should
 * not. `more`: arguments beside ours.
 */
export async function openChromium(
  t: TestContext,
  without: string[] = [],
  more: readonly string[] = [],
): Promise<Browser> {
  const kind = JSON.stringify([without, more])
  const launched =
    browsers.get(kind) ??
    chromium.launch({
      executablePath: findChromium(),
      ignoreDefaultArgs: without,
      args: [...usualArguments, ...more],
    })
  browsers.set(kind, launched)
  const browser = await launched
  const others = browser.contexts()
  t.after(async () => {
    for (const context of browser.contexts()) if (!others.includes(context)) await context.close()
  })
  return browser
}

/**
 * A browser with a profile on disk, as people have one, and not the private window that `openPage` opens. Ends with the
 * test. `preferences`: as the file of that name has them.
 */
export async function openProfile(
  t: TestContext,
  preferences: object,
  more: readonly string[],
  options: BrowserContextOptions,
): Promise<BrowserContext> {
  const folder = await mkdtemp(join(tmpdir(), 'rusk-profile-'))
  await mkdir(join(folder, 'Default'))
  await writeFile(join(folder, 'Default/Preferences'), JSON.stringify(preferences))
  const context = await chromium.launchPersistentContext(folder, {
    executablePath: findChromium(),
    args: [...usualArguments, ...more],
    ...options,
  })
  t.after(async () => {
    await context.close()
    await rm(folder, { recursive: true })
  })
  return context
}

export type Watched = {
  readonly page: Page
  /** Console errors and warnings (violations of a CSP among them) and uncaught exceptions, since it was last asked. */
  complaints(): readonly string[]
  /** Requests that went to another origin than these. */
  strangers(...origins: readonly string[]): readonly string[]
}

/** A page in a browser profile of its own. */
export async function openPage(browser: Browser, options: BrowserContextOptions = {}): Promise<Watched> {
  const context = await browser.newContext(options)
  const page = await context.newPage()
  let complaints: string[] = []
  const asked: string[] = []
  page.on('console', message => {
    if (['error', 'warning'].includes(message.type())) complaints.push(`${message.type()}: ${message.text()}`)
  })
  page.on('pageerror', error => complaints.push(`uncaught: ${error.message}`))
  page.on('request', request => asked.push(request.url()))
  return {
    page,
    complaints() {
      const heard = complaints
      complaints = []
      return heard
    },
    strangers: (...origins) =>
      asked.filter(url => !url.startsWith('data:') && !origins.includes(new URL(url).origin)),
  }
}
