/** HAProxy as it works on a farm: it asks the agent about each server in turn, and knocks at each port itself. */
import { createServer, effectiveWeight, hearLine, inMaint, setCheck, type HaproxyServer } from './haproxy.ts'
import type { Scenario } from './scenario.ts'

/** HAProxy's own defaults: `inter 2s fall 3 rise 2`. */
const CHECK_INTER_MS = 2000
const CHECK_RISE = 2
const CHECK_FALL = 3

type Options = Pick<Scenario, 'nodes' | 'agentInterMs' | 'ownCheck'>

export interface PoolDeps {
  /** The bytes of an answer about a server; undefined: none came. */
  readonly answer: (server: number) => string | undefined
  /** Whether the port of a node takes connections. */
  readonly accepts: (server: number) => boolean
  readonly onAnswer: (server: number, before: HaproxyServer, line: string) => void
  readonly onCheck: (server: number, result: 'up' | 'down') => void
}

export class Pool {
  readonly servers: HaproxyServer[]
  /** By server: percent of the configured weight, 0 for one that gets no new clients. */
  readonly weights: Float64Array
  readonly #deps: PoolDeps
  readonly #agentInterMs: number
  readonly #nextAskMs: Float64Array
  readonly #nextCheckMs: Float64Array
  /** The last line about each server, and what it left it with. */
  readonly #heard: Array<{ readonly line: string, readonly after: HaproxyServer }> = []
  /** Results of the own check in a row that speak against what it says now. */
  readonly #against: Int32Array

  /** `phase`, in [0, 1): where in the interval of the agent checks HAProxy happened to start. */
  constructor ({ nodes, agentInterMs, ownCheck }: Options, phase: number, deps: PoolDeps) {
    this.servers = Array.from({ length: nodes }, () => createServer({ check: ownCheck === 'tcp' }))
    this.weights = new Float64Array(nodes).fill(100)
    this.#deps = deps
    this.#agentInterMs = agentInterMs
    this.#nextAskMs = Float64Array.from(this.servers, (_, i) => Math.floor((i / nodes + phase) % 1 * agentInterMs))
    this.#nextCheckMs = Float64Array.from(this.servers, (_, i) => ownCheck === 'tcp' ? Math.floor(i * CHECK_INTER_MS / nodes) : Infinity)
    this.#against = new Int32Array(nodes)
  }

  /** All checks that are due, server by server. */
  check (nowMs: number): void {
    for (const [index, server] of this.servers.entries()) {
      if ((this.#nextAskMs[index] ?? Infinity) <= nowMs) this.#ask(index, server)
      if ((this.#nextCheckMs[index] ?? Infinity) <= nowMs) this.#knock(index)
    }
  }

  #ask (index: number, server: HaproxyServer): void {
    this.#nextAskMs[index] = (this.#nextAskMs[index] ?? 0) + this.#agentInterMs
    const line = this.#deps.answer(index)
    if (line === undefined) return
    const heard = this.#heard[index]
    if (heard === undefined || heard.line !== line || heard.after !== server) { // said again, a line changes nothing
      const after = hearLine(server, line)
      this.#heard[index] = { line, after }
      this.#set(index, after)
    }
    this.#deps.onAnswer(index, server, line)
  }

  /** HAProxy keeps what it knows until fall failures or rise successes in a row say otherwise. */
  #knock (index: number): void {
    this.#nextCheckMs[index] = (this.#nextCheckMs[index] ?? 0) + CHECK_INTER_MS
    const server = this.servers[index]
    if (server === undefined) return
    const isUp = server.checkHealth === 'up'
    const isAgainst = !inMaint(server) && this.#deps.accepts(index) !== isUp
    const against = isAgainst ? (this.#against[index] ?? 0) + 1 : 0
    const turns = against >= (isUp ? CHECK_FALL : CHECK_RISE)
    this.#against[index] = turns ? 0 : against
    if (!turns) return
    const result = isUp ? 'down' : 'up'
    this.#set(index, setCheck(server, result))
    this.#deps.onCheck(index, result)
  }

  #set (index: number, server: HaproxyServer): void {
    this.servers[index] = server
    this.weights[index] = effectiveWeight(server)
  }
}
