import { z } from 'zod'
import { showDuration } from '../core/text.ts'
import { criterionKind, fail, pass } from './kind.ts'
import { duration } from './scalars.ts'

/** The poll that shows the node reachable is answered within a time. */
export const latency = criterionKind({
  summary: 'the poll that shows the node reachable takes at most `at_most`',
  options: z.strictObject({ at_most: duration }),
  defaults: { onFail: { action: 'weight', percent: 25 } },
  probe: () => 'reach',
  judge: ({ at_most: limitMs }) => ({ startMs, endMs }) => {
    const took = endMs - startMs
    const limit = `at most ${showDuration(limitMs)}`
    return took <= limitMs
      ? pass(showDuration(took), limit, `answered in ${showDuration(took)}`)
      : fail(showDuration(took), limit, `answered in ${showDuration(took)}, ${limit}`)
  }
})
