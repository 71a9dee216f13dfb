// Starts holder.ts, hears what it says, and ends it.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'

export type Holder = {
  readonly pid: number
  /** What it has said so far. */
  readonly lines: readonly string[]
  /** Resolves once it has said this many lines, or has ended. */
  said(count: number): Promise<void>
  /** kill -9, and waits until it is gone. */
  kill(): Promise<void>
}

const program = fileURLToPath(new URL('./holder.ts', import.meta.url))

export async function startHolder(t: TestContext, what: string, file: string): Promise<Holder> {
  const child: ChildProcess = spawn(process.execPath, [program, what, file], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const closed = once(child, 'close')
  const lines: string[] = []
  const { stdout, pid } = child
  if (!stdout || pid === undefined) throw new Error('the process did not start')
  const reader = createInterface({ input: stdout })
  reader.on('line', line => lines.push(line))
  const kill = async () => {
    child.kill('SIGKILL')
    await closed
  }
  t.after(kill)
  return {
    pid,
    lines,
    kill,
    async said(count) {
      while (lines.length < count && child.exitCode === null) {
        await Promise.race([once(reader, 'line'), closed])
      }
    },
  }
}
