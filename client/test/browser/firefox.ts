// Drives a Firefox of this machine by WebDriver BiDi over Node's own WebSocket: Playwright asks of a Firefox what its
// long-lived releases do not know yet. Only what tests need; knows nothing of what a page should show.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { findBrowser, firefox } from '../../../tools/browsers.ts'

export type FirefoxPage = {
  /** Resolves when the page has loaded. */
  goto(url: string): Promise<void>
  /**
   * Runs a function of its own there, with what it is given as JSON, and resolves with what it returns or resolves with, as
   * JSON. Rejects with what it throws.
   */
  evaluate<Result>(run: () => Result | Promise<Result>): Promise<Result>
  evaluate<Result, Given>(run: (given: Given) => Result | Promise<Result>, given: Given): Promise<Result>
  /** With a pointer, in the middle of the first element that a CSS selector finds. */
  click(selector: string): Promise<void>
  /** By keys, into the element that a click there has focused. */
  type(selector: string, text: string): Promise<void>
  /** Resolves when `leave` has, and then or meanwhile a page has loaded whose address begins so. */
  arrives(url: string, leave: () => Promise<void>): Promise<void>
  /** One page back, or forward; does not wait for it. */
  travel(delta: -1 | 1): Promise<void>
}

/** Cookies, storages and channels of its own. */
export type Profile = {
  openPage(url: string): Promise<FirefoxPage>
  cookies(): Promise<readonly { readonly name: string; readonly httpOnly: boolean }[]>
  dropCookie(name: string): Promise<void>
  /** Its pages go too. */
  close(): Promise<void>
}

export type Firefox = { openProfile(): Promise<Profile>; close(): Promise<void> }

/** For whatever it is told to do, page loads and scripts of a test included. */
const patience = 30_000

const announced = /^WebDriver BiDi listening on (ws:.+)$/

type Members = Readonly<Record<string, unknown>>

/** An answer (`id`), or an event (`method`, `params`). */
type Message = {
  readonly id?: number
  readonly result?: unknown
  readonly error?: string
  readonly message?: string
  readonly method?: string
  readonly params?: { readonly context: string; readonly url: string }
}

/** A connection of the protocol: commands out, answers and events in (WebDriver BiDi §4). */
async function connect(url: string, hear: (event: Message) => void) {
  const socket = new WebSocket(url)
  const waiting = new Map<number, PromiseWithResolvers<unknown>>()
  let last = 0
  socket.onmessage = ({ data }) => {
    const message: Message = JSON.parse(String(data))
    const asked = waiting.get(message.id ?? 0)
    if (!asked) return hear(message)
    if (message.error) asked.reject(new Error(`${message.error}: ${message.message}`))
    else asked.resolve(message.result)
  }
  await once(socket, 'open')
  return async function send<Result>(method: string, params: Members): Promise<Result> {
    const id = ++last
    const asked = Promise.withResolvers<unknown>()
    waiting.set(id, asked)
    const late = setTimeout(() => asked.reject(new Error(`Firefox has not done it: ${method}`)), patience)
    socket.send(JSON.stringify({ id, method, params }))
    return asked.promise.finally(() => {
      clearTimeout(late)
      waiting.delete(id)
    }) as Promise<Result>
  }
}

type Evaluated = {
  readonly type: 'success' | 'exception'
  readonly result?: { readonly value?: string }
  readonly exceptionDetails?: { readonly text: string }
}

