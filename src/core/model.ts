/**
 * The words of the product, as data. Everything else carries these to or from one sentence:
 * polls give samples; `advance` folds a sample into a server's checks; `decide` reads them and says what HAProxy should do.
 */
import type { Policy } from './policy.ts'

export type Scalar = number | string | boolean | null
/** What a probe saw, as small flat data. Never a body, never a secret. */
export type Facts = Readonly<Record<string, Scalar | readonly Scalar[]>>

/**
 * Why a probe has no facts. The classes are different evidence:
 * - refused, reset: the host itself said no
 * - noconn: no connection before the deadline, or no route to the host
 * - timeout: connected, but no whole answer before the deadline
 * - tls, protocol: something answered, but not what was asked for
 * - local: our own trouble (no descriptors, no network, no name service, an unreadable file). No evidence at all.
 */
export type ErrorClass = 'refused' | 'reset' | 'noconn' | 'timeout' | 'tls' | 'protocol' | 'local'

export interface ProbeError { readonly class: ErrorClass, readonly message: string }

/**
 * One poll's outcome, with monotonic start and end in ms. A failed probe is a value, never an exception.
 * `tainted`: we were not ourselves meanwhile; that it answered is believed, what it says against the node is not.
 */
export type Sample =
  | { readonly ok: true, readonly startMs: number, readonly endMs: number, readonly facts: Facts, readonly tainted?: true }
  | { readonly ok: false, readonly startMs: number, readonly endMs: number, readonly error: ProbeError }

export type GoodSample = Extract<Sample, { readonly ok: true }>

/**
 * What one criterion says of one sample. `value` is measured against `limit`, and both are in `reason`.
 * `weightPercent` below 100 on a pass sheds load without failing.
 */
export interface Verdict {
  readonly pass: boolean
  readonly value: Scalar
  readonly limit: string
  readonly reason: string
  readonly weightPercent?: number
}

/**
 * Pure. `previous` is the last good sample of the same probe, for rates of change; undefined at first. An undefined
 * verdict: this sample says nothing about it.
 */
export type Judge = (sample: GoodSample, previous: GoodSample | undefined) => Verdict | undefined

/** What a failing criterion does to its server, worst first: down, drain, weight, warn. */
export type OnFail =
  | { readonly action: 'down' }
  | { readonly action: 'drain' }
  | { readonly action: 'weight', readonly percent: number }
  | { readonly action: 'warn' }

/** Identity of a probe on a node: kind and options, so that two criteria that look the same way share one poll. */
export type ProbeKey = string

export interface Criterion {
  readonly name: string
  readonly kind: string
  readonly probe: ProbeKey
  /** Node, kind and options in one text: memory of a criterion that means something else is worth nothing. */
  readonly meaning: string
  readonly onFail: OnFail
  /** Passes in a row to come back. */
  readonly rise: number
  /** Failures in a row to act. */
  readonly fall: number
  readonly judge: Judge
  /** Its failure is a statement of the node's own (a lame-duck flag): believed without asking the others. */
  readonly solo: boolean
  /** Probe errors that say nothing about this criterion (an unreachable node is `reach`'s business). */
  readonly ignores: readonly ErrorClass[]
}

export interface Server {
  readonly backend: string
  readonly name: string
  /** The server's own share of its configured weight, 1 … 100. */
  readonly weightPercent: number
  /** What is looked at: two servers of one node are one voice. */
  readonly node: string
  /** Deadline of the poll that shows the node, in ms. */
  readonly timeoutMs: number
  readonly criteria: readonly Criterion[]
}

export interface Backend {
  readonly name: string
  readonly policy: Policy
  /** All have criteria of the same names in the same order: `reach` first, then those of the config. */
  readonly servers: readonly Server[]
}

/** Which layer had the last word. */
export type Layer = 'start' | 'criteria' | 'gate' | 'hold' | 'floor' | 'weight' | 'ramp' | 'stale' | 'order' | 'observe'

/** What we mean a server to be. `unknown`: no opinion, HAProxy keeps what it knows. */
export type State = 'unknown' | 'up' | 'drain' | 'maint' | 'down'

/** What HAProxy should do with a server now, and why. */
export interface Decision {
  readonly state: State
  /** Percent of the configured weight, 0 … 100; 0 only by an operator's order. For a server that is out: 100. */
  readonly weightPercent: number
  readonly layer: Layer
  /** Most important first. Empty when there is nothing to say. */
  readonly because: readonly string[]
}

/** `backend/server`, exactly as in haproxy.cfg and its logs. */
export const serverId = (server: { readonly backend: string, readonly name: string }): string => `${server.backend}/${server.name}`
