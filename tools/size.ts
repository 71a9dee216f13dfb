// What the browser side weighs: each entry of @rusk/client as a page would carry it, held to a limit, and what must not be
// in it, by name. Run as a program it prints the table and fails above a limit. Says nothing of what the code does.
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build, type Plugin } from 'rolldown'

/** What somebody imports, and how much of it there may be. */
export type Entry = {
  /** As it is called in a table. */
  readonly name: string
  /** A module that stands beside the client's own. */
  readonly source: string
  /** The client's core is in the page already, and weighs nothing here. */
  readonly besideCore?: true
  /** In bytes, minified and compressed by gzip. */
  readonly limit: number
  /** What may stand nowhere in the bundle. */
  readonly without: readonly string[]
}

/** What no page has, or a careful one forbids. */
const nowhere = ['eval', 'Function(', 'node:', 'process', 'document.write', 'innerHTML', 'sessionStorage']

/** Who does not ask for these carries nothing of them. */
const unasked = ['django', 'csrftoken', 'react', 'axios', 'localStorage']

export const entries: readonly Entry[] = [
  {
    name: '`createClient`',
    source: "export { createClient } from './client.ts'",
    limit: 3000,
    without: [...nowhere, ...unasked],
  },
  {
    name: 'all of `@rusk/client`',
    source: "export * from './index.ts'",
    // The core, and the reading of streams with what a service says when it refuses one.
    limit: 3550,
    without: [...nowhere, ...unasked],
  },
  {
    name: '`django` of `@rusk/client/dialects`',
    source: "export { django } from './dialects.ts'",
    besideCore: true,
    limit: 950,
    without: [...nowhere, 'react', 'axios', 'localStorage', 'fastapi'],
  },
  {
    name: '`@rusk/client/axios`',
    source: "export * from './axios.ts'",
    besideCore: true,
    limit: 800,
    without: [...nowhere, 'react', 'django', 'localStorage'],
  },
  {
    name: '`@rusk/client/react`',
    source: "export * from './react.ts'",
    besideCore: true,
    limit: 900,
    without: [...nowhere, 'axios', 'django', 'localStorage'],
  },
  {
    name: '`@rusk/client/bridge`',
    source: "export * from './bridge.ts'",
    besideCore: true,
    // It judges what it finds, lest a good token that is stored in a strange way be thrown away.
    limit: 600,
    without: [...nowhere, 'react', 'axios', 'django'],
  },
]

/** In bytes. */
export type Size = {
  readonly entry: Entry
  readonly code: string
  readonly min: number
  readonly gzip: number
}

const sources = fileURLToPath(new URL('../client/src/', import.meta.url))

/** The entry's source under a name that no file has; the core under that of its package, wherever the checkout stands. */
const standsIn = ({ source, besideCore }: Entry): Plugin => {
  const own = `${sources}entry of a page.ts`
  return {
    name: 'entry',
    resolveId(id, importer) {
      if (importer === undefined) return own
      const isCore = /^\.\/(client|error|tabs|events|index)\.ts$/.test(id)
      return besideCore && isCore ? { id: '@rusk/client', external: true } : null
    },
    load: id => (id === own ? source : null),
  }
}

async function weigh(entry: Entry): Promise<Size> {
  const { output } = await build({
    input: 'entry',
    write: false,
    platform: 'browser',
    external: ['axios', 'react', /^node:/],
    plugins: [standsIn(entry)],
    // A bundler's favour to sloppy code would hide it here.
    transform: { define: { 'process.env.NODE_ENV': 'process.env.NODE_ENV' } },
    output: { format: 'esm', minify: true, codeSplitting: false },
    onLog: (level, log, tell) => log.code !== 'MODULE_LEVEL_DIRECTIVE' && tell(level, log),
  })
  const [{ code }] = output
  return { entry, code, min: Buffer.byteLength(code), gzip: gzipSync(code, { level: 9 }).length }
}

export const weighAll = (of: readonly Entry[]): Promise<readonly Size[]> => Promise.all(of.map(weigh))

/** What of it is too much, and what should not be there at all. */
export const tooMuch = (sizes: readonly Size[]): readonly string[] =>
  sizes.flatMap(({ entry: { name, limit, without }, code, gzip }) => [
    ...(gzip > limit ? [`${name} weighs ${gzip} bytes; it may weigh ${limit}`] : []),
    ...without.filter(word => code.includes(word)).map(word => `${name} has ${word} in it`),
  ])

export const sizeRows = (sizes: readonly Size[]): readonly (readonly string[])[] =>
  sizes.map(({ entry: { name, limit }, min, gzip }) => [name, String(min), String(gzip), String(limit)])

export const sizeHead: readonly string[] = ['what is imported', 'minified', 'and gzip', 'limit']

if (import.meta.main) {
  const sizes = await weighAll(entries)
  const rows = [sizeHead, ...sizeRows(sizes)].map(([name = '', ...bytes]) => [
    name.replaceAll('`', ''),
    ...bytes,
  ])
  const widest = Math.max(...rows.map(([name = '']) => name.length))
  for (const [name = '', ...bytes] of rows) {
    console.log(name.padEnd(widest), ...bytes.map(text => text.padStart(9)))
  }
  const findings = tooMuch(sizes)
  for (const finding of findings) console.error(finding)
  if (findings.length > 0) process.exitCode = 1
}
