// The hosted pages over real sockets, used as people without scripts use them, beside each of the dialects.
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { OperationName } from '../src/core/input.ts'
import { type DialectName, dialects } from '../src/dialects/index.ts'
import { Misuse, type Options, rusk } from '../src/index.ts'
import type { Browser, Got, Line } from './dialects/browser.ts'
import { serve } from './dialects/serve.ts'
import { formsOf, type Shown, type Visitor, visitorOf, wordsOf } from './visitor.ts'

const names = Object.keys(dialects) as DialectName[]

const password = 'Twelve blue herons 12'
const ada = { name: 'Ada Lovelace', email: 'ada@example.com', username: 'ada', password }

async function open(t: TestContext, dialect: DialectName = 'native', options: Options = {}) {
  const { browser, port } = await serve(t, dialect, 'api', options)
  return { browser, port, visitor: visitorOf(browser) }
}

const baseOf = (name: DialectName): '' | `/${string}` => (name === 'django' ? '/api' : '')

/** Through the form of sign-up, with whatever it asks for. */
async function enter(visitor: Visitor, base: '' | `/${string}` = ''): Promise<Shown> {
  const page = await visitor.go(`${base}/sign-up`)
  const asked = formsOf(page.html)[0]?.fields ?? {}
  const values = Object.fromEntries(Object.entries(ada).filter(([name]) => name in asked))
  return visitor.press(page, '/sign-up', values)
}

function routeOf(name: DialectName, does: OperationName) {
  const found = Object.entries(dialects[name].routes).find(([, route]) => route.does === does)
  assert.ok(found, `${name} has no ${does}`)
  const [line, route] = found
  return { line: line as Line, route }
}

/** As the front end of the dialect does it: with the CSRF cookie's value, where there is one. */
const csrfOf = (name: DialectName, browser: Browser): Record<string, string> => {
  const { csrf } = dialects[name].cookies
  const value = csrf && browser.documentCookie().get(csrf.cookie.name)
  return csrf && value !== undefined ? { [csrf.header]: value } : {}
}

const tokenOf = (got: Got): string | undefined => /"(?:access|access_token)":"([^"]+)"/.exec(got.text)?.[1]

const attributesOf = ({ set }: Got) =>
  Object.fromEntries(Object.entries(set).map(([name, { attributes }]) => [name, attributes]))

