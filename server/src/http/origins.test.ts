import assert from 'node:assert/strict'
import { test } from 'node:test'
import { site } from '../../test/http/tiny.ts'
import { listOrigins, readOrigin } from './origins.ts'

for (const origin of [
  'https://app.example',
  'http://localhost:3000',
  'http://[::1]:3000',
  'https://xn--bcher-kva.example',
]) {
  test(`${origin} is an origin`, () => assert.deepEqual(readOrigin(origin), { origin }))
}

const misspelt: readonly [sentence: string, text: string, instead: RegExp][] = [
  ['a path', 'https://app.example/x', /Write https:\/\/app\.example$/],
  ['a trailing slash', 'https://app.example/', /Write https:\/\/app\.example$/],
  ['no scheme', 'app.example', /Write https:\/\/app\.example or http:\/\/app\.example$/],
  ['no scheme but a port', 'localhost:3000', /Write https:\/\/localhost:3000 or http:\/\/localhost:3000$/],
  ['upper case', 'https://App.Example', /Write https:\/\/app\.example$/],
  ['a default port', 'https://app.example:443', /Write https:\/\/app\.example$/],
  ['a person in it', 'https://me@app.example', /Write https:\/\/app\.example$/],
  ['letters beyond ASCII', 'https://bücher.example', /Write https:\/\/xn--bcher-kva\.example$/],
  ['every site', '*', /Write each origin out/],
  ['every site below one', 'https://*.example', /Write each origin out/],
  ['null', 'null', /Write each origin out/],
  ['another scheme', 'ftp://app.example', /Write each origin out/],
  ['nothing', '', /Write each origin out/],
  ['space around it', ' https://app.example', /Write https:\/\/app\.example$/],
]

for (const [sentence, text, instead] of misspelt) {
  test(`an origin with ${sentence} is refused, and what to write is said`, () => {
    const read = readOrigin(text)
    assert.ok('instead' in read)
    assert.match(read.instead, instead)
  })
}

const lists = { origins: ['https://a.example'] }
const keeps = { ...lists, keepsOrigins: true } as const
const own = 'http://127.0.0.1:8000'
const developing = { ...site, environment: 'development' } as const
const production = { ...site, environment: 'production' } as const
const named = ['https://b.example']
// [sentence, the site, the dialect, who is listed]
const listings: [string, typeof site, typeof lists, string[]][] = [
  ['the origin of url and the dialect’s own are listed', developing, lists, [own, 'https://a.example']],
  ['the operator’s take their place', { ...developing, origins: named }, lists, [own, 'https://b.example']],
  [
    'or stand beside them, where the original has it so',
    { ...developing, origins: named },
    keeps,
    [own, 'https://b.example', 'https://a.example'],
  ],
  ['in production a dialect lists nobody', production, lists, [own]],
  [
    'in production the operator’s alone are listed',
    { ...production, origins: named },
    keeps,
    [own, 'https://b.example'],
  ],
]
for (const [sentence, given, dialect, want] of listings) {
  test(sentence, () => assert.deepEqual([...listOrigins(given, [dialect])], want))
}
