import assert from 'node:assert/strict'
import { test } from 'node:test'
import { site } from '../../test/http/tiny.ts'
import { listOrigins } from './origins.ts'

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
