// What Rusk itself holds every call to, and every service beside it should: one source for both. For those who build a
// check of their own; whoever only wants to know who calls takes createVerifier.
export { readBearer, readCookies } from './carried.ts'
export { type Header, isDoublySubmitted, isHandshake, isSafe, mayChange, sameText } from './guard.ts'
export { isSignedBy, readCompact, type VerifyingKey } from './jws.ts'
export { isLoopback, type OriginRead, readOrigin } from './origins.ts'
export { readJson, readJsonObject } from './strict-json.ts'
export {
  type AccessClaims,
  type Expectation,
  isTime,
  readAccessToken,
} from './token.ts'
