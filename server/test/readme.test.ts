// The shell lines that people copy, run by a real shell with the real curl, exactly as they stand but for the port.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import { bin, type Serving, serve } from './serving.ts'

const run = promisify(execFile)
const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8')

async function system(
  t: TestContext,
  ...args: readonly string[]
): Promise<{ serving: Serving; folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'rusk-readme-'))
  const serving = await serve({ args, cwd: folder })
  t.after(async () => {
    await serving.end('SIGTERM')
    await rm(folder, { recursive: true, force: true })
  })
  return { serving, folder }
}

/** Runs one line; resolves with what it printed, the status of the answer last. */
async function shell(
  line: string,
  { serving, folder }: { serving: Serving; folder: string },
): Promise<string> {
  const port = new URL(serving.url).port
  const here = line.replace(/:8000\b/g, `:${port}`).replace(/^curl /, "curl -sS -w '\\n%{http_code}' ")
  const { stdout } = await run('sh', ['-c', here], { cwd: folder })
  return stdout
}

const curlLines = (from: string, to: string): readonly string[] =>
  readme
    .slice(readme.indexOf(from), readme.indexOf(to))
    .split('\n')
    .filter(line => line.startsWith('curl '))

test('the lines of "In two minutes" sign up, tell who, sign out, and then nobody is signed in', async t => {
  const lines = curlLines('## In two minutes', '## Which dialect?')
  assert.equal(lines.length, 4)
  const here = await system(t)
  const answers: string[] = []
  for (const line of lines) answers.push(await shell(line, here))
  assert.deepEqual(
    answers.map(answer => answer.split('\n').at(-1)),
    ['201', '200', '204', '401'],
  )
  assert.match(answers[1] ?? '', /"username":"jack"/)
})

test('the three lines of the fastapi guide work as they stand', async t => {
  const lines = curlLines('## Which dialect?', '## Inside your own program')
  assert.deepEqual(lines, [
    `curl -c cookies.txt -X POST http://localhost:8000/auth/login -H "Content-Type: application/json" -d '{"username_or_email":"test","password":"test"}'`,
    'curl -b cookies.txt http://localhost:8000/users/me',
    'curl -b cookies.txt -X POST http://localhost:8000/auth/logout',
  ])
  const here = await system(t, '--dialect', 'fastapi')
  const create = readme.split('\n').find(line => line.includes('npx rusk users create')) ?? ''
  await run('sh', ['-c', create.replace('npx rusk', `${process.execPath} ${bin}`)], { cwd: here.folder })
  const answers: string[] = []
  for (const line of lines) answers.push(await shell(line, here))
  assert.deepEqual(answers, [
    '{"message":"Login successful"}\n200',
    '{"id":1,"username":"test","email":"test@example.com"}\n200',
    '{"message":"Logout successful"}\n200',
  ])
  assert.equal(await shell(lines[1] ?? '', here), '{"detail":"Invalid token"}\n401')
})
