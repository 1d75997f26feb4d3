/** What the agent sees of the nodes: probes that look at the truth through loss, partitions, queues and its own pauses. */
import type { ErrorClass, Facts, Sample } from '../core/model.ts'
import type { Poll, ProbeRequest } from '../core/probe.ts'
import type { Look } from '../probes/hedge.ts'
import type { Timer } from '../runtime/clock.ts'
import { spread } from '../runtime/scheduler.ts'
import type { FarmClock } from './farm-clock.ts'
import type { Nodes } from './nodes.ts'
import { uniform } from './random.ts'
import type { NodeTruth, Scenario } from './scenario.ts'
import { STEP_MS } from './traffic.ts'

/** The path that a lame duck answers with 503, while it still serves whoever comes. */
export const LAME_PATH = '/lame'
/** In the facts of every look: whether the node failed this one, as it fails a share of the users' requests. */
export const ERRED = 'erred'

const STORAGE_SERVERS = 10
const SPACE_BYTES = 1e12
const GONE = 'ConnectionRefusedError'
const REFUSAL_MS = 1
/** The draws of one look, each of its own. */
const DRAW = { loss: 11, jitter: 23, error: 37 } as const
const SALTS = 0x1000_0000

const MESSAGES: Partial<Record<ErrorClass, string>> = {
  refused: 'connection refused', noconn: 'no connection in time', timeout: 'no answer in time', local: 'given up'
}

export interface SightDeps {
  readonly scenario: Scenario
  readonly seed: number
  readonly nodes: Nodes
  /** How long a request waits in the queue of a node. */
  readonly waitS: (node: number) => number
  readonly clock: FarmClock
}

interface Outcome { readonly error: ErrorClass | undefined, readonly afterMs: number }

export class Sight {
  readonly #deps: SightDeps

  constructor (deps: SightDeps) {
    this.#deps = deps
  }

  get clock (): FarmClock {
    return this.#deps.clock
  }

  /** `attempt`: looks of one poll at the same time have each their own luck. */
  probe (poll: Poll, attempt = 0): Look {
    return new SimProbe(this, poll, attempt)
  }

  /** How a look of a poll that starts now will go, with so much time. */
  look (poll: Poll, attempt: number, timeoutMs: number): Outcome {
    const { scenario, nodes, waitS } = this.#deps
    const node = nodeOf(poll)
    const { mode, latMult } = nodes.truth(node)
    if (nodes.isHidden(node) || this.#draw(poll, DRAW.loss + attempt) < nodes.loss(node)) return { error: 'noconn', afterMs: timeoutMs }
    if (mode === 'refused') return { error: 'refused', afterMs: REFUSAL_MS }
    if (mode === 'blackhole') return { error: 'noconn', afterMs: timeoutMs }
    if (mode === 'hang' && !isConnectOnly(poll.request)) return { error: 'timeout', afterMs: timeoutMs }

    const jitter = 0.7 + 0.6 * this.#draw(poll, DRAW.jitter + attempt)
    const waitMs = isConnectOnly(poll.request) ? 0 : 1000 * waitS(node)
    const tookMs = Math.max(1, Math.floor(scenario.probeMs * latMult * jitter + waitMs))
    return tookMs < timeoutMs ? { error: undefined, afterMs: tookMs } : { error: 'timeout', afterMs: timeoutMs }
  }

  /** What an answered look of a poll that starts now shows. */
  facts (poll: Poll): Facts {
    const truth = this.#deps.nodes.truth(nodeOf(poll))
    const erred = this.#draw(poll, DRAW.error) < (truth.probeErr ?? truth.err)
    return factsOf(poll.request, truth, erred)
  }

  #draw (poll: Poll, purpose: number): number {
    return uniform(this.#deps.seed, nodeOf(poll), Math.floor(this.#deps.clock.now() / STEP_MS), saltOf(poll.request) + purpose)
  }
}

class SimProbe implements Look {
  readonly #sight: Sight
  readonly #poll: Poll
  readonly #attempt: number
  #timer: Timer | undefined
  #giveUp: (() => void) | undefined

