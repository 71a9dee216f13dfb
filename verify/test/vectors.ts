// Reads the test vectors of wycheproof/: what each was made to find, and under which key. Judges none.
import { readFileSync } from 'node:fs'
import type { Compact } from '../src/jws.ts'

export type Vector = {
  readonly tcId: number
  readonly comment: string
  readonly result: 'valid' | 'invalid'
}

/** Lines in groups: the one that is no test says what is common to those below it. */
export function readVectors<Group extends object, Test extends Vector>(
  file: string,
): readonly (Group & { readonly tests: readonly Test[] })[] {
  const groups: (Group & { readonly tests: Test[] })[] = []
  const lines = readFileSync(new URL(`wycheproof/${file}.jsonl`, import.meta.url), 'utf8')
    .trim()
    .split('\n')
  for (const line of lines) {
    const read = JSON.parse(line)
    if ('tcId' in read) groups.at(-1)?.tests.push(read)
    else groups.push({ ...read, tests: [] })
  }
  return groups
}

export type SignatureVector = Vector & { readonly msg: string; readonly sig: string }

/** Hexadecimal message and signature, as the parts of a token that has nothing else. */
export const compactOf = (message: string, signature: string): Compact => ({
  header: Buffer.alloc(0),
  payload: Buffer.alloc(0),
  signed: Buffer.from(message, 'hex'),
  signature: Buffer.from(signature, 'hex'),
})
