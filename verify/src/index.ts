// What a service takes from here: who calls it, told offline, and a session's end heard of within seconds.
export { Unreachable } from './ask.ts'
export type { Call } from './call.ts'
export type { Why } from './listeners.ts'
export { Misuse, type Options } from './options.ts'
export type { AccessClaims } from './token.ts'
export {
  type Reason,
  type Refusal,
  type Rejected,
  respond,
  type Verdict,
  writeRefusal,
} from './verdict.ts'
export { createVerifier, type Verifier } from './verifier.ts'
