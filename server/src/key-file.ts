// Where the secret that seals keys at rest comes from: the option, else a key file beside the SQLite file. Made on first
// use with mode 0600; never printed, never replaced.
import { randomBytes } from 'node:crypto'
import { chmod, open, readFile, stat } from 'node:fs/promises'
import { Misuse } from './core/fault.ts'

const isCode = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code

const misuse = (path: string, wrong: string, instead: string): Misuse =>
  new Misuse([{ about: path, wrong, instead }])

async function make(path: string): Promise<string> {
  const secret = randomBytes(32).toString('base64url')
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

/**
 * The text of the key file at `path`, made if it is absent and `mayMake`. Throws `Misuse` when it is empty, unreadable,
 * absent beside a database that has keys already, or (`strict`) readable by others.
 */
export async function readKeyFile(
  path: string,
  options: { mayMake: boolean; strict: boolean },
): Promise<string> {
  try {
    const text = (await readFile(path, 'utf8')).trim()
    if (text.length < 32) {
      throw misuse(
        path,
        'the key file is too short to be one',
        'Restore it from a backup: keys sealed with it cannot be read otherwise',
      )
    }
    const { mode } = await stat(path)
    if (options.strict && (mode & 0o077) !== 0 && process.platform !== 'win32') {
      throw misuse(
        path,
        `the key file can be read by others (mode ${(mode & 0o777).toString(8)})`,
        `Run: chmod 600 ${path}`,
      )
    }
    return text
  } catch (error) {
    if (!isCode(error, 'ENOENT')) {
      if (error instanceof Misuse) throw error
      throw misuse(
        path,
        `the key file cannot be read (${error instanceof Error ? error.message : error})`,
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
    return await make(path)
  } catch (error) {
    if (isCode(error, 'EEXIST')) return readKeyFile(path, options)
    throw misuse(
      path,
      `the key file cannot be written (${error instanceof Error ? error.message : error})`,
      'Make the folder writable, or set RUSK_SECRET',
    )
  }
}
