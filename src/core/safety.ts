/** What an order would do to a backend, before it is given: the operator's hand may take a farm down as well as a poll. */
import { advance } from './advance.ts'
import { decide } from './decide.ts'
import { standing } from './floor.ts'
import type { Backend, Decision } from './model.ts'
import type { Order, Orders } from './order.ts'
import type { BackendState, ServerState } from './state.ts'

/** By name: who takes traffic, who of them not only because the floor keeps it, and who does not because of an order. */
export interface Service { readonly serving: readonly string[], readonly fit: readonly string[], readonly ordered: readonly string[] }

export function serviceOf (backend: Backend, state: BackendState, nowMs: number): Service {
  const serving: string[] = []
  const fit: string[] = []
  const ordered: string[] = []
  for (const [index, server] of backend.servers.entries()) {
    const own = state.servers.at(index)
    if (own === undefined) continue
    if (takesTraffic(decide(backend, state, index, nowMs), own)) serving.push(server.name)
    const what = standing(backend, state, server, own, nowMs)
    if (what === 'fit') fit.push(server.name)
    if (what === 'ordered out') ordered.push(server.name)
  }
  return { serving, fit, ordered }
}

/** Of one without an opinion HAProxy keeps what it was told before. */
export const takesTraffic = ({ state, weightPercent }: Decision, own?: Pick<ServerState, 'toldOut'>): boolean =>
  state === 'unknown' ? own?.toldOut !== true : state === 'up' && weightPercent > 0

/** As they will be: a weight that walks to 0 takes the server out in the end. */
export function arrived (orders: Orders): Orders {
  const lands = ({ ramp, ...order }: Order): Order => order
  return new Map([...orders].map(([scope, each]) => [scope, each.map(lands)]))
}

export interface Caution {
  /** Give it though too few are left. */
  readonly force: boolean
  /** The operator's own limit of servers out by order; holds even when forced. */
  readonly atMost?: number
}

/** Why an order should not be given. `left`: who would serve, and be fit. `out`: who is out by order already; `more`: how many would be besides. */
export type Refusal =
  | { readonly why: 'min_up', readonly backend: string, readonly minUp: number, readonly left: readonly string[], readonly of: number }
  | { readonly why: 'at_most', readonly backend: string, readonly atMost: number, readonly out: readonly string[], readonly more: number }

/**
 * Undefined when the orders of before may be replaced by `orders` (as they will be: see `arrived`). What takes nobody out
 * is never refused. One that the floor keeps is worth less than one that is fit, and more than none.
 */
export function refusalOf (backend: Backend, state: BackendState, orders: Orders, nowMs: number, { force, atMost = Infinity }: Caution): Refusal | undefined {
  const { name, policy: { minUp, atMostDrained = Infinity }, servers } = backend
  const under = (given: Orders): Service => serviceOf(backend, advance(backend, state, { kind: 'orders', orders: given, atMs: nowMs }), nowMs)
  const [before, after] = [under(arrived(state.orders)), under(orders)] // both in the end: a walk that goes on is nobody else's doing
  const most = Math.min(atMost, force ? Infinity : atMostDrained)
  if (after.ordered.length > before.ordered.length && after.ordered.length > most) {
    return { why: 'at_most', backend: name, atMost: most, out: before.ordered, more: after.ordered.length - before.ordered.length }
  }
  if (force) return undefined
  const takesOut = after.ordered.length > before.ordered.length
  const short = takesOut && after.fit.length < before.fit.length && after.fit.length < minUp ? after.fit
    : after.serving.length < before.serving.length && after.serving.length < minUp ? after.serving : undefined
  return short === undefined ? undefined : { why: 'min_up', backend: name, minUp, left: short, of: servers.length }
}
