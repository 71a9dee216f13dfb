// The one walk that every embedding example must survive: sign up, call, sign out, be refused. Knows no framework.
import assert from 'node:assert/strict'
import type { AddressInfo } from 'node:net'

type Listening = { address(): AddressInfo | string | null }

/** What a browser would keep of an answer's cookies. */
const jar = (answer: Response): string =>
  answer.headers
    .getSetCookie()
    .map(line => line.slice(0, line.indexOf(';')))
    .filter(pair => !pair.endsWith('='))
    .join('; ')

/** Where browsers reach the app, as its options say: the page that calls it stands there too. */
export const origin = 'http://localhost:3000'

/** Walks an app that has Rusk's native routes and its own `GET /notes`, which wants somebody signed in. */
export async function walk(server: Listening): Promise<void> {
  const address = server.address()
  assert.ok(typeof address === 'object' && address)
  const url = `http://127.0.0.1:${address.port}`
  const notes = (cookie: string) => fetch(`${url}/notes`, { headers: { cookie } })

  assert.equal((await notes('')).status, 401, 'nobody is signed in yet')

  const signUp = await fetch(`${url}/auth/sign-up`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin },
    body: JSON.stringify({ email: 'ada@example.com', password: 'twelve blue herons' }),
  })
  assert.equal(signUp.status, 201, await signUp.clone().text())
  const cookies = jar(signUp)
  assert.match(cookies, /rusk_access=.*rusk_refresh=/, 'each cookie has a line of its own')

  const welcome = await notes(cookies)
  assert.equal(welcome.status, 200)
  assert.deepEqual(await welcome.json(), { notes: ['Hello ada@example.com'] })

  const signOut = await fetch(`${url}/auth/sign-out`, {
    method: 'POST',
    headers: { cookie: cookies, origin },
  })
  assert.equal(signOut.status, 204)
  assert.equal((await notes(cookies)).status, 401, 'the old cookies are worth nothing')
}
