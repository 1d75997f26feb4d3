/** Who may decide in a simulation: each policy behind the same few questions. */
import type { Backend } from '../core/model.ts'
import type { Order } from '../core/order.ts'
import type { Poll } from '../core/probe.ts'
import type { AdminState } from '../core/reply.ts'
import type { LogEvent } from '../runtime/log.ts'
import type { SaidStore } from '../runtime/said.ts'
import type { Seen } from './invariants.ts'
import type { Sight } from './sight.ts'

export const POLICIES = ['none', 'immediate', 'risefall', 'panic', 'hcf'] as const
export type PolicyName = typeof POLICIES[number]

/** A backend with what it takes to decide about it. */
export interface Setup {
  readonly backend: Backend
  readonly polls: readonly Poll[]
  readonly adminState: AdminState
}

export interface ContenderDeps {
  readonly setup: Setup
  readonly sight: Sight
  readonly log: LogEvent
  /** What outlives the process. */
  readonly store: SaidStore
  /** What operators have ordered up to now. */
  readonly orders: readonly Order[]
  /** For what must not happen: the run ends with it. */
  readonly crash: (error: unknown) => void
}

/** An agent process: it begins to poll when it is made, and ends with `stop`. */
export interface Contender {
  /** The bytes of the answer about a server, by index; undefined: nobody answers. */
  readonly answer: (server: number) => string | undefined
  /** All orders there are, from now on. */
  readonly order: (orders: readonly Order[]) => void
  readonly stop: () => void
  /** What it thinks, for those who check it. */
  readonly inspect?: () => Pick<Seen, 'lines' | 'backend' | 'state'> | undefined
}
