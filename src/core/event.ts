/** All that can change what we think of a backend. */
import type { ProbeKey, Sample } from './model.ts'
import type { Orders } from './order.ts'

/** One poll's outcome, as it concerns one server of a backend (`server` is its index in `Backend.servers`). */
export interface SampleEvent {
  readonly kind: 'sample'
  readonly server: number
  readonly probe: ProbeKey
  readonly sample: Sample
}

/** The operator's orders from now on, all of them. */
export interface OrdersEvent {
  readonly kind: 'orders'
  readonly orders: Orders
  readonly atMs: number
}

export type Event = SampleEvent | OrdersEvent
