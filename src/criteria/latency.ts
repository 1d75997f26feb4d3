import { z } from 'zod'
import { latencyOf } from '../core/latency.ts'
import { showDuration } from '../core/text.ts'
import { criterionKind, fail, pass } from './kind.ts'
import { duration } from './scalars.ts'

/** The poll that shows the node reachable is answered within a time. */
export const latency = criterionKind({
  summary: 'the poll that shows the node reachable takes at most `at_most`',
  options: z.strictObject({ at_most: duration }),
  defaults: { onFail: { action: 'weight', percent: 25 } },
  probe: () => 'reach',
  judge: ({ at_most: limitMs }) => sample => {
    const tookMs = Math.round(latencyOf(sample))
    const limit = `at most ${showDuration(limitMs)}`
    // 1501 ms is 1.5 s, but not within 1.5 s.
    const took = tookMs > limitMs && showDuration(tookMs) === showDuration(limitMs) ? `${tookMs}ms` : showDuration(tookMs)
    const reason = `answered in ${took}, ${limit}`
    return tookMs <= limitMs ? pass(took, limit, reason) : fail(took, limit, reason)
  }
})
