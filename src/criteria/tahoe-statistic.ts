import { z } from 'zod'
import { compare, limitOptions, limitsContradict } from './limits.ts'
import { criterionKind, numberFact, pass } from './kind.ts'

const NAME = 'must be the name of a statistic like node.uptime'

/**
 * Any number of /statistics?t=json against a limit, or its change per second with `rate`. `node.uptime` at_least 30 is
 * ready-after-start; the rate of `cpu_monitor.total` (CPU seconds) near 1 is a saturated reactor [webapi].
 */
export const tahoeStatistic = criterionKind({
  summary: 'a number of /statistics (or its change per second, with `rate`) within limits',
  options: z.strictObject({
    name: z.string({ error: NAME }).min(1, { error: NAME }),
    rate: z.boolean({ error: 'must be true or false' }).default(false),
    ...limitOptions
  }),
  defaults: { onFail: { action: 'down' } },
  contradiction: limitsContradict,
  probe: ({ name }) => ({ kind: 'tahoe-statistics', options: {}, wants: [name] }),
  judge: options => (sample, previous) => {
    const now = numberFact(sample.facts, options.name)
    if (!options.rate) return compare(options.name, now, options)

    if (now === undefined) return compare(`${options.name} per second`, undefined, options)
    const before = previous === undefined ? undefined : numberFact(previous.facts, options.name)
    if (previous === undefined || before === undefined) {
      return pass(null, 'two samples', `rate of ${options.name} not known yet, needs two samples`)
    }
    const elapsedS = (sample.endMs - previous.endMs) / 1000
    if (elapsedS <= 0 || now < before) return undefined // a counter that went back was restarted: no evidence of anything
    return compare(`${options.name} per second`, (now - before) / elapsedS, options)
  }
})
