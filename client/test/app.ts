// An app as people have one: Rusk under /auth, an API that wants somebody signed in, pages, all on one origin; and another
// origin that is none of theirs. Both tell what reached them. Rusk can be kept from answering; nothing else is arranged.
import type { TestContext } from 'node:test'
import { dialects } from '../../server/src/dialects/index.ts'
import { type Options, type Rusk, rusk } from '../../server/src/index.ts'
import { type Answering, serveAnswers } from '../../server/test/answering.ts'

/** What reached an API. Forms as their fields. */
export type Seen = {
  readonly line: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: unknown
  /** Of who is signed in; null: nobody, and the answer was a 401. */
  readonly email: string | null
}

export type App = {
  /** Its origin, on `localhost`. */
  readonly url: string
  /** Another origin, which takes what anybody sends. */
  readonly elsewhere: string
  readonly rusk: Rusk
  /** Every call but those of Rusk's, in order: `/api/…` here, anything there. */
  readonly seen: Seen[]
  /** Every call of Rusk's, in order: `GET /auth/session 401`. */
  readonly asked: string[]
  /** What the calls of this line get, until told undefined: a status, a problem, a page, a connection that breaks, or nothing at all. */
  answer(line: string, instead: Instead | undefined): void
}

type Page = { readonly status: number; readonly type: string; readonly text: string }
type Instead = number | { readonly status: number; readonly code: string } | Page | 'breaks' | 'hangs'

const html = (status: number): Page => ({ status, type: 'text/html', text: '<h1>Not from here</h1>' })
const json = (status: number, body: unknown): Page => ({
  status,
  type: 'application/json',
  text: JSON.stringify(body),
})

/** What stands between an app and Rusk and speaks for itself: proxies, firewalls, portals of a network. */
export const gates: readonly (readonly [string, Instead])[] = [
  ['a 401 without a word', 401],
  ['a page that is a 401', html(401)],
  ['a 401 of another program', json(401, { message: 'Unauthorized', status: 401 })],
  ['a page that is a 404', html(404)],
  ['a 404 of another program', json(404, { message: 'no Route matched', path: '/' })],
  ['a page that is a 400', html(400)],
  ['a 400 of another program', json(400, { error: { reason: 'blocked' }, detail: null })],
  ['a 403 of another program', json(403, { message: 'Forbidden' })],
  ['a page that is a 200', html(200)],
  ['JSON of another program', json(200, { ok: true })],
]

export const ada = { email: 'ada@example.com', password: 'twelve blue herons', name: 'Ada' }
export const bob = { email: 'bob@example.com', password: 'eleven red kites', name: 'Bob' }

async function bodyOf(request: Request): Promise<unknown> {
  const type = request.headers.get('content-type') ?? ''
  if (!type.startsWith('multipart/')) return request.text()
  const form = await request.formData()
  const texts = [...form].map(async ([name, value]) => [
    name,
    typeof value === 'string' ? value : await value.text(),
  ])
  return Object.fromEntries(await Promise.all(texts))
}

/** Its origin. */
const serve = async (t: TestContext, answering: Answering): Promise<string> =>
  `http://localhost:${await serveAnswers(t, answering)}`

/** `pages`: documents and scripts by path. Rusk is asked for nothing before `options.url` is known. */
export async function openApp(
  t: TestContext,
  pages: Readonly<Record<string, string>> = {},
  options: Options = {},
): Promise<App> {
  const seen: Seen[] = []
  const asked: string[] = []
  const others = new Map<string, Instead>()
  const spoken = Object.values(dialects).filter(({ name }) =>
    [options.dialect ?? 'native'].flat().includes(name),
  )
  const lines = spoken.flatMap(({ routes }) => Object.keys(routes))
  const rusks = new Set(lines.map(line => line.split(' ')[1]))
  let auth: Rusk | undefined

  const see = async (request: Request, email: string | null): Promise<Seen> => {
    const { pathname, search } = new URL(request.url)
    const one: Seen = {
      line: `${request.method} ${pathname}${search}`,
      headers: Object.fromEntries(request.headers),
      body: await bodyOf(request),
      email,
    }
    seen.push(one)
    return one
  }

  const url = await serve(t, async request => {
    const { pathname } = new URL(request.url)
    const page = pages[pathname]
    if (page !== undefined) {
      const type = pathname.endsWith('.js') ? 'text/javascript' : 'text/html'
      return new Response(page, { headers: { 'content-type': `${type}; charset=utf-8` } })
    }
    const line = `${request.method} ${pathname}`
    const instead = others.get(line)
    if (instead === 'hangs') return new Promise(() => {})
    if (instead === 'breaks') return Response.error()
    if (typeof instead === 'object' && 'code' in instead) {
      return Response.json({ code: instead.code }, { status: instead.status })
    }
    if (typeof instead === 'object') {
      const { status, type, text } = instead
      return new Response(text, { status, headers: { 'content-type': type } })
    }
    if (rusks.has(pathname)) {
      const answer = instead ? new Response(null, { status: instead }) : await auth?.fetch(request)
      asked.push(`${line} ${answer?.status}`)
      return answer ?? Response.error()
    }
    if (!pathname.startsWith('/api/')) return new Response(null, { status: 404 })
    const who = instead ? null : await auth?.session(request)
    const one = await see(request, who?.user.email ?? null)
    return Response.json(one, { status: who ? 200 : (instead ?? 401) })
  })

  const elsewhere = await serve(t, async request => {
    const headers = {
      'access-control-allow-origin': request.headers.get('origin') ?? '*',
      'access-control-allow-credentials': 'true',
      'access-control-allow-headers': request.headers.get('access-control-request-headers') ?? '',
    }
    if (request.method === 'OPTIONS') return new Response(null, { status: 204, headers })
    return Response.json(await see(request, null), { headers })
  })

  auth = await rusk({
    url,
    database: 'sqlite::memory:',
    log: { level: 'silent' },
    secret: 'known to this test and to nobody else',
    ...options,
  })
  t.after(auth.close)
  return {
    url,
    elsewhere,
    rusk: auth,
    seen,
    asked,
    answer: (line, instead) => {
      if (instead === undefined) others.delete(line)
      else others.set(line, instead)
    },
  }
}
