/** `reach`: did the node answer at all, whatever it said? Every server has this criterion, first of all. */
import type { Judge, Verdict } from './model.ts'
import { clean, showDuration } from './text.ts'

export const REACH = 'reach'

/** An answer passes; probe errors never come here, check.ts turns them into verdicts. */
export const judgeReach: Judge = sample => {
  const took = showDuration(sample.endMs - sample.startMs)
  return { pass: true, value: took, limit: 'an answer', reason: `answered in ${took}` }
}

/** Something answered, though not what was asked for: the criteria that needed it fail, each as it is meant to. */
export const answeredBadly = (message: string): Verdict =>
  ({ pass: true, value: 'a bad answer', limit: 'an answer', reason: `answered, badly: ${clean(message)}` })
