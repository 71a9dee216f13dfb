// Starts a service in whatever language and waits until it says where it listens. Knows neither Rusk nor tokens.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { TestContext } from 'node:test'

export type Program = {
  /** As it says itself: `http://127.0.0.1:PORT`. */
  readonly url: string
  /** What it has printed so far, to either stream. */
  printed(): string
}

export type ProgramOptions = {
  readonly command: string
  readonly args: readonly string[]
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  /** Milliseconds until it must listen. */
  readonly patience?: number
}

/** Ends with the test. Rejects with all that it printed when it does not come to listen. */
export async function start(t: TestContext, options: ProgramOptions): Promise<Program> {
  const { command, args, cwd, env, patience = 30_000 } = options
  const child = spawn(command, args, {
    cwd,
    env: { PATH: process.env.PATH ?? '', PYTHONDONTWRITEBYTECODE: '1', PYTHONUNBUFFERED: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own: what it starts itself ends with it.
    detached: true,
  })
  const gone = once(child, 'exit')
  t.after(async () => {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL')
    await gone
  })
  let printed = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      printed += text
    })
  const listening = () => /http:\/\/127\.0\.0\.1:\d+/.exec(printed)?.[0]
  const deadline = Date.now() + patience
  while (listening() === undefined) {
    if (child.exitCode !== null || Date.now() > deadline)
      throw new Error(`${command} ${args.join(' ')} does not listen:\n${printed}`)
    await Promise.race([gone, new Promise(resolve => setTimeout(resolve, 50))])
  }
  return { url: listening() ?? '', printed: () => printed }
}
