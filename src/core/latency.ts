/** How quickly a server answers, and whether that is slow. */
import type { Backend, GoodSample, Server } from './model.ts'
import type { Policy } from './policy.ts'
import { nth, sizeOf } from './ranked.ts'
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
export function peerCap ({ policy: { peers } }: Backend, { tally: { mediansMs } }: BackendState, state: ServerState): number {
  const own = medianMs(state)
  if (peers === undefined || own === undefined || own <= peers.leastMs) return 100
  const known = sizeOf(mediansMs)
  if (known < peers.servers) return 100
  const median = Math.max(1, nth(mediansMs, (known - 1) >> 1) ?? 1)
  return own * 100 <= median * peers.slowerPercent ? 100 : Math.floor(median * peers.slowerPercent / own)
}
