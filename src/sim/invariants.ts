/** What must hold of every answer, whatever happens to the farm. Checked after each agent check of a simulated history. */
import { parseReply } from '../agent/protocol.ts'
import { floorAt, floorOf, need } from '../core/floor.ts'
import { serverId, type Backend } from '../core/model.ts'
import { orderFor, settles, type EffectiveOrder } from '../core/order.ts'
import { isOpen, isStale } from '../core/stale.ts'
import type { BackendState } from '../core/state.ts'

/** One agent check of a simulation, as HAProxy and the agent see it. */
export interface Seen {
  readonly atMs: number
  /** The server that was asked about, by its index in the backend. */
  readonly server: number
  /** The answer as it went on the wire, without its line feed. */
  readonly line: string
  /** What each server of the backend would be answered at this moment, in their order. */
  readonly lines: readonly string[]
  readonly backend: Backend
  readonly state: BackendState
}

/** What is wrong with an answer, if anything. */
export type Invariant = (seen: Seen, previous: Seen | undefined) => string | undefined

const LINE_BYTES_MAX = 128
const GRAMMAR = /^(?:(?:(?:ready|drain|maint) )?(?:up|down|stopped|fail)(?: \d{1,3}%)?(?: #[\x20-\x7e]*)?|# [\x20-\x7e]*)$/

interface Meant { readonly admin: string, readonly health: string, readonly weightPercent: number }

/** What a line leaves a server with that HAProxy knows nothing else of. */
function meant (line: string): Meant {
  const { admin = 'ready', health, weight } = parseReply(line)
  return { admin, health: health ?? 'up', weightPercent: weight === undefined ? 100 : Number.parseInt(weight, 10) }
}

/** By name, in the order they are checked. */
export const INVARIANTS: Readonly<Record<string, Invariant>> = {
  grammar: ({ line }) => GRAMMAR.test(line) ? undefined : `is no reply of our grammar: ${JSON.stringify(line)}`,

  length: ({ line }) => line.length < LINE_BYTES_MAX
    ? undefined
    : `has ${line.length + 1} bytes with its line feed, must have at most ${LINE_BYTES_MAX}`,

  'one restriction': ({ line }) => {
    const { admin, health, weightPercent } = meant(line)
    const restrictions = [admin !== 'ready', health !== 'up', weightPercent < 100].filter(Boolean).length
    return restrictions <= 1 ? undefined : `restricts in ${restrictions} ways, must be at most one: ${line}`
  },

  weight: seen => {
    const { line, backend, server } = seen
    const { weightPercent } = meant(line)
    if (weightPercent > 100) return `raises a weight: ${line}`
    if (backend.policy.baseWeight * weightPercent >= 100) return undefined
    return isOrderedOut(seen, server) ? undefined : `takes a server out by weight, which only an operator may: ${line}`
  },

  floor: seen => {
    const { backend, server } = seen
    const ours = backend.servers.map((_, i) => i).filter(i => !isOrderedOut(seen, i))
    const up = ours.filter(i => takesTraffic(seen, i)).length
    const least = Math.min(need(backend), ours.length)
    if (up < least) return `leaves ${up} servers in service, must leave ${least} (min_up ${backend.policy.minUp}, max_out ${backend.policy.maxOutPercent}%)`
    const { fit } = floorOf(backend, seen.state, seen.atMs)
    const { kept } = floorAt(backend, seen.state, seen.atMs) // what was remembered, and counts
    const wanted = Math.min(backend.servers.length, need(backend) + seen.state.extra)
    return kept.has(server) && fit >= wanted ? `is kept though ${fit} are fit and ${wanted} are wanted` : undefined
  },

  'no opinion only at the start, and not for long': ({ atMs, line, server, state, backend }) => {
    const own = state.servers.at(server)
    if (parseReply(line).health !== undefined || own === undefined) return undefined
    if (own.phase !== 'start') return `has no opinion though it has had a verdict: ${line}`
    return isOpen(own, backend.policy, atMs) ? `has still no opinion: ${line}` : undefined
  },

  'old news is marked, then given up': seen => {
    const { atMs, line, server, state, backend } = seen
    const own = state.servers.at(server)
    if (own === undefined || orderOf(seen, server) !== undefined) return undefined
    const { admin, health, weightPercent } = meant(line)
    const isUp = admin === 'ready' && health === 'up' && weightPercent === 100
    if (isOpen(own, backend.policy, atMs)) return isUp ? undefined : `holds to a verdict that is too old: ${line}`
    return isStale(own, backend.policy, atMs) && !line.includes('stale') ? `does not say that it is old: ${line}` : undefined
  },

  'observe only watches': seen => {
    const { line, server, backend } = seen
    if (backend.policy.mode !== 'observe' || orderOf(seen, server) !== undefined) return undefined
    const { admin, health, weightPercent } = meant(line)
    return admin === 'ready' && health === 'up' && weightPercent === 100 ? undefined : `acts, and should only watch: ${line}`
  },

  'phases are their own': ({ state }, previous) => {
    const moved = [...state.servers].findIndex((now, i) => {
      const before = previous?.state.servers.at(i)
      return before !== undefined && before.bornMs === now.bornMs && before.phase !== now.phase && before.lastMs === now.lastMs
    })
    const phase = state.servers.at(moved)?.phase
    if (moved < 0) return undefined
    return `server ${moved} went from ${previous?.state.servers.at(moved)?.phase} to ${phase} without a poll of its own`
  }
}

function takesTraffic ({ lines }: Seen, index: number): boolean {
  const { admin, health, weightPercent } = meant(lines[index] ?? '')
  return admin === 'ready' && health === 'up' && weightPercent > 0
}

function orderOf ({ atMs, backend, state: { orders } }: Seen, index: number): EffectiveOrder | undefined {
  const server = backend.servers[index]
  return server === undefined ? undefined : orderFor(orders, server, atMs)
}

/** Whether an operator took it out. */
function isOrderedOut (seen: Seen, index: number): boolean {
  const order = orderOf(seen, index)
  return order !== undefined && settles(order) && order.action !== 'up'
}

/** The first invariant an answer breaks, and how; undefined when all hold. `previous`: the agent check before. */
export function checkAnswer (seen: Seen, previous?: Seen): string | undefined {
  for (const [name, invariant] of Object.entries(INVARIANTS)) {
    const wrong = invariant(seen, previous)
    const server = seen.backend.servers[seen.server]
    if (wrong !== undefined) return `${name}: ${server === undefined ? '?' : serverId(server)} at ${seen.atMs / 1000}s ${wrong}`
  }
  return undefined
}
