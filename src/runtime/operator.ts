/**
 * The operator's hand: takes an order only when it is for servers we have, leaves enough of them in service, and can be
 * kept. What is refused changes nothing.
 */
import {
  AUTHOR_CHARACTERS_MAX, byScope, capOf, isInForce, ORDER_MS_MAX, ordersOn, REASON_CHARACTERS_MAX, showAction, showOrder, type Order, type OrderAction
} from '../core/order.ts'
import type { Refusal } from '../core/safety.ts'
import { clean, count, tidy } from '../core/text.ts'
import type { Clock } from './clock.ts'
import type { LogEvent } from './log.ts'
import type { Monitor } from './monitor.ts'
import { nearest } from './nearest.ts'
import { WINDOW_AUTHOR, type OrderBook } from './order-book.ts'
import type { Override } from './order-store.ts'
import type { Pollers } from './pollers.ts'
import { Throttle } from './throttle.ts'

/** The same refusal is told no more often. */
const REFUSED_EVERY_MS = 600_000

export interface OrderRequest {
  readonly scopes: readonly string[]
  readonly action: OrderAction
  readonly by: string
  readonly reason: string
  /** Unix ms; absent: until it is cleared. */
  readonly untilWallMs?: number
  /** Of a weight: walk there within this time. */
  readonly rampMs?: number
  /** Give it though too few are left. */
  readonly force: boolean
  readonly atMost?: number
}

type Refused = Extract<Given, { readonly ok: false }>
export type Given =
  | { readonly ok: true, readonly scopes: readonly string[], readonly notes: readonly string[] }
  | { readonly ok: false, readonly code: 'unknown' | 'invalid' | 'min_up' | 'at_most' | 'full' | 'disk', readonly detail: string, readonly more?: Readonly<Record<string, unknown>> }

export interface OperatorDeps {
  readonly clock: Pick<Clock, 'now' | 'wall'>
  readonly log: LogEvent
  readonly monitor: Monitor
  readonly book: OrderBook
  readonly pollers: Pollers
}

export class Operator {
  readonly #deps: OperatorDeps
  readonly #refused: Throttle

  constructor (deps: OperatorDeps) {
    this.#deps = deps
    this.#refused = new Throttle(deps.clock, REFUSED_EVERY_MS)
  }

