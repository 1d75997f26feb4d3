/**
 * Deadlines for all probes by one ticker, counted in ticks and not by the clock: when our own loop stalls, the
 * deadlines stall with it, so a late loop never blames its nodes. Exact to a tick.
 */
export const TICK_MS = 20

export type StartTicker = (tick: () => void, everyMs: number) => { stop: () => void }

export class Deadlines {
  #now = 0
  #ticker: { stop: () => void } | undefined
  readonly #slots = new Map<number, Set<() => void>>()
  readonly #startTicker: StartTicker

  constructor (startTicker: StartTicker) {
    this.#startTicker = startTicker
  }

  /** Calls `expire` after `ms`, at the tick after it. Returns how to call it off. */
  after (ms: number, expire: () => void): () => void {
    const due = this.#now + Math.ceil(ms / TICK_MS) + 1 // the current tick is already partly over
    const slot = this.#slots.get(due) ?? new Set()
    this.#slots.set(due, slot.add(expire))
    this.#ticker ??= this.#startTicker(() => { this.#tick() }, TICK_MS)
    return () => {
      slot.delete(expire)
      if (slot.size === 0 && this.#slots.get(due) === slot) this.#slots.delete(due)
    }
  }

  #tick (): void {
    this.#now += 1
    const due = this.#slots.get(this.#now)
    this.#slots.delete(this.#now)
    for (const expire of due ?? []) expire()
    if (this.#slots.size > 0) return
    this.#ticker?.stop()
    this.#ticker = undefined
  }
}
