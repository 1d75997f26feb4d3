/** What a run is judged by. Nothing counts before the end of the warm-up. */
import { inDrain, inMaint, type HaproxyServer } from './haproxy.ts'
import { isBroken, isHealthy } from './nodes.ts'
import type { NodeTruth, Scenario } from './scenario.ts'
import { STEP_MS, type Traffic } from './traffic.ts'

/** A node that has been well for less than this was not taken out for nothing: HAProxy may not have heard of it yet. */
const NEWS_MS = 8000
/** A node is halted when it gets at most this part of its even share. */
const HALTED_SHARE = 0.15
/** A node is back when it has this weight again. */
const BACK_PERCENT = 90
const STEP_S = STEP_MS / 1000

export interface Figures {
  /** Requests. */
  readonly offered: number
  readonly failed: number
  readonly slow: number
  /** Percent of the requests that did not fail. */
  readonly availability: number
  /** How often the agent took out a node that was well. */
  readonly falseEjections: number
  /** How often the agent's word took a server out of service or back. */
  readonly flips: number
  readonly weightChanges: number
  /** Seconds, summed over the nodes: well and out by the agent's word; broken and in, by the part of its even share it got. */
  readonly wronglyOutSeconds: number
  readonly wronglyInSeconds: number
  /** Mean times from a node's breaking to its getting next to nothing, and from its being mended to its getting all. */
  readonly haltSeconds: number | undefined
  readonly returnSeconds: number | undefined
  /** How often a node was broken and never halted. */
  readonly missed: number
  /** The fewest servers with traffic at any time. */
  readonly minUsable: number
}

export class Measures {
  readonly #scenario: Scenario
  /** By node, in ms: since when it has been well; broken and not halted; mended and not back. NaN: it is not. */
  readonly #wellMs: Float64Array
  readonly #brokenMs: Float64Array
  readonly #mendedMs: Float64Array
  readonly #haltedAfterS: number[] = []
  readonly #backAfterS: number[] = []
  #offered = 0
  #failed = 0
  #slow = 0
  #falseEjections = 0
  #flips = 0
  #weightChanges = 0
  #wronglyOutS = 0
  #wronglyInS = 0
  #missed = 0
  #minUsable: number

  constructor (scenario: Scenario) {
    this.#scenario = scenario
    this.#wellMs = new Float64Array(scenario.nodes).fill(-Infinity)
    this.#brokenMs = new Float64Array(scenario.nodes).fill(NaN)
    this.#mendedMs = new Float64Array(scenario.nodes).fill(NaN)
    this.#minUsable = scenario.nodes
  }

  /** The truth of a node changes. */
  turned (node: number, before: NodeTruth, after: NodeTruth, nowMs: number): void {
    if (isHealthy(after) && !isHealthy(before)) this.#wellMs[node] = nowMs
    if (isBroken(before) === isBroken(after)) return
    if (!Number.isNaN(this.#brokenMs[node])) this.#missed += 1
    this.#brokenMs[node] = isBroken(after) ? nowMs : NaN
    this.#mendedMs[node] = isBroken(after) ? NaN : nowMs
  }

  /** HAProxy heard the agent, and was `before`. */
  heard (node: number, before: HaproxyServer, after: HaproxyServer, truth: NodeTruth, nowMs: number): void {
    if (before === after) return
    if (before.uweight !== after.uweight) this.#weightChanges += 1
    const isIn = isInByAgent(after)
    if (isInByAgent(before) === isIn) return
    this.#flips += 1
    if (!isIn && isHealthy(truth) && nowMs - (this.#wellMs[node] ?? 0) > NEWS_MS) this.#falseEjections += 1
  }

  /** After a step of traffic. */
  step (truths: readonly NodeTruth[], servers: readonly HaproxyServer[], traffic: Traffic, nowMs: number): void {
    if (nowMs < this.#scenario.warmupMs) return
    this.#offered += traffic.offered
    this.#failed += traffic.failed
    this.#slow += traffic.slow
    let usable = 0
    for (let node = 0; node < truths.length; node += 1) {
      const [truth, server] = [truths[node], servers[node]]
      if (truth === undefined || server === undefined) continue
      const share = traffic.total > 0 ? (traffic.shares[node] ?? 0) * truths.length / traffic.total : 0
      if (share > 0) usable += 1
      this.#watch(node, truth, server, share, nowMs)
    }
    this.#minUsable = Math.min(this.#minUsable, usable)
  }

  /** `share`: of the requests, in even shares. */
  #watch (node: number, truth: NodeTruth, server: HaproxyServer, share: number, nowMs: number): void {
    if (isHealthy(truth) && !isInByAgent(server)) this.#wronglyOutS += STEP_S
    if (isBroken(truth) && share > 0) this.#wronglyInS += STEP_S * (this.#scenario.balance === 'roundrobin' ? Math.min(1, share) : 1)

    const brokenMs = this.#brokenMs[node] ?? NaN
    if (share <= HALTED_SHARE && !Number.isNaN(brokenMs)) {
      this.#haltedAfterS.push((nowMs - brokenMs) / 1000)
      this.#brokenMs[node] = NaN
    }
    const mendedMs = this.#mendedMs[node] ?? NaN
    if (!Number.isNaN(mendedMs) && server.uweight >= BACK_PERCENT && isInByAgent(server) && server.checkHealth !== 'down') {
      this.#backAfterS.push((nowMs - mendedMs) / 1000)
      this.#mendedMs[node] = NaN
    }
  }

  get figures (): Figures {
    return {
      offered: this.#offered,
      failed: this.#failed,
      slow: this.#slow,
      availability: this.#offered === 0 ? 100 : 100 * (1 - this.#failed / this.#offered),
      falseEjections: this.#falseEjections,
      flips: this.#flips,
      weightChanges: this.#weightChanges,
      wronglyOutSeconds: this.#wronglyOutS,
      wronglyInSeconds: this.#wronglyInS,
      haltSeconds: mean(this.#haltedAfterS),
      returnSeconds: mean(this.#backAfterS),
      missed: this.#missed + this.#brokenMs.filter(brokenMs => !Number.isNaN(brokenMs)).length,
      minUsable: this.#minUsable
    }
  }
}

/** Whether the agent would have it in service, whatever HAProxy's own check says. */
const isInByAgent = (server: HaproxyServer): boolean =>
  server.agentHealth === 1 && server.uweight > 0 && !inDrain(server) && !inMaint(server)

const mean = (values: readonly number[]): number | undefined =>
  values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length