for (const name of names) {
  test(`${name}: who signs up by a page is known to the dialect's own calls, until the page's sign-out`, async t => {
    const { browser, visitor } = await open(t, name)
    const base = baseOf(name)
    const account = await enter(visitor, base)
    assert.deepEqual([account.status, account.at], [200, `${base}/account`])
    assert.match(wordsOf(account), /ada@example\.com/)

    const renewed = await browser.call(routeOf(name, 'refresh').line, { headers: csrfOf(name, browser) })
    assert.equal(renewed.status, 200, renewed.text)
    const token = tokenOf(renewed)
    const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` }
    const me = () => browser.call(routeOf(name, 'whoAmI').line, { headers })
    const known = await me()
    assert.deepEqual([known.status, known.text.includes('ada@example.com')], [200, true])

    const left = await visitor.press(await visitor.go(`${base}/account`), '/sign-out')
    assert.deepEqual([left.status, left.at], [200, `${base}/signed-out`])
    assert.equal((await me()).status, 401)
    const again = await browser.call(routeOf(name, 'refresh').line, { headers: csrfOf(name, browser) })
    assert.equal(again.status, 401)
  })

  test(`${name}: a page's sign-in writes the cookies that the dialect's own writes`, async t => {
    const { browser, visitor } = await open(t, name)
    const base = baseOf(name)
    await enter(visitor, base)
    const { line, route } = routeOf(name, 'signIn')
    const login = Object.keys(route.takes).find(wire => route.takes[wire] === 'login') ?? ''
    const json = { [login]: ada.email, password }
    const byCall = await browser.call(line, { json, headers: csrfOf(name, browser) })
    assert.equal(byCall.status, 200, byCall.text)
    const form = await visitorOf(await stranger(browser)).go(`${base}/sign-in`)
    const [byPage] = (await visitor.press(form, '/sign-in', { login: ada.email, password })).hops
    assert.ok(byPage)
    const { rusk_access: own, ...rest } = attributesOf(byPage)
    assert.deepEqual(dialects[name].cookies.access ? attributesOf(byPage) : rest, attributesOf(byCall))
    if (dialects[name].cookies.access) return
    // Where the front end keeps its token in memory, the pages have a cookie where the refresh cookie is.
    const { path, samesite, httponly } = byPage.set[dialects[name].cookies.refresh.name]?.attributes ?? {}
    assert.deepEqual([own?.path, own?.samesite, own?.httponly], [path, samesite, httponly])
  })

  test(`${name}: a link is enough to see who is signed in, whatever is left of the cookies`, async t => {
    const { browser, visitor } = await open(t, name)
    const base = baseOf(name)
    await enter(visitor, base)
    const { access, refresh } = dialects[name].cookies
    browser.jar.drop(access?.name ?? 'rusk_access')
    const offered = await visitor.go(`${base}/account`)
    assert.match(wordsOf(offered), /One moment/)
    assert.doesNotMatch(wordsOf(offered), /ada/)
    const account = await visitor.press(offered, '/continue')
    assert.match(wordsOf(account), /ada@example\.com/)
    browser.jar.drop(access?.name ?? 'rusk_access', refresh.name)
    const bySignIn = await visitor.press(await visitor.go(`${base}/account`), '/continue')
    assert.match(wordsOf(bySignIn), /ada@example\.com/)
  })
}

/** Another browser with no cookies. */
async function stranger(browser: Browser): Promise<Browser> {
  const other = browser.stolen()
  other.jar.drop(...other.jar.names())
  return other
}

test('no page is in the API document, and the playground leads to them', async t => {
  const { browser } = await open(t)
  const { text } = await browser.call('GET /openapi.json')
  assert.doesNotMatch(text, /"\/sign-in"|"\/account|continue/)
  assert.match((await browser.call('GET /')).text, /<a href="sign-in">/)
})

// [sentence, the two fields, status, what the page says, what stays in the login field]
const refusedSignIns: readonly [string, Record<string, string>, number, RegExp, string][] = [
  ['a wrong password', { login: 'ada', password: 'sesame' }, 401, /do not belong together/, 'ada'],
  ['an unknown login', { login: '"><b>x', password: 'sesame' }, 401, /do not belong together/, '"><b>x'],
  ['nothing', { login: '', password: '' }, 422, /enter your login\..*enter your password\./, ''],
  ['no password', { login: 'ada', password: '' }, 422, /enter your password/, 'ada'],
]

for (const [sentence, values, status, says, kept] of refusedSignIns) {
  test(`sign-in with ${sentence} shows the form again, with what was typed but for passwords`, async t => {
    const { visitor } = await open(t)
    await enter(visitor)
    const page = await visitor.go('/signed-out')
    const form = await visitorOf((await open(t)).browser).go('/sign-in?return_to=/account/password')
    const got = await visitor.press(form, '/sign-in', values)
    assert.deepEqual([page.status, got.status], [200, status])
    assert.match(wordsOf(got), says)
    assert.match(got.html, /<title>Error: Sign in/)
    assert.deepEqual(formsOf(got.html)[0]?.fields, {
      return_to: '/account/password',
      login: kept,
      password: '',
    })
    assert.doesNotMatch(got.html, /sesame|<b>x/)
    assert.deepEqual(got.hops[0]?.set, {})
  })
}

const refusedSignUps: readonly [string, DialectName, Record<string, string>, number, RegExp][] = [
  [
    'a taken address',
    'native',
    { email: 'ADA@example.com' },
    409,
    /an account with this e-mail address already/,
  ],
  ['a taken username', 'native', { email: 'b@example.com', username: 'Ada' }, 409, /This username is taken/],
  [
    'a weak password',
    'native',
    { email: 'b@example.com', password: 'short' },
    422,
    /at least 8 characters long/,
  ],
  ['no address', 'native', { email: '' }, 422, /enter your e-mail address/],
  ['an address that is none', 'native', { email: 'ada' }, 422, /like ada@example\.com/],
  [
    'a taken address, where the dialect says not what is taken',
    'fastapi',
    {},
    409,
    /No account can be made of this/,
  ],
  ['no name, where one is demanded', 'fastapi-production', { name: '' }, 422, /enter your name/],
  ['no username, where one is demanded', 'django', { username: '' }, 422, /enter a username/],
]

for (const [sentence, dialect, values, status, says] of refusedSignUps) {
  test(`sign-up with ${sentence} says so and opens nothing (${dialect})`, async t => {
    const { browser, visitor } = await open(t, dialect)
    const base = baseOf(dialect)
    await enter(visitor, base)
    const other = visitorOf(await stranger(browser))
    const form = await other.go(`${base}/sign-up`)
    const asked = formsOf(form.html)[0]?.fields ?? {}
    const typed = { ...ada, ...values }
    const got = await other.press(
      form,
      '/sign-up',
      Object.fromEntries(Object.entries(typed).filter(([name]) => name in asked)),
    )
    assert.equal(got.status, status, wordsOf(got))
    assert.match(wordsOf(got), says)
    assert.equal(formsOf(got.html)[0]?.fields.email, typed.email)
    assert.ok(!got.html.includes(typed.password))
    assert.deepEqual(got.hops[0]?.set, {})
  })
}

const shownFields: readonly [DialectName, string[]][] = [
  ['native', ['name', 'email', 'username', 'password']],
  ['fastapi', ['email', 'username', 'password']],
  ['flask', ['email', 'username', 'password']],
  ['django', ['email', 'username', 'password']],
  ['fastapi-minimal', ['email', 'username', 'password']],
  ['fastapi-production', ['name', 'email', 'password']],
]

for (const [dialect, fields] of shownFields) {
  test(`${dialect}: sign-up asks for what the dialect's own takes, and no more`, async t => {
    const { visitor } = await open(t, dialect)
    const page = await visitor.go(`${baseOf(dialect)}/sign-up`)
    assert.deepEqual(Object.keys(formsOf(page.html)[0]?.fields ?? {}), fields)
  })
}

