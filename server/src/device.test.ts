import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type DeviceKind, readDevice } from './device.ts'

const mac = 'Macintosh; Intel Mac OS X 10_15_7'
const windows = 'Windows NT 10.0; Win64; x64'
const linux = 'X11; Linux x86_64'
const android = 'Linux; Android 10; K'
const iphone = 'iPhone; CPU iPhone OS 18_6 like Mac OS X'
const ipad = 'iPad; CPU OS 18_6 like Mac OS X'

const blink = (system: string, rest: string) =>
  `Mozilla/5.0 (${system}) AppleWebKit/537.36 (KHTML, like Gecko) ${rest}`
const webkit = (system: string, rest: string) =>
  `Mozilla/5.0 (${system}) AppleWebKit/605.1.15 (KHTML, like Gecko) ${rest}`
const gecko = (system: string) => `Mozilla/5.0 (${system}; rv:144.0) Gecko/20100101 Firefox/144.0`

const chrome = 'Chrome/141.0.0.0 Safari/537.36'
const mobileChrome = 'Chrome/141.0.0.0 Mobile Safari/537.36'
const onIphone = 'Mobile/15E148 Safari/604.1'

// [label, User-Agent, browser, system, kind]
const agents: [string, string, string | null, string | null, DeviceKind | null][] = [
  ['Chrome on Windows', blink(windows, chrome), 'Chrome', 'Windows', 'desktop'],
  ['Edge on Windows', blink(windows, `${chrome} Edg/141.0.0.0`), 'Edge', 'Windows', 'desktop'],
  ['Firefox on Windows', gecko(windows), 'Firefox', 'Windows', 'desktop'],
  ['Opera on Windows', blink(windows, `${chrome} OPR/124.0.0.0`), 'Opera', 'Windows', 'desktop'],
  ['Chrome on macOS', blink(mac, chrome), 'Chrome', 'macOS', 'desktop'],
  ['Edge on macOS', blink(mac, `${chrome} Edg/141.0.0.0`), 'Edge', 'macOS', 'desktop'],
  ['Safari on macOS', webkit(mac, 'Version/26.0 Safari/605.1.15'), 'Safari', 'macOS', 'desktop'],
  ['Firefox on macOS', gecko('Macintosh; Intel Mac OS X 10.15'), 'Firefox', 'macOS', 'desktop'],
  ['Chrome on Linux', blink(linux, chrome), 'Chrome', 'Linux', 'desktop'],
  ['Firefox on Linux', gecko('X11; Ubuntu; Linux x86_64'), 'Firefox', 'Linux', 'desktop'],
  ['Vivaldi on Linux', blink(linux, `${chrome} Vivaldi/7.6`), 'Vivaldi', 'Linux', 'desktop'],
  ['Chrome on ChromeOS', blink('X11; CrOS x86_64 14541.0.0', chrome), 'Chrome', 'ChromeOS', 'desktop'],
  ['Chrome on Android', blink(android, mobileChrome), 'Chrome', 'Android', 'mobile'],
  ['Chrome on Android', blink(android, chrome), 'Chrome', 'Android', 'tablet'],
  ['Edge on Android', blink(android, `${mobileChrome} EdgA/141.0.0.0`), 'Edge', 'Android', 'mobile'],
  ['Opera on Android', blink(android, `${mobileChrome} OPR/91.0.0.0`), 'Opera', 'Android', 'mobile'],
  [
    'Samsung Internet on Android',
    blink(android, `SamsungBrowser/28.0 ${mobileChrome}`),
    'Samsung Internet',
    'Android',
    'mobile',
  ],
  [
    'Firefox on Android',
    'Mozilla/5.0 (Android 15; Mobile; rv:144.0) Gecko/144.0 Firefox/144.0',
    'Firefox',
    'Android',
    'mobile',
  ],
  ['Safari on iPhone', webkit(iphone, `Version/26.0 ${onIphone}`), 'Safari', 'iOS', 'mobile'],
  ['Chrome on iPhone', webkit(iphone, `CriOS/141.0.7390.41 ${onIphone}`), 'Chrome', 'iOS', 'mobile'],
  ['Firefox on iPhone', webkit(iphone, `FxiOS/144.0 ${onIphone}`), 'Firefox', 'iOS', 'mobile'],
  ['Edge on iPhone', webkit(iphone, `Version/26.0 EdgiOS/141.0.0.0 ${onIphone}`), 'Edge', 'iOS', 'mobile'],
  ['Opera on iPhone', webkit(iphone, `Version/26.0 ${onIphone} OPT/6.1`), 'Opera', 'iOS', 'mobile'],
  ['Safari on iPad', webkit(ipad, `Version/26.0 ${onIphone}`), 'Safari', 'iOS', 'tablet'],
  ['Chrome on iPad', webkit(ipad, `CriOS/141.0.7390.41 ${onIphone}`), 'Chrome', 'iOS', 'tablet'],
  ['Firefox', gecko('X11; FreeBSD amd64'), 'Firefox', null, null],
  ['Googlebot', 'Mozilla/5.0 (compatible; Googlebot/2.1)', 'Googlebot', null, 'program'],
  ['curl', 'curl/8.16.0', 'curl', null, 'program'],
  ['Wget', 'Wget/1.25.0 (linux-gnu)', 'Wget', null, 'program'],
  ['Python', 'python-requests/2.32.5', 'Python', null, 'program'],
  ['Python', 'Python/3.13 aiohttp/3.12.15', 'Python', null, 'program'],
  ['Node.js', 'node', 'Node.js', null, 'program'],
  ['Postman', 'PostmanRuntime/7.49.0', 'Postman', null, 'program'],
  ['OkHttp', 'okhttp/5.1.0', 'OkHttp', null, 'program'],
  ['iPhone', 'OurApp/1.0 (iPhone; iOS 18.6; Scale/3.00)', null, 'iOS', 'mobile'],
  ['Windows', 'OurApp/1.0 (Windows NT 10.0)', null, 'Windows', 'desktop'],
]

