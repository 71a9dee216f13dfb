// A Rusk that a test plays itself, on a bad day. Knows how to listen and how to answer badly, not what is asked.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type RequestListener, type ServerResponse } from 'node:http'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

/** Where it listens, until the test ends. */
export async function play(t: TestContext, answer: RequestListener): Promise<string> {
  const server = createServer(answer)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  const address = server.address()
  assert.ok(typeof address === 'object' && address)
  return `http://127.0.0.1:${address.port}`
}

/** A byte now and then, until nobody listens. */
export async function drip(response: ServerResponse, byte = ' '): Promise<void> {
  while (!response.destroyed) {
    response.socket?.write(byte)
    await sleep(50)
  }
}

/** What it does when it is asked for its keys. */
export type KeysPlayed = {
  readonly url: string
  /** What is published. */
  keys: readonly unknown[]
  /** Milliseconds until it answers; undefined: never. */
  slow: number | undefined
  /** When questions came, in milliseconds. */
  readonly asked: readonly number[]
}

/** Whatever else it is asked for is answered with `news`. */
export async function playKeys(
  t: TestContext,
  keys: readonly unknown[],
  news?: unknown,
): Promise<KeysPlayed> {
  const asked: number[] = []
  const url = await play(t, async (request, response) => {
    if (!request.url?.startsWith('/.well-known/')) return void response.end(JSON.stringify(news))
    asked.push(performance.now())
    if (played.slow === undefined) return
    await sleep(played.slow)
    response.end(JSON.stringify({ keys: played.keys }))
  })
  const played: KeysPlayed = { url, keys, slow: 0, asked }
  return played
}