test('the password rules are told before anybody breaks one', async t => {
  const { visitor } = await open(t, 'fastapi-production', { password: { minLength: 12 } })
  assert.match(
    wordsOf(await visitor.go('/sign-up')),
    /At least 12 characters, with an upper-case letter, a lower-case letter and a digit among them\./,
  )
})

test('who tries too often is told how long to wait, and keeps what was typed', async t => {
  const { visitor } = await open(t, 'native', { throttle: { signIn: '2/1m' } })
  const form = await visitor.go('/sign-in')
  const tries = [1, 2, 3].map(() => ({ login: 'ada', password: 'wrong' }))
  const got: Shown[] = []
  for (const values of tries) got.push(await visitor.press(form, '/sign-in', values))
  assert.deepEqual(
    got.map(({ status }) => status),
    [401, 401, 429],
  )
  const last = got.at(-1)
  assert.ok(last)
  assert.match(wordsOf(last), /too many attempts\. Please try again in (\d+ seconds|one minute)/)
  assert.ok(Number(last.hops[0]?.headers['retry-after']) > 0)
  assert.equal(formsOf(last.html)[0]?.fields.login, 'ada')
})

const app = 'https://app.example.com'

const returns: readonly [sentence: string, to: string, want: string][] = [
  ['a path of this host', '/docs?x=1', '/docs?x=1'],
  ['a listed origin', `${app}/home?a=b#c`, `${app}/home?a=b#c`],
]

for (const [sentence, to, want] of returns) {
  test(`after a sign-in one is sent to ${sentence}, also on a way round by sign-up and errors`, async t => {
    const { browser, visitor } = await open(t, 'native', { origins: [app] })
    await enter(visitor)
    const other = visitorOf(await stranger(browser))
    const first = await other.go(`/sign-in?${new URLSearchParams({ return_to: to })}`)
    const link = /href="(\/sign-up\?[^"]*)"/.exec(first.html)?.[1]?.replaceAll('&amp;', '&')
    const up = await other.go(link as '/')
    const back = /href="(\/sign-in\?[^"]*)"/.exec(up.html)?.[1]?.replaceAll('&amp;', '&')
    const form = await other.go(back as '/')
    const wrong = await other.press(form, '/sign-in', { login: 'ada', password: 'wrong' })
    const [got] = (await other.press(wrong, '/sign-in', { login: 'ada', password })).hops
    assert.deepEqual([got?.status, got?.headers.location], [303, want])
    assert.match(String(got?.headers['cache-control']), /no-store/)
    // Signed in already: there is nothing to ask.
    const known = await other.go(`/sign-in?${new URLSearchParams({ return_to: to })}`)
    assert.deepEqual([known.hops[0]?.status, known.hops[0]?.headers.location], [303, want])
  })
}

