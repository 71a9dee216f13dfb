// The system before, as tests need it: its key, and tokens as its library made them. Another library than ours makes them.
import { createSecretKey } from 'node:crypto'
import { type JWTPayload, SignJWT } from 'jose'
import { sharedSigningKey } from '../src/crypto/keys.ts'
import type { Bridge } from '../src/operations/engine.ts'

/** Nothing else is signed with it. */
export const earlierKey = 'Zk3q9TfW7rXv2LmB8cYh5NdJ0sPgQe6U'

/** As options of a server: users are named by e-mail address. */
export const bridgeOptions = { key: earlierKey, subject: 'sub=email' }

export const bridge: Bridge = { key: sharedSigningKey(earlierKey), claim: 'sub', field: 'email' }

/** HS256 and `typ: JWT`, as such systems write it, unless said otherwise. */
export const signedBy = (key: string, claims: JWTPayload, header: { readonly alg?: string } = {}) =>
  new SignJWT(claims)
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT', ...header })
    .sign(createSecretKey(Buffer.from(key)))

let made = 0

/**
 * A token of its own for that subject, good for an hour. Times are NumericDates.
 * `now`: epoch milliseconds, where the clock is the test's.
 */
export const earlierToken = (sub: string, more: JWTPayload = {}, now = Date.now()): Promise<string> => {
  made += 1
  const iat = Math.floor(now / 1000)
  return signedBy(earlierKey, { sub, iat, exp: iat + 3600, jti: `earlier ${made}`, ...more })
}
