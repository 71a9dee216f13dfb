// The shell lines of README.md, run by a real shell with the real curl against both programs, exactly as they stand but for
// the ports.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { serve } from '../../server/test/serving.ts'
import { until } from './running.ts'

const here = fileURLToPath(new URL('.', import.meta.url))
const readme = await readFile(join(here, 'README.md'), 'utf8')
const blocks = [...readme.matchAll(/^```sh\n(.*?)^```/gms)].map(([, block = '']) => block)
const { scripts }: { scripts: Record<string, string> } = JSON.parse(
  await readFile(join(here, 'package.json'), 'utf8'),
)
const shared = 'the same here and there, thirty-two bytes or more'

type Running = {
  readonly child: ChildProcess
  readonly out: () => string
  readonly gone: Promise<unknown>
}

function run(
  t: TestContext,
  command: string,
  args: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>> = {},
): Running {
  // A group of its own: what a shell has started is ended with it.
  const child = spawn(command, args, { cwd, detached: true, env: { PATH: process.env.PATH ?? '', ...env } })
  let out = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      out += text
    })
  }
  const gone = once(child, 'exit')
  t.after(async () => {
    if (child.pid && child.exitCode === null && child.signalCode === null) process.kill(-child.pid, 'SIGTERM')
    await gone
  })
  return { child, out: () => out, gone }
}

test('the commands that start things are scripts of the example, with settings that it has', async () => {
  const started = blocks.flatMap(block => block.split('\n')).filter(line => line.includes('npm '))
  assert.deepEqual(started, [
    'npm run rusk -w examples/chat-service',
    'npm start -w examples/chat-service',
    'npm run page -w examples/chat-service',
    `JWT_SECRET_KEY='${shared}' npm run rusk -w examples/chat-service`,
    `JWT_SECRET_KEY='${shared}' npm start -w examples/chat-service`,
  ])
  assert.deepEqual(scripts, {
    start: 'node --env-file=service.env app.ts',
    rusk: 'rusk serve --env-file rusk.env',
    page: 'node --env-file=service.env page.ts',
  })
})

for (const [which, env] of [
  ['the key set', {}],
  ['the shared key', { JWT_SECRET_KEY: shared }],
] as const) {
  test(`by ${which} the lines sign up, talk, listen and are refused after sign-out`, async t => {
    const folder = await mkdtemp(join(tmpdir(), 'rusk-chat-readme-'))
    t.after(() => rm(folder, { recursive: true, force: true }))
    const rusk = await serve({ args: ['--env-file', join(here, 'rusk.env')], cwd: folder, env })
    t.after(() => rusk.end('SIGTERM'))
    const settings = { ...env, PORT: '0', RUSK_URL: rusk.url }
    const chat = run(t, process.execPath, ['--env-file=service.env', 'app.ts'], here, settings)
    await until('the chat listens', () => /listening/.test(chat.out()))
    const [, chatPort = ''] = /listening on http:\/\/127\.0\.0\.1:(\d+)\n/.exec(chat.out()) ?? []
    const ports = (block: string | undefined) =>
      String(block)
        .replaceAll(':8000', `:${new URL(rusk.url).port}`)
        .replaceAll(':8001', `:${chatPort}`)

    const [talk, leave, signIn] = blocks.filter(block => block.includes('curl '))
    const listening = run(t, 'sh', ['-c', ports(talk)], folder)
    await until('signs of life', () => listening.out().includes('tick'))
    const left = run(t, 'sh', ['-c', ports(leave)], folder)
    await left.gone
    await until('the end', () => listening.out().includes('access_revoked'))
    await listening.gone
    const words = 'You said “hello”, and I heard every word of it.'.split(/(?<= )/)
    const heard = listening.out()
    assert.ok(heard.startsWith(`[]${words.map(word => `data: ${word}\n\n`).join('')}event: tick\n`), heard)
    assert.match(heard, /event: end\ndata: .*\n\n\{"type".*"code":"access_revoked".*\}$/)
    assert.equal(left.out(), '')

    const history = talk?.split('\n').find(line => line.endsWith('/chat/history')) ?? ''
    const again = run(t, 'sh', ['-c', `${ports(signIn)}${ports(history)}`], folder)
    await again.gone
    assert.match(again.out(), /^\[\{"by":"you","text":"hello"\}/, 'the next time she signs in')

    chat.child.kill('SIGTERM')
    assert.deepEqual(await chat.gone, [0, null], 'asked to end, it ends')
  })
}
