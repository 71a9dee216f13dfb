// React on a server: what is rendered there, and that nothing else happens. What it does in a page is in
// client/test/browser/react.test.ts.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { createElement as h, type ReactElement } from 'react'
import { renderToString } from 'react-dom/server'
import { ada, openApp } from '../test/app.ts'
import { App } from '../test/browser/react-app.ts'
import { withJar } from '../test/jar.ts'
import { createClient } from './client.ts'
import { fastapiMinimal } from './dialects.ts'
import { RuskProvider, SignedIn, useAuth, useClient, useSession } from './react.ts'

test('a server renders that it is unknown, also when its client knows somebody, and asks nobody', async t => {
  const app = await openApp(t)
  withJar(t, app.url)
  const client = createClient()
  t.after(client.close)
  await client.signUp(ada)
  app.asked.length = 0
  assert.equal(
    renderToString(h(App, { client })),
    '<output id="status">unknown nobody loading fine</output><p id="loading">One moment</p>',
  )
  assert.deepEqual(app.asked, [])
})

test('a process that has rendered ends', async () => {
  const [app, client, server] = ['../test/browser/react-app.ts', './client.ts', 'react-dom/server'].map(
    name => import.meta.resolve(name),
  )
  const script = `
    import { App } from ${JSON.stringify(app)}
    import { createClient } from ${JSON.stringify(client)}
    import { createElement } from ${JSON.stringify(import.meta.resolve('react'))}
    import { renderToString } from ${JSON.stringify(server)}
    const client = createClient({ baseUrl: 'http://localhost:1' })
    process.stdout.write(String(renderToString(createElement(App, { client })).includes('One moment')))
  `
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], { timeout: 20_000 })
  const said = text(child.stdout)
  const [code] = await once(child, 'exit')
  assert.equal(code, 0)
  assert.equal(await said, 'true')
})

test('outside of a provider each hook says what is missing', () => {
  const hooks: [string, () => unknown][] = [
    ['useClient', useClient],
    ['useSession', useSession],
    ['useAuth', useAuth],
    ['SignedIn', () => SignedIn({})],
  ]
  for (const [name, use] of hooks) {
    const Lost = () => h('p', null, typeof use())
    assert.throws(() => renderToString(h(Lost)), /inside of <RuskProvider/, name)
  }
})

test("a client of another dialect has that dialect's users", t => {
  const client = createClient({ baseUrl: 'http://localhost:1', dialect: fastapiMinimal })
  t.after(client.close)
  const Who = (): ReactElement => {
    const { user } = useAuth<{ readonly uid: string }>()
    return h('p', null, user?.uid ?? 'nobody')
  }
  assert.equal(renderToString(h(RuskProvider, { client }, h(Who))), '<p>nobody</p>')
})
