// `rusk serve`: from settings to a listening server, and from a signal to a clean end.
import { Misuse } from '../core/fault.ts'
import { type Flags, type Globals, readCommandLine } from './open.ts'
import { say, sayFindings } from './output.ts'

/** Longer than any call may take; then the process goes, so that whoever stopped it need not kill it. */
const patience = 10_000

/** Resolves when the server has ended well after SIGTERM or SIGINT. The one line on standard output says that it is ready. */
export async function serve(globals: Globals, flags: Flags): Promise<void> {
  const { settings, errors, risks } = await readCommandLine(globals, flags)
  sayFindings('risk', risks)
  if (!settings) throw new Misuse(errors)
  const { openSystem } = await import('../system.ts')
  const system = await openSystem(settings, { serving: true })
  try {
    const listening = await system.listen()
    const stopped = firstSignal()
    process.stdout.write(`rusk listening on ${listening.url}\n`)
    await stopped
    await listening.close()
  } finally {
    await system.close()
  }
}

/** The second one exits at once; so does the end of patience after the first. */
const firstSignal = (): Promise<void> =>
  new Promise(resolve => {
    let stopping = false
    const stop = () => {
      if (stopping) process.exit(1)
      stopping = true
      setTimeout(() => {
        say(`rusk did not end within ${patience / 1000} s: calls may have been cut off`)
        process.exit(1)
      }, patience).unref()
      resolve()
    }
    process.on('SIGTERM', stop)
    process.on('SIGINT', stop)
  })
