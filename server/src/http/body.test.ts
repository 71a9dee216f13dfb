import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readFields, readJson } from './body.ts'

const bytes = (text: string) => Buffer.from(text)
const nested = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`
const deep = (levels: number) => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`

const good: readonly [sentence: string, text: string, want: unknown][] = [
  ['an object', ' {"a": [1, {"b": null}], "c": "\\u00e9"} \n', { a: [1, { b: null }], c: 'é' }],
  ['one name in two objects', '{"a":{"x":1},"b":{"x":2},"x":3}', { a: { x: 1 }, b: { x: 2 }, x: 3 }],
  ['a value that is spelt as the name before it', '{"a":"a","b":"a"}', { a: 'a', b: 'a' }],
  ['quotes, colons and braces in strings', '{"a":"\\"a\\":{[","b":"\\\\"}', { a: '"a":{[', b: '\\' }],
  ['null', 'null', null],
  ['text beyond ASCII', '"ü€😀"', 'ü€😀'],
]

for (const [sentence, text, want] of good) {
  test(`JSON: ${sentence}`, () => assert.deepEqual(readJson(bytes(text)), { value: want }))
}

const bad: readonly [sentence: string, body: Uint8Array][] = [
  ['a name twice', bytes('{"email":"a","email":"b"}')],
  ['a name twice, further down', bytes('{"a":[{"b":1,"c":2,"b":3}]}')],
  ['a name twice by another spelling', bytes('{"a":1,"\\u0061":2}')],
  ['a name twice with space before the colon', bytes('{"a" \t:1,"a"\n:2}')],
  ['__proto__ twice', bytes('{"__proto__":1,"__proto__":2}')],
  ['33 levels', bytes(nested(33))],
  ['33 levels of objects', bytes(deep(33))],
  ['a byte order mark', Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), bytes('{}')])],
  ['invalid UTF-8', Buffer.from([0x22, 0xff, 0x22])],
  ['overlong UTF-8', Buffer.from([0x22, 0xc0, 0xaf, 0x22])],
  ['a surrogate in UTF-8', Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])],
  ['UTF-16', Buffer.from('{"a":1}', 'utf16le')],
  ['text after the end', bytes('{} {}')],
  ['a trailing comma', bytes('{"a":1,}')],
  ['single quotes', bytes("{'a':1}")],
  ['NaN', bytes('NaN')],
  ['a comment', bytes('{}//')],
  ['half of it', bytes('{"a":')],
]

for (const [sentence, body] of bad) {
  test(`not JSON as we take it: ${sentence}`, () => assert.equal(readJson(body), undefined))
}

test('32 levels are read', () => assert.ok(readJson(bytes(nested(32)))))

test('what would be slow is not', () => {
  const startedAt = process.cpuUsage()
  const keys = Array.from({ length: 9000 }, (_, i) => `"${i}":${i % 10}`).join()
  assert.ok(readJson(bytes(`{${keys}}`)))
  assert.equal(readJson(bytes('['.repeat(65_536))), undefined)
  assert.equal(readJson(bytes(nested(32_768))), undefined)
  assert.ok(readJson(bytes(`[${'1,'.repeat(32_000)}1]`)))
  assert.ok(readJson(bytes(JSON.stringify('\\"'.repeat(16_000)))))
  assert.ok(process.cpuUsage(startedAt).user / 1000 < 200)
})

test('__proto__ is an unknown field and pollutes nothing', () => {
  const read = readFields(
    bytes('{"__proto__":{"role":"admin"},"constructor":{"prototype":{"role":1}}}'),
    'application/json',
    true,
  )
  assert.ok('fields' in read)
  assert.deepEqual(Object.keys(read.fields), ['__proto__', 'constructor'])
  assert.equal(Reflect.get({}, 'role'), undefined)
})

const types: readonly [type: string | undefined, taken: boolean][] = [
  ['application/json', true],
  ['Application/JSON', true],
  ['application/json; charset=utf-8', true],
  ['application/json;charset=UTF-8', true],
  ['application/json; charset="utf-8"', true],
  ['application/json; charset=utf-16', false],
  ['application/json; charset=utf-7', false],
  ['application/json; charset=latin1', false],
  ['application/json; charset=utf-8; x=y', false],
  ['application/json, application/json', false],
  ['application/json, text/plain', false],
  ['text/plain, application/json', false],
  ['application/problem+json', false],
  ['application/jsonp', false],
  ['text/json', false],
  ['text/plain', false],
  ['text/plain; application/json', false],
  ['application/x-www-form-urlencoded', false],
  ['multipart/form-data; boundary=x', false],
  ['', false],
  [undefined, false],
]

for (const [type, taken] of types) {
  test(`a body of type ${type ?? 'unsaid'} is ${taken ? 'taken' : 'refused'}`, () => {
    const read = readFields(bytes('{"a":1}'), type, true)
    if (taken) assert.deepEqual(read, { fields: { a: 1 } })
    else assert.deepEqual(read, { refusal: { refused: 'not_json' } })
  })
}

test('no body needs no type and has no fields', () => {
  assert.deepEqual(readFields(new Uint8Array(), undefined, true), { fields: {} })
  assert.deepEqual(readFields(new Uint8Array(), 'text/plain', true), { fields: {} })
})

test('where nothing is taken a JSON body is read and ignored, any other is refused', () => {
  assert.deepEqual(readFields(bytes('{"a":1}'), 'application/json', false), { fields: {} })
  assert.deepEqual(readFields(bytes('a=1'), 'application/x-www-form-urlencoded', false), {
    refusal: { refused: 'not_json' },
  })
})

for (const text of ['[]', '1', '"a"', 'null', 'true']) {
  test(`${text} is JSON and no set of fields`, () => {
    const read = readFields(bytes(text), 'application/json', true)
    assert.ok('refusal' in read)
    assert.deepEqual([read.refusal.refused, read.refusal.issues?.[0]?.field], ['input_invalid', ''])
  })
}

test('too large and cut short are said apart', () => {
  assert.deepEqual(readFields('too_large', undefined, true), { refusal: { refused: 'body_too_large' } })
  assert.deepEqual(readFields('cut_short', undefined, true), { refusal: { refused: 'body_malformed' } })
})
