// What a service takes from here: who calls it, told offline.
export type { AccessClaims } from './token.ts'
