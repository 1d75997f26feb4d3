/**
 * Users, as a fluid: each step a part of a request more or less. A node has one queue, first come first served; one that
 * is far behind also works for users who have gone. Nobody asks a second time.
 */
import type { NodeTruth, Scenario } from './scenario.ts'

/** One step of the simulation. */
export const STEP_MS = 100
const STEP_S = STEP_MS / 1000
/** A queue of more than this is deep: part of the work is for users who do not wait any more. */
const DEEP_S = 1
const DEEP_CAPACITY = 0.8
/** An answer that takes longer is slow. */
const SLOW_S = 1
/** How long a request that fails at once keeps a session: an error answered, a connection refused. */
const ERROR_S = 0.002
const REFUSED_S = 0.001

type Farm = Pick<Scenario, 'nodes' | 'balance' | 'capacityRps' | 'baseMs' | 'clientTimeoutMs'>

export class Traffic {
  /** What HAProxy gives to each node in the last step: in proportion to these, which add up to `total`. */
  readonly shares: Float64Array
  total = 0
  /** Requests of the last step. */
  offered = 0
  failed = 0
  slow = 0
  readonly #farm: Farm
  readonly #truths: readonly NodeTruth[]
  /** Requests in the queue of each node. */
  readonly #backlog: Float64Array

  /** `truths` is read anew at each step. */
  constructor (farm: Farm, truths: readonly NodeTruth[]) {
    this.#farm = farm
    this.#truths = truths
    this.shares = new Float64Array(truths.length)
    this.#backlog = new Float64Array(truths.length)
  }

  /** How long a request that comes now waits for its turn. */
  waitS (node: number): number {
    const rate = this.#rate(node)
    return rate > 0 ? (this.#backlog[node] ?? 0) / rate : this.#farm.clientTimeoutMs / 1000
  }

  /** Who waited there waits no more. */
  clear (node: number): void {
    this.#backlog[node] = 0
  }

  /** A step with `weights` (percent, 0: none) in HAProxy. */
  step (weights: Float64Array, loadRps: number): void {
    this.#share(weights)
    this.offered = loadRps * STEP_S
    this.failed = 0
    this.slow = 0
    if (this.total <= 0) {
      this.failed = this.offered
      for (let node = 0; node < this.#truths.length; node += 1) this.#work(node, this.#rate(node) * STEP_S)
      return
    }
    for (let node = 0; node < this.#truths.length; node += 1) this.#serve(node, this.offered * (this.shares[node] ?? 0) / this.total)
  }

  #share (weights: Float64Array): void {
    this.total = 0
    for (let node = 0; node < this.shares.length; node += 1) {
      const weight = weights[node] ?? 0
      const share = weight > 0 && this.#farm.balance === 'leastconn' ? weight / this.#sessionS(node) : weight
      this.shares[node] = share
      this.total += share
    }
  }

  /** How long a session lasts, by which leastconn shares: whoever fails fast gets the most. */
  #sessionS (node: number): number {
    const truth = this.#truths[node]
    if (truth === undefined) return Infinity
    if (truth.mode === 'refused') return REFUSED_S
    if (truth.mode !== 'ok') return this.#farm.clientTimeoutMs / 1000
    const served = this.#baseS(truth) + this.waitS(node)
    return Math.max(truth.err * ERROR_S + (1 - truth.err) * served, REFUSED_S)
  }

  #serve (node: number, arriving: number): void {
    const truth = this.#truths[node]
    if (truth === undefined || truth.mode !== 'ok') {
      this.failed += arriving
      this.clear(node)
      return
    }

    let failed = arriving * truth.err
    let rate = this.#rate(node)
    if ((this.#backlog[node] ?? 0) / rate > DEEP_S) rate *= DEEP_CAPACITY
    this.#backlog[node] = (this.#backlog[node] ?? 0) + arriving - failed
    this.#work(node, rate * STEP_S)
    const most = rate * this.#farm.clientTimeoutMs / 1000
    const left = this.#backlog[node] ?? 0
    if (left > most) {
      failed += left - most
      this.#backlog[node] = most
    }
    this.failed += failed
    if (this.#baseS(truth) + Math.min(left, most) / rate > SLOW_S) this.slow += Math.max(0, arriving - failed)
  }

  #work (node: number, requests: number): void {
    this.#backlog[node] = Math.max(0, (this.#backlog[node] ?? 0) - requests)
  }

  /** Requests a second. */
  #rate (node: number): number {
    return this.#farm.capacityRps * (this.#truths[node]?.capMult ?? 0)
  }

  #baseS ({ latMult }: NodeTruth): number {
    return this.#farm.baseMs * latMult / 1000
  }
}
