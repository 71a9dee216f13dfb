// The two readers of the OpenAPI document, Swagger UI at /docs and ReDoc at /redoc: pages, bundles and initialisers,
// each a file of its own, none from another host. Knows nothing of what the document says.
import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { codeOf, Fault } from '../core/fault.ts'
import { type Page, readOnce } from './page.ts'

const require = createRequire(import.meta.url)

/** Where a package lies: in the folder that packing puts beside this file, else among the dependencies. */
function folderOf(name: string): string {
  const beside = new URL(`vendor/${name}/package.json`, import.meta.url)
  for (const place of [fileURLToPath(beside), `${name}/package.json`]) {
    try {
      return dirname(require.resolve(place))
    } catch (error) {
      if (codeOf(error) !== 'MODULE_NOT_FOUND') throw error
    }
  }
  throw new Fault(`The page needs the package ${name}, which is not installed`)
}

/** Its version, for the ETag; undefined when it is not installed: then the page alone fails, and says why. */
function versionOf(name: string): string | undefined {
  try {
    const { version }: { version: string } = JSON.parse(
      readFileSync(join(folderOf(name), 'package.json'), 'utf8'),
    )
    return version
  } catch (error) {
    if (error instanceof Fault) return undefined
    throw error
  }
}

const locked = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
const ours = "script-src 'self'; img-src 'self' data:; connect-src 'self'"
const swaggerCsp = `${locked}; ${ours}; style-src 'self'`
// ReDoc writes its styles at run time and searches in a worker made from a blob.
const redocCsp = `${locked}; ${ours}; style-src 'self' 'unsafe-inline'; worker-src blob:`

const types = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
} as const

/** Nothing about anybody stands in a bundle: kept for a day, then asked about by its ETag. */
const cached = (tag: string) => ({ 'Cache-Control': 'public, max-age=86400', ETag: `"${tag}"` })

type Bundle = {
  readonly path: string
  readonly package: string
  readonly file: string
  readonly type: string
  /** Puts right what would ask another host. */
  readonly cure?: (text: string) => string
}

const emptyPicture = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg'/%3E"

const bundles: readonly Bundle[] = [
  {
    path: '/docs/swagger-ui.js',
    package: 'swagger-ui-dist',
    file: 'swagger-ui-bundle.js',
    type: types.js,
  },
  { path: '/docs/swagger-ui.css', package: 'swagger-ui-dist', file: 'swagger-ui.css', type: types.css },
  {
    path: '/redoc/redoc.js',
    package: 'redoc',
    file: 'bundles/redoc.standalone.js',
    type: types.js,
    cure: text => text.replaceAll('https://cdn.redoc.ly/redoc/logo-mini.svg', emptyPicture),
  },
]

function bundlePage({ path, package: name, file, type, cure = text => text }: Bundle): Page {
  const version = versionOf(name)
  return {
    path,
    type,
    headers: version === undefined ? {} : cached(`${name}-${version}`),
    body: readOnce(async () => cure(await readFile(join(folderOf(name), file), 'utf8'))),
  }
}

/** Links are relative, so that the page works wherever a proxy puts it. */
const swaggerHtml = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Rusk: API (Swagger UI)</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="docs/swagger-ui.css">
</head>
<body>
<main id="reader"></main>
<script src="docs/swagger-ui.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
`

// Without its validator, which is another host's.
const swaggerStart = `SwaggerUIBundle({
  url: new URL('openapi.json', document.baseURI).href,
  dom_id: '#reader',
  deepLinking: true,
  validatorUrl: null,
  presets: [SwaggerUIBundle.presets.apis],
})
`

const redocHtml = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Rusk: API (ReDoc)</title>
<link rel="icon" href="data:,">
<style>body { margin: 0 }</style>
</head>
<body>
<main id="reader"></main>
<script src="redoc/redoc.js"></script>
<script src="redoc/start.js"></script>
</body>
</html>
`

const redocStart = `Redoc.init(
  new URL('openapi.json', document.baseURI).href,
  { hideDownloadButton: true },
  document.getElementById('reader'),
)
`

/** Both readers of `/openapi.json`, with all that they load. `version` of Rusk names what Rusk itself wrote. */
export const docsPages = (version: string): readonly Page[] => [
  { path: '/docs', type: types.html, csp: swaggerCsp, body: () => swaggerHtml },
  {
    path: '/docs/start.js',
    type: types.js,
    headers: cached(`start-${version}`),
    body: () => swaggerStart,
  },
  { path: '/redoc', type: types.html, csp: redocCsp, body: () => redocHtml },
  { path: '/redoc/start.js', type: types.js, headers: cached(`start-${version}`), body: () => redocStart },
  ...bundles.map(bundlePage),
]
