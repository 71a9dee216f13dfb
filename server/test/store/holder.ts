// A process of its own for the tests: `holder.ts WHAT FILE`. Says each step on a line of its own; lives until it is killed.
import { isDatabase, readDatabase } from '../../src/store/database.ts'
import { openStore } from '../../src/store/open.ts'
import { newUser } from './people.ts'

const [what = '', file = ''] = process.argv.slice(2)

function open(exclusive: boolean) {
  const database = readDatabase(`sqlite:${file}`)
  if (!isDatabase(database)) throw new Error(database.wrong)
  return openStore(database, { exclusive })
}

const say = (line: string) => process.stdout.write(`${line}\n`)

async function tryToServe(): Promise<string> {
  try {
    await open(true)
    return 'serving'
  } catch (error) {
    return String(error)
  }
}

const deeds: Record<string, () => Promise<void>> = {
  /** Serves until killed. */
  async serve() {
    await open(true)
    say('serving')
    setInterval(() => undefined, 60_000)
  },
  /** Opens and closes as a command does. */
  async command() {
    const store = await open(false)
    await store.events({ limit: 1 })
    await store.close()
    say('closed')
  },
  /** Creates users as fast as it can, and says the number of each once it is committed. */
  async write() {
    const store = await open(true)
    await store.migrate()
    for (let i = 0; ; i++) {
      const ids = Array.from({ length: 4 }, (_, j) => `${process.pid}-${i}-${j}`)
      await Promise.all(
        ids.map(async id => {
          await store.commit([{ change: 'createUser', user: newUser(id), password: 'x' }])
          say(id)
        }),
      )
    }
  },
  /** Tries to serve; stays, so that it does not make room for another. */
  async tryToServeAndStay() {
    say(await tryToServe())
    setInterval(() => undefined, 60_000)
  },
  /** Tries to serve as a user without rights, when it can become one. */
  async tryToServeAsNobody() {
    if (process.getuid?.() === 0) {
      process.setgid?.(65534)
      process.setuid?.(65534)
    }
    say(await tryToServe())
    process.exit()
  },
}

await deeds[what]?.()
