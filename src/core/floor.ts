/**
 * The floor: never fewer servers up than `min_up` because of polled criteria. HAProxy has no such guard: when all
 * servers are down its clients get 503 from a farm that could still have served most of them.
 */
import { isPassing } from './check.ts'
import type { Backend, ErrorClass, Server, ServerState } from './model.ts'
import { isInService, outSinceMs, standing } from './phase.ts'
import { REACH } from './reach.ts'

/** What a kept server carries while others are in service by their own merit. */
export const KEPT_WEIGHT_PERCENT = 10

/** Least bad first: impaired but able; answers but cannot serve; silent; refusing. */
const UNREACHED: Readonly<Record<ErrorClass, number>> = {
  local: 1, tls: 2, protocol: 2, noconn: 3, timeout: 4, reset: 5, refused: 5
}

/** Indices of the servers kept in service against their criteria, in the order of the backend. */
export function keep (backend: Backend, servers: readonly ServerState[]): readonly number[] {
  const out: Array<{ readonly index: number, readonly badness: number, readonly sinceMs: number }> = []
  for (const [index, server] of backend.servers.entries()) {
    const state = servers[index]
    if (state === undefined) continue
    if (isInService(server, state)) continue
    const { phase } = standing(server, state)
    out.push({ index, badness: phase === 'down' ? badness(server, state) : 0, sinceMs: outSinceMs(server, state) ?? 0 })
  }

  const missing = backend.policy.minUp - (backend.servers.length - out.length)
  if (missing <= 0) return []
  out.sort((a, b) => a.badness - b.badness || b.sinceMs - a.sinceMs || a.index - b.index)
  return out.slice(0, missing).map(({ index }) => index).sort((a, b) => a - b)
}

function badness (server: Server, state: ServerState): number {
  const index = server.criteria.findIndex(({ name }) => name === REACH)
  const reach = server.criteria[index]
  const check = state.checks[index]
  if (reach === undefined || check === undefined || isPassing(reach, check)) return 1
  return UNREACHED[check.verdict.value as ErrorClass] ?? 1
}
