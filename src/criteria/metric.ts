import { z } from 'zod'
import { compare, limitOptions, limitsContradict, showNumber } from './limits.ts'
import { criterionKind, fail, numberFact, pass } from './kind.ts'
import { anyNumber, percent, urlPath } from './scalars.ts'

const SAMPLE = 'must be a sample like node_load1 or up{job="x"}'

/** A weight that moves with every sample would be a log line with every sample. */
const STEP_PERCENT = 5

/**
 * A Prometheus or OpenMetrics sample against a limit, or as a ramp: the weight falls in a straight line from 100% at
 * `low` to `floor` at `high`. A ramp sheds load and never takes a server out; a missing sample fails.
 */
export const metric = criterionKind({
  summary: 'a Prometheus sample within limits, or a weight ramp from `low` to `high`',
  options: z.strictObject({
    path: urlPath.default('/metrics'),
    metric: z.string({ error: SAMPLE }).regex(/^[A-Za-z_:][\w:]*(?:\{.*\})?$/, { error: SAMPLE }),
    ...limitOptions,
    ramp: z.strictObject(
      { low: anyNumber, high: anyNumber, floor: percent.prefault('10%') }, { error: 'must be a mapping of low, high and floor' }
    ).optional()
  }),
  defaults: { onFail: { action: 'down' } },
  contradiction: options => {
    const limits = options.at_least === undefined && options.at_most === undefined
    if (options.ramp === undefined) return limits ? 'needs at_least, at_most or ramp' : limitsContradict(options)
    const contradiction = limits ? undefined : limitsContradict(options)
    if (contradiction !== undefined) return contradiction
    return options.ramp.high > options.ramp.low ? undefined : `ramp.high ${options.ramp.high} must be above ramp.low ${options.ramp.low}`
  },
  probe: ({ path, metric: name }) => ({ kind: 'metrics', options: { path }, wants: [name] }),
  judge: options => ({ facts }) => {
    const value = numberFact(facts, options.metric)
    const limits = options.at_least === undefined && options.at_most === undefined ? undefined : compare(options.metric, value, options)
    if (limits?.pass === false || options.ramp === undefined) return limits ?? fail(null, 'a limit', 'no limit given')

    const { low, high, floor } = options.ramp
    const limit = `100% at ${low}, ${floor}% at ${high}`
    if (value === undefined) return fail(null, limit, `${options.metric} was not reported, needs ${limit}`)
    const load = Math.min(Math.max((value - low) / (high - low), 0), 1)
    const weightPercent = Math.max(floor, Math.round((100 - load * (100 - floor)) / STEP_PERCENT) * STEP_PERCENT)
    return pass(value, limit, `${options.metric} ${showNumber(value)}, weight ${limit}`, weightPercent)
  }
})
