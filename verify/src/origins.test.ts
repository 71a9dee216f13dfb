import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isLoopback, readOrigin } from './origins.ts'

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
  ['no scheme', 'app.example', /Write https:\/\/app\.example,/],
  ['no scheme but a port', 'localhost:3000', /Write http:\/\/localhost:3000,/],
  ['upper case', 'https://App.Example', /Write https:\/\/app\.example$/],
  ['a default port', 'https://app.example:443', /Write https:\/\/app\.example$/],
  ['a person in it', 'https://me@app.example', /Write https:\/\/app\.example$/],
  ['letters beyond ASCII', 'https://bücher.example', /Write https:\/\/xn--bcher-kva\.example$/],
  ['every site', '*', /List each origin/],
  ['every site below one', 'https://*.example', /List each origin/],
  ['null', 'null', /Serve the page over http/],
  ['another scheme', 'ftp://app.example', /Write scheme, host and port/],
  ['nothing', '', /Write scheme, host and port/],
  ['space around it', ' https://app.example', /Write https:\/\/app\.example$/],
]

for (const [sentence, text, instead] of misspelt) {
  test(`an origin with ${sentence} is refused, and what to write is said`, () => {
    const read = readOrigin(text)
    assert.ok('instead' in read)
    assert.match(read.instead, instead)
  })
}

test('a wrong origin is said short, with nothing in it that a terminal obeys', () => {
  const read = readOrigin(`\u001b[2J${'a'.repeat(1000)}`)
  assert.ok('wrong' in read)
  assert.match(read.wrong, /^"\\u001b\[2Ja{1,80}…" is not an origin$/)
})

const hosts: readonly [hostname: string, isIt: boolean][] = [
  ['localhost', true],
  ['127.0.0.1', true],
  ['127.9.9.9', true],
  ['[::1]', true],
  ['::1', true],
  // Whoever answers for DNS says who that is, to a program that asks for keys there.
  ['auth.localhost', false],
  ['localhost.example', false],
  ['127.0.0.1.example', false],
  ['0.0.0.0', false],
  ['[::]', false],
  ['10.0.0.1', false],
  ['', false],
]

for (const [hostname, isIt] of hosts) {
  test(`${hostname === '' ? 'no host' : hostname} is ${isIt ? '' : 'not '}this machine`, () =>
    assert.equal(isLoopback(hostname), isIt))
}
