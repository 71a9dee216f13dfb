// Holds what a page carries of the client to its limits, and proves on entries that are too fat or smuggle that it would be
// noticed. How large each one is stands in the manual, which has a test of its own.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Entry, entries, tooMuch, weighAll } from './size.ts'

const weighed = await weighAll(entries)

for (const size of weighed) {
  test(`${size.entry.name} stays below its limit, and nothing is in it that nobody asked for`, () =>
    assert.deepEqual(tooMuch([size]), []))
}

const [core] = entries
assert.ok(core)

const grown = (more: string): Entry => ({ ...core, source: `${core.source}\n${more}` })

const smuggled: readonly [word: string, source: string][] = [
  ['django', "export { django } from './dialects.ts'"],
  ['csrftoken', 'export const name = /csrftoken=/'],
  ['react', "export { useMemo } from 'react'"],
  ['axios', "import axios from 'axios'\nexport const get = axios.get"],
  ['localStorage', 'export const keep = (token: string) => localStorage.setItem("t", token)'],
  [
    'sessionStorage',
    'export const keep = (token: string) => globalThis["sessionStorage"].setItem("t", token)',
  ],
  ['eval', 'export const run = (code: string) => (0, eval)(code)'],
  ['Function(', 'export const run = (code: string) => new Function(code)'],
  ['node:', "export { sep } from 'node:path'"],
  ['process', 'export const bare = process.env.NODE_ENV === "production" ? 1 : 2'],
  ['document.write', 'export const show = (text: string) => document.write(text)'],
  ['innerHTML', 'export const show = (text: string) => { document.body.innerHTML = text }'],
]

for (const [word, source] of smuggled) {
  test(`${word} in the core is noticed`, async () => {
    const findings = tooMuch(await weighAll([grown(source)]))
    assert.ok(findings.includes(`${core.name} has ${word} in it`), findings.join('\n'))
  })
}

test('an entry above its limit is noticed, at the byte', async () => {
  const [size] = weighed
  assert.ok(size)
  const held = (limit: number) => tooMuch([{ ...size, entry: { ...size.entry, limit } }])
  assert.deepEqual(held(size.gzip), [])
  assert.deepEqual(held(size.gzip - 1), [
    `${size.entry.name} weighs ${size.gzip} bytes; it may weigh ${size.gzip - 1}`,
  ])
})

test('what is beside the core does not carry it', () => {
  const carriers = weighed.filter(({ code }) => code.includes('/auth/session'))
  assert.deepEqual(
    carriers.map(({ entry }) => entry.name),
    ['`createClient`', 'all of `@rusk/client`'],
  )
})