for (const [label, userAgent, browser, system, kind] of agents) {
  test(`${label} is told from ${userAgent}`, () =>
    assert.deepEqual(readDevice(userAgent), { browser, system, kind, label }))
}

// [sentence, User-Agent]
const unknown: [string, string][] = [
  ['nothing', ''],
  ['a space', ' '],
  ['garbage', '\u0000\u001b[31m\u202e\ud800 €'],
  ['one letter over and over', 'A'.repeat(256)],
  ['a property that every object has', '__proto__'],
  ['a method that every object has', 'constructor'],
  ['such a property as a product', '__proto__/1.0 (x)'],
  ['such a method as a product', 'constructor/1.0 (x)'],
  ['a sentence for the reader', 'Your bank: call 555 0100 at once/1.0 (x)'],
  ['markup', '<script>alert(1)</script>/1.0 (x)'],
  ['the parser’s word for no name', 'Generic/1.0 (x)'],
  ['a program’s name that goes on', 'curlicue/1.0'],
  ['a program’s name with a control character behind it', 'curl\u0000/8.16.0'],
  ['a name that stands beyond what a session keeps', `${'A'.repeat(256)} Firefox/144.0 (Windows NT 10.0)`],
]

for (const [sentence, userAgent] of unknown) {
  test(`${sentence} is an unknown device`, () =>
    assert.deepEqual(readDevice(userAgent), {
      browser: null,
      system: null,
      kind: null,
      label: 'Unknown device',
    }))
}

test('whatever is put into a User-Agent, none of it comes out', () => {
  const words = agents.flatMap(([, userAgent]) => userAgent.split(/(?<=[ /;()])/))
  const mark = '§'
  const pieces = fc.array(fc.oneof(fc.constantFrom(...words), fc.constantFrom(mark, '/', ' (', ')', '\t')))
  fc.assert(
    fc.property(pieces, fc.string({ unit: 'binary' }), (parts, odd) => {
      const { browser, system, kind, label } = readDevice([...parts, odd].join(''))
      assert.doesNotMatch([browser, system, kind].join(' '), /[^\w .-]/)
      assert.match(label, /^[\w .-]{1,60}$/)
    }),
    { numRuns: 2000 },
  )
})
