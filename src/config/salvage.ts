/**
 * What can be said of a file that does not have the right shape: all its problems come at once. What cannot be read was
 * reported already.
 */
import { profiles, type RawCriterion } from '../profiles/index.ts'
import { findContradictions } from './contradictions.ts'
import { planCriteria, type Plan } from './criteria.ts'
import { readablePolicy } from './policy.ts'
import type { Report } from './problems.ts'

type Raw = Readonly<Record<string, unknown>>

export function checkWhatCanBeRead (file: unknown, report: Report): void {
  const backends = isRecord(file) ? file['backends'] : undefined
  if (!isRecord(backends)) return
  for (const [name, backend] of Object.entries(backends)) {
    if (!isRecord(backend)) continue
    const { criteria = {}, policy = {}, servers: written } = backend
    const servers = isRecord(written) ? Object.keys(written).length : 0
    findContradictions(name, {
      plans: isRecord(criteria) ? planReadable(name, backend, criteria, report) : [],
      policy: isRecord(policy) ? readablePolicy(policy) : {},
      ...(servers === 0 ? {} : { servers })
    }, report)
  }
}

/** With an unknown profile, a criterion without a kind may be right. */
function planReadable (name: string, backend: Raw, criteria: Raw, report: Report): readonly Plan[] {
  const written = backend['profile']
  const profile = typeof written === 'string' && Object.hasOwn(profiles, written) ? written : undefined
  const readable = Object.entries(criteria).filter((entry): entry is [string, RawCriterion] =>
    isRecord(entry[1]) && (written === profile || entry[1]['kind'] !== undefined))
  return planCriteria(name, { profile, criteria: Object.fromEntries(readable) }, report)
}

const isRecord = (value: unknown): value is Raw => typeof value === 'object' && value !== null && !Array.isArray(value)
