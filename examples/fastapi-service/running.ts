// Starts the chat service in Python, talks to it and listens. Judges nothing but how long it takes.
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type Program, start } from '../checks/program.ts'
import type { Person, Rusk } from '../checks/rusk.ts'

export const folder = fileURLToPath(new URL('.', import.meta.url))
export const command = process.env.PYTHON ?? '/usr/bin/python3'
const args = ['-m', 'uvicorn', 'app:app', '--port', '0']

/** Milliseconds: what the service promises. */
export const bound = 5000

export const openChat = (
  t: TestContext,
  { url, serviceKey }: Pick<Rusk, 'url' | 'serviceKey'>,
  env: Readonly<Record<string, string>> = {},
): Promise<Program> =>
  start(t, { command, args, cwd: folder, env: { RUSK_URL: url, RUSK_SERVICE_KEY: serviceKey, ...env } })

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

export const tellHistory = ({ url }: Program, token: string) =>
  fetch(`${url}/chat/history`, { headers: bearer(token) })

export const say = (
  { url }: Program,
  { accessToken }: Pick<Person, 'accessToken'>,
  message: string,
  headers: Readonly<Record<string, string>> = {},
) =>
  fetch(`${url}/chat/stream`, {
    method: 'POST',
    headers: { ...bearer(accessToken), 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ message }),
  })

/** The data of a stream of server-sent events, put together. */
const textOf = async (answer: Response): Promise<string> =>
  (await answer.text()).replace(/^data: (.*)\n\n/gm, '$1')

export const answerTo = (message: string) => `You said “${message}”, and I heard every word of it.`

/** What makes for eight seconds' worth of answer. */
const long = 'word '.repeat(120)

/** Resolves with the milliseconds until a call with this token is answered so; fails after `patience`. */
export async function untilAnswered(
  chat: Program,
  token: string,
  status: number,
  patience = bound,
): Promise<number> {
  const started = performance.now()
  for (;;) {
    const { status: got } = await tellHistory(chat, token)
    const passed = performance.now() - started
    if (got === status) return passed
    assert.ok(passed < patience, `after ${Math.round(passed)} ms the answer is still ${got}`)
    await sleep(20)
  }
}

/** What became of an answer: whether all of it came, or the end of the session, and when it was over. */
export type End = { readonly came: 'all' | 'end' | undefined; readonly at: number }

function endOf(text: string, message: string): End {
  const isCut = text.endsWith('event: end\nnot signed in any more')
  return { came: text === answerTo(message) ? 'all' : isCut ? 'end' : undefined, at: performance.now() }
}

/** Puts a message, and does not wait for the answer. `end` resolves when it is over. */
export async function listen(
  chat: Program,
  person: Person,
  message = long,
): Promise<{ readonly end: Promise<End> }> {
  const answer = await say(chat, person, message)
  assert.equal(answer.status, 200)
  return { end: textOf(answer).then(text => endOf(text, message)) }
}
