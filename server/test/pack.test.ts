// What is published, tried as a stranger would: packed, installed into an empty folder, started under the oldest Node that
// is promised and under the pinned one, imported, required, and compiled against.
import assert from 'node:assert/strict'
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const root = fileURLToPath(new URL('../..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'rusk-pack-'))
const installed = join(folder, 'node_modules/rusk')

/** What a new terminal has: npm tells the programs it runs about itself, and another npm would believe it. */
const env = Object.fromEntries(
  Object.entries(process.env).filter(
    ([name]) => !/^(npm_(package|lifecycle|config_local_prefix)|NODE_|RUSK_)/.test(name),
  ),
)
const run = async (command: string, args: readonly string[], cwd = folder): Promise<string> =>
  (await promisify(execFile)(command, [...args], { cwd, env, maxBuffer: 1 << 26 })).stdout

/** The npm package that holds Node's program itself for this machine. */
const nodePackage = (): string => {
  const { platform, arch } = process
  const prefix = platform === 'darwin' && arch === 'arm64' ? 'node-bin' : 'node'
  return `${prefix}-${platform === 'win32' ? 'win' : platform}-${arch}`
}

// [name, program, what it says it is]
const nodes: readonly [string, string, RegExp][] = [
  ['Node 24', join(folder, 'node_modules', nodePackage(), 'bin/node'), /^v24\./],
  ['the pinned Node', process.execPath, /^v26\.10\.0$/m],
]

type Tarball = { readonly filename: string; readonly files: readonly { readonly path: string }[] }

async function pack(name: string): Promise<Tarball> {
  const report = await run('npm', ['pack', '--json', '--pack-destination', folder, join(root, name, 'dist')])
  const [tarball]: [Tarball] = JSON.parse(report)
  return tarball
}

let packed: readonly string[] = []
let packedClient: readonly string[] = []
let packedVerify: readonly string[] = []

before(async () => {
  await run(process.execPath, [join(root, 'tools/build.ts')], root)
  const [server, client, verify] = [await pack('server'), await pack('client'), await pack('verify')]
  packed = server.files.map(file => file.path)
  packedClient = client.files.map(file => file.path)
  packedVerify = verify.files.map(file => file.path)
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, type: 'commonjs' }))
  const tarballs = [server, client, verify].map(({ filename }) => `./${filename}`)
  await run('npm', ['install', '--no-audit', '--no-fund', ...tarballs, `${nodePackage()}@24`])
})

after(() => rmSync(folder, { recursive: true, force: true }))

const isStray = (path: string): boolean => /(?<!\.d)\.ts$|\.test\.|node_modules|\.tsbuildinfo$/.test(path)

test('the tarball holds what runs, its types and licences, and nothing of the workspace', () => {
  assert.deepEqual(packed.filter(isStray), [])
  for (const path of ['index.js', 'index.d.ts', 'cli.js', 'bin/rusk.js', 'LICENSE']) {
    assert.ok(packed.includes(path), path)
  }
  const manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'))
  assert.equal(manifest.engines.node, '>=24')
  assert.equal(manifest.devDependencies, undefined)
})

/** Resolves with the address once the child says that it listens. Rejects with what it wrote if it ends before. */
async function listening(child: ChildProcess): Promise<string> {
  let written = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      written += text
    })
  }
  const ended = once(child, 'exit')
  for (;;) {
    const url = /rusk listening on (http:\S+)/.exec(written)?.[1]
    if (url !== undefined) return url
    assert.equal(child.exitCode, null, written)
    assert.ok(child.stdout)
    await Promise.race([once(child.stdout, 'data'), ended])
  }
}