const badReturns = [
  'https://evil.example',
  '//evil.example',
  '/\\evil.example',
  '/..//evil.example',
  'https://app.example.com@evil.example',
  'https://app.example.com.evil.example',
  'javascript:alert(1)',
  '/\t/evil.example',
  '/a\r\nSet-Cookie: x=y',
]

for (const to of badReturns) {
  test(`nobody is sent to ${JSON.stringify(to)}: the page says why, and nobody is signed in`, async t => {
    const { browser, visitor } = await open(t, 'native', { origins: [app] })
    await enter(visitor)
    const query = new URLSearchParams({ return_to: to }).toString()
    const strange = await stranger(browser)
    const body = new URLSearchParams({ login: 'ada', password, return_to: to }).toString()
    const form = 'application/x-www-form-urlencoded'
    const all = [
      await strange.submit(`GET /sign-in?${query}`, form, ''),
      await strange.submit(`GET /sign-up?${query}`, form, ''),
      await strange.submit('POST /sign-in', form, body),
      await browser.submit(`GET /sign-in?${query}`, form, ''),
      await browser.submit('POST /continue', form, query),
    ]
    for (const got of all) {
      assert.deepEqual([got.status, got.headers.location, got.set], [400, undefined, {}])
      assert.match(wordsOf({ html: got.text }), /You cannot be sent there .*origins/)
    }
  })
}

test('a session is ended from another one, all others at once, and each says so', async t => {
  const { browser, visitor } = await open(t)
  await enter(visitor)
  const others = [await stranger(browser), await stranger(browser), await stranger(browser)]
  for (const other of others) {
    const visit = visitorOf(other)
    await visit.press(await visit.go('/sign-in'), '/sign-in', { login: 'ada', password })
  }
  const alive = () => Promise.all(others.map(async other => (await other.call('GET /auth/session')).status))
  const account = await visitor.go('/account')
  assert.equal(account.html.match(/This browser/g)?.length, 1)
  assert.equal(formsOf(account.html).filter(({ action }) => action.endsWith('/end')).length, 3)

  const one = await visitor.press(account, '/end')
  assert.match(one.html, /role="status">That sign-in has ended\./)
  assert.equal((await alive()).filter(status => status === 401).length, 1)
  const gone = await visitor.press(account, '/end')
  assert.equal(gone.status, 404)
  assert.match(wordsOf(gone), /has already ended/)

  const rest = await visitor.press(one, '/end-others')
  assert.match(rest.html, /role="status">You are signed out everywhere else\./)
  assert.deepEqual(await alive(), [401, 401, 401])
  assert.ok(!rest.html.includes('/end-others'), 'there is nobody else')
  assert.doesNotMatch((await visitor.go('/account?done=%3Cb%3E')).html, /role="status"|<b>/)
})

test('a new password ends everything else, and a wrong one changes nothing', async t => {
  const { browser, visitor } = await open(t)
  await enter(visitor)
  const copy = browser.stolen()
  const form = await visitor.go('/account/password')
  assert.equal(formsOf(form.html)[0]?.fields.username, 'ada')
  const next = 'Thirteen red robins 13'
  const wrong = await visitor.press(form, '/account/password', { current: 'wrong', new: next })
  assert.equal(wrong.status, 403)
  assert.match(wordsOf(wrong), /Current password is wrong/)
  assert.equal(formsOf(wrong.html)[0]?.fields.username, 'ada')
  const weak = await visitor.press(wrong, '/account/password', { current: password, new: 'short' })
  assert.equal(weak.status, 422)
  assert.match(weak.html, /id="new"[^>]*aria-describedby="new-hint new-wrong" aria-invalid="true"/)
  const done = await visitor.press(weak, '/account/password', { current: password, new: next })
  assert.match(done.html, /role="status">Your password is changed/)
  assert.equal((await copy.call('GET /auth/session')).status, 401)
  assert.equal((await browser.call('GET /auth/session')).status, 200)
})

