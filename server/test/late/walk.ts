// Walks one order of calls under way: who is composed, who reaches the server, whose answer arrives. Notes which session
// each call opened and every token that came by; what it should end in is the test's.
import assert from 'node:assert/strict'
import { type Calls, call, type Does, type Front, lineOf, sessionIn, tokenIn } from './calls.ts'
import type { Call, Order } from './orders.ts'
import type { Answer, Held } from './proxy.ts'

export type Walked = {
  /** By call: the session that it opened. */
  readonly opened: ReadonlyMap<number, string>
  /** By call, in the order in which they arrived. */
  readonly arrived: ReadonlyMap<number, Answer>
}

type UnderWay = { readonly held: Held; readonly got: Promise<unknown> }

async function compose(front: Front, does: Does): Promise<UnderWay> {
  const held = front.proxy.hold(lineOf(front.calls, does), { request: true })
  const got = call(front, does)
  // Before the next is composed: what is under way is told apart by when it came.
  await Promise.race([held.came, got])
  return { held, got }
}

export async function walk(
  front: Front,
  plan: readonly Call[],
  order: Order,
  rest: () => Promise<void>,
): Promise<Walked> {
  const underWay = new Map<number, UnderWay>()
  const composeAfter = async (before: number | undefined) => {
    for (const [i, { does, after, rested }] of plan.entries()) {
      if (after !== before) continue
      if (rested) await rest()
      underWay.set(i, await compose(front, does))
    }
  }
  const opened = new Map<number, string>()
  const arrived = new Map<number, Answer>()
  await composeAfter(undefined)
  for (const { call: i, what } of order) {
    const each = underWay.get(i)
    assert.ok(each)
    if (what === 'reaches') {
      each.held.forward()
      await each.held.answered
    } else {
      each.held.release()
      await each.got
      const answer = await each.held.answered
      arrived.set(i, answer)
      const session = answer.set.find(({ name }) => name === front.calls.names.signIn)?.value
      if (session !== undefined) opened.set(i, sessionIn(session))
      await composeAfter(i)
    }
  }
  return { opened, arrived }
}

/** A refresh token that this answer sent. */
export const refreshSent = ({ names }: Calls, { set }: Answer): string | undefined =>
  set.find(({ name, value }) => name === names.refresh && value !== '')?.value

/** Every access token that this answer sent, in a cookie or in its body. */
export function accessSent({ names }: Calls, { set, body }: Answer): readonly string[] {
  const inCookie = set.find(({ name, value }) => name === names.access && value !== '')?.value
  const inBody = body.length === 0 ? undefined : tokenIn(JSON.parse(body.toString()))
  return [inCookie, inBody].filter(token => token !== undefined)
}
