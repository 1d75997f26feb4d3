/**
 * A server's way between in and out. Only its own samples move it: time, the operator and other servers change what we
 * answer, never what we think of it.
 */
import { floorOf } from './floor.ts'
import { holdOut } from './hold.ts'
import type { Backend, Server } from './model.ts'
import { isUnproven, SEVERITY, severityOf, wantsOut } from './severity.ts'
import type { BackendState, ServerState } from './state.ts'
import { isStrained } from './strain.ts'

/** Where a policy does not say when a verdict is given up. */
const LONG_MS = 120_000

/** The state of a server no sample has reached yet. `toldOut`: HAProxy keeps it out, from before. */
export const newServer = (bornMs: number, toldOut = false): ServerState => ({
  checks: [], probes: {}, bornMs, phase: 'start', sinceMs: bornMs, holdUntilMs: bornMs, flapsMs: [], rampFromMs: undefined,
  reached: 'ok', lastMs: undefined, latenciesMs: [], weightPercent: 100, weightAtMs: -1, toldOut
})

/**
 * The server after a sample. `state` holds it as it is with the sample; `answered`: the look was answered at all.
 */
export function move (backend: Backend, state: BackendState, index: number, nowMs: number, answered: boolean): ServerState | undefined {
  const server = backend.servers[index]
  const own = state.servers.at(index)
  if (server === undefined || own === undefined) return undefined
  const { policy } = backend
  const isBad = wantsOut(server, own)
  switch (own.phase) {
    case 'start':
      if (isBad) return { ...own, phase: 'out', sinceMs: nowMs, holdUntilMs: nowMs, toldOut: false } // never seen in: not a flap
      return isKnown(server, own, answered, nowMs - own.bornMs > (policy.staleOpenMs ?? LONG_MS)) ? { ...own, phase: 'in', sinceMs: nowMs, toldOut: false } : own
    case 'in':
      return isBad ? { ...own, rampFromMs: undefined, phase: 'out', sinceMs: nowMs, ...holdOut(policy, own, nowMs) } : own
    case 'out':
    case 'held':
      if (isBad) return own.phase === 'held' ? { ...own, phase: 'out', sinceMs: nowMs } : own
      return answered && !isUnproven(server, own) ? comeBack(backend, state, index, own, nowMs) : own
  }
}

/** All its criteria are proven again. One that the floor keeps carries its share already; the others wait out their time. */
function comeBack (backend: Backend, state: BackendState, index: number, own: ServerState, nowMs: number): ServerState {
  const back: ServerState = { ...own, rampFromMs: undefined, phase: 'in', sinceMs: nowMs, weightPercent: 100 }
  if (floorOf(backend, state, nowMs).kept.has(index)) return back
  if (nowMs >= own.holdUntilMs || isStrained(backend.policy, state.tally)) {
    return backend.policy.ramp === undefined ? back : { ...back, rampFromMs: nowMs }
  }
  return own.phase === 'held' ? own : { ...own, phase: 'held', sinceMs: nowMs }
}

/**
 * Fine, or failing only what we may not act on: with every criterion looked at that has a say, or after a long time in
 * which one could not be. A doubt for want of anybody to ask is no verdict: HAProxy may know better.
 */
function isKnown (server: Server, own: ServerState, answered: boolean, isLate: boolean): boolean {
  if (own.checks.some(check => check?.doubt !== undefined && (check.doubt.why !== 'peers' || check.doubt.asked > 0))) return true
  return answered && !isUnproven(server, own) && (isLate || missing(server, own).length === 0)
}

/** Criteria that have a say and no sample yet. */
export const missing = ({ criteria }: Server, { checks }: ServerState): readonly string[] =>
  criteria.flatMap((criterion, i) => checks[i] === undefined && severityOf(criterion) > SEVERITY.warn ? [criterion.name] : [])
