/** The real thing in a simulated world: Monitor, Scheduler and all, exactly as the app puts them together. */
import { encodeReply } from '../agent/protocol.ts'
import { decide } from '../core/decide.ts'
import { serverId } from '../core/model.ts'
import type { Poll, Probe } from '../core/probe.ts'
import { toReply } from '../core/reply.ts'
import type { BackendState } from '../core/state.ts'
import { hedged } from '../probes/hedge.ts'
import type { Timer } from '../runtime/clock.ts'
import { Lateness } from '../runtime/lateness.ts'
import { Monitor } from '../runtime/monitor.ts'
import { Pollers } from '../runtime/pollers.ts'
import { Said } from '../runtime/said.ts'
import { Scheduler } from '../runtime/scheduler.ts'
import type { Contender, ContenderDeps } from './contender.ts'
import type { Sight } from './sight.ts'

const TICK_MS = 1000

/** The address of the one HAProxy there is. */
const HAPROXY = 'haproxy'

export function createReal ({ setup, sight, log, store, orders, crash }: ContenderDeps): Contender {
  const { backend, polls, adminState } = setup
  const { clock } = sight
  const pollers = new Pollers(() => undefined)
  const said = new Said({ clock, log, store })
  const farm = { backends: [backend], adminStates: { [backend.name]: adminState } }
  const monitor = new Monitor(farm, { clock, log, pollers, said, encode: reply => encodeReply(reply).trimEnd() })
  monitor.order(orders)
  const lateness = new Lateness(clock, lateMs => { log('agent.late', {}, `hcf itself was held up for ${Math.round(lateMs)} ms`) })
  const scheduler = new Scheduler({
    clock,
    createProbe: poll => probeOf(poll, sight),
    onSample: (poll, sample) => {
      try {
        monitor.apply(poll, lateness.taint(sample))
      } catch (error) {
        crash(error)
      }
    },
    isUndecided: poll => monitor.isUndecided(poll),
    isAwaited: poll => monitor.isAwaited(poll),
    wanted: poll => monitor.wanted(poll)
  })
  scheduler.set(polls)
  const ticker = clock.every(TICK_MS, () => { monitor.tick() })

  const ids = backend.servers.map(serverId)
  const lineOf = (id: string, index: number, state: BackendState): string =>
    encodeReply(toReply(decide(backend, state, index, clock.now()), adminState, said.owes(id))).trimEnd()
  return {
    answer: server => {
      const reply = monitor.reply(ids[server] ?? '', HAPROXY)
      return reply === undefined ? undefined : encodeReply(reply)
    },
    inspect: () => {
      const state = monitor.memory(backend.name)
      return state === undefined ? undefined : { backend, state, lines: ids.map((id, index) => lineOf(id, index, state)) }
    },
    order: now => { monitor.order(now) },
    stop: () => {
      scheduler.stop()
      lateness.stop()
      ticker.stop()
    }
  }
}

function probeOf (poll: Poll, sight: Sight): Probe {
  const first = sight.probe(poll)
  if (poll.hedgeMs === undefined) return first
  const { clock } = sight
  const after = (ms: number, run: () => void): Timer => clock.after(ms, () => {
    clock.answered()
    run()
  })
  return hedged(first, () => sight.probe(poll, 1), poll.hedgeMs, { now: () => clock.now(), after })
}
