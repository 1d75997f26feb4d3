/** How long a server stays out at least: twice as long each time it went out lately, so that a flapper comes to rest. */
import type { Policy } from './policy.ts'
import type { ServerState } from './state.ts'

const DOUBLINGS_MAX = 20

/** A server goes out now. */
export function holdOut ({ hold }: Policy, { flapsMs }: ServerState, nowMs: number): Pick<ServerState, 'flapsMs' | 'holdUntilMs'> {
  if (hold === undefined) return { flapsMs, holdUntilMs: nowMs }
  const flaps = [...flapsMs.filter(ms => ms > nowMs - hold.windowMs), nowMs]
  return { flapsMs: flaps, holdUntilMs: nowMs + Math.min(hold.maxMs, hold.baseMs * 2 ** Math.min(flaps.length - 1, DOUBLINGS_MAX)) }
}
