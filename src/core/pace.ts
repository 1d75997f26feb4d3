/** What is worth a quicker look. */
import { isMidRun } from './check.ts'
import type { Backend, ProbeKey, Server } from './model.ts'
import { isProving, SEVERITY, severityOf, takesOut, wantsOut } from './severity.ts'
import type { BackendState, ServerState } from './state.ts'

/** Whether nothing can be said of a server without a probe that has no sample yet. */
export function isAwaited ({ criteria }: Server, { checks, phase }: ServerState, probe: ProbeKey): boolean {
  return phase === 'start' && criteria.some((criterion, i) =>
    criterion.probe === probe && severityOf(criterion) > SEVERITY.warn && checks[i] === undefined)
}

/** Whether a probe should look again soon: it is awaited, or a criterion that may take the server out, or back, is in the middle of a run. */
export function isUndecided (server: Server, state: ServerState, probe: ProbeKey): boolean {
  const { criteria } = server
  if (state.phase === 'start' && !wantsOut(server, state)) return criteria.some(criterion => criterion.probe === probe && severityOf(criterion) > SEVERITY.warn)
  return criteria.some((criterion, i) => {
    const check = state.checks[i]
    if (criterion.probe !== probe || !takesOut(criterion) || check === undefined) return false
    return isMidRun(check) || isProving(criterion, check, state)
  })
}

/**
 * The probes whose next look decides about a server that is doubted for want of witnesses: those of its peers that have
 * not looked since it began to fail. A canary's own pace may be slow.
 */
export function wantedWitnesses ({ servers }: Backend, state: BackendState, index: number, probe: ProbeKey): readonly ProbeKey[] {
  const wanted = new Set<ProbeKey>()
  for (const [at, { probe: own }] of servers[index]?.criteria.entries() ?? []) {
    const check = state.servers.at(index)?.checks[at]
    if (own !== probe || check?.doubt?.why !== 'peers') continue
    for (const [i, peer] of servers.entries()) {
      const known = state.servers.at(i)?.checks[at]
      const theirs = peer.criteria[at]?.probe
      const isSilent = known?.goodSinceMs !== undefined && (known.lastGoodMs ?? 0) <= (check.firstFailMs ?? 0)
      if (i !== index && theirs !== undefined && isSilent) wanted.add(theirs)
    }
  }
  return [...wanted]
}
