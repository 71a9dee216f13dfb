// What every dialect owes a session: a refresh token is sent once, sign-out is in force at once and never fails for want
// of a session, a refused refresh touches no cookie. Walked over a dialect's own calls and words.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Browser } from './browser.ts'
import { serve } from './serve.ts'
import { ask, bearer, enter, isCleared, isSet, open, says, signIn, type Wire } from './wire.ts'

const garbage = (browser: Browser, name: string, path: string) =>
  browser.jar.plant(browser.at, name, 'not-a-token', { path })

/** Wrong passwords and unknown people must look alike to the last byte. */
const unlike = ['x-request-id', 'date']

export function rotation(wire: Wire): void {
  const { names, cookies, noes, yes } = wire
  const refresh = (browser: Browser) => ask(browser, wire, wire.refresh)

  test('sign-in sets the cookies of the contract and no other attribute', async t => {
    const { browser } = await open(t, wire)
    const { signedIn } = await enter(browser, wire)
    if (names.access && cookies.access) isSet(signedIn.set[names.access], cookies.access)
    isSet(signedIn.set[names.refresh], cookies.refresh)
    isSet(signedIn.set[names.signIn], cookies.refresh)
  })

  test('neither a late sign-out answer nor a late refresh answer undoes a newer sign-in', async t => {
    for (const line of [wire.signOut, wire.refresh]) {
      const { browser } = await open(t, { ...wire, options: { ...wire.options, session: { grace: '1ms' } } })
      await enter(browser, wire)
      await sleep(5)
      // The same browser in another tab: its answer is on the way while this tab signs in again.
      const late = await ask(browser.stolen(), wire, line)
      assert.ok(late.status < 300)
      const { me } = await signIn(browser, wire)
      for (const { name, value, attributes } of Object.values(late.set)) {
        browser.jar.plant(browser.at, name, value, attributes)
      }
      await sleep(5)
      const again = await refresh(browser)
      assert.equal(again.status, 200, `${line}: ${again.text}`)
      assert.equal((await me()).status, 200)
    }
  })

  test('behind https every cookie is Secure', async t => {
    const at = 'https://auth.example.test'
    const options = { ...wire.options, url: at }
    const { browser } = await serve(t, wire.dialect, 'api', options, at)
    const secured = (name: string) => (wire.host ? `__Host-${name}` : name)
    const { signedIn, me } = await enter(browser, wire)
    for (const each of Object.values(signedIn.set)) assert.ok('secure' in each.attributes, each.name)
    isSet(signedIn.set[secured(names.refresh)], cookies.refresh, { secure: true })
    isSet(signedIn.set[secured(names.signIn)], cookies.refresh, { secure: true })
    assert.equal((await me()).status, 200)
    const out = await ask(browser, wire, wire.signOut)
    isCleared(out.set[secured(names.refresh)], cookies.refresh, { secure: true })
  })

  test('a wrong password and an unknown person are told apart by nothing', async t => {
    const { browser } = await open(t, wire)
    await enter(browser, wire)
    const stranger = browser.stolen()
    stranger.jar.drop(...(names.access ? [names.access] : []), names.refresh, names.signIn)
    const [login = ''] = Object.keys(wire.signIn.json)
    const tries = [
      { ...wire.signIn.json, password: 'not-the-password' },
      { ...wire.signIn.json, [login]: 'nobody@example.com' },
      { ...wire.signIn.json, [login]: 'nobody' },
    ]
    const gots = []
    for (const json of tries) gots.push(await ask(stranger, wire, wire.signIn.line, { json }))
    for (const got of gots) {
      says(got, noes.credentials)
      assert.deepEqual(got.set, {})
      assert.deepEqual(
        Object.keys(got.headers).filter(name => !unlike.includes(name)),
        Object.keys(gots[0]?.headers ?? {}).filter(name => !unlike.includes(name)),
      )
    }
  })

  test('who am I needs an access token, and a good one', async t => {
    const { browser } = await open(t, wire)
    says(await browser.call(wire.me), noes.notSignedIn)
    if (names.access) garbage(browser, names.access, '/')
    says(await browser.call(wire.me, { headers: wire.tokenOf ? bearer('x.y.z') : {} }), noes.badAccess)
  })

  test('a refresh token is no access token, nor the other way round', async t => {
    const { browser } = await open(t, wire)
    const { signedIn } = await enter(browser, wire)
    const refreshToken = browser.jar.get(names.refresh)?.value ?? ''
    const accessToken = wire.tokenOf?.(signedIn) ?? browser.jar.get(names.access ?? '')?.value ?? ''
    const swapped = browser.stolen()
    swapped.jar.drop(names.signIn)
    const put = (name: string, value: string, path: string) =>
      swapped.jar.plant(swapped.at, name, value, { path, httponly: '' })
    if (names.access) put(names.access, refreshToken, '/')
    put(names.refresh, accessToken, cookies.refresh.path)
    const headers = wire.tokenOf ? bearer(refreshToken) : {}
    says(await swapped.call(wire.me, { headers }), noes.badAccess)
    says(await refresh(swapped), noes.refreshBad)
  })

  test('a refresh soon after sign-in gives an access token and no refresh cookie', async t => {
    const { browser } = await open(t, wire)
    await enter(browser, wire)
    const got = await refresh(browser)
    assert.equal(got.status, 200, got.text)
    if (yes.refresh) assert.deepEqual(got.body, yes.refresh)
    assert.deepEqual(Object.keys(got.set), names.access ? [names.access] : [])
    if (names.access && cookies.access) isSet(got.set[names.access], cookies.access)
    if (wire.tokenOf)
      assert.equal((await browser.call(wire.me, { headers: bearer(wire.tokenOf(got)) })).status, 200)
  })

  test('after the grace one refresh gives a new refresh cookie, and the next within the grace none', async t => {
    const options = { ...wire.options, session: { grace: '60s' } }
    const { browser, pass } = await serve(t, wire.dialect, wire.page, options)
    const { signedIn } = await enter(browser, wire)
    pass(60_001)
    const changed = await refresh(browser)
    assert.equal(changed.status, 200, changed.text)
    isSet(changed.set[names.refresh], cookies.refresh)
    assert.notEqual(changed.set[names.refresh]?.value, signedIn.set[names.refresh]?.value)
    assert.equal(changed.set[names.signIn], undefined, 'the sign-in cookie is written by sign-in alone')
    const again = await refresh(browser)
    assert.deepEqual([again.status, again.set[names.refresh]], [200, undefined])
  })

  test('a refresh without a refresh cookie is refused and touches no cookie', async t => {
    const { browser } = await open(t, wire)
    await enter(browser, wire)
    browser.jar.drop(names.refresh, names.signIn)
    const got = await refresh(browser)
    says(got, noes.refreshMissing)
    assert.deepEqual(got.set, {})
  })

  test('a refresh with a bad refresh cookie is refused and touches no cookie', async t => {
    const { browser } = await open(t, wire)
    await enter(browser, wire)
    browser.jar.drop(names.refresh, names.signIn)
    garbage(browser, names.refresh, cookies.refresh.path)
    const got = await refresh(browser)
    says(got, noes.refreshBad)
    assert.deepEqual(got.set, {})
  })

  test('a left-over refresh cookie beside a good sign-in cookie does no harm', async t => {
    const { browser } = await open(t, wire)
    await enter(browser, wire)
    garbage(browser, names.refresh, cookies.refresh.path)
    assert.equal((await refresh(browser)).status, 200)
  })

  test('sign-out clears the token cookies, and the old ones are refused at once', async t => {
    const { browser } = await open(t, wire)
    const { me } = await enter(browser, wire)
    const thief = browser.stolen()
    const out = await ask(browser, wire, wire.signOut)
    says(out, yes.signOut)
    if (names.access && cookies.access) isCleared(out.set[names.access], cookies.access)
    isCleared(out.set[names.refresh], cookies.refresh)
    assert.equal(out.set[names.signIn], undefined, 'the sign-in cookie is never cleared')
    says(await me(thief), noes.revoked)
    const again = await refresh(thief)
    says(again, noes.refreshBad)
    assert.deepEqual(again.set, {})
    assert.equal((await me()).status, 401)
    says(await refresh(browser), noes.refreshMissing)
  })

  test('sign-out is fine when nobody is signed in, and twice', async t => {
    const { browser } = await open(t, wire)
    for (const _ of [1, 2]) {
      const out = await ask(browser, wire, wire.signOut)
      says(out, yes.signOut)
      if (names.access && cookies.access) isCleared(out.set[names.access], cookies.access)
      isCleared(out.set[names.refresh], cookies.refresh)
    }
  })

  test('a new sign-in ends the session before it in the same browser', async t => {
    const { browser } = await open(t, wire)
    const first = await enter(browser, wire)
    const before = browser.stolen()
    const second = await signIn(browser, wire)
    says(await first.me(before), noes.revoked)
    assert.equal((await second.me()).status, 200)
  })
}
