/** `reach`: did the node answer at all, whatever it said? Every server has this criterion, first of all. */
import type { Judge } from './model.ts'
import { showDuration } from './text.ts'

export const REACH = 'reach'

/** An answer passes; probe errors never come here, check.ts turns them into failures. */
export const judgeReach: Judge = sample => {
  const took = showDuration(sample.endMs - sample.startMs)
  return { pass: true, value: took, limit: 'an answer', reason: `answered in ${took}` }
}
