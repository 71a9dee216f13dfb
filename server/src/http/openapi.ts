// The OpenAPI 3.1 document of the mounted dialects: a pure reading of their values, so that it cannot say anything that
// they do not. Knows no dialect by name and serves nothing.
import { type Refusal, type RefusalCode, refusals } from '../core/refusal.ts'
import { type CookieRow, cookieRows } from './cookie-rows.ts'
import type { Dialect, Method, Route } from './dialect.ts'
import { type CookieRole, type Effect, effectsOf } from './effects.ts'
import { bodySchema, pathParameters, takenBy } from './input-body.ts'
import { type Json, openSchemas, type Schemas } from './openapi-schemas.ts'
import { refusedBy } from './refused-by.ts'
import type { Site } from './site.ts'
import { type Mounted, splitRoute } from './way.ts'

export type Described = {
  readonly mounted: readonly Mounted[]
  readonly site: Site
  readonly version: string
}

/** What the parts of one dialect's description share. */
type About = {
  readonly dialect: Dialect
  readonly cookies: ReadonlyMap<CookieRole, CookieRow>
  readonly schemas: Schemas
  readonly tag: string
}

/** `fastapi-minimal` → `FastapiMinimal`, for names of components. */
const pascal = (text: string): string =>
  text
    .split(/[^\p{L}\p{N}]+/u)
    .map(word => word.charAt(0).toUpperCase() + word.slice(1))
    .join('')

const verbs: Readonly<Record<Effect, string>> = {
  set: 'Sets',
  'may be set': 'May set',
  cleared: 'Clears',
  'may be cleared': 'May clear',
}

function setCookieHeader({ dialect, cookies }: About, route: Route): Json {
  const sentences = Object.entries(effectsOf(dialect, route.does)).map(([role, effect]) => {
    const cookie = [...cookies.values()].find(each => each.role === role)
    const attributes = effect.endsWith('set') ? ` (${cookie?.attributes.join('; ')})` : ''
    return `${verbs[effect]} \`${cookie?.name}\`${attributes}.`
  })
  if (sentences.length === 0) return {}
  return { headers: { 'Set-Cookie': { description: sentences.join(' '), schema: { type: 'string' } } } }
}

const successPhrases: Readonly<Record<Route['status'], string>> = {
  200: 'Done',
  201: 'Made',
  204: 'Done; there is no body',
}

const success = (about: About, route: Route): Json => ({
  description: successPhrases[route.status],
  ...setCookieHeader(about, route),
  ...(route.answer
    ? {
        content: {
          'application/json': {
            schema: about.schemas.refer(`${about.tag}${pascal(route.does)}`, route.answer),
          },
        },
      }
    : {}),
})

/** What is wrong with which field: the first of these that the route takes, else its first. */
const sampleIssues: Readonly<
  Partial<Record<RefusalCode, { fields: readonly string[]; type: string; message: string }>>
> = {
  input_invalid: { fields: [], type: 'missing', message: 'Field required' },
  password_weak: {
    fields: ['password', 'new'],
    type: 'string_too_short',
    message: 'Password must be at least 8 characters long',
  },
  password_wrong: { fields: ['current'], type: 'value_error', message: 'Current password is wrong' },
}

/** A refusal as it may come, so that the dialect shows its status and its words. */
function sampleOf(refused: RefusalCode, route: Route): Refusal {
  const sample = sampleIssues[refused]
  if (sample) {
    const { fields, ...issue } = sample
    const taken = takenBy(route)
    const about = taken.find(each => fields.includes(each.field)) ?? taken[0]
    return { refused, issues: [{ field: about?.wire ?? '', ...issue }] }
  }
  return ['throttled', 'busy', 'unavailable'].includes(refused) ? { refused, retryAfter: 60 } : { refused }
}

type Reply = { readonly code: RefusalCode; readonly type: string; readonly body: unknown }

function refusalContent(about: About, replies: readonly Reply[]): Json {
  const schema = about.schemas.refer(`${about.tag}Error`, about.dialect.error)
  const types = [...new Set(replies.map(reply => reply.type))]
  return Object.fromEntries(
    types.map(type => [
      type,
      {
        schema,
        examples: Object.fromEntries(
          replies
            .filter(reply => reply.type === type)
            .map(({ code, body }) => [code, { summary: refusals[code].title, value: body }]),
        ),
      },
    ]),
  )
}

const retryAfter = { 'Retry-After': { description: 'Seconds to wait', schema: { type: 'integer' } } }

