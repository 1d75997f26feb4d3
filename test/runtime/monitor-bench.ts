/** A monitor with all it needs, asked as an HAProxy asks. */
import { encodeReply } from '../../src/agent/protocol.ts'
import type { Backend, OnFail, Server } from '../../src/core/model.ts'
import type { Poll } from '../../src/core/probe.ts'
import type { AdminState } from '../../src/core/reply.ts'
import { Monitor } from '../../src/runtime/monitor.ts'
import { Pollers } from '../../src/runtime/pollers.ts'
import { Said } from '../../src/runtime/said.ts'
import { SimClock } from '../../src/sim/clock.ts'
import { backend, criterion, reach, sampleOf, server } from '../core/drawings.ts'
import { Sink } from './sink.ts'

const weight: OnFail = { action: 'weight', percent: 25 }

/** Decides at each sample, so that a story needs few of them. */
export const quick = { rise: 1, fall: 1 }
export const webServer = (name: string): Server => server(name, [
  reach(quick),
  criterion('storage', { ...quick, onFail: { action: 'drain' } }),
  criterion('latency', { ...quick, onFail: weight }),
  criterion('introducer', { ...quick, onFail: { action: 'warn' } })
])
export const web = (names = 'ab', minUp = 0): Backend => backend(Array.from(names).map(webServer), minUp)

export class Bench {
  readonly clock = new SimClock()
  readonly sink = new Sink()
  readonly pollers = new Pollers(() => undefined)
  readonly #stateDir: string
  #backend: Backend
  monitor: Monitor

  constructor (stateDir: string, farm: Backend, adminState: AdminState = 'shared') {
    this.#stateDir = stateDir
    this.#backend = farm
    this.monitor = this.restart(adminState)
  }

  restart (adminState: AdminState = 'shared'): Monitor {
    const { clock, pollers, sink: { log: { event: log } } } = this
    const said = new Said({ clock, log, stateDir: this.#stateDir })
    this.monitor = new Monitor({ backends: [this.#backend], adminStates: { web: adminState } }, { clock, log, pollers, said, encode: reply => encodeReply(reply).trimEnd() })
    return this.monitor
  }

  reload (farm: Backend, adminState: AdminState = 'shared'): void {
    this.#backend = farm
    this.monitor.reload({ backends: [farm], adminStates: { web: adminState } })
  }

  poll (name: string, probe: string): Poll {
    return {
      key: probe,
      node: { key: `http://${name}`, protocol: 'http', host: name, port: 80 },
      request: { kind: 'tcp', options: {} },
      intervalMs: 2000,
      fastMs: 500,
      timeoutMs: 1000,
      readers: [{ backend: 'web', server: this.#backend.servers.findIndex(each => each.name === name) }]
    }
  }

  /** One mark for each of the server's probes, a second after what was before. */
  async see (name: string, marks: Readonly<Record<string, string>>): Promise<void> {
    await this.clock.advance(1000)
    for (const [probe, mark] of Object.entries(marks)) this.monitor.apply(this.poll(name, probe), sampleOf(mark, this.clock.now())!)
  }

  /** As the agent port does. */
  ask (name: string, from = 'h1'): string {
    const reply = this.monitor.reply(`web/${name}`, from)
    if (reply === undefined) return 'unknown'
    this.pollers.told(`web/${name}`, from, this.clock.now())
    return encodeReply(reply).trimEnd()
  }

  /** What the status page shows. */
  look (name: string): string {
    const view = this.monitor.view(`web/${name}`)
    return view === undefined ? 'unknown' : encodeReply(view.reply).trimEnd()
  }
}

export const GOOD = { reach: '+', storage: '+', latency: '+', introducer: '+' }
