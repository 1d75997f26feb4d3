/**
 * The read path: what should HAProxy do with a server now? Pure and cheap: the same arguments give the same decision
 * in the agent, in `explain` and on the status page, and asking changes nothing. The first rule that matches answers.
 */
import { floorAt } from './floor.ts'
import { medianMs, peerCap } from './latency.ts'
import type { Backend, Decision, Server } from './model.ts'
import { orderFor, showOrder, type EffectiveOrder } from './order.ts'
import { missing } from './phase.ts'
import type { Policy } from './policy.ts'
import { REACH } from './reach.ts'
import { isAsked, isProving, outClass, reasonOf, reasons } from './severity.ts'
import { isOpen, isStale } from './stale.ts'
import type { BackendState, Doubt, ServerState } from './state.ts'
import { count, showDuration } from './text.ts'
import { criteriaCap, keptWeight, shareOf, weightNow } from './weight.ts'

/** `index` is the server's place in `backend.servers`; `nowMs` the clock of the samples. */
export function decide (backend: Backend, state: BackendState, index: number, nowMs: number): Decision {
  const server = backend.servers[index]
  if (server === undefined) throw new RangeError(`no server ${index} in ${backend.name}`)
  const order = orderFor(state.orders, server, nowMs)
  if (order === undefined) return decidePolled(backend, state, index, nowMs)
  return ordered(order, server, backend.policy) ?? capped(order, decidePolled(backend, state, index, nowMs), backend.policy)
}

/** What an order says by itself. */
function ordered (order: EffectiveOrder, server: Server, policy: Policy): Decision | undefined {
  const { action } = order
  const because = [showOrder(order)]
  if (typeof action === 'string') return { state: action, weightPercent: shareOf(server, 100, policy), layer: 'order', because }
  return action.weightPercent === 0 ? { state: 'up', weightPercent: 0, layer: 'order', because } : undefined
}

/** An order that caps the weight never raises it, never brings anybody in, and takes nobody out: only 0 does. */
function capped (order: EffectiveOrder, polled: Decision, { weight, baseWeight }: Policy): Decision {
  if (typeof order.action === 'string' || weight === undefined || polled.state !== 'up') return polled
  const weightPercent = Math.max(order.action.weightPercent, Math.ceil(100 / baseWeight))
  if (polled.weightPercent <= weightPercent) return polled
  return { ...polled, weightPercent, layer: 'order', because: [showOrder(order), ...polled.because] }
}

/** What the polls say, whatever the operator wants. */
export function decidePolled (backend: Backend, state: BackendState, index: number, nowMs: number): Decision {
  const { policy } = backend
  const server = backend.servers[index]
  const own = state.servers.at(index)
  if (server === undefined || own === undefined) throw new RangeError(`no server ${index} in ${backend.name}`)
  if (isOpen(own, policy, nowMs)) return stale(policy, own)

  const verdict = verdictOf(backend, state, index, server, own, nowMs)
  return observed(policy, isStale(own, policy, nowMs) ? marked(verdict, policy) : verdict)
}

function verdictOf (backend: Backend, state: BackendState, index: number, server: Server, own: ServerState, nowMs: number): Decision {
  switch (own.phase) {
    case 'start': return start(backend, state, index, server, own, nowMs)
    case 'in': return inService(backend, state, server, own, nowMs)
    case 'out':
    case 'held': return outOrKept(backend, state, index, server, own, nowMs)
  }
}

function start (backend: Backend, state: BackendState, index: number, server: Server, own: ServerState, nowMs: number): Decision {
  const kept = own.toldOut ? floorAt(backend, state, nowMs).kept.get(index) : undefined
  if (kept !== undefined) {
    const weightPercent = shareOf(server, keptWeight(backend, state, kept, nowMs), backend.policy)
    return { state: 'up', weightPercent, layer: 'floor', because: ['kept up by the floor: no verdict yet'] }
  }
  const unseen = missing(server, own)
  const why = unseen.length > 0 ? [`no sample yet of ${unseen.join(', ')}`] : unproven(server, own)
  return { state: 'unknown', weightPercent: 100, layer: 'start', because: ['no verdict yet', ...why] }
}

function stale ({ staleOpenMs = 0 }: Policy, { phase }: ServerState): Decision {
  const what = phase === 'start' ? 'no verdict' : 'not seen'
  return { state: 'up', weightPercent: 100, layer: 'stale', because: [`stale: ${what} for over ${showDuration(staleOpenMs)}, so up`] }
}

function marked (decision: Decision, { staleAfterMs }: Policy): Decision {
  const [first = 'ok', ...rest] = decision.because
  return { ...decision, because: [`stale, not seen for over ${showDuration(staleAfterMs)}: ${first}`, ...rest] }
}

