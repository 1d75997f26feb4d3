/** `GET /statistics?t=json`: the gateway's counters and statistics, those that are wanted [webapi]. */
import type { Facts } from '../core/model.ts'
import { ProbeFailure } from './errors.ts'
import type { HttpProbe } from './kind.ts'
import { isRecord, jsonOf } from './run.ts'

export const tahoeStatistics: HttpProbe<'tahoe-statistics'> = (_, wants) => async ask =>
  statisticsFacts(jsonOf(await ask({ method: 'GET', path: '/statistics?t=json' }), 'GET /statistics?t=json'), wants)

export function statisticsFacts (json: unknown, wants: readonly string[]): Facts {
  if (!isRecord(json) || !isRecord(json['stats'])) throw new ProbeFailure('protocol', 'GET /statistics?t=json holds no stats')
  const counters = isRecord(json['counters']) ? json['counters'] : {}
  const stats = json['stats']
  const facts: Record<string, number> = {}
  for (const name of wants) {
    const value = stats[name] ?? counters[name]
    if (typeof value === 'number') facts[name] = value
  }
  return facts
}
