/** The operator's word, which comes before what the polls say. */
import type { Server } from './model.ts'
import { clean } from './text.ts'

/**
 * What an operator wants of a server. `weightPercent` caps; 0 takes it out. `ready`: nothing, and no wider order counts
 * for it either.
 */
export type OrderAction = 'ready' | 'up' | 'down' | 'drain' | 'maint' | { readonly weightPercent: number }

/**
 * How a cap gets where it shall be: in steps from `fromPercent`, within `overMs`; and back to 100% within as much time
 * before the order ends, so that at its end nothing jumps.
 */
export interface WeightRamp { readonly fromPercent: number, readonly overMs: number }

/** An order that outlives this is a change of the config. */
export const ORDER_MS_MAX = 366 * 24 * 3_600_000
/** Longest reason and author that are kept; a reply to HAProxy has room for less. */
export const REASON_CHARACTERS_MAX = 200
export const AUTHOR_CHARACTERS_MAX = 64

/** An operator's word. `scope`: `backend/server`, `backend/*`, or a star on both sides; the narrowest wins. */
export interface Order {
  readonly scope: string
  readonly action: OrderAction
  /** On the clock of the samples. `untilMs` absent: until it is cleared. */
  readonly fromMs: number
  readonly untilMs?: number
  readonly by: string
  readonly reason: string
  /** Of a weight only. */
  readonly ramp?: WeightRamp
}

/** An order that wants something, with its weight as it is now. */
export interface EffectiveOrder extends Order { readonly action: Exclude<OrderAction, 'ready'> }

/** By scope: the later of two in force counts. */
export type Orders = ReadonlyMap<string, readonly Order[]>

export const NO_ORDERS: Orders = new Map()

/** Of two for one scope the later one counts, as long as it is in force. */
export function byScope (orders: readonly Order[]): Orders {
  const grouped = new Map<string, Order[]>()
  for (const order of orders) grouped.set(order.scope, [order, ...grouped.get(order.scope) ?? []])
  return grouped
}

type Named = Pick<Server, 'backend' | 'name'>

/** Narrowest first: server, backend, all. */
export const scopesOf = ({ backend, name }: Named): readonly string[] => [`${backend}/${name}`, `${backend}/*`, '*/*']

/** The order that counts for a server now: server before backend before all. */
export function orderFor (orders: Orders, server: Named, nowMs: number): EffectiveOrder | undefined {
  if (orders.size === 0) return undefined
  for (const scope of scopesOf(server)) {
    const order = orders.get(scope)?.find(each => isInForce(each, nowMs))
    if (order !== undefined) return effective(order, nowMs)
  }
  return undefined
}

export const isInForce = ({ fromMs, untilMs = Infinity }: Order, nowMs: number): boolean => fromMs <= nowMs && nowMs < untilMs

function effective (order: Order, nowMs: number): EffectiveOrder | undefined {
  const { action } = order
  if (typeof action !== 'string' && order.ramp !== undefined) return { ...order, action: { weightPercent: capAt(order, action.weightPercent, nowMs).percent } }
  return wantsSomething(order) ? order : undefined
}

const wantsSomething = (order: Order): order is EffectiveOrder => order.action !== 'ready'

/** Whether an order decides by itself if the server takes traffic; a cap on its weight does not. */
export const settles = ({ action }: Pick<EffectiveOrder, 'action'>): boolean => typeof action === 'string' || action.weightPercent === 0

/** Caps move by so much at a time. */
const STEP_PERCENT = 5

interface Leg { readonly from: number, readonly to: number, readonly startMs: number, readonly overMs: number }

/** The way there, the stay, the way back. */
function legAt ({ fromMs, untilMs = Infinity, ramp }: Order, target: number, nowMs: number): Leg | undefined {
  if (ramp === undefined) return undefined
  const { fromPercent, overMs } = ramp
  if (nowMs < fromMs + overMs) return { from: fromPercent, to: target, startMs: fromMs, overMs }
  return nowMs >= untilMs - overMs ? { from: target, to: 100, startMs: untilMs - overMs, overMs } : undefined
}

/** The cap of a weight order now, and when it moves next. */
function capAt (order: Order, target: number, nowMs: number): { readonly percent: number, readonly nextMs: number } {
  const leg = legAt(order, target, nowMs)
  const backMs = order.ramp === undefined ? Infinity : (order.untilMs ?? Infinity) - order.ramp.overMs
  if (leg === undefined) return { percent: target, nextMs: backMs > nowMs ? backMs : Infinity }
  const { from, to, startMs, overMs } = leg
  const far = Math.abs(to - from)
  const steps = Math.floor(far * (nowMs - startMs) / overMs / STEP_PERCENT)
  const nextMs = startMs + overMs * Math.min(1, (steps + 1) * STEP_PERCENT / far)
  return { percent: from + Math.sign(to - from) * steps * STEP_PERCENT, nextMs }
}

/** When an order begins, ends or moves next, after now. */
export function nextOrderMs (orders: Orders, nowMs: number): number {
  let next = Infinity
  for (const each of orders.values()) for (const order of each) next = Math.min(next, nextOf(order, nowMs))
  return next
}

function nextOf (order: Order, nowMs: number): number {
  const { action, fromMs, untilMs = Infinity } = order
  if (fromMs > nowMs) return fromMs
  if (untilMs <= nowMs) return Infinity
  return Math.min(untilMs, typeof action === 'string' ? Infinity : capAt(order, action.weightPercent, nowMs).nextMs)
}

/** What a scope gets at most now: where a ramp that begins now sets out from. One that is out begins with nothing. */
export function capOf (orders: Orders, scope: string, nowMs: number): number {
  const [backend = '*', name = '*'] = scope.split('/')
  const order = orderFor(orders, { backend, name }, nowMs)
  if (order === undefined || order.action === 'up') return 100
  return typeof order.action === 'string' ? 0 : order.action.weightPercent
}

/** `counts`: it has its way. `hidden`: a narrower or newer one is in force. `coming`: it has not begun. */
export interface OrderStory { readonly order: Order, readonly status: 'counts' | 'hidden' | 'coming' }

/** All that concern a server, narrowest first; those that are over are gone. */
export function ordersOn (orders: Orders, server: Named, nowMs: number): readonly OrderStory[] {
  let taken = false
  return scopesOf(server).flatMap(scope => orders.get(scope) ?? []).flatMap((order): readonly OrderStory[] => {
    if (order.untilMs !== undefined && order.untilMs <= nowMs) return []
    if (order.fromMs > nowMs) return [{ order, status: 'coming' }]
    const status = taken ? 'hidden' : 'counts'
    taken = true
    return [{ order, status }]
  })
}

export const showAction = (action: OrderAction): string => typeof action === 'string' ? action : `weight ${action.weightPercent}%`

/** As a reason: `drain by al: disk`, and for more than one server `drain of web/* by al: disk`. */
export const showOrder = ({ action, scope, by, reason }: Order): string => {
  const [author, why] = [clean(by, 40), clean(reason)] // of other letters than HAProxy shows, nothing may be left
  const whose = `${showAction(action)}${scope.endsWith('/*') ? ` of ${scope}` : ''} by ${author === '' ? 'an operator' : author}`
  return why === '' ? whose : `${whose}: ${why}`
}
