/**
 * One criterion's memory: runs of passes and failures, and the last looks as bits. Says what a criterion thinks; whether
 * it may act on that is gate.ts's, and what to do then phase.ts's.
 */
import type { Criterion, GoodSample, Sample, Verdict } from './model.ts'
import type { Policy } from './policy.ts'
import { answeredBadly, REACH } from './reach.ts'
import type { CheckState, Doubt } from './state.ts'
import { clean } from './text.ts'

const RING_MAX = 30
type Window = Policy['window']

/** What a sample says of a criterion; undefined when it says nothing. `unreached`: the node did not answer lately. */
export function judgeSample (
  criterion: Criterion, sample: Sample, previous: GoodSample | undefined, unreached: boolean
): Verdict | undefined {
  if (sample.ok) {
    const verdict = criterion.judge(sample, previous)
    return sample.tainted === true && verdict?.pass === false ? undefined : verdict
  }

  const { class: kind, message } = sample.error
  if (kind === 'local' || criterion.ignores.includes(kind)) return undefined // our own trouble is no evidence
  if (criterion.kind === REACH) {
    if (kind === 'protocol') return answeredBadly(message)
  } else if (unreached && kind !== 'protocol') return undefined // silence: `reach` knows already
  return { pass: false, value: kind, limit: 'an answer', reason: clean(message) }
}

/** The check after a verdict. It is not latched here: a trip must be allowed first. */
export function count (
  criterion: Criterion, check: CheckState | undefined, verdict: Verdict, { startMs, endMs }: Sample, window: Window
): CheckState {
  const ring = (((check?.ring ?? 0) << 1) | (verdict.pass ? 0 : 1)) & ringMask(window)
  const ringed = Math.min(window?.of ?? RING_MAX, (check?.ringed ?? 0) + 1)
  const good = verdict.pass ? (check?.good ?? 0) + 1 : 0
  const back = check?.latched === true && good >= criterion.rise
  return {
    bad: verdict.pass ? 0 : (check?.bad ?? 0) + 1,
    good,
    latched: check?.latched === true && !back,
    doubt: undefined,
    firstFailMs: verdict.pass ? undefined : check?.firstFailMs ?? startMs,
    goodSinceMs: verdict.pass ? check?.goodSinceMs ?? endMs : undefined,
    lastGoodMs: verdict.pass ? startMs : check?.lastGoodMs,
    ring: back ? 0 : ring,
    ringed: back ? 0 : ringed,
    verdict,
    sinceMs: check?.sinceMs ?? endMs,
    weightPercent: verdict.pass ? verdict.weightPercent ?? 100 : check?.weightPercent ?? 100,
    weightReason: verdict.pass ? verdict.reason : check?.weightReason ?? ''
  }
}

const ringMask = (window: Window): number => 2 ** (window?.of ?? RING_MAX) - 1

/** What becomes of a check: it may act on its trip, or may not, or there was none. */
export function conclude (before: CheckState | undefined, counted: CheckState, trip: 'none' | 'act' | Doubt, endMs: number): CheckState {
  const after = trip === 'none' ? counted : trip === 'act' ? { ...counted, latched: true } : { ...counted, doubt: trip }
  return before === undefined || isFailing(before) === isFailing(after) ? after : { ...after, sinceMs: endMs }
}

/** It fails, whether that counts now or not. */
export const isFailing = ({ latched, doubt }: CheckState): boolean => latched || doubt !== undefined

/** It failed often enough to act: `fall` times in a row, or too many of its last looks (and again now), never fewer than `fall`. */
export function hasTripped ({ fall }: Criterion, { bad, latched, ring, ringed }: CheckState, window: Window): boolean {
  if (latched || bad === 0) return false
  if (bad >= fall) return true
  return window !== undefined && fall > 1 && ringed >= window.of && bitCount(ring) >= Math.max(window.fails, fall)
}

function bitCount (bits: number): number {
  let n = 0
  for (let left = bits; left !== 0; left &= left - 1) n += 1
  return n
}

/** HAProxy's own counter, to show: 0 … rise+fall-1, passing while >= rise. */
export function healthOf ({ rise, fall }: Criterion, { latched, bad, good }: CheckState): number {
  return latched ? Math.min(good, rise - 1) : Math.max(rise, rise + fall - 1 - bad)
}

/**
 * In the middle of a run that will decide something. A doubt that others share is decided, for now; one for want of
 * witnesses is over as soon as they have looked.
 */
export const isMidRun = ({ latched, bad, good, doubt }: CheckState): boolean =>
  latched ? good > 0 : bad > 0 && (doubt === undefined || !isShared(doubt))

/** Others fail it too, or there is nobody to compare with: a fault of many, or of our own eyes. */
export const isShared = (doubt: Doubt): boolean => doubt.why === 'peers' && (doubt.failing > 0 || doubt.asked === 0)
