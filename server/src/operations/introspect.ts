// What another service is told of one access token (RFC 7662): whether it is good at this moment, its session included. Changes
// nothing and counts nothing: whoever asks has shown a key of its own.
import type { Introspected } from './contract.ts'
import type { Engine } from './engine.ts'
import { readPresented } from './presented.ts'
import { loadCaller } from './signed-in.ts'

/** Undefined for whatever is not an access token that may act now, for every reason alike. `skew` in milliseconds. */
export async function introspect(
  engine: Engine,
  token: string,
  skew: number,
): Promise<Introspected | undefined> {
  const carried = {
    access: [],
    bearer: token,
    refresh: [],
    signIn: [],
    csrf: undefined,
    conflict: false,
  }
  const presented = readPresented(engine, carried, skew)
  if (typeof presented.access === 'string') return undefined
  const [claims] = presented.access.claims
  const who = await loadCaller(engine, { presented, manner: { csrf: undefined } })
  return claims === undefined || 'refused' in who ? undefined : { claims, username: who.user.username }
}
