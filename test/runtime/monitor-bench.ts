/** A monitor with all it needs, asked as an HAProxy asks. */
import { encodeReply } from '../../src/agent/protocol.ts'
import type { Backend, OnFail, Server } from '../../src/core/model.ts'
import type { Order, OrderAction } from '../../src/core/order.ts'
import { DEFAULT_POLICY, type Policy } from '../../src/core/policy.ts'
import type { Poll } from '../../src/core/probe.ts'
import type { AdminState } from '../../src/core/reply.ts'
import { Monitor } from '../../src/runtime/monitor.ts'
import type { Restored } from '../../src/runtime/polled.ts'
import { Pollers } from '../../src/runtime/pollers.ts'
import { memoryStore, Said, type SaidStore } from '../../src/runtime/said.ts'
import { SimClock } from '../../src/sim/clock.ts'
import { backend, BARE, criterion, reach, sampleOf, server, TIMEOUT_MS } from './samples.ts'
import { Sink } from './sink.ts'

/** As BARE, with the layers named as they come by default. */
export function only (...layers: ReadonlyArray<keyof Policy>): Policy {
  return { ...BARE, ...Object.fromEntries(layers.map(layer => [layer, DEFAULT_POLICY[layer]])) }
}

/** Decides at each sample, so that a story needs few of them. */
export const quick = { rise: 1, fall: 1 }
const weight: OnFail = { action: 'weight', percent: 25 }

export const webServer = (name: string): Server => server(name, [
  reach(quick),
  criterion('storage', { ...quick, onFail: { action: 'drain' } }),
  criterion('latency', { ...quick, onFail: weight }),
  criterion('introducer', { ...quick, onFail: { action: 'warn' } })
])
export const web = (names = 'ab', minUp = 0): Backend => backend(Array.from(names).map(webServer), { ...BARE, minUp })
/** Servers that are looked at for nothing but whether they answer. */
export const plain = (names: string, policy = BARE, of = 'web'): Backend =>
  backend(Array.from(names).map(name => server(name, [reach()], of)), policy)

/** For how long: until it is taken back, when absent. */
export type Ordered = readonly [scope: string, action: OrderAction, forMs?: number]

interface BenchOptions {
  readonly store?: SaidStore
  readonly adminState?: AdminState
  /** What an agent before this one knew. */
  readonly restored?: Restored | undefined
  readonly clock?: SimClock
}

export class Bench {
  readonly clock: SimClock
  readonly sink = new Sink()
  readonly pollers = new Pollers(() => undefined)
  readonly #store: SaidStore
  /** How often it was written what we said. */
  writes = 0
  readonly #restored: Restored | undefined
  #backends: readonly Backend[]
  monitor: Monitor

  constructor (backends: Backend | readonly Backend[], { store = memoryStore(), adminState, restored, clock }: BenchOptions = {}) {
    this.clock = clock ?? new SimClock()
    this.#store = store
    this.#restored = restored
    this.#backends = [backends].flat()
    this.monitor = this.restart(adminState)
  }

  restart (adminState: AdminState = 'shared'): Monitor {
    const { clock, pollers, sink: { log: { event: log } } } = this
    const store = { ...this.#store, write: (data: unknown) => { this.#write(data) } }
    const said = new Said({ clock, log, store })
    const encode = (reply: Parameters<typeof encodeReply>[0]): string => encodeReply(reply).trimEnd()
    const deps = { clock, log, pollers, said, encode, restored: this.#restored }
    this.monitor = new Monitor({ backends: this.#backends, adminStates: { web: adminState } }, deps)
    return this.monitor
  }

  #write (data: unknown): void {
    this.writes += 1
    this.#store.write(data)
  }

  reload (backends: Backend | readonly Backend[], adminState: AdminState = 'shared'): void {
    this.#backends = [backends].flat()
    this.monitor.reload({ backends: this.#backends, adminStates: { web: adminState } })
  }

  /** The poll that a server of `backend` reads under this name; as in a config, its key is of the node. */
  poll (name: string, probe: string, of = 'web'): Poll {
    const servers = this.#backends.find(({ name }) => name === of)?.servers ?? []
    return {
      key: probe,
      node: { key: `http://${name}`, protocol: 'http', host: name, port: 80 },
      request: { kind: 'tcp', options: {} },
      intervalMs: 2000,
      fastMs: 500,
      timeoutMs: TIMEOUT_MS,
      readers: [{ backend: of, server: servers.findIndex(each => each.name === name) }]
    }
  }

  /** One mark for each of the server's probes, a second after what was before. */
  async see (name: string, marks: Readonly<Record<string, string>>): Promise<void> {
    await this.clock.advance(1000)
    this.seeNow(name, marks)
  }

  seeNow (name: string, marks: Readonly<Record<string, string>>, of = 'web'): void {
    for (const [probe, mark] of Object.entries(marks)) {
      const sample = sampleOf(mark, this.clock.now())
      if (sample !== undefined) this.monitor.apply(this.poll(name, probe, of), sample)
    }
  }

  /** A second passes: one mark for each server's first probe, then the agent's own look at the time. */
  async round (marks: Readonly<Record<string, string>>, of = 'web'): Promise<void> {
    await this.clock.advance(1000)
    for (const [name, mark] of Object.entries(marks)) this.seeNow(name, { reach: mark }, of)
    this.monitor.tick()
  }

  /** The same for as long as the drawings are. */
  async play (drawings: Readonly<Record<string, string>>): Promise<void> {
    const length = Math.max(...Object.values(drawings).map(run => run.length))
    for (let at = 0; at < length; at += 1) {
      await this.round(Object.fromEntries(Object.entries(drawings).map(([name, run]) => [name, run[at] ?? '.'])))
    }
  }

  /** Orders as an operator gives them, all in force now. */
  order (...orders: readonly Ordered[]): void {
    const fromMs = this.clock.now()
    this.monitor.order(orders.map(([scope, action, forMs]): Order =>
      ({ scope, action, fromMs, ...(forMs === undefined ? {} : { untilMs: fromMs + forMs }), by: 'al', reason: 'disk' })))
  }

  /** As the agent port does. */
  ask (name: string, from = 'h1'): string {
    const id = name.includes('/') ? name : `web/${name}`
    const reply = this.monitor.reply(id, from)
    if (reply === undefined) return 'unknown'
    this.pollers.told(id, from, this.clock.now(), reply)
    return encodeReply(reply).trimEnd()
  }

  /** What each of these servers answers, asked one after another. */
  askAll (names: string): readonly string[] {
    return Array.from(names).map(name => this.ask(name))
  }

  /** What the status page shows. */
  look (name: string): string {
    const view = this.monitor.view(`web/${name}`)
    return view === undefined ? 'unknown' : encodeReply(view.reply).trimEnd()
  }
}

export const GOOD = { reach: '+', storage: '+', latency: '+', introducer: '+' }
