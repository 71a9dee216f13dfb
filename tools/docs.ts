// Prints the manual's tables from the code's own: options, refusals, the wire of each dialect, the rooms of the house, what
// the client weighs. A test fails when another text stands there. Run as a program it writes them; it decides nothing.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type Explorations, printStories, printWorlds } from '../proof/explore/result.ts'
import { promises } from '../proof/explore/scene.ts'
import { printSimulation } from '../proof/simulate/print.ts'
import type { Result } from '../proof/simulate/result.ts'
import { optionRows } from '../server/src/config.ts'
import { defaultPolicy, patchPolicy } from '../server/src/core/policy.ts'
import { type Refusal, type RefusalCode, refusals } from '../server/src/core/refusal.ts'
import { dialects } from '../server/src/dialects/index.ts'
import { cookieRows } from '../server/src/http/cookie-rows.ts'
import type { Dialect, RenderRefusal } from '../server/src/http/dialect.ts'
import { takenBy } from '../server/src/http/input-body.ts'
import type { Site } from '../server/src/http/site.ts'
import { rooms } from './imports.ts'
import { drawRule, ruleRows } from './rule-picture.ts'
import { entries, sizeHead, sizeRows, weighAll } from './size.ts'

type Row = readonly string[]

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ')
const code = (text: string): string => `\`${text}\``
const line = (cells: Row): string => `| ${cells.map(cell).join(' | ')} |`

