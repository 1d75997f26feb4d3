/** What the agent knows, in the words of the admin port. Reads; changes nothing. */
import type { GivenBody, OverrideView, PollersBody, ServerBody, ServerStatus, StatusBody } from '../admin/api.ts'
import { encodeReply } from '../agent/protocol.ts'
import type { BackendStory } from '../core/explain.ts'
import { byScope, capOf, isInForce, ordersOn, type Order } from '../core/order.ts'
import type { Clock } from '../runtime/clock.ts'
import type { ServerSummary } from '../runtime/held.ts'
import type { Monitor } from '../runtime/monitor.ts'
import { isWindow, isWithin } from '../runtime/operator.ts'
import type { OrderBook } from '../runtime/order-book.ts'
import type { Pollers } from '../runtime/pollers.ts'

export interface Known {
  readonly clock: Pick<Clock, 'now' | 'wall'>
  readonly monitor: Monitor
  readonly book: OrderBook
  readonly pollers: Pollers
}

export function statusOf (known: Known, about: Pick<StatusBody, 'version' | 'uptimeMs' | 'journal'>): StatusBody {
  const backends = known.monitor.views()
  return {
    ...about,
    backends: backends.map(({ name, mode, story }) => ({ backend: name, mode, ...plain(story) })),
    servers: backends.flatMap(({ servers }) => servers.map(view => serverStatus(known, view))),
    overrides: [...overrideViews(known)],
    ...pollersOf(known)
  }
}

/** The schemas promise nothing about what is read-only. */
const plain = ({ kept, outByOrder, ...story }: BackendStory): ServerBody['backend'] => ({ ...story, kept: [...kept], outByOrder: [...outByOrder] })

function serverStatus ({ clock, pollers }: Known, { id, decision, sentence, reply, sinceMs, next }: ServerSummary): ServerStatus {
  const { state, weightPercent, layer, because } = decision
  return {
    server: id, state, weightPercent, layer, because: [...because], sentence, reply: encodeReply(reply).trimEnd(),
    forMs: age(clock, sinceMs), ...(next === undefined ? {} : { next }), asked: pollers.asks(id, clock.now())
  }
}

const age = (clock: Pick<Clock, 'now'>, sinceMs: number): number => Math.max(0, Math.round(clock.now() - sinceMs))

export function serverOf (known: Known, id: string): ServerBody | undefined {
  const { clock, monitor, pollers } = known
  const view = monitor.view(id)
  if (view === undefined) return undefined
  return {
    ...serverStatus(known, view),
    backend: plain(view.backend),
    criteria: view.criteria.map(({ sinceMs, ...criterion }) => ({ ...criterion, ...(sinceMs === undefined ? {} : { forMs: age(clock, sinceMs) }) })),
    overrides: view.orders.map(({ order, status }) => overrideView(known, order, status)),
    pollers: pollers.of(id).map(({ from, lastMs, times, intervalMs, reply }) => ({
      from,
      agoMs: age(clock, lastMs),
      ...(intervalMs === undefined ? {} : { intervalMs: Math.round(intervalMs) }),
      times,
      told: encodeReply(reply).trimEnd(),
      heard: lastMs >= view.sinceMs
    }))
  }
}

export function pollersOf ({ clock, monitor, pollers }: Known): PollersBody {
  const now = clock.now()
  return {
    pollers: pollers.all(now).map(({ from, servers, intervalMs, lastMs, silent }) =>
      ({ from, servers, ...(intervalMs === undefined ? {} : { intervalMs: Math.round(intervalMs) }), agoMs: age(clock, lastMs), silent })),
    unasked: monitor.ids.filter(id => !pollers.asks(id, now)),
    unknown: pollers.unknowns(now).map(({ asked, from, near, times, lastMs }) => ({ asked, from, near: [...near], times, agoMs: age(clock, lastMs) }))
  }
}

/** Every order and window there is, by scope: those in force before those to come. */
export function overrideViews (known: Known): readonly OverrideView[] {
  const { book, clock } = known
  const orders = byScope(book.orders)
  const now = clock.now()
  return [...orders.entries()].toSorted(([a], [b]) => a < b ? -1 : 1).flatMap(([scope, each]) => {
    const [backend = '*', name = '*'] = scope.split('/')
    const stories = ordersOn(orders, { backend, name }, now)
    return each.filter(order => order.untilMs === undefined || order.untilMs > now).map(order =>
      // A narrower order hides this one for some servers only: among its own scope it counts.
      overrideView(known, order, order.fromMs > now ? 'coming' : firstOf(stories, scope) === order ? 'counts' : 'hidden'))
  })
}

const firstOf = (stories: ReturnType<typeof ordersOn>, scope: string): Order | undefined =>
  stories.find(({ order, status }) => order.scope === scope && status !== 'coming')?.order

function overrideView ({ book, clock }: Known, order: Order, status: OverrideView['status']): OverrideView {
  const { scope, action, by, reason, fromMs, untilMs, ramp } = order
  const now = clock.now()
  const moment = (ms: number): string => new Date(book.wallMs(ms)).toISOString()
  const weight = typeof action === 'string' ? {} : { weightPercent: action.weightPercent }
  const walks = ramp === undefined || typeof action === 'string' || !isInForce(order, now) ? {} : { nowPercent: capOf(byScope([order]), scope, now), rampMs: Math.round(ramp.overMs) }
  return {
    scope, action: typeof action === 'string' ? action : 'weight', ...weight, ...walks, by, reason,
    kind: isWindow(order) ? 'window' : 'override', status,
    from: moment(fromMs),
    ...(untilMs === undefined ? {} : { until: moment(untilMs), endsInMs: Math.round(untilMs - now) }),
    ...(fromMs > now ? { beginsInMs: Math.round(fromMs - now) } : { ageMs: Math.round(now - fromMs) })
  }
}

/** What an order has come to, for the servers it is about. */
export function givenOf (known: Known, scopes: readonly string[], notes: readonly string[]): GivenBody {
  const names = new Set(scopes.flatMap(scope => known.monitor.concerned(scope)).map(({ name }) => name))
  const concerned = known.monitor.views(backend => names.has(backend)).map(({ name, story, servers }) =>
    ({ name, story, servers: servers.filter(({ id }) => scopes.some(scope => isWithin(id, scope))) }))
  return {
    overrides: overrideViews(known).filter(({ scope, kind }) => kind === 'override' && scopes.includes(scope)),
    servers: concerned.flatMap(({ servers }) => servers.map(view => serverStatus(known, view))),
    backends: concerned.map(({ name, story }) => ({ backend: name, inService: story.inService, servers: story.servers })),
    notes: [...notes]
  }
}
