/** One scenario played to the end with one policy: the same scenario, policy and seed give the same result, always. */
import type { Config } from '../config/load.ts'
import { serverId } from '../core/model.ts'
import type { Order, OrderAction } from '../core/order.ts'
import { EVENTS, type LogEvent } from '../runtime/log.ts'
import { memoryStore } from '../runtime/said.ts'
import type { Contender, ContenderDeps, PolicyName, Setup } from './contender.ts'
import { FarmClock } from './farm-clock.ts'
import type { Seen } from './invariants.ts'
import { Measures, type Figures } from './measures.ts'
import { createNaive, NAIVE_RULES } from './naive.ts'
import { narrate } from './narrate.ts'
import { nodeName, Nodes } from './nodes.ts'
import { resize, setupFrom, setupOf } from './own-config.ts'
import { Pool } from './pool.ts'
import { uniform } from './random.ts'
import { createReal } from './real.ts'
import type { Scenario, ScenarioEvent } from './scenario.ts'
import { Sight } from './sight.ts'
import { STEP_MS, Traffic } from './traffic.ts'

export type { PolicyName } from './contender.ts'

export interface TimelineEntry { readonly atMs: number, readonly text: string }

export interface RunResult extends Figures {
  readonly scenario: string
  readonly policy: PolicyName
  readonly seed: number
  /** Once a second: servers that HAProxy sends clients. */
  readonly inService: readonly number[]
  /** Empty unless asked for. */
  readonly timeline: readonly TimelineEntry[]
}

export interface SimOptions {
  readonly policy: PolicyName
  readonly seed: number
  readonly timeline?: boolean
  /** After every agent check of `hcf`. */
  readonly onAnswer?: (seen: Seen) => void
  /** An operator's own config for `hcf`; the scenario is then cut to the size of its backend, for every policy. */
  readonly config?: Config
  /** Which backend of `config`; the first if not said. */
  readonly backend?: string
}

/** HAProxy alone decides by its own check: there is no agent. */
const NOBODY: Contender = { answer: () => undefined, order: () => undefined, stop: () => undefined }

const CONTENDERS: Readonly<Record<PolicyName, (deps: ContenderDeps) => Contender>> = {
  none: () => NOBODY,
  immediate: deps => createNaive(NAIVE_RULES.immediate, deps),
  risefall: deps => createNaive(NAIVE_RULES.risefall, deps),
  panic: deps => createNaive(NAIVE_RULES.panic, deps),
  hcf: createReal
}

export async function simulate (scenario: Scenario, options: SimOptions): Promise<RunResult> {
  const own = options.config === undefined ? undefined : setupFrom(options.config, options.backend)
  const sized = own === undefined ? scenario : resize(scenario, own.backend.servers.length)
  const run = new Run(sized, options.policy === 'hcf' && own !== undefined ? own : setupOf(sized), options)
  return run.play()
}

class Run {
  readonly #scenario: Scenario
  readonly #setup: Setup
  readonly #options: SimOptions
  readonly #clock = new FarmClock()
  readonly #nodes: Nodes
  readonly #traffic: Traffic
  readonly #pool: Pool
  readonly #measures: Measures
  readonly #sight: Sight
  readonly #store = memoryStore()
  readonly #inService: number[] = []
  readonly #timeline: TimelineEntry[] = []
  readonly #crashes: unknown[] = []
  /** By scope: the newest replaces the one before. */
  readonly #orders = new Map<string, Order>()
  #contender: Contender
  #loadRps: number
  #events = 0

