// What the texts of a call prove, before any store is asked: which session an access token, a refresh cookie and a
// sign-in cookie name. Values that are not authentic count as absent; two authentic ones that disagree are a conflict.
import type { RefusalCode } from '../core/refusal.ts'
import type { Presented } from '../core/session.ts'
import { type AccessClaims, readAccessToken } from '../crypto/jwt.ts'
import { readCsrfToken, readRefreshToken } from '../crypto/macs.ts'
import type { Store } from '../store/port.ts'
import type { Carried } from './contract.ts'
import type { Keyring } from './keyring.ts'
import type { Memory } from './memory.ts'

/** What it takes to judge a text. */
export type Judge = {
  readonly store: Pick<Store, 'now'>
  readonly keyring: Keyring
  readonly memory: Memory
  readonly issuer: string
  readonly audience: string | undefined
}

/** Twice the longest access life anybody should choose; an option beyond it is refused at start. */
export const longestAccess = 24 * 60 * 60_000

export type Presentation = {
  readonly access: AccessClaims | RefusalCode
  readonly refresh: Presented | undefined
  readonly signIn: Presented | undefined
  /** A refresh cookie came, authentic or not. */
  readonly refreshCame: boolean
  /** Every session that a cookie of the call names, whatever its number, also by an expired access token. */
  readonly namedByCookies: readonly string[]
  readonly namedByBearer: readonly string[]
  /** The CSRF token's session, or null for an unbound one; undefined: none, or not authentic. */
  readonly csrf: { readonly sessionId: string | null; readonly text: string } | undefined
  /** Two authentic refresh tokens of different sessions, or a `__Host-` name twice. */
  readonly conflict: boolean
}

type Read = { readonly claims: AccessClaims; readonly expired: boolean }

function readAccess(judge: Judge, text: string, now: number, skew: number): Read | undefined {
  const known = judge.memory.claims(text)
  if (known) return { claims: known, expired: now >= known.exp * 1000 }
  const read = readAccessToken(text, {
    key: id => judge.keyring.verifying(id, now),
    issuer: judge.issuer,
    audience: judge.audience,
    now,
    skew,
    longest: longestAccess,
  })
  if (!read) return undefined
  if ('expired' in read) return { claims: read.expired, expired: true }
  judge.memory.keepClaims(text, read.claims)
  return { claims: read.claims, expired: false }
}

const verdict = (read: Read | undefined): AccessClaims | RefusalCode =>
  read === undefined ? 'access_invalid' : read.expired ? 'access_expired' : read.claims

/** Authentic values only; of one session the one that lives longest. */
function readCookies(reads: readonly Read[], came: boolean): AccessClaims | RefusalCode {
  if (!came) return 'not_signed_in'
  const live = reads.filter(read => !read.expired)
  if (new Set(live.map(read => read.claims.sid)).size > 1) return 'cookie_conflict'
  return verdict(live.sort((a, b) => b.claims.exp - a.claims.exp)[0] ?? reads[0])
}

function readAccessOf(
  judge: Judge,
  carried: Carried,
  now: number,
  skew: number,
  signIn: Presented | undefined,
) {
  const reads = carried.access
    .map(text => readAccess(judge, text, now, skew))
    .filter(read => read !== undefined)
  const byBearer =
    typeof carried.bearer === 'string' ? readAccess(judge, carried.bearer, now, skew) : undefined
  let access = readCookies(reads, carried.access.length > 0)
  // A late answer may have put back the access cookie of an earlier sign-in: the sign-in cookie says which one counts.
  if (typeof access === 'object' && signIn && access.sid !== signIn.sessionId) access = 'access_expired'
  if (carried.bearer === null) access = 'access_malformed'
  else if (carried.bearer !== undefined) {
    const bearer = verdict(byBearer)
    const mixed = typeof access === 'object' && typeof bearer === 'object' && access.sid !== bearer.sid
    access = mixed ? 'cookie_conflict' : bearer
  }
  return {
    access: carried.conflict ? ('cookie_conflict' as const) : access,
    namedByCookies: reads.map(read => read.claims.sid),
    namedByBearer: byBearer ? [byBearer.claims.sid] : [],
  }
}

/** Reads every text of the call. `skew` in milliseconds. */
export function readPresented(judge: Judge, carried: Carried, skew: number): Presentation {
  const now = judge.store.now()
  const keys = judge.keyring.macs(now)
  const authentic = (texts: readonly string[]) =>
    texts
      .map(text => readRefreshToken(keys, text))
      .filter(read => read !== undefined)
      .sort((a, b) => b.n - a.n)
  const refresh = authentic(carried.refresh)
  const signIn = authentic(carried.signIn)
  const disagree = (all: readonly Presented[]) => all.some(each => each.sessionId !== all[0]?.sessionId)
  const access = readAccessOf(judge, carried, now, skew, signIn[0])
  // Where a token is needed, header and cookie are known to be equal by now.
  const text = carried.csrf?.header ?? carried.csrf?.cookie
  const csrf = text === undefined ? undefined : readCsrfToken(keys, text)
  return {
    ...access,
    refresh: refresh[0],
    signIn: signIn[0],
    refreshCame: carried.refresh.length > 0,
    namedByCookies: [
      ...new Set([...refresh, ...signIn].map(each => each.sessionId).concat(access.namedByCookies)),
    ],
    csrf: csrf && text !== undefined ? { ...csrf, text } : undefined,
    conflict: carried.conflict || disagree(refresh) || disagree(signIn),
  }
}
