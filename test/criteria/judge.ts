/** Asks one criterion kind about facts, and about its own options, as the product does. */
import type { Test } from 'tap'
import { stringify } from 'yaml'
import { parseConfig } from '../../src/config/load.ts'
import { ConfigError } from '../../src/config/problems.ts'
import type { Facts, GoodSample, Verdict } from '../../src/core/model.ts'
import { criterionKinds, type CriterionKindName } from '../../src/criteria/index.ts'
import type { AnyCriterionKind } from '../../src/criteria/kind.ts'
import { welcomeFacts } from '../../src/probes/tahoe-welcome.ts'
import { answeredAtMs, frontPage, type StateName } from '../fixtures/tahoe.ts'

export type Options = Readonly<Record<string, unknown>>
/** Facts (or a recorded state), options, does it pass, the whole reason, why so. */
export type Row = readonly [seen: Facts | StateName, options: Options, pass: boolean, reason: string, why: string]

export const kindOf = (name: CriterionKindName): AnyCriterionKind => criterionKinds[name]

export const sample = (facts: Facts, tookMs = 20, endMs = 1000): GoodSample => ({ ok: true, startMs: endMs - tookMs, endMs, facts })

/** Undefined when the sample says nothing. */
export function says (name: CriterionKindName, options: Options, seen: GoodSample, previous?: GoodSample): Verdict | undefined {
  const kind = kindOf(name)
  return kind.judge(kind.options.parse(options) as never)(seen, previous)
}

export function judge (name: CriterionKindName, options: Options, seen: GoodSample, previous?: GoodSample): Verdict {
  const verdict = says(name, options, seen, previous)
  if (verdict === undefined) throw new Error(`${name} says nothing of ${JSON.stringify(seen.facts)}`)
  return verdict
}

export function judgeRows (t: Test, name: CriterionKindName, rows: readonly Row[]): void {
  for (const [seen, options, pass, reason, why] of rows) {
    const facts = typeof seen === 'string' ? welcomeFacts(frontPage(seen), answeredAtMs(seen)) : seen
    const verdict = judge(name, options, sample(facts))
    t.equal(verdict.pass, pass, why)
    t.equal(verdict.reason, reason, why)
    showsValueAndLimit(t, verdict, why)
  }
}

/** A reason without the number it measured, or the one it was compared with, explains nothing. */
export function showsValueAndLimit (t: Test, { value, limit, reason }: Verdict, why: string): void {
  const numbers = [...limit.matchAll(/\d+(?:\.\d+)?/g)].map(([digits]) => digits)
  if (typeof value === 'number' && Number.isInteger(value)) numbers.push(String(value))
  t.not(limit, '', `${why}: has a limit`)
  t.same(numbers.filter(number => !reason.includes(number)), [], `${why}: "${reason}" shows ${value} and ${limit}`)
}

/** What the config says of a criterion's options, each as `option message` (or the message, of the criterion as a whole). */
export function problemsOf (kind: string, options: Options): readonly string[] {
  const text = stringify({ backends: { web: { servers: { a: 'http://10.0.0.1' }, criteria: { x: { kind, ...options } } } } })
  try {
    parseConfig(text, 'hcf.yaml', { env: {}, readFile: () => 'URI:SSK:aaaa:bbbb\n' })
    return []
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.problems.map(({ path, message }) => `${path.replace(/^backends\.web\.criteria\.x\.?/, '')} ${message}`.trim())
  }
}

/** Options, and all that is said of them. */
export type Refusal = readonly [options: Options, problems: readonly string[], why: string]

export function refusals (t: Test, kind: CriterionKindName, rows: readonly Refusal[]): void {
  for (const [options, problems, why] of rows) t.same(problemsOf(kind, options), problems, why)
}
