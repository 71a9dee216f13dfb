// A service that asks Rusk with its key, as its program would: what it is told of sessions that have ended, and of tokens.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { cookieHeader, post, setCookies } from './serving.ts'

/** A secret as `openssl rand -base64 48` makes them. */
export const newKey = (): string => randomBytes(48).toString('base64')

export const bearing = (key: string): Record<string, string> => ({ authorization: `Bearer ${key}` })

export type News = {
  readonly cursor: string
  readonly ended: readonly string[]
  readonly not_before: number
  readonly keys: readonly string[]
  readonly remember: number
}

export type Asked = { readonly after?: string | undefined; readonly wait?: number }

export const askRaw = (url: string, key: string, { after, wait }: Asked = {}): Promise<Response> => {
  const query = new URLSearchParams({
    ...(after === undefined ? {} : { after }),
    ...(wait === undefined ? {} : { wait: String(wait) }),
  })
  return fetch(`${url}/auth/revocations?${query}`, { headers: bearing(key) })
}

export async function askNews(url: string, key: string, asked: Asked = {}): Promise<News> {
  const answer = await askRaw(url, key, asked)
  assert.equal(answer.status, 200, await answer.clone().text())
  return (await answer.json()) as News
}

export const introspect = (
  url: string,
  key: string,
  body: string,
  headers: Record<string, string> = {},
): Promise<Response> =>
  fetch(`${url}/auth/introspect`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...bearing(key), ...headers },
    body,
  })

export type SignedIn = {
  readonly id: string
  readonly cookies: ReadonlyMap<string, string>
  /** With delivery `memory` only. */
  readonly accessToken: string
}

export const password = 'correct horse battery staple'

/** Signs up natively. */
export async function signUp(
  url: string,
  username: string,
  delivery: 'cookies' | 'memory' = 'cookies',
): Promise<SignedIn> {
  const body = { email: `${username}@example.com`, username, password, delivery }
  return entered(await post(`${url}/auth/sign-up`, { body }), 201)
}

export async function signIn(
  url: string,
  login: string,
  delivery: 'cookies' | 'memory' = 'cookies',
): Promise<SignedIn> {
  return entered(await post(`${url}/auth/sign-in`, { body: { login, password, delivery } }), 200)
}

async function entered(answer: Response, status: number): Promise<SignedIn> {
  const text = await answer.text()
  assert.equal(answer.status, status, text)
  const { session, accessToken } = JSON.parse(text)
  return { id: session.id, cookies: setCookies(answer), accessToken }
}

export async function signOut(url: string, { cookies }: SignedIn): Promise<void> {
  const answer = await post(`${url}/auth/sign-out`, { cookies })
  assert.equal(answer.status, 204, cookieHeader(cookies))
}

/** What a promise comes to, and how long that took, in milliseconds. */
export async function timed<T>(promise: Promise<T>): Promise<{ readonly value: T; readonly took: number }> {
  const began = performance.now()
  const value = await promise
  return { value, took: performance.now() - began }
}
