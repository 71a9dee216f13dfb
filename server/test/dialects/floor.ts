// What every dialect owes its front end and its users whatever its wire looks like: CORS, calls from foreign pages,
// bodies, unknown paths, headers. A dialect's own test names its calls and its wordings; the rules stand here once.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Got } from './browser.ts'
import { ask, enter, open, says, type Wire } from './wire.ts'

/** The first is of the API's own site, so that SameSite cookies come along, and yet nobody's front end. */
const foreignTo = (page: string): readonly string[] => [
  `http://${new URL(page).hostname}:6666`,
  'https://evil.example',
  `http://${new URL(page).hostname}.evil.example`,
]

const corsHeaders = (got: Got) => Object.keys(got.headers).filter(name => name.startsWith('access-control-'))

export function floor(wire: Wire): void {
  const { noes } = wire

  test('a listed page may call with credentials, and a browser remembers that for ten minutes', async t => {
    const { browser } = await open(t, wire)
    const preflight = await browser.preflight(wire.signIn.line, ['content-type', 'x-anything'])
    assert.deepEqual([preflight.status, preflight.blocked], [204, false])
    assert.equal(preflight.headers['access-control-max-age'], '600')
    assert.match(String(preflight.headers.vary), /\borigin\b/i)
    const me = await (await enter(browser, wire)).me()
    assert.deepEqual([me.status, me.blocked], [200, false])
    assert.equal(me.headers['access-control-allow-origin'], wire.page)
    assert.match(String(me.headers.vary), /\borigin\b/i)
  })

  test('refusals are readable by a listed page too', async t => {
    const { browser } = await open(t, wire)
    const got = await browser.call(wire.me)
    assert.deepEqual([got.status, got.blocked], [401, false])
  })

  for (const foreign of foreignTo(wire.page)) {
    test(`a page of ${foreign} reads nothing and is promised nothing`, async t => {
      const { browser } = await open(t, wire)
      await enter(browser, wire)
      const evil = browser.tab(foreign)
      const preflight = await evil.preflight(wire.signIn.line, ['content-type'])
      assert.deepEqual([preflight.blocked, corsHeaders(preflight)], [true, []])
      const me = await evil.call(wire.me)
      assert.deepEqual([me.blocked, corsHeaders(me)], [true, []])
    })

    test(`a page of ${foreign} can neither sign out nor sign in by a form or a simple call`, async t => {
      const { browser } = await open(t, wire)
      const { me } = await enter(browser, wire)
      const evil = browser.tab(foreign)
      for (const line of [wire.signOut, wire.refresh]) {
        const got = await evil.call(line)
        assert.deepEqual([got.status, got.body, got.set], [403, noes.foreign, {}])
      }
      for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data']) {
        const text = JSON.stringify(wire.signIn.json)
        for (const line of [wire.signOut, wire.signIn.line, wire.signUp.line]) {
          const got = await evil.submit(line, type, text)
          assert.deepEqual([got.status, got.set], [403, {}], `${line} as ${type}`)
        }
      }
      assert.equal((await me()).status, 200)
    })
  }

  test('without Origin and Fetch Metadata, as from curl, nothing stands in the way', async t => {
    const { browser } = await open(t, wire)
    const { me } = await enter(browser.tab(undefined), wire)
    assert.equal((await me()).status, 200)
  })

  test('a body that is not JSON is told so', async t => {
    const { browser } = await open(t, wire)
    const got = await ask(browser, wire, wire.signIn.line, {
      text: '{"password": "x',
      type: 'application/json',
    })
    assert.deepEqual([got.status, got.body, got.set], [...noes.malformed, {}])
  })

  test('a missing field is named', async t => {
    const { browser } = await open(t, wire)
    const { password: _, ...json } = wire.signIn.json
    says(await ask(browser, wire, wire.signIn.line, { json }), noes.missing)
  })

  test('a field of the wrong type is named, and its value is not repeated', async t => {
    const { browser } = await open(t, wire)
    const json = { ...wire.signIn.json, password: 4711474 }
    const got = await ask(browser, wire, wire.signIn.line, { json })
    assert.equal(got.status, noes.wrongType, got.text)
    assert.match(got.text, /password/)
    assert.doesNotMatch(got.text, /4711474/)
  })

  test('a body that is JSON but no object is refused', async t => {
    const { browser } = await open(t, wire)
    for (const json of [[], 'text', 7, null]) {
      const got = await ask(browser, wire, wire.signIn.line, { json })
      assert.equal(got.status, noes.wrongType, `${JSON.stringify(json)} ${got.text}`)
    }
  })

  test('unknown fields are ignored, whatever they ask for', async t => {
    const { browser } = await open(t, wire)
    const more = { is_superuser: true, superuser: true, active: false, id: 1, proto: { admin: true } }
    const text = JSON.stringify({ ...wire.signUp.json, ...more }).replace('"proto"', '"__proto__"')
    const got = await ask(browser, wire, wire.signUp.line, { text, type: 'application/json' })
    assert.ok(got.status < 300, got.text)
    assert.doesNotMatch(got.text, /superuser":true|active":false/)
  })

  test('only application/json is taken', async t => {
    const { browser } = await open(t, wire)
    const form = { text: JSON.stringify(wire.signIn.json), type: 'application/x-www-form-urlencoded' }
    assert.equal((await ask(browser, wire, wire.signIn.line, form)).status, 415)
  })

  test('more than 64 KiB is too much', async t => {
    const { browser } = await open(t, wire)
    const json = { ...wire.signIn.json, password: 'x'.repeat(70_000) }
    assert.equal((await ask(browser, wire, wire.signIn.line, { json })).status, 413)
  })

  test('an unknown path and a wrong method answer in the words of the framework', async t => {
    const { browser } = await open(t, wire)
    says(await browser.call('GET /nowhere-at-all'), [404, noes.notFound])
    const wrong = await browser.call(`GET /${wire.signIn.line.slice('POST /'.length)}`)
    says(wrong, [405, noes.method])
    assert.match(String(wrong.headers.allow), /POST/)
  })

  test('every answer, errors too, is kept out of caches, frames and sniffers', async t => {
    const { browser } = await open(t, wire)
    const { me } = await enter(browser, wire)
    for (const { headers } of [await me(), await browser.call('GET /nowhere-at-all')]) {
      assert.equal(headers['cache-control'], 'no-store')
      assert.equal(headers['x-content-type-options'], 'nosniff')
      assert.equal(headers['referrer-policy'], 'no-referrer')
      assert.match(String(headers['content-security-policy']), /default-src 'none'.*frame-ancestors 'none'/)
      assert.ok(headers['cross-origin-resource-policy'] && headers['permissions-policy'])
      assert.deepEqual([headers.server, headers['x-powered-by']], [undefined, undefined])
    }
  })

  test('the health check at the root answers in every dialect', async t => {
    const { browser } = await open(t, wire)
    says(await browser.call('GET /health'), [200, { status: 'healthy' }])
  })
}
