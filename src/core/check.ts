/**
 * One criterion's memory: HAProxy's own rise/fall counter, and what the last sample said.
 * Says what a criterion thinks; never what to do about it (phase.ts).
 */
import type { CheckState, Criterion, GoodSample, Sample, Verdict } from './model.ts'
import { answeredBadly, REACH } from './reach.ts'
import { clean } from './text.ts'

type Hysteresis = Pick<Criterion, 'rise' | 'fall'>

/**
 * HAProxy's counter: 0 … rise+fall-1, passing while >= rise. Crossing `rise` either way jumps to the far end, so a
 * full `fall` (or `rise`) run is needed to come back. The first result decides alone: at start there is nothing to damp.
 */
export function step (health: number | undefined, passed: boolean, { rise, fall }: Hysteresis): number {
  const top = rise + fall - 1
  if (health === undefined) return passed ? top : 0
  if (passed) return health + 1 >= rise ? top : health + 1
  return health - 1 < rise ? 0 : health - 1
}

export const isPassing = (criterion: Criterion, check: CheckState): boolean => check.health >= criterion.rise

/** In the middle of a run of passes or failures. */
export const isMidRun = ({ rise, fall }: Hysteresis, { health }: CheckState): boolean => health !== 0 && health !== rise + fall - 1

/** The check after a sample of its probe; the same one when the sample says nothing about it. */
export function foldSample (
  criterion: Criterion, check: CheckState | undefined, sample: Sample, previous: GoodSample | undefined
): CheckState | undefined {
  const verdict = judgeSample(criterion, sample, previous)
  if (verdict === undefined) return check

  const health = step(check?.health, verdict.pass, criterion)
  const flipped = check === undefined || isPassing(criterion, check) !== (health >= criterion.rise)
  const weightPercent = verdict.pass ? verdict.weightPercent ?? 100 : check?.weightPercent ?? 100
  const weightReason = verdict.pass ? verdict.reason : check?.weightReason ?? ''
  return { health, verdict, sinceMs: flipped ? sample.endMs : check.sinceMs, weightPercent, weightReason }
}

function judgeSample (criterion: Criterion, sample: Sample, previous: GoodSample | undefined): Verdict | undefined {
  if (sample.ok) return criterion.judge(sample, previous)

  const { class: kind, message } = sample.error
  if (kind === 'local' || criterion.ignores.includes(kind)) return undefined // our own trouble is no evidence
  if (criterion.kind === REACH && kind === 'protocol') return answeredBadly(message)
  return { pass: false, value: kind, limit: 'an answer', reason: clean(message) }
}
