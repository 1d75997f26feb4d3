/**
 * How much of its configured weight a server gets. Down by a factor, up by an amount, one step a loop delay; a server
 * that comes back gets its load little by little, for HAProxy's own slowstart does not start after a drain [agent-check].
 */
import { ableOf, floorAt } from './floor.ts'
import { peerCap } from './latency.ts'
import type { Backend, Server } from './model.ts'
import type { Policy } from './policy.ts'
import { countWhile, sizeOf } from './ranked.ts'
import type { BackendState, OutClass, ServerState } from './state.ts'
import { isStrained } from './strain.ts'

/** The least weight of a server in service: HAProxy multiplies in integers, and 0 would be no traffic at all. */
export const leastPercent = ({ weight, baseWeight }: Policy): number =>
  Math.min(100, Math.max(weight?.floorPercent ?? 1, Math.ceil(100 / baseWeight)))

/** What failing `weight N%` criteria and passing ones that shed allow. */
export function criteriaCap ({ criteria }: Server, { checks }: ServerState): number {
  let cap = 100
  for (let i = 0; i < criteria.length; i += 1) {
    const criterion = criteria[i]
    const check = checks[i]
    if (criterion === undefined || check === undefined) continue
    if (!check.latched) cap = Math.min(cap, check.weightPercent)
    else if (criterion.onFail.action === 'weight') cap = Math.min(cap, criterion.onFail.percent)
  }
  return cap
}

/** One step of a server in service towards the weight it should have. */
export function slew (backend: Backend, state: BackendState, server: Server, own: ServerState, nowMs: number): ServerState {
  const { policy } = backend
  const { weightPercent, weightAtMs } = own
  if (policy.weight === undefined || own.phase !== 'in' || nowMs - weightAtMs < policy.weight.everyMs) return own

  const { downPercent, upPercent } = policy.weight
  const target = Math.max(leastPercent(policy), Math.min(criteriaCap(server, own), peerCap(backend, state, own)))
  if (target === weightPercent) return own
  const next = target < weightPercent
    ? Math.max(target, Math.floor(weightPercent * downPercent / 100))
    : Math.min(target, weightPercent + upPercent)
  return { ...own, weightPercent: next, weightAtMs: nowMs }
}

/** What a server in service gets now, and whether that is less only because it has just come back. */
export function weightNow (backend: Backend, state: BackendState, own: ServerState, nowMs: number): { readonly percent: number, readonly ramps: boolean } {
  const { policy } = backend
  if (policy.weight === undefined) return { percent: 100, ramps: false }
  const ramp = rampPercent(policy, own, nowMs)
  const ramps = ramp < own.weightPercent && !isShort(backend, state, nowMs)
  const percent = ramps ? ramp : own.weightPercent
  const { quantumPercent } = policy.weight
  return { percent: percent >= 100 ? 100 : Math.max(leastPercent(policy), Math.floor(percent / quantumPercent) * quantumPercent), ramps }
}

function rampPercent (policy: Policy, { rampFromMs }: ServerState, nowMs: number): number {
  const { ramp } = policy
  if (ramp === undefined || rampFromMs === undefined || isOver(policy, rampFromMs, nowMs)) return 100
  return ramp.fromPercent + Math.floor((100 - ramp.fromPercent) * (nowMs - rampFromMs) / ramp.forMs)
}

const isOver = ({ ramp }: Policy, fromMs: number, nowMs: number): boolean => nowMs - fromMs >= (ramp?.forMs ?? 0)

/** Too few carry their whole share to let the others come back slowly. */
function isShort ({ policy, servers }: Backend, state: BackendState, nowMs: number): boolean {
  if (isStrained(policy, state.tally)) return true
  const { in: all, rampsMs } = state.tally
  const full = all - sizeOf(rampsMs) + countWhile(rampsMs, fromMs => isOver(policy, fromMs, nowMs))
  return full * 100 < (policy.ramp?.fullPercent ?? 0) * servers.length
}

/** A server kept against its verdict carries little, unless it is needed. */
export function keptWeight (backend: Backend, state: BackendState, kind: OutClass, nowMs: number): number {
  if (backend.policy.weight === undefined || kind === 'held' || floorAt(backend, state, nowMs).fit === 0) return 100
  if (state.extra > 0 && ableOf(state).has(kind)) return 100
  return leastPercent(backend.policy)
}

/** The server's own share of that, never 0 by rounding. */
export const shareOf = ({ weightPercent }: Server, percent: number, { baseWeight }: Policy): number =>
  Math.max(Math.ceil(100 / baseWeight), Math.floor(weightPercent * percent / 100))
