/**
 * What a server's criteria together say of it: in, out, or not known yet. The worst failing severity wins.
 * Looks at one server only; what its backend can afford is floor.ts's.
 */
import { isPassing } from './check.ts'
import type { CheckState, Criterion, OnFail, Server, ServerState } from './model.ts'
import { criteriaWeight } from './weight.ts'

export type Phase = 'start' | 'in' | 'drain' | 'down'

export interface Standing {
  readonly phase: Phase
  readonly weightPercent: number
  /** Worst first. */
  readonly because: readonly string[]
}

type Action = OnFail['action']
const SEVERITY: Readonly<Record<Action, number>> = { warn: 1, weight: 2, drain: 3, down: 4 }

/** The state of a server no sample has reached yet. */
export const NEW_SERVER: ServerState = { checks: {}, samples: {} }

/**
 * Unknown until every criterion has a sample, but for two: a failing `down` needs no second opinion, and a `warn` has
 * no say in what we answer.
 */
export function standing (server: Server, state: ServerState): Standing {
  const failing: Array<{ readonly action: Action, readonly why: string }> = []
  const eased: string[] = []
  const missing: string[] = []

  for (const criterion of server.criteria) {
    const check = state.checks[criterion.name]
    if (check === undefined) {
      if (criterion.onFail.action !== 'warn') missing.push(criterion.name)
    } else if (!isPassing(criterion, check)) {
      failing.push({ action: criterion.onFail.action, why: reasonOf(criterion, check) })
    } else if (check.verdict.pass && (check.verdict.weightPercent ?? 100) < 100) {
      eased.push(`${criterion.name}: ${check.verdict.reason}`)
    }
  }

  failing.sort((a, b) => SEVERITY[b.action] - SEVERITY[a.action]) // stable: config order within one severity
  const worst = failing[0]?.action
  const weightPercent = criteriaWeight(server, state)
  const because = [...failing.map(({ action, why }) => action === 'warn' ? `warn: ${why}` : why), ...eased]

  if (worst === 'down') return { phase: 'down', weightPercent, because }
  if (missing.length > 0) return { phase: 'start', weightPercent, because: [`no sample yet: ${missing.join(', ')}`] }
  if (worst === 'drain') return { phase: 'drain', weightPercent, because }
  return { phase: 'in', weightPercent, because: [...because].sort((a, b) => Number(a.startsWith('warn: ')) - Number(b.startsWith('warn: '))) }
}

/** Why a failing criterion fails, or how far it has come back. */
export function reasonOf (criterion: Criterion, check: CheckState): string {
  if (!check.verdict.pass) return `${criterion.name}: ${check.verdict.reason}`
  return `${criterion.name}: recovering ${check.health}/${criterion.rise}`
}

/** Since when the server has been out by its criteria; undefined when it is not. Monotonic ms. */
export function outSinceMs (server: Server, state: ServerState): number | undefined {
  let since: number | undefined
  for (const criterion of server.criteria) {
    const check = state.checks[criterion.name]
    if (check === undefined || SEVERITY[criterion.onFail.action] < SEVERITY.drain || isPassing(criterion, check)) continue
    since = Math.min(since ?? check.sinceMs, check.sinceMs)
  }
  return since
}
