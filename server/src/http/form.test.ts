import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readForm, readFormBody, readQuery } from './form.ts'

const bytes = (text: string) => new TextEncoder().encode(text)

const rows: readonly [sentence: string, form: string, want: Record<string, string> | undefined][] = [
  ['fields by name', 'login=ada&password=x', { login: 'ada', password: 'x' }],
  ['nothing', '', {}],
  ['a plus is a space, %2B is a plus', 'a=1+1%2B1', { a: '1 1+1' }],
  ['characters of any length', 'a=%C3%A9%E2%82%AC%F0%9F%8D%9E', { a: 'é€🍞' }],
  ['only the first = parts name and value', 'a=b=c', { a: 'b=c' }],
  ['names are decoded too', 'a%20b=1', { 'a b': '1' }],
  ['an empty control says nothing', 'a=&b&c=1', { c: '1' }],
  ['empty pairs are nothing', '&a=1&&b=2&', { a: '1', b: '2' }],
  ['blanks are not trimmed: they may be a password', 'a=%20x%20', { a: ' x ' }],
  ['a line break stays one', 'a=x%0D%0Ay', { a: 'x\r\ny' }],
  ['a name twice is refused', 'a=1&a=2', undefined],
  ['also where one of them is empty', 'a=1&a=', undefined],
  ['also when it is spelt otherwise', 'a=1&%61=2', undefined],
  ['a lone percent sign is refused', 'a=100%', undefined],
  ['a percent sign without two digits is refused', 'a=%4', undefined],
  ['%u is no escape', 'a=%u0041', undefined],
  ['bytes that are not UTF-8 are refused', 'a=%FF', undefined],
  ['overlong spellings are refused', 'a=%C0%AF', undefined],
  ['half a surrogate pair is refused', 'a=%ED%A0%80', undefined],
  ['a hundred fields are taken', many(100), Object.fromEntries(list(100))],
  ['one more is too many', many(101), undefined],
  ['empty pairs do not count', `${'&'.repeat(200)}a=1`, { a: '1' }],
]

function list(count: number): [string, string][] {
  return Array.from({ length: count }, (_, i) => [`f${i}`, String(i)])
}

function many(count: number): string {
  return list(count)
    .map(pair => pair.join('='))
    .join('&')
}

for (const [sentence, form, want] of rows) test(sentence, () => assert.deepEqual(readForm(form), want))

test('__proto__ is an unknown field and pollutes nothing', () => {
  const fields = readForm('__proto__=x&constructor=y&a=1')
  assert.deepEqual(Object.keys(fields ?? {}), ['__proto__', 'constructor', 'a'])
  assert.equal(Object.getPrototypeOf(fields), Object.prototype)
  assert.equal(Reflect.get({}, 'x'), undefined)
})

test('reading takes no time that grows faster than the form', () => {
  const startedAt = process.cpuUsage()
  readForm('&'.repeat(65_536))
  readForm('='.repeat(65_536))
  readForm(`a=${'%41'.repeat(20_000)}`)
  readForm('%'.repeat(65_536))
  assert.ok(process.cpuUsage(startedAt).user / 1000 < 200)
})

const types: readonly [type: string | undefined, taken: boolean][] = [
  ['application/x-www-form-urlencoded', true],
  ['Application/X-WWW-Form-URLencoded', true],
  ['application/x-www-form-urlencoded; charset=utf-8', true],
  ['application/x-www-form-urlencoded;charset="UTF-8"', true],
  ['application/x-www-form-urlencoded; charset=latin1', false],
  ['application/x-www-form-urlencoded, application/x-www-form-urlencoded', false],
  ['application/json', false],
  ['multipart/form-data; boundary=x', false],
  ['text/plain', false],
  ['', false],
  [undefined, false],
]

for (const [type, taken] of types) {
  test(`a form of type ${type ?? 'unsaid'} is ${taken ? 'taken' : 'refused'}`, () => {
    const read = readFormBody(bytes('a=1'), type)
    assert.deepEqual(read, taken ? { fields: { a: '1' } } : { refusal: { refused: 'not_json' } })
  })
}

test('no body needs no type and has no fields', () => {
  assert.deepEqual(readFormBody(new Uint8Array(), undefined), { fields: {} })
})

const form = 'application/x-www-form-urlencoded'

test('raw bytes that are not UTF-8 are malformed, as is a broken query', () => {
  const malformed = { refusal: { refused: 'body_malformed' } }
  assert.deepEqual(readFormBody(Uint8Array.of(0x61, 0x3d, 0xff), form), malformed)
  assert.deepEqual(readFormBody(bytes('a=%'), form), malformed)
  assert.deepEqual(readQuery('a=%'), malformed)
})

test('too large and cut short are said apart', () => {
  assert.deepEqual(readFormBody('too_large', form), { refusal: { refused: 'body_too_large' } })
  assert.deepEqual(readFormBody('cut_short', form), { refusal: { refused: 'body_malformed' } })
})