test('an action of somebody who is not known any more is not done, and the page says so', async t => {
  const { browser, visitor } = await open(t)
  await enter(visitor)
  const account = await visitor.go('/account')
  const form = await visitor.go('/account/password')
  browser.jar.drop('rusk_access')
  for (const [page, action, values] of [
    [form, '/account/password', { current: password, new: 'Thirteen red robins 13' }],
    [account, '/account/sign-out', {}],
  ] as const) {
    const got = await visitor.press(page, action, values)
    if (action === '/account/sign-out') assert.equal(got.at, '/signed-out')
    else assert.match(wordsOf(await visitor.press(got, '/continue')), /so nothing was done/)
  }
})

test('who is not known at all is asked to sign in, and comes back', async t => {
  const { browser, visitor } = await open(t)
  await enter(visitor)
  const other = visitorOf(await stranger(browser))
  const asked = await other.go('/account/password')
  assert.equal(asked.at, '/sign-in?return_to=%2Faccount%2Fpassword')
  assert.equal(asked.status, 200)
  const back = await other.press(asked, '/sign-in', { login: 'ada', password })
  assert.equal(back.at, '/account/password')
})

test('a sign-in that has ended leads to the form, never in a circle', async t => {
  const { browser, visitor } = await open(t)
  await enter(visitor)
  const copy = browser.stolen()
  await visitor.press(await visitor.go('/account'), '/sign-out')
  // The sign-in cookie stays after a sign-out; whoever wants to sign in is not asked to go on first.
  assert.match(wordsOf(await visitor.go('/sign-in')), /Sign in .*Password/)
  const left = visitorOf(copy)
  const asked = await left.press(await left.go('/account'), '/continue')
  assert.equal(asked.at, '/sign-in')
  const entering = await left.press(await left.go('/sign-in?return_to=/docs'), '/continue')
  assert.equal(entering.at, '/sign-in?return_to=%2Fdocs&rusk_again=2')
  assert.equal(formsOf(entering.html)[0]?.fields.return_to, '/docs')
})

test('a link on another site fills nothing into a form, on its own or after the step; one of this site may', async t => {
  const { browser } = await open(t)
  const link = '/sign-up?email=eve%40example.com&name=Ada'
  const foreign = await visitorOf(browser.tab('https://evil.example')).go(link)
  const there = /http-equiv="refresh" content="0;url=([^"]+)"/.exec(foreign.html)?.[1]
  assert.equal(there, '/sign-up?rusk_again=1')
  for (const page of [foreign, await visitorOf(browser).go(there as '/')])
    assert.doesNotMatch(page.html, /eve@example\.com|value="Ada"/)
  assert.match((await visitorOf(browser).go(link)).html, /value="eve@example\.com"/)
})

test('a link on another site reaches the account after one step, and strangers the form', async t => {
  const { browser } = await open(t)
  await enter(visitorOf(browser))
  const mail = browser.tab('https://mail.example')
  const first = await visitorOf(mail).go('/account')
  assert.equal(first.status, 200)
  const there = /http-equiv="refresh" content="0;url=([^"]+)"/.exec(first.html)?.[1]
  assert.equal(there, '/account?rusk_again=1')
  assert.ok(first.html.includes(`<a class="button" href="${there}">`))
  assert.match(wordsOf(await visitorOf(browser).go(there as '/')), /ada@example\.com/)
  // Even if a browser said "cross-site" again: no circle.
  const again = await visitorOf(mail).go(there as '/')
  assert.equal(again.at, '/sign-in')
})

test('no link on another site makes a page say what was not done', async t => {
  const rows = [
    ['native', 'https://mail.example'],
    ['fastapi', 'https://mail.example'],
  ] as const
  for (const [name, mail] of rows) {
    const { browser, visitor } = await open(t, name)
    await enter(visitor)
    const far = visitorOf(browser.tab(mail))
    for (const dropped of [[], [dialects[name].cookies.access?.name ?? '']]) {
      browser.jar.drop(...dropped)
      const first = await far.go('/account?done=password-changed')
      const step = /http-equiv="refresh" content="0;url=([^"]+)"/.exec(first.html)?.[1]
      const second = step === undefined ? first : await visitor.go(step.replaceAll('&amp;', '&') as '/')
      const last = formsOf(second.html).some(({ action }) => action === '/continue')
        ? await visitor.press(second, '/continue')
        : second
      assert.match(wordsOf(last), /ada@example\.com/)
      for (const page of [first, second, last]) assert.doesNotMatch(page.html, /role="status"/)
    }
  }
})

