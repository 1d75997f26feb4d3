/** The scheduler with everything real: what looks at the nodes, and where their samples go. */
import { Deadlines } from '../probes/deadline.ts'
import { createProbe } from '../probes/index.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Chronicle } from '../runtime/journal.ts'
import type { Lateness } from '../runtime/lateness.ts'
import type { Monitor } from '../runtime/monitor.ts'
import { Scheduler } from '../runtime/scheduler.ts'
import type { Budget } from './descriptors.ts'

export interface Polling {
  readonly clock: Clock
  readonly monitor: Monitor
  readonly journal: () => Chronicle
  /** Absent before we look whether we are late. */
  readonly lateness: () => Lateness | undefined
  readonly budget: () => Budget
}

export function createScheduler ({ clock, monitor, journal, lateness, budget }: Polling): Scheduler {
  const deadlines = new Deadlines((tick, everyMs) => clock.every(everyMs, tick))
  return new Scheduler({
    clock,
    inFlightMax: () => budget().inFlight,
    createProbe: poll => createProbe(poll, {
      now: () => clock.now(), deadlines, keeps: look => budget().kept === 'all' || budget().kept === look
    }),
    onSample: (poll, sample) => {
      const seen = lateness()?.taint(sample) ?? sample
      journal().sample(poll, seen)
      monitor.apply(poll, seen)
    },
    isUndecided: poll => monitor.isUndecided(poll),
    isAwaited: poll => monitor.isAwaited(poll),
    wanted: poll => monitor.wanted(poll)
  })
}
