/** What failing criteria want of their server. The worst that counts wins. */
import type { Criterion, OnFail, Server } from './model.ts'
import { REACH, reachCheck } from './reach.ts'
import type { CheckState, OutClass, ServerState } from './state.ts'

export const SEVERITY = { none: 0, warn: 1, weight: 2, drain: 3, down: 4 } as const satisfies Record<OnFail['action'] | 'none', number>

export const severityOf = ({ onFail }: Criterion): number => SEVERITY[onFail.action]

/** Whether its failure takes a server out of service. */
export const takesOut = (criterion: Criterion): boolean => severityOf(criterion) >= SEVERITY.drain

/** The worst severity that counts. */
export function worst ({ criteria }: Server, { checks }: ServerState): number {
  let found: number = SEVERITY.none
  for (let i = 0; i < criteria.length; i += 1) {
    const criterion = criteria[i]
    if (criterion !== undefined && checks[i]?.latched === true) found = Math.max(found, severityOf(criterion))
  }
  return found
}

export const wantsOut = (server: Server, state: ServerState): boolean => worst(server, state) >= SEVERITY.drain

/** Some criterion that could take it out has failed lately, or has not passed often enough yet. */
export const isUnproven = ({ criteria }: Server, own: ServerState): boolean => criteria.some((criterion, i) => {
  const check = own.checks[i]
  return check !== undefined && isAsked(criterion, check) && (check.bad > 0 || isProving(criterion, check, own))
})

/** Whether a criterion has a say in that. What the others fail too keeps nobody in service out, so it keeps nobody from coming back. */
export const isAsked = (criterion: Criterion, { doubt }: CheckState): boolean =>
  takesOut(criterion) && (criterion.kind === REACH || doubt?.why !== 'peers')

/** Of a server that is out: its run of passes has begun since, and is not long enough yet. One from before proves nothing new. */
export const isProving = ({ rise }: Criterion, { good, goodSinceMs = 0 }: CheckState, { phase, sinceMs }: ServerState): boolean =>
  (phase === 'out' || phase === 'held') && good > 0 && good < rise && goodSinceMs >= sinceMs

/** How bad it would be to keep it: impaired but able; cannot serve; silent; refusing. */
export function outClass (server: Server, state: ServerState): OutClass {
  if (state.phase === 'held') return 'held'
  if (reachCheck(server, state)?.latched === true) return state.reached === 'ok' ? 'noreply' : state.reached
  const severity = worst(server, state)
  if (severity === SEVERITY.drain) return 'drain'
  return severity > SEVERITY.drain || state.phase === 'start' ? 'fail' : 'held'
}

interface Found { readonly severity: number, readonly why: string }

/** Why a server is not fine, worst first: what counts, what sheds load, what is only a warning. */
export function reasons ({ criteria }: Server, { checks }: ServerState): readonly string[] {
  const found: Found[] = []
  for (const [i, criterion] of criteria.entries()) {
    const check = checks[i]
    if (check === undefined) continue
    if (check.latched) found.push(failing(criterion, check))
    else if (check.weightPercent < 100) {
      found.push({ severity: shedding(check.weightPercent), why: `${criterion.name}: ${check.weightReason}` })
    }
  }
  found.sort((a, b) => b.severity - a.severity) // stable: config order within one severity
  return found.map(({ why }) => why)
}

/** What takes the most weight comes first: the reason beside a weight is the one that made it. */
const shedding = (percent: number): number => SEVERITY.weight - percent / 1000

function failing (criterion: Criterion, check: CheckState): Found {
  const { onFail } = criterion
  if (onFail.action === 'warn') return { severity: SEVERITY.warn, why: `warn: ${reasonOf(criterion, check)}` }
  // No answer is why all else is unknown.
  const severity = onFail.action === 'weight' ? shedding(onFail.percent) : SEVERITY[onFail.action] + (criterion.kind === REACH ? 0.5 : 0)
  return { severity, why: reasonOf(criterion, check) }
}

/** Why a failing criterion fails, or how far it has come back. */
export function reasonOf ({ name, rise }: Criterion, { verdict, good }: CheckState): string {
  return verdict.pass ? `${name}: passed ${good} of ${rise} times` : `${name}: ${verdict.reason}`
}
