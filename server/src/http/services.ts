// What other services ask, at the root and whatever the dialects are: which sessions have ended, and whether a token is good.
// Each call shows a service key. Reads calls and writes answers; what they say the operations know.
import { createHash, timingSafeEqual } from 'node:crypto'
import { type Refusal, refuse } from '../core/refusal.ts'
import type { Introspected, TellNews } from '../operations/contract.ts'
import { type Call, largestBody } from './call.ts'
import { readFormBody, readQuery } from './form.ts'
import { problemOf } from './problem.ts'
import type { JsonAnswer, JsonRoute } from './served.ts'

export type ServiceParts = {
  /** Any of them opens. */
  readonly keys: readonly string[]
  readonly news: TellNews
  /** What access tokens say, so that a service finds out that it was told something else. */
  readonly issuer: string
  readonly audience: string | undefined
  /** Epoch milliseconds. */
  readonly now: () => number
  readonly introspect: (token: string) => Promise<Introspected | undefined>
}

/** Seconds that an answer may be held back: below what proxies and sockets wait (http/node.ts, `unread`). */
const longestWait = 20

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

/** In time that tells nothing of the keys: digests of one length, and all of them are looked at. */
function openDoor(keys: readonly string[]): (presented: string) => boolean {
  const known = keys.map(digest)
  return presented => {
    const shown = digest(presented)
    return known.filter(each => timingSafeEqual(each, shown)).length > 0
  }
}

/**
 * What may be the key. A key is whatever an operator has made up: it need not have the form of a token (RFC 6750 §2.1).
 * Libraries for introspection often send it as a password, percent-encoded (RFC 6749 §2.3.1) or not, under a name of theirs.
 */
function keysIn({ header }: Pick<Call, 'header'>): readonly string[] {
  const [, scheme = '', shown = ''] = /^(bearer|basic) (.+)$/i.exec(header('authorization') ?? '') ?? []
  if (scheme.toLowerCase() !== 'basic') return [shown]
  const pair = Buffer.from(shown, 'base64').toString()
  const colon = pair.indexOf(':')
  const password = colon < 0 ? '' : pair.slice(colon + 1)
  return [password, new URLSearchParams(`key=${password.replaceAll('&', '%26')}`).get('key') ?? '']
}

type Asked = { readonly after: string | undefined; readonly seconds: number }

function readAsked({ query }: Pick<Call, 'query'>): Asked | { readonly no: JsonAnswer } {
  const read = readQuery(query)
  if ('refusal' in read) return { no: problemOf(read.refusal, { detail: 'The query cannot be read' }) }
  const { after, wait = '0' } = read.fields
  const seconds = typeof wait === 'string' && /^\d{1,2}$/.test(wait) ? Number(wait) : Number.NaN
  if (!(seconds <= longestWait)) {
    const detail = `wait is a whole number of seconds from 0 to ${longestWait}`
    return { no: problemOf(refuse('input_invalid'), { detail }) }
  }
  return { after: typeof after === 'string' ? after : undefined, seconds }
}

async function readToken(call: Call): Promise<{ readonly token: string } | { readonly no: JsonAnswer }> {
  const read = readFormBody(await call.body(largestBody), call.header('content-type'))
  if ('refusal' in read) return { no: refuseForm(read.refusal) }
  const { token } = read.fields
  return typeof token === 'string' ? { token } : { no: refuseForm(refuse('body_malformed')) }
}

/** What is said of JSON elsewhere is said of forms here. */
function refuseForm(refusal: Refusal): JsonAnswer {
  if (refusal.refused === 'not_json') return problemOf(refuse('not_form'))
  if (refusal.refused !== 'body_malformed') return problemOf(refusal)
  return problemOf(refusal, { detail: 'The body is not a form with one field called token' })
}

/** RFC 7662 §2.2; of a token that is not good nothing else is told. */
const writeIntrospected = (found: Introspected | undefined): object => {
  if (!found) return { active: false }
  const { iss, sub, sid, iat, exp, jti, aud } = found.claims
  return {
    active: true,
    token_type: 'Bearer',
    iss,
    sub,
    sid,
    iat,
    exp,
    jti,
    ...(aud === undefined ? {} : { aud }),
    ...(found.username === null ? {} : { username: found.username }),
  }
}

export function serviceRoutes(parts: ServiceParts): readonly JsonRoute[] {
  const { keys, news, introspect, issuer, audience = null, now } = parts
  const opens = openDoor(keys)
  const behind =
    (answer: (call: Call) => Promise<JsonAnswer>): JsonRoute['answer'] =>
    call =>
      keysIn(call).some(opens) ? answer(call) : problemOf(refuse('service_refused'))
  return [
    {
      path: '/auth/revocations',
      readers: 'none',
      answer: behind(async call => {
        const asked = readAsked(call)
        if ('no' in asked) return asked.no
        const { cursor, ended, notBefore, keys, remember } = await news(asked.after, asked.seconds * 1000)
        const told = { cursor, ended, not_before: notBefore, keys, remember }
        return { status: 200, body: { ...told, issuer, audience, now: Math.floor(now() / 1000) } }
      }),
    },
    {
      path: '/auth/introspect',
      method: 'POST',
      readers: 'none',
      answer: behind(async call => {
        const read = await readToken(call)
        if ('no' in read) return read.no
        return { status: 200, body: writeIntrospected(await introspect(read.token)) }
      }),
    },
  ]
}
