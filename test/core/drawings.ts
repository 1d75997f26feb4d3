/**
 * Runs of samples as drawings, one mark a second: + pass, - fail, x refused, r reset, n no connection, t timeout,
 * p protocol, l local trouble, . nothing, 1 … 9 a pass that allows 10 … 90% of the weight.
 */
import { advance, newBackend } from '../../src/core/advance.ts'
import type { Backend, BackendState, Criterion, ErrorClass, Judge, Sample, Server, ServerState } from '../../src/core/model.ts'
import { judgeReach, REACH } from '../../src/core/reach.ts'

const ERRORS: Readonly<Record<string, ErrorClass>> = {
  x: 'refused', r: 'reset', n: 'noconn', t: 'timeout', p: 'protocol', l: 'local'
}
const TOOK_MS = 5

/** What a mark stands for; undefined for one that is no sample. */
export function sampleOf (mark: string, endMs: number): Sample | undefined {
  const times = { startMs: endMs - TOOK_MS, endMs }
  if (mark === '.') return undefined
  const error = ERRORS[mark]
  if (error !== undefined) return { ok: false, ...times, error: { class: error, message: `${error} by the node` } }
  if (/[1-9]/.test(mark)) return { ok: true, ...times, facts: { ok: true, percent: Number(mark) * 10 } }
  return { ok: true, ...times, facts: { ok: mark === '+' } }
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
  name, kind: 'test', probe: name, meaning: name, onFail: { action: 'down' }, rise: 2, fall: 3, ignores: [], judge: judgeOk, ...options
})
export const reach = (options: Partial<Criterion> = {}): Criterion => criterion(REACH, { kind: REACH, judge: judgeReach, ...options })

export const server = (name: string, criteria: readonly Criterion[], weightPercent = 100): Server =>
  ({ backend: 'web', name, weightPercent, criteria })
export const backend = (servers: readonly Server[], minUp = 0): Backend => ({ name: 'web', policy: { minUp }, servers })

/** By server and probe; a drawing alone is of the server's first probe. */
export type Drawing = Readonly<Record<string, string | Readonly<Record<string, string>>>>

/** The state after a drawing, second by second, server by server. */
export function play (farm: Backend, drawing: Drawing, state = newBackend(farm), startMs = 0): BackendState {
  const rows = Object.entries(drawing).flatMap(([name, runs]) => {
    const index = farm.servers.findIndex(each => each.name === name)
    const first = farm.servers[index]!.criteria[0]!.probe
    return Object.entries(typeof runs === 'string' ? { [first]: runs } : runs).map(([probe, run]) => ({ index, probe, run }))
  })
  const length = Math.max(0, ...rows.map(({ run }) => run.length))
  for (let second = 0; second < length; second += 1) {
    for (const { index, probe, run } of rows) {
      const sample = sampleOf(run[second] ?? '.', startMs + (second + 1) * 1000)
      if (sample !== undefined) state = advance(farm, state, { kind: 'sample', server: index, probe, sample })
    }
  }
  return state
}

/** One server by itself. */
export const playOne = (one: Server, runs: Drawing[string]): ServerState => play(backend([one]), { [one.name]: runs }).servers[0]!
