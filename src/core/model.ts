/**
 * The words of the product, as data. Everything else carries these to or from one sentence:
 * polls give samples; `advance` folds a sample into a server's checks; `decide` reads them and says what HAProxy should do.
 */

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

/** One poll's outcome, with monotonic start and end in ms. A failed probe is a value, never an exception. */
export type Sample =
  | { readonly ok: true, readonly startMs: number, readonly endMs: number, readonly facts: Facts }
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

/** Pure. `previous` is the last good sample of the same probe, for rates of change; undefined at first. */
export type Judge = (sample: GoodSample, previous: GoodSample | undefined) => Verdict

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
  /** Probe errors that say nothing about this criterion (an unreachable node is `reach`'s business). */
  readonly ignores: readonly ErrorClass[]
}

export interface Server {
  readonly backend: string
  readonly name: string
  /** The server's own share of its configured weight, 1 … 100. */
  readonly weightPercent: number
  readonly criteria: readonly Criterion[]
}

export interface Policy {
  /** Never fewer servers than this are up because of polled criteria. */
  readonly minUp: number
}

export interface Backend {
  readonly name: string
  readonly policy: Policy
  readonly servers: readonly Server[]
}

/** One criterion's memory. */
export interface CheckState {
  /** HAProxy's counter, 0 … rise+fall-1; passing while >= rise. */
  readonly health: number
  readonly verdict: Verdict
  /** Monotonic ms when it last began to pass or to fail. */
  readonly sinceMs: number
  /** What its last pass allowed: one failure among passes must not give a shedding server all its load back. */
  readonly weightPercent: number
  /** Why its last pass allowed that. */
  readonly weightReason: string
}

/** What a server's criteria together say of it. `start`: nothing yet. */
export type Phase = 'start' | 'in' | 'drain' | 'down'

/** What is remembered of one probe. */
export interface ProbeMemory {
  /** When its newest sample ended. */
  readonly endMs: number
  /** Its last good sample, for rates of change. */
  readonly good?: GoodSample
}

export interface ServerState {
  /** In the order of `Server.criteria`. Absent: no sample yet. */
  readonly checks: ReadonlyArray<CheckState | undefined>
  readonly probes: Readonly<Record<ProbeKey, ProbeMemory>>
  /** The last phase that was known: HAProxy was told, and keeps to it while we have no opinion. */
  readonly known: Phase
}

export interface BackendState {
  /** In the order of `Backend.servers`. */
  readonly servers: readonly ServerState[]
  /** Indices of servers kept up although their criteria say otherwise. */
  readonly kept: readonly number[]
}

/** Which layer had the last word. */
export type Layer = 'start' | 'criteria' | 'floor'

/** What we mean a server to be. `unknown`: no opinion, HAProxy keeps what it knows. */
export type State = 'unknown' | 'up' | 'drain' | 'maint' | 'down'

/** What HAProxy should do with a server now, and why. */
export interface Decision {
  readonly state: State
  /** Percent of the configured weight, 1 … 100. For a server that is out: the weight it shall have when it is back. */
  readonly weightPercent: number
  readonly layer: Layer
  /** Most important first. Empty when there is nothing to say. */
  readonly because: readonly string[]
}

/** `backend/server`, exactly as in haproxy.cfg and its logs. */
export const serverId = (server: { readonly backend: string, readonly name: string }): string => `${server.backend}/${server.name}`
