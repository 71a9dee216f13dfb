// Every answer that the routes of every dialect give, good and bad, is held to the document that describes them; calls are
// made from the document's own examples.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Validator } from '@seriousme/openapi-schema-validator'
import { defaultPolicy, patchPolicy } from '../src/core/policy.ts'
import { refusals } from '../src/core/refusal.ts'
import { type DialectName, dialects } from '../src/dialects/index.ts'
import { cookieRows } from '../src/http/cookie-rows.ts'
import type { Method, Route } from '../src/http/dialect.ts'
import { effectsOf } from '../src/http/effects.ts'
import { takenBy } from '../src/http/input-body.ts'
import { describe } from '../src/http/openapi.ts'
import { refusedBy } from '../src/http/refused-by.ts'
import type { Site } from '../src/http/site.ts'
import { splitRoute } from '../src/http/way.ts'
import { conforms } from './conforms.ts'
import type { Ask, Browser, Got, Line } from './dialects/browser.ts'
import { serve } from './dialects/serve.ts'
import { bridgeOptions, databaseWith, earlierToken } from './earlier.ts'

const site: Site = {
  url: 'http://127.0.0.1:8000',
  https: false,
  secureCookies: false,
  environment: 'development',
  prefix: '',
  origins: undefined,
  proxies: [],
  csrfDomain: undefined,
  crossSite: false,
  hsts: 0,
}

const names = Object.keys(dialects) as DialectName[]

const mountedOf = (name: DialectName) => {
  const dialect = dialects[name]
  return { dialect, policy: patchPolicy(defaultPolicy, dialect.policy) }
}

const documentOf = (name: DialectName): object =>
  JSON.parse(JSON.stringify(describe({ mounted: [mountedOf(name)], site, version: '0.0.0' })))

type Step = { readonly line: Line; readonly method: Method; readonly path: string; readonly route: Route }

const stepsOf = (name: DialectName): readonly Step[] =>
  Object.entries(dialects[name].routes).map(([key, route]) => {
    const { method, path } = splitRoute(key)
    return { line: `${method} /${path.slice(1)}`, method, path, route }
  })

const jwt = /^[\w-]+\.[\w-]+\.[\w-]+$/

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null

/** The front end of one dialect: remembers an access token it is handed, sends a readable CSRF cookie back. */
function openFrontEnd(name: DialectName, browser: Browser) {
  const document = documentOf(name)
  const { dialect, policy } = mountedOf(name)
  const csrf = dialect.cookies.csrf
  let token: string | undefined

  const headers = (): Record<string, string> => {
    const text = csrf && browser.documentCookie().get(csrf.cookie.name)
    return {
      ...(csrf && text !== undefined ? { [csrf.header]: text } : {}),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    }
  }

  /** Where a refusal names its code, the table of refusals has it for this very route. */
  const checkCode = (step: Step, got: Got) => {
    const { code: said } = isObject(got.body) ? got.body : {}
    const code = Object.keys(refusals).find(each => each === said)
    const known: readonly string[] = refusedBy(dialect, step.method, step.route)
    assert.ok(code === undefined || known.includes(code), `${step.line} should not answer ${code}`)
  }

  /** What the effects table says, against what was set. */
  const checkCookies = (step: Step, got: Got) => {
    const effects = got.status < 300 ? effectsOf(dialect, step.route.does) : {}
    for (const { role, name: cookie } of cookieRows(dialect, policy, site)) {
      const effect = effects[role]
      const set = got.set[cookie]
      const did = set === undefined ? undefined : set.value === '' ? 'cleared' : 'set'
      const allowed = [effect?.replace('may be ', ''), ...(effect?.startsWith('may be') ? [undefined] : [])]
      assert.ok(allowed.includes(did), `${step.line}: ${cookie} was ${did}, should be ${effect}`)
    }
  }

  return {
    async call(step: Step, ask: Ask, path = step.path): Promise<Got> {
      const got = await browser.call(`${step.method} /${path.slice(1)}`, {
        ...ask,
        headers: { ...headers(), ...ask.headers },
      })
      const answered = { method: step.method, path, ...got }
      assert.deepEqual(conforms(document, answered), [])
      checkCode(step, got)
      checkCookies(step, got)
      const found = isObject(got.body)
        ? Object.values(got.body).find(value => jwt.test(String(value)))
        : undefined
      if (got.status < 300 && typeof found === 'string') token = found
      return got
    },
    forget() {
      token = undefined
    },
  }
}

type FrontEnd = ReturnType<typeof openFrontEnd>

/** The body that the document shows as its example, with other values where they are given. */
const exampleOf = (route: Route, other: Readonly<Record<string, string>> = {}): Ask => {
  const taken = takenBy(route).filter(each => !each.inPath && each.note.example !== '')
  if (taken.length === 0) return {}
  return { json: Object.fromEntries(taken.map(each => [each.wire, other[each.field] ?? each.note.example])) }
}

