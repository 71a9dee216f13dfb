// The page at `/` in development: every route of the mounted dialects as a form, made from their values. Knows no
// dialect by name, sends nothing (playground/page.js does) and sets no cookie.
import { readFile } from 'node:fs/promises'
import type { OperationName } from '../core/input.ts'
import { type CookieRow, cookieRows } from './cookie-rows.ts'
import type { Dialect, Route } from './dialect.ts'
import { tellsAccess } from './effects.ts'
import { type Html, html } from './html.ts'
import { type Taken, takenBy } from './input-body.ts'
import { type Look, openLook } from './look.ts'
import { type Described, templated } from './openapi.ts'
import { type Page, readOnce } from './page.ts'
import { refusedBy } from './refused-by.ts'
import { splitRoute } from './way.ts'

const labels: Readonly<Record<OperationName, string>> = {
  register: 'Sign up',
  signUp: 'Sign up',
  signIn: 'Sign in',
  exchange: 'Exchange',
  refresh: 'Refresh',
  signOut: 'Sign out',
  whoAmI: 'Who am I?',
  listSessions: 'List sessions',
  endSession: 'End session',
  endOtherSessions: 'Sign out everywhere else',
  changePassword: 'Change password',
  csrf: 'Get CSRF token',
  health: 'Ask',
}

type Stage = { readonly dialect: Dialect; readonly cookies: readonly CookieRow[]; readonly prefix: string }

/** The values to choose from, when the field has a closed list of them. */
function choicesOf({ schema }: Taken): readonly string[] {
  const branches: readonly unknown[] = [schema, ...(Array.isArray(schema.anyOf) ? schema.anyOf : [])]
  return branches.flatMap(branch =>
    typeof branch === 'object' && branch !== null && 'enum' in branch && Array.isArray(branch.enum)
      ? branch.enum.map(String)
      : [],
  )
}

function field(taken: Taken, example: string, id: string): Html {
  const { wire, inPath, required, note } = taken
  const place = inPath ? 'path' : 'body'
  const choices = choicesOf(taken)
  const input =
    choices.length > 0
      ? html`<select id="${id}" name="${wire}" data-in="${place}"><option value="">default</option>${choices.map(each => html`<option>${each}</option>`)}</select>`
      : html`<input id="${id}" name="${wire}" data-in="${place}" value="${example}" autocomplete="off" autocapitalize="off" spellcheck="false">`
  return html`
          <div class="field">
            <label for="${id}"><code>${wire}</code>${required ? undefined : html` <span class="quiet">optional</span>`}</label>
            ${input}
            <span class="quiet hint">${note.says}</span>
          </div>`
}

/** Of two names for one field only the first is filled in. */
const exampleOf = (taken: Taken, all: readonly Taken[]): string =>
  all.find(each => each.field === taken.field) === taken ? taken.note.example : ''

/** Whether the call says who calls, so that the access token kept in memory goes with it. */
const sendsBearer = (dialect: Dialect, route: Route): boolean =>
  dialect.bearer &&
  (route.does === 'signOut' || refusedBy(dialect, 'GET', route).includes('access_malformed'))

function callForm({ dialect, prefix }: Stage, key: string, route: Route, index: number): Html {
  const { method, path } = splitRoute(key)
  const id = `${dialect.name}-${index}`
  const taken = takenBy(route)
  return html`
      <form class="call card" id="${id}" aria-labelledby="${id}-title" data-method="${method}" data-path="${prefix}${templated(path)}" data-does="${route.does}" data-csrf="${route.csrf ?? ''}" data-bearer="${sendsBearer(dialect, route) ? 'yes' : ''}" data-renews="${tellsAccess(route.does) ? 'yes' : ''}">
        <h3 id="${id}-title"><span class="method" data-method="${method}">${method}</span> <code>${prefix}${templated(path)}</code></h3>
        <p>${route.summary}</p>
        <div class="fields">${taken.map((each, i) => field(each, exampleOf(each, taken), `${id}-${i}`))}
        </div>
        <div class="send"><button type="submit">${labels[route.does]}</button> <p class="outcome" role="status"></p></div>
        <div class="exchange" hidden></div>
      </form>`
}

