/** What will happen to a server next by itself, as far as one can say: for a person who wonders whether to wait. */
import type { Backend, Decision, Server } from './model.ts'
import { isInForce, nextOrderMs, orderFor, ordersOn, settles, showAction, type OrderStory } from './order.ts'
import { takesOut } from './severity.ts'
import type { BackendState, ServerState } from './state.ts'
import { showAge } from './text.ts'

/** Windows that begin later than this are for the list of windows. */
const SOON_MS = 24 * 3_600_000

/** `drain ends in 25m; maint in 3h (maintenance: backup)`. Undefined: as it is, as long as the polls say the same. */
export function outlook (backend: Backend, state: BackendState, index: number, decision: Decision, nowMs: number): string | undefined {
  const server = backend.servers[index]
  const own = state.servers.at(index)
  if (server === undefined || own === undefined) return undefined
  const stories = ordersOn(state.orders, server, nowMs)
  const order = orderFor(state.orders, server, nowMs)
  const parts = [
    ...orderEnds(stories, nowMs),
    ...(order !== undefined && settles(order) ? [] : polled(backend, server, own, decision, nowMs)),
    ...orderComes(stories, nowMs)
  ]
  return parts.length === 0 ? undefined : parts.join('; ')
}

const left = (untilMs: number, nowMs: number): string => showAge(Math.ceil(Math.max(0, untilMs - nowMs) / 1000) * 1000)

function orderEnds (stories: readonly OrderStory[], nowMs: number): readonly string[] {
  const own = stories.find(({ status }) => status === 'counts')?.order
  if (own === undefined) return []
  const { action, scope, untilMs, ramp } = own
  const stepMs = ramp === undefined ? Infinity : nextOrderMs(new Map([[scope, [own]]]), nowMs)
  const moves = stepMs < (untilMs ?? Infinity) ? [`the cap moves in ${left(stepMs, nowMs)}`] : []
  return untilMs === undefined ? moves : [...moves, `${showAction(action)} ends in ${left(untilMs, nowMs)}`]
}

function orderComes (stories: readonly OrderStory[], nowMs: number): readonly string[] {
  const coming = stories.filter(({ order, status }, i) => status === 'coming' && order.fromMs - nowMs <= SOON_MS &&
    !stories.slice(0, i).some(narrower => isInForce(narrower.order, order.fromMs)))
  const first = coming.toSorted((a, b) => a.order.fromMs - b.order.fromMs)[0]?.order
  return first === undefined ? [] : [`${showAction(first.action)} in ${left(first.fromMs, nowMs)} (${first.by}: ${first.reason})`]
}

function polled ({ policy }: Backend, server: Server, own: ServerState, { layer }: Decision, nowMs: number): readonly string[] {
  switch (own.phase) {
    case 'start': return []
    case 'held': return [own.holdUntilMs > nowMs ? `back in ${left(own.holdUntilMs, nowMs)} if it goes on passing` : 'back at its next pass']
    case 'out': return back(server, own)
    case 'in':
      if (layer === 'ramp' && own.rampFromMs !== undefined && policy.ramp !== undefined) return [`all its weight in ${left(own.rampFromMs + policy.ramp.forMs, nowMs)}`]
      return outSoon(server, own)
  }
}

/** The criterion that takes longest. */
function back ({ criteria }: Server, { checks }: ServerState): readonly string[] {
  const missing = criteria.flatMap((criterion, i) => {
    const check = checks[i]
    return check?.latched === true && takesOut(criterion) ? [{ name: criterion.name, passes: criterion.rise - check.good, fails: check.bad > 0 }] : []
  }).toSorted((a, b) => b.passes - a.passes)
  const [first] = missing
  if (first === undefined) return ['back at its next pass']
  const { name, passes, fails } = first
  return [`back when ${name} has passed ${passes === 1 ? 'once' : `${passes} times`}${fails ? '' : ' more'}`]
}

/** One that has begun to fail. */
function outSoon ({ criteria }: Server, { checks }: ServerState): readonly string[] {
  const failing = criteria.flatMap((criterion, i) => {
    const check = checks[i]
    if (check === undefined || check.doubt !== undefined || check.bad === 0 || !takesOut(criterion)) return []
    return [{ name: criterion.name, more: Math.max(1, criterion.fall - check.bad) }]
  }).toSorted((a, b) => a.more - b.more)
  const [first] = failing
  return first === undefined ? [] : [`out if ${first.name} fails ${first.more === 1 ? 'once' : `${first.more} times`} more`]
}
