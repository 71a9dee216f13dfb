// Runs the real binary in a folder of its own, with nothing of this process's environment but what every one has.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { bin, environment } from '../serving.ts'

export type Where = { readonly folder: string; readonly env?: Readonly<Record<string, string>> }

export type Ended = { readonly code: number | null; readonly stdout: string; readonly stderr: string }

/** An empty folder, gone when the test is over. */
export function emptyFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'rusk-cli-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Runs to the end, half a minute at most. */
export async function run(where: Where, args: readonly string[], input = ''): Promise<Ended> {
  const child = spawn(process.execPath, [bin, ...args], {
    cwd: where.folder,
    env: environment(where.env),
    timeout: 30_000,
  })
  const texts = collect(child)
  child.stdin.end(input)
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, ...texts() }
}

/** What a child has written so far. */
export function collect(child: ChildProcess): () => { stdout: string; stderr: string } {
  let stdout = ''
  let stderr = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  return () => ({ stdout, stderr })
}

export type Serving = {
  readonly url: string
  readonly child: ChildProcess
  readonly texts: () => { stdout: string; stderr: string }
  /** Sends the signal; resolves with the exit code and how long it took, in milliseconds. */
  stop(signal?: 'SIGTERM' | 'SIGINT'): Promise<{ code: number | null; took: number }>
}

/** `rusk serve`, ready; killed when the test is over if it still runs. */
export async function serve(
  t: TestContext,
  where: Where,
  args: readonly string[] = ['--port', '0'],
): Promise<Serving> {
  const child = spawn(process.execPath, [bin, 'serve', ...args], {
    cwd: where.folder,
    env: environment(where.env),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.after(() => child.kill('SIGKILL'))
  const texts = collect(child)
  const ended = once(child, 'close')
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout?.on('data', () => {
      const line = /^rusk listening on (\S+)\n/.exec(texts().stdout)
      if (line?.[1]) resolve(line[1])
    })
    ended.then(() => reject(new Error(`rusk serve ended: ${JSON.stringify(texts())}`)), reject)
  })
  return {
    url,
    child,
    texts,
    async stop(signal = 'SIGTERM') {
      const began = performance.now()
      child.kill(signal)
      const [code] = (await ended) as [number | null]
      return { code, took: performance.now() - began }
    },
  }
}

/** The lines of a text that tell an error, each as `about`. */
export const abouts = (stderr: string): string[] =>
  stderr.split('\n').flatMap(line => /^✗ (.*?): /.exec(line)?.[1] ?? [])

export function assertEnded(ended: Ended, code: number, stderr: RegExp): void {
  assert.equal(ended.code, code, JSON.stringify(ended))
  assert.match(ended.stderr, stderr)
}
