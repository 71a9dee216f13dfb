// Which room of the house may import what, as data, and the checks that hold every file to it. Knows the house by its
// file names alone: nothing is run, nothing is resolved but relative paths.
import { posix } from 'node:path'
import type { Tree } from './tree.ts'

const server = 'server/src/'
const core = `${server}core/`
const contract = `${server}operations/contract.ts`
const port = `${server}store/port.ts`
const databases = `${server}store/database.ts`
const site = `${server}http/site.ts`

/** A room is a folder (ends in `/`) or a file. `node:` is every built-in module except the drivers, which are named. */
export type Rooms = Readonly<Record<string, readonly string[]>>

/** A file belongs to the first row that fits; its own room is always open to it. */
export const rooms: Rooms = {
  [core]: ['zod'],
  [`${server}crypto/`]: ['node:', '@node-rs/argon2', '@node-rs/bcrypt', '@zxcvbn-ts/language-common'],
  [`${server}store/`]: [core, 'node:', 'node:sqlite', 'kysely', 'pg', 'rate-limiter-flexible'],
  [`${server}operations/`]: [core, `${server}crypto/`, port, 'node:crypto'],
  [`${server}http/`]: [core, contract, port, 'node:', 'hono', 'zod'],
  [`${server}dialects/`]: [core, contract, `${server}http/dialect.ts`, 'zod'],
  [`${server}config/`]: [core, site, databases, `${server}config.ts`, 'node:', 'zod'],
  [`${server}config.ts`]: [core, site, databases, `${server}config/`, 'node:', 'zod'],
  [`${server}key-file.ts`]: [core, 'node:'],
  [`${server}log.ts`]: [`${server}config.ts`, 'node:', 'pino', 'pino-pretty'],
  [`${server}cli/`]: [server, 'node:', 'commander', 'pino'],
  [`${server}cli.ts`]: [server, 'node:', 'commander'],
  [`${server}index.ts`]: [server, 'node:', 'pino'],
}

const drivers = ['node:sqlite']

const importing = [
  /^(?:import|export)\s+(?:type\s+)?(?:[\w$]+\s*,?\s*)?(?:\{[^}]*\}|\*(?:\s+as\s+[\w$]+)?)?\s*from\s+'([^']+)'/gm,
  /^import\s+'([^']+)'/gm,
  /(?:\bimport|\brequire|\bimport\.meta\.resolve|\brequire\.resolve)\(\s*'([^']+)'/g,
]

/** Everything a source file imports, as written: static, for types only, dynamic and required. */
export const readImports = (text: string): readonly string[] =>
  importing.flatMap(pattern => [...text.matchAll(pattern)].map(match => match[1] ?? ''))

const isSource = (path: string): boolean => path.endsWith('.ts') && !path.endsWith('.d.ts')
const isTest = (path: string): boolean => path.endsWith('.test.ts') || path.includes('/test/')

/** `./x.ts` in `a/b.ts` is `a/x.ts`; a package or a built-in module stays as it is. */
const target = (path: string, specifier: string): string =>
  specifier.startsWith('.') ? posix.join(posix.dirname(path), specifier) : specifier

function opens(allowed: string, to: string): boolean {
  if (allowed === 'node:') return to.startsWith('node:') && !drivers.includes(to)
  if (allowed.endsWith('/')) return to.startsWith(allowed)
  return to === allowed || to.startsWith(`${allowed}/`)
}

/** Imports that a room's row does not allow, and published files that belong to no room. Tests may import anything. */
export function strayImports(tree: Tree, table: Rooms = rooms): readonly string[] {
  const findings: string[] = []
  for (const [path, text] of tree) {
    if (!isSource(path) || isTest(path) || !/^[\w-]+\/src\//.test(path)) continue
    const room = Object.keys(table).find(name => opens(name, path))
    if (room === undefined) {
      findings.push(`${path} belongs to no room`)
      continue
    }
    const allowed = [room, ...(table[room] ?? [])]
    for (const specifier of readImports(text)) {
      const to = target(path, specifier)
      if (!allowed.some(name => opens(name, to))) findings.push(`${path} may not import ${to}`)
    }
  }
  return findings
}

/** Each circle of imports once, as `a → b → a`; imports of types count too. */
export function circles(tree: Tree): readonly string[] {
  const findings: string[] = []
  const state = new Map<string, 'open' | 'done'>()
  const visit = (path: string, trail: readonly string[]) => {
    if (state.get(path) === 'open') findings.push([...trail.slice(trail.indexOf(path)), path].join(' → '))
    if (state.has(path)) return
    state.set(path, 'open')
    for (const specifier of readImports(tree.get(path) ?? '')) {
      const to = target(path, specifier)
      if (tree.has(to)) visit(to, [...trail, path])
    }
    state.set(path, 'done')
  }
  for (const path of tree.keys()) if (isSource(path)) visit(path, [])
  return findings
}
