/** The write path: one event in, the next state of a backend out. Pure, so a journal can be replayed. */
import type { Event, SampleEvent } from './event.ts'
import { ableOf, adapt, EMPTY_FLOOR, floorOf, isFit } from './floor.ts'
import { fold, withServer } from './fold.ts'
import type { Outside } from './gate.ts'
import { itemsOf } from './list.ts'
import type { Backend } from './model.ts'
import { NO_ORDERS } from './order.ts'
import { move, newServer } from './phase.ts'
import { reachedBy } from './reach.ts'
import { outClass } from './severity.ts'
import type { BackendState, ServerState } from './state.ts'
import { isStrained, tallyOf } from './strain.ts'
import { slew } from './weight.ts'

const NOBODY: Outside = () => []

export const newBackend = (backend: Backend, nowMs: number): BackendState => rebuilt(backend, {
  servers: itemsOf(backend.servers.map(() => newServer(nowMs))), orders: NO_ORDERS, ejectsMs: [], extra: 0, extraAtMs: -1, strainSinceMs: undefined
}, nowMs)

/** The state with all that is derived from it. */
export function rebuilt (backend: Backend, state: Omit<BackendState, 'tally' | 'floor'>, nowMs: number): BackendState {
  return withFloor(backend, { ...state, tally: tallyOf(backend, state.servers), floor: EMPTY_FLOOR }, nowMs)
}

/** `outside`: who can vouch for our own network, for a backend of one node. */
export function advance (backend: Backend, state: BackendState, event: Event, outside: Outside = NOBODY): BackendState {
  if (event.kind === 'orders') return withFloor(backend, { ...state, orders: event.orders }, event.atMs)
  const own = fold(backend, state, event, outside)
  return own === undefined ? state : settle(backend, state, event, own)
}

/** What the sample means for the server's phase and weight, and then for all. */
function settle (backend: Backend, state: BackendState, { server: index, sample }: SampleEvent, own: ServerState): BackendState {
  const nowMs = sample.endMs
  const server = backend.servers[index]
  const before = state.servers.at(index)
  const seen = withServer(backend, state, index, own)
  const moved = move(backend, seen, index, nowMs, reachedBy(sample) === 'ok')
  if (server === undefined || before === undefined || moved === undefined) return state

  const known = moved === own ? seen : withServer(backend, seen, index, moved)
  const after = slew(backend, known, server, moved, nowMs)
  const ejected = before.phase === 'in' && after.phase === 'out'
  const whole = after === moved ? known : withServer(backend, known, index, after)
  const next = ejected ? { ...whole, ejectsMs: lately(backend, state, nowMs) } : whole

  const moves = standing(backend, index, before, nowMs) !== standing(backend, index, after, nowMs)
  const others = next.extra > 0 && ableOf(next) !== ableOf(state)
  const floored = moves || others || nowMs >= state.floor.untilMs ? withFloor(backend, next, nowMs) : next
  return adapted(backend, floored, nowMs)
}

const lately = ({ policy: { burst } }: Backend, { ejectsMs }: BackendState, nowMs: number): readonly number[] =>
  [...ejectsMs.filter(ms => ms > nowMs - (burst?.withinMs ?? 0)), nowMs]

/** All of a server that the floor looks at. */
function standing (backend: Backend, index: number, state: ServerState, nowMs: number): string {
  const server = backend.servers[index]
  if (server === undefined || isFit(state, backend.policy, nowMs)) return 'fit'
  return `${outClass(server, state)} ${state.sinceMs}`
}

function adapted (backend: Backend, state: BackendState, nowMs: number): BackendState {
  const { extra, extraAtMs, strainSinceMs } = adapt(backend, state, isStrained(backend.policy, state.tally), nowMs)
  if (extra === state.extra && extraAtMs === state.extraAtMs && strainSinceMs === state.strainSinceMs) return state
  const next = { ...state, extra, extraAtMs, strainSinceMs }
  return extra === state.extra ? next : withFloor(backend, next, nowMs)
}

const withFloor = (backend: Backend, state: BackendState, nowMs: number): BackendState => ({ ...state, floor: floorOf(backend, state, nowMs) })
