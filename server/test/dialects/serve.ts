// Starts a server for one test and opens a browser on it; both end with the test.
import type { TestContext } from 'node:test'
import type { DialectName } from '../../src/dialects/index.ts'
import type { Options } from '../../src/index.ts'
import { openAssembled } from '../assembled.ts'
import { Browser } from './browser.ts'

export type Served = {
  readonly browser: Browser
  readonly port: number
  /** For the server so many milliseconds pass. */
  readonly pass: (span: number) => void
}

/** An API on the machine of the front end: on the same host, so that both are one site. */
const beside = (page: string | undefined, port: number): string =>
  `http://${page?.startsWith('http://127.0.0.1') ? '127.0.0.1' : 'localhost'}:${port}`

/**
 * `page`: the origin of the front end; `api`: the API itself; undefined: a tool, not a browser. `at`: the API as the
 * browser sees it, behind a proxy that ends TLS.
 */
export async function serve(
  t: TestContext,
  dialect: DialectName,
  page: string | undefined,
  options: Options = {},
  at?: string,
): Promise<Served> {
  let ahead = 0
  const system = await openAssembled(
    t,
    {
      dialect: [dialect],
      database: 'sqlite::memory:',
      port: 0,
      log: { level: 'error' },
      // Given, so that no key file is left behind.
      secret: 'known to this test and to nobody else',
      ...options,
    },
    { serving: true, clock: () => Date.now() + ahead },
  )
  const listening = await system.listen()
  t.after(() => listening.close())
  const { url } = listening
  const port = Number(new URL(url).port)
  const api = at ?? beside(page, port)
  return {
    browser: new Browser(api, port, page === 'api' ? api : page),
    port,
    pass: span => {
      ahead += span
    },
  }
}
