// Somebody who uses the hosted pages in a browser without scripts: follows redirects, fills in the forms that are there,
// presses their buttons. Knows of the pages only what stands in them.
import assert from 'node:assert/strict'
import type { Browser, Got } from './dialects/browser.ts'

export type Shown = {
  readonly status: number
  /** Where the visitor has arrived, with its query. */
  readonly at: string
  readonly html: string
  /** Every answer on the way, this one last. */
  readonly hops: readonly Got[]
}

const entities: Readonly<Record<string, string>> = {
  '&amp;': '&',
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&#39;': "'",
}

const readable = (text: string): string =>
  text.replace(/&(?:amp|lt|gt|quot|#39);/g, each => entities[each] ?? '')

const attributeOf = (tag: string, name: string): string | undefined => {
  const value = new RegExp(`\\s${name}="([^"]*)"`).exec(tag)?.[1]
  return value === undefined ? undefined : readable(value)
}

export type Form = { readonly action: string; readonly fields: Readonly<Record<string, string>> }

/** The forms of a page with what stands in their controls. */
export const formsOf = (html: string): readonly Form[] =>
  [...html.matchAll(/<form\b([^>]*)>([\s\S]*?)<\/form>/g)].map(([, head = '', body = '']) => ({
    action: attributeOf(head, 'action') ?? '',
    fields: Object.fromEntries(
      [...body.matchAll(/<input\b[^>]*>/g)].map(([tag]) => [
        attributeOf(tag, 'name') ?? '',
        attributeOf(tag, 'value') ?? '',
      ]),
    ),
  }))

/** The words of a page, without its markup. */
export const wordsOf = ({ html }: Pick<Shown, 'html'>): string =>
  readable(html.replace(/<(head|style|script)\b[\s\S]*?<\/\1>/g, ' ').replace(/<[^>]*>/g, ' ')).replace(
    /\s+/g,
    ' ',
  )

const mostHops = 6

const formType = 'application/x-www-form-urlencoded'

export function visitorOf(browser: Browser) {
  /** Follows redirects as long as they stay on this host; where they leave it is the last hop's Location. */
  async function follow(first: Got, at: string): Promise<Shown> {
    const hops = [first]
    let here = at
    for (let got = first; ; ) {
      const { location } = got.headers
      if (got.status !== 303 || location === undefined || !location.startsWith('/'))
        return { status: got.status, at: here, html: got.text, hops }
      assert.ok(hops.length <= mostHops, `a circle: ${location}`)
      here = location
      got = await browser.submit(`GET ${location as '/'}`, formType, '')
      hops.push(got)
    }
  }

  return {
    /** Follows a link of a page of `browser`'s origin. */
    go: async (path: `/${string}`): Promise<Shown> =>
      follow(await browser.submit(`GET ${path}`, formType, ''), path),
    /** Presses the button of the form whose action ends so, with other values where they are given. */
    async press(page: Shown, action: string, values: Readonly<Record<string, string>> = {}): Promise<Shown> {
      const form = formsOf(page.html).find(each => each.action.endsWith(action))
      assert.ok(form, `there is no form for ${action} at ${page.at}: ${wordsOf(page)}`)
      const body = new URLSearchParams({ ...form.fields, ...values }).toString()
      return follow(await browser.submit(`POST ${form.action as '/'}`, formType, body), form.action)
    },
  }
}

export type Visitor = ReturnType<typeof visitorOf>
