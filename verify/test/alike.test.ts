// What a service answers and what it calls Rusk, held against Rusk itself: codes, statuses, and how an issuer is spelt.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { url as asRusk } from '../../server/src/config/kinds.ts'
import { defaultPolicy, longestAccess as longestOfRusk } from '../../server/src/core/policy.ts'
import { refusals } from '../../server/src/core/refusal.ts'
import type { Reason } from '../src/index.ts'
import { Misuse, readOptions } from '../src/options.ts'
import { clockSkew, longestAccess } from '../src/token.ts'
import { reject } from '../src/verdict.ts'

/** Every one of them, by the compiler's word. */
const reasons: Readonly<Record<Reason, true>> = {
  not_signed_in: true,
  access_malformed: true,
  access_invalid: true,
  access_expired: true,
  access_revoked: true,
  cookie_conflict: true,
  origin_refused: true,
  csrf_refused: true,
  unavailable: true,
}

for (const reason of Object.keys(reasons) as readonly Reason[]) {
  test(`${reason} has the status that Rusk gives it`, () => {
    const { rejected, status } = reject(reason)
    assert.deepEqual({ rejected, status }, { rejected: reason, status: refusals[reason].status })
  })
}

test('a verifier believes a token for as long as Rusk lets one live, and clocks that stand apart as far', () => {
  assert.equal(longestAccess, longestOfRusk)
  assert.equal(clockSkew, defaultPolicy.skew)
})

/** Undefined: Rusk does not take it. */
function spelledByRusk(text: string): string | undefined {
  const read = asRusk.read(text)
  return 'value' in read ? read.value : undefined
}

/** Undefined: no verifier is made. */
function spelledByVerifier(text: string): string | undefined {
  try {
    // Where Rusk is reached is said, so that its own address may be over http.
    return readOptions({ issuer: text, url: 'http://rusk:8000', revocation: 'none' }).issuer
  } catch (error) {
    if (!(error instanceof Misuse)) throw error
    return undefined
  }
}

// [as somebody writes it, the `iss` of tokens; undefined: nobody takes it]
const urls: readonly (readonly [string, string | undefined])[] = [
  ['https://auth.example', 'https://auth.example'],
  ['https://auth.example/', 'https://auth.example'],
  ['https://auth.example//', 'https://auth.example'],
  ['https://auth.example/in', 'https://auth.example/in'],
  ['https://auth.example/in/', 'https://auth.example/in'],
  ['https://auth.example/in//here///', 'https://auth.example/in//here'],
  ['https://auth.example/a/../in', 'https://auth.example/in'],
  ['https://auth.example/In', 'https://auth.example/In'],
  ['https://auth.example/%69n', 'https://auth.example/%69n'],
  ['https://auth.example/ü', 'https://auth.example/%C3%BC'],
  ['HTTPS://Auth.Example', 'https://auth.example'],
  ['https://auth.example:443', 'https://auth.example'],
  ['https://auth.example:8443/', 'https://auth.example:8443'],
  ['http://auth.example:80', 'http://auth.example'],
  ['http://localhost:8000', 'http://localhost:8000'],
  ['http://127.1:8000', 'http://127.0.0.1:8000'],
  ['http://[0:0::1]:8000/', 'http://[::1]:8000'],
  ['https://äpfel.example', 'https://xn--pfel-koa.example'],
  ['https:auth.example', 'https://auth.example'],
  ['https:\\\\auth.example\\in', 'https://auth.example/in'],
  [' https://auth.example ', 'https://auth.example'],
  ['https://auth.example/?', 'https://auth.example'],
  ['https://auth.example/#', 'https://auth.example'],
  ['https://auth.example/?a=b', undefined],
  ['https://auth.example/#a', undefined],
  ['https://me@auth.example', undefined],
  ['https://:secret@auth.example', undefined],
  ['ftp://auth.example', undefined],
  ['auth.example', undefined],
  ['', undefined],
]

for (const [text, want] of urls) {
  test(`${JSON.stringify(text)} is ${want ?? 'no issuer'}, at Rusk and at a service`, () => {
    assert.deepEqual([spelledByRusk(text), spelledByVerifier(text)], [want, want])
  })
}
