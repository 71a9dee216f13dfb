// The same promise as server/test/late/sockets.test.ts in a real browser: its own cookie store, plain `fetch` in tabs of one profile,
// the first call's answer let go last. And fifty tabs that wake together.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import type { DialectName } from '../../src/dialects/index.ts'
import { rusk } from '../../src/index.ts'
import { openStore } from '../../src/store/open.ts'
import {
  type Agent,
  callsOf,
  dialectNames,
  type Front,
  headersOf,
  lineOf,
  makeAccount,
  openSocket,
  personCalled,
  sessionIn,
  signIn,
  whoIsIn,
} from '../late/calls.ts'
import { type Call, ordersOf } from '../late/orders.ts'
import { startProxy } from '../late/proxy.ts'
import { refreshSent, walk } from '../late/walk.ts'
import { databaseAt } from '../store/stores.ts'
import { openChromium } from './chromium.ts'

/** A page on the API's origin that asks for nothing by itself. */
const pages = { '/tab': '<!doctype html><title>A tab</title><link rel="icon" href="data:,">' }
const ada = personCalled('ada')

/** A server on a file, and an account on it. */
async function serve(t: TestContext, dialect: DialectName, grace: number) {
  const folder = await mkdtemp(join(tmpdir(), 'rusk-tabs-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const many = '100000/1m'
  const database = `sqlite:${join(folder, 'tabs.db')}`
  const auth = await rusk({
    dialect: [dialect],
    database,
    port: 0,
    session: { grace: `${grace}ms` },
    throttle: { signIn: many, signUp: many },
    log: { level: 'error' },
    secret: 'known to this test and to nobody else',
  })
  t.after(() => auth.close())
  const { url } = await auth.listen()
  const calls = callsOf(dialect)
  const proxy = await startProxy(url)
  await makeAccount(openSocket(calls, proxy, `http://localhost:${new URL(url).port}`, ada))
  await proxy.close()
  return { url, calls, database }
}

/** Each call comes from the next tab. */
function agentOf(context: BrowserContext, tabs: readonly Page[]): Agent {
  let turn = 0
  const next = (): Page => {
    const tab = tabs[turn++ % tabs.length]
    assert.ok(tab)
    return tab
  }
  return {
    async fetch(line, headers, json) {
      const [method = '', path = ''] = line.split(' ')
      const body = json === undefined ? undefined : JSON.stringify(json)
      const typed = { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers }
      const { status, text } = await next().evaluate(
        async ([where, init]) => {
          const answer = await fetch(where, { ...init, credentials: 'same-origin' })
          return { status: answer.status, text: await answer.text() }
        },
        [path, { method, headers: typed, ...(body === undefined ? {} : { body }) }] as const,
      )
      return { status, text, body: text === '' ? undefined : JSON.parse(text) }
    },
    async readable(name) {
      const cookies = await next().evaluate<string>('document.cookie')
      return cookies
        .split('; ')
        .find(pair => pair.startsWith(`${name}=`))
        ?.slice(name.length + 1)
    },
    held: async name => (await context.cookies()).find(cookie => cookie.name === name)?.value,
  }
}

/** A profile of its own with this many tabs, behind a proxy of its own. */
async function openTabs(
  browser: Browser,
  { url, calls }: { readonly url: string; readonly calls: Front['calls'] },
  count: number,
): Promise<{ front: Front; tabs: readonly Page[]; close: () => Promise<void> }> {
  const proxy = await startProxy(url, pages)
  const context = await browser.newContext()
  const tabs = await Promise.all(Array.from({ length: count }, () => context.newPage()))
  await Promise.all(tabs.map(tab => tab.goto(`${proxy.url}/tab`)))
  const front = { calls, proxy, person: ada, token: undefined, agent: agentOf(context, tabs) }
  return {
    front,
    tabs,
    async close() {
      await context.close()
      await proxy.close()
    },
  }
}

const refresh: Call = { does: 'refresh' }
const signOut: Call = { does: 'signOut' }
const entering: Call = { does: 'signIn' }

// [sentence, what the tabs have under way, which of them opens the session that the browser ends in]
const scenarios: [string, readonly Call[], number | undefined][] = [
  ['a refresh and a sign-out: signed out', [refresh, signOut], undefined],
  ['a refresh and a newer sign-in: in the new session', [refresh, entering], 1],
  ['a sign-out and a newer sign-in: in the new session', [signOut, entering], 1],
  [
    'a refresh, a newer sign-in, then its sign-out: out',
    [refresh, entering, { ...signOut, after: 1 }],
    undefined,
  ],
]

const grace = 300
const pastGrace = () => sleep(grace + 30)

for (const dialect of dialectNames) {
  test(`${dialect}: the last thing the user did wins in Chromium, though the first answer comes last`, async t => {
    const served = await serve(t, dialect, grace)
    const chromium = await openChromium(t)
    for (const [sentence, plan, opens] of scenarios) {
      await t.test(sentence, async t => {
        // In the others the answers come as the calls were made.
        const orders = ordersOf(plan).filter(order => order.at(-1)?.call === 0)
        const late = await Promise.all(
          orders.map(async order => {
            const { front, close } = await openTabs(chromium, served, 2)
            await signIn(front)
            await pastGrace()
            const { opened, arrived } = await walk(front, plan, order, pastGrace)
            const told = order.map(({ call, what }) => `${plan[call]?.does} ${what}`).join(', ')
            const end = opens === undefined ? undefined : opened.get(opens)
            assert.equal(end === undefined, opens === undefined, told)
            assert.equal(await whoIsIn(front), end, told)
            await pastGrace()
            assert.equal(await whoIsIn(front), end, `after a sleep: ${told}`)
            await close()
            const last = [...arrived.values()].at(-1)
            return plan[0] === refresh && last !== undefined && refreshSent(front.calls, last) !== undefined
          }),
        )
        assert.ok(plan[0] !== refresh || late.includes(true), 'no late answer had anything to undo')
        t.diagnostic(
          `${orders.length} orders; in ${late.filter(Boolean).length} a new refresh cookie of the old session came last`,
        )
      })
    }
  })
}

test('fifty tabs that wake together make one write', async t => {
  // The fiftieth is asked within it, on a slow machine too.
  const long = 5_000
  const served = await serve(t, 'native', long)
  const store = await openStore(databaseAt(served.database))
  t.after(() => store.close())
  const { front, tabs, close } = await openTabs(await openChromium(t), served, 50)
  t.after(close)
  const session = await signIn(front)
  const rowOf = async () => (await store.holder(session))?.session
  const before = await rowOf()
  await sleep(long + 100)

  const line = lineOf(front.calls, 'refresh')
  // A browser has no more than six calls under way at one host. Four go on when all four are here; the others as they come.
  const held = tabs.map((_, i) => front.proxy.hold(line, { request: i < 4 }))
  const began = performance.now()
  const headers = await headersOf(front)
  const waking = Promise.all(tabs.map(() => front.agent.fetch(line, headers, undefined)))
  await Promise.all(held.slice(0, 4).map(({ came }) => came))
  for (const { forward, release } of held) {
    forward()
    release()
  }
  const came = await waking
  const took = performance.now() - began
  const answers = await Promise.all(held.map(each => each.answered))

  assert.deepEqual(new Set(came.map(({ status }) => status)), new Set([200]))
  const sent = answers.flatMap(answer => refreshSent(front.calls, answer) ?? [])
  assert.deepEqual(sent.map(sessionIn), [session], 'one answer carries a refresh cookie')
  assert.equal(await front.agent.held(front.calls.names.refresh), sent[0])
  const after = await rowOf()
  assert.ok(before && after)
  assert.deepEqual([before.successor, after.current, after.successor], [1, 1, 2], 'the row has moved by one')
  const alike = answers.filter(answer => answer.sent === answers[0]?.sent).length
  t.diagnostic(`50 tabs, ${alike} calls with the same cookies, ${took.toFixed(0)} ms`)
  assert.ok(alike >= 4, 'those that met')
  assert.equal(await whoIsIn(front), session)
})
