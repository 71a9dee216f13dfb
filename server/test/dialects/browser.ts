// A browser as the server sees one: a page of some origin that calls the API over a real socket, with a cookie jar,
// Origin and Fetch Metadata, SameSite, preflights and the wall around answers that CORS does not open.
import { type IncomingHttpHeaders, request } from 'node:http'
import { Jar, readSetCookie, type SetCookie } from './jar.ts'

/** What came back. A page that CORS keeps out gets `blocked`, and the rest stands here for assertions only. */
export type Got = {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  /** The parsed body; undefined when there is none or it is not JSON. */
  readonly body: unknown
  /** By name, as the server wrote them. */
  readonly set: Readonly<Record<string, SetCookie>>
  readonly blocked: boolean
}

export type Ask = {
  /** Sent as JSON. */
  readonly json?: unknown
  /** Sent as it is, with `type`. */
  readonly text?: string
  readonly type?: string
  readonly headers?: Readonly<Record<string, string>>
}

type Wire = {
  readonly method: string
  readonly path: string
  readonly headers: Record<string, string>
  readonly body?: string
}

/** `POST /auth/login`. */
export type Line = `${string} /${string}`

const simpleTypes = ['application/x-www-form-urlencoded', 'multipart/form-data', 'text/plain']

/** Hosts of one site: the same, or siblings under one name of two labels. Ports do not count, schemes do. */
function isSameSite(a: URL, b: URL): boolean {
  if (a.protocol !== b.protocol) return false
  if (a.hostname === b.hostname) return true
  const site = (host: string) => (/^[\d.]+$/.test(host) ? host : host.split('.').slice(-2).join('.'))
  return a.hostname.includes('.') && site(a.hostname) === site(b.hostname)
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

export class Browser {
  readonly jar: Jar
  /** The API as the browser sees it. */
  readonly at: URL
  /** Where the socket goes: behind `at` there may be a proxy that ends TLS. */
  readonly #port: number
  #page: URL | undefined

  /** `page` undefined: not a browser at all, but a tool that sends neither Origin nor Fetch Metadata. */
  constructor(at: string, port: number, page: string | undefined, jar = new Jar()) {
    this.at = new URL(at)
    this.#port = port
    this.#page = page === undefined ? undefined : new URL(page)
    this.jar = jar
  }

  /** Another tab of the same browser: the same jar, a page of another origin. */
  tab(page: string | undefined): Browser {
    return new Browser(this.at.href, this.#port, page, this.jar)
  }

  /** Another browser, into which this one's cookies were copied. */
  stolen(): Browser {
    return new Browser(this.at.href, this.#port, this.#page?.href, this.jar.copy())
  }

  /** What a script of the page reads in `document.cookie`; a tool may look at its own jar. */
  documentCookie(): ReadonlyMap<string, string> {
    return new Map(this.jar.readable(this.#page ?? this.at, Date.now()))
  }

  /** `fetch(path, { credentials: 'include' })`, with a preflight where the Fetch standard wants one. */
  async call(line: Line, ask: Ask = {}): Promise<Got> {
    const [method = '', path = ''] = line.split(' ')
    const type = ask.type ?? (ask.json === undefined ? undefined : 'application/json')
    const body = ask.json === undefined ? ask.text : JSON.stringify(ask.json)
    const own = { ...(type === undefined ? {} : { 'content-type': type }), ...ask.headers }
    const page = this.#page
    const crossOrigin = page !== undefined && page.origin !== this.at.origin
    if (crossOrigin && this.#needsPreflight(method, own)) {
      const preflight = await this.preflight(line, Object.keys(own))
      if (preflight.blocked) return preflight
    }
    const sendsOrigin = page !== undefined && (crossOrigin || !['GET', 'HEAD'].includes(method))
    const headers = {
      ...own,
      ...(sendsOrigin ? { origin: page.origin } : {}),
      ...this.#metadata('cors', 'empty'),
    }
    const got = await this.#send({ method, path, headers, ...(body === undefined ? {} : { body }) }, false)
    return { ...got, blocked: crossOrigin && !this.#opens(got) }
  }

  /** A form that a page submits: no preflight, and nothing that the page could read. */
  async submit(line: Line, type: string, text: string): Promise<Got> {
    const [method = '', path = ''] = line.split(' ')
    const origin: Record<string, string> = this.#page && method !== 'GET' ? { origin: this.#page.origin } : {}
    const headers = { 'content-type': type, ...origin, ...this.#metadata('navigate', 'document') }
    const wire = method === 'GET' ? { method, path, headers } : { method, path, headers, body: text }
    return { ...(await this.#send(wire, method === 'GET')), blocked: true }
  }

  /** What the browser asks before a call that is not simple. Never carries cookies. */
  async preflight(line: Line, names: readonly string[]): Promise<Got> {
    const [method = '', path = ''] = line.split(' ')
    const asked = names.map(name => name.toLowerCase()).toSorted()
    const headers = {
      origin: this.#page?.origin ?? 'null',
      'access-control-request-method': method,
      ...(asked.length === 0 ? {} : { 'access-control-request-headers': asked.join(',') }),
      ...this.#metadata('cors', 'empty'),
    }
    const got = await this.#exchange({ method: 'OPTIONS', path, headers })
    const list = (name: string) =>
      String(got.headers[name] ?? '')
        .split(',')
        .map(item => item.trim().toLowerCase())
    const open =
      got.status >= 200 &&
      got.status < 300 &&
      this.#opens(got) &&
      list('access-control-allow-methods').includes(method.toLowerCase()) &&
      asked.every(name => list('access-control-allow-headers').includes(name))
    return { ...got, blocked: !open }
  }

  #needsPreflight(method: string, own: Readonly<Record<string, string>>): boolean {
    const { 'content-type': type, ...others } = own
    const simpleType = type === undefined || simpleTypes.includes(type.split(';')[0] ?? '')
    return !['GET', 'HEAD', 'POST'].includes(method) || !simpleType || Object.keys(others).length > 0
  }

  #opens(got: Pick<Got, 'headers'>): boolean {
    return (
      got.headers['access-control-allow-origin'] === this.#page?.origin &&
      got.headers['access-control-allow-credentials'] === 'true'
    )
  }

  #metadata(mode: string, destination: string): Record<string, string> {
    if (!this.#page) return {}
    const site =
      this.#page.origin === this.at.origin
        ? 'same-origin'
        : isSameSite(this.#page, this.at)
          ? 'same-site'
          : 'cross-site'
    return { 'sec-fetch-site': site, 'sec-fetch-mode': mode, 'sec-fetch-dest': destination }
  }

  async #send(wire: Wire, topLevelGet: boolean): Promise<Omit<Got, 'blocked'>> {
    const url = new URL(wire.path, this.at)
    const crossSite = this.#page !== undefined && !isSameSite(this.#page, this.at)
    const standing = { url, crossSite, topLevelGet }
    const cookie = this.jar.header(standing, Date.now())
    const headers = { ...wire.headers, ...(cookie === undefined ? {} : { cookie }) }
    const got = await this.#exchange({ ...wire, headers })
    for (const set of Object.values(got.set)) {
      const refused = this.jar.take(set, standing, Date.now())
      if (refused) throw new Error(`A browser throws the cookie ${set.name} away: ${refused}`)
    }
    return got
  }

  #exchange(wire: Wire): Promise<Omit<Got, 'blocked'>> {
    return new Promise((resolve, reject) => {
      const { method, path, body } = wire
      const headers = {
        host: this.at.host,
        ...wire.headers,
        ...(body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }),
      }
      const sent = request(
        { host: '127.0.0.1', port: this.#port, method, path, headers, agent: false },
        answer => {
          const chunks: Buffer[] = []
          answer.on('data', (chunk: Buffer) => chunks.push(chunk))
          answer.on('error', reject)
          answer.on('end', () => {
            const text = Buffer.concat(chunks).toString()
            const lines = (answer.headers['set-cookie'] ?? []).map(readSetCookie)
            const set = Object.fromEntries(lines.map(each => [each.name, each]))
            if (Object.keys(set).length < lines.length)
              reject(new Error(`One cookie was set twice in one answer: ${lines.map(({ name }) => name)}`))
            resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text, body: parse(text), set })
          })
        },
      )
      sent.on('error', reject)
      sent.end(body)
    })
  }
}