/** Starts one without a window. Rejects with what it says when it does not come up. Whoever opens it closes it. */
export async function openFirefox(): Promise<Firefox> {
  const program = findBrowser(firefox, process.env)
  if (program === undefined) throw new Error('There is no Firefox: name one in FIREFOX')
  const folder = await mkdtemp(join(tmpdir(), 'rusk-firefox-'))
  const args = ['--headless', '--no-remote', '--profile', folder, '--remote-debugging-port', '0']
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  const gone = once(child, 'exit')
  // A test that is ended from outside leaves none behind.
  const end = () => child.kill('SIGKILL')
  process.once('exit', end)
  const said: string[] = []
  const lines = createInterface(child.stderr)
  const url = await new Promise<string>((resolve, reject) => {
    lines.on('line', line => {
      said.push(line)
      const [, address] = announced.exec(line) ?? []
      if (address !== undefined) resolve(address)
    })
    lines.on('close', () => reject(new Error(`Firefox did not come up:\n${said.join('\n')}`)))
  })

  const loads = new Set<(loaded: NonNullable<Message['params']>) => void>()
  const send = await connect(`${url}/session`, ({ method, params }) => {
    if (method === 'browsingContext.load' && params) for (const tell of loads) tell(params)
  })
  await send('session.new', { capabilities: {} })
  await send('session.subscribe', { events: ['browsingContext.load'] })

  function pageIn(context: string): FirefoxPage {
    const act = async (selector: string, keys: string): Promise<void> => {
      const locator = { type: 'css', value: selector }
      type Located = { readonly nodes: readonly { readonly sharedId: string }[] }
      const { nodes } = await send<Located>('browsingContext.locateNodes', { context, locator })
      if (!nodes[0]) throw new Error(`There is no ${selector} on the page`)
      const origin = { type: 'element', element: { sharedId: nodes[0].sharedId } }
      const pointer = [
        { type: 'pointerMove', x: 0, y: 0, origin },
        { type: 'pointerDown', button: 0 },
        { type: 'pointerUp', button: 0 },
      ]
      await send('input.performActions', {
        context,
        actions: [{ type: 'pointer', id: 'p', actions: pointer }],
      })
      const strokes = [...keys].flatMap(value => [
        { type: 'keyDown', value },
        { type: 'keyUp', value },
      ])
      await send('input.performActions', { context, actions: [{ type: 'key', id: 'k', actions: strokes }] })
    }
    return {
      goto: url => send('browsingContext.navigate', { context, url, wait: 'complete' }),
      async evaluate(run: (given: never) => unknown, given?: unknown) {
        const { type, result, exceptionDetails } = await send<Evaluated>('script.evaluate', {
          expression: `(async () => JSON.stringify(await (${run})(${JSON.stringify(given)})))()`,
          target: { context },
          awaitPromise: true,
        })
        if (type === 'exception') throw new Error(exceptionDetails?.text)
        return result?.value === undefined ? undefined : JSON.parse(result.value)
      },
      click: selector => act(selector, ''),
      type: act,
      async arrives(start, leave) {
        const arrived = Promise.withResolvers<void>()
        const tell = (loaded: { readonly context: string; readonly url: string }) => {
          if (loaded.context === context && loaded.url.startsWith(start)) arrived.resolve()
        }
        loads.add(tell)
        const late = setTimeout(() => arrived.reject(new Error(`No page came from ${start}`)), patience)
        await Promise.all([arrived.promise, leave()]).finally(() => {
          clearTimeout(late)
          loads.delete(tell)
        })
      },
      travel: delta => send('browsingContext.traverseHistory', { context, delta }),
    }
  }

  return {
    async openProfile() {
      const { userContext } = await send<{ userContext: string }>('browser.createUserContext', {})
      const partition = { type: 'storageKey', userContext }
      return {
        async openPage(url) {
          const { context } = await send<{ context: string }>('browsingContext.create', {
            type: 'tab',
            userContext,
          })
          const page = pageIn(context)
          await page.goto(url)
          return page
        },
        async cookies() {
          type Kept = { readonly cookies: readonly { readonly name: string; readonly httpOnly: boolean }[] }
          return (await send<Kept>('storage.getCookies', { partition })).cookies
        },
        async dropCookie(name) {
          await send('storage.deleteCookies', { filter: { name }, partition })
        },
        close: () => send('browser.removeUserContext', { userContext }),
      }
    },
    async close() {
      await send('browser.close', {})
      await gone
      process.off('exit', end)
      await rm(folder, { recursive: true })
    },
  }
}
