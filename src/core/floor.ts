/**
 * The floor: never too few servers in service because of polled criteria. HAProxy has no such guard: when all servers
 * are down its clients get 503 from a farm that could still have served most of them.
 */
import type { Backend, Server } from './model.ts'
import { nextOrderMs, orderFor, settles } from './order.ts'
import type { Policy } from './policy.ts'
import { outClass } from './severity.ts'
import { isOpen, opensMs } from './stale.ts'
import type { BackendState, Floor, OutClass, ServerState } from './state.ts'

/** Least bad first. */
const CLASSES: readonly OutClass[] = ['held', 'drain', 'fail', 'noconn', 'noreply', 'dead']
/** Those that may be able to carry load: for the rest, more of them in service is more failed requests. */
const ABLE: ReadonlySet<OutClass> = new Set<OutClass>(['held', 'drain', 'noconn'])
/** When all in service are in trouble too, one that is only silent is no worse than they are. */
const ABLE_IN_NEED: ReadonlySet<OutClass> = new Set<OutClass>([...ABLE, 'noreply'])

export const EMPTY_FLOOR: Floor = { kept: new Map(), fit: 0, untilMs: 0 }

/** How many servers shall be in service, whatever their criteria say. */
export function need ({ policy: { minUp, maxOutPercent }, servers: { length } }: Backend): number {
  const mayBeOut = maxOutPercent > 0 ? Math.max(1, Math.floor(length * maxOutPercent / 100)) : 0
  return Math.min(length, Math.max(minUp, length - mayBeOut))
}

interface Candidate { readonly index: number, readonly kind: OutClass, readonly sinceMs: number }

/** Who is kept, now. The operator's orders count: whom they took out is out, and is never brought back. */
export function floorOf (backend: Backend, state: BackendState, nowMs: number): Floor {
  const candidates: Candidate[] = []
  let fit = 0
  let untilMs = nextOrderMs(state.orders, nowMs)
  for (let index = 0; index < backend.servers.length; index += 1) {
    const server = backend.servers[index]
    const own = state.servers.at(index)
    if (server === undefined || own === undefined) continue
    switch (standing(backend, state, server, own, nowMs)) {
      case 'fit': fit += 1; break
      case 'ordered out': break
      case 'out':
        candidates.push({ index, kind: outClass(server, own), sinceMs: own.sinceMs })
        untilMs = Math.min(untilMs, opensMs(own, backend.policy))
    }
  }
  const least = need(backend)
  return { kept: choose(candidates, fit, least, { wanted: Math.min(backend.servers.length, least + state.extra), able: ableOf(state) }), fit, untilMs }
}

/** Who comes back for the load, while there are too few to carry it. */
export const ableOf = ({ tally }: BackendState): ReadonlySet<OutClass> => tally.troubled >= tally.in ? ABLE_IN_NEED : ABLE

export function standing (backend: Backend, { orders }: BackendState, server: Server, own: ServerState, nowMs: number): 'fit' | 'out' | 'ordered out' {
  const order = orderFor(orders, server, nowMs)
  if (order !== undefined && settles(order)) return order.action === 'up' ? 'fit' : 'ordered out'
  return isFit(own, backend.policy, nowMs) ? 'fit' : 'out'
}

/** In service by its own verdict, or for want of a recent one. */
export function isFit (state: ServerState, policy: Policy, nowMs: number): boolean {
  if (state.phase === 'in' || (state.phase === 'start' && !state.toldOut)) return true
  return isOpen(state, policy, nowMs)
}

/** The least bad, within a class the one most recently in service, and only as many as are missing. */
function choose (
  candidates: Candidate[], fit: number, least: number, { wanted, able }: { readonly wanted: number, readonly able: ReadonlySet<OutClass> }
): Floor['kept'] {
  const kept = new Map<number, OutClass>()
  if (candidates.length === 0 || fit >= wanted) return kept
  candidates.sort((a, b) => CLASSES.indexOf(a.kind) - CLASSES.indexOf(b.kind) || b.sinceMs - a.sinceMs || a.index - b.index)
  for (const { index, kind } of candidates) {
    if (fit + kept.size < (able.has(kind) ? wanted : least)) kept.set(index, kind)
  }
  return kept
}

/** The floor now: the one at hand while it holds. */
export const floorAt = (backend: Backend, state: BackendState, nowMs: number): Floor =>
  nowMs < state.floor.untilMs ? state.floor : floorOf(backend, state, nowMs)

/** Additive increase while strained, one step an `upMs`; slow decrease after. */
export function adapt (backend: Backend, state: BackendState, strained: boolean, nowMs: number): Pick<BackendState, 'extra' | 'strainSinceMs' | 'extraAtMs'> {
  const { strain } = backend.policy
  const { extra, extraAtMs, strainSinceMs } = state
  if (strain === undefined) return { extra: 0, extraAtMs, strainSinceMs: undefined }
  if (!strained) {
    const falls = extra > 0 && nowMs - extraAtMs >= strain.downMs
    return { extra: falls ? extra - 1 : extra, extraAtMs: falls ? nowMs : extraAtMs, strainSinceMs: undefined }
  }

  const since = strainSinceMs ?? nowMs
  const same = { extra, extraAtMs, strainSinceMs: since }
  if (nowMs - since < strain.upMs || nowMs - extraAtMs < strain.upMs) return same
  const { length } = backend.servers
  const { fit, kept } = floorAt(backend, state, nowMs)
  const wanted = Math.min(length, fit + kept.size + Math.max(1, Math.floor(length * strain.stepPercent / 100)))
  return { ...same, extra: Math.max(extra, wanted - need(backend)), extraAtMs: nowMs }
}
