/** What an order would do to a backend, before it is given: the operator's hand may take a farm down as well as a poll. */
import { standing } from './floor.ts'
import type { Backend } from './model.ts'
import type { Order, Orders } from './order.ts'
import type { BackendState } from './state.ts'

/** Who serves, and who does not because of an order, by name. */
export interface Service { readonly fit: readonly string[], readonly ordered: readonly string[] }

/** By the orders at hand, or by others. A server that only the floor keeps in does not count as fit. */
export function serviceOf (backend: Backend, state: BackendState, nowMs: number, orders: Orders = state.orders): Service {
  const fit: string[] = []
  const ordered: string[] = []
  const then = { ...state, orders: arrived(orders) }
  for (const [index, server] of backend.servers.entries()) {
    const own = state.servers[index]
    const what = own === undefined ? 'out' : standing(backend, then, server, own, nowMs)
    if (what === 'fit') fit.push(server.name)
    if (what === 'ordered out') ordered.push(server.name)
  }
  return { fit, ordered }
}

/** As they will be: a weight that walks to 0 takes the server out in the end. */
function arrived (orders: Orders): Orders {
  const lands = ({ ramp, ...order }: Order): Order => order
  return new Map([...orders].map(([scope, each]) => [scope, each.map(lands)]))
}

export interface Caution {
  /** Give it though too few are left. */
  readonly force: boolean
  /** The operator's own limit of servers out by order; holds even when forced. */
  readonly atMost?: number
}

/** Why an order should not be given. `left`: who would serve. `out`: who is out by order already. */
export type Refusal =
  | { readonly why: 'min_up', readonly backend: string, readonly minUp: number, readonly left: readonly string[], readonly of: number }
  | { readonly why: 'at_most', readonly backend: string, readonly atMost: number, readonly out: readonly string[] }

/** Undefined when the orders of before may be replaced by `orders`. What takes nobody out is never refused. */
export function refusalOf (backend: Backend, state: BackendState, orders: Orders, nowMs: number, { force, atMost = Infinity }: Caution): Refusal | undefined {
  const { name, policy: { minUp, atMostDrained = Infinity }, servers } = backend
  const before = serviceOf(backend, state, nowMs)
  const after = serviceOf(backend, state, nowMs, orders)
  const most = Math.min(atMost, force ? Infinity : atMostDrained)
  if (after.ordered.length > before.ordered.length && after.ordered.length > most) {
    return { why: 'at_most', backend: name, atMost: most, out: before.ordered }
  }
  if (!force && after.fit.length < before.fit.length && after.fit.length < minUp) {
    return { why: 'min_up', backend: name, minUp, left: after.fit, of: servers.length }
  }
  return undefined
}
