/**
 * What a server's criteria together say of it: in, out, or not known yet. The worst failing severity wins.
 * Looks at one server only; what its backend can afford is floor.ts's.
 */
import { isMidRun, isPassing } from './check.ts'
import type { CheckState, Criterion, OnFail, Phase, ProbeKey, Server, ServerState } from './model.ts'
import { criteriaWeight } from './weight.ts'

export interface Standing {
  readonly phase: Phase
  readonly weightPercent: number
  /** Worst first. */
  readonly because: readonly string[]
}

const SEVERITY = { warn: 1, weight: 2, drain: 3, down: 4 } as const satisfies Record<OnFail['action'], number>

/** The state of a server no sample has reached yet. */
export const NEW_SERVER: ServerState = { checks: [], probes: {}, known: 'start' }

/**
 * Unknown until every criterion has a sample, but for two: a failing `down` needs no second opinion, and a `warn` has
 * no say in what we answer.
 */
export function standing (server: Server, state: ServerState): Standing {
  const found: Array<{ readonly severity: number, readonly why: string }> = []
  const missing: string[] = []

  for (const [i, criterion] of server.criteria.entries()) {
    const { name, onFail } = criterion
    const check = state.checks[i]
    if (check === undefined) {
      if (onFail.action !== 'warn') missing.push(name)
    } else if (!isPassing(criterion, check)) {
      found.push({ severity: severityOf(onFail), why: `${onFail.action === 'warn' ? 'warn: ' : ''}${reasonOf(criterion, check)}` })
    } else if (check.weightPercent < 100) {
      found.push({ severity: shedding(check.weightPercent), why: `${name}: ${check.weightReason}` })
    }
  }

  found.sort((a, b) => b.severity - a.severity) // stable: config order within one severity
  const worst = found[0]?.severity
  const weightPercent = criteriaWeight(server, state)
  const because = found.map(({ why }) => why)

  if (worst === SEVERITY.down) return { phase: 'down', weightPercent, because }
  if (missing.length > 0) return { phase: 'start', weightPercent, because: [`no sample yet: ${missing.join(', ')}`] }
  if (worst === SEVERITY.drain) return { phase: 'drain', weightPercent, because }
  return { phase: 'in', weightPercent, because }
}

/** What takes the most weight comes first: the reason beside a weight is the one that made it. */
const shedding = (percent: number): number => SEVERITY.weight - percent / 1000
const severityOf = (onFail: OnFail): number => onFail.action === 'weight' ? shedding(onFail.percent) : SEVERITY[onFail.action]

/** Whether nothing can be said of a server without a probe that has no sample yet. */
export function isAwaited (server: Server, state: ServerState, probe: ProbeKey): boolean {
  const missing = server.criteria.some((criterion, i) =>
    criterion.probe === probe && criterion.onFail.action !== 'warn' && state.checks[i] === undefined)
  return missing && standing(server, state).phase === 'start'
}

/**
 * Whether a probe should look again soon: it is awaited, or a criterion that has a say is in the middle of a run. A
 * server that is down already is not worth a hurry for the criteria it has not met yet.
 */
export function isUndecided (server: Server, state: ServerState, probe: ProbeKey): boolean {
  return isAwaited(server, state, probe) || server.criteria.some((criterion, i) => {
    const check = state.checks[i]
    return criterion.probe === probe && criterion.onFail.action !== 'warn' && check !== undefined && isMidRun(criterion, check)
  })
}

/** Whether HAProxy sends it clients, as far as its criteria go: one we know nothing of yet is what it was told last. */
export function isInService (server: Server, state: ServerState): boolean {
  const { phase } = standing(server, state)
  const told = phase === 'start' ? state.known : phase
  return told === 'start' || told === 'in'
}

/** Why a failing criterion fails, or how far it has come back. */
export function reasonOf (criterion: Criterion, check: CheckState): string {
  if (!check.verdict.pass) return `${criterion.name}: ${check.verdict.reason}`
  return `${criterion.name}: recovering ${check.health}/${criterion.rise}`
}

/** Since when the server has been out by its criteria; undefined when it is not. Monotonic ms. */
export function outSinceMs (server: Server, state: ServerState): number | undefined {
  let since: number | undefined
  for (const [i, criterion] of server.criteria.entries()) {
    const check = state.checks[i]
    if (check === undefined || severityOf(criterion.onFail) < SEVERITY.drain || isPassing(criterion, check)) continue
    since = Math.min(since ?? check.sinceMs, check.sinceMs)
  }
  return since
}
