/**
 * What a criterion kind is. A new one is a file that exports one of these, a line in index.ts, and its test:
 * options schema, which probe it needs, and a pure judge over the facts of that probe.
 */
import type { z } from 'zod'
import { latencyOf } from '../core/latency.ts'
import type { ErrorClass, Facts, GoodSample, Judge, OnFail, Scalar, Verdict } from '../core/model.ts'
import type { ProbeRequest } from '../core/probe.ts'
import { showDuration } from '../core/text.ts'

const QUOTE_CHARS_MAX = 40

/** What holds when the config does not say. */
export interface KindDefaults {
  readonly onFail: OnFail
  readonly rise?: number
  readonly fall?: number
  /** A pace of its own instead of the backend's interval. */
  readonly everyMs?: number
  /** A deadline of its own instead of the backend's timeout. */
  readonly withinMs?: number
}

export interface CriterionKind<S extends z.ZodObject = z.ZodObject> {
  /** One line for `hcf schema` and the documentation. */
  readonly summary: string
  readonly options: S
  readonly defaults: KindDefaults
  /** `reach`: what the backend's reachability already polls. */
  readonly probe: (options: z.output<S>) => ProbeRequest | 'reach'
  readonly judge: (options: z.output<S>) => Judge
  /** Probe errors that are `reach`'s business. By default: an unreachable node. */
  readonly ignores?: readonly ErrorClass[]
  /** A rule between options that no schema says; the message, or undefined when all is well. */
  readonly contradiction?: (options: z.output<S>) => string | undefined
}

/** Options are typed by their schema inside the kind, and opaque outside. */
export type AnyCriterionKind = Omit<CriterionKind, 'probe' | 'judge' | 'contradiction'> & {
  readonly probe: (options: never) => ProbeRequest | 'reach'
  readonly judge: (options: never) => Judge
  readonly contradiction?: (options: never) => string | undefined
}

/** Gives a kind the types of its own schema. */
export const criterionKind = <S extends z.ZodObject>(kind: CriterionKind<S>): AnyCriterionKind => kind as unknown as AnyCriterionKind

export const pass = (value: Scalar, limit: string, reason: string, weightPercent?: number): Verdict =>
  ({ pass: true, value, limit, reason, ...(weightPercent === undefined ? {} : { weightPercent }) })
export const fail = (value: Scalar, limit: string, reason: string): Verdict => ({ pass: false, value, limit, reason })

/** A number that was measured: NaN and the infinities compare with no limit, and weigh nothing. */
export const numberFact = (facts: Facts, name: string): number | undefined => {
  const value = facts[name]
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}
export const textFact = (facts: Facts, name: string): string => {
  const value = facts[name]
  return typeof value === 'string' ? value : ''
}
export const listFact = (facts: Facts, name: string): readonly Scalar[] => {
  const value = facts[name]
  return Array.isArray(value) ? value as readonly Scalar[] : []
}

/** How long the node took to answer a look, as text. */
export const tookOf = (sample: GoodSample): string => showDuration(latencyOf(sample))
/** A text of the config as a reason shows it: its first characters. */
export const quote = (text: string): string =>
  JSON.stringify(text.length <= QUOTE_CHARS_MAX ? text : `${text.slice(0, QUOTE_CHARS_MAX)}...`)
/** An HTTP status as text, also when there is none. */
export const showStatus = (status: number | undefined): string => status === undefined ? 'no status' : String(status)
