/** The operator's word, which comes before what the polls say. */
import type { Server } from './model.ts'
import { clean } from './text.ts'

/** What an operator wants of a server. `weightPercent` caps; 0 takes it out. */
export type OrderAction = 'up' | 'down' | 'drain' | 'maint' | { readonly weightPercent: number }

/** An operator's word. `scope`: `backend/server`, `backend/*`, or a star on both sides; the narrowest wins. */
export interface Order {
  readonly scope: string
  readonly action: OrderAction
  /** On the clock of the samples. `untilMs` absent: until it is cleared. */
  readonly fromMs: number
  readonly untilMs?: number
  readonly by: string
  readonly reason: string
}
/** By scope: the newest of one scope replaces the one before. */
export type Orders = ReadonlyMap<string, Order>

export const NO_ORDERS: Orders = new Map()

export const byScope = (orders: readonly Order[]): Orders => new Map(orders.map(order => [order.scope, order]))

/** The order that counts for a server now: server before backend before all. */
export function orderFor (orders: Orders, { backend, name }: Pick<Server, 'backend' | 'name'>, nowMs: number): Order | undefined {
  if (orders.size === 0) return undefined
  return inForce(orders.get(`${backend}/${name}`), nowMs) ?? inForce(orders.get(`${backend}/*`), nowMs) ?? inForce(orders.get('*/*'), nowMs)
}

function inForce (order: Order | undefined, nowMs: number): Order | undefined {
  if (order === undefined || order.fromMs > nowMs) return undefined
  return order.untilMs === undefined || nowMs < order.untilMs ? order : undefined
}

/** Whether an order decides by itself if the server takes traffic; a cap on its weight does not. */
export const settles = ({ action }: Order): boolean => typeof action === 'string' || action.weightPercent === 0

/** When an order begins or ends next, after now. */
export function nextOrderMs (orders: Orders, nowMs: number): number {
  let next = Infinity
  for (const { fromMs, untilMs = Infinity } of orders.values()) {
    if (fromMs > nowMs) next = Math.min(next, fromMs)
    if (untilMs > nowMs) next = Math.min(next, untilMs)
  }
  return next
}

export const showAction = (action: OrderAction): string => typeof action === 'string' ? action : `weight ${action.weightPercent}%`

/** As a reason: `drain by al: disk`, and for more than one server `drain of web/* by al: disk`. */
export const showOrder = ({ action, scope, by, reason }: Order): string =>
  `${showAction(action)}${scope.endsWith('/*') ? ` of ${scope}` : ''} by ${clean(by, 40)}: ${clean(reason)}`
