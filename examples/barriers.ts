// What keeps people out of an example's page, and what a script could read there. Knows no page.
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import type { Page } from 'playwright-core'

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

type Violation = { readonly id: string; readonly nodes: readonly { readonly html: string }[] }

/** What axe finds wrong, as `rule: element`, and `wide` when the page must be scrolled sideways. */
export async function findBarriers(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe)
  const violations: readonly Violation[] = await page.evaluate('axe.run().then(found => found.violations)')
  const wide: boolean = await page.evaluate(
    'document.documentElement.scrollWidth > document.documentElement.clientWidth',
  )
  return [
    ...violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`)),
    ...(wide ? ['wide'] : []),
  ]
}

/** Everything that a script of the page's origin finds in its stores; cookies by their names. */
export const readStores = (page: Page): Promise<unknown> =>
  page.evaluate(`({
    local: Object.keys(localStorage),
    session: Object.keys(sessionStorage),
    cookies: document.cookie.split('; ').map(pair => pair.split('=')[0]).filter(Boolean),
  })`)
