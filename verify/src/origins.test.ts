import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readOrigin } from './origins.ts'

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
