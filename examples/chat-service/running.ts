// Rusk and the chat on loopback for the tests, and somebody who calls them as a program does. Ends with the test.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { getRequestListener } from '@hono/node-server'
import { type Options, type Rusk, rusk } from 'rusk'
import { type Environment, openService } from './app.ts'

export const serviceKey = 'known-to-these-tests-and-to-nobody-else'

type Fetch = (request: Request) => Response | Promise<Response>

/** An origin that is known before what stands there is made. */
export async function openPlace(
  t: TestContext,
): Promise<{ readonly url: string; readonly put: (fetch: Fetch) => void }> {
  let current: Fetch = () => new Response(null, { status: 404 })
  const server = createServer(getRequestListener(request => current(request))).listen(0, 'localhost')
  await once(server, 'listening')
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  const address = server.address()
  assert.ok(typeof address === 'object' && address)
  return {
    url: `http://localhost:${address.port}`,
    put: fetch => {
      current = fetch
    },
  }
}

export async function runRusk(t: TestContext, options: Options = {}): Promise<Rusk> {
  const auth = await rusk({
    environment: 'development',
    host: 'localhost',
    port: 0,
    database: 'sqlite::memory:',
    service: { keys: [serviceKey] },
    log: { level: 'silent' },
    ...options,
  })
  t.after(() => auth.close())
  await auth.listen()
  return auth
}

/** Where it listens. */
export async function runChat(t: TestContext, env: Environment): Promise<string> {
  const { app, verifier } = openService({ RUSK_SERVICE_KEY: serviceKey, ...env })
  t.after(() => verifier.close())
  const { url, put } = await openPlace(t)
  put(app.fetch)
  return url
}

export type Caller = {
  readonly access: string
  readonly headers: Readonly<Record<string, string>>
  signOut(): Promise<void>
}

/** Natively, with the access token in hand. `how`: `sign-up` or `sign-in`. */
export async function enter(rusk: string, how: string, name = 'ada'): Promise<Caller> {
  const email = `${name}@example.com`
  const post = (path: string, headers: Record<string, string>, body?: object) =>
    fetch(`${rusk}/auth/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: new URL(rusk).origin, ...headers },
      ...(body && { body: JSON.stringify(body) }),
    })
  const password = 'twelve blue herons'
  const answer = await post(how, {}, { email, login: email, password, delivery: 'memory' })
  const { accessToken }: { accessToken?: string } = Object(await answer.json())
  assert.ok(answer.ok && accessToken, `${how} answered ${answer.status}`)
  const cookie = answer.headers
    .getSetCookie()
    .map(line => line.split(';', 1)[0])
    .join('; ')
  return {
    access: accessToken,
    headers: { authorization: `Bearer ${accessToken}`, 'content-type': 'application/json' },
    async signOut() {
      assert.equal((await post('sign-out', { cookie })).status, 204)
    },
  }
}

export type Reading = {
  readonly status: number
  readonly type: string | null
  readonly caching: string | null
  /** `event: data` of each that has come so far; `message` where none is named. */
  readonly events: readonly string[]
  /** Resolves when the stream is over. */
  readonly over: Promise<void>
  readonly hangUp: () => void
}

/** Reads a stream of server-sent events as it comes. */
export async function readStream(url: string, init: RequestInit): Promise<Reading> {
  const hang = new AbortController()
  const answer = await fetch(url, { ...init, signal: hang.signal })
  const events: string[] = []
  const read = async () => {
    let text = ''
    for await (const piece of (answer.body ?? new ReadableStream()).pipeThrough(new TextDecoderStream())) {
      const blocks = (text + piece).split('\n\n')
      text = blocks.pop() ?? ''
      for (const block of blocks) {
        const [, name = 'message'] = /^event: (.*)$/m.exec(block) ?? []
        events.push(`${name}: ${/^data: (.*)$/m.exec(block)?.[1] ?? ''}`)
      }
    }
  }
  const over = read().catch((error: unknown) => {
    if (!hang.signal.aborted) throw error
  })
  // Nobody may be waiting for it when it breaks off.
  over.catch(() => undefined)
  return {
    status: answer.status,
    type: answer.headers.get('content-type'),
    caching: answer.headers.get('cache-control'),
    events,
    over,
    hangUp: () => hang.abort(),
  }
}

/** Until it holds; fails after `most` milliseconds. Resolves with how long it took. */
export async function until(what: string, holds: () => boolean, most = 30_000): Promise<number> {
  const started = performance.now()
  while (!holds()) {
    if (performance.now() - started > most) assert.fail(`not within ${most} ms: ${what}`)
    await sleep(10)
  }
  return performance.now() - started
}
