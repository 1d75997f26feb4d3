/** What is remembered of a backend: the checks of its servers, what each is, and what the backend as a whole can afford. */
import type { Items } from './list.ts'
import type { GoodSample, ProbeKey, Verdict } from './model.ts'
import type { Orders } from './order.ts'
import type { Ranked } from './ranked.ts'

/** Why a criterion that failed often enough may not take its server out now. */
export type Doubt =
  | { readonly why: 'peers', readonly asked: number, readonly passing: number, readonly failing: number }
  | { readonly why: 'strain' }
  | { readonly why: 'queue' }

/**
 * One criterion's memory. Times are monotonic ms. No field is ever absent: objects of one shape are read many times faster,
 * and the gate reads those of all servers.
 */
export interface CheckState {
  /** Failures in a row, and passes in a row: one of them is 0. */
  readonly bad: number
  readonly good: number
  /** It fails, and that counts. */
  readonly latched: boolean
  /** It failed often enough, but may not count now. */
  readonly doubt: Doubt | undefined
  /** Start of the first look of the run of failures; undefined while it passes. */
  readonly firstFailMs: number | undefined
  /** End of the first look of the run of passes. */
  readonly goodSinceMs: number | undefined
  /** Start of the last look that passed. */
  readonly lastGoodMs: number | undefined
  /** The last looks as bits, newest lowest, 1 failed; and how many there are. */
  readonly ring: number
  readonly ringed: number
  readonly verdict: Verdict
  /** When it last began to pass or to fail. */
  readonly sinceMs: number
  /** What its last pass allowed: one failure among passes must not give a shedding server all its load back. */
  readonly weightPercent: number
  /** Why its last pass allowed that. */
  readonly weightReason: string
}

/**
 * What we mean by a server. `start`: no verdict yet. `in`: it takes traffic. `out`: its criteria took it out.
 * `held`: they pass again, and it waits out its time.
 */
export type Phase = 'start' | 'in' | 'out' | 'held'

/** How bad it is to keep a server that is out, least bad first. */
export type OutClass = 'held' | 'drain' | 'fail' | 'noconn' | 'noreply' | 'dead'

/** What is remembered of one probe. */
export interface ProbeMemory {
  /** When its newest sample ended. */
  readonly endMs: number
  /** Its last good sample, for rates of change. */
  readonly good?: GoodSample
}

/** Times are monotonic ms. Only a server's own samples change it. */
export interface ServerState {
  /** In the order of `Server.criteria`. Absent: no sample yet. */
  readonly checks: ReadonlyArray<CheckState | undefined>
  readonly probes: Readonly<Record<ProbeKey, ProbeMemory>>
  readonly bornMs: number
  readonly phase: Phase
  /** When the phase began. */
  readonly sinceMs: number
  /** Before this it does not come back by itself. */
  readonly holdUntilMs: number
  /** When it went out, within the window of `hold`. */
  readonly flapsMs: readonly number[]
  /** When it came back; undefined when it carries its whole share. */
  readonly rampFromMs: number | undefined
  /** How its node was last reached. */
  readonly reached: Reached
  /** End of its newest usable sample. */
  readonly lastMs: number | undefined
  /** Of its last three answered polls, oldest first. */
  readonly latenciesMs: readonly number[]
  /** The weight as it moves step by step, before ramp and share. */
  readonly weightPercent: number
  readonly weightAtMs: number
  /** It was out when its memory began anew: HAProxy still keeps it out. */
  readonly toldOut: boolean
}

/** What the last usable sample of the poll that shows the node said of the node: an answer, a refusal, two kinds of silence. */
export type Reached = 'ok' | 'dead' | 'noreply' | 'noconn'

/** Counted along, so that no sample has to look at all servers. */
export interface Tally {
  /** Servers that take traffic by their own verdict. */
  readonly in: number
  /** Of these: slow, or silent and not singled out. */
  readonly troubled: number
  /** Servers with a criterion that fails but is not believed, for others fail it too. */
  readonly doubted: number
  /** By place of a criterion: servers it has been looked at of, and of these those that pass it. */
  readonly known: readonly number[]
  readonly passing: readonly number[]
  /** Of servers that take traffic: how long their answers take, each the median of its last ones; none without `peers`. */
  readonly mediansMs: Ranked
  /** When they began to come back. */
  readonly rampsMs: Ranked
}

export interface BackendState {
  /** In the order of `Backend.servers`. */
  readonly servers: Items<ServerState>
  readonly orders: Orders
  readonly tally: Tally
  /** When servers went out lately, for `burst`. */
  readonly ejectsMs: readonly number[]
  /** Servers wanted in service beyond what `min_up` and `max_out` demand: grows under strain. */
  readonly extra: number
  readonly strainSinceMs: number | undefined
  readonly extraAtMs: number
  readonly floor: Floor
}

/** Who is in service, and who only because the floor wants it. */
export interface Floor {
  /** Servers in service against their verdict, by index. */
  readonly kept: ReadonlyMap<number, OutClass>
  /** How many are in service without that. */
  readonly fit: number
  /** Until when this holds without a new event: an order ends, or a verdict grows too old. */
  readonly untilMs: number
}
