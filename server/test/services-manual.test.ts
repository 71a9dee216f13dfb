// The lines of docs/services.md that people copy, run by a real shell with the real curl, exactly as they stand but for the
// port; and what stands there is what is served.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import { emptyFolder } from './cli/binary.ts'
import { bearing, newKey } from './following.ts'
import { serve } from './serving.ts'

const run = promisify(execFile)
const root = new URL('../../', import.meta.url)
const manual = await readFile(new URL('docs/services.md', root), 'utf8')

/** The code blocks of one language, in order. */
const blocks = (language: string): readonly string[] =>
  [...manual.matchAll(new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(
    ([, text = '']) => text,
  )

const curls = blocks('sh').filter(text => text.startsWith('curl '))

/** The line that gives a name to what later lines use. */
const lineFor = (name: string): string =>
  blocks('sh').find(text => text.startsWith(`${name}=`)) ?? assert.fail(`nothing sets ${name}`)

/** A server as the manual starts it, and a shell in which its lines are run. */
async function open(t: TestContext, ...args: readonly string[]) {
  const key = newKey()
  const serving = await serve({ args, cwd: emptyFolder(t), env: { RUSK_SERVICE_KEYS: key } })
  t.after(() => serving.end('SIGTERM'))
  const port = new URL(serving.url).port
  const shell = async (line: string, env: Readonly<Record<string, string>> = {}) => {
    const here = line.replace(/:8000\b/g, `:${port}`).replace(/^curl /, "curl -sS -w '\\n%{http_code}' ")
    const { stdout } = await run('sh', ['-c', here], {
      env: { PATH: process.env.PATH ?? '', KEY: key, ...env },
    })
    const lines = stdout.trimEnd().split('\n')
    return { status: Number(lines.at(-1)), text: lines.slice(0, -1).join('\n') }
  }
  /** What the manual's own line makes of a name; no status comes after it, which is what the 0 stands for. */
  const make = async (name: string) => (await shell(`${lineFor(name)}echo "$${name}"; echo 0`)).text
  return { shell, make, url: serving.url }
}

const membersOf = (text: string): readonly string[] => Object.keys(JSON.parse(text))

test('the lines give every name that they use, in a shell that is not kept by the server', () => {
  const used = new Set(curls.flatMap(text => [...text.matchAll(/\$([A-Z]+)/g)].map(([, name = '']) => name)))
  assert.deepEqual([...used].sort(), ['CURSOR', 'KEY', 'TOKEN'])
  for (const name of used) lineFor(name)
  assert.match(
    lineFor('KEY'),
    /^KEY=\$\(openssl rand -base64 48\)\nRUSK_SERVICE_KEYS=\$KEY npx rusk serve &\n$/,
  )
})

test('the lines of the manual answer what stands below them', async t => {
  assert.equal(curls.length, 4)
  const [first = '', next = '', introspect = '', forward = ''] = curls
  const [news = '', active = ''] = blocks('json')
  const { shell, make, url } = await open(t)
  const TOKEN = await make('TOKEN')

  const told = await shell(first)
  assert.deepEqual([told.status, membersOf(told.text)], [200, membersOf(news)])
  const CURSOR = await make('CURSOR')
  assert.match(news, new RegExp(`"${CURSOR.replace(/[\w-]+/g, '[\\w-]+').replaceAll('.', '\\.')}"`))

  const asked = await shell(introspect, { TOKEN })
  assert.deepEqual([asked.status, membersOf(asked.text)], [200, membersOf(active)])
  assert.equal(JSON.parse(asked.text).username, JSON.parse(active).username)

  const through = await shell(forward, { TOKEN })
  assert.equal(through.status, 204)
  assert.match(through.text, /^Remote-User: \S+\r$/m)

  const waiting = shell(next, { CURSOR })
  const id = String(JSON.parse(asked.text).sid)
  const left = await fetch(`${url}/auth/sessions/${id}`, { method: 'DELETE', headers: bearing(TOKEN) })
  assert.equal(left.status, 204)
  const ended = await waiting
  assert.deepEqual([ended.status, JSON.parse(ended.text).ended], [200, [id]])
  assert.deepEqual(await shell(introspect, { TOKEN }), { status: 200, text: '{"active":false}' })
  assert.ok(manual.includes('`{"active":false}`'))
  assert.equal((await shell(forward, { TOKEN })).status, 401)
  assert.equal((await shell(first, { KEY: 'another' })).status, 401)
})

test('the part of the nginx configuration that the manual shows is the one that runs', async () => {
  const example = await readFile(new URL('examples/nginx/auth-request.conf', root), 'utf8')
  const [shown = ''] = blocks('nginx')
  assert.notEqual(shown, '')
  assert.ok(example.includes(shown))
})
