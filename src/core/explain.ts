/** Why a server is what it is, as data: one wording for the CLI, the API and the page. */
import { isPassing } from './check.ts'
import { decide } from './decide.ts'
import type { Backend, BackendState, Decision, OnFail, Scalar } from './model.ts'

export interface CriterionStory {
  readonly name: string
  readonly kind: string
  readonly onFail: string
  readonly status: 'pass' | 'fail' | 'no sample'
  /** HAProxy's counter: passing while `health` >= `rise`. Absent without a sample. */
  readonly health?: number
  readonly rise: number
  readonly fall: number
  readonly value?: Scalar
  readonly limit?: string
  readonly reason?: string
  /** Monotonic ms when it last began to pass or to fail. */
  readonly sinceMs?: number
}

export interface Story {
  readonly decision: Decision
  /** One sentence for a tired person. */
  readonly sentence: string
  readonly criteria: readonly CriterionStory[]
}

export function explain (backend: Backend, state: BackendState, index: number): Story {
  const decision = decide(backend, state, index)
  const server = backend.servers[index]
  const checks = state.servers[index]?.checks ?? []
  const criteria = (server?.criteria ?? []).map((criterion, i): CriterionStory => {
    const { name, kind, rise, fall } = criterion
    const check = checks[i]
    const known = { name, kind, onFail: showOnFail(criterion.onFail), rise, fall }
    if (check === undefined) return { ...known, status: 'no sample' }
    const { value, limit, reason } = check.verdict
    const status = isPassing(criterion, check) ? 'pass' : 'fail'
    return { ...known, status, health: check.health, value, limit, reason, sinceMs: check.sinceMs }
  })
  return { decision, sentence: sentence(decision), criteria }
}

export const showOnFail = (onFail: OnFail): string => onFail.action === 'weight' ? `weight ${onFail.percent}%` : onFail.action

function sentence ({ state, layer, weightPercent, because }: Decision): string {
  const [first, ...rest] = because
  const more = rest.length > 0 ? ` (and ${rest.length} more)` : ''
  switch (layer) {
    case 'start': return `No opinion yet, so HAProxy keeps what it knows: ${rest.join('; ')}.`
    case 'floor': return `Up against its criteria, at ${weightPercent}%: ${first}${more}.`
    case 'criteria':
      if (state === 'up' && first === undefined) return `Up at ${weightPercent}%: every criterion passes.`
      if (state === 'up') return `Up at ${weightPercent}%: ${first}${more}.`
      return `${state === 'drain' ? 'Drained' : 'Down'} by its criteria: ${first}${more}.`
  }
}
