// Builds the folders that are published: `@rusk/verify`, `rusk` out of server/, `@rusk/client`. Compiled sources with their
// types and a package.json that knows nothing of the workspace. `npm pack server/dist` makes the tarball.
import { spawnSync } from 'node:child_process'
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

/** What of each package `http/docs-pages.ts` serves, with its licences: it looks beside itself before among dependencies. */
const bundles: Readonly<Record<string, readonly string[]>> = {
  'swagger-ui-dist': [
    'package.json',
    'LICENSE',
    'NOTICE',
    'swagger-ui-bundle.js',
    'swagger-ui-bundle.js.LICENSE.txt',
    'swagger-ui.css',
  ],
  redoc: [
    'package.json',
    'LICENSE',
    'bundles/redoc.standalone.js',
    'bundles/redoc.standalone.js.LICENSE.txt',
  ],
}

type Manifest = Readonly<Record<string, unknown>> & { readonly exports: Readonly<Record<string, string>> }

/** `./src/react.ts` as it is published: its types before what runs. */
const published = (source: string) => {
  const path = source.replace('./src/', './').replace(/\.ts$/, '')
  return { types: `${path}.d.ts`, default: `${path}.js` }
}

/** What npm and bundlers must know of the published package; nothing that only the workspace needs. */
function publishedManifest(source: Manifest, more: Readonly<Record<string, unknown>>): object {
  const { private: _, devDependencies, exports, imports, dependencies, ...rest } = source
  const entries = Object.entries(exports).map(([name, path]) => [name, published(path)])
  return {
    ...rest,
    exports: { ...Object.fromEntries(entries), './package.json': './package.json' },
    files: ['**/*'],
    ...(dependencies ? { dependencies } : {}),
    ...more,
  }
}

/** Compiles `name`/src into `name`/dist, which it makes anew; the folder. */
function compile(name: string, more: Readonly<Record<string, unknown>>): string {
  const folder = join(root, name)
  const dist = join(folder, 'dist')
  rmSync(dist, { recursive: true, force: true })
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  const project = join(folder, 'tsconfig.build.json')
  const compiled = spawnSync(process.execPath, [tsc, '-p', project], { stdio: 'inherit' })
  if (compiled.status !== 0) process.exit(compiled.status ?? 1)
  const source: Manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const manifest = JSON.stringify(publishedManifest(source, more), null, 2)
  writeFileSync(join(dist, 'package.json'), `${manifest}\n`)
  cpSync(join(root, 'LICENSE'), join(dist, 'LICENSE'))
  return dist
}

/** First: the server is compiled against its types. */
function buildVerify(): void {
  const dist = compile('verify', { engines: { node: '>=24' } })
  cpSync(join(root, 'verify/README.md'), join(dist, 'README.md'))
}

function buildServer(): void {
  const dist = compile('server', { engines: { node: '>=24' }, imports: { '#cli': './cli.js' } })
  const server = join(root, 'server')
  // Pages, styles and lists that the sources read at run time stand where the sources do.
  const isData = (path: string): boolean => !path.endsWith('.ts')
  cpSync(join(server, 'src'), dist, { recursive: true, filter: isData })
  cpSync(join(server, 'bin'), join(dist, 'bin'), { recursive: true })
  for (const [name, files] of Object.entries(bundles)) {
    for (const file of files) {
      cpSync(join(root, 'node_modules', name, file), join(dist, 'http/vendor', name, file))
    }
  }
  for (const name of readdirSync(root)) {
    if (['README.md', 'CHANGELOG.md'].includes(name)) cpSync(join(root, name), join(dist, name))
  }
}

function buildClient(): void {
  const dist = compile('client', {})
  cpSync(join(root, 'client/README.md'), join(dist, 'README.md'))
}

buildVerify()
buildServer()
buildClient()
