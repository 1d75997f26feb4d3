/** What the admin port needs of the agent. The app hands it in; nothing here keeps state of its own. */
import type {
  EventsQuery, EventView, GivenBody, OrderBody, OverrideView, PollersBody, RefusalCode, ServerBody, StatusBody, TrafficBody
} from './api.ts'
import type { Tokens } from './tokens.ts'

interface Timer { stop: () => void }

/** The part of a clock that is used here. Monotonic. */
export interface AdminClock {
  readonly now: () => number
  readonly after: (ms: number, run: () => void) => Timer
  readonly every: (ms: number, run: () => void) => Timer
}

/** What became of an order. `more`: fields for a program, beside the words for a person. */
export type Given =
  | { readonly ok: true, readonly body: GivenBody }
  | {
    readonly ok: false
    /** unknown: no such server. invalid: it makes no sense. The others: it was understood, and refused. */
    readonly code: 'unknown' | 'invalid' | RefusalCode
    readonly detail: string
    readonly more?: Readonly<Record<string, unknown>>
  }

export type Reloaded =
  | { readonly ok: true, readonly config: string, readonly backends: number, readonly servers: number }
  | { readonly ok: false, readonly problems: readonly string[] }

export interface AdminEvents {
  /** Oldest first; of more than `limit` the newest. */
  readonly list: (query: EventsQuery) => readonly EventView[]
  /** Every event from now on; returns how to stop that. */
  readonly subscribe: (listener: (event: EventView) => void) => () => void
}

export interface AdminDeps {
  readonly version: string
  readonly clock: AdminClock
  readonly uptimeMs: () => number
  readonly isStopping: () => boolean
  /** Known servers with names like this one. */
  readonly nearest: (id: string) => readonly string[]
  readonly status: () => StatusBody
  readonly server: (id: string) => ServerBody | undefined
  /** Whether a server takes traffic, or we have no opinion; cheap, for balancers ask it again and again. Undefined for one we do not know. */
  readonly isFit: (id: string) => boolean | undefined
  readonly pollers: () => PollersBody
  readonly overrides: () => readonly OverrideView[]
  /** Asked only for servers that exist. */
  readonly traffic: (id: string) => Promise<TrafficBody>
  /** All targets or none. `by` is who the port took the author for: it comes before `order.by`. */
  readonly give: (order: OrderBody, by: string) => Given
  readonly clear: (scope: string, by: string, force: boolean) => Given
  readonly reload: () => Promise<Reloaded>
  readonly events: AdminEvents
  /** Whether an event is about a backend. */
  readonly concerns: (event: EventView, backend: string) => boolean
  /** Those in force now; undefined without a token_file. A reload hands out another object, never a changed one. */
  readonly tokens: () => Tokens | undefined
}