  constructor (scenario: Scenario, setup: Setup, options: SimOptions) {
    this.#scenario = scenario
    this.#setup = setup
    this.#options = options
    this.#loadRps = scenario.loadRps
    this.#nodes = new Nodes(scenario.nodes)
    this.#traffic = new Traffic(scenario, this.#nodes.truths)
    this.#measures = new Measures(scenario)
    this.#sight = new Sight({
      scenario, seed: options.seed, nodes: this.#nodes, waitS: node => this.#traffic.waitS(node), clock: this.#clock
    })
    this.#pool = new Pool(scenario, uniform(options.seed, 0, 0, 0), {
      answer: server => this.#clock.blocked ? undefined : this.#contender.answer(server),
      accepts: server => ['ok', 'hang'].includes(this.#nodes.truth(server).mode),
      onAnswer: (server, before, line) => {
        const after = this.#pool.servers[server]
        if (after !== undefined) this.#measures.heard(server, before, after, this.#nodes.truth(server), this.#clock.now())
        this.#inspect(server, line)
      },
      onCheck: (server, result) => { this.#tell(`HAProxy's own check: ${nodeName(server)} ${result}`) }
    })
    this.#contender = this.#start()
  }

  async play (): Promise<RunResult> {
    for (let nowMs = 0; nowMs < this.#scenario.durationMs; nowMs += STEP_MS) {
      const passed = this.#clock.advance(nowMs)
      if (passed !== undefined) await passed
      this.#playEvents(nowMs)
      const late = this.#clock.advance(nowMs) // a pause may have ended
      if (late !== undefined) await late
      if (this.#crashes.length > 0) throw this.#crashes[0]
      this.#pool.check(nowMs)
      this.#traffic.step(this.#pool.weights, this.#loadRps)
      this.#measures.step(this.#nodes.truths, this.#pool.servers, this.#traffic, nowMs)
      if (nowMs % 1000 === 0) this.#inService.push(this.#pool.weights.filter(weight => weight > 0).length)
    }
    this.#contender.stop()
    const { policy, seed } = this.#options
    const { figures } = this.#measures
    return { scenario: this.#scenario.name, policy, seed, ...figures, inService: this.#inService, timeline: this.#timeline }
  }

  #start (): Contender {
    const crash = (error: unknown): void => { this.#crashes.push(error) }
    const orders = [...this.#orders.values()]
    const deps = { setup: this.#setup, sight: this.#sight, log: this.#log, store: this.#store, orders, crash }
    return CONTENDERS[this.#options.policy](deps)
  }

  #playEvents (nowMs: number): void {
    const { events, nodes } = this.#scenario
    for (let event = events[this.#events]; event !== undefined && event.atMs <= nowMs; event = events[this.#events]) {
      this.#events += 1
      this.#tell(narrate(event, nodes))
      this.#play(event, nowMs)
    }
  }

  #play (event: ScenarioEvent, nowMs: number): void {
    switch (event.kind) {
      case 'nodes':
        for (const node of event.nodes) this.#turn(node, event, nowMs)
        break
      case 'prober':
        this.#nodes.setProber(event.set)
        this.#clock.blocked = event.set.stall ?? this.#clock.blocked
        break
      case 'load':
        this.#loadRps = event.loadRps
        break
      case 'override':
        this.#order(event, nowMs)
        break
      case 'restart-agent':
        this.#contender.stop()
        this.#contender = this.#start()
    }
  }

  #turn (node: number, { set }: Extract<ScenarioEvent, { kind: 'nodes' }>, nowMs: number): void {
    const before = this.#nodes.truth(node)
    this.#nodes.set(node, set)
    const after = this.#nodes.truth(node)
    if (after.mode === 'refused' || after.mode === 'blackhole') this.#traffic.clear(node)
    this.#measures.turned(node, before, after, nowMs)
  }

  #order ({ scope, action, forMs, by, reason }: Extract<ScenarioEvent, { kind: 'override' }>, nowMs: number): void {
    const until = forMs === undefined ? {} : { untilMs: nowMs + forMs }
    const theirs = this.#scopeOf(scope)
    this.#orders.set(theirs, { scope: theirs, action: actionOf(action), fromMs: nowMs, ...until, by, reason })
    this.#contender.order([...this.#orders.values()])
  }

  /** A scope of the scenario in the names of the config. */
  #scopeOf (scope: string): string {
    const { backend } = this.#setup
    const [, server = ''] = scope.split('/')
    if (server === '*') return scope === '*/*' ? scope : `${backend.name}/*`
    const known = backend.servers[Number(server.slice(1))]
    return known === undefined ? scope : serverId(known)
  }

  #inspect (server: number, line: string): void {
    if (this.#options.onAnswer === undefined) return
    const inside = this.#contender.inspect?.()
    if (inside !== undefined) this.#options.onAnswer({ atMs: this.#clock.now(), server, line: line.trimEnd(), ...inside })
  }

  readonly #log: LogEvent = (event, _, message, level) => {
    if ((level ?? EVENTS[event]) !== 'debug') this.#tell(message)
  }

  #tell (text: string): void {
    if (this.#options.timeline === true) this.#timeline.push({ atMs: this.#clock.now(), text })
  }
}

const WEIGHT = 'weight:'

function actionOf (action: string): OrderAction {
  if (action.startsWith(WEIGHT)) return { weightPercent: Number(action.slice(WEIGHT.length)) }
  return action as Exclude<OrderAction, object>
}