  /** All of it, or nothing. */
  give (wanted: OrderRequest): Given {
    const { book } = this.#deps
    const request = { ...wanted, by: tidy(wanted.by, AUTHOR_CHARACTERS_MAX), reason: tidy(wanted.reason, REASON_CHARACTERS_MAX) }
    const wrong = this.#unknown(request.scopes) ?? this.#invalid(request)
    if (wrong !== undefined) return wrong
    const overrides = request.scopes.map(scope => this.#override(scope, request))
    const refused = this.#taken(request) ?? this.#refusal(this.#preview(overrides), request)
    if (refused !== undefined) {
      this.#tellRefused(request, refused)
      return refused
    }
    const before = book.overrides().filter(({ scope }) => request.scopes.includes(scope))
    const kept = book.set(overrides)
    if (kept !== 'set') return { ok: false, code: kept.why, detail: kept.detail }
    return { ok: true, scopes: request.scopes, notes: [...replaced(before, request.by), ...this.#notes(request, new Set(before.map(({ scope }) => scope)))] }
  }

  #refusal (orders: readonly Order[], request: OrderRequest): Refused | undefined {
    const why = this.#deps.monitor.refusal(orders, request.scopes, request)
    return why === undefined ? undefined : refusal(why, request)
  }

  /** Who wants at most so many out at once waits for others: a server that somebody else took out is not free for it. */
  #taken ({ scopes, action, by, atMost }: OrderRequest): Refused | undefined {
    const isOut = (what: OrderAction): boolean => typeof what === 'string' ? what !== 'up' && what !== 'ready' : what.weightPercent === 0
    if (atMost === undefined || !isOut(action)) return undefined
    const other = this.#deps.book.overrides().find(each => scopes.includes(each.scope) && each.by !== by && isOut(each.action))
    if (other === undefined) return undefined
    const detail = `${other.scope} is out already: ${showOrder({ ...other, fromMs: 0 })}. --queue waits until that has ended.`
    return { ok: false, code: 'at_most', detail, more: { out: [other.scope] } }
  }

  /** Who waits for room asks again and again: told once in a while. */
  #tellRefused ({ scopes, action, by, reason }: OrderRequest, { code: why, detail }: Refused): void {
    const fields = { scopes, action: showAction(action), by, reason, why }
    if (this.#refused.allow(JSON.stringify(fields))) this.#deps.log('override.refused', fields, `refused to ${by}: ${detail}`)
  }

  /** Ends the order of a scope. One that is not there is no mistake: it is what was wanted. */
  clear (scope: string, wantedBy: string, force = false): Given {
    const { book, monitor } = this.#deps
    const by = tidy(wantedBy, AUTHOR_CHARACTERS_MAX)
    const nobody = authorProblem(by)
    if (nobody !== undefined) return nobody
    const before = book.overrides().filter(override => override.scope === scope)
    const wrong = before.length > 0 ? undefined : this.#unknown([scope]) // a server that is gone may still have an order
    if (wrong !== undefined) return wrong
    // What it hid counts again: the end of an `up` or `ready` may take the last server out.
    const left = book.orders.filter(order => order.scope !== scope || isWindow(order))
    const refused = monitor.refusal(left, [scope], { force })
    if (refused !== undefined) return refusalOfClear(scope, refused)
    const cleared = book.clear(scope, by)
    if (cleared !== undefined && 'why' in cleared) return { ok: false, code: cleared.why, detail: cleared.detail }
    const none = cleared === undefined ? [`there was no order on ${scope}`] : []
    const known = monitor.concerned(scope).length > 0
    const gone = known ? [] : [`${scope} is not in the config: HAProxy keeps what it heard of it last, until it is told otherwise there`]
    return { ok: true, scopes: [scope], notes: [...none, ...replaced(before, by), ...gone, ...this.#stillOrdered(scope, known)] }
  }

  #unknown (scopes: readonly string[]): Given | undefined {
    const { monitor } = this.#deps
    for (const scope of scopes) {
      if (monitor.concerned(scope).length > 0) continue
      const [backend = '', server] = scope.split('/')
      const near = server === '*' ? nearest(backend, monitor.concerned('*/*').map(({ name }) => name)).map(name => `${name}/*`) : monitor.nearest(scope)
      const hint = near.length > 0 ? ` Did you mean ${near.join(' or ')}?` : ''
      return { ok: false, code: 'unknown', detail: `No ${server === '*' ? `backend ${clean(backend)}` : `server ${clean(scope)}`} in the config.${hint}` }
    }
    return undefined
  }

  #invalid ({ scopes, by, reason, untilWallMs, rampMs }: OrderRequest): Given | undefined {
    const now = this.#deps.clock.wall()
    const nobody = authorProblem(by)
    if (nobody !== undefined) return nobody
    if (reason === '') return { ok: false, code: 'invalid', detail: 'The reason says nothing that can be read: say why.' }
    const twice = scopes.find((scope, at) => scopes.indexOf(scope) !== at)
    if (twice !== undefined) return { ok: false, code: 'invalid', detail: `${twice} is named twice.` }
    if (untilWallMs === undefined) return undefined
    if (untilWallMs <= now) return { ok: false, code: 'invalid', detail: `The order would be over already: it is ${new Date(now).toISOString()}.` }
    if (untilWallMs - now > ORDER_MS_MAX) return { ok: false, code: 'invalid', detail: 'An order holds at most a year, or until it is cleared: what is for longer belongs in the config.' }
    if (rampMs !== undefined && rampMs * 2 > untilWallMs - now) {
      return { ok: false, code: 'invalid', detail: 'The ramp must take at most half of the time: the weight walks there and back.' }
    }
    return undefined
  }

  #override (scope: string, { action, by, reason, untilWallMs, rampMs }: OrderRequest): Override {
    const { book, clock } = this.#deps
    const ramp = rampMs === undefined ? {} : { rampMs, rampFromPercent: capOf(byScope(book.orders), scope, clock.now()) }
    return {
      scope, action, by, reason, fromWallMs: clock.wall(),
      ...(untilWallMs === undefined ? {} : { untilWallMs }), ...ramp
    }
  }

  /** All orders as they would be: the later of one scope counts. */
  #preview (overrides: readonly Override[]): readonly Order[] {
    const fromMs = this.#deps.clock.now()
    return [...this.#deps.book.orders, ...overrides.map(({ scope, action, by, reason }): Order => ({ scope, action, by, reason, fromMs }))]
  }

  /** What the order does not do, though one might think so. */
  #notes ({ scopes, action }: OrderRequest, before: ReadonlySet<string>): readonly string[] {
    const { monitor, book } = this.#deps
    return scopes.flatMap(scope => {
      const concerned = monitor.concerned(scope)
      const kept = book.overrides().some(override => override.scope === scope)
      const gone = action === 'ready' && !kept && !before.has(scope) ? [`${scope} had no order to be ready from`] : []
      const flat = typeof action === 'string' || action.weightPercent === 0 ? [] : concerned.filter(({ policy }) => policy.weight === undefined)
        .map(({ name }) => `${name} has weight: off, so a cap changes nothing there (0% takes out)`)
      return [...gone, ...flat, ...this.#narrower(scope), ...this.#unheard(scope)]
    })
  }

