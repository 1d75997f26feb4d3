/** How a backend decides: the settings of every layer, and their defaults. */

/** What becomes of a server in the end: `observe` computes and logs all, and answers `up 100%`. */
export type Mode = 'enforce' | 'observe'

/**
 * How a backend decides, layer by layer. A layer that is absent is switched off. Percentages are whole numbers;
 * defaults, and what each is worth, are in docs/decision.md.
 */
export interface Policy {
  readonly mode: Mode
  /** A criterion also fails when so many of its last samples did: for the flaky. */
  readonly window?: { readonly fails: number, readonly of: number }
  /** Self-doubt: a server goes out only for what enough others pass. */
  readonly gate?: {
    readonly quorumPercent: number
    /**
     * The same where silence is weak evidence. No connection at all: that many dark nodes are more often our own network,
     * and HAProxy's own check sees a dark node by itself. A server that has only just come back: it may be the load.
     */
    readonly strictQuorumPercent: number
    /** In service for so long, a server carries its share and has a voice. */
    readonly settleMs: number
  }
  /** No more than this share of the servers goes out within a time: the effect of one step is seen before the next. */
  readonly burst?: { readonly sharePercent: number, readonly withinMs: number }
  /** How we notice that those in service cannot carry the load, and how fast the able ones are brought back. */
  readonly strain?: {
    /** An answer is slow from this part of the poll's deadline on. */
    readonly slowPercent: number
    /** Of the servers in service. */
    readonly sharePercent: number
    readonly upMs: number
    readonly downMs: number
    readonly stepPercent: number
  }
  /** Minimum time out, doubled for each time out within `windowMs`, at most `maxMs`. */
  readonly hold?: { readonly baseMs: number, readonly maxMs: number, readonly windowMs: number }
  /** Never fewer servers than this are in service because of polled criteria. */
  readonly minUp: number
  /** Never a larger share than this is out because of polled criteria; at least one may be, unless it is 0. */
  readonly maxOutPercent: number
  /** No more servers than this may be out by order at once, unless it is forced. */
  readonly atMostDrained?: number
  /** How a weight moves. Absent: weights are 0 or 100. */
  readonly weight?: {
    readonly floorPercent: number
    readonly quantumPercent: number
    /** One step of weight a loop delay: the effect is seen before the next. */
    readonly everyMs: number
    /** One step down multiplies by this. */
    readonly downPercent: number
    /** One step up adds this. */
    readonly upPercent: number
  }
  /** The `weight` of the server lines in haproxy.cfg: HAProxy multiplies in integers, so 100 / base is the least that is not 0. */
  readonly baseWeight: number
  /** Latency against the backend's own: one that is `slowerPercent` of the median of its peers sheds load. */
  readonly peers?: { readonly slowerPercent: number, readonly leastMs: number, readonly servers: number }
  /** A server that comes back gets its load little by little, unless fewer than `fullPercent` of all carry theirs in full. */
  readonly ramp?: { readonly forMs: number, readonly fromPercent: number, readonly fullPercent: number }
  /** A verdict older than this is marked. */
  readonly staleAfterMs: number
  /** A verdict older than this is given up, and the server is up. Absent: the last verdict holds. */
  readonly staleOpenMs?: number
}

/** Worth and origin of each are in docs/decision.md. */
export const DEFAULT_POLICY: Policy = {
  mode: 'enforce',
  window: { fails: 4, of: 10 },
  gate: { quorumPercent: 34, strictQuorumPercent: 66, settleMs: 15_000 },
  burst: { sharePercent: 20, withinMs: 6000 },
  strain: { slowPercent: 25, sharePercent: 34, upMs: 2000, downMs: 60_000, stepPercent: 20 },
  hold: { baseMs: 5000, maxMs: 120_000, windowMs: 600_000 },
  minUp: 1,
  maxOutPercent: 50,
  weight: { floorPercent: 10, quantumPercent: 5, everyMs: 4000, downPercent: 80, upPercent: 10 },
  baseWeight: 100,
  peers: { slowerPercent: 250, leastMs: 100, servers: 3 },
  ramp: { forMs: 30_000, fromPercent: 10, fullPercent: 50 },
  staleAfterMs: 15_000,
  staleOpenMs: 120_000
}
