// A page's script out of a source of ours, as an app's build tool makes it, in memory.
import { fileURLToPath } from 'node:url'
import { build } from 'rolldown'

/** One classic script, React's development build in it where React is used: it checks more. */
export async function bundle(entry: URL): Promise<string> {
  const { output } = await build({
    input: fileURLToPath(entry),
    write: false,
    platform: 'browser',
    transform: { define: { 'process.env.NODE_ENV': '"development"' } },
    output: { format: 'iife' },
    // 'use client' is for bundlers that make two programs of one; this makes one.
    onLog: (level, log, tell) => log.code !== 'MODULE_LEVEL_DIRECTIVE' && tell(level, log),
  })
  return output[0].code
}

/** A page with that script at `/page.js`; `body` stands there before it runs. */
export const pageWith = (body: string): string =>
  `<!doctype html><html lang="en"><meta charset="utf-8"><title>Page</title><div id="root">${body}</div><script src="/page.js"></script></html>`
