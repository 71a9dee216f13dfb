// Several sites in one Chromium, over https: pages by host, and Rusk behind one of the hosts. Every name leads to this
// machine. Tells what reached Rusk, and knows nothing of what it should answer.
import { readFileSync } from 'node:fs'
import type { TestContext } from 'node:test'
import type { BrowserContextOptions } from 'playwright-core'
import { type Options, type Rusk, rusk } from '../../src/index.ts'
import { type Answering, serveAnswers } from '../answering.ts'

/** For `openChromium`: names lead here. */
export const leadHere: readonly string[] = ['--host-resolver-rules=MAP * 127.0.0.1']

/** For `openPage`: nobody has to trust the certificate. */
export const takeAnyCertificate: BrowserContextOptions = { ignoreHTTPSErrors: true }

export type Sites = {
  /** `app.example.test` as an origin. The certificate is for `example.test`, `other.test` and the names one below them. */
  at(host: string): string
  readonly rusk: Rusk
  /** Every call that reached Rusk, in order: `POST /auth/sign-in 200`. */
  readonly asked: string[]
  /** The Cookie header of each of them; null: no cookie came. */
  readonly cookies: (string | null)[]
}

export type SitesOptions = {
  /** Rusk's. */
  readonly host: string
  /** Documents and scripts by host and path: `app.example.test/page.js`. */
  readonly pages: Readonly<Record<string, string>>
  /** Told how origins are written; `url` is Rusk's host. */
  readonly options?: (at: Sites['at']) => Options
}

/** Ends with the test. */
export async function openSites(t: TestContext, { host, pages, options }: SitesOptions): Promise<Sites> {
  const asked: string[] = []
  const cookies: (string | null)[] = []
  let auth: Rusk | undefined

  const answer: Answering = async request => {
    const { hostname, pathname } = new URL(request.url)
    const page = pages[hostname + pathname]
    if (page !== undefined) {
      const type = pathname.endsWith('.js') ? 'text/javascript' : 'text/html'
      return new Response(page, { headers: { 'content-type': `${type}; charset=utf-8` } })
    }
    if (hostname !== host || !auth) return new Response(null, { status: 404 })
    const answered = await auth.fetch(request)
    asked.push(`${request.method} ${pathname} ${answered.status}`)
    cookies.push(request.headers.get('cookie'))
    return answered
  }

  const pem = readFileSync(new URL('sites.pem', import.meta.url))
  const port = await serveAnswers(t, answer, { host: '127.0.0.1', pem })
  const at = (name: string) => `https://${name}:${port}`

  auth = await rusk({
    url: at(host),
    database: 'sqlite::memory:',
    log: { level: 'silent' },
    secret: 'known to this test and to nobody else',
    ...options?.(at),
  })
  t.after(auth.close)
  return { at, rusk: auth, asked, cookies }
}
