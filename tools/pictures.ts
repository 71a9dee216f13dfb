// Takes the manual's pictures of the hosted pages and of the playground, with a person who is signed in on three devices.
// The server's clock stands still between steps, so that an unchanged page gives an unchanged picture.
import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type Browser, chromium, type Page } from 'playwright-core'
import { readSettings } from '../server/src/config.ts'
import { dialects } from '../server/src/dialects/index.ts'
import { openSystem } from '../server/src/system.ts'
import { chromium as chromiumHere, findBrowser } from './browsers.ts'

const folder = fileURLToPath(new URL('../docs/pictures/', import.meta.url))

const hour = 3_600_000
let now = Date.UTC(2026, 0, 20, 8, 30)

type Device = { readonly userAgent: string; readonly address: string }

const phone: Device = {
  userAgent:
    'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1',
  address: '198.51.100.23',
}
const office: Device = {
  userAgent: 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0',
  address: '203.0.113.80',
}
const home: Device = {
  userAgent:
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36',
  address: '192.0.2.7',
}

type Screen = {
  readonly name: string
  readonly colorScheme: 'light' | 'dark'
  readonly width: number
  readonly height: number
}

const screens: readonly Screen[] = [
  { name: 'light', colorScheme: 'light', width: 1280, height: 720 },
  { name: 'dark', colorScheme: 'dark', width: 1280, height: 720 },
  { name: 'narrow', colorScheme: 'light', width: 360, height: 640 },
]

const ada = {
  email: 'ada@example.com',
  username: 'ada',
  name: 'Ada Lovelace',
  password: 'twelve blue herons',
}

async function open(browser: Browser, device: Device, screen?: Screen): Promise<Page> {
  const context = await browser.newContext({
    userAgent: device.userAgent,
    extraHTTPHeaders: { 'x-forwarded-for': device.address },
    locale: 'en-GB',
    timezoneId: 'UTC',
    ...(screen
      ? { colorScheme: screen.colorScheme, viewport: { width: screen.width, height: screen.height } }
      : {}),
  })
  return context.newPage()
}

async function take(page: Page, name: string, fullPage: boolean): Promise<void> {
  const picture = await page.screenshot({ fullPage, animations: 'disabled' })
  writeFileSync(`${folder}${name}.png`, picture)
  process.stdout.write(`${name}.png ${Math.ceil(picture.length / 1024)} KiB\n`)
}

async function signIn(page: Page, url: string): Promise<void> {
  await page.goto(`${url}/sign-in`)
  await page.locator('#login').fill(ada.username)
  await page.locator('#password').fill(ada.password)
  await page.locator('form button:not([type])').click()
  await page.waitForURL('**/account')
}

const submit = async (page: Page): Promise<void> => {
  await page.locator('form button:not([type])').first().click()
  await page.getByRole('alert').waitFor()
}

/** Every page on one screen. */
async function takePages(browser: Browser, url: string, screen: Screen): Promise<void> {
  const page = await open(browser, home, screen)
  const shot = (name: string) => take(page, `pages/${name}-${screen.name}`, true)
  await page.goto(`${url}/sign-in`)
  await shot('sign-in')
  await page.goto(`${url}/sign-up`)
  await shot('sign-up')
  await page.locator('#name').fill(ada.name)
  await page.locator('#email').fill('ada')
  await page.locator('#username').fill('ada lovelace')
  await page.locator('#password').fill('short')
  await submit(page)
  await shot('sign-up-errors')
  await signIn(page, url)
  await shot('account')
  await page.goto(`${url}/account/password`)
  await shot('password')
  await page.goto(`${url}/account`)
  await page.getByRole('button', { name: 'Sign out', exact: true }).click()
  await page.waitForURL('**/signed-out')
  await shot('signed-out')
  await page.goto(`${url}/sign-in?return_to=https://elsewhere.example/`)
  await shot('error')
  await page.context().close()
}

async function takePlayground(browser: Browser, url: string, colorScheme: 'light' | 'dark'): Promise<void> {
  const page = await open(browser, office, { name: '', colorScheme, width: 1200, height: 880 })
  await page.goto(`${url}/`)
  const form = page.locator('form[data-does="signUp"]')
  await form.locator('[name="email"]').fill(`jack-${colorScheme}@example.com`)
  await form.locator('[name="username"]').fill(`jack-${colorScheme}`)
  await form.getByRole('button').click()
  await form.locator('.outcome', { hasText: '201' }).waitFor()
  await page.evaluate('scrollTo(0, 0)')
  await take(page, `playground-${colorScheme}`, false)
  await page.context().close()
}

async function main(): Promise<void> {
  const { settings } = readSettings({
    env: {},
    options: {
      database: 'sqlite::memory:',
      port: 0,
      proxies: ['127.0.0.1'],
      log: { level: 'warn' },
    },
    dialectNames: Object.keys(dialects),
  })
  if (!settings) throw new Error('The settings of the pictures are wrong')
  const executablePath = findBrowser(chromiumHere, process.env)
  if (executablePath === undefined) throw new Error('There is no Chromium: name one in CHROMIUM')
  mkdirSync(`${folder}pages`, { recursive: true })
  const system = await openSystem(settings, { serving: true, clock: () => now })
  const { url, close } = await system.listen()
  const browser = await chromium.launch({
    executablePath,
    args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
  })
  try {
    await system.createUser(ada, { skipPolicy: false, superuser: false })
    now += 41 * 24 * hour
    for (const [device, passed] of [
      [phone, 3 * 24 * hour],
      [office, 7 * hour],
    ] as const) {
      const page = await open(browser, device)
      await signIn(page, url)
      await page.context().close()
      now += passed
    }
    for (const screen of screens) await takePages(browser, url, screen)
    for (const scheme of ['light', 'dark'] as const) await takePlayground(browser, url, scheme)
  } finally {
    await browser.close()
    await close()
    await system.close()
  }
}

await main()
