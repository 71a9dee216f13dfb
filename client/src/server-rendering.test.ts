// The client where there is no page: made in a module that renders on a server, it keeps nothing of one request for the next
// and keeps no process alive; and in a program that signs in, it works.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { ada, openApp } from '../test/app.ts'
import { withJar } from '../test/jar.ts'
import { codeOf } from '../test/room.ts'
import { createClient } from './client.ts'

const run = promisify(execFile)

/** Ends by itself within five seconds, or the test fails; what it printed. */
async function program(source: string): Promise<string> {
  const at = new URL('./client.ts', import.meta.url).href
  const text = `import { createClient } from ${JSON.stringify(at)}\n${source}`
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', text], { timeout: 5000 })
  return stdout.trim()
}

// [sentence, program, what it prints]
const programs: [string, string, string][] = [
  [
    'made and looked at, it says that nothing is known and does nothing',
    `const client = createClient()
     console.log(client.state.status, typeof client.userId, process.getActiveResourcesInfo().filter(name => /Timeout|Message|TCP/.test(name)).length)`,
    'unknown undefined 0',
  ],
  [
    'asked without a server, it rejects and the process ends',
    `const client = createClient({ baseUrl: 'http://127.0.0.1:9' })
     console.log(await client.session().catch(error => error.code))`,
    'offline',
  ],
  [
    'two clients of one address in one process do not hear each other',
    `const [one, other] = [createClient({ baseUrl: 'http://127.0.0.1:9' }), createClient({ baseUrl: 'http://127.0.0.1:9' })]
     await Promise.allSettled([one.session(), other.session()])
     new BroadcastChannel('rusk http://127.0.0.1:9/').postMessage({ signedIn: false })
     await new Promise(resolve => setTimeout(resolve, 100))
     console.log(one.state.status, other.state.status)
     process.exit()`,
    'unknown unknown',
  ],
]

for (const [sentence, source, want] of programs) {
  test(sentence, async () => assert.equal(await program(source), want))
}

test('in a program each client is somebody of its own', async t => {
  const app = await openApp(t)
  withJar(t)
  const client = createClient({ baseUrl: app.url, delivery: 'memory' })
  const stranger = createClient({ baseUrl: app.url })
  await client.signUp(ada)
  assert.equal(client.state.status, 'signed-in')
  assert.equal(stranger.state.status, 'unknown')
  const answer = await client.fetch(`${app.url}/api/notes`)
  assert.equal(answer.status, 200)
  assert.match(app.seen[0]?.headers.authorization ?? '', /^Bearer /)
  await client.signOut()
  assert.deepEqual(client.state, { status: 'signed-out', reason: 'signed-out' })
})

test('a program that keeps no cookies is told so at sign-in', async t => {
  const app = await openApp(t)
  for (const delivery of ['cookies', 'memory'] as const) {
    const client = createClient({ baseUrl: app.url, delivery })
    const email = `${delivery}@example.com`
    assert.equal(await codeOf(client.signUp({ ...ada, email })), 'cookies_blocked', delivery)
    assert.deepEqual(client.state, { status: 'signed-out', reason: 'nobody' })
    assert.equal((await client.prepare(app.url, 'GET'))?.headers.authorization, undefined)
  }
})