function observed ({ mode }: Policy, decision: Decision): Decision {
  const { state, weightPercent, because } = decision
  if (mode === 'enforce' || state === 'unknown' || (state === 'up' && weightPercent === 100)) return decision
  const would = state === 'up' ? `${weightPercent}%` : state
  const [first = 'ok', ...rest] = because
  return { state: 'up', weightPercent: 100, layer: 'observe', because: [`observe, would be ${would}: ${first}`, ...rest] }
}

function inService (backend: Backend, state: BackendState, server: Server, own: ServerState, nowMs: number): Decision {
  const { percent, ramps } = weightNow(backend, state, own, nowMs)
  const weightPercent = shareOf(server, percent, backend.policy)
  const because = reasons(server, own)
  const doubts = doubted(server, own)
  if (doubts.length > 0) return { state: 'up', weightPercent, layer: 'gate', because: [...doubts, ...because] }
  if (ramps) return { state: 'up', weightPercent, layer: 'ramp', because: ['coming back step by step', ...because] }
  if (percent < 100 && criteriaCap(server, own) === 100) {
    return { state: 'up', weightPercent, layer: 'weight', because: [lighter(backend, state, own), ...because] }
  }
  return { state: 'up', weightPercent, layer: 'criteria', because }
}

const lighter = (backend: Backend, state: BackendState, own: ServerState): string =>
  peerCap(backend, state, own) < 100 ? `slower than its peers: ${showDuration(medianMs(own) ?? 0)}` : 'on its way back to its whole weight'

/** What would take it out if we believed it: why we do not, and what it is. */
const doubted = ({ criteria }: Server, { checks }: ServerState): readonly string[] => criteria.flatMap((criterion, i) => {
  const check = checks[i]
  return check?.doubt === undefined ? [] : [showDoubt(criterion.name, check.doubt), reasonOf(criterion, check)]
})

/** Why there are no others to compare with. */
export const nobodyToAsk = (criterion: string): string =>
  criterion === REACH ? 'no other has carried traffic long enough to compare' : 'no other has been looked at for it yet'

function showDoubt (name: string, doubt: Doubt): string {
  if (doubt.why === 'strain') return `${name} fails, but the others are strained: not taken out`
  if (doubt.why === 'queue') return `${name} fails, but others have only just gone out: not taken out yet`
  const { asked, passing, failing } = doubt
  if (asked === 0) return `${name} fails, but ${nobodyToAsk(name)}: not taken out`
  if (passing + failing === asked) return `${name} fails, but ${failing} of ${count(asked, 'peer')} ${failing === 1 ? 'fails' : 'fail'} it too: not taken out`
  return `${name} fails, but ${passing === 0 ? 'none' : `only ${passing}`} of ${count(asked, 'peer')} ${passing > 1 ? 'have' : 'has'} passed it since: not taken out`
}

function outOrKept (backend: Backend, state: BackendState, index: number, server: Server, own: ServerState, nowMs: number): Decision {
  const kind = outClass(server, own)
  const because = [...waits(server, own, backend.policy), ...reasons(server, own)]
  const [first = kind, ...rest] = because
  if (floorAt(backend, state, nowMs).kept.has(index)) {
    const weightPercent = shareOf(server, keptWeight(backend, state, kind, nowMs), backend.policy)
    return { state: 'up', weightPercent, layer: 'floor', because: [`kept up by the floor: ${first}`, ...rest] }
  }
  const layer = own.phase === 'held' ? 'hold' : 'criteria'
  return { state: kind === 'drain' ? 'drain' : 'down', weightPercent: shareOf(server, 100, backend.policy), layer, because }
}

/** Why it is not back though nothing counts against it any more. */
function waits (server: Server, own: ServerState, { hold }: Policy): readonly string[] {
  if (own.phase === 'held') {
    return [hold === undefined ? 'passes again' : `passes again, waits: went out ${count(own.flapsMs.length, 'time')} in ${showDuration(hold.windowMs)}`]
  }
  if (own.checks.some(check => check?.latched)) return []
  const why = unproven(server, own)
  return why.length > 0 ? why : ['nothing fails any more, waits for its next look']
}

/** How far the criteria have come that keep a server from its verdict. */
const unproven = ({ criteria }: Server, own: ServerState): readonly string[] => criteria.flatMap((criterion, i) => {
  const check = own.checks[i]
  if (check === undefined || !isAsked(criterion, check)) return []
  if (check.bad > 0) return [`${criterion.name}: failed ${Math.min(check.bad, criterion.fall)} of ${criterion.fall} times (${check.verdict.reason})`]
  return isProving(criterion, check, own) ? [reasonOf(criterion, check)] : []
})