function refusalAnswers(about: About, method: Method, route: Route): Json {
  const { dialect } = about
  const byStatus = new Map<number, Reply[]>()
  for (const code of refusedBy(dialect, method, route)) {
    const render = route.refusals[code] ?? dialect.refusals[code] ?? dialect.refusals.otherwise
    const {
      status,
      body,
      type = 'application/json',
    } = render({
      ...sampleOf(code, route),
      callId: 'K3x9Q2',
    })
    byStatus.set(status, [...(byStatus.get(status) ?? []), { code, type, body }])
  }
  return Object.fromEntries(
    [...byStatus].map(([status, replies]) => [
      String(status),
      {
        description: replies.map(({ code }) => `${refusals[code].title} (\`${code}\`).`).join(' '),
        ...(status === 429 || status === 503 ? { headers: retryAfter } : {}),
        content: refusalContent(about, replies),
      },
    ]),
  )
}

/** Names of the security schemes, for one dialect. */
const schemeNames = ({ tag }: About) => ({
  access: `${tag}AccessCookie`,
  refresh: `${tag}RefreshCookie`,
  bearer: `${tag}Bearer`,
  csrf: `${tag}Csrf`,
})

function securitySchemes(about: About): Json {
  const { dialect, cookies } = about
  const names = schemeNames(about)
  const inCookie = (role: CookieRole) => {
    const cookie = cookies.get(role)
    return cookie && { type: 'apiKey', in: 'cookie', name: cookie.name, description: cookie.says }
  }
  const header = dialect.cookies.csrf?.header
  const csrf = header && {
    type: 'apiKey',
    in: 'header',
    name: header,
    description: `The value of the cookie \`${cookies.get('csrf')?.name}\``,
  }
  return {
    ...(dialect.cookies.access ? { [names.access]: inCookie('access') } : {}),
    [names.refresh]: inCookie('refresh'),
    ...(dialect.bearer ? { [names.bearer]: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } } : {}),
    ...(csrf ? { [names.csrf]: csrf } : {}),
  }
}

/** Alternatives; an empty one says that nothing is demanded. */
function security(about: About, route: Route): readonly Json[] {
  const { dialect } = about
  const names = schemeNames(about)
  const csrf = route.csrf ? { [names.csrf]: [] } : {}
  const byAccess = [
    ...(dialect.cookies.access ? [{ [names.access]: [], ...csrf }] : []),
    ...(dialect.bearer ? [{ [names.bearer]: [], ...csrf }] : []),
  ]
  if (route.does === 'refresh') return [{ [names.refresh]: [], ...csrf }]
  if (route.does === 'signOut') return [{ [names.refresh]: [], ...csrf }, ...byAccess, csrf]
  const known = refusedBy(dialect, 'GET', route).includes('not_signed_in')
  return known ? byAccess : route.csrf ? [csrf] : []
}

function operation(about: About, method: Method, path: string, route: Route): Json {
  const parameters = pathParameters(route)
  const body = bodySchema(route)
  const schema = body && about.schemas.refer(`${about.tag}${pascal(route.does)}Input`, body)
  return {
    operationId: `${method.toLowerCase()}${pascal(path)}`,
    summary: route.summary,
    tags: [about.dialect.name],
    security: security(about, route),
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(schema ? { requestBody: { required: true, content: { 'application/json': { schema } } } } : {}),
    responses: { [route.status]: success(about, route), ...refusalAnswers(about, method, route) },
  }
}

export const templated = (path: string): string => path.replace(/:([A-Za-z]\w*)/g, '{$1}')

/**
 * OpenAPI 3.1.1 (schemas: JSON Schema 2020-12). A path that may end in a slash or not is there once, as the dialect
 * writes it. Two servers: where the document was served, so that it can be tried there, and where browsers reach Rusk.
 */
export function describe({ mounted, site, version }: Described): Json {
  const schemas = openSchemas()
  const paths: Record<string, Record<string, Json>> = {}
  let schemes: Json = {}
  for (const { dialect, policy } of mounted) {
    const cookies = new Map(cookieRows(dialect, policy, site).map(row => [row.role, row]))
    const about: About = { dialect, cookies, schemas, tag: pascal(dialect.name) }
    schemes = { ...schemes, ...securitySchemes(about) }
    for (const [key, route] of Object.entries(dialect.routes)) {
      const { method, path } = splitRoute(key)
      const place = `${site.prefix}${templated(path)}`
      paths[place] = {
        ...paths[place],
        [method.toLowerCase()]: operation(about, method, place, route),
      }
    }
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'Rusk',
      version,
      summary:
        'Sign-in for single-page apps: tokens in HttpOnly cookies, sessions that can be ended at once.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [
      { url: new URL(site.url).pathname, description: 'Where this document was served' },
      { url: site.url, description: 'Where browsers reach it' },
    ],
    tags: mounted.map(({ dialect }) => ({ name: dialect.name, description: dialect.summary })),
    paths,
    components: { schemas: schemas.components(), securitySchemes: schemes },
  }
}
