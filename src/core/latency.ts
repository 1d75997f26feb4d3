/** How quickly a server answers, and whether that is slow. */
import type { Backend, GoodSample, Server } from './model.ts'
import type { Policy } from './policy.ts'
import type { BackendState, ServerState } from './state.ts'

const KEPT = 3

/** A look's own time where it knows better than the clock: a second try is no slowness of the node. */
export function latencyOf ({ startMs, endMs, facts }: GoodSample): number {
  const own = facts['latencyMs']
  return typeof own === 'number' ? own : endMs - startMs
}

export const remember = (latenciesMs: readonly number[], ms: number): readonly number[] => [...latenciesMs, ms].slice(-KEPT)

/** The median of the last three: one odd sample never moves it. Undefined while there are fewer. */
export function medianMs ({ latenciesMs: [a, b, c] }: ServerState): number | undefined {
  if (a === undefined || b === undefined || c === undefined) return undefined
  return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c))
}

export function isSlow ({ timeoutMs }: Server, state: ServerState, { strain }: Policy): boolean {
  const own = medianMs(state)
  return strain !== undefined && own !== undefined && own * 100 >= strain.slowPercent * timeoutMs
}

/** Far from slow, each of the last three times. */
export function isQuick ({ timeoutMs }: Server, { latenciesMs }: ServerState, { strain }: Policy): boolean {
  return strain !== undefined && latenciesMs.length === KEPT && latenciesMs.every(ms => ms * 200 < strain.slowPercent * timeoutMs)
}

/**
 * How much of its weight a server keeps for being slower than its peers, in percent: their median against its own,
 * beyond a dead band. 100 when it is not, or when there are too few to compare with.
 */
export function peerCap ({ policy: { peers } }: Backend, { servers }: BackendState, state: ServerState): number {
  const own = medianMs(state)
  if (peers === undefined || own === undefined || own <= peers.leastMs) return 100

  let known = 0
  let far = 0 // so much quicker that they would make this one an outlier
  for (const server of servers) {
    const ms = server.phase === 'in' ? medianMs(server) : undefined
    if (ms === undefined) continue
    known += 1
    if (own * 100 > Math.max(1, ms) * peers.slowerPercent) far += 1
  }
  // The lower median is among them only if they are that many: no need to sort for the others.
  if (known < peers.servers || far <= (known - 1) >> 1) return 100
  const all = new Float64Array(known)
  let n = 0
  for (const server of servers) {
    const ms = server.phase === 'in' ? medianMs(server) : undefined
    if (ms !== undefined) all[n++] = ms
  }
  const median = Math.max(1, all.sort()[(known - 1) >> 1] ?? 1)
  return Math.min(100, Math.floor(median * peers.slowerPercent / own))
}
