// Where a new account's password comes from: standard input, a file, or a person at a terminal who types it twice. Never
// from an argument, which every user of the machine can read. Judges no password.
import { readFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { codeOf, misuse } from '../core/fault.ts'

export type PasswordSource = { readonly passwordStdin?: boolean; readonly passwordFile?: string }

/** Whether a person is asked. */
export const isAsked = ({ passwordStdin, passwordFile }: PasswordSource): boolean =>
  !passwordStdin && passwordFile === undefined && process.stdin.isTTY && process.stderr.isTTY

/** Throws `Misuse` when there is none to be had. */
export async function readPassword(source: PasswordSource): Promise<string> {
  const { passwordStdin, passwordFile } = source
  if (passwordStdin && passwordFile !== undefined) {
    throw misuse('--password-stdin', '--password-file is given too', 'Give one of the two')
  }
  if (passwordFile !== undefined) return decode(await open(passwordFile), '--password-file')
  if (passwordStdin) return decode(await buffer(process.stdin), '--password-stdin')
  if (isAsked(source)) return prompt()
  throw misuse('password', 'there is no terminal to ask at', 'Give --password-stdin or --password-file FILE')
}

async function open(path: string): Promise<Buffer> {
  try {
    return await readFile(path)
  } catch (error) {
    const reason = codeOf(error)
    if (reason === undefined) throw error
    throw misuse('--password-file', `${path} cannot be read (${reason})`, 'Name a file that you may read')
  }
}

/** Without the line's end that editors and echo leave; else as it is. */
function decode(bytes: Uint8Array, about: string): string {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
      .decode(bytes)
      .replace(/\r?\n$/, '')
    if (text !== '') return text
  } catch (error) {
    if (error instanceof TypeError) throw misuse(about, 'it is not UTF-8', 'Give the password as UTF-8 text')
    throw error
  }
  throw misuse(about, 'it is empty', 'Give the password on one line')
}

/** Hidden, twice. */
async function prompt(): Promise<string> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input: process.stdin, output: nowhere, terminal: true, historySize: 0 })
  lines.on('SIGINT', () => lines.close())
  // One reader for both answers: what is pasted ahead is kept for the second.
  const answers = lines[Symbol.asyncIterator]()
  const ask = async (question: string): Promise<string> => {
    process.stderr.write(question)
    const answer = await answers.next()
    process.stderr.write('\n')
    if (answer.done) throw misuse('password', 'nothing was typed', 'Run the command again')
    return String(answer.value)
  }
  try {
    const password = await ask('Password: ')
    if (password === '') throw misuse('password', 'it is empty', 'Run the command again')
    const again = await ask('Again: ')
    if (again !== password) throw misuse('password', 'the two differ', 'Run the command again')
    return password
  } finally {
    lines.close()
  }
}
