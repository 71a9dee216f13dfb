// Turns what a decision asked for into tokens, after its commit is durable. The only place that draws jitter.
import { randomInt, randomUUID } from 'node:crypto'
import { type Holder, subjectOf } from '../core/model.ts'
import { signAccessToken } from '../crypto/jwt.ts'
import { readCsrfToken, writeCsrfToken, writeRefreshToken } from '../crypto/macs.ts'
import type { Manner, Tokens } from './contract.ts'
import type { Engine, Mint } from './engine.ts'

/** Up to 5 % shorter, so that tabs and fleets do not refresh in step; never longer than the session. Seconds. */
function spanOf(holder: Holder, policy: Manner['policy'], now: number): { iat: number; exp: number } {
  const iat = Math.floor(now / 1000)
  const life = policy.access * (1 - randomInt(0, 501) / 10_000)
  const end = Math.min(now + life, holder.session.endsAt)
  return { iat, exp: Math.max(iat + 1, Math.floor(end / 1000)) }
}

function accessToken(engine: Engine, manner: Manner, holder: Holder, now: number) {
  const { iat, exp } = spanOf(holder, manner.policy, now)
  const claims = {
    ...manner.claims?.(holder.user),
    iss: engine.issuer,
    sub: subjectOf(holder.user, manner),
    sid: holder.session.id,
    iat,
    exp,
    jti: randomUUID(),
    ...(engine.audience === undefined ? {} : { aud: engine.audience }),
  }
  return { token: signAccessToken(engine.keyring.signing(now), claims), expiresIn: exp - iat }
}

/** One that is kept goes when its key does: a browser that still held it would be refused, and have no reason to ask for another. */
function csrfToken(
  { keyring }: Engine,
  { keep, sessionId }: NonNullable<Mint['csrf']>,
  now: number,
): Pick<Tokens, 'csrf' | 'csrfMaxAge'> {
  const keys = keyring.macs(now)
  if (keep === undefined) return { csrf: writeCsrfToken(keys[0], sessionId) }
  const maker = keys.find(key => readCsrfToken([key], keep))
  const until = maker ? keyring.acceptedUntil(maker.id) : null
  return { csrf: keep, ...(until === null ? {} : { csrfMaxAge: Math.floor((until - now) / 1000) }) }
}

export function mint(engine: Engine, manner: Manner, wanted: Mint | undefined, now: number): Tokens {
  if (!wanted) return {}
  const [key] = engine.keyring.macs(now)
  const { access: holder } = wanted
  const session = holder?.session
  return {
    ...(holder && session
      ? { access: accessToken(engine, manner, holder, now), delivery: session.delivery }
      : {}),
    ...(session && wanted.refresh !== undefined
      ? {
          refresh: writeRefreshToken(key, session.id, wanted.refresh),
          refreshMaxAge: Math.floor((Math.min(session.idleEndsAt, session.endsAt) - now) / 1000),
        }
      : {}),
    ...(session && wanted.signIn ? { signIn: writeRefreshToken(key, session.id, session.successor) } : {}),
    ...(wanted.csrf ? csrfToken(engine, wanted.csrf, now) : {}),
    ...(wanted.clear ? { clear: true } : {}),
  }
}