test('nobody is told of a sign-out that was none', async t => {
  const { browser, visitor } = await open(t)
  await enter(visitor)
  const own = await visitor.go('/signed-out')
  assert.deepEqual([own.at, /You are signed out/.test(own.html)], ['/account', false])
  const far = await visitorOf(browser.tab('https://mail.example')).go('/signed-out')
  assert.doesNotMatch(far.html, /You are signed out/)
  const step = /http-equiv="refresh" content="0;url=([^"]+)"/.exec(far.html)?.[1] ?? ''
  assert.equal((await visitor.go(step as '/')).at, '/account')
})

test('cookies that contradict each other on this path alone are told as such, and lead in no circle', async t => {
  const { browser, visitor } = await open(t)
  await enter(visitor)
  const other = visitorOf(await stranger(browser))
  const accessOf = () => `rusk_access=${browser.jar.get('rusk_access')?.value}`
  const own = accessOf()
  browser.jar.drop(...browser.jar.names())
  await visitor.press(await visitor.go('/sign-in'), '/sign-in', { login: 'ada', password })
  const cookie = `${own}; ${accessOf()}`
  browser.jar.drop(...browser.jar.names())
  const got = await browser.call('GET /account', { headers: { cookie } })
  assert.equal(got.status, 401)
  assert.match(wordsOf({ html: got.text }), /cookies that contradict each other/)
  assert.equal((await other.go('/account')).at, '/sign-in')
})

test('a password that somebody has put into a link is shown nowhere', async t => {
  const { visitor } = await open(t)
  const paths = [
    '/sign-in?login=ada&password=sesame-47&return_to=/account',
    '/sign-up?email=a@b.example&password=sesame-47',
    '/account/password?current=sesame-47&new=sesame-48',
    '/account?password=sesame-47',
  ] as const
  for (const path of paths) assert.doesNotMatch((await visitor.go(path)).html, /sesame/, path)
  await enter(visitor)
  for (const path of paths) assert.doesNotMatch((await visitor.go(path)).html, /sesame/, path)
})

test('where no cookie is Strict nobody is asked twice', async t => {
  const { browser } = await open(t, 'fastapi')
  const got = await visitorOf(browser.tab('https://mail.example')).go('/account')
  assert.equal(got.at, '/sign-in')
})

test('a form of another site signs nobody in, out or up', async t => {
  const { browser, visitor } = await open(t)
  await enter(visitor)
  const evil = browser.tab('https://evil.example')
  const form = 'application/x-www-form-urlencoded'
  const body = new URLSearchParams({ login: 'ada', password }).toString()
  for (const path of ['/sign-in', '/sign-up', '/account/sign-out', '/account/password', '/continue']) {
    const got = await evil.submit(`POST ${path as '/'}`, form, body)
    assert.deepEqual([got.status, got.set, got.headers.location], [403, {}, undefined], path)
    assert.match(wordsOf({ html: got.text }), /page of another site/)
  }
  assert.equal((await browser.call('GET /auth/session')).status, 200)
})

test('pages take forms alone, and each field once', async t => {
  const { browser } = await open(t)
  const form = 'application/x-www-form-urlencoded'
  const rows: [string, string, number][] = [
    ['application/json', '{"login":"ada","password":"x"}', 415],
    ['multipart/form-data; boundary=x', 'login=ada', 415],
    ['text/plain', 'login=ada', 415],
    [form, 'login=ada&login=eve&password=x', 400],
    [form, 'login=%FF&password=x', 400],
    [form, `login=ada&password=${'x'.repeat(70_000)}`, 413],
    [form, '__proto__=1&login=ada&password=x', 401],
  ]
  for (const [type, body, status] of rows) {
    const got = await browser.submit('POST /sign-in', type, body)
    assert.equal(got.status, status, body.slice(0, 40))
    assert.match(String(got.headers['content-type']), /^text\/html/)
  }
})

