// One dialect as its front end knows it: which calls there are, what they need, which words answer. The rules that hold
// for every dialect (floor.ts, rotation.ts) are walked over this description.
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { DialectName } from '../../src/dialects/index.ts'
import type { Options } from '../../src/index.ts'
import type { Ask, Browser, Got, Line } from './browser.ts'
import type { SetCookie } from './jar.ts'
import { type Served, serve } from './serve.ts'

/** Status and body of a refusal, exact. */
export type No = readonly [number, unknown]

/** Attributes of a token cookie as the contract names them; a number of seconds for Max-Age. */
export type Attributes = {
  readonly maxAge: number
  readonly path: string
  readonly sameSite: 'lax' | 'strict' | 'none'
}

export type Wire = {
  readonly dialect: DialectName
  readonly options?: Options
  /** An origin that is listed, on another port than the API. */
  readonly page: string
  readonly signUp: { readonly line: Line; readonly json: Readonly<Record<string, string>> }
  readonly signIn: { readonly line: Line; readonly json: Readonly<Record<string, string>> }
  readonly refresh: Line
  readonly signOut: Line
  readonly me: Line
  /** Without the access cookie's where the dialect has none. */
  readonly cookies: { readonly access?: Attributes; readonly refresh: Attributes }
  readonly names: { readonly access?: string; readonly refresh: string; readonly signIn: string }
  /** Over https the names of its cookies begin with `__Host-`. */
  readonly host?: true
  /** What an unsafe call needs beside cookies: the CSRF header. */
  readonly headers?: (browser: Browser) => Promise<Record<string, string>>
  /** The access token in an answer of sign-in or refresh, where it travels in memory. */
  readonly tokenOf?: (got: Got) => string
  readonly yes: { readonly refresh?: unknown; readonly signOut: readonly [number, unknown] }
  readonly noes: {
    readonly foreign: unknown
    readonly malformed: No
    /** The sign-in call's `password` is missing. */
    readonly missing: No
    /** The sign-in call's `password` is a number; the body is one of json that is no object. */
    readonly wrongType: number
    readonly notFound: unknown
    readonly method: unknown
    readonly credentials: No
    readonly notSignedIn: No
    readonly badAccess: No
    readonly revoked: No
    readonly refreshMissing: No
    readonly refreshBad: No
  }
}

/** A browser that shows the front end's page. */
export const open = (t: TestContext, wire: Wire): Promise<Served> =>
  serve(t, wire.dialect, wire.page, wire.options)

/** A call as the front end makes it: with the CSRF header where there is one. */
export async function ask(browser: Browser, wire: Wire, line: Line, more: Ask = {}): Promise<Got> {
  const headers = wire.headers ? await wire.headers(browser) : {}
  return browser.call(line, { ...more, headers: { ...headers, ...more.headers } })
}

export const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` })

const authorizationOf = (wire: Wire, got: Got) => (wire.tokenOf ? bearer(wire.tokenOf(got)) : {})

export type Entered = {
  readonly signedIn: Got
  /** Who am I, by the token of that sign-in where it travels in memory, else by the cookies of `as`. */
  readonly me: (as?: Browser) => Promise<Got>
}

export async function signUp(browser: Browser, wire: Wire): Promise<Got> {
  const got = await ask(browser, wire, wire.signUp.line, { json: wire.signUp.json })
  assert.ok(got.status < 300, `${got.status} ${got.text}`)
  return got
}

export async function signIn(browser: Browser, wire: Wire): Promise<Entered> {
  const signedIn = await ask(browser, wire, wire.signIn.line, { json: wire.signIn.json })
  assert.equal(signedIn.status, 200, signedIn.text)
  const headers = authorizationOf(wire, signedIn)
  return { signedIn, me: (as = browser) => as.call(wire.me, { headers }) }
}

/** Signs up and in. */
export async function enter(browser: Browser, wire: Wire): Promise<Entered> {
  await signUp(browser, wire)
  return signIn(browser, wire)
}

export const says = (got: Got, [status, body]: No): void =>
  assert.deepEqual([got.status, got.body], [status, body])

const plain = (set: SetCookie | undefined) => {
  assert.ok(set, 'the cookie was not set')
  const { expires, samesite, 'max-age': maxAge, ...rest } = set.attributes
  return { ...rest, maxAge: Number(maxAge), sameSite: samesite?.toLowerCase() }
}

type Flags = { readonly secure?: true; readonly readable?: true }

const attributes = ({ maxAge, path, sameSite }: Attributes, { secure, readable }: Flags) => ({
  maxAge,
  path,
  sameSite,
  ...(readable ? {} : { httponly: '' }),
  ...(secure ? { secure: '' } : {}),
})

/** Exactly these attributes and no other; HttpOnly unless it is readable. */
export function isSet(set: SetCookie | undefined, want: Attributes, flags: Flags = {}): void {
  assert.deepEqual(plain(set), attributes(want, flags))
  assert.notEqual(set?.value, '')
}

/** Cleared by the same name and attributes that it was set with. */
export function isCleared(set: SetCookie | undefined, want: Attributes, flags: Flags = {}): void {
  assert.deepEqual(plain(set), attributes({ ...want, maxAge: 0 }, flags))
  assert.equal(set?.value, '')
}
