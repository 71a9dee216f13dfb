// Builds the folder that is published as `rusk`: compiled sources with their types, the command, the bundles of the docs
// pages, and a package.json that knows nothing of the workspace. `npm pack server/dist` makes the tarball.
import { spawnSync } from 'node:child_process'
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const server = join(root, 'server')
const dist = join(server, 'dist')

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

type Manifest = Readonly<Record<string, unknown>>

/** What npm and Node must know of the published package. */
function publishedManifest(source: Manifest): Manifest {
  const { devDependencies, exports, imports, dependencies, ...rest } = source
  return {
    ...rest,
    engines: { node: '>=24' },
    exports: { '.': { types: './index.d.ts', default: './index.js' }, './package.json': './package.json' },
    imports: { '#cli': './cli.js' },
    files: ['**/*'],
    dependencies,
  }
}

function build(): void {
  rmSync(dist, { recursive: true, force: true })
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  const compiled = spawnSync(process.execPath, [tsc, '-p', join(server, 'tsconfig.build.json')], {
    stdio: 'inherit',
  })
  if (compiled.status !== 0) process.exit(compiled.status ?? 1)
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
    if (['LICENSE', 'README.md', 'CHANGELOG.md'].includes(name)) cpSync(join(root, name), join(dist, name))
  }
  const source: Manifest = JSON.parse(readFileSync(join(server, 'package.json'), 'utf8'))
  writeFileSync(
    join(dist, 'package.json'),
    `${JSON.stringify(publishedManifest(source), null, 2)}
`,
  )
}

build()
