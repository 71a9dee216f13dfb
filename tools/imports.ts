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
const addresses = `${server}http/address.ts`
const client = 'client/src/'
const verify = 'verify/src/'
const floor = '@rusk/verify/floor'

/**
 * What a room does, for the manual, and what it may import. A room is a folder (ends in `/`) or a file. `node:` is every
 * built-in module except the drivers, which are named.
 */
export type Rooms = Readonly<Record<string, { readonly does: string; readonly may: readonly string[] }>>

/** A file belongs to the first row that fits; its own room is always open to it. */
export const rooms: Rooms = {
  [core]: { does: 'decides; no clock, no chance, nothing to wait for', may: ['zod'] },
  [`${server}crypto/`]: {
    does: 'computes: bytes in, bytes out',
    may: [floor, 'node:', '@node-rs/argon2', '@node-rs/bcrypt', '@zxcvbn-ts/language-common'],
  },
  [`${server}store/`]: {
    does: 'remembers',
    may: [core, 'node:', 'node:sqlite', 'kysely', 'pg', 'rate-limiter-flexible'],
  },
  [`${server}operations/`]: {
    does: 'does: load → decide → commit → mint',
    may: [core, `${server}crypto/`, port, floor, 'node:crypto'],
  },
  [`${server}http/`]: {
    does: 'listens; knows no dialect by name',
    may: [core, contract, port, floor, 'node:', 'hono/router', 'hono/html', 'zod'],
  },
  [`${server}dialects/`]: {
    does: 'speaks: one value to a file',
    may: [core, contract, `${server}http/dialect.ts`, `${server}device.ts`, 'zod'],
  },
  [`${server}pages/`]: {
    does: 'shows: forms in, pages out',
    may: [
      core,
      contract,
      ...['asset', 'dialect', 'html', 'look', 'page', 'shown'].map(name => `${server}http/${name}.ts`),
      `${server}device.ts`,
      'node:',
    ],
  },
  [`${server}config/`]: {
    does: 'reads what operators write',
    may: [core, site, addresses, databases, floor, `${server}config.ts`, 'node:', 'zod'],
  },
  [`${server}config.ts`]: {
    does: 'makes settings of what was read',
    may: [core, site, databases, `${server}config/`, 'node:', 'zod'],
  },
  [`${server}device.ts`]: { does: 'names browsers and devices; pure', may: ['bowser'] },
  [`${server}key-file.ts`]: { does: 'keeps the secrets that seal keys', may: [core, 'node:'] },
  [`${server}sealing.ts`]: {
    does: 'finds those secrets, and replaces them',
    may: [core, `${server}key-file.ts`, 'node:'],
  },
  [`${server}log.ts`]: {
    does: 'writes log lines',
    may: [`${server}config.ts`, 'node:', 'pino', 'pino-pretty'],
  },
  [`${server}cli/`]: {
    does: 'does what commands say',
    may: [server, 'node:', 'commander', 'pino'],
  },
  [`${server}cli.ts`]: { does: 'lists the commands', may: [server, 'node:', 'commander'] },
  [`${server}mounted.ts`]: {
    does: 'makes of settings what is served, and under which numbers',
    may: [core, `${server}config.ts`, `${server}dialects/`, `${server}http/`, `${server}pages/`],
  },
  [`${server}system.ts`]: {
    does: 'assembles; the only file that knows every part',
    may: [server, 'node:', 'pino'],
  },
  [`${server}index.ts`]: { does: 'is what the package exports', may: [server, 'node:'] },
  [`${verify}fastify.ts`]: { does: 'stands before Fastify’s routes', may: [verify, 'fastify'] },
  [`${verify}hono.ts`]: { does: 'stands before Hono’s routes', may: [verify, 'hono'] },
  [verify]: { does: 'checks calls and tokens, here and in other services', may: ['node:crypto'] },
  [`${client}axios.ts`]: { does: 'puts the client into an axios instance', may: [client, 'axios'] },
  [`${client}react.ts`]: { does: 'shows the client to React', may: [client, 'react'] },
  [client]: { does: 'keeps a page signed in; in the browser', may: [] },
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

/** A relative specifier from the root on; a package or a built-in module stays as it is. */
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
    const allowed = [room, ...(table[room]?.may ?? [])]
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
