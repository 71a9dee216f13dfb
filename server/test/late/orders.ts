// Every order in which calls under way can reach the server and their answers the browser. Knows nothing of what they do.

/** What happens next: the call reaches the server and is answered there, or its answer arrives. Calls are numbered from 0. */
export type Happening = { readonly call: number; readonly what: 'reaches' | 'arrives' }

export type Order = readonly Happening[]

/**
 * `after`: it is composed as soon as the answer of that call has arrived, with `rested` a grace later; undefined: before
 * anything happens.
 */
export type Call = { readonly does: string; readonly after?: number; readonly rested?: true }

/**
 * A call that reaches the server and an answer that arrives elsewhere do not see each other, and two calls that do the same
 * may change places: of orders that differ in nothing else one is enough.
 */
export function ordersOf(calls: readonly Call[]): readonly Order[] {
  const orders = new Map<string, Order>()
  const walk = (order: Order): void => {
    const has = (call: number, what: Happening['what']) =>
      order.some(each => each.call === call && each.what === what)
    const next = calls.flatMap(({ after }, call): Happening[] => {
      if (has(call, 'arrives') || (after !== undefined && !has(after, 'arrives'))) return []
      return [{ call, what: has(call, 'reaches') ? 'arrives' : 'reaches' }]
    })
    if (next.length === 0 && !orders.has(keyOf(calls, order))) orders.set(keyOf(calls, order), order)
    for (const each of next) walk([...order, each])
  }
  walk([])
  return [...orders.values()]
}

/** Each call by what it does, and the arrivals by the places in which the calls reached the server. */
function keyOf(calls: readonly Call[], order: Order): string {
  const inOrder = (what: Happening['what']) =>
    order.filter(each => each.what === what).map(({ call }) => call)
  const reached = inOrder('reaches')
  const arrived = inOrder('arrives').map(call => reached.indexOf(call))
  return JSON.stringify([reached.map(call => [calls[call]?.does, calls[call]?.after]), arrived])
}
