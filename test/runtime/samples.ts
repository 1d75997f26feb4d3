/**
 * Servers, criteria and samples for tests of what runs over time. Marks: + passes, - fails, x refused, r reset, n no
 * connection, t timeout, p protocol, l local trouble, . nothing, 1 … 9 a pass that allows 10 … 90% of the weight,
 * z a pass that took so long that the node is slow.
 */
import type { Backend, Criterion, ErrorClass, Judge, Sample, Server } from '../../src/core/model.ts'
import type { Policy } from '../../src/core/policy.ts'
import { judgeReach, REACH } from '../../src/core/reach.ts'

const ERRORS: Readonly<Record<string, ErrorClass>> = {
  x: 'refused', r: 'reset', n: 'noconn', t: 'timeout', p: 'protocol', l: 'local'
}
const TOOK_MS = 5
export const TIMEOUT_MS = 1000
const SLOW_MS = TIMEOUT_MS / 2

/** What a mark stands for; undefined for one that is no sample. */
export function sampleOf (mark: string, endMs: number): Sample | undefined {
  const times = { startMs: endMs - (mark === 'z' ? SLOW_MS : TOOK_MS), endMs }
  if (mark === '.') return undefined
  const error = ERRORS[mark]
  if (error !== undefined) return { ok: false, ...times, error: { class: error, message: `${error} by the node` } }
  if (/[1-9]/.test(mark)) return { ok: true, ...times, facts: { ok: true, percent: Number(mark) * 10 } }
  return { ok: true, ...times, facts: { ok: mark !== '-' } }
}

const judgeOk: Judge = ({ facts: { ok = null, percent } }) => ({
  pass: ok === true,
  value: ok === true,
  limit: 'true',
  reason: ok === true ? 'is ok' : 'is not ok',
  ...(typeof percent === 'number' ? { weightPercent: percent } : {})
})

/** Reads a probe of its own name; down at the third failure, back at the second pass. */
export const criterion = (name: string, options: Partial<Criterion> = {}): Criterion => ({
  name, kind: 'test', probe: name, meaning: name, onFail: { action: 'down' }, rise: 2, fall: 3, ignores: [], solo: false, judge: judgeOk, ...options
})
export const reach = (options: Partial<Criterion> = {}): Criterion => criterion(REACH, { kind: REACH, judge: judgeReach, ...options })

export const server = (name: string, criteria: readonly Criterion[], of = 'web'): Server =>
  ({ backend: of, name, weightPercent: 100, node: `http://${name}`, timeoutMs: TIMEOUT_MS, criteria })

/** Only criteria, weights and the floor: no layer waits, doubts or grows old. */
export const BARE: Policy = {
  mode: 'enforce', minUp: 0, maxOutPercent: 100, baseWeight: 100, staleAfterMs: Infinity,
  weight: { floorPercent: 10, quantumPercent: 1, everyMs: 0, downPercent: 1, upPercent: 100 }
}
export const backend = (servers: readonly Server[], policy = BARE): Backend => ({ name: servers[0]?.backend ?? 'web', policy, servers })
