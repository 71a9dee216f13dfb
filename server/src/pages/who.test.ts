import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Seen } from '../http/shown.ts'
import type { Stage } from './frame.ts'
import { afterContinue, isUnknown, showUnknown } from './who.ts'

const stage: Stage = {
  brand: { name: 'Rusk', logo: undefined, style: undefined },
  base: '',
  styles: [],
  script: 'page.js',
  logo: 'icon.svg',
}

const stranger: Seen = {
  callId: 'c',
  nonce: 'n',
  fields: {},
  path: '/account',
  root: '',
  url: 'https://auth.example.com',
  listed: new Set(),
  came: { access: false, refresh: false, signIn: false },
  from: 'cross-site',
}

const carrying = { ...stranger.came, refresh: true }

type Row = readonly [sentence: string, seen: Partial<Seen>, want: string | RegExp, strict?: false]

const rows: readonly Row[] = [
  ['a link on another site, no cookie: ask again from here', {}, /0;url=\/account\?rusk_again=1"/],
  ['a browser that does not say where it comes from', { from: undefined }, /0;url=\/account\?rusk_again=1"/],
  [
    'with where it goes on to, and without what it would fill into a form',
    { fields: { email: 'eve@example.com', return_to: '/b&c' } },
    /0;url=\/account\?return_to=%2Fb%26c&amp;rusk_again=1"/,
  ],
  [
    'with its query, where nobody wrote it',
    { from: undefined, fields: { a: 'b&c' } },
    /0;url=\/account\?a=b%26c&amp;rusk_again=1"/,
  ],
  ['asked again already: nothing is left', { fields: { rusk_again: '1' } }, 'otherwise'],
  ['a word that we never said counts as asked', { fields: { rusk_again: 'x' } }, 'otherwise'],
  ['no cookie is Strict: they would have come', {}, 'otherwise', false],
  ['a page of this site', { from: 'same-origin' }, 'otherwise'],
  ['a sibling, whose links carry Strict cookies', { from: 'same-site' }, 'otherwise'],
  ['an address that was typed', { from: 'none' }, 'otherwise'],
  [
    'a refresh cookie came',
    { came: carrying },
    /data-at-once>\s*<input type="hidden" name="return_to" value="\/account">/,
  ],
  ['also after asking again', { came: carrying, fields: { rusk_again: '1' } }, /data-at-once/],
  ['went on already: nothing is left', { came: carrying, fields: { rusk_again: '2' } }, 'otherwise'],
  [
    'only a sign-in cookie came, and this page goes by refresh cookies',
    { came: { ...stranger.came, signIn: true } },
    'otherwise',
  ],
  [
    'an address too long to come back to',
    { came: carrying, fields: { return_to: 'x'.repeat(2000) } },
    'otherwise',
  ],
]

for (const [sentence, seen, want, strict = true] of rows) {
  test(sentence, () => {
    const trying = {
      strict,
      mayContinue: ({ refresh }: Seen['came']) => refresh,
      otherwise: () => ({ goTo: 'otherwise' }),
    }
    const shown = showUnknown(stage, { ...stranger, ...seen }, trying)
    if (want instanceof RegExp) {
      assert.ok('html' in shown)
      assert.equal(shown.status, 200)
      assert.match(shown.html.toString(), want)
    } else assert.deepEqual(shown, { goTo: want })
  })
}

test('what comes after going on is told in the address, on this host alone', () => {
  assert.equal(afterContinue('/account?rusk_again=1'), '/account?rusk_again=2')
  assert.equal(afterContinue('https://app.example.com/'), 'https://app.example.com/')
})

test('a throttle or an outage is no reason to ask who it is', () => {
  for (const code of ['throttled', 'unavailable', 'origin_refused', 'fault'] as const) {
    assert.equal(isUnknown(code), false)
  }
})
