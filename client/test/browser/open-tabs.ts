// One browser with several tabs on an app with Rusk in it; between them a proxy that can hold and drop. Arranges; asserts
// nothing of the client.
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { BrowserContext, Page } from 'playwright-core'
import type { Options } from '../../../server/src/index.ts'
import { openChromium, openPage } from '../../../server/test/browser/chromium.ts'
import { type HoldingProxy, startProxy } from '../../../server/test/late/proxy.ts'
import type { Client, State } from '../../src/index.ts'
import { type App, ada, bob, openApp } from '../app.ts'
import { bundle, pageWith } from './bundle.ts'

// What stands in a tab.
declare const client: Client
declare const states: State['status'][]

const script = await bundle(new URL('./tab-page.ts', import.meta.url))
const worker = await bundle(new URL('./tab-worker.ts', import.meta.url))

export type Tabs = {
  readonly app: App
  /** The tabs' own origin: what goes there reaches the app. */
  readonly proxy: HoldingProxy
  readonly context: BrowserContext
  /** One more, once it knows who is signed in; `hash`: `#memory` for that delivery. */
  open(hash?: string): Promise<Page>
  /** Until no call has come for a while; what came is forgotten. */
  quiet(): Promise<void>
  /** The calls to refresh that have reached the server, with its answers. */
  refreshes(): readonly string[]
  /** So many milliseconds later: for the tabs that are open, for those that open after, and the access cookie has gone. */
  sleep(span: number): Promise<void>
}

export type TabsOptions = {
  /** Runs in every tab before any script of the page. */
  readonly before?: () => void
  /** The browser keeps pages that are left, to come back to them as they were. */
  readonly backForwardCache?: true
  readonly rusk?: Options
}

/** Ada and Bob have accounts; nobody is signed in. */
export async function openTabs(
  t: TestContext,
  { before, backForwardCache, rusk }: TabsOptions = {},
): Promise<Tabs> {
  const pages = {
    '/': pageWith(''),
    '/page.js': script,
    '/worker.js': worker,
    '/else': '<!doctype html><title>Elsewhere</title>',
  }
  const app = await openApp(t, pages, rusk)
  for (const person of [ada, bob]) {
    const headers = { 'content-type': 'application/json', origin: app.url }
    const body = JSON.stringify(person)
    const made = await app.rusk.fetch(
      new Request(`${app.url}/auth/sign-up`, { method: 'POST', headers, body }),
    )
    assert.equal(made.status, 201)
  }
  const proxy = await startProxy(app.url)
  t.after(proxy.close)
  const browser = await openChromium(t, backForwardCache && ['--disable-back-forward-cache'])
  const { page: first } = await openPage(browser)
  const context = first.context()
  if (before) await context.addInitScript(before)
  return {
    app,
    proxy,
    context,
    async open(hash = '') {
      const page = await context.newPage()
      await page.goto(`${proxy.url}/${hash}`)
      await page.waitForFunction(() => client.state.status !== 'unknown', null, { polling: 20 })
      return page
    },
    async quiet() {
      for (let before = -1; before !== app.asked.length; ) {
        before = app.asked.length
        await sleep(200)
      }
      app.asked.length = 0
    },
    refreshes: () => app.asked.filter(line => line.startsWith('POST /auth/refresh')),
    async sleep(span) {
      const later = (more: number) => {
        const { now } = Date
        Date.now = () => now() + more
      }
      await context.addInitScript(later, span)
      await Promise.all(context.pages().map(page => page.evaluate(later, span)))
      await context.clearCookies({ name: 'rusk_access' })
    },
  }
}

/** By the client of that tab. */
export const signIn = (tab: Page, { email, password }: typeof ada): Promise<unknown> =>
  tab.evaluate(fields => client.signIn(fields), { login: email, password })

export const signOut = (tab: Page): Promise<void> => tab.evaluate(() => client.signOut())

/** Status, or the code of the error, of a call that the app wants somebody signed in for. */
export const notes = (tab: Page): Promise<unknown> =>
  tab.evaluate(() =>
    client.fetch('/api/notes').then(
      ({ status }) => status,
      ({ code }) => code,
    ),
  )

/** Who is signed in as that tab has it: an address, or the status. */
export const who = (tab: Page): Promise<string> =>
  tab.evaluate(() => (client.state.status === 'signed-in' ? client.state.user.email : client.state.status))

/** Every status of that tab since it was last asked. */
export const statesOf = (tab: Page): Promise<readonly string[]> => tab.evaluate(() => states.splice(0))

/** Until every tab has it so, for at most `span` milliseconds; else says what they have instead. */
export async function become(tabs: readonly Page[], want: string, span = 2_000): Promise<void> {
  const end = performance.now() + span
  let have: readonly string[] = []
  do have = await Promise.all(tabs.map(who))
  while (have.some(each => each !== want) && performance.now() < end)
  assert.deepEqual(have, Array(tabs.length).fill(want))
}

/** The tab comes to the front, or goes away from it, as far as its scripts can tell. */
export const turn = (tab: Page, visibility: DocumentVisibilityState): Promise<unknown> =>
  tab.evaluate(state => {
    Object.defineProperty(document, 'visibilityState', { value: state, configurable: true })
    Object.defineProperty(document, 'hidden', { value: state === 'hidden', configurable: true })
    document.dispatchEvent(new Event('visibilitychange', { bubbles: true }))
  }, visibility)
