// What a browser gives a page and Node does not: a jar of cookies under fetch, an origin, document.cookie, and events of the
// page. For one test; knows nothing of Rusk.
import type { TestContext } from 'node:test'
import { Jar, readSetCookie } from '../../server/test/dialects/jar.ts'

export type Sent = {
  /** `POST /auth/refresh`. */
  readonly line: string
  readonly headers: Headers
  /** 0: no answer came. */
  status: number
}

export type Browsing = {
  readonly jar: Jar
  readonly sent: readonly Sent[]
  /** Everything that was sent, with how it was answered: `POST /auth/refresh 200`. */
  calls(): readonly string[]
  /** How the calls of this line were answered. */
  answers(line: string): readonly number[]
  /** Forgets the calls so far. */
  forget(): void
  /** `online`, `visibilitychange`, `pagehide`, …; `more` stands on the event. */
  fire(type: string, more?: Readonly<Record<string, unknown>>): void
}

/** Ports do not count. */
const isSameSite = (a: URL, b: URL): boolean => a.protocol === b.protocol && a.hostname === b.hostname

/** The wall around answers of other origins (Fetch Standard §4.10), as far as credentials go. */
const isOpen = (answer: Response, origin: string): boolean =>
  answer.headers.get('access-control-allow-origin') === origin &&
  answer.headers.get('access-control-allow-credentials') === 'true'

/**
 * Until the end of the test `fetch` keeps cookies. `page`: the origin of the page that calls; without one there is no page
 * either, as in a program, and the jar serves every call that includes credentials.
 */
export function withJar(t: TestContext, page?: string): Browsing {
  const jar = new Jar()
  let sent: Sent[] = []
  const events = new EventTarget()
  const at = page === undefined ? undefined : new URL(page)
  const platform = globalThis.fetch

  async function browse(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
    const request = new Request(input, init)
    const url = new URL(request.url)
    const foreign = at !== undefined && at.origin !== url.origin
    const standing = { url, crossSite: at !== undefined && !isSameSite(at, url), topLevelGet: false }
    const withCookies =
      request.credentials === 'include' || (request.credentials === 'same-origin' && !foreign)
    const headers = new Headers(request.headers)
    const cookie = withCookies ? jar.header(standing, Date.now()) : undefined
    if (cookie !== undefined) headers.set('cookie', cookie)
    if (at && (foreign || !/^(GET|HEAD)$/.test(request.method))) headers.set('origin', at.origin)
    if (at)
      headers.set(
        'sec-fetch-site',
        foreign ? (standing.crossSite ? 'cross-site' : 'same-site') : 'same-origin',
      )
    const call: Sent = { line: `${request.method} ${url.pathname}`, headers, status: 0 }
    sent.push(call)
    const answer = await platform(new Request(request, { headers }))
    const lines = withCookies ? answer.headers.getSetCookie() : []
    for (const line of lines) jar.take(readSetCookie(line), standing, Date.now())
    if (at && foreign && withCookies && !isOpen(answer, at.origin)) throw new TypeError('Failed to fetch')
    call.status = answer.status
    return answer
  }

  const globals: Record<string, unknown> = {
    fetch: browse,
    ...(at && {
      location: at,
      document: {
        hidden: false,
        get cookie() {
          return jar
            .readable(at, Date.now())
            .map(([name, value]) => `${name}=${value}`)
            .join('; ')
        },
      },
      addEventListener: events.addEventListener.bind(events),
      removeEventListener: events.removeEventListener.bind(events),
    }),
  }
  for (const [name, value] of Object.entries(globals)) {
    const before = Object.getOwnPropertyDescriptor(globalThis, name)
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true })
    t.after(() => {
      if (before) Object.defineProperty(globalThis, name, before)
      else Reflect.deleteProperty(globalThis, name)
    })
  }

  return {
    jar,
    get sent() {
      return sent
    },
    calls: () => sent.map(({ line, status }) => `${line} ${status}`),
    answers: line => sent.filter(call => call.line === line).map(({ status }) => status),
    forget() {
      sent = []
    },
    fire: (type, more = {}) => events.dispatchEvent(Object.assign(new Event(type), more)),
  }
}
