// What the texts of a call prove, before any store is asked: which session an access token, a refresh cookie and a
// sign-in cookie name. Values that are not authentic count as absent.
import { longestAccess } from '../core/policy.ts'
import type { RefusalCode } from '../core/refusal.ts'
import type { Presented } from '../core/session.ts'
import { type AccessClaims, readAccessToken } from '../crypto/jwt.ts'
import { type MacKey, readCsrfToken, readRefreshToken } from '../crypto/macs.ts'
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

export type Presentation = {
  readonly access: AccessClaims | RefusalCode
  /** One number to a session, the highest. */
  readonly refresh: readonly Presented[]
  readonly signIn: readonly Presented[]
  /** A refresh cookie came, authentic or not. */
  readonly refreshCame: boolean
  /** Every session that a cookie of the call names, whatever its number, also by an expired access token. */
  readonly namedByCookies: readonly string[]
  readonly namedByBearer: readonly string[]
  /** The CSRF token's session, or null for an unbound one; undefined: none, or not authentic. */
  readonly csrf: { readonly sessionId: string | null; readonly text: string } | undefined
}

/** A browser may hold a few cookies of one name (paths, a sibling's). Beyond that they are not looked at: each costs a sum. */
const mostOfOneName = 8

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

/**
 * A late answer may have put back the access cookie of an earlier sign-in: where there is a sign-in cookie, one of another
 * session counts as expired. Of one session the token that lives longest.
 */
function readCookies(
  reads: readonly Read[],
  came: boolean,
  signIn: readonly Presented[],
): AccessClaims | RefusalCode {
  if (!came) return 'not_signed_in'
  const meant = ({ claims }: Read) =>
    signIn.length === 0 || signIn.some(each => each.sessionId === claims.sid)
  const live = reads.filter(read => !read.expired && meant(read))
  if (new Set(live.map(read => read.claims.sid)).size > 1) return 'cookie_conflict'
  const [best] = live.sort((a, b) => b.claims.exp - a.claims.exp)
  return best?.claims ?? (reads.length > 0 ? 'access_expired' : 'access_invalid')
}

function readAccessOf(
  judge: Judge,
  carried: Carried,
  now: number,
  skew: number,
  signIn: readonly Presented[],
) {
  const reads = carried.access
    .slice(0, mostOfOneName)
    .map(text => readAccess(judge, text, now, skew))
    .filter(read => read !== undefined)
  const byBearer =
    typeof carried.bearer === 'string' ? readAccess(judge, carried.bearer, now, skew) : undefined
  let access = readCookies(reads, carried.access.length > 0, signIn)
  if (carried.bearer === null) access = 'access_malformed'
  else if (carried.bearer !== undefined) {
    const bearer =
      byBearer === undefined ? 'access_invalid' : byBearer.expired ? 'access_expired' : byBearer.claims
    const mixed = typeof access === 'object' && typeof bearer === 'object' && access.sid !== bearer.sid
    access = mixed ? 'cookie_conflict' : bearer
  }
  return {
    access,
    namedByCookies: reads.map(read => read.claims.sid),
    namedByBearer: byBearer ? [byBearer.claims.sid] : [],
  }
}

/** Authentic refresh tokens, the highest number of each session. */
function readRefresh(keys: readonly MacKey[], texts: readonly string[]): readonly Presented[] {
  const highest = new Map<string, Presented>()
  for (const text of texts.slice(0, mostOfOneName)) {
    const read = readRefreshToken(keys, text)
    if (read && read.n >= (highest.get(read.sessionId)?.n ?? 0)) highest.set(read.sessionId, read)
  }
  return [...highest.values()]
}

/** Reads every text of the call. `skew` in milliseconds. */
export function readPresented(judge: Judge, carried: Carried, skew: number): Presentation {
  const now = judge.store.now()
  const keys = judge.keyring.macs(now)
  const refresh = readRefresh(keys, carried.refresh)
  const signIn = readRefresh(keys, carried.signIn)
  const access = readAccessOf(judge, carried, now, skew, signIn)
  // Where a token is needed, header and cookie are known to be equal by now.
  const text = carried.csrf?.header ?? carried.csrf?.cookie
  const csrf = text === undefined ? undefined : readCsrfToken(keys, text)
  return {
    ...access,
    refresh,
    signIn,
    refreshCame: carried.refresh.length > 0,
    namedByCookies: [
      ...new Set([...refresh, ...signIn].map(each => each.sessionId).concat(access.namedByCookies)),
    ],
    csrf: csrf && text !== undefined ? { ...csrf, text } : undefined,
  }
}