const table = (head: Row, rows: readonly Row[]): string =>
  [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n')

const page = (...parts: readonly string[]): string =>
  `${['<!-- Printed by `npm run docs`: change the tables in the code, not this file. -->', ...parts].join('\n\n')}\n`

function optionsPage(): string {
  const rows = optionRows().map(option => [
    code(option.name),
    option.variables.map(code).join(', '),
    code(option.type),
    option.default,
    option.sentence + (option.fromFile ? ' Each variable may have `_FILE` behind it and name a file.' : ''),
    option.neededBy,
  ])
  return page(
    '# Options',
    'Every option can be written as a variable, in `.env`, in a JSON file (`--config FILE`) or, by a program, as an ' +
      "object. The command line wins over a program's options, then come the environment, `.env`, the file and the " +
      'default. Spans are written `500ms`, `2s`, `10m`, `14d`; rates `30/1m`.',
    table(['option', 'variables', 'written', 'default', 'what it does', 'who needs it'], rows),
  )
}

function refusalsPage(): string {
  const rows = Object.entries(refusals).map(([name, { status, title }]) => [
    code(name),
    String(status),
    title,
  ])
  return page(
    '# Refusals',
    'Every expected "no", with the status and the sentence that a dialect without an opinion sends. A refusal is no ' +
      'fault: it is decided, written down and answered like a yes. [dialects.md](dialects.md) has the words of each dialect.',
    table(['code', 'status', 'says'], rows),
  )
}

/** As in production: https, no prefix, front end and API on one site. */
const site: Site = {
  url: 'https://auth.example.com',
  https: true,
  secureCookies: true,
  environment: 'production',
  prefix: '',
  origins: undefined,
  proxies: [],
  csrfDomain: undefined,
  crossSite: false,
  hsts: 31_536_000,
}

const routeRows = ({ routes }: Dialect): readonly Row[] =>
  Object.entries(routes).map(([call, route]) => [
    code(call),
    takenBy(route)
      .filter(taken => !taken.inPath)
      .map(taken => code(taken.required ? taken.wire : `${taken.wire}?`))
      .join(', ') || '–',
    route.csrf === undefined ? '' : { any: 'any', session: "the session's" }[route.csrf],
    String(route.status),
    route.summary,
  ])

/** What such refusals find, for example. */
const samples: Readonly<Partial<Record<RefusalCode, Refusal['issues']>>> = {
  input_invalid: [{ field: 'password', type: 'missing', message: 'Field required' }],
  password_weak: [
    {
      field: 'password',
      type: 'string_too_short',
      message: 'Password must be at least 8 characters long',
    },
  ],
}

function render(refused: RefusalCode, renderRefusal: RenderRefusal): Row {
  const issues = samples[refused]
  const sample: Refusal = { refused, ...(issues ? { issues } : {}) }
  const { status, body } = renderRefusal({ ...sample, callId: '…' })
  return [code(refused), String(status), code(JSON.stringify(body))]
}

/** What a dialect words itself, and one row for how it words the rest. */
function refusalRows(dialect: Dialect): readonly Row[] {
  const { otherwise, ...worded } = dialect.refusals
  const own = Object.keys(refusals).filter((name): name is RefusalCode => Object.hasOwn(worded, name))
  const rest = render('unavailable', worded.unavailable ?? otherwise)
  return [...own.map(name => render(name, worded[name] ?? otherwise)), ['any other', ...rest.slice(1)]]
}

const carriers = ({ bearer, cookies }: Dialect): string =>
  `Access tokens are read from ${[
    ...(cookies.access ? ['their cookie'] : []),
    ...(bearer ? ['`Authorization: Bearer`'] : []),
  ].join(' or from ')}.`

function dialectSection(dialect: Dialect): string {
  const policy = patchPolicy(defaultPolicy, dialect.policy)
  const cookies = cookieRows(dialect, policy, site).map(row => [
    code(row.name),
    row.attributes.join('; '),
    row.says,
  ])
  const {
    origins,
    cookies: { csrf },
  } = dialect
  return [
    `## ${code(dialect.name)}`,
    dialect.summary,
    table(['call', 'takes', 'CSRF token', 'answers', ''], routeRows(dialect)),
    table(['cookie', 'attributes over https', 'what it is'], cookies),
    [
      carriers(dialect),
      csrf
        ? `The CSRF token goes back in the header ${code(csrf.header)}.`
        : 'It has no CSRF token: the floor guards it.',
      `Front ends at ${['the origin of `url`', ...origins.map(code)].join(', ')} may call${origins.length === 0 ? '' : ' in development'}, ${dialect.keepsOrigins ? 'and' : 'or'} those that \`origins\` lists${origins.length === 0 ? '' : '; in production these alone'}.`,
    ].join(' '),
    table(['refusal', 'status', 'body'], refusalRows(dialect)),
  ].join('\n\n')
}

const dialectsPage = (): string =>
  page(
    '# Dialects',
    'What goes over the wire, for each dialect that `--dialect` can name. `?` marks a field that may be absent; where two ' +
      'names stand for one field, one of them must be there. Below all of them lies the same engine, and the same floor ' +
      '([SECURITY.md](../SECURITY.md)).',
    ...Object.values(dialects).map(dialectSection),
  )

const server = 'server/src/'

function sayMay(name: string): string {
  if (name === server) return `all of ${code(server)}`
  return name === 'node:' ? `${code('node:')} but no driver` : code(name.replace(server, ''))
}

function roomsTable(): string {
  const rows = Object.entries(rooms).map(([room, { does, may }]) => [
    code(room),
    does,
    may.map(sayMay).join(', '),
  ])
  return table(['room', 'what it does', 'may import, besides itself'], rows)
}

/** `page` with `text` between the two comments that name `mark`, which stay. Throws if they are not there, once. */
export function printInto(page: string, mark: string, text: string): string {
  const [before, inside, after, ...more] = page.split(new RegExp(`^(?=<!-- /?${mark}\\b.*-->$)`, 'm'))
  if (before === undefined || inside === undefined || after === undefined || more.length > 0)
    throw new Error(`The page has no place for ${mark}`)
  return `${before}${inside.slice(0, inside.indexOf('\n'))}\n\n${text}\n\n${after}`
}

const root = fileURLToPath(new URL('..', import.meta.url))

const contributingPage = (): string =>
  printInto(readFileSync(`${root}CONTRIBUTING.md`, 'utf8'), 'rooms', roomsTable())

const readKept = <Kept>(path: string): Kept => JSON.parse(readFileSync(root + path, 'utf8'))

const says = {
  quiet: 'access token only',
  change: '**change**',
  end: '**end**',
} as const

/** The manual of sessions: prose of its own, tables from the code and from what was walked and simulated. */
function sessionsPage(): string {
  const explored = readKept<Explorations>('proof/explored.json')
  const parts = {
    rule: table(
      ['`n` is', 'quiet', 'settled'],
      ruleRows().map(({ kind, quiet, later }) => [kind, says[quiet], says[later]]),
    ),
    promises: table(
      ['', 'promise'],
      Object.entries(promises).map(([name, promise]) => [name, promise]),
    ),
    worlds: printWorlds(explored),
    simulation: printSimulation(readKept<Result>('proof/simulation.json')).trimEnd(),
  }
  return Object.entries(parts).reduce(
    (text, [mark, part]) => printInto(text, mark, part),
    readFileSync(`${root}docs/sessions.md`, 'utf8'),
  )
}

async function clientPage(): Promise<string> {
  const sizes = table(sizeHead, sizeRows(await weighAll(entries)))
  return printInto(readFileSync(`${root}docs/client.md`, 'utf8'), 'sizes', sizes)
}

function storiesPage(): string {
  const { mutants, beyond } = readKept<Explorations>('proof/explored.json')
  return page(
    '# How the rule breaks when it is weakened',
    '`npm run explore` finds the shortest way to a broken promise. Time is counted in ticks. Calls are lettered as they are ' +
      'composed; the session was opened just before, and its sign-in sent number 1. [sessions.md](sessions.md) explains the ' +
      'rule and the promises.',
    '## One thing of the rule changed',
    'The grace is 2 ticks, a leg of a call up to 1.',
    printStories(mutants),
    '## The rule as it is, beyond its bounds',
    'Each bound is as tight as it is said to be.',
    printStories(beyond),
  )
}

const algorithms = ['ES256', 'EdDSA', 'HS256'] as const

type CheckRow = Readonly<Record<'algorithm' | 'what' | 'CPU µs each' | '× bare signature', string>>

/** What it costs to check a token, as bench/verify.ts has measured and kept it. Throws where a figure is missing. */
export function checksTable(kept: readonly CheckRow[]): string {
  const cellOf = (what: string, algorithm: string): string => {
    const row = kept.find(each => each.what === what && each.algorithm === algorithm)
    if (!row) throw new Error(`Nothing is kept of ${what} with ${algorithm}: run node bench/verify.ts --keep`)
    const [cpu, ratio] = [Number(row['CPU µs each']), Number(row['× bare signature'])]
    return `${cpu.toPrecision(cpu < 1 ? 2 : 3)} µs · ${ratio < 0.1 ? ratio.toPrecision(1) : ratio.toFixed(ratio < 10 ? 2 : 0)}`
  }
  const contenders = [...new Set(kept.map(({ what }) => what))]
  return table(
    ['', ...algorithms],
    contenders.map(what => [what, ...algorithms.map(algorithm => cellOf(what, algorithm))]),
  )
}

function servicesPage(): string {
  const kept = readKept<{ readonly 'checking access tokens': readonly CheckRow[] }>('bench/results.json')
  return printInto(
    readFileSync(`${root}docs/services.md`, 'utf8'),
    'checks',
    checksTable(kept['checking access tokens']),
  )
}

/** The printed pages by their paths from the root. */
export const printDocs = async (): Promise<ReadonlyMap<string, string>> =>
  new Map([
    ['docs/options.md', optionsPage()],
    ['docs/refusals.md', refusalsPage()],
    ['docs/dialects.md', dialectsPage()],
    ['docs/client.md', await clientPage()],
    ['docs/services.md', servicesPage()],
    ['CONTRIBUTING.md', contributingPage()],
    ['docs/sessions.md', sessionsPage()],
    ['docs/stories.md', storiesPage()],
    ['docs/pictures/session-rule.svg', drawRule()],
  ])

if (import.meta.main) {
  for (const [path, text] of await printDocs()) writeFileSync(root + path, text)
}
