// Starts the real `rusk serve` as a process of its own, for tests that must kill it, signal it or look at its output.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

export const bin = fileURLToPath(new URL('../bin/rusk.js', import.meta.url))

/** Of this process's environment only where programs are found, and what Node has compiled before. */
export const environment = (env: Readonly<Record<string, string>> = {}): Record<string, string> => ({
  PATH: process.env.PATH ?? '',
  NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? '',
  ...env,
})

export type Serving = {
  readonly url: string
  readonly child: ChildProcess
  /** What it has written so far. */
  stdout(): string
  stderr(): string
  /** Resolves when the process is gone. */
  end(signal: NodeJS.Signals): Promise<{ code: number | null; signal: NodeJS.Signals | null }>
}

export type ServingOptions = {
  readonly args: readonly string[]
  readonly cwd: string
  readonly env?: Readonly<Record<string, string>>
}

/** Rejects with everything it printed when it ends before it listens, or does not listen within 15 seconds. */
export async function serve({ args, cwd, env = {} }: ServingOptions): Promise<Serving> {
  const child = spawn(process.execPath, [bin, 'serve', '--port', '0', ...args], {
    cwd,
    env: environment({ RUSK_LOG_LEVEL: 'warn', ...env }),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let out = ''
  let err = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text
  })
  const gone = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>
  const deadline = Date.now() + 15_000
  let url: string | undefined
  while (url === undefined) {
    url = /rusk listening on (http:\/\/\S+)/.exec(out)?.[1]
    if (child.exitCode !== null || child.signalCode !== null || Date.now() > deadline) {
      child.kill('SIGKILL')
      throw new Error(
        `rusk serve did not listen (exit ${child.exitCode ?? child.signalCode}):\n${out}\n${err}`,
      )
    }
    if (url === undefined)
      await Promise.race([once(child.stdout, 'data'), gone, new Promise(r => setTimeout(r, 200))])
  }
  return {
    url,
    child,
    stdout: () => out,
    stderr: () => err,
    async end(signal) {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal)
      const [code, by] = await gone
      return { code, signal: by }
    },
  }
}

/** `name=value` of every cookie an answer sets, by name; an empty value is a cleared one. */
export const setCookies = (answer: Response): ReadonlyMap<string, string> =>
  new Map(
    answer.headers.getSetCookie().map(line => {
      const [pair = ''] = line.split(';')
      const at = pair.indexOf('=')
      return [pair.slice(0, at), pair.slice(at + 1)]
    }),
  )

/** The cookie header of a browser that has all of these. */
export const cookieHeader = (cookies: ReadonlyMap<string, string>): string =>
  [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')

export const post = (
  url: string,
  {
    body,
    cookies,
    headers = {},
  }: { body?: unknown; cookies?: ReadonlyMap<string, string>; headers?: Record<string, string> } = {},
): Promise<Response> =>
  fetch(url, {
    method: 'POST',
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(cookies ? { cookie: cookieHeader(cookies) } : {}),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
