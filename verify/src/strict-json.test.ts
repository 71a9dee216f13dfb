import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readJson, readJsonObject } from './strict-json.ts'

const read = (text: string) => readJsonObject(Buffer.from(text))

// [sentence, text]
const objects: [string, string][] = [
  ['an empty one', '{}'],
  ['white space around and inside', ' {\n"a" :\t1 , "b": [ ] }\r'],
  ['one name in two objects', '{"a":{"b":1},"c":{"b":2},"b":3}'],
  ['a name that is also a value', '{"a":"b","b":"a"}'],
  ['a value with a colon', '{"a":"b\\":","b":"\\\\"}'],
  ['names in brackets', '{"a":["a","a",{"a":["a"]}]}'],
  ['a name that is a prototype', '{"__proto__":1,"constructor":2}'],
]
for (const [what, text] of objects) {
  test(`an object is read: ${what}`, () => assert.deepEqual(read(text), JSON.parse(text)))
}

const others: [string, string | Uint8Array][] = [
  ['nothing', ''],
  ['an array', '[]'],
  ['a string', '"a"'],
  ['a number', '1'],
  ['null', 'null'],
  ['two objects', '{}{}'],
  ['a comment', '{}//'],
  ['a trailing comma', '{"a":1,}'],
  ['NaN', '{"a":NaN}'],
  ['a byte order mark', '\ufeff{}'],
  ['a member twice', '{"a":1,"a":1}'],
  ['a member twice with others between', '{"a":1,"b":{"c":[1,{"d":2}]},"a":2}'],
  ['a member twice, once escaped', '{"a":1,"\\u0061":2}'],
  ['a member twice, further down', '{"a":[{"b":1,"c":"}","b":2}]}'],
  ['a member twice after a string of quotes', '{"a":"\\"\\\\","a":2}'],
  ['the prototype twice', '{"__proto__":1,"__proto__":2}'],
  ['the empty name twice', '{"":1,"":2}'],
  ['not UTF-8', Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d)],
  ['an overlong form', Uint8Array.of(0x7b, 0x22, 0xc1, 0xa1, 0x22, 0x3a, 0x31, 0x7d)],
  ['UTF-16', Buffer.from('{}', 'utf16le')],
]
for (const [what, bytes] of others) {
  test(`no object: ${what}`, () => assert.equal(readJsonObject(Buffer.from(bytes)), undefined))
}

test('what is deeply nested is an ordinary answer', () => {
  assert.ok(read(`{"a":${'['.repeat(4000)}${']'.repeat(4000)}}`))
  assert.equal(read('['.repeat(8192)), undefined)
})

// [sentence, text, the most brackets that may be open]
const bounded: readonly [string, string, number][] = [
  ['objects', '{"a":{"b":{}}}', 3],
  ['lists', '[[],[[]],[]]', 3],
  ['one in the other', '{"a":[{"b":1}]}', 3],
  ['brackets in strings', '{"[[[{":"}]{[\\"[["}', 1],
]
for (const [what, text, deepest] of bounded) {
  test(`nesting is counted: ${what}`, () => {
    assert.deepEqual(readJson(Buffer.from(text), deepest), { value: JSON.parse(text) })
    assert.equal(readJson(Buffer.from(text), deepest - 1), undefined)
  })
}

test('any value is read, and null is one', () => {
  for (const text of ['null', '1', '"a"', '[]', 'false'])
    assert.deepEqual(readJson(Buffer.from(text), 1), { value: JSON.parse(text) })
})

for (const [what, bytes] of others.slice(5)) {
  test(`not JSON as we take it: ${what}`, () => assert.equal(readJson(Buffer.from(bytes), 32), undefined))
}

test('whatever JSON.stringify writes is read as it was, and its names doubled is not', () =>
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue(), { minKeys: 1 }), object => {
      const json = JSON.stringify(object)
      assert.deepEqual(read(json), JSON.parse(json))
      assert.equal(read(`${json.slice(0, -1)},${json.slice(1)}`), undefined)
    }),
  ))

test('no bytes make it throw', () =>
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), bytes => {
      readJsonObject(bytes)
    }),
  ))