  #narrower (scope: string): readonly string[] {
    if (!scope.endsWith('/*')) return []
    const now = this.#deps.clock.now()
    const others = this.#deps.book.orders.filter(other => other.scope !== scope && isWithin(other.scope, scope) && isInForce(other, now))
    return others.map(other => `${other.scope} keeps its own: ${showOrder(other)}`)
  }

  #unheard (scope: string): readonly string[] {
    const { monitor, pollers, clock } = this.#deps
    const servers = monitor.concerned(scope).flatMap(({ name, servers }) => servers.map(server => `${name}/${server.name}`)).filter(id => isWithin(id, scope))
    const unasked = servers.filter(id => !pollers.asks(id, clock.now()))
    if (unasked.length === 0) return []
    return [`no HAProxy asks for ${unasked.length > 3 ? count(unasked.length, 'of these server') : unasked.join(', ')}: nobody hears of it there`]
  }

  /** After one order ended, another may count. */
  #stillOrdered (scope: string, known: boolean): readonly string[] {
    if (!known) return []
    const [backend = '*', name = '*'] = scope.split('/')
    const still = ordersOn(byScope(this.#deps.book.orders), { backend, name }, this.#deps.clock.now()).find(({ status }) => status === 'counts')?.order
    const wider = still === undefined || still.action === 'ready' ? [] : [`${scope} now has another order, ${showOrder(still)}: hcf ready '${scope}' --reason … exempts it`]
    return [...wider, ...this.#narrower(scope)]
  }
}

function authorProblem (by: string): Refused | undefined {
  if (by === '') return { ok: false, code: 'invalid', detail: 'The author has no name that can be read: say who you are.' }
  return by === WINDOW_AUTHOR ? { ok: false, code: 'invalid', detail: `${WINDOW_AUTHOR} is the author of the windows of the config: say who you are.` } : undefined
}

/** Whether an order comes from the config. */
export const isWindow = ({ by }: Pick<Order, 'by'>): boolean => by === WINDOW_AUTHOR

/** Whether one scope, or a server, lies within another. */
export function isWithin (inner: string, outer: string): boolean {
  return outer === '*/*' || inner === outer || (outer.endsWith('/*') && inner.startsWith(outer.slice(0, -1)))
}

/** Whose orders have ended with this one. */
const replaced = (before: readonly Override[], by: string): readonly string[] =>
  before.filter(old => old.by !== by).map(old => `this ended ${showOrder({ ...old, fromMs: 0 })}`)

/** Nothing is waited for here: what the order hid counts as long as it is there. */
function refusalOfClear (scope: string, refused: Refusal): Refused {
  const { backend } = refused
  const much = refused.why === 'min_up'
    ? `${backend} would have ${refused.left.length} of ${count(refused.of, 'server')} fit and in service, and min_up is ${refused.minUp}`
    : `more than ${count(refused.atMost, 'server')} of ${backend} would be out by order (policy.at_most_drained)`
  return { ok: false, code: refused.why, detail: `Without the order on ${scope} what it hides counts again, and ${much}. --force ends it all the same.`, more: { backend } }
}

function refusal (refused: Refusal, { atMost }: OrderRequest): Refused {
  const { backend } = refused
  if (refused.why === 'min_up') {
    const { left, of, minUp } = refused
    const who = left.length === 0 ? 'nobody fit would be left' : `left would be ${left.join(', ')}`
    const detail = `${backend} would have ${left.length} of ${count(of, 'server')} fit and in service (${who}), and min_up is ${minUp}. --force gives the order all the same.`
    return { ok: false, code: 'min_up', detail, more: { backend, left, min_up: minUp } }
  }
  const { out, more, atMost: most } = refused
  const limit = `${backend} may have at most ${count(most, 'server')} out by order${most === atMost ? '' : ' (policy.at_most_drained)'}`
  if (more > most) return { ok: false, code: 'invalid', detail: `${limit}, and this order takes out ${more}: give it for fewer at a time${most === atMost ? '.' : ', or with --force.'}` }
  const cure = most === atMost ? '--queue waits for room.' : '--queue waits for room, --force gives the order all the same.'
  const detail = `${limit}, and ${out.join(', ')} ${out.length === 1 ? 'is' : 'are'} out by order now. ${cure}`
  return { ok: false, code: 'at_most', detail, more: { backend, out, at_most: most } }
}
