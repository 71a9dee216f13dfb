// The other wires that Rusk speaks, as the client must know them. A test holds each to what the server says of itself.
import type { Body, Call, Csrf, Dialect } from './dialect.ts'
import type { Explained, Issue } from './error.ts'

export { type NativeUser, native } from './dialect.ts'

const isBody = (value: unknown): value is Body => typeof value === 'object' && value !== null

const codes: Readonly<Record<number, string>> = {
  400: 'input_invalid',
  // That nobody is signed in is no error but a state: what else is refused so is a sign-in.
  401: 'credentials_wrong',
  403: 'origin_refused',
  404: 'not_found',
  422: 'input_invalid',
  429: 'throttled',
}

/** `{ loc: ['body', field], type, msg }`, as Pydantic has it. */
const issueOf = (issue: unknown): readonly Issue[] => {
  if (!isBody(issue)) return []
  const { loc, type, msg } = issue
  return [{ field: Array.isArray(loc) ? String(loc.at(-1)) : '', type: String(type), message: String(msg) }]
}

/** Flask says so with a 401, which says nothing of the person then. */
const isOfCsrf = (sentence: unknown): boolean => /^csrf/i.test(String(sentence))

/** Without a sentence it came from something on the way. */
const codeOf = (status: number, sentence: unknown): string =>
  !sentence || (status === 401 && isOfCsrf(sentence))
    ? 'unavailable'
    : (codes[status] ?? (status < 500 ? 'refused' : 'unavailable'))

/** `{ detail }`, a sentence or a list, as FastAPI and Django have it; `{ error }`, as Flask. */
function explain(status: number, { detail, error }: Body): Explained {
  const issues = Array.isArray(detail) ? detail.flatMap(issueOf) : []
  const [sentence] = [detail, error, issues.map(({ message }) => message).join('; ')].filter(
    each => typeof each === 'string' && each !== '',
  )
  return {
    code: codeOf(status, sentence),
    ...(typeof sentence === 'string' && { detail: sentence }),
    issues,
  }
}

/**
 * Seconds that a JWT just made has left: by its server's clock and no other, which is the answer's Date where the page may
 * read it, and else the moment the token was made.
 */
const lifeOf =
  (member: string) =>
  (body: Body, answer: Response): number => {
    try {
      const [, payload = ''] = String(body[member]).split('.')
      const claims: unknown = JSON.parse(atob(payload.replace(/-/g, '+').replace(/_/g, '/')))
      const { exp, iat } = isBody(claims) ? claims : {}
      return Number(exp) - (Date.parse(answer.headers.get('date') ?? '') / 1000 || Number(iat))
    } catch {
      // Not a JWT: it is renewed when it is refused.
      return Number.NaN
    }
  }

const changesNothing = (method: string): boolean => /^(GET|HEAD|OPTIONS)$/i.test(method)

/** The value of a readable cookie goes into a header; `call` sets the cookie, where there is such a call. */
const doubleSubmit =
  (cookie: string, header: string, call?: Call) =>
  (ask: (call: Call) => Promise<unknown>): Csrf => {
    const named = RegExp(`(?:^|; )${cookie}=([^;]*)`, 'g')
    let heard: string | null = null
    // A sibling may have planted one of the same name, in front of the good one or behind.
    const find = (anew?: boolean) =>
      [...(globalThis.document?.cookie ?? '').matchAll(named)].at(anew ? -1 : 0)?.[1] ?? heard
    return {
      async headers(method, anew) {
        if (changesNothing(method)) return {}
        if (call && (anew || !find())) await ask(call)
        const value = find(anew)
        return value ? { [header]: value } : {}
      },
      hear(method, answer, { error }) {
        heard = answer.headers.get(header) ?? heard
        return !changesNothing(method) && (answer.status === 403 || isOfCsrf(error))
      },
    }
  }

/** An answer about a user is the user. */
const itself = (body: Body): unknown => body

/** `id`: 1, 2, 3 …, as those back ends count. */
export type NumberedUser = { readonly id: number; readonly username: string | null; readonly email: string }

export const fastapi: Dialect<NumberedUser> = {
  signUp: { line: 'POST /auth/register', login: 'email' },
  signIn: { line: 'POST /auth/login', names: { login: 'username_or_email' } },
  signOut: { line: 'POST /auth/logout' },
  refresh: { line: 'POST /auth/refresh' },
  session: { line: 'GET /auth/me' },
  exchange: { line: 'POST /auth/exchange' },
  user: itself,
  life: () => 900,
  explain,
}

export type MinimalUser = {
  readonly uid: string
  readonly email: string
  readonly username: string | null
  readonly is_active: boolean
}

export const fastapiMinimal: Dialect<MinimalUser> = {
  id: 'uid',
  signUp: { line: 'POST /auth/signup', login: 'email' },
  signIn: { line: 'POST /auth/signin', names: { login: 'email' } },
  signOut: { line: 'POST /auth/signout' },
  refresh: { line: 'POST /auth/refresh' },
  session: { line: 'GET /auth/me' },
  exchange: { line: 'POST /auth/exchange' },
  user: itself,
  life: () => 900,
  explain,
}

/** Times are ISO 8601 in UTC, without a zone. */
export type ProductionUser = {
  readonly id: number
  readonly email: string
  readonly full_name: string | null
  readonly is_active: boolean
  readonly is_superuser: boolean
  readonly created_at: string
  readonly last_login: string | null
}

export const fastapiProduction: Dialect<ProductionUser> = {
  signUp: { line: 'POST /api/auth/register', names: { name: 'full_name' }, login: 'email' },
  signIn: { line: 'POST /api/auth/login', names: { login: 'email' } },
  signOut: { line: 'POST /api/auth/logout' },
  refresh: { line: 'POST /api/auth/refresh' },
  session: { line: 'GET /api/auth/me' },
  exchange: { line: 'POST /api/auth/exchange' },
  user: itself,
  life: () => 3600,
  explain,
}

export const flask: Dialect<NumberedUser> = {
  signUp: { line: 'POST /register' },
  signIn: { line: 'POST /login', names: { login: 'email' } },
  signOut: { line: 'POST /logout' },
  refresh: { line: 'POST /refresh' },
  session: { line: 'GET /me' },
  exchange: { line: 'POST /exchange' },
  user: body => body.user ?? body,
  token: 'access_token',
  memoryOnly: true,
  life: lifeOf('access_token'),
  explain,
  csrf: doubleSubmit('csrf_refresh_token', 'x-csrf-token'),
}

export const django: Dialect<NumberedUser> = {
  signUp: { line: 'POST /api/register/', login: 'username' },
  signIn: { line: 'POST /api/token/pair', names: { login: 'username' } },
  signOut: { line: 'POST /api/logout/' },
  refresh: { line: 'POST /api/token/refresh/' },
  session: { line: 'GET /api/me/' },
  exchange: { line: 'POST /api/token/exchange/' },
  user: itself,
  token: 'access',
  memoryOnly: true,
  life: lifeOf('access'),
  explain,
  csrf: doubleSubmit('csrftoken', 'x-csrftoken', { line: 'GET /api/csrf/' }),
}
