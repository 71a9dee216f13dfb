// What each dialect's calls and cookies are called, read out of the dialect itself, and a front end that makes them through
// a proxy. Decides nothing of what should come back.
import assert from 'node:assert/strict'
import { type DialectName, dialects } from '../../src/dialects/index.ts'
import { Browser, type Line } from '../dialects/browser.ts'
import type { HoldingProxy } from './proxy.ts'

/** What a call is asked to do, by the operation's name. */
export type Does = string

export type Calls = {
  readonly dialect: DialectName
  /** Undefined: the dialect has no such call. */
  readonly find: (does: Does) => Line | undefined
  /** The body, out of values by the operation's own names; undefined: it takes none. */
  readonly bodyOf: (
    does: Does,
    values: Readonly<Record<string, string>>,
  ) => Record<string, string> | undefined
  readonly names: { readonly access: string | undefined; readonly refresh: string; readonly signIn: string }
  readonly csrf: { readonly cookie: string; readonly header: string } | undefined
}

export const dialectNames = Object.keys(dialects) as readonly DialectName[]

export function callsOf(dialect: DialectName): Calls {
  const { routes, cookies } = dialects[dialect]
  const routeOf = (does: Does) => Object.entries(routes).find(([, route]) => route.does === does)
  return {
    dialect,
    find: does => routeOf(does)?.[0] as Line | undefined,
    bodyOf(does, values) {
      const takes = Object.entries(routeOf(does)?.[1].takes ?? {})
      // Two wire names for one field: one will do.
      const wires = new Map(takes.toReversed().map(([wire, field]) => [field, wire]))
      const body = [...wires].flatMap(([field, wire]) => {
        const value = values[field]
        return value === undefined ? [] : [[wire, value] as const]
      })
      return body.length === 0 ? undefined : Object.fromEntries(body)
    },
    names: { access: cookies.access?.name, refresh: cookies.refresh.name, signIn: cookies.signIn },
    csrf: cookies.csrf && { cookie: cookies.csrf.cookie.name, header: cookies.csrf.header },
  }
}

export function lineOf(calls: Calls, does: Does): Line {
  const line = calls.find(does)
  assert.ok(line, `${calls.dialect} has no call that does ${does}`)
  return line
}

/** The first part of a refresh or sign-in cookie's value. */
export const sessionIn = (cookie: string): string => cookie.split('.')[0] ?? ''

/** The session that an access token is of. */
export const sessionOf = (token: string): string =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()).sid

/** The access token in a body, where it travels in memory. */
export const tokenIn = (body: unknown): string | undefined =>
  Object.values((body ?? {}) as Record<string, unknown>).find(
    value => typeof value === 'string' && /^[\w-]+\.[\w-]+\.[\w-]+$/.test(value),
  ) as string | undefined

export type Person = {
  readonly email: string
  readonly username: string
  readonly name: string
  readonly login: string
  readonly password: string
  readonly current: string
  readonly new: string
}

const password = 'Correct horse 1 battery'

export const personCalled = (username: string): Person => ({
  email: `${username}@example.com`,
  username,
  name: 'Somebody Else',
  login: `${username}@example.com`,
  password,
  current: password,
  new: 'Another horse 2 battery',
})

export type Came = { readonly status: number; readonly body: unknown; readonly text: string }

/** What makes the calls: a browser of the tests' own, or a real one. */
export type Agent = {
  /** Composed with the cookies that it holds when it is called; resolves when the answer has arrived and its cookies are taken. */
  fetch(line: Line, headers: Record<string, string>, json: unknown): Promise<Came>
  /** What a script of the page reads of this cookie. */
  readable(name: string): Promise<string | undefined>
  /** What the browser holds, whoever may read it. */
  held(name: string): Promise<string | undefined>
}

/** A front end: what makes its calls, the proxy they go through, and what its page keeps in memory. */
export type Front = {
  readonly calls: Calls
  readonly agent: Agent
  readonly proxy: HoldingProxy
  readonly person: Person
  /** The access token that came last, where it travels in memory. */
  token: string | undefined
}

/** The CSRF header and the access token, as a page has them at this moment. */
export async function headersOf({ calls: { csrf }, agent, token }: Front): Promise<Record<string, string>> {
  const text = csrf && (await agent.readable(csrf.cookie))
  return {
    ...(csrf && text !== undefined ? { [csrf.header]: text } : {}),
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  }
}

/** As the page would: with the CSRF header, the token that came last, and this person's values. */
export async function call(front: Front, does: Does): Promise<Came> {
  const json = front.calls.bodyOf(does, front.person)
  const came = await front.agent.fetch(lineOf(front.calls, does), await headersOf(front), json)
  front.token = tokenIn(came.body) ?? front.token
  return came
}

/** Returns the session. */
export async function signIn(front: Front): Promise<string> {
  if (front.calls.find('csrf')) await call(front, 'csrf')
  const came = await call(front, 'signIn')
  assert.equal(came.status, 200, came.text)
  return sessionIn((await front.agent.held(front.calls.names.signIn)) ?? '')
}

/** The session that "who am I" finds, by the access token in cookie or memory; undefined: it is refused. */
export async function whoAmI(front: Front): Promise<string | undefined> {
  const { calls, agent, token } = front
  const { status, text } = await call(front, 'whoAmI')
  assert.ok(status === 200 || status === 401, `${status} ${text}`)
  const shown = calls.names.access === undefined ? token : await agent.held(calls.names.access)
  return status === 200 ? sessionOf(shown ?? '') : undefined
}

/** As front ends do: who am I; refused, one refresh and once more. Undefined: signed out. */
export async function whoIsIn(front: Front): Promise<string | undefined> {
  const session = await whoAmI(front)
  if (session !== undefined) return session
  const { status, text } = await call(front, 'refresh')
  assert.ok(status === 200 || status === 401, `${status} ${text}`)
  return status === 200 ? whoAmI(front) : undefined
}

/** A front end over the tests' own browser, which can be copied and looked into. */
export type Socket = Front & { readonly browser: Browser }

const agentOf = (browser: Browser): Agent => ({
  async fetch(line, headers, json) {
    const got = await browser.call(line, json === undefined ? { headers } : { headers, json })
    if (got.status >= 400) assert.deepEqual(got.set, {}, `${line} was refused and touches no cookie`)
    return got
  },
  readable: async name => browser.documentCookie().get(name),
  held: async name => browser.jar.get(name)?.value,
})

/** A page on the API's own origin. `at`: that origin; the proxy must lead there. */
export function openSocket(calls: Calls, proxy: HoldingProxy, at: string, person: Person): Socket {
  const browser = new Browser(at, proxy.port, at)
  return { calls, proxy, person, browser, agent: agentOf(browser), token: undefined }
}

/** The cookies and the token of this moment, in another browser. */
export function copyOf(front: Socket): Socket {
  const { at, jar } = front.browser
  const browser = new Browser(at.href, front.proxy.port, at.href, jar.copy())
  return { ...front, browser, agent: agentOf(browser) }
}

/** Makes the account; the browser is not signed in afterwards, whatever the dialect. */
export async function makeAccount(front: Socket): Promise<void> {
  if (front.calls.find('csrf')) await call(front, 'csrf')
  const came = await call(front, front.calls.find('register') ? 'register' : 'signUp')
  assert.ok(came.status < 300, came.text)
  const { access, refresh, signIn } = front.calls.names
  front.browser.jar.drop(...(access === undefined ? [] : [access]), refresh, signIn)
  front.token = undefined
}
