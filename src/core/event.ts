/** All that can change what we think of a backend. */
import type { ProbeKey, Sample } from './model.ts'

/** One poll's outcome, as it concerns one server of a backend (`server` is its index in `Backend.servers`). */
export interface SampleEvent {
  readonly kind: 'sample'
  readonly server: number
  readonly probe: ProbeKey
  readonly sample: Sample
}

export type Event = SampleEvent
