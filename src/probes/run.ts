/** What all probes share: time taken, errors as values, secrets out of the facts. */
import { readFileSync } from 'node:fs'
import type { Facts, Sample, Scalar } from '../core/model.ts'
import { redact } from '../core/text.ts'
import { classify, ProbeFailure } from './errors.ts'
import type { HttpAnswer } from './http-client.ts'

/** Monotonic milliseconds. */
export type Now = () => number

/** Runs a look and makes a sample of it. Every look's facts get `latencyMs`. */
export async function sampleOf (now: Now, look: () => Promise<Facts>): Promise<Sample> {
  const startMs = now()
  try {
    const facts = await look()
    const endMs = now()
    return { ok: true, startMs, endMs, facts: { ...withoutSecrets(facts), latencyMs: Math.round(endMs - startMs) } }
  } catch (error) {
    return { ok: false, startMs, endMs: now(), error: classify(error) }
  }
}

function withoutSecrets (seen: Facts): Facts {
  const facts: Record<string, Facts[string]> = {}
  for (const name of Object.keys(seen)) facts[redact(name)] = redactFact(seen[name] ?? null)
  return facts
}

const redactFact = (value: Facts[string]): Facts[string] => typeof value === 'object' && value !== null ? value.map(redactScalar) : redactScalar(value)
const redactScalar = (value: Scalar): Scalar => typeof value === 'string' ? redact(value) : value

/** The JSON of an answer whose status must be 200. Tahoe sends statistics as text/plain: the type is not asked for. */
export function jsonOf (answer: HttpAnswer, what: string): unknown {
  if (answer.status !== 200) throw new ProbeFailure('protocol', `${what} answered ${answer.status}, needs 200`)
  return parseJson(answer.body.toString('utf8'), what)
}

export function parseJson (text: string, what: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new ProbeFailure('protocol', `${what} is not JSON`)
  }
}

/** The cap in a file, read at each use so that it may be replaced; and never in an error. */
export function readCap (file: string): string {
  let cap: string
  try {
    cap = readFileSync(file, 'utf8').trim()
  } catch (error) {
    throw new ProbeFailure('local', `cap_file ${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'error'})`)
  }
  if (!/^URI:\S+$/.test(cap)) throw new ProbeFailure('local', `cap_file ${file} does not hold one cap`)
  return cap
}

/** Through /uri/ only: Tahoe keeps the paths of that one out of its own log [webapi]. */
export const capPath = (cap: string): string => `/uri/${encodeURIComponent(cap)}`

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