test('a front end that keeps its access token in memory can send its people to their account', async t => {
  const { browser, visitor } = await open(t)
  const { name: _, ...json } = { ...ada, delivery: 'memory' }
  assert.equal((await browser.call('POST /auth/sign-up', { json })).status, 201)
  const account = await visitor.press(await visitor.go('/account'), '/continue')
  assert.match(wordsOf(account), /ada@example\.com/)
})

test('what people are called is text, whatever it is made of', async t => {
  const { visitor } = await open(t)
  const page = await visitor.go('/sign-up')
  const hostile = { ...ada, name: '<img src=x onerror=alert(1)>"\'' }
  const account = await visitor.press(page, '/sign-up', hostile)
  assert.ok(account.html.includes('&lt;img src=x onerror=alert(1)&gt;&quot;&#39;'))
  assert.doesNotMatch(account.html, /<img src=x/)
})

test('nothing is inline, and every file is served with its type', async t => {
  const { browser, visitor } = await open(t)
  const pages = [await visitor.go('/sign-in'), await enter(visitor), await visitor.go('/account/password')]
  const files = new Set<string>()
  for (const { html } of pages) {
    assert.doesNotMatch(html, /<style|\sstyle="|\son\w+="|<script(?![^>]*\ssrc=)/)
    for (const [, href = ''] of html.matchAll(/(?:href|src)="([^"]*\/pages\/[^"]*)"/g)) files.add(href)
  }
  assert.equal(files.size, 4)
  for (const file of files) {
    const got = await browser.call(`GET ${file as '/'}`)
    assert.equal(got.status, 200, file)
    assert.match(
      String(got.headers['content-type']),
      /^(text\/css|text\/javascript|image\/svg\+xml); charset=utf-8$/,
    )
    assert.match(String(got.headers['cache-control']), /max-age=86400/)
    const fresh = await browser.call(`GET ${file as '/'}`, {
      headers: { 'if-none-match': String(got.headers.etag) },
    })
    assert.equal(fresh.status, 304)
  }
})

test('a prefix and a path of url stand before every address', async t => {
  const { browser } = await open(t, 'django', { prefix: '/v1', url: 'http://127.0.0.1:8000/auth' })
  const got = await browser.submit('GET /v1/api/sign-in', 'text/plain', '')
  assert.equal(got.status, 200)
  const addresses = [...got.text.matchAll(/(?:href|src|action)="([^"]*)"/g)].map(([, each]) => each)
  assert.ok(addresses.length > 4)
  for (const each of addresses) assert.match(each ?? '', /^\/auth\/v1\/api\//)
  assert.equal((await browser.call('GET /v1/api/pages/look.css')).status, 200)
})

const paths = ['/sign-in', '/sign-up', '/account', '/account/password', '/signed-out', '/pages/look.css']

test('switched off there is no page', async t => {
  const { browser } = await open(t, 'native', { pages: false })
  for (const path of paths) assert.equal((await browser.call(`GET ${path as '/'}`)).status, 404, path)
  assert.equal((await browser.call('POST /sign-in', { json: {} })).status, 404)
  assert.doesNotMatch((await browser.call('GET /')).text, /href="sign-in"/)
})

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'rusk-brand-'))
  t.after(() => rmSync(path, { recursive: true, force: true }))
  return path
}

test('a brand has a name, a logo and a style, and both files are served with their types', async t => {
  const at = folder(t)
  const logo = join(at, 'sign.svg')
  const style = join(at, 'ours.css')
  writeFileSync(logo, '<svg xmlns="http://www.w3.org/2000/svg"><title>x</title></svg>')
  writeFileSync(style, ':root { --accent: #064 }')
  const { browser, visitor } = await open(t, 'native', { brand: { name: 'Ovens & <Co>', logo, style } })
  const { html } = await visitor.go('/sign-in')
  assert.match(html, /<title>Sign in – Ovens &amp; &lt;Co&gt;<\/title>/)
  const styles = [...html.matchAll(/rel="stylesheet" href="([^"?]+)/g)].map(([, href]) => href)
  assert.deepEqual(styles, ['/pages/look.css', '/pages/page.css', '/pages/brand.css'])
  const [css, svg] = [await browser.call('GET /pages/brand.css'), await browser.call('GET /pages/logo.svg')]
  assert.deepEqual(
    [css.text, css.headers['content-type']],
    [':root { --accent: #064 }', 'text/css; charset=utf-8'],
  )
  assert.equal(svg.headers['content-type'], 'image/svg+xml; charset=utf-8')
  assert.match(String(svg.headers['content-security-policy']), /default-src 'none'.*sandbox/)
  for (const { headers } of [css, svg]) assert.equal(headers['x-content-type-options'], 'nosniff')
})

