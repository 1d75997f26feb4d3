/** What is true of a server, and what a look at it sees of that. */
import type { ErrorClass, Facts, Sample } from '../../src/core/model.ts'
import { PAGE, TIMEOUT_MS } from './properties-farm.ts'

export const TRUTHS = [
  'good', 'refused', 'reset', 'timeout', 'noconn', 'tls', 'protocol', 'local', 'tainted', 'http', 'storage', 'introducer',
  'lame', 'canary', 'slow', 'shed', 'mixed'
] as const
export type Truth = typeof TRUTHS[number]
const ERRORS: readonly ErrorClass[] = ['refused', 'reset', 'timeout', 'noconn', 'tls', 'protocol', 'local']
const MIXED: readonly Truth[] = ['good', 'refused', 'timeout', 'http', 'good', 'storage', 'slow', 'canary']

/** What a look at a server sees. `nth` makes looks differ that are of the same kind. */
export function seen (truth: Truth, probe: string, endMs: number, nth: number, say = ''): Sample {
  if (truth === 'mixed') return seen(MIXED[(nth * 7 + (nth >> 3)) % MIXED.length]!, probe, endMs, nth, say)
  const error = ERRORS.find(each => each === truth)
  if (error !== undefined) {
    const tookMs = error === 'timeout' || error === 'noconn' ? TIMEOUT_MS : 1
    return { ok: false, startMs: endMs - tookMs, endMs, error: { class: error, message: `${error} by the node${say}` } }
  }
  const latencyMs = truth === 'slow' ? 400 + nth * 300 % 1500 : 5 + nth % 4 * 10
  const facts = { ...factsOf(truth, probe), latencyMs, ...(say === '' ? {} : { say }) }
  return { ok: true, startMs: endMs - latencyMs, endMs, facts, ...(truth === 'tainted' ? { tainted: true } : {}) }
}

export function factsOf (truth: Truth, probe: string): Facts {
  if (probe !== PAGE) return { [probe]: truth === 'canary' || truth === 'tainted' ? 'fail' : 'pass' }
  if (truth === 'http') return { http: 'fail' } // a page that is broken says nothing more
  const all = { http: 'pass', storage: 'pass', introducer: 'pass', lame: 'pass' }
  if (truth === 'tainted') return { ...all, http: 'fail', storage: 'fail' }
  if (truth === 'shed') return { ...all, storage: 40 }
  return truth in all ? { ...all, [truth]: 'fail' } : all
}
