// Turns what a decision asked for into tokens, after its commit is durable. The only place that draws jitter.
import { randomInt, randomUUID } from 'node:crypto'
import type { Holder } from '../core/model.ts'
import { signAccessToken } from '../crypto/jwt.ts'
import { writeCsrfToken, writeRefreshToken } from '../crypto/macs.ts'
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
    sub: manner.subject === 'id' ? holder.user.id : String(holder.user.number),
    sid: holder.session.id,
    iat,
    exp,
    jti: randomUUID(),
    ...(engine.audience === undefined ? {} : { aud: engine.audience }),
  }
  return { token: signAccessToken(engine.keyring.signing(now), claims), expiresIn: exp - iat }
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
    ...(wanted.csrf ? { csrf: wanted.csrf.keep ?? writeCsrfToken(key, wanted.csrf.sessionId) } : {}),
    ...(wanted.clear ? { clear: true } : {}),
  }
}
