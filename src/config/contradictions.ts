/** What no schema says: settings of a backend that are right each by itself, and wrong together. */
import { z } from 'zod'
import { showOnFail } from '../core/explain.ts'
import { DEFAULT_POLICY } from '../core/policy.ts'
import { leastPercent } from '../core/weight.ts'
import { duration } from '../criteria/scalars.ts'
import { onFailOf, type Plan } from './criteria.ts'
import { OFF, toStale, toWeight, type PolicyFile } from './policy.ts'
import type { Path, Report } from './problems.ts'

/** What of a backend can be read. */
export interface Readable {
  readonly policy: Partial<PolicyFile>
  /** Those that can be read. */
  readonly plans: readonly Plan[]
  /** How many servers it has. */
  readonly servers?: number
  /** The longest that a poll which shows a server may take, where that is not the policy's `timeout`. */
  readonly timeoutMs?: number
}

export function findContradictions (backend: string, readable: Readable, report: Report): void {
  const path = ['backends', backend, 'policy']
  const { policy: { min_up: minUp, at_most_drained: atMostDrained, window, hold, weight }, plans, servers } = readable
  if (servers !== undefined && minUp !== undefined && minUp > servers) {
    report.add([...path, 'min_up'], `must be at most the number of servers (${servers}), is ${minUp}`)
  }
  if (servers !== undefined && atMostDrained !== undefined && atMostDrained >= servers) {
    const why = 'with all of them out by order nobody serves. Leave it out for no limit'
    report.add([...path, 'at_most_drained'], `must be below the number of servers (${servers}), is ${atMostDrained}: ${why}`)
  }
  if (window !== undefined && window !== OFF && window.fails > window.of) {
    report.add([...path, 'window'], `has ${window.fails} fails of ${window.of}, which cannot be: fails must be at most of`, 'key')
  }
  if (hold !== undefined && hold !== OFF && hold.base > hold.max) {
    report.add([...path, 'hold'], `has base ${show(hold.base)} above max ${show(hold.max)}: max must be at least base`, 'key')
  }
  findStale(path, readable, report)
  if (weight !== undefined) findWeights(['backends', backend, 'criteria'], weight, plans, report)
}

function findStale (path: Path, { policy, timeoutMs = policy.timeout }: Readable, report: Report): void {
  const { interval, stale_after: after, stale_open: open } = policy
  if (open !== undefined && policy.stale === 'hold') {
    report.add([...path, 'stale_open'], 'has no meaning with stale: hold, which never gives a verdict up', 'key')
  }
  if (interval === undefined || timeoutMs === undefined) return
  const leastMs = interval + timeoutMs
  if (after !== undefined && after < leastMs) {
    const why = 'or a verdict is stale before the next look can end'
    report.add([...path, 'stale_after'], `must be at least interval + timeout (${show(leastMs)}), ${why}, is ${show(after)}`)
  }
  const { staleAfterMs, staleOpenMs = Infinity } = toStale({ ...policy, interval }, timeoutMs)
  if (staleOpenMs > staleAfterMs) return
  report.add([...path, 'stale_open'], `must be above stale_after (${show(staleAfterMs)}), is ${show(staleOpenMs)}`)
}

/** A lower weight would be raised to the least, and nobody would know. */
function findWeights (path: Path, weight: PolicyFile['weight'], plans: readonly Plan[], report: Report): void {
  if (weight === OFF) return // then no weight is between 0 and 100
  const least = leastPercent({ ...DEFAULT_POLICY, ...toWeight(weight) })
  for (const plan of plans) {
    const onFail = onFailOf(plan)
    if (onFail.action !== 'weight' || onFail.percent >= least) continue
    const why = `the least weight of a server in service (policy.weight has floor ${weight.floor}%, base ${weight.base})`
    report.add([...path, plan.name, 'on_fail'], `must be at least ${least}%, ${why}, is ${showOnFail(onFail)}`)
  }
}

/** To the millisecond: 1.5s is not above 1.5s. */
const show = (ms: number): string => z.encode(duration, ms)
