// The file that keeps the secrets which seal keys at rest, one a line: the first seals, all open. Made on first use with
// mode 0600, replaced only by a whole one, never printed. Knows no key and no store.
import { randomBytes } from 'node:crypto'
import { chmod, open, readFile, realpath, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { codeOf, Misuse, misuse, reasonOf } from './core/fault.ts'

export const newSecret = (): string => randomBytes(32).toString('base64url')

const shortest = 32

const linesOf = (text: string): readonly string[] =>
  text
    .split(/\r?\n/)
    .map(line => line.trim())
    .filter(line => line !== '')

async function make(path: string): Promise<string> {
  const secret = newSecret()
  // `wx`: two servers may start at once; the one that comes second reads the first one's file.
  const file = await open(path, 'wx', 0o600)
  try {
    await file.writeFile(`${secret}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
  // The umask may have taken more away than it should; it never adds.
  await chmod(path, 0o600)
  return secret
}

export type Secrets = readonly [string, ...string[]]

/** Throws `Misuse` when a line is too short to be a secret, or there is none. */
async function readLines(path: string): Promise<Secrets> {
  const [first, ...others] = linesOf(await readFile(path, 'utf8'))
  if (first === undefined || [first, ...others].some(line => line.length < shortest)) {
    throw misuse(
      path,
      'the key file is too short to be one',
      'Restore it from a backup: keys sealed with it cannot be read otherwise',
    )
  }
  return [first, ...others]
}

/**
 * The secrets of the key file at `path`, made if it is absent and `mayMake`. Throws `Misuse` when it is empty, unreadable,
 * absent beside a database that has keys already, or (`strict`) readable by others.
 */
export async function readKeyFile(
  path: string,
  options: { mayMake: boolean; strict: boolean },
): Promise<Secrets> {
  try {
    const secrets = await readLines(path)
    const { mode } = await stat(path)
    if (options.strict && (mode & 0o077) !== 0 && process.platform !== 'win32') {
      throw misuse(
        path,
        `the key file can be read by others (mode ${(mode & 0o777).toString(8)})`,
        `Run: chmod 600 ${path}`,
      )
    }
    return secrets
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') {
      if (error instanceof Misuse) throw error
      throw misuse(
        path,
        `the key file cannot be read (${reasonOf(error)})`,
        'Give this user the right to read it',
      )
    }
  }
  if (!options.mayMake) {
    throw misuse(
      path,
      'the key file is missing, and the database has keys sealed with it',
      'Restore it from a backup, or set RUSK_SECRET to what it held',
    )
  }
  try {
    return [await make(path)]
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return readKeyFile(path, options)
    throw misuse(
      path,
      `the key file cannot be written (${reasonOf(error)})`,
      'Make the folder writable, or set RUSK_SECRET',
    )
  }
}

/**
 * Puts a new secret before the others, lets `reseal` seal everything with it, and then leaves it alone in the file. After
 * each step the file opens all there is; whoever is cut off in between begins anew. Throws `Misuse` when the file cannot
 * be replaced or another process is replacing it.
 */
export async function rotateKeyFile<T>(path: string, reseal: () => Promise<T>): Promise<T> {
  // What stands at the end of a link is replaced, not the link.
  const file = await realpath(path)
  const release = await lock(file)
  try {
    const earlier = await readLines(file)
    const secret = newSecret()
    await replace(file, [secret, ...earlier])
    const done = await reseal()
    await replace(file, [secret])
    return done
  } finally {
    await release()
  }
}

/** The locks that this process holds. */
const held = new Set<string>()

/** Beside the file, with the number of the process that holds it. Two that replaced it at once would lose a secret. */
async function lock(file: string): Promise<() => Promise<void>> {
  const path = `${file}.rotating`
  const release = async () => {
    held.delete(path)
    await rm(path, { force: true })
  }
  try {
    const made = await open(path, 'wx', 0o600)
    held.add(path)
    await made.writeFile(`${process.pid}\n`)
    await made.close()
    return release
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw unwritable(file, error)
  }
  const holder = await holderOf(path)
  // A container gives the same numbers at every start: ours may be that of one that is gone.
  if (holder !== undefined && (holder === process.pid ? held.has(path) : isAlive(holder))) {
    throw misuse(
      file,
      `process ${holder} is replacing it`,
      `Wait until it has. If there is no such rusk any more, delete ${path}`,
    )
  }
  // Its process is gone, cut off in between.
  await release()
  return lock(file)
}

/** Undefined: there is no number, also a moment after: whoever made the file was cut off before it wrote its own. */
async function holderOf(path: string): Promise<number | undefined> {
  for (const patience of [0, 500]) {
    await sleep(patience)
    const text = await readFile(path, 'utf8').catch((error: unknown) => {
      // It has been let go of meanwhile.
      if (codeOf(error) === 'ENOENT') return ''
      throw error
    })
    if (/^[1-9]\d*\n$/.test(text)) return Number(text)
  }
  return undefined
}

/** Signal 0 only asks. */
function isAlive(holder: number): boolean {
  try {
    process.kill(holder, 0)
    return true
  } catch (error) {
    return codeOf(error) !== 'ESRCH'
  }
}

const unwritable = (file: string, error: unknown): Misuse =>
  misuse(
    file,
    `the key file cannot be replaced (${reasonOf(error)})`,
    'Run this as the user whom the file belongs to, where its folder may be written',
  )

/** The whole file or none of it, also when the power fails; mode 0600, and whoever owned it still does. */
async function replace(file: string, secrets: readonly string[]): Promise<void> {
  const next = `${file}.next`
  try {
    const { uid, gid } = await stat(file)
    // What a process that was cut off has left behind.
    await rm(next, { force: true })
    const written = await open(next, 'wx', 0o600)
    try {
      if (process.getuid !== undefined && process.getuid() !== uid) await written.chown(uid, gid)
      await written.chmod(0o600)
      await written.writeFile(`${secrets.join('\n')}\n`)
      await written.sync()
    } finally {
      await written.close()
    }
    await rename(next, file)
    await syncFolder(dirname(file))
  } catch (error) {
    // It holds secrets, and is of no use. Where it cannot be removed either, the first error says why.
    await rm(next, { force: true }).catch(() => undefined)
    throw unwritable(file, error)
  }
}

/** Windows opens no folder, and keeps names by itself. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return
  const opened = await open(folder)
  try {
    await opened.sync()
  } finally {
    await opened.close()
  }
}