  constructor (sight: Sight, poll: Poll, attempt: number) {
    this.#sight = sight
    this.#poll = poll
    this.#attempt = attempt
  }

  /**
   * The outcome is drawn now and told later: later still if the agent is blocked when it comes. Of its time, `spentMs`
   * are gone already.
   */
  async run (spentMs = 0): Promise<Sample> {
    const { clock } = this.#sight
    const startMs = clock.now()
    const leftMs = this.#poll.timeoutMs - spentMs
    const { error, afterMs } = this.#sight.look(this.#poll, this.#attempt, leftMs)
    const facts = error === undefined ? this.#sight.facts(this.#poll) : {}
    return new Promise(resolve => {
      this.#giveUp = () => { resolve(failed('local', startMs, clock.now())) }
      this.#timer = clock.after(afterMs, () => {
        const endMs = clock.now()
        clock.answered()
        // A deadline that has passed is noticed before the answer that came meanwhile.
        const noticed = error ?? (endMs - startMs >= leftMs ? 'timeout' : undefined)
        resolve(noticed === undefined
          ? { ok: true, startMs, endMs, facts: { ...facts, latencyMs: endMs - startMs } }
          : failed(noticed, startMs, endMs))
      })
    })
  }

  close (): void {
    this.#timer?.stop()
    this.#giveUp?.()
  }
}

const failed = (error: ErrorClass, startMs: number, endMs: number): Sample =>
  ({ ok: false, startMs, endMs, error: { class: error, message: MESSAGES[error] ?? error } })

/** Servers are nodes, in their order; two servers of one node are looked at as the first. */
export const nodeOf = ({ readers }: Poll): number => readers[0]?.server ?? 0

/** The kernel answers, however its program fares. */
const isConnectOnly = (request: ProbeRequest): boolean => request.kind === 'tcp' && request.options.expect === undefined

const salts = new WeakMap<ProbeRequest, number>()

/** Different looks at one node have each their own luck; the same look has the same, whoever looks. */
function saltOf (request: ProbeRequest): number {
  const known = salts.get(request) ?? spread(JSON.stringify([request.kind, request.options]), SALTS) * 256
  salts.set(request, known)
  return known
}

/** What one look at a node shows; `erred`: it hit the share that fails. */
export function factsOf (request: ProbeRequest, truth: NodeTruth, erred: boolean): Facts {
  const { kind, options } = request
  if (kind === 'http') return { status: statusOf(options.path, truth, erred), contains: !erred, matches: !erred, [ERRED]: erred }
  if (kind === 'tahoe-welcome') return welcome(truth, erred)
  return { expected: !erred, [ERRED]: erred }
}

function statusOf (path: string, { lame }: NodeTruth, erred: boolean): number {
  if (path === LAME_PATH) return lame ? 503 : 200
  return erred ? 500 : 200
}

const welcomes = new Map<number, Facts>()

function welcome ({ storage, introducer }: NodeTruth, erred: boolean): Facts {
  const which = Number(storage) + 2 * Number(introducer) + 4 * Number(erred)
  const known = welcomes.get(which) ?? makeWelcome(storage, introducer, erred)
  welcomes.set(which, known)
  return known
}

function makeWelcome (storage: boolean, introducer: boolean, erred: boolean): Facts {
  const connected = storage ? STORAGE_SERVERS : 0
  const servers = Array.from({ length: connected }, (_, i) => i)
  return {
    introducersConnected: introducer ? 1 : 0,
    introducersTotal: 1,
    introducerStatus: introducer ? '' : GONE,
    storageConnected: connected,
    storageTotal: STORAGE_SERVERS,
    storageStatus: storage ? '' : GONE,
    ids: servers.map(i => `v0-storage${i}`),
    spaces: servers.map(() => SPACE_BYTES),
    agesMs: servers.map(() => 1000),
    [ERRED]: erred
  }
}
