// The rules of the house, each held against the house itself and proved on a small wrong one.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { circles, readImports, strayImports } from './imports.ts'
import { deadLinks, deadNames, deadQuotes, deadTests } from './links.ts'
import { type Lock, looseVersions, lostPlatforms, tiedToHosts, unjudgedScripts } from './lock.ts'
import { readTree, type Tree } from './tree.ts'
import { drawers, impureCore, silentFiles, unsaidWords, vagueNames } from './wording.ts'

const house = readTree(new URL('..', import.meta.url).pathname.replace(/\/$/, ''))

/** `readJson('package.json').x`, as any JSON is. */
const readJson = <Shape>(path: string): Shape => JSON.parse(house.get(path) ?? 'null')
const { allowScripts } = readJson<{ allowScripts: Record<string, boolean> }>('package.json')
const lock = readJson<Lock>('package-lock.json')

type Files = Record<string, string>
// [sentence, rule, a house that breaks it, what the rule says of that house]
const ofTrees: [string, (tree: Tree) => readonly string[], Files, string[]][] = [
  [
    'every published source belongs to a room, which imports only what its row allows',
    strayImports,
    {
      'server/src/core/a.ts': "import { hash } from 'node:crypto'\nimport { z } from 'zod'",
      'server/src/core/a.test.ts': "import { test } from 'node:test'",
      'server/src/crypto/b.ts':
        "import type { User } from '../core/model.ts'\nimport '@node-rs/argon2/errors'",
      'server/src/mailbox/a.ts': "import { x } from 'anything'",
      'beside/src/a.ts': '',
      'examples/a/app.ts': "import { x } from 'anything'",
      'server/src/http/c.ts': "import { DatabaseSync } from 'node:sqlite'\nimport http from 'node:http'",
      'server/src/http/d.ts': "export * from '../dialects/flask.ts'",
      'server/src/operations/e.ts':
        "import type { Store } from '../store/port.ts'\nconst x = import('../store/sqlite.ts')",
    },
    [
      'server/src/core/a.ts may not import node:crypto',
      'server/src/crypto/b.ts may not import server/src/core/model.ts',
      'server/src/mailbox/a.ts belongs to no room',
      'beside/src/a.ts belongs to no room',
      'server/src/http/c.ts may not import node:sqlite',
      'server/src/http/d.ts may not import server/src/dialects/flask.ts',
      'server/src/operations/e.ts may not import server/src/store/sqlite.ts',
    ],
  ],
  [
    'no imports go in a circle, not even those of types',
    circles,
    {
      'a/a.ts': "import { b } from './b.ts'",
      'a/b.ts': "import type { C } from '../c/c.ts'",
      'c/c.ts': "export type { A } from '../a/a.ts'",
      'c/d.ts': "import { A } from '../a/a.ts'",
    },
    ['a/a.ts → a/b.ts → c/c.ts → a/a.ts'],
  ],
  [
    'no file and no folder is a drawer',
    drawers,
    { 'server/src/utils.ts': '', 'a/lib/b.ts': '', 'a/helpers.test.ts': '', 'a/library.ts': '' },
    ['server/src/utils.ts', 'a/lib/b.ts', 'a/helpers.test.ts'],
  ],
  [
    'every source opens by saying in one to three lines what it is',
    silentFiles,
    {
      'server/src/a.ts': "import { b } from './b.ts'",
      'server/src/b.ts': '// Owns b.\n// Knows no a.\nexport const b = 1\n',
      'server/src/c.ts': '// 1\n// 2\n// 3\n// 4\n',
      'server/src/a.test.ts': "import { b } from './b.ts'",
    },
    ['server/src/a.ts', 'server/src/c.ts'],
  ],
  [
    'what decides has no clock, no chance and nothing to wait for',
    impureCore,
    {
      'server/src/core/a.ts': '// async is not for us\nexport const now = () => Date.now() + Math.random()',
      'server/src/store/b.ts': 'export const now = async () => Date.now()',
    },
    ['server/src/core/a.ts uses Date.now', 'server/src/core/a.ts uses Math.random'],
  ],
  [
    'exported names say what a thing is',
    vagueNames,
    {
      'server/src/a.ts': 'export class UserManager {}\nexport const serviceUrl = 1',
      'client/src/b.ts': 'export function RuskProvider() {}\nexport function OtherProvider() {}',
    },
    ['server/src/a.ts exports UserManager', 'client/src/b.ts exports OtherProvider'],
  ],
  [
    'what the manual points at is there',
    deadLinks,
    {
      'docs/a.md': '[b](b.md#top) [c](../c.ts) [out](https://x.example/d) `server/src/e.ts` `server/` `f.ts`',
      'c.ts': '',
      'server/src/g.ts': '',
    },
    ['docs/a.md → docs/b.md', 'docs/a.md → server/src/e.ts'],
  ],
  [
    'what comments point at is there',
    deadNames,
    {
      'docs/a.md': '',
      'server/src/core/b.ts': [
        '// docs/a.md explains it, docs/c.md does not; see core/b.ts, b.ts (d.ts) and server/src/core/.',
        "import { gone } from './gone.ts' // not/looked.at",
        '/**',
        ' * https://x.example/gone.md, `node:fs`, application/json, not `server/src/e/`.',
        ' */',
      ].join('\n'),
    },
    [
      'server/src/core/b.ts:1 → docs/c.md',
      'server/src/core/b.ts:1 → d.ts',
      'server/src/core/b.ts:4 → server/src/e/',
    ],
  ],
  [
    'the tests that the manual tells people to run are there',
    deadTests,
    {
      'a.md': [
        '`npm test -- races`',
        '`npm test -- races gone`',
        '`npm test -- races --test-name-pattern=wins`',
        '`npm test -- races --test-name-pattern=loses`',
      ].join(' '),
      'a/races.test.ts': "test('one wins')",
      'a/other.test.ts': "test('one loses')",
    },
    ['a.md → npm test -- gone', 'a.md → npm test -- --test-name-pattern=loses'],
  ],
  [
    'the tests that the manual names stand where it says',
    deadQuotes,
    {
      'a.md': '“one” and “two” in `server/test/a.test.ts`\n“so” they say in [b](docs/b.md)',
      'server/test/a.test.ts': "test('one', () => {})",
    },
    ['a.md → two'],
  ],
  [
    'nothing tells of the place where it was written or of work not done',
    unsaidWords,
    {
      'a.md': ['see /wo', 'rk/main and https://x.example/work/ and ./tmp/'].join(''),
      'b.ts': ['// TO', 'DO: later\n// fine\ntest', ".skip('x')"].join(''),
      'c.md': 'RFC 9110\nNUMBERS\nno JSON\n  TO_COME \nOK',
    },
    [
      'a.md:1 has a path of one machine',
      'b.ts:1 has something left to do',
      'b.ts:3 has a test that does not run',
      'c.md:2 has a placeholder',
      'c.md:4 has a placeholder',
    ],
  ],
]

