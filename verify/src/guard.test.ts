import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isDoublySubmitted, mayChange } from './guard.ts'

const listed = new Set(['https://app.example'])
const ask = (headers: Readonly<Record<string, string>>) => mayChange(name => headers[name], listed)

const sites = ['same-origin', 'none', 'same-site', 'cross-site', 'bogus', '', undefined] as const
const origins = ['https://app.example', 'https://evil.example', undefined] as const

/** By Sec-Fetch-Site, then by Origin listed, not listed, absent. */
const verdicts: Readonly<Record<string, readonly [boolean, boolean, boolean]>> = {
  'same-origin': [true, true, true],
  none: [true, false, false],
  'same-site': [true, false, false],
  'cross-site': [true, false, false],
  bogus: [true, false, false],
  '': [true, false, false],
  absent: [true, false, true],
}

for (const site of sites) {
  for (const [index, origin] of origins.entries()) {
    const want = verdicts[site ?? 'absent']?.[index]
    test(`Sec-Fetch-Site ${site ?? 'absent'}, Origin ${origin ?? 'absent'}: ${want ? 'go on' : 'refused'}`, () => {
      const headers = {
        ...(site === undefined ? {} : { 'sec-fetch-site': site }),
        ...(origin === undefined ? {} : { origin }),
      }
      assert.equal(ask(headers), want)
    })
  }
}

for (const origin of [
  'https://app.example.evil.test',
  'https://evilapp.example',
  'http://app.example',
  'https://app.example:8443',
  'https://app.example.',
  'https://APP.example',
  'https://app.example, https://evil.example',
  'https://app.example, https://app.example',
  'https://app.example/',
  'https://me@app.example',
  'https://appxexample',
  'https://sub.app.example',
  'https://аpp.example',
  'null',
  '',
  '*',
]) {
  test(`Origin "${origin}" is not https://app.example`, () => assert.equal(ask({ origin }), false))
}

const others: readonly [sentence: string, headers: Readonly<Record<string, string>>, want: boolean][] = [
  [
    'a call with Referer alone is refused: a browser lost its Origin',
    { referer: 'https://app.example/x' },
    false,
  ],
  ['a call with Sec-Fetch-Dest alone is refused', { 'sec-fetch-dest': 'empty' }, false],
  ['Sec-Fetch-Mode alone is what programs send', { 'sec-fetch-mode': 'cors' }, true],
  [
    'Referer counts for nothing beside a listed Origin',
    { origin: 'https://app.example', referer: 'https://evil/' },
    true,
  ],
  ['Sec-Fetch-Site that came twice is refused', { 'sec-fetch-site': 'same-origin, same-origin' }, false],
  [
    'Sec-Fetch-Site that came twice is refused beside a listed Origin too',
    { 'sec-fetch-site': 'cross-site, same-origin', origin: 'https://app.example' },
    false,
  ],
  [
    'Origin that came twice is refused beside same-origin too',
    { 'sec-fetch-site': 'same-origin', origin: 'a, b' },
    false,
  ],
  ['Sec-Fetch-Site in another case is not same-origin', { 'sec-fetch-site': 'Same-Origin' }, false],
]

for (const [sentence, headers, want] of others) test(sentence, () => assert.equal(ask(headers), want))

const submitted: readonly [
  sentence: string,
  header: string | undefined,
  cookies: readonly string[],
  want: boolean,
][] = [
  ['the same authentic token in both', 'ok1', ['ok1'], true],
  ['no header', undefined, ['ok1'], false],
  ['no cookie', 'ok1', [], false],
  ['two authentic tokens that differ', 'ok1', ['ok2'], false],
  ['the same invented token in both', 'bad', ['bad'], false],
  ['the header cut short', 'ok', ['ok1'], false],
  ['the header made longer', 'ok12', ['ok1'], false],
  ['the header in another case', 'OK1', ['ok1'], false],
  ['the header that came twice', 'ok1, ok1', ['ok1'], false],
  ['a left-over cookie beside the right one', 'ok1', ['left-over', 'ok1'], true],
  ['nothing in both', '', [''], false],
]

for (const [sentence, header, cookies, want] of submitted) {
  test(`double submit, ${sentence}: ${want ? 'go on' : 'refused'}`, () => {
    assert.equal(
      isDoublySubmitted(header, cookies, text => text.startsWith('ok')),
      want,
    )
  })
}