/** Whoever signs up by the examples has no earlier token. */
const jill = { email: 'jill@example.com', username: 'jill', password: 'never asked for' }

/** No token is an example for anybody: one that would do is made for the call. */
const askOf = async (route: Route): Promise<Ask> =>
  route.does === 'exchange' ? { json: { token: await earlierToken(jill.email) } } : exampleOf(route)

const order: readonly Route['does'][] = [
  'csrf',
  'health',
  'register',
  'signUp',
  'signIn',
  'exchange',
  'whoAmI',
  'refresh',
  'listSessions',
  'endOtherSessions',
  'endSession',
  'signIn',
  'changePassword',
  'signOut',
]

/** The id of the one session that is listed. */
async function sessionPath(front: FrontEnd, steps: readonly Step[], step: Step): Promise<string> {
  const list = steps.find(each => each.route.does === 'listSessions')
  const got = list && (await front.call(list, {}))
  const id = /"id":"([^"]+)"/.exec(got?.text ?? '')?.[1] ?? assert.fail('no session is listed')
  return step.path.replace(':id', id)
}

for (const name of names) {
  test(`${name}: the document is OpenAPI 3.1`, async () => {
    const { valid, errors } = await new Validator().validate(documentOf(name) as Record<string, unknown>)
    assert.deepEqual({ valid, errors }, { valid: true, errors: undefined })
  })

  test(`${name}: every example that the document gives of a refusal is one by its own schema`, () => {
    const document = documentOf(name) as { paths: Record<string, Record<string, { responses: object }>> }
    for (const [path, operations] of Object.entries(document.paths)) {
      for (const [method, { responses }] of Object.entries(operations)) {
        for (const [status, response] of Object.entries(responses)) {
          for (const [type, media] of Object.entries(response.content ?? {})) {
            const { examples = {} } = media as { examples?: Record<string, { value: unknown }> }
            for (const { value } of Object.values(examples)) {
              const headers = { 'content-type': type, 'retry-after': '1' }
              const text = JSON.stringify(value)
              const answered = { method: method.toUpperCase(), path, status: Number(status), headers, text }
              assert.deepEqual(conforms(document, answered), [])
            }
          }
        }
      }
    }
  })

  test(`${name}: from sign-up to sign-out every answer and its cookies are as published`, async t => {
    const database = await databaseWith(t, [jill])
    const { browser } = await serve(t, name, 'api', { database, bridge: bridgeOptions })
    const steps = stepsOf(name)
    const front = openFrontEnd(name, browser)
    for (const does of order) {
      for (const step of steps.filter(each => each.route.does === does)) {
        const path = step.path.includes(':id') ? await sessionPath(front, steps, step) : step.path
        const got = await front.call(step, await askOf(step.route), path)
        assert.equal(got.status, step.route.status, `${step.line}: ${got.text}`)
      }
    }
  })

  test(`${name}: every refusal is as published`, async t => {
    const { browser } = await serve(t, name, 'api', { bridge: bridgeOptions })
    const steps = stepsOf(name)
    const front = openFrontEnd(name, browser)
    const evil = openFrontEnd(name, browser.tab('https://evil.example'))
    const asks: readonly Ask[] = [
      {},
      { json: {} },
      { json: [] },
      { text: '{', type: 'application/json' },
      { text: 'a=b', type: 'text/plain' },
      { text: `"${'x'.repeat(70_000)}"`, type: 'application/json' },
      { headers: { authorization: 'Basic eA==' } },
      { headers: { authorization: 'Bearer x' } },
    ]
    const statuses = new Set<number>()
    const refuse = async (given: FrontEnd, step: Step, ask: Ask) => {
      const got = await given.call(step, ask, step.path.replace(':id', 'nobody'))
      statuses.add(got.status)
    }
    const first = steps.filter(each => each.route.does === 'csrf')
    const admission = steps.filter(({ route }) => route.does === 'register' || route.does === 'signUp')
    // Before there is a CSRF cookie, then with one.
    for (const step of steps) await refuse(front, step, {})
    for (const step of first) await refuse(front, step, {})
    for (const step of admission) {
      await refuse(front, step, exampleOf(step.route, { password: 'x' }))
      await refuse(front, step, exampleOf(step.route))
      await refuse(front, step, exampleOf(step.route))
    }
    front.forget()
    for (const step of steps.filter(each => each.route.does === 'signIn')) {
      await refuse(front, step, exampleOf(step.route, { password: 'another one' }))
    }
    for (const step of steps.filter(each => each.route.does === 'exchange')) {
      await refuse(front, step, { json: { token: 'none of theirs' } })
    }
    for (const step of steps) {
      for (const ask of asks) await refuse(front, step, ask)
      if (step.method !== 'GET') await refuse(evil, step, {})
    }
    for (const status of [401, 403, 413, 415]) assert.ok(statuses.has(status), `no answer was ${status}`)
  })
}