for (const [rule, check, files, findings] of ofTrees) {
  test(rule, () => {
    assert.deepEqual(check(new Map(Object.entries(files))), findings, 'on the wrong house')
    assert.deepEqual(check(house), [], 'on this house')
  })
}

// [sentence, rule, a lock that breaks it, what the rule says of that lock]
const ofLocks: [string, (lock: Lock) => readonly string[], Lock['packages'], string[]][] = [
  [
    'every install script is allowed or denied by name',
    of => unjudgedScripts(of, allowScripts),
    { 'node_modules/a/node_modules/stranger': { hasInstallScript: true }, 'node_modules/b': {} },
    ['stranger'],
  ],
  [
    'the lock holds every platform',
    lostPlatforms,
    {
      'node_modules/a': { optionalDependencies: { 'a-linux': '1.0.0', 'a-darwin': '1.0.0', near: '1.0.0' } },
      'node_modules/a-linux': {},
      'node_modules/a/node_modules/near': {},
    },
    ['node_modules/a → a-darwin'],
  ],
  [
    'the lock names no host',
    tiedToHosts,
    {
      'node_modules/a': { resolved: 'https://packages.example/a.tgz' },
      'node_modules/b': { resolved: 'server', link: true },
    },
    ['node_modules/a'],
  ],
  [
    'our packages name one version of each dependency',
    looseVersions,
    {
      server: { dependencies: { a: '^1.0.0', b: '1.2.3-beta.4' } },
      'node_modules/a': { dependencies: { c: '*' } },
    },
    ['server → a ^1.0.0'],
  ],
]

for (const [rule, check, packages, findings] of ofLocks) {
  test(rule, () => {
    assert.deepEqual(check({ packages }), findings, 'on the wrong lock')
    assert.deepEqual(check(lock), [], 'on this lock')
  })
}

test('imports are found however they are written', () =>
  assert.deepEqual(
    readImports(
      [
        "import a, { b } from 'one'",
        "import {\n  c,\n  type D,\n} from './two.ts'",
        "import * as e from 'three'",
        "export type { F } from 'four'",
        "import 'five'",
        "type G = import('six').G",
        "const h = require.resolve('seven')",
        "export const from = 'none'",
      ].join('\n'),
    ).toSorted(),
    ['./two.ts', 'five', 'four', 'one', 'seven', 'six', 'three'],
  ))
