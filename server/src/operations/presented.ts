// What the texts of a call prove, before any store is asked: which session an access token, a refresh cookie and a
// sign-in cookie name. Values that are not authentic count as absent.
import { type AccessClaims, readAccessToken } from '@rusk/verify/floor'
import { longestAccess } from '../core/policy.ts'
import type { RefusalCode } from '../core/refusal.ts'
import type { Presented } from '../core/session.ts'
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
  /** By cookie one to a session, the longest-lived: which of them counts, their sessions say. By bearer one. */
  readonly access:
    | { readonly claims: readonly AccessClaims[]; readonly by: 'cookie' | 'bearer' }
    | RefusalCode
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

/**
 * A browser may hold a few cookies of one name (paths, a sibling's). Each signature costs a sum: beyond these none is checked,
 * and nobody is let in, because one that was not looked at might be somebody else's.
 */
const mostSignatures = 8

/**
 * Each session that refresh or sign-in cookies name is read, and one call may end them all. Of what is authentic the first
 * count, as a browser sends the closest path first; junk before them costs nobody a place.
 */
const mostNamed = 8

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

function readCookies(reads: readonly Read[], came: boolean): Presentation['access'] {
  if (!came) return 'not_signed_in'
  const longest = new Map<string, AccessClaims>()
  for (const { claims, expired } of reads) {
    if (!expired && claims.exp > (longest.get(claims.sid)?.exp ?? 0)) longest.set(claims.sid, claims)
  }
  if (longest.size > 0) return { claims: [...longest.values()], by: 'cookie' }
  return reads.length > 0 ? 'access_expired' : 'access_invalid'
}

function readBearer(read: Read | undefined, byCookie: Presentation['access']): Presentation['access'] {
  if (read === undefined) return 'access_invalid'
  if (read.expired) return 'access_expired'
  const mixed = typeof byCookie === 'object' && byCookie.claims.some(({ sid }) => sid !== read.claims.sid)
  return mixed ? 'cookie_conflict' : { claims: [read.claims], by: 'bearer' }
}

function readAccessOf(judge: Judge, { access, bearer }: Carried, now: number, skew: number) {
  const texts = [...new Set(access)]
  const known = texts.filter(text => judge.memory.claims(text))
  const unknown = texts.filter(text => !known.includes(text))
  const reads = [...known, ...unknown.slice(0, mostSignatures)]
    .map(text => readAccess(judge, text, now, skew))
    .filter(read => read !== undefined)
  const byBearer = typeof bearer === 'string' ? readAccess(judge, bearer, now, skew) : undefined
  const byCookie = unknown.length > mostSignatures ? 'cookie_conflict' : readCookies(reads, access.length > 0)
  return {
    access:
      bearer === undefined
        ? byCookie
        : bearer === null
          ? ('access_malformed' as const)
          : readBearer(byBearer, byCookie),
    namedByCookies: reads.map(read => read.claims.sid),
    namedByBearer: byBearer ? [byBearer.claims.sid] : [],
  }
}

/**
 * Authentic refresh tokens, the highest number of each session, of the first few sessions. What has not their form costs
 * nothing, so all are looked at.
 */
function readRefresh(keys: readonly MacKey[], texts: readonly string[]): readonly Presented[] {
  const highest = new Map<string, Presented>()
  for (const text of new Set(texts)) {
    const read = readRefreshToken(keys, text)
    if (read && !highest.has(read.sessionId) && highest.size >= mostNamed) continue
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
  const access = readAccessOf(judge, carried, now, skew)
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
