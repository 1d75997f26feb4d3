/** `reach`: did the node answer at all, whatever it said? Every server has this criterion, first of all. */
import { latencyOf } from './latency.ts'
import type { Judge, Sample, Server, Verdict } from './model.ts'
import type { CheckState, Reached, ServerState } from './state.ts'
import { clean, showDuration } from './text.ts'

export const REACH = 'reach'

/** An answer passes; probe errors never come here, check.ts turns them into verdicts. */
export const judgeReach: Judge = sample => {
  const took = showDuration(latencyOf(sample))
  return { pass: true, value: took, limit: 'an answer', reason: `answered in ${took}` }
}

/** Something answered, though not what was asked for: the criteria that needed it fail, each as it is meant to. */
export const answeredBadly = (message: string): Verdict =>
  ({ pass: true, value: 'a bad answer', limit: 'an answer', reason: `answered, badly: ${clean(message)}` })

/** The reach check of a server. */
export const reachCheck = ({ criteria }: Server, { checks }: ServerState): CheckState | undefined =>
  criteria[0]?.kind === REACH ? checks[0] : undefined

export const showsReach = ({ criteria }: Server, probe: string): boolean => criteria[0]?.kind === REACH && criteria[0].probe === probe

/**
 * How a sample reached its node. A refusal is testimony of the node itself. Silence is not: it may be a hang, load, or
 * our own network. Undefined: our own trouble, which is no evidence at all.
 */
export function reachedBy (sample: Sample): Reached | undefined {
  if (sample.ok) return 'ok'
  switch (sample.error.class) {
    case 'protocol': return 'ok'
    case 'refused':
    case 'reset': return 'dead'
    case 'timeout':
    case 'tls': return 'noreply'
    case 'noconn': return 'noconn'
    case 'local': return undefined
  }
}
