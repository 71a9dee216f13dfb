// What a page may send to a host that is none of its own without asking anybody, with whatever cookies the browser adds, and
// what it gets to see of the answer. Knows no route and nobody's name.
import type { Page } from 'playwright-core'

/** Forms send themselves, and elements load whatever address they are given. */
export const hostileScript = `
function submit(url, type, fields) {
  // Names and values of this type are joined by "=" and not escaped: one of each makes JSON.
  const json = JSON.stringify(fields).slice(0, -1)
  const pairs = type === 'text/plain' ? [[json + ',"padding":"', '"}']] : Object.entries(fields)
  const form = document.createElement('form')
  form.method = 'POST'
  form.enctype = type
  form.action = url
  for (const [name, value] of pairs) {
    const input = document.createElement('input')
    input.type = 'hidden'
    input.name = name
    input.value = value
    form.append(input)
  }
  document.body.append(form)
  form.submit()
}
function load(tag, url) {
  return new Promise(done => {
    const node = document.createElement(tag)
    node.onload = () => done('loaded')
    node.onerror = () => done('failed')
    node.src = url
    document.body.append(node)
  })
}
Object.assign(globalThis, { submit, load })`

/** A document for every hostile host. */
export const hostilePage = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Hostile</title>
<link rel="icon" href="data:,"><script>${hostileScript}</script></html>`

/** A call as its route would have it. */
export type Target = {
  readonly url: string
  readonly method: string
  readonly fields: Readonly<Record<string, string>>
}

/** From a hostile page that is open; what it saw of the answer, empty where that is nothing. */
export type Way = (page: Page, target: Target) => Promise<string>

/** Forms know GET and POST; some frameworks take another method from a field or from the query. */
const posted = ({ url, method }: Target): string => (method === 'POST' ? url : `${url}?_method=${method}`)

/** The page goes where the script leads, sees nothing any more, and is opened again for what comes next. */
async function leave(page: Page, url: string, script: string): Promise<string> {
  const here = page.url()
  const answered = page.waitForResponse(answer => answer.url() === url)
  await page.evaluate(script)
  // Of this a browser stays where it is (HTML Standard, navigation).
  if ((await answered).status() !== 204) {
    await page.waitForURL(({ href }) => href !== here, { waitUntil: 'commit' })
  }
  // Nor is it left while it goes on by itself.
  await page.waitForLoadState('domcontentloaded')
  await page.locator('meta[http-equiv="refresh"]').waitFor({ state: 'detached' })
  await page.goto(here)
  return ''
}

const write = (...values: readonly unknown[]): string => values.map(each => JSON.stringify(each)).join(', ')

const byForm =
  (type: string, before = ''): Way =>
  (page, target) => {
    const url = posted(target)
    return leave(page, url, `${before}; submit(${write(url, type, target.fields)})`)
  }

/** A form as pages send it. */
export const send = byForm('application/x-www-form-urlencoded')

/** What comes from it has no origin but `null`. */
const unnamed = `document.head.insertAdjacentHTML('beforeend', '<meta name="referrer" content="no-referrer">')`

type Kind = 'nothing' | 'fields' | 'parts' | 'text' | 'untyped' | 'json'

/** Without CORS the platform knows GET, HEAD and POST. */
const byFetch =
  (mode: 'cors' | 'no-cors', kind: Kind): Way =>
  (page, target) =>
    page.evaluate(
      async ([url, method, how, what, fields]) => {
        const parts = new FormData()
        for (const [name, value] of Object.entries(fields)) parts.set(name, value)
        const json = JSON.stringify(fields)
        const bodies = {
          nothing: null,
          fields: new URLSearchParams(fields),
          parts,
          text: json,
          untyped: new Blob([json]),
          json: new Blob([json], { type: 'application/json' }),
        }
        try {
          const answer = await fetch(url, { method, mode: how, credentials: 'include', body: bodies[what] })
          return answer.type === 'opaque' ? answer.text() : `${answer.status} ${await answer.text()}`
        } catch {
          return ''
        }
      },
      [
        mode === 'cors' ? target.url : posted(target),
        mode === 'cors' ? target.method : 'POST',
        mode,
        kind,
        target.fields,
      ] as const,
    )

type Ways = readonly (readonly [string, Way])[]

/** For what takes anything that changes something. */
export const fewWays: Ways = [
  ['a form', send],
  ['fetch without CORS, without a body', byFetch('no-cors', 'nothing')],
  ['fetch without CORS, a form', byFetch('no-cors', 'fields')],
  ['fetch with CORS, without a body', byFetch('cors', 'nothing')],
  ['fetch with CORS, a form', byFetch('cors', 'fields')],
]

/** For what takes forms. */
export const formWays: Ways = [
  ...fewWays,
  ['a form of a page that does not say where it is', byForm('application/x-www-form-urlencoded', unnamed)],
]

/** For what takes JSON. */
export const jsonWays: Ways = [
  ...fewWays,
  ['a form in parts', byForm('multipart/form-data')],
  ['a form that is JSON', byForm('text/plain')],
  ['fetch without CORS, a form in parts', byFetch('no-cors', 'parts')],
  ['fetch without CORS, JSON as text', byFetch('no-cors', 'text')],
  ['fetch without CORS, JSON without a type', byFetch('no-cors', 'untyped')],
  ['fetch with CORS, JSON as text', byFetch('cors', 'text')],
  ['fetch with CORS, JSON', byFetch('cors', 'json')],
]

const byElement =
  (tag: 'img' | 'script'): Way =>
  async (page, { url }) => {
    const came = await page.evaluate<string>(`load(${write(tag, url)})`)
    return came === 'failed' ? '' : came
  }

/** The page inside says where it is where it is not kept out: an error of Chromium's has an address of its own. */
const byFrame: Way = async (page, { url }) => {
  await page.evaluate(`load(${write('iframe', url)})`)
  const inside = page.frames().at(-1)?.url() ?? ''
  return inside.startsWith('chrome-error:') ? '' : inside
}

const byNavigation: Way = (page, { url }) => leave(page, url, `void location.assign(${write(url)})`)

const byGet =
  (mode: 'cors' | 'no-cors'): Way =>
  (page, { url }) =>
    page.evaluate(
      async ([at, how]) => {
        try {
          const answer = await fetch(at, { mode: how, credentials: 'include' })
          return answer.type === 'opaque' ? answer.text() : `${answer.status} ${await answer.text()}`
        } catch {
          return ''
        }
      },
      [url, mode] as const,
    )

/** For what an address alone can do. */
export const elementWays: Ways = [['an image', byElement('img')]]

/** For what is there to be read. */
export const readingWays: Ways = [
  ...elementWays,
  ['a navigation', byNavigation],
  ['a script', byElement('script')],
  ['a frame', byFrame],
  ['fetch without CORS', byGet('no-cors')],
  ['fetch with CORS', byGet('cors')],
]
