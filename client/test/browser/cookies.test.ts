// Page and Rusk on two sites in a real browser, whose profile takes cookies of third parties or does not: who cannot be kept
// signed in is told so at once, in a sentence to act on, and not at the next click.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Page } from 'playwright-core'
import { openProfile } from '../../../server/test/browser/chromium.ts'
import { leadHere, openSites, takeAnyCertificate } from '../../../server/test/browser/sites.ts'
import type { ClientOptions } from '../../src/contract.ts'
import type * as api from '../../src/index.ts'
import { ada } from '../app.ts'
import { bundle, pageWith } from './bundle.ts'

declare const createClient: typeof api.createClient
declare const RuskError: typeof api.RuskError

const script = await bundle(new URL('./client-page.ts', import.meta.url))

const rusk = 'auth.example.test'

/** The settings of a profile: cookies of third parties are taken, or are not. */
const profiles = {
  takes: { profile: { cookie_controls_mode: 0, block_third_party_cookies: false } },
  blocks: { profile: { cookie_controls_mode: 1, block_third_party_cookies: true } },
} as const

type Room = { readonly page: Page; readonly asked: readonly string[]; readonly baseUrl: string }

/** A page on `app`, whose origin is listed; Ada has an account. */
async function open(
  t: TestContext,
  app: string,
  crossSite: boolean,
  profile: keyof typeof profiles,
): Promise<Room> {
  const sites = await openSites(t, {
    host: rusk,
    pages: { [`${app}/`]: pageWith(''), [`${app}/page.js`]: script },
    options: at => ({ origins: [at(app)], cookies: { crossSite } }),
  })
  const made = await sites.rusk.fetch(
    new Request(`${sites.at(rusk)}/auth/sign-up`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(ada),
    }),
  )
  assert.equal(made.status, 201)
  const context = await openProfile(t, profiles[profile], leadHere, takeAnyCertificate)
  const page = await context.newPage()
  await page.goto(sites.at(app))
  return { page, asked: sites.asked, baseUrl: sites.at(rusk) }
}

type Told = { readonly code: string; readonly sentence: string; readonly state: object }
type Kept = {
  readonly signedIn: string
  readonly next: string | undefined
  readonly later: string | undefined
}

/** Signs in, and asks again: as the same client, and as one that a page makes after a reload. */
const signIn = (page: Page, options: ClientOptions): Promise<Told | Kept> =>
  page.evaluate(
    async ([given, login, password]) => {
      const client = createClient(given)
      try {
        const { email } = await client.signIn({ login, password })
        const next = await client.session()
        const later = await createClient(given).session()
        return { signedIn: email, next: next?.email, later: later?.email }
      } catch (error) {
        if (!(error instanceof RuskError)) throw error
        return { code: error.code, sentence: error.message, state: client.state }
      }
    },
    [options, ada.email, ada.password] as const,
  )

// [sentence, host of the page, cookies.crossSite, whether the profile takes them, whether it works]
const table: readonly [string, string, boolean, keyof typeof profiles, boolean][] = [
  ['Rusk is on another site and does not know', 'app.other.test', false, 'takes', false],
  ['Rusk is on another site, and the browser blocks', 'app.other.test', true, 'blocks', false],
  ['Rusk is on another site and knows, and the browser takes them', 'app.other.test', true, 'takes', true],
  [
    'Rusk is on another host of the same site, and the browser blocks',
    'app.example.test',
    false,
    'blocks',
    true,
  ],
]

for (const [sentence, app, crossSite, profile, works] of table) {
  for (const delivery of ['cookies', 'memory'] as const) {
    const what = works ? 'stays' : 'is told that cookies are blocked'
    test(`where ${sentence}, whoever signs in ${what} (${delivery})`, async t => {
      const { page, asked, baseUrl } = await open(t, app, crossSite, profile)
      const got = await signIn(page, { baseUrl, delivery })
      assert.ok(asked.includes('POST /auth/sign-in 200'), asked.join('\n'))
      if (works) {
        assert.deepEqual(got, { signedIn: ada.email, next: ada.email, later: ada.email })
        return
      }
      assert.deepEqual(got, {
        code: 'cookies_blocked',
        sentence: `Cookies are blocked: put page and ${baseUrl} on one site`,
        state: { status: 'signed-out', reason: 'nobody' },
      })
    })
  }
}