for (const [name, node, version] of nodes) {
  test(`${name} serves it`, { timeout: 60_000 }, async () => {
    const cwd = join(folder, name.replaceAll(' ', '-'))
    mkdirSync(cwd)
    const child = spawn(node, [join(installed, 'bin/rusk.js'), 'serve', '--port', '0'], {
      cwd,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const exit = once(child, 'exit')
    try {
      const warnings: string[] = []
      child.stderr.on('data', text => warnings.push(String(text)))
      const url = await listening(child)
      const signUp = await fetch(`${url}/auth/sign-up`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', origin: url },
        body: JSON.stringify({ email: 'ada@example.com', password: 'twelve blue herons' }),
      })
      assert.equal(signUp.status, 201, await signUp.text())
      for (const path of ['/health', '/docs', '/docs/swagger-ui.js', '/redoc/redoc.js', '/']) {
        assert.equal((await fetch(url + path)).status, 200, path)
      }
      assert.doesNotMatch(warnings.join(''), /Warning/)
    } finally {
      child.kill('SIGTERM')
    }
    assert.deepEqual(await exit, [0, null])
  })

  test(`${name} imports and requires it`, async () => {
    assert.match(await run(node, ['--version']), version)
    const use =
      "rusk({ database: 'sqlite::memory:' }).then(auth => auth.close()).then(() => console.log('closed'))"
    const required = await run(node, ['-e', `const { rusk } = require('rusk'); ${use}`])
    const imported = await run(node, ['--input-type=module', '-e', `import { rusk } from 'rusk'; ${use}`])
    assert.match(required, /closed\n$/)
    assert.match(imported, /closed\n$/)
  })
}

test('the version is the package’s wherever it is told', async () => {
  const { version } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'))
  assert.equal((await run(process.execPath, [join(installed, 'bin/rusk.js'), '--version'])).trim(), version)
})

const compile = (file: string): Promise<string> => {
  const flags = ['--noEmit', '--strict', '--skipLibCheck', '--module', 'nodenext', '--lib', 'es2024,dom']
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  return run(process.execPath, [tsc, ...flags, '--types', '', file])
}

test('a strict consumer compiles against its types, and they say something', async () => {
  const consumer = [
    "import { type Options, rusk } from 'rusk'",
    "const options: Options = { database: 'sqlite::memory:', session: { grace: '2m' } }",
    'const auth = await rusk(options)',
    "const answer: Response = await auth.fetch(new Request('http://localhost/auth/session'))",
    'const email: string | undefined = (await auth.session(new Request(answer.url)))?.user.email',
    '// @ts-expect-error: an option that there is not',
    'await rusk({ databas: email })',
    '// @ts-expect-error: not just anything',
    'const wrong: number = auth',
    'console.log(wrong)',
  ]
  writeFileSync(join(folder, 'consumer.mts'), consumer.join('\n'))
  await compile('consumer.mts')
})

for (const [name, files] of [
  ['client', () => packedClient],
  ['verify', () => packedVerify],
] as const) {
  test(`the tarball of ${name} holds every entry with its types, and no dependency`, () => {
    assert.deepEqual(files().filter(isStray), [])
    const path = join(folder, 'node_modules/@rusk', name, 'package.json')
    const manifest = JSON.parse(readFileSync(path, 'utf8'))
    assert.equal(manifest.dependencies, undefined)
    assert.equal(manifest.devDependencies, undefined)
    assert.ok(files().includes('README.md'))
    for (const [entry, paths] of Object.entries<Record<string, string> | string>(manifest.exports)) {
      for (const path of typeof paths === 'string' ? [paths] : Object.values(paths)) {
        assert.ok(files().includes(path.replace('./', '')), `${entry}: ${path}`)
      }
    }
  })
}

test('the client is imported where there is no browser, and holds nothing open', async () => {
  const use =
    "import { createClient } from '@rusk/client'; import { django } from '@rusk/client/dialects'; " +
    "console.log(createClient({ baseUrl: 'https://auth.example.com', dialect: django }).state.status)"
  assert.equal(await run(process.execPath, ['--input-type=module', '-e', use]), 'unknown\n')
})

test('a strict consumer of the client is told of the user of its dialect', async () => {
  const consumer = [
    "import { createClient, type Client } from '@rusk/client'",
    "import { django } from '@rusk/client/dialects'",
    "const native = createClient({ delivery: 'memory' })",
    "const name: string | null = (await native.signIn({ login: 'ada', password: 'x' })).name",
    'const numbered = createClient({ dialect: django })',
    "const id: number = (await numbered.signIn({ login: 'ada', password: 'x' })).id",
    '// @ts-expect-error: in that dialect ids are numbers',
    'const text: string = (await numbered.session())?.id',
    '// @ts-expect-error: an option that there is not',
    'createClient({ baseURL: name ?? text })',
    'export const either: readonly Client<unknown>[] = [native, numbered]',
    'console.log(id)',
  ]
  writeFileSync(join(folder, 'page.mts'), consumer.join('\n'))
  await compile('page.mts')
})

for (const [name, node] of nodes) {
  test(`${name} imports and requires the verifier, and it holds nothing open before it is asked`, async () => {
    const use = `
      const verifier = createVerifier({ issuer: 'https://auth.example.com', revocation: 'none' })
      verifier.check({ headers: {} }).then(verdict => console.log(verdict.rejected))`
    const required = await run(node, ['-e', `const { createVerifier } = require('@rusk/verify'); ${use}`])
    const imported = await run(node, [
      '--input-type=module',
      '-e',
      `import { createVerifier } from '@rusk/verify'; ${use}`,
    ])
    assert.equal(required, 'not_signed_in\n')
    assert.equal(imported, required)
  })
}

test('a strict consumer of the verifier is told what a verdict is', async () => {
  const consumer = [
    "import { createVerifier, type Reason, respond } from '@rusk/verify'",
    "import { signedIn } from '@rusk/verify/express'",
    "const verifier = createVerifier({ issuer: 'https://auth.example.com', revocation: 'none' })",
    "const verdict = await verifier.check(new Request('https://chat.example.com'))",
    "if ('rejected' in verdict) {",
    '  const why: Reason = verdict.rejected',
    '  const answer: Response = respond(verdict)',
    '  console.log(why, answer)',
    '} else {',
    '  const who: string = verdict.verified.sub',
    '  // @ts-expect-error: a claim of a dialect may be anything',
    '  const number: number = verdict.verified.user_id',
    '  console.log(who, number)',
    '}',
    '// @ts-expect-error: an option that there is not',
    "createVerifier({ issuer: 'https://auth.example.com', revocations: 'none' })",
    'export const before = signedIn(verifier)',
  ]
  writeFileSync(join(folder, 'service.mts'), consumer.join('\n'))
  await compile('service.mts')
})