const cookieItem = ({ name, attributes, httpOnly, says }: CookieRow): Html => html`
        <li data-cookie="${name}">
          <p class="name"><code>${name}</code> <span class="state">not heard of yet</span></p>
          <p class="quiet">${says}</p>
          <p class="attributes">${attributes.map(each => html`<code>${each}</code> `)}${httpOnly ? undefined : html`<code>readable</code>`}</p>
        </li>`

function dialectSection(stage: Stage): Html {
  const { dialect, cookies } = stage
  const csrf = cookies.find(({ role }) => role === 'csrf')
  const { name } = dialect
  return html`
  <section class="dialect" id="${name}" aria-labelledby="${name}-title" data-csrf-cookie="${csrf?.name ?? ''}" data-csrf-header="${dialect.cookies.csrf?.header ?? ''}">
    <div class="about"><h2 id="${name}-title">${name}</h2><p>${dialect.summary}</p></div>
    <div class="calls">${Object.entries(dialect.routes).map(([key, route], i) => callForm(stage, key, route, i))}
    </div>
    <div class="jar card">
      <h3>Cookies</h3>
      <p>As the server sets them. Scripts cannot read an HttpOnly cookie, and this page is no exception: it shows what the server told about each answer.</p>
      <ul class="cookies">${cookies.map(cookieItem)}
      </ul>
      <h3>What a script sees</h3>
      <dl>
        <dt><code>document.cookie</code></dt><dd><code class="readable">nothing</code></dd>
        ${dialect.bearer ? html`<dt>Access token in memory</dt><dd><code class="token">none</code></dd>` : undefined}
      </dl>
    </div>
  </section>`
}

/** `pages`: where the hosted ones begin, when they are served. */
const page = (
  stages: readonly Stage[],
  look: Look,
  version: string,
  pages: string | undefined,
): Html => html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Rusk playground</title>
<link rel="icon" type="image/svg+xml" href="playground/${look.icon.href}">
<link rel="stylesheet" href="playground/${look.style.href}">
<link rel="stylesheet" href="playground/page.css">
<script src="playground/page.js" defer></script>
</head>
<body>
<header>
  <div class="bar">
    <img src="playground/${look.icon.href}" alt="" width="44" height="44">
    <div class="title"><h1>Rusk playground</h1><p>Every button makes a real call to this server.</p></div>
    <nav aria-label="Pages">${
      stages.length > 1
        ? stages.map(({ dialect }) => html`<a href="#${dialect.name}">${dialect.name}</a> `)
        : undefined
    }${pages === undefined ? undefined : html`<a href="${pages.slice(1)}">Hosted pages</a> `}<a href="docs">Swagger UI</a> <a href="redoc">ReDoc</a> <a href="openapi.json">OpenAPI</a></nav>
  </div>
</header>
<main>
  <noscript><p class="notice">The buttons need JavaScript.</p></noscript>${stages.map(dialectSection)}
</main>
<footer><p>Rusk ${version}, in development. This page is not served in production.</p></footer>
</body>
</html>
`

const csp =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
  "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"

const files = [
  ['page.css', 'text/css; charset=utf-8'],
  ['page.js', 'text/javascript; charset=utf-8'],
] as const

/** What the playground is made from; `pages`: the path of the hosted pages' first, when they are served. */
export type Played = Described & { readonly pages?: string | undefined }

/** The page and its files; none in production. */
export function playgroundPages({ mounted, site, version, pages }: Played): readonly Page[] {
  if (site.environment === 'production') return []
  const stages = mounted.map(({ dialect, policy }) => ({
    dialect,
    cookies: cookieRows(dialect, policy, site),
    prefix: site.prefix,
  }))
  const look = openLook('/playground')
  return [
    {
      path: '/',
      type: 'text/html; charset=utf-8',
      csp,
      body: readOnce(async () => page(stages, look, version, pages).toString()),
    },
    look.style.page,
    look.icon.page,
    ...files.map(([file, type]) => ({
      path: `/playground/${file}`,
      type,
      body: readOnce(() => readFile(new URL(`playground/${file}`, import.meta.url), 'utf8')),
    })),
  ]
}
