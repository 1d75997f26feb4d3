/** How much of its configured weight a server gets by its criteria. */
import { isPassing } from './check.ts'
import type { Server, ServerState } from './model.ts'

/**
 * The smallest of what failing `weight N%` criteria and passing ramps allow, of the server's own share.
 * Never 0 by rounding: only a decision to take a server out may stop its traffic.
 */
export function criteriaWeight (server: Server, state: ServerState): number {
  let cap = 100
  for (const [i, criterion] of server.criteria.entries()) {
    const check = state.checks[i]
    if (check === undefined) continue
    if (isPassing(criterion, check)) cap = Math.min(cap, check.weightPercent)
    else if (criterion.onFail.action === 'weight') cap = Math.min(cap, criterion.onFail.percent)
  }
  return Math.max(1, Math.floor(server.weightPercent * cap / 100))
}
