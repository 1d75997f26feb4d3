/** One sample into the memory of the server it is about: what was seen, and what each criterion that reads it makes of that. */
import { conclude, count, hasTripped, judgeSample } from './check.ts'
import type { SampleEvent } from './event.ts'
import { doubtOf, type Outside } from './gate.ts'
import { latencyOf, remember } from './latency.ts'
import type { Backend, Server } from './model.ts'
import { reachCheck, reachedBy, showsReach } from './reach.ts'
import type { BackendState, CheckState, ServerState } from './state.ts'
import { recount } from './strain.ts'

/** The server with the sample, its phase and weight as before; undefined when the sample is worth nothing. */
export function fold (backend: Backend, state: BackendState, event: SampleEvent, outside: Outside): ServerState | undefined {
  const server = backend.servers[event.server]
  const before = state.servers.at(event.server)
  if (server === undefined || before === undefined || isWorthless(before, event)) return undefined

  let own = arrive(server, before, event)
  for (let at = 0; at < server.criteria.length; at += 1) {
    if (server.criteria[at]?.probe !== event.probe) continue
    const check = foldInto(backend, state, event, own, at, before, outside)
    if (check !== own.checks[at]) own = { ...own, checks: withCheck(server, own, at, check) }
  }
  return own
}

/** Our own trouble is no evidence, and neither is a late answer of an older poll. */
function isWorthless ({ probes }: ServerState, { probe, sample }: SampleEvent): boolean {
  const last = probes[probe]
  return reachedBy(sample) === undefined || (last !== undefined && sample.endMs < last.endMs)
}

function arrive (server: Server, before: ServerState, { probe, sample }: SampleEvent): ServerState {
  const memory = { ...before.probes[probe], endMs: sample.endMs, ...(sample.ok ? { good: sample } : {}) }
  const own = { ...before, probes: { ...before.probes, [probe]: memory }, lastMs: Math.max(before.lastMs ?? sample.endMs, sample.endMs) }
  if (!showsReach(server, probe)) return own
  const latenciesMs = sample.ok && sample.tainted !== true ? remember(before.latenciesMs, latencyOf(sample)) : before.latenciesMs
  return { ...own, reached: reachedBy(sample) ?? before.reached, latenciesMs }
}

function foldInto (
  backend: Backend, state: BackendState, { server: index, probe, sample }: SampleEvent, own: ServerState, at: number, before: ServerState, outside: Outside
): CheckState | undefined {
  const server = backend.servers[index]
  const criterion = server?.criteria[at]
  const check = own.checks[at]
  if (server === undefined || criterion === undefined) return check
  const unreached = (reachCheck(server, own)?.bad ?? 0) > 0
  const verdict = judgeSample(criterion, sample, before.probes[probe]?.good, unreached)
  if (verdict === undefined) return check

  const { window } = backend.policy
  const { startMs, endMs } = sample
  const counted = count(criterion, check, verdict, sample, window)
  if (!hasTripped(criterion, counted, window)) return conclude(check, counted, 'none', endMs)
  const withTrip = withServer(backend, state, index, { ...own, checks: withCheck(server, own, at, counted) })
  return conclude(check, counted, doubtOf(backend, withTrip, { index, at, check: counted, startMs, endMs }, outside) ?? 'act', endMs)
}

const withCheck = ({ criteria }: Server, { checks }: ServerState, at: number, check: CheckState | undefined): ServerState['checks'] =>
  criteria.map((_, i) => i === at ? check : checks[i])

/** The backend with one server replaced, and the tally with it. */
export function withServer ({ servers, policy }: Backend, state: BackendState, index: number, after: ServerState): BackendState {
  const server = servers[index]
  const before = state.servers.at(index)
  if (server === undefined || before === undefined) return state
  return { ...state, servers: state.servers.with(index, after), tally: recount(state.tally, server, before, after, policy) }
}
