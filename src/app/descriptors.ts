/**
 * How many files, sockets among them, may be open for what. A process that has used up its limit can accept no connection:
 * so what HAProxy needs is set aside, and what there are too few for is polled with fewer at a time.
 */
import { LIMITS } from '../admin/limits.ts'
import type { Config } from '../config/load.ts'
import type { LogEvent } from '../runtime/log.ts'
import { IN_FLIGHT_MAX } from '../runtime/scheduler.ts'

/** For Node.js itself (some 25), log, journal, state, name service, the runtime API of HAProxys: about twice what they use. */
export const RESERVED = 64

/** What there would be with enough of them. */
export interface Wanted {
  /** Connections of HAProxys. */
  readonly agent: number
  readonly admin: number
  /** Polls, and those of them that may ask a second time while the first is out. */
  readonly polls: number
  readonly hedged: number
  /** Polls under way at once, at the most. */
  readonly inFlight: number
  /** Sockets that listen. */
  readonly listeners: number
}

/** Which connections to nodes are kept for the next poll: those of second looks too, those of first looks, or none. */
export type Kept = 'all' | 'first' | 'none'

export interface Shares {
  readonly agent: number
  readonly admin: number
  readonly inFlight: number
  readonly kept: Kept
}

export interface Budget extends Shares {
  /** The limit where it is too low, and what would be enough. */
  readonly short?: { readonly limit: number, readonly needed: number }
}

/** Half goes to HAProxy, an eighth to the admin port, and the rest to the polls; what one has no use for, others get. */
export function split (limit: number | undefined, wanted: Wanted): Budget {
  const all = wanted.polls + wanted.hedged
  const needed = RESERVED + wanted.listeners + wanted.agent + wanted.admin + all
  if (limit === undefined || limit >= needed) return { agent: wanted.agent, admin: wanted.admin, inFlight: wanted.inFlight, kept: 'all' }

  const left = limit - Math.min(RESERVED + wanted.listeners, limit >> 1)
  const admin = atLeastOne(Math.min(wanted.admin, left >> 3))
  const agent = atLeastOne(Math.min(wanted.agent, Math.max(left >> 1, left - admin - all)))
  return { agent, admin, ...shareOfPolls(left - admin - agent, wanted), short: { limit, needed } }
}

function shareOfPolls (share: number, { polls, hedged, inFlight }: Wanted): Pick<Shares, 'inFlight' | 'kept'> {
  if (share >= polls + hedged) return { inFlight, kept: 'all' }
  const seconds = Math.min(inFlight, hedged) // no more are under way at once
  if (share >= polls + seconds) return { inFlight, kept: 'first' }
  return { inFlight: atLeastOne(Math.min(inFlight, hedged > 0 ? share >> 1 : share)), kept: 'none' }
}

const atLeastOne = (count: number): number => Math.max(1, count)

/** `agent` is for each of its listeners. `limit` is undefined where nobody knows it. */
export function budgetOf ({ agent, polls }: Pick<Config, 'agent' | 'polls'>, limit: number | undefined): Budget {
  const listeners = agent.listen.length
  const hedged = polls.filter(({ hedgeMs }) => hedgeMs !== undefined).length
  const budget = split(limit, { admin: LIMITS.connections, inFlight: IN_FLIGHT_MAX, agent: listeners * agent.maxConnections, polls: polls.length, hedged, listeners: listeners + 1 })
  return { ...budget, agent: atLeastOne(Math.floor(budget.agent / listeners)) }
}

/** Says so when there are too few, and not again until it is by other numbers. */
export class Shortage {
  readonly #log: LogEvent
  #said = ''

  constructor (log: LogEvent) {
    this.#log = log
  }

  look ({ short, agent, admin, inFlight, kept }: Budget): void {
    const saying = JSON.stringify([short, agent, admin, inFlight, kept])
    if (short !== undefined && saying !== this.#said) {
      const { limit, needed } = short
      const polls = kept === 'none' ? `polls ${inFlight} at once, each on a new connection` : 'polls all they need'
      this.#log('agent.descriptors', { limit, needed, agent, admin, polls: inFlight, kept },
        `may have ${limit} files open, and would use up to ${needed}: HAProxy gets ${agent} connections, the admin port ${admin}, ${polls}. Set LimitNOFILE=${needed} in systemd, or ulimit -n ${needed}`)
    }
    this.#said = saying
  }
}
