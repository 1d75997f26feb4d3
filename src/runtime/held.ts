/** A backend as the monitor holds it: what it is, what is known of it, and what was said last. */
import { advance, newBackend } from '../core/advance.ts'
import type { BackendStory, Story, Summary } from '../core/explain.ts'
import type { Backend, Decision } from '../core/model.ts'
import type { Orders } from '../core/order.ts'
import type { Mode } from '../core/policy.ts'
import { carryOver, revive } from '../core/reload.ts'
import type { AdminState, Reply } from '../core/reply.ts'
import type { BackendState } from '../core/state.ts'
import type { Doubting } from './changes.ts'
import type { LogEvent } from './log.ts'
import type { Restored } from './polled.ts'

export interface Held {
  readonly backend: Backend
  readonly adminState: AdminState
  state: BackendState
  /** What we meant last, server by server: what differs from it is told. */
  readonly decisions: Decision[]
  readonly sinceMs: number[]
  /** The doubt that was told and is not over. */
  doubting: Doubting | undefined
}

/** What HAProxy has heard of a server that is new to us. */
const NO_OPINION: Decision = { state: 'unknown', weightPercent: 100, layer: 'start', because: [] }

export interface Beginning {
  readonly orders: Orders
  readonly nowMs: number
  readonly log: LogEvent
  /** What the polls said before a restart. */
  readonly restored: Restored | undefined
}

/** With the decisions of before, so that a change a reload makes is told like any other. */
export function hold (backend: Backend, adminState: AdminState, old: Held | undefined, { orders, nowMs, log, restored }: Beginning): Held {
  const carried = old === undefined ? begin(backend, nowMs, log, restored) : carryOver(old.backend, old.state, backend, nowMs)
  const state = advance(backend, carried, { kind: 'orders', orders, atMs: nowMs })
  const places = backend.servers.map(({ name }) => old?.backend.servers.findIndex(server => server.name === name) ?? -1)
  return {
    backend,
    adminState,
    state,
    decisions: places.map(place => old?.decisions[place] ?? NO_OPINION),
    sinceMs: places.map(place => old?.sinceMs[place] ?? nowMs),
    doubting: old?.doubting
  }
}

function begin (backend: Backend, nowMs: number, log: LogEvent, restored: Restored | undefined): BackendState {
  const saved = restored?.backends[backend.name]
  if (restored === undefined || saved === undefined) return newBackend(backend, nowMs)
  try {
    return revive(backend, saved, restored.shiftMs, nowMs)
  } catch { // of another hcf, or by another hand
    const why = `does not fit ${backend.name}`
    log('state.set_aside', { file: 'polled.json', to: 'nowhere', why }, `what was known of ${backend.name} was not understood: its servers begin anew`)
    return newBackend(backend, nowMs)
  }
}

interface Said {
  readonly id: string
  readonly reply: Reply
  /** Monotonic ms when the decision last changed. */
  readonly sinceMs: number
}

/** One server as `status` shows it, and as `explain` does. */
export type ServerSummary = Summary & Said
export type ServerView = Story & Said

export interface BackendView {
  readonly name: string
  readonly mode: Mode
  readonly story: BackendStory
  readonly servers: readonly ServerSummary[]
}