test('a brand that will not do is refused at start, every file by option and path', async t => {
  const at = folder(t)
  const write = (name: string, content: string | Uint8Array) => {
    writeFileSync(join(at, name), content)
    return join(at, name)
  }
  const made = join(at, 'f.css')
  mkdirSync(made)
  const rows: [string, { logo?: string; style?: string }, RegExp[]][] = [
    [
      'absent',
      { logo: join(at, 'no.svg'), style: join(at, 'no.css') },
      [/no\.svg is not there/, /no\.css is not there/],
    ],
    [
      'of another kind',
      { logo: write('a.gif', 'GIF89a'), style: write('a.txt', 'x') },
      [/a\.gif does not end in \.svg/, /a\.txt does not end in \.css/],
    ],
    ['not what its name says', { logo: write('b.png', 'GIF89a') }, [/b\.png is not what \.png says/]],
    ['no text', { style: write('c.css', Uint8Array.of(0xff, 0xfe)) }, [/c\.css is not what \.css says/]],
    ['no picture', { logo: write('d.svg', 'hello') }, [/d\.svg is not what \.svg says/]],
    ['too large', { style: write('e.css', ' '.repeat(256 * 1024 + 1)) }, [/e\.css is larger than 256 KiB/]],
    ['a folder', { logo: at, style: made }, [/does not end in/, /f\.css is not a file/]],
  ]
  for (const [sentence, brand, wrongs] of rows) {
    await assert.rejects(rusk({ database: 'sqlite::memory:', port: 0, brand }), (error: unknown) => {
      assert.ok(error instanceof Misuse, sentence)
      assert.deepEqual(
        error.findings.map(({ about }) => about),
        [...(brand.logo ? ['brand.logo'] : []), ...(brand.style ? ['brand.style'] : [])],
      )
      for (const [i, wrong] of wrongs.entries()) assert.match(error.findings[i]?.wrong ?? '', wrong)
      return true
    })
  }
})

const opening: readonly [sentence: string, headers: Record<string, string>, page: boolean][] = [
  ['somebody opens it', { accept: 'text/html,*/*;q=0.8', 'sec-fetch-dest': 'document' }, true],
  ['somebody opens it in an old browser', { accept: 'text/html,*/*;q=0.8' }, true],
  ['a script asks for it', { accept: '*/*', 'sec-fetch-dest': 'empty' }, false],
  ['a script asks for it as a page', { accept: 'text/html', 'sec-fetch-dest': 'empty' }, false],
  ['a program asks for it', { accept: '*/*' }, false],
]
for (const [sentence, headers, page] of opening) {
  test(`where nothing is, and ${sentence}: ${page ? 'a page' : 'a problem'} with 404`, async t => {
    const { port } = await open(t)
    for (const path of ['/sign-in/', '/account/nothing', '/auth/nothing', '/nothing?x=<script>']) {
      const answer = await fetch(`http://127.0.0.1:${port}${path}`, { headers })
      const type = page ? 'text/html; charset=utf-8' : 'application/problem+json'
      assert.deepEqual([answer.status, answer.headers.get('content-type')], [404, type], path)
      const text = await answer.text()
      assert.match(text, page ? /There is nothing at this address\./ : /"code":"not_found"/, path)
      assert.ok(!text.includes('<script>'), path)
      if (page) assert.match(answer.headers.get('content-security-policy') ?? '', /script-src 'nonce-/, path)
    }
  })
}

test('without pages everybody gets the problem', async t => {
  const { port } = await open(t, 'native', { pages: false })
  const answer = await fetch(`http://127.0.0.1:${port}/nothing`, { headers: { accept: 'text/html' } })
  assert.deepEqual([answer.status, answer.headers.get('content-type')], [404, 'application/problem+json'])
})
