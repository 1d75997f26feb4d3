/**
 * Whether the servers that carry the traffic are themselves in trouble: slow while answering, or silent and not singled
 * out. Then nobody more goes out, and who is able comes back.
 */
import { isShared } from './check.ts'
import { isSlow, medianMs } from './latency.ts'
import type { Items } from './list.ts'
import type { Backend, Server } from './model.ts'
import type { Policy } from './policy.ts'
import { minus, NO_NUMBERS, plus, type Ranked } from './ranked.ts'
import { reachCheck } from './reach.ts'
import type { CheckState, ServerState, Tally } from './state.ts'

/** What one server adds to the tally of its backend. */
export type Share = Pick<Tally, 'in' | 'troubled' | 'doubted'>

const NOTHING: Share = { in: 0, troubled: 0, doubted: 0 }

export function share (server: Server, state: ServerState, policy: Policy): Share {
  if (state.phase !== 'in') return NOTHING
  const troubled = reachCheck(server, state)?.doubt?.why === 'peers' || isSlow(server, state, policy)
  const doubted = state.checks.some(check => check?.doubt !== undefined && isShared(check.doubt))
  return { in: 1, troubled: troubled ? 1 : 0, doubted: doubted ? 1 : 0 }
}

/** The tally without a server. */
export const without = (tally: Share, own: Share): Share =>
  ({ in: tally.in - own.in, troubled: tally.troubled - own.troubled, doubted: tally.doubted - own.doubted })

/** The tally after one server has changed. */
export function recount (tally: Tally, server: Server, before: ServerState, after: ServerState, policy: Policy): Tally {
  const rest = without(tally, share(server, before, policy))
  const own = share(server, after, policy)
  return {
    in: rest.in + own.in,
    troubled: rest.troubled + own.troubled,
    doubted: rest.doubted + own.doubted,
    known: recounted(tally.known, server, before, after, hasData),
    passing: recounted(tally.passing, server, before, after, passes),
    mediansMs: reranked(tally.mediansMs, medianIn(before, policy), medianIn(after, policy)),
    rampsMs: reranked(tally.rampsMs, rampIn(before), rampIn(after))
  }
}

const medianIn = (state: ServerState, { peers }: Policy): number | undefined => peers === undefined || state.phase !== 'in' ? undefined : medianMs(state)
const rampIn = ({ phase, rampFromMs }: ServerState): number | undefined => phase === 'in' ? rampFromMs : undefined

function reranked (ranked: Ranked, before: number | undefined, after: number | undefined): Ranked {
  if (before === after) return ranked
  const rest = before === undefined ? ranked : minus(ranked, before)
  return after === undefined ? rest : plus(rest, after)
}

const hasData = (check: CheckState | undefined): boolean => check !== undefined
const passes = (check: CheckState | undefined): boolean => check !== undefined && check.good > 0 && !check.latched

/** Counts by place of the criterion; the same ones when no criterion changed sides. */
function recounted (counts: readonly number[], { criteria }: Server, before: ServerState, after: ServerState, is: typeof passes): readonly number[] {
  let next: number[] | undefined
  for (let i = 0; i < criteria.length; i += 1) {
    const [was, now] = [is(before.checks[i]), is(after.checks[i])]
    if (was === now) continue
    next ??= [...counts]
    next[i] = (next[i] ?? 0) + (now ? 1 : -1)
  }
  return next ?? counts
}

export function tallyOf ({ servers, policy }: Backend, states: Items<ServerState>): Tally {
  let tally: Tally = { ...NOTHING, known: [], passing: [], mediansMs: NO_NUMBERS, rampsMs: NO_NUMBERS }
  for (const [i, server] of servers.entries()) {
    const state = states.at(i)
    if (state !== undefined) tally = recount(tally, server, { ...state, phase: 'start', checks: [] }, state, policy)
  }
  return tally
}

export function isStrained ({ strain }: Policy, { in: all, troubled }: Pick<Tally, 'in' | 'troubled'>): boolean {
  return strain !== undefined && troubled >= 1 && troubled * 100 >= strain.sharePercent * all
}
